"""What a checker is: it sees each moment of a simulated run and raises `Found` when a rule broke.

Moments are facts that the network tells of itself; `World` is what a checker may look at. Reads
only, pure otherwise.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, Protocol

import msgspec

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.validators import ValidatorSet
from hansa.crypto.hashing import sha256
from hansa.index.store import Index
from hansa.ledger.blocks import Block
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import Genesis
from hansa.node.home import Home
from hansa.node.ledger_node import LedgerNode
from hansa.node.storage import Storage
from hansa.testing.simulation.plan import Plan

# Checks that look at everything are drawn for one height in so many; the end checks all.
SELDOM = 10


class Found(Exception):
    """A rule that did not hold: which checker says so, and what it saw."""

    def __init__(self, checker: str, text: str) -> None:
        super().__init__(f"{checker}: {text}")
        self.checker, self.text = checker, text


class Moment(msgspec.Struct, frozen=True):
    """Something that has just happened."""


class Decided(Moment, frozen=True):
    """The consensus decided a block; `world.decided(height)` has it from now on."""

    height: int


class Judged(Moment, frozen=True):
    """An answer of ProcessProposal. `honest`: an honest node prepared just these transactions."""

    node: str
    height: int
    proposer: str
    round: int
    accepted: bool
    honest: bool


class Executed(Moment, frozen=True):
    """An answer of FinalizeBlock, also of a replay; `results`: bytes of each ExecTxResult."""

    node: str
    height: int
    app_hash: bytes
    results: tuple[bytes, ...]
    updates: tuple[tuple[bytes, int], ...]


class Committed(Moment, frozen=True):
    """An answer of Commit: the block is durable on this node. Also of a replay."""

    node: str
    height: int


class Visible(Moment, frozen=True):
    """Between the write and its durability: readers must still see the state before."""

    node: str


class Started(Moment, frozen=True):
    """A node was opened and answered Info with `height` and `root`; replays come after this."""

    node: str
    height: int
    root: bytes


class Stopped(Moment, frozen=True):
    """A node ended by itself. `allowed`: the fault of the plan that allows it, "" for none."""

    node: str
    failure: BaseException | None
    allowed: str = ""


class Crashed(Moment, frozen=True):
    """The plan ended a node without a word; what was not durable is lost."""

    node: str


class Answered(Moment, frozen=True):
    """A node's door answered an act of the workload: "" it waits, else the refusal's code.

    `id`: of the transaction, hex; "" when it was refused.
    """

    node: str
    act: int
    data: bytes
    code: str
    id: str = ""


class Offered(Moment, frozen=True):
    """A snapshot was offered to a node that joins. `result`: name of the answer."""

    node: str
    honest: bool
    result: str


class Chunk(Moment, frozen=True):
    """A chunk was given to a node that joins. `honest`: its bytes are those of the snapshot."""

    node: str
    sender: str
    index: int
    honest: bool
    result: str
    refused_senders: tuple[str, ...] = ()


class Followed(Moment, frozen=True):
    """A node's read model took over what it could. `fault`: code of the IndexFault that it met."""

    node: str
    fault: str = ""


class Calm(Moment, frozen=True):
    """The storm is over: nothing fails from now on."""


class End(Moment, frozen=True):
    """Nothing happens any more; all is looked at."""


class DecidedBlock(Protocol):
    """A block as the consensus keeps it: from its own books, never from a node's answers."""

    @property
    def block(self) -> Block: ...
    @property
    def header(self) -> Header: ...
    @property
    def commit(self) -> Commit:
        """The final commit: the one that the next header names."""
        ...

    @property
    def validators(self) -> ValidatorSet:
        """Who could vote on it."""
        ...


class NodeView(Protocol):
    """One node, whether it runs or not."""

    @property
    def name(self) -> str: ...
    @property
    def home(self) -> Home: ...
    @property
    def ledger(self) -> LedgerNode | None:
        """The open node; None while it is down."""
        ...

    @property
    def index(self) -> Index | None:
        """Its read model, while it is open."""
        ...

    @property
    def engine(self) -> Any:
        """What plays its engine, while the node is open: `_mempool`, `parts` (CometParts)."""
        ...

    @property
    def is_honest(self) -> bool:
        """Whether neither the plan nor its disk has it say what is not so."""
        ...

    @property
    def committed(self) -> int:
        """The last height whose Commit it answered, on the folder that it has now."""
        ...

    @property
    def may_run(self) -> bool:
        """Whether nothing in the plan keeps it down for good."""
        ...


class World(Protocol):
    """What checkers may look at."""

    @property
    def seed(self) -> int: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def genesis(self) -> Genesis: ...
    @property
    def registry(self) -> Registry:
        """The contracts of the newest release in the run."""
        ...

    @property
    def height(self) -> int:
        """The last decided height."""
        ...

    @property
    def time_ms(self) -> int:
        """Steady simulated time."""
        ...

    @property
    def nodes(self) -> Sequence[NodeView]: ...
    def decided(self, height: int) -> DecidedBlock: ...


class Checker:
    """One rule. Kept for a whole run: it remembers what it needs."""

    name: ClassVar[str] = ""

    def see(self, world: World, moment: Moment) -> None:
        """Look at what has just happened. Raises Found."""
        raise NotImplementedError

    def fail(self, text: str) -> NoReturn:
        """The rule does not hold. Raises Found."""
        raise Found(self.name, text)

    def need(self, holds: bool, text: str) -> None:
        """Raises Found unless `holds`."""
        if not holds:
            self.fail(text)


def draw(world: World, what: str, height: int, below: int) -> int:
    """A number below `below` that belongs to the seed, to what it is for and to a height."""
    digest = sha256(f"{world.seed}/{what}/{height}".encode())
    return int.from_bytes(digest[:8], "big") % below


def is_drawn(world: World, what: str, height: int, one_in: int = SELDOM) -> bool:
    """Whether a dear check is due at this height."""
    return draw(world, what, height, one_in) == 0


def find_node(world: World, name: str) -> NodeView:
    """The node of that name."""
    return next(each for each in world.nodes if each.name == name)


def list_running(world: World) -> list[tuple[NodeView, LedgerNode]]:
    """The honest nodes that are open."""
    return [
        (each, each.ledger) for each in world.nodes if each.is_honest and each.ledger is not None
    ]


def get_storage(ledger: LedgerNode) -> Storage:
    """What is on a node's disk: checkers look beneath the doors."""
    return ledger.application.storage


def describe(value: Any) -> str:
    """A short text for what was found."""
    return value.hex()[:16] if isinstance(value, bytes) else str(value)
