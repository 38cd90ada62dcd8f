"""What the gateway answers: plain typed values, from which the OpenAPI description derives too."""

from typing import Any, Literal

import msgspec

from hansa.ledger.rejections import Param

State = Literal["unknown", "pending", "committed", "invalid"]


class Submitted(msgspec.Struct, frozen=True):
    """A transaction was taken. `status` is the address that says what becomes of it."""

    id: str
    state: State
    status: str


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one message: "ok", or a rejection's code. Who does not see it has no more."""

    index: int
    type: str
    code: str
    rule: str = ""
    sender: str = ""
    params: dict[str, Param] = {}
    text: str = ""
    remedy: str = ""
    receipt: str = ""


class TransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a transaction stands; `committed` and `invalid` are final, provable and readable."""

    id: str
    state: State
    height: int = 0
    index: int = 0
    time_ms: int = 0
    cost: int = 0
    messages: list[MessageView] = []


class TransactionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in a list. `code`: 0 all messages ok, 1 none, 2 some, 3 invalid."""

    id: str
    height: int
    index: int
    code: int
    cost: int
    messages: int
    size_bytes: int


class BlockView(msgspec.Struct, frozen=True, kw_only=True):
    """A block: counts are public, what is in it is not."""

    height: int
    time_ms: int
    hash: str
    transactions: int
    messages: int
    deadlines: int


class MessageEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A message's result in a list; `transaction` is `deadline/HEIGHT` when the ledger sent it."""

    height: int
    transaction: str
    index: int
    app: str
    type: str
    sender: str
    digest: str
    code: str
    params: dict[str, Param]
    text: str = ""
    rule: str = ""
    remedy: str = ""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """An event. `id` orders all events and resumes the stream."""

    id: str
    height: int
    transaction: str
    message: int
    app: str
    type: str
    body: dict[str, Any]


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a record; `record` is null where it was deleted.

    `transaction` wrote it; empty when several of the block could have, `deadline` for a deadline.
    """

    height: int
    record: dict[str, Any] | None
    transaction: str


class BlockPage(msgspec.Struct, frozen=True):
    """A page of blocks."""

    items: list[BlockView]
    next: str | None


class TransactionPage(msgspec.Struct, frozen=True):
    """A page of transactions that the asker may see."""

    items: list[TransactionEntry]
    next: str | None


class MessagePage(msgspec.Struct, frozen=True):
    """A page of message results that the asker may see."""

    items: list[MessageEntry]
    next: str | None


class EventPage(msgspec.Struct, frozen=True):
    """A page of events that the asker may see."""

    items: list[EventView]
    next: str | None


class RecordPage(msgspec.Struct, frozen=True):
    """A page of records that the asker may read; `keys` are their identifiers in the same order."""

    items: list[dict[str, Any]]
    keys: list[str]
    next: str | None


class HistoryPage(msgspec.Struct, frozen=True):
    """A page of a record's versions, oldest first."""

    items: list[VersionView]
    next: str | None


class RowPage(msgspec.Struct, frozen=True):
    """A page of rows of an application's table; `key` is the identifier of each row's record."""

    items: list[dict[str, Any]]
    next: str | None


class TotalView(msgspec.Struct, frozen=True):
    """One group: how many rows, and exact sums as decimal text."""

    group: dict[str, str | int | None]
    count: int
    sums: dict[str, str]


class Totals(msgspec.Struct, frozen=True):
    """All groups, in order."""

    items: list[TotalView]


class ApplicationEntry(msgspec.Struct, frozen=True):
    """An application in the list."""

    name: str
    title: str
    version: int
    messages: list[str]
    records: list[str]
    events: list[str]
    tables: list[str]


class ApplicationList(msgspec.Struct, frozen=True):
    """The applications of this release."""

    items: list[ApplicationEntry]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a message would result in now: "ok", or the refusal's code with its words.

    `events`: types of the events that it would bring, `app.Type`.
    """

    code: str
    params: dict[str, Param] = {}
    text: str = ""
    rule: str = ""
    remedy: str = ""
    events: list[str] = []


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A message in its canonical form, and what to sign. Nothing of it is stored.

    With `signer`: `payload` is the canonical payload and `signing_input` what the key signs; the
    transaction to submit is `signing_input.SIGNATURE` in base64url, its id is `id`. `verdict`: what
    it would result in, where that was asked.
    """

    message: dict[str, Any]
    canonical: str
    digest: str
    chain: str
    height: int
    expiry: int
    role: str
    payload: str = ""
    signing_input: str = ""
    id: str = ""
    verdict: Verdict | None = None


class ChallengeQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to sign in."""

    account: str


class Challenge(msgspec.Struct, frozen=True):
    """What to sign (hansa.client.sessions), until when."""

    challenge: str
    chain: str
    expires_ms: int


class Opened(msgspec.Struct, frozen=True):
    """A session: send `Authorization: Bearer TOKEN` until it ends."""

    token: str
    account: str
    member: str
    expires_ms: int


class Held(msgspec.Struct, frozen=True):
    """A role held now; scope "-" is every scope."""

    role: str
    scope: str


class CurrentSession(msgspec.Struct, frozen=True):
    """Who is signed in, as what."""

    account: str
    member: str
    key: str
    dids: list[str]
    roles: list[Held]
    expires_ms: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where the ledger stands. `genesis`: SHA-256 of the genesis document, hex.

    `snapshot`: height of the newest one that a joining node can begin from, 0 without any.
    """

    chain: str
    height: int
    base: int
    time_ms: int
    genesis: str
    release: str
    index_height: int
    applications: list[str]
    snapshot: int = 0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`, or what is wrong; the ledger goes on while the read model is behind."""

    status: Literal["ok", "degraded", "failing"]
    ledger: str
    index: str
    index_behind: int


class EngineView(msgspec.Struct, frozen=True, kw_only=True):
    """The consensus engine beside the node. `node`: its p2p id; `last_exit`: why it last ended."""

    version: str
    node: str
    is_running: bool
    is_reachable: bool
    catching_up: bool
    height: int
    restarts: int
    last_exit: str
    outstanding: int


class PeerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A node that is connected. `member` and `kind` are empty when the ledger does not know it."""

    node: str
    member: str
    kind: str
    direction: Literal["inbound", "outbound"]


class ValidatorEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A validator. `signed` of the last `window` blocks it decided; `last_height` as recorded.

    `connected`: a node of its member is this node or its peer. `power` counts while it is active.
    """

    address: str
    member: str
    power: int
    state: str
    since: int
    signed: int
    last_height: int
    last_time_ms: int
    connected: bool


class NodeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A node that may connect, and whose it is."""

    node: str
    member: str
    kind: str


class EvidenceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Misbehaviour that was proved at `height`, and what followed."""

    address: str
    member: str
    kind: str
    height: int
    time_ms: int
    outcome: str


class Quorum(msgspec.Struct, frozen=True, kw_only=True):
    """Power that blocks need, and that of the validators this node is connected to or is.

    `missing`: members of the other active validators.
    """

    total: int
    needed: int
    connected: int
    missing: list[str]


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The league's nodes as this one sees them. `engine` is null where there is no network.

    Blocks up to `sealed_height` have their headers here; `window`: how many of the last of them
    the counts of signatures are over.
    """

    chain: str
    height: int
    sealed_height: int
    time_ms: int
    window: int
    engine: EngineView | None
    peers: list[PeerEntry]
    validators: list[ValidatorEntry]
    nodes: list[NodeEntry]
    quorum: Quorum
    evidence: list[EvidenceEntry]
