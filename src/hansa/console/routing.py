"""Pages and their addresses: what `@page` notes, and which page an address is. Pure."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hansa.console.answers import Answer

if TYPE_CHECKING:
    from hansa.console.visit import Visit

Method = Literal["GET", "POST"]
Access = Literal["anyone", "signed_in"]
Handler = Callable[["Visit"], Awaitable[Answer]]
_PLACE: Final = re.compile(r"\\\{(\w+)(\\\.\\\.\\\.)?\\\}")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the console. `pattern`: `/apps/{app}`; `{key...}` takes the rest, with `/`."""

    method: Method
    pattern: str
    access: Access
    show: Handler

    def match(self, path: str) -> dict[str, str] | None:
        """The parts of an address of this page (decoded), None when it is not one."""
        found = _compile(self.pattern).fullmatch(path)
        return None if found is None else found.groupdict()


def page(method: Method, pattern: str, *, access: Access = "anyone") -> Callable[[Handler], Page]:
    """Make a page of a handler; `hansa.console.pages.PAGES` lists it."""

    def note(handler: Handler) -> Page:
        return Page(method, pattern, access, handler)

    return note


class Router:
    """The pages of a console; the first that fits an address is it."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self.pages = tuple(pages)
        self._compiled = [(_compile(each.pattern), each) for each in self.pages]

    def find(self, method: str, path: str) -> tuple[Page, dict[str, str]] | frozenset[str]:
        """The page and the parts of its address; else the methods that the address takes."""
        allowed = set()
        for pattern, each in self._compiled:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if each.method == method:
                return each, found.groupdict()
            allowed.add(each.method)
        return frozenset(allowed)

    def has(self, path: str) -> bool:
        """Whether there is a page to read at that address."""
        return isinstance(self.find("GET", path), tuple)


_patterns: dict[str, re.Pattern[str]] = {}


def _compile(pattern: str) -> re.Pattern[str]:
    found = _patterns.get(pattern)
    if found is None:
        text = _PLACE.sub(
            lambda place: f"(?P<{place[1]}>{'.+' if place[2] else '[^/]+'})", re.escape(pattern)
        )
        found = _patterns[pattern] = re.compile(text)
    return found
