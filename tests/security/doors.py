"""Every door of a gateway, named as the table of docs/security.md names it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansa.console.pages import PAGES
from hansa.index.shape import RecordKind, Shape
from hansa.index.sight import STRANGER, Viewer

METHODS: Final = ("get", "post", "put", "patch", "delete", "options")
MEMBER: Final = Viewer("did:hansa:a", ("did:hansa:a",), True, frozenset())
# Addresses that the description has for each kind of records and each table of each application.
_DERIVED: Final = re.compile(r"GET /v1/(apps|history|proofs)/(\w+)/(\w+)(/\{.*)?")
_MESSAGE: Final = re.compile(r"POST /v1/apps/\w+/messages/\w+")
_TABLE: Final = re.compile(r"GET /v1/apps/\w+/tables/\w+(/totals)?")


@dataclass(frozen=True, slots=True)
class Door:
    """`name`: as the table has it; `media`: of the body that it takes, or ""."""

    name: str
    method: str
    template: str
    media: str = ""


def list_operations(document: Mapping[str, Any], shape: Shape) -> Iterator[Door]:
    """The operations of an OpenAPI document."""
    for template, path in document["paths"].items():
        for method in METHODS:
            if method in path:
                content = path[method].get("requestBody", {}).get("content", {})
                name = _name(f"{method.upper()} {template}", shape)
                yield Door(name, method.upper(), template, next(iter(content), ""))


def list_pages() -> Iterator[Door]:
    """The pages of the console."""
    for page in PAGES:
        media = "application/x-www-form-urlencoded" if page.method == "POST" else ""
        yield Door(f"page {page.method} {page.pattern}", page.method, page.pattern, media)


def list_sockets(shape: Shape) -> Iterator[Door]:
    """The websockets of applications' addresses."""
    for app in shape.applications:
        for route in app.doors.routes:
            if route.feed is not None:
                template = f"/{app.cli_name}{route.path}"
                yield Door(f"websocket {template}", "GET", template)


def _name(operation: str, shape: Shape) -> str:
    """Kinds of records are one door each for the public ones and for those of parties."""
    if _MESSAGE.fullmatch(operation):
        return "POST /v1/apps/:message"
    if found := _TABLE.fullmatch(operation):
        return f"GET /v1/apps/:table{found[1] or ''}"
    found = _DERIVED.fullmatch(operation)
    kind = shape.records.get((found[2], found[3])) if found else None
    if found is None or kind is None:
        return operation
    return f"GET /v1/{found[1]}/{find_readers(kind)}{'/:key' if found[4] else ''}"


def find_readers(kind: RecordKind) -> str:
    """Who may read records of a kind whatever they say."""
    if kind.sight(STRANGER).is_whole:
        return ":public"
    return ":members" if kind.sight(MEMBER).is_whole else ":parties"
