"""`Frame`: what all visits of one console share: pages, templates, files, secret, sections."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from hansa.console.asking import Api
from hansa.console.assets import Assets
from hansa.console.routing import Page, Router
from hansa.console.sealing import Seal
from hansa.console.templates import build_environment
from hansa.locales.languages import LANGUAGES
from hansa.locales.words import load_words, mark

if TYPE_CHECKING:
    from hansa.console.visit import Visit

# Sections of the console in reading order: address and words. One without its page is not shown.
SECTIONS: Final = (
    ("/", mark("Home")),
    ("/apps", mark("Applications")),
    ("/explorer", mark("Explorer")),
    ("/league", mark("League")),
    ("/food", mark("Food")),
    ("/identity", mark("Identities")),
    ("/verify", mark("Verify")),
)


class Frame:
    """Built once for a console."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self.router = Router(pages)
        self.assets = Assets()
        self.seal = Seal()
        # DID -> (when to ask again, name). Members' names are public and few.
        self.names: dict[str, tuple[float, str]] = {}
        self._described: dict[str, dict[str, Any]] = {}
        self.sections = tuple(each for each in SECTIONS if self.router.has(each[0]))
        self._environment = build_environment(
            {"LANGUAGES": LANGUAGES, "script": self.write_script, "style": self.write_style}
        )

    async def describe_all(self, api: Api) -> dict[str, dict[str, Any]]:
        """What every application says of itself (GET /v1/apps/APP), by name; asked for once, as
        it is the same for everybody until another release. Raises ApiProblem.
        """
        if not self._described:
            listed = await api.get("/v1/apps")
            names = [each["name"] for each in listed["items"]]
            found = await asyncio.gather(*(api.get(f"/v1/apps/{name}") for name in names))
            self._described = dict(zip(names, found, strict=True))
        return self._described

    def render(self, template: str, visit: "Visit", data: Mapping[str, Any]) -> str:
        """The text of a template for a visit."""
        words = load_words(visit.language)
        return self._environment.get_template(template).render(
            {
                "visit": visit,
                "language": visit.language,
                "words": words,
                "_": words,
                "link": visit.link,
                "sections": self.sections,
                "csrf": Markup('<input type="hidden" name="csrf" value="{}">').format(
                    visit.form_token
                ),
                **data,
            }
        )

    def write_script(self, name: str) -> Markup:
        """The tag of a script module, `script("session")`; nothing while there is no such file."""
        if not self.assets.has(f"js/{name}.js"):
            return Markup("")
        return Markup('<script type="module" src="/static/js/{}.js"></script>').format(name)

    def write_style(self, name: str) -> Markup:
        """The tag of a style sheet, `style("food")`; nothing while there is no such file."""
        if not self.assets.has(f"{name}.css"):
            return Markup("")
        return Markup('<link rel="stylesheet" href="/static/{}.css">').format(name)
