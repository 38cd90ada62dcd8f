"""Words in one language, from its gettext catalogue (`LANGUAGE/LC_MESSAGES/hansa.po`).

Reads the catalogues of this package and nothing else. What a catalogue lacks is shown readably:
the English sentence, or the identifier made readable.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from hansa.locales.languages import LANGUAGES, Language
from hansa.locales.params import write_number
from hansa.locales.readable import make_readable
from hansa.locales.writing import Writing

FOLDER: Final = Path(__file__).parent
DOMAIN: Final = "hansa"
# Fields whose values are states; values of all other fields are options.
STATE_FIELDS: Final = frozenset({"status", "state", "standing"})
_PLACE = re.compile(r"\{(\w+)\}")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?")
_REFUSING: Final = frozenset({"rejection", "remedy"})
# Parameters that hold what people called something: never taken for a code.
_OWN_NAMES: Final = frozenset(
    "id name number key key_id kid did label text value title list index node chain item invoice "
    "prefix lot".split()
)
# Where the words of a parameter's code are looked for: by its name first, then here.
_PARAM_CONTEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "application": ("application",),
    "field": ("field",),
    "needed": ("role", "field"),
    "kind": ("option", "record"),
    "record_kind": ("record",),
    "type": ("message", "option"),
    "types": ("message", "option"),
    "choice": ("vote", "option"),
}
_CODE_CONTEXTS: Final = ("state", "option", "role", "message", "application", "record")
# `contract:holds`, `message:holds.PlaceHold`: what a freeze or a vote is about.
_TARGETS: Final[Mapping[str, str]] = {"contract": "application", "message": "message"}
_Key = tuple[str, str]


class Words:
    """The words of one language. Calling it translates a sentence of ours: `words("Sign in")`."""

    def __init__(self, language: Language, entries: Mapping[_Key, str | tuple[str, ...]]) -> None:
        self.language = language
        self._entries = entries
        self._writing = Writing(language)

    def __call__(self, sentence: str, **params: object) -> str:
        """A sentence, its {places} filled. The message id is the English sentence."""
        return fill(self._find("", sentence) or sentence, params)

    def count(self, one: str, many: str, number: int, **params: object) -> str:
        """A sentence about `number` things; the message id is `one`, its plural `many`."""
        forms = self._entries.get(("", one))
        has_one_form = self.language.tag.startswith("zh")
        at = 0 if number == 1 or has_one_form else 1
        if isinstance(forms, tuple) and at < len(forms) and forms[at]:
            text = forms[at]
        else:
            text = one if number == 1 else many
        return fill(text, {"count": number, **params})

    def of(
        self,
        context: str,
        name: str,
        *,
        app: str = "",
        default: str | None = None,
        params: Mapping[str, object] | None = None,
    ) -> str:
        """Words of a derived thing: `of("message", "e_invoice.IssueInvoice")`.

        With `app` the application's own words for a shared name come first: `of("field",
        "status", app="e_invoice")` looks for `e_invoice.status`, then `status`. `default`: what is
        shown when the catalogue lacks both; without it, the identifier made readable.
        """
        found = self._find(context, f"{app}.{name}") if app else ""
        found = found or self._find(context, name)
        if not found:
            found = make_readable(name) if default is None else default
        given = params or {}
        if context in _REFUSING:
            given = {key: self.param(key, value, code=name) for key, value in given.items()}
        return fill(found, given)

    def param(self, name: str, value: object, *, code: str = "") -> object:
        """A parameter of the refusal `code` for people: a rate, an amount or a time as this place
        writes it; a code, or codes parted by commas, in its words; else as it is.
        """
        number = write_number(self._writing, code, name, value)
        if number is not None:
            return number
        if name in _OWN_NAMES or not isinstance(value, str):
            return value
        app = code.partition(".")[0]
        words = [self._find_code(name, each, app) for each in value.split(", ")]
        return ", ".join(words) if all(words) else value

    def _find_code(self, name: str, code: str, app: str) -> str:
        """The words of one code, "" when there are none."""
        sort, colon, rest = code.partition(":")
        contexts = _PARAM_CONTEXTS.get(name, ()) + _CODE_CONTEXTS
        if colon and sort in _TARGETS:
            contexts, code = (_TARGETS[sort],), rest
        if not _CODE.fullmatch(code):
            return ""
        for context in contexts:
            found = self._find(context, f"{app}.{code}") or self._find(context, code)
            if found:
                return found
        return ""

    def knows(self, context: str, name: str) -> bool:
        """Whether the catalogue has these very words."""
        return bool(self._find(context, name))

    def application(self, name: str, title: str = "") -> str:
        """An application's short name, for menus and paths; its title where it has no shorter."""
        short = self._find("application-short", name)
        return short or self.of("application", name, default=title or None)

    def value(self, field: str, value: str, *, app: str = "") -> str:
        """Words of a value of an enumerated field: a state, or an option."""
        return self.of(choose_context(field), value, app=app) if value else ""

    def _find(self, context: str, name: str) -> str:
        found = self._entries.get((context, name), "")
        return found if isinstance(found, str) else found[0]


def mark(sentence: str) -> str:
    """The sentence itself, noted for the catalogues: it is translated where it is shown."""
    return sentence


def choose_context(field: str) -> str:
    """Context of an enumerated field's values: `state` or `option`."""
    return "state" if field in STATE_FIELDS else "option"


def fill(text: str, params: Mapping[str, object]) -> str:
    """Put values into the {places} of a sentence; a place without a value stays as it is.

    No format language: a value can reach nothing.
    """
    return _PLACE.sub(lambda place: str(params.get(place[1], place[0])), text)


def locate_catalogue(language: Language) -> Path:
    """The .po file of a language."""
    return FOLDER / language.folder / "LC_MESSAGES" / f"{DOMAIN}.po"


def read_catalogue(language: Language) -> Catalog:
    """The catalogue of a language; an empty one when its file is not there."""
    path = locate_catalogue(language)
    if not path.exists():
        return Catalog(locale=language.folder, domain=DOMAIN)
    with path.open("rb") as stream:
        return read_po(stream, locale=language.folder, domain=DOMAIN, abort_invalid=True)


@cache
def load_words(tag: str) -> Words:
    """The words of a language by its tag. Raises KeyError."""
    language = LANGUAGES[tag]
    entries: dict[_Key, Any] = {}
    for message in read_catalogue(language):
        name = message.id[0] if isinstance(message.id, tuple | list) else message.id
        text = tuple(message.string) if isinstance(message.string, list) else message.string
        if name and text and not message.fuzzy:
            entries[(message.context or "", name)] = text
    return Words(language, entries)
