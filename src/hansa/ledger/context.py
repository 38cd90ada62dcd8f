"""Context: the only capability a contract ever holds. No clock, no other contract's records.
Pure.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from hansa.encoding.canonical import CanonicalError, check_integers, encode_canonical
from hansa.ledger.contracts import Contract, Registry, Role, Setting, decode_body
from hansa.ledger.model import Event, Message, Record, compute_state_key
from hansa.ledger.receipts import EventOut
from hansa.ledger.rejections import Rejection
from hansa.ledger.state import Overlay, Reader, get_record, get_system, scan_records
from hansa.ledger.system import Deadline, Grant, Hold, Parameter
from hansa.primitives.limits import EVENTS_MAX, RECORD_BYTES_MAX, SCAN_MAX

R = TypeVar("R", bound=Record)

GOVERNANCE = "governance"
DEADLINE = "deadline"
# The key of a deadline has 15 digits: text order is time order until the year 33658.
DEADLINE_MS_MAX = 10**15 - 1
GENESIS = "genesis"


class NoSuchRecord(Rejection):
    """A record that the message needs is not there."""

    CODE = "no_such_record"
    RULE = "D16"
    TEXT = "There is no {kind} {key}."
    REMEDY = "Check the identifier, or create the record first."


class MissingRole(Rejection):
    """The sender lacks a role."""

    CODE = "missing_role"
    RULE = "D19"
    TEXT = "The sender does not hold the role {role} (scope {scope})."
    REMEDY = "Ask for a grant of {role} from: {grantors}."


class Held(Rejection):
    """A live hold stands on the record (D16)."""

    CODE = "held"
    RULE = "D16"
    TEXT = "The {kind} {key} is under a {hold} placed by {placed_by}."
    REMEDY = "Ask {placed_by} to release the hold first."


class TooLarge(Rejection):
    """A record, an event or their number exceeds a limit."""

    CODE = "too_large"
    RULE = "D6"
    TEXT = "The {what} would exceed the limit of {limit}."
    REMEDY = "Send less in one message; files belong to the vault."


class NotAnInteger(Rejection):
    """A value beyond 2**53 - 1 would enter state (D21: overflow rejects)."""

    CODE = "overflow"
    RULE = "D21"
    TEXT = "A number of {kind} is beyond what a ledger integer holds."
    REMEDY = "Split the amount."


class Caller(msgspec.Struct, frozen=True):
    """Who sent a message. Internal callers (governance, deadline, genesis) have no key or member.

    `signer_members` holds "" for a citizen: a citizen's sponsor does not speak through it.
    """

    account: str
    key: str = ""
    member: str = ""
    is_citizen: bool = False
    signers: tuple[str, ...] = ()
    signer_members: tuple[str, ...] = ()
    internal: bool = False


class Scope(msgspec.Struct, frozen=True):
    """Where and when a message is executed. `followers`: messages after it that stand or fall with
    it.
    """

    chain: str
    height: int
    time_ms: int
    transaction: str
    message_index: int
    followers: int = 0


class ReadContext:
    """Read-only sight of one contract's records, as published views have it."""

    def __init__(self, reader: Reader, application: str, scope: Scope) -> None:
        self._reader = reader
        self.application = application
        self.chain = scope.chain
        self.height = scope.height
        self.time_ms = scope.time_ms

    def get(self, kind: type[R], *parts: str) -> R | None:
        """One of this contract's records, or None."""
        return get_record(self._reader, kind.OWNER or self.application, kind, *parts)

    def scan(
        self,
        kind: type[R],
        *prefix: str,
        limit: int = SCAN_MAX,
        after: tuple[str, ...] = (),
    ) -> list[R]:
        """This contract's records under a prefix, in key order; at most SCAN_MAX (D20)."""
        return scan_records(
            self._reader,
            kind.OWNER or self.application,
            kind,
            prefix,
            limit=min(limit, SCAN_MAX),
            after=after,
        )

    def need(self, kind: type[R], *parts: str) -> R:
        """As `get`, but raises NoSuchRecord."""
        record = self.get(kind, *parts)
        if record is None:
            raise NoSuchRecord(kind=kind.KIND, key="/".join(parts))
        return record


class Context(ReadContext):
    """What a handler is given: sender, block time, its own records, granted views, `emit`."""

    def __init__(
        self,
        overlay: Overlay,
        contract: Contract,
        registry: Registry,
        scope: Scope,
        caller: Caller,
        dispatch: Callable[["Context", str, Message], None] | None = None,
    ) -> None:
        super().__init__(overlay, contract.name, scope)
        self._overlay = overlay
        self._contract = contract
        self._registry = registry
        self._scope = scope
        self._caller = caller
        self._dispatch = dispatch
        self.transaction = scope.transaction
        self.message_index = scope.message_index
        self.followers = scope.followers
        self.sender = caller.account
        self.key = caller.key
        self.member = caller.member
        self.signers = caller.signers
        self.signer_members = caller.signer_members
        self.is_internal = caller.internal
        self.events: list[EventOut] = []

    def put(self, record: Record) -> None:
        """Write one of this contract's records. Raises TooLarge, NotAnInteger."""
        owner = record.OWNER or self.application
        if owner != self.application:
            raise TypeError(f"{self.application} may not write {record.KIND} of {owner}")
        data = encode_canonical(record)
        if len(data) > RECORD_BYTES_MAX:
            raise TooLarge(what=record.KIND, limit=RECORD_BYTES_MAX)
        self._check_integers(data, record.KIND)
        self._overlay.put(compute_state_key(owner, record.KIND, record.key()), data)

    def delete(self, kind: type[Record], *parts: str) -> None:
        """Delete one of this contract's records."""
        owner = kind.OWNER or self.application
        if owner != self.application:
            raise TypeError(f"{self.application} may not delete {kind.KIND} of {owner}")
        self._overlay.put(compute_state_key(owner, kind.KIND, parts), None)

    def emit(self, event: Event) -> None:
        """Announce an event; it is proved with the receipt."""
        if len(self.events) >= EVENTS_MAX:
            raise TooLarge(what="number of events", limit=EVENTS_MAX)
        body = encode_canonical(event)
        if len(body) > RECORD_BYTES_MAX:
            raise TooLarge(what=type(event).__name__, limit=RECORD_BYTES_MAX)
        self._check_integers(body, type(event).__name__)
        self.events.append(
            EventOut(app=self.application, type=type(event).__name__, body=msgspec.Raw(body))
        )

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Keep the body's changes and events together, or drop them when a Rejection leaves it."""
        outer, events = self._overlay, len(self.events)
        self._overlay = self._reader = inner = Overlay(outer)
        try:
            yield
            inner.fold(outer)
        except Rejection:
            del self.events[events:]
            raise
        finally:
            self._overlay = self._reader = outer

    @property
    def holders(self) -> tuple[str, ...]:
        """Whose roles the sender may use: its own and its member's (a citizen: only its own)."""
        if self._caller.is_citizen or self.sender == self.member:
            return (self.sender,)
        return (self.sender, self.member)

    def has_role(self, role: str, scope: str = "", holder: str = "") -> bool:
        """Whether the sender (or `holder`) holds a role of this application, now, for `scope`."""
        holders = (holder,) if holder else self.holders
        return has_grant(self._overlay, self.application, role, holders, scope, self.time_ms)

    def require_role(self, role: str, scope: str = "") -> None:
        """Raise MissingRole, which says who could grant it, unless the sender holds the role."""
        if not self.has_role(role, scope):
            raise build_missing_role(self._contract, role, scope)

    def view(self, application: str, name: str, *args: Any) -> Any:
        """Call a published read view of another contract that the manifest names (D16)."""
        if "*" not in self._contract.reads and application not in self._contract.reads:
            raise TypeError(f"{self.application} was not granted the views of {application}")
        contract = self._registry.active(self._overlay, application, self.height)
        return contract.views[name](ReadContext(self._overlay, application, self._scope), *args)

    def has_view(self, application: str, name: str) -> bool:
        """Whether the active version of a contract publishes the view. Raises ContractNotActive."""
        return name in self._registry.active(self._overlay, application, self.height).views

    def holds(self, kind: type[Record], *parts: str, application: str = "") -> list[Hold]:
        """Live holds on a record of this (or a named) application."""
        prefix = (application or self.application, kind.KIND, *parts, "~")
        found = scan_records(self._overlay, Hold.OWNER, Hold, prefix, limit=SCAN_MAX)
        return [hold for hold in found if hold.until_ms is None or self.time_ms < hold.until_ms]

    def require_free(self, kind: type[Record], *parts: str) -> None:
        """Raise Held when a live hold stands on the record and its placer does not co-sign."""
        for hold in self.holds(kind, *parts):
            if not self.is_cosigned(hold):
                raise Held(
                    kind=kind.KIND,
                    key="/".join(parts),
                    hold=hold.kind,
                    placed_by=hold.placed_by,
                )

    def is_cosigned(self, hold: Hold) -> bool:
        """Whether a signer acts for the hold's placer, in the role that placed it."""
        return any(
            member == hold.placed_by
            and has_grant(
                self._overlay,
                Hold.OWNER,
                hold.role,
                (account, member),
                hold.application,
                self.time_ms,
            )
            for account, member in zip(self.signers, self.signer_members, strict=True)
        )

    def schedule(self, at_ms: int, message: Message, deadline_id: str) -> None:
        """Fire `message` of this contract at the first block whose time is >= at_ms (D17)."""
        if not 0 <= at_ms <= DEADLINE_MS_MAX:
            raise NotAnInteger(kind="deadline")
        deadline = Deadline(
            at_ms=at_ms,
            id=deadline_id,
            application=self.application,
            type=type(message).__name__,
            body=encode_canonical(message).decode(),
        )
        key = compute_state_key(Deadline.OWNER, Deadline.KIND, deadline.key())
        self._overlay.put(key, encode_canonical(deadline))

    def cancel(self, at_ms: int, deadline_id: str) -> None:
        """Take a scheduled message back; nothing happens when it has fired."""
        key = compute_state_key(
            Deadline.OWNER, Deadline.KIND, (f"{at_ms:015d}", self.application, deadline_id)
        )
        if self._overlay.get(key) is not None:
            self._overlay.put(key, None)

    def parameter(self, name: str, default: int) -> int:
        """A governed parameter of this application."""
        found = get_system(self._overlay, Parameter, self.application, name)
        return default if found is None else found.value

    def role(self, application: str, name: str) -> Role | None:
        """The role that a contract's active version declares. Raises ContractNotActive."""
        return self._registry.active(self._overlay, application, self.height).role(name)

    def knows_message(self, application: str, name: str) -> bool:
        """Whether a contract's active version has this message. Raises ContractNotActive."""
        contract = self._registry.active(self._overlay, application, self.height)
        return any(name == known for known, _version in contract.handlers)

    def setting(self, application: str, name: str) -> Setting | None:
        """The parameter `name` that the active version of a contract declares."""
        contract = self._registry.active(self._overlay, application, self.height)
        return next((each for each in contract.settings if each.name == name), None)

    def dispatch(self, application: str, message: Message) -> None:
        """Execute an approved action as governance; only the governance contract is given this."""
        if self._dispatch is None:
            raise TypeError(f"{self.application} may not dispatch messages")
        self._dispatch(self, application, message)

    def dispatch_encoded(self, application: str, name: str, body: bytes) -> None:
        """As `dispatch`, for a message given as canonical JSON. Raises UnknownMessage,
        Malformed.
        """
        self.dispatch(application, self.decode_message(application, name, body))

    def decode_message(self, application: str, name: str, body: bytes) -> Message:
        """Decode a message of any contract of this release. Raises UnknownMessage, Malformed."""
        contract = self._registry.active(self._overlay, application, self.height)
        return decode_body(contract, name, msgspec.Raw(body))

    def _check_integers(self, data: bytes, kind: str) -> None:
        try:
            check_integers(data)
        except CanonicalError as error:
            raise NotAnInteger(kind=kind) from error


def has_grant(
    reader: Reader,
    application: str,
    role: str,
    holders: tuple[str, ...],
    scope: str,
    time_ms: int,
) -> bool:
    """Whether one of `holders` holds the role at block time, for `scope` or for all scopes
    ("-").
    """
    for holder in holders:
        for candidate in (scope, "-") if scope else ("-",):
            if not holder:
                continue
            grant = get_system(reader, Grant, application, role, holder, candidate)
            if grant is None or time_ms < grant.since_ms:
                continue
            if grant.until_ms is None or time_ms < grant.until_ms:
                return True
    return False


def build_missing_role(contract: Contract, role: str, scope: str) -> MissingRole:
    """The refusal that says who could grant what is missing."""
    declared = contract.role(role)
    grantors = ", ".join(declared.granted_by) if declared else GOVERNANCE
    return MissingRole(role=f"{contract.name}.{role}", scope=scope or "any", grantors=grantors)
