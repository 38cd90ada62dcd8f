"""ASGI 3.0 as plain as the specification has it, for the console's own few needs."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


def read_header(scope: Scope, name: str) -> str:
    """A request's header, "" when it has none; several are joined as RFC 9110 5.3 says."""
    wanted = name.encode("ascii")
    joined = b", ".join(value for key, value in scope["headers"] if key == wanted)
    return joined.decode("latin-1")
