"""The desk at which an application's routes are served: what its asker may see, and what the
member's service key may sign, of that one application. Every call blocks.
"""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from hansa.api.gate import Gate
from hansa.api.problems import Refusal, refuse_busy, refuse_unready, refuse_unseen
from hansa.api.service_keys import is_in_good_standing, may_use_service, refuse_signing
from hansa.appkit.command import Outcome
from hansa.appkit.route import Answer, Asker, Cell, Notebook, Place, Prepared, Rows, Wanted
from hansa.appkit.walk import Snapshot
from hansa.client.service import ClientFile
from hansa.client.transactions import (
    Draft,
    build_payload,
    choose_expiry,
    compute_transaction_id,
    sign_payload,
)
from hansa.encoding.canonical import CanonicalError
from hansa.index.records import get_visible
from hansa.index.search import Search
from hansa.index.shape import RecordKind
from hansa.index.sight import STRANGER, Viewer
from hansa.index.walk import open_snapshot
from hansa.ledger.model import Message, Record, is_key_part
from hansa.ledger.receipts import TransactionResult
from hansa.ledger.state import get_system
from hansa.ledger.system import Account, find_key
from hansa.node.faults import NodeError, PoolFull
from hansa.primitives.limits import TRANSACTION_BYTES_MAX

R = TypeVar("R", bound=Record)
# The longest that one look at the read model waits: what never enters a block does not grow it.
_LOOK_S: Final = 0.25
_FINAL: Final = ("committed", "invalid")
_CLIENT: Final = "client:"


@dataclass(frozen=True, slots=True)
class Seat:
    """Who asks. `mark`: the account, or the client (`client:ID`) that acts as its service account.

    `may_capture`: whether it may have the service key sign, if the account may.
    """

    viewer: Viewer = STRANGER
    account: Account | None = None
    mark: str = ""
    may_capture: bool = False


@dataclass(slots=True)
class OpenDesk:
    """`appkit.route.Desk` of one application for one asker."""

    gate: Gate
    application: str
    seat: Seat = field(default_factory=Seat)

    @property
    def chain(self) -> str:
        """Id of the chain."""
        return self.gate.ledger.chain

    @property
    def viewer(self) -> Asker:
        """On whose behalf."""
        return self.seat.viewer

    @property
    def mark(self) -> str:
        """Who asks, for a duty that takes it up later."""
        return self.seat.mark

    @property
    def height(self) -> int:
        """Height up to which rows and records can be read here."""
        return max(self.gate.index.height, 0)

    @property
    def now_ms(self) -> int:
        """This machine's clock."""
        return self.gate.clock()

    @property
    def notebook(self) -> Notebook:
        """The application's notebook on this node."""
        return self.gate.notebooks.of(self.application)

    def record(self, kind: type[R], *key: str) -> R | None:
        """A record of this application, or of a system contract, that the asker may read."""
        owner = kind.OWNER or self.application
        found = self.gate.shape.records.get((owner, kind.KIND))
        if found is None or not all(map(is_key_part, key)):
            return None
        row = get_visible(self.gate.index, found, found.prefix + "/".join(key), self.seat.viewer)
        record = None if row is None else found.decode(row["value"])
        return record if isinstance(record, kind) else None

    def records(self, kind: type[R], keys: Sequence[str]) -> dict[str, R]:
        """Records of one-part identifiers that the asker may read, by identifier."""
        found = self.gate.shape.records.get((kind.OWNER or self.application, kind.KIND))
        wanted = [key for key in dict.fromkeys(keys) if is_key_part(key)]
        records = {} if found is None else self._search().list_records(found, wanted)
        return {key: each for key, each in records.items() if isinstance(each, kind)}

    def rows(
        self,
        table: str,
        wanted: Sequence[Wanted] = (),
        *,
        order: str = "key",
        descending: bool = False,
        after: Place | None = None,
        limit: int = 100,
    ) -> Rows:
        """Rows of an own table that the asker may see."""
        rows, beyond = self._search().list_rows(
            table, wanted, order=order, descending=descending, after=after, limit=limit
        )
        cut = len(self._kind(table).prefix)
        parts = ("key", "line") if order == "key" else (order, "key", "line")
        return Rows(
            tuple({**row, "key": row["key"][cut:]} for row in rows),
            tuple(tuple(row[part] for part in parts) for row in rows),
            beyond,
        )

    def values(
        self,
        table: str,
        column: str,
        wanted: Sequence[Wanted] = (),
        *,
        after: Cell = None,
        limit: int = 100,
    ) -> tuple[Cell, ...]:
        """The different values of a column, in order."""
        return tuple(self._search().list_values(table, column, wanted, after=after, limit=limit))

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The application's tables as they are now."""
        with open_snapshot(self.gate.index, self.application, self.seat.viewer) as found:
            yield found

    def _search(self) -> Search:
        return Search(self.gate.index, self.application, self.seat.viewer)

    def _kind(self, table: str) -> RecordKind:
        found = self.gate.shape.tables.get((self.application, table))
        if found is None:
            raise refuse_unseen()
        return self.gate.kind(found.record.OWNER or self.application, found.record.KIND)

    @property
    def service(self) -> str:
        """DID of the service account that signs here for the asker, or ""."""
        account = self.gate.service.account(self.application)
        return account.did if account is not None and self._may_sign(account) else ""

    def _may_sign(self, service: Account) -> bool:
        seat = self.seat
        return seat.may_capture and may_use_service(service, seat.account)

    def prepare(self, messages: Sequence[Message], *, is_atomic: bool) -> Prepared:
        """Sign by the member's service key. Raises Refusal."""
        signer = self.gate.service.signer(self.application)
        if self.service != signer.account:
            raise refuse_signing(self.application)
        expiry = choose_expiry(self.gate.ledger.height)
        try:
            payload = build_payload(
                chain=self.chain,
                expiry=expiry,
                drafts=[Draft(self.application, message) for message in messages],
                signers=[signer.kid],
                mode="atomic" if is_atomic else "independent",
            )
        except CanonicalError as error:
            raise Refusal(
                422, "api.invalid_message", str(error)[:300], remedy="Send plain values."
            ) from error
        data = sign_payload(payload, [(signer.kid, signer.private)])
        if len(data) > TRANSACTION_BYTES_MAX:
            raise Refusal(
                413,
                "api.too_large",
                f"Signed, it has more than {TRANSACTION_BYTES_MAX} bytes.",
                remedy="Send less at once.",
            )
        return Prepared(compute_transaction_id(payload), data, expiry)

    def send(self, data: bytes) -> str:
        """Submit signed bytes. Raises Rejection; Refusal when the node has no room, or stands."""
        try:
            return self.gate.ledger.submit(data)
        except PoolFull as error:
            raise refuse_busy(error.text, error.retry_after_s) from error
        except NodeError as error:
            raise refuse_unready("The node does not take it now.", 5) from error

    def outcomes(self, transaction: str, wait_s: float = 0) -> tuple[Outcome, ...] | None:
        """One outcome per message once it is final and can be read here; None before."""
        end = time.monotonic() + wait_s
        while True:
            height = self.gate.index.height
            found = self.gate.ledger.status(transaction)
            if found.state in _FINAL and height >= (found.height or 0):
                return self._tell(found.id, found.height or 0, found.result)
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.gate.index.wait_height(height + 1, min(left, _LOOK_S))

    def _tell(
        self, identity: str, height: int, result: TransactionResult | None
    ) -> tuple[Outcome, ...]:
        outcomes = []
        for each in result.messages if result is not None else ():
            text, rule, remedy = self.gate.words.describe(each.code, each.params)
            outcomes.append(
                Outcome(
                    identity, each.index, height, each.code, text, rule, remedy, dict(each.params)
                )
            )
        return tuple(outcomes)

    def wake(self) -> None:
        """Have the application's duties run soon."""
        self.gate.wake_duties(self.application)

    def check_url(self, url: str) -> str:
        """Why nothing may be sent there; empty when it may."""
        return self.gate.outbound.check(url)

    def draw(self) -> str:
        """22 characters that nobody can guess."""
        return secrets.token_urlsafe(16)


class OpenBackroom(OpenDesk):
    """`appkit.route.Backroom`: the desk of an application's duties."""

    __slots__ = ()

    def desk_of(self, mark: str) -> OpenDesk | None:
        """The desk with the present rights of who left that mark."""
        seat = find_seat(self.gate, self.application, mark)
        return None if seat is None else OpenDesk(self.gate, self.application, seat)

    @property
    def is_ending(self) -> bool:
        """Whether the gateway stops."""
        return self.gate.is_ending

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send to a URL that a user named."""
        return self.gate.outbound.post(url, body, headers)


def find_seat(gate: Gate, application: str, mark: str) -> Seat | None:
    """The present rights of who left a mark; None when there are none left."""
    if mark.startswith(_CLIENT):
        client = gate.service.find_client(mark.removeprefix(_CLIENT), gate.clock())
        return None if client is None else seat_client(gate, application, client)
    state = gate.ledger.state
    account = get_system(state, Account, mark) if is_key_part(mark) else None
    if account is None or not is_in_good_standing(state, account):
        return None
    if not any(find_key(account, key.id, state.height) for key in account.keys):
        return None
    return Seat(gate.sessions.look(account), account, mark, may_capture=True)


def seat_client(gate: Gate, application: str, client: ClientFile) -> Seat | None:
    """Where a client sits: as the service account of its application, with its rights."""
    account = gate.service.account(application)
    if account is None or client.application != application:
        return None
    mark = _CLIENT + client.id
    viewer = gate.sessions.look(account)
    return Seat(viewer, account, mark, may_capture=client.may == "capture")
