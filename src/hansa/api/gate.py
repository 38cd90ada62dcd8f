"""`Gate`: what every route stands on: ledger, read model, types, sessions, words, and the pulse."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import anyio.to_thread
from litestar.di import NamedDependency

from hansa.api.did_reader import DidReader
from hansa.api.door import Ledger
from hansa.api.headers import HeaderPaths
from hansa.api.limits import (
    STREAMS_MAX,
    STREAMS_OF_STRANGERS_MAX,
    STREAMS_PER_ACCOUNT_MAX,
    WAITERS_MAX,
)
from hansa.api.meters import Meters
from hansa.api.notebook import FILE as NOTEBOOK
from hansa.api.notebook import Notebooks
from hansa.api.openid.parts import OpenIdParts
from hansa.api.outbound import Outbound
from hansa.api.problems import Words, refuse_busy, refuse_stranger, refuse_unseen
from hansa.api.service_keys import ServiceKeys
from hansa.api.sessions import Sessions, read_clock_ms
from hansa.api.status_lists import StatusLists
from hansa.appkit.application import Application, collect_rejections
from hansa.client.service import ServiceFolder
from hansa.index.follower import Follower
from hansa.index.shape import RecordKind
from hansa.index.sight import Sight, Viewer
from hansa.index.store import Index
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Message
from hansa.ledger.rejections import Rejection
from hansa.node.ledger_node import TransactionStatus
from hansa.node.neighbours import AddressBook
from hansa.vault.exchange import Shelves

_FINAL = ("committed", "invalid")
P = ParamSpec("P")
T = TypeVar("T")


class Gate:
    """One gateway's parts. Built once; the routes only read it."""

    def __init__(
        self,
        ledger: Ledger,
        index: Index,
        *,
        genesis_digest: str = "",
        follower: Follower | None = None,
        book: AddressBook | None = None,
        clock: Callable[[], int] = read_clock_ms,
        home: Path | None = None,
        deliver_to: Iterable[str] = (),
        fetch_from: Iterable[str] = (),
        vaults: Path | None = None,
        public: str = "",
    ) -> None:
        """`home`: the node's folder, with its service keys and notebook; None: it has neither.
        `vaults`: folder of the members' vaults from which this gateway hands out; None: from none.
        `public`: the address by which the world knows it; "": the one that is asked.
        """
        self.ledger = ledger
        self.clock = clock
        self.book = book
        self.paths = HeaderPaths(ledger, self.find_keepers)
        self.index = index
        self.shape = index.shape
        self.follower = follower
        self.genesis_digest = genesis_digest
        self.applications = {app.name: app for app in index.shape.applications}
        roles = {role for readers in index.shape.readers.values() for role in readers}
        self.sessions = Sessions(ledger, roles, clock)
        self.words = Words(_collect_words(self.applications.values()))
        self.pulse = Pulse(ledger, index)
        self.streams = StreamCounts()
        self.meters = Meters()
        self.service = ServiceKeys(None if home is None else ServiceFolder(home), ledger)
        has_doors = any(app.doors.routes for app in self.applications.values())
        self.status_lists = StatusLists(ledger, self.service, clock)
        self.notebooks = Notebooks(home / NOTEBOOK if home is not None and has_doors else None)
        self.openid = OpenIdParts(self.notebooks, clock, public)
        self.outbound = Outbound(deliver_to)
        self.dids = DidReader(ledger, self.paths, Outbound(fetch_from), clock)
        self.shelves = None if vaults is None else Shelves(vaults)
        self.wake_duties: Callable[[str], None] = lambda _app: None
        self.is_ending = False
        self.description = b"{}"
        self._watch()

    def _watch(self) -> None:
        watch = self.meters.watch
        watch("hansa_height", "Last committed height.", lambda: self.ledger.height)
        watch("hansa_index_height", "Height of the read model.", lambda: self.index.height)
        watch("hansa_sessions", "Open sessions.", lambda: len(self.sessions))
        watch("hansa_streams", "Open event streams.", lambda: self.streams.total)

    def find_keepers(self, height: int) -> tuple[str, ...]:
        """Gateways of the league that keep the block at `height`."""
        return self.book.find_keepers(height) if self.book is not None else ()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work in a thread."""
        return await anyio.to_thread.run_sync(partial(work, *args, **kwargs))

    def application(self, name: str) -> Application:
        """The application of that name. Raises Refusal."""
        found = self.applications.get(name.replace("-", "_"))
        if found is None:
            raise refuse_unseen()
        return found

    def message(self, app: str, name: str) -> type[Message]:
        """The newest version of a message type. Raises Refusal."""
        found = [each for each in self.application(app).messages if each.__name__ == name]
        if not found:
            raise refuse_unseen()
        return max(found, key=get_version)

    def kind(self, app: str, kind: str) -> RecordKind:
        """A kind of records. Raises Refusal."""
        found = self.shape.records.get((app.replace("-", "_"), kind))
        if found is None:
            raise refuse_unseen()
        return found


def check_not_stranger(viewer: Viewer, sight: Sight) -> None:
    """Strangers are asked to sign in for all that is not public, whether it is there or not."""
    if viewer.is_stranger and not sight.is_whole:
        raise refuse_stranger()


def _collect_words(applications: Iterable[Application]) -> tuple[type[Rejection], ...]:
    words = {(kind.CODESPACE, kind.CODE): kind for kind in collect_rejections(Rejection)}
    for app in applications:
        words.update({(kind.CODESPACE, kind.CODE): kind for kind in app.rejections})
    return tuple(words.values())


class StreamCounts:
    """How many streams run, in all and for each account ("" for strangers)."""

    def __init__(self) -> None:
        self.by_account: dict[str, int] = {}

    @property
    def total(self) -> int:
        """All streams."""
        return sum(self.by_account.values())

    def take(self, account: str) -> Callable[[], None]:
        """Take a place; returns what gives it back. Raises Refusal when there is none."""
        own = self.by_account.get(account, 0)
        if own >= (STREAMS_PER_ACCOUNT_MAX if account else STREAMS_OF_STRANGERS_MAX):
            raise refuse_busy("Too many streams of this asker are open.", 5)
        if self.total >= STREAMS_MAX:
            raise refuse_busy("Too many streams are open.", 5)
        self.by_account[account] = own + 1

        def give_back() -> None:
            self.by_account[account] -= 1
            if not self.by_account[account]:
                del self.by_account[account]

        return give_back


class Pulse:
    """Wakes coroutines when ledger or read model have grown; silent when nobody waits."""

    def __init__(self, ledger: Ledger, index: Index) -> None:
        self._ledger = ledger
        self._index = index
        self._loop: asyncio.AbstractEventLoop | None = None
        self._grown = asyncio.Event()
        self._waiters = 0
        self._ends: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Begin to listen; in the server's event loop."""
        self._loop = asyncio.get_running_loop()
        self._ends = [self._ledger.subscribe(self._wake), self._index.subscribe(self._wake)]

    async def stop(self) -> None:
        """End it, and let those who wait look for the last time."""
        for end in self._ends:
            end()
        self._loop = None
        self._beat()

    def _wake(self, _height: int) -> None:
        """From any thread."""
        loop = self._loop
        if loop is not None and self._waiters:
            # A loop that closes this very moment has nobody left to wake.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._beat)

    def _beat(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def wait_final(self, transaction: str, wait_s: float) -> TransactionStatus:
        """The status once final and readable, else the present one after `wait_s`."""
        found = await self._look(transaction)
        if wait_s <= 0 or self._waiters >= WAITERS_MAX or found.state == "unknown":
            return found
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        self._waiters += 1
        try:
            while True:
                grown = self._grown
                found = self._ledger.status(transaction)
                left = end - loop.time()
                if left <= 0 or self._is_readable(found):
                    return found
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await grown.wait()
        finally:
            self._waiters -= 1

    async def _look(self, transaction: str) -> TransactionStatus:
        return await anyio.to_thread.run_sync(self._ledger.status, transaction)

    def _is_readable(self, found: TransactionStatus) -> bool:
        return found.state in _FINAL and self._index.height >= (found.height or 0)

    def begin_waiting(self) -> Callable[[], None]:
        """Be woken from now on (streams); returns what ends it."""
        self._waiters += 1

        def end() -> None:
            self._waiters -= 1

        return end

    def next_growth(self) -> asyncio.Event:
        """Set at the first growth after this call: take it before looking, await it after."""
        return self._grown


# How handlers name the two things that they are given.
TheGate = NamedDependency[Gate]
TheViewer = NamedDependency[Viewer]
