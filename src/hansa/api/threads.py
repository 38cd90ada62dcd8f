"""Handlers that block run in a thread: the event loop only passes on."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

import anyio.to_thread

P = ParamSpec("P")
T = TypeVar("T")


def threaded(work: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """The same function as a coroutine; its signature still describes the route.

    Litestar's own `sync_to_thread` wraps a handler twice when its path has two methods.
    """

    @wraps(work)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await anyio.to_thread.run_sync(partial(work, *args, **kwargs))

    return run
