"""Unusual commands of an application, and the door through which they reach a league. Pure
descriptions.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from hansa.ledger.model import Message, Record


class Option(msgspec.Struct, frozen=True):
    """One option or argument of a command. `many` takes several values; `flag` takes none."""

    name: str
    help: str
    is_argument: bool = False
    many: bool = False
    flag: bool = False
    required: bool = False
    default: str | None = None


class Command(msgspec.Struct, frozen=True):
    """A command beyond the derived ones. `run(door, **options)` returns the exit code 0, 1 or 2.

    `needs_league` is False for commands that work without any node (`check`); `needs_key` is False
    for those that only read: without a key they ask as a stranger.
    """

    name: str
    help: str
    run: Callable[..., int]
    options: tuple[Option, ...] = ()
    needs_league: bool = True
    needs_key: bool = True


class Outcome(msgspec.Struct, frozen=True):
    """What became of one message: `ok`, or the rejection's code with its words."""

    transaction: str
    index: int
    height: int
    code: str
    text: str = ""
    rule: str = ""
    remedy: str = ""
    params: dict[str, str | int] = {}


class Output(Protocol):
    """Where a command speaks: one JSON document for machines, or lines and tables for people."""

    as_json: bool

    def line(self, text: str) -> None:
        """A line for people (nothing under --json)."""
        ...

    def hint(self, text: str) -> None:
        """A hint, to standard error."""
        ...

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table for people (nothing under --json)."""
        ...

    def document(self, value: object) -> None:
        """The one JSON document (nothing without --json)."""
        ...

    def progress(self, done: int, total: int, what: str) -> None:
        """Progress of long work, to standard error."""
        ...


class VaultDoor(Protocol):
    """The member's own vault."""

    def put(self, content: bytes) -> tuple[str, str]:
        """Store content; returns its (entry id, commitment as base64url)."""
        ...

    def get(self, entry: str) -> bytes | None:
        """The content of an entry; None when it was erased or never there."""
        ...


class Door(Protocol):
    """A league as a command sees it, with the account that signs."""

    @property
    def output(self) -> Output: ...

    @property
    def chain(self) -> str:
        """Id of the league's chain."""
        ...

    @property
    def account(self) -> str:
        """DID of the signing account."""
        ...

    @property
    def member(self) -> str:
        """DID of the signing account's member."""
        ...

    @property
    def vault(self) -> VaultDoor: ...

    def did(self, name: str) -> str:
        """A DID as given, or that of a name known where the command runs."""
        ...

    def journal(self, name: str) -> Any:
        """A small durable dictionary of this league and account, to make long work resumable."""
        ...

    def prepare(self, messages: Sequence[Message], mode: str = "independent") -> tuple[str, bytes]:
        """Sign: (transaction id, bytes to send). The same bytes may be sent any number of times."""
        ...

    def send(self, data: bytes) -> str:
        """Submit signed bytes; returns the transaction id. Safe to repeat."""
        ...

    def wait(self, transaction: str) -> list[Outcome]:
        """Wait until committed and provable; one outcome per message."""
        ...

    def record(self, application: str, kind: type[Record], *key: str) -> Record | None:
        """A record that the account may read."""
        ...

    def ask(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON answer of an address of the application's own ("/trace/…", already quoted)."""
        ...
