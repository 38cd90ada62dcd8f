"""The Jinja2 environment: autoescape always, unknown names fail, values written per language.

Reads the folder `templates`. Nothing of a record is ever marked as safe here.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from hansa.locales.languages import LANGUAGES
from hansa.locales.writing import Writing, format_iso

FOLDER: Final = Path(__file__).parent / "templates"
# Characters of an identifier's beginning and end that are shown; the whole is in its title.
_HEAD, _TAIL = 8, 6
WRITINGS: Final = {tag: Writing(language) for tag, language in LANGUAGES.items()}


def build_environment(globals_: Mapping[str, Any]) -> Environment:
    """The environment of one console; `globals_`: what every template may call."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(globals_)
    environment.filters.update(FILTERS)
    return environment


def shorten(text: str) -> str:
    """`did:hansa:abcdefgh…uvwxyz`: enough of an identifier to tell it from another."""
    head, sep, name = text.rpartition(":")
    if len(name) <= _HEAD + _TAIL + 1:
        return text
    return f"{head}{sep}{name[:_HEAD]}…{name[-_TAIL:]}"


def show_short(text: object) -> Markup:
    """A shortened identifier whose whole can be read (title) and copied."""
    whole = str(text)
    return Markup('<span class="id" title="{}">{}</span>').format(whole, shorten(whole))


def _written(write: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def filter_(context: Context, value: Any, *args: Any, **options: Any) -> str:
        return write(WRITINGS[context["language"]], value, *args, **options)

    return filter_


def _timed(write: Callable[..., str]) -> Callable[..., Markup]:
    @pass_context
    def filter_(context: Context, ms: int, *args: Any) -> Markup:
        text = write(WRITINGS[context["language"]], ms, *args)
        return Markup('<time datetime="{}">{}</time>').format(format_iso(ms), text)

    return filter_


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "number": _written(Writing.number),
    "scaled": _written(Writing.scaled),
    "money": _written(Writing.money),
    "percent": _written(Writing.percent),
    "day": _written(Writing.day),
    "place": _written(Writing.place),
    "span": _written(Writing.span),
    "all_of": _written(Writing.all_of),
    "date": _timed(Writing.date),
    "time": _timed(Writing.time),
    "when": _timed(Writing.when),
    "short": show_short,
}

__all__ = ["FILTERS", "WRITINGS", "build_environment", "escape", "shorten", "show_short"]
