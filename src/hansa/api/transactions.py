"""Routes of transactions: submit, status, list, bytes, receipts."""

from typing import Annotated

from litestar import Response, get, post
from litestar.params import Parameter, RawBody
from sqlalchemy import ColumnElement

from hansa.api.explorer import HeightFilter, read_height
from hansa.api.gate import Gate, TheGate, TheViewer
from hansa.api.headers import TrustedHeight, name_keepers
from hansa.api.limits import WAIT_S_MAX
from hansa.api.problems import Refusal, refuse_stranger, refuse_unseen
from hansa.api.proofs import build_deadline_file, build_receipt_file
from hansa.api.query import (
    LIMIT_DEFAULT,
    After,
    HeightText,
    Limit,
    Order,
    decode_cursor,
    decode_number,
    encode_cursor,
)
from hansa.api.threads import threaded
from hansa.api.views import (
    MessageView,
    State,
    Submitted,
    TransactionEntry,
    TransactionPage,
    TransactionView,
)
from hansa.client.receipts import encode_file
from hansa.index.entries import Entries, open_events, open_messages, open_transactions
from hansa.index.pages import Row
from hansa.index.schema import DEADLINE_POSITION
from hansa.index.sight import Viewer
from hansa.ledger.receipts import MessageResult
from hansa.ledger.transactions import decode_transaction
from hansa.node.ledger_node import TransactionStatus
from hansa.primitives.limits import TRANSACTION_BYTES_MAX

TransactionId = Annotated[
    str,
    Parameter(
        pattern="^[0-9a-f]{64}$", min_length=64, max_length=64, description="Transaction id."
    ),
]
Number = Annotated[
    str, Parameter(pattern="^[0-9]{1,15}$", description="Number of the message, from 0.")
]
JOSE_MEDIA = ("application/jose", "application/jose+json", "text/plain")
_STATUS = "/v1/transactions/"


@post(
    "/v1/transactions",
    status_code=202,
    tags=["transactions"],
    summary="Submit a signed transaction",
    description=(
        "The body is the JWS, byte for byte. The same bytes have the same id and one effect: "
        "after a time-out, send them again or ask for the status."
    ),
    opt={"media": JOSE_MEDIA},
)
@threaded
def submit_transaction(body: RawBody, gate: TheGate) -> Response[Submitted]:
    """Take signed bytes."""
    if len(body) > TRANSACTION_BYTES_MAX:
        raise Refusal(
            413,
            "api.too_large",
            f"A transaction has at most {TRANSACTION_BYTES_MAX} bytes.",
            remedy="Put fewer messages into one transaction; files belong to the vault.",
        )
    identity = gate.ledger.submit(body)
    state: State = gate.ledger.status(identity).state
    answer = Submitted(id=identity, state=state, status=_STATUS + identity)
    return Response(answer, headers={"location": _STATUS + identity})


@get(
    "/v1/transactions/{transaction:str}",
    tags=["transactions"],
    summary="What became of a transaction",
    description=(
        "Whoever has the id may ask. Sender, parameters and words of a result are shown to those "
        "who see it: signers, parties of its events, readers. With `wait` the answer is held "
        "until the transaction is final and can be read."
    ),
)
async def get_transaction(
    transaction: TransactionId,
    gate: TheGate,
    viewer: TheViewer,
    wait: Annotated[float, Parameter(ge=0, le=WAIT_S_MAX, description="Seconds.")] = 0.0,
) -> TransactionView:
    """Status by id, held open up to `wait` seconds."""
    found = await gate.pulse.wait_final(transaction, wait)
    return await gate.run(_describe_status, gate, viewer, found)


def _describe_status(gate: Gate, viewer: Viewer, found: TransactionStatus) -> TransactionView:
    if found.result is None or found.height is None or found.index is None:
        return TransactionView(id=found.id, state=found.state)
    seen = _find_seen(gate, viewer, found.height, found.index)
    return TransactionView(
        id=found.id,
        state=found.state,
        height=found.height,
        index=found.index,
        time_ms=gate.ledger.head(found.height).time_ms,
        cost=found.result.cost,
        messages=[
            describe_message(gate, found.id, each, is_seen=each.index in seen)
            for each in found.result.messages
        ],
    )


def _find_seen(gate: Gate, viewer: Viewer, height: int, index: int) -> set[int]:
    """Numbers of the messages that the asker sees; where no rows say it, none."""
    if not gate.index.is_kept:
        return set()
    messages = open_messages(gate.index)
    table = messages.table
    rows = messages.select_visible(viewer, table.c.height == height, table.c.position == index)
    return {row["number"] for row in rows}


def describe_message(
    gate: Gate, transaction: str, result: MessageResult, *, is_seen: bool
) -> MessageView:
    """A result; without sender, parameters and words when the asker does not see it."""
    text, rule, remedy = gate.words.describe(result.code, result.params if is_seen else {})
    if not is_seen:
        return MessageView(index=result.index, type=result.type, code=result.code, rule=rule)
    return MessageView(
        index=result.index,
        type=result.type,
        code=result.code,
        rule=rule,
        sender=result.sender,
        params=result.params,
        text=text,
        remedy=remedy,
        receipt=f"{_STATUS}{transaction}/messages/{result.index}/receipt",
    )


@get(
    "/v1/transactions",
    tags=["transactions"],
    summary="Transactions that the asker may see",
)
@threaded
def list_transactions(
    gate: TheGate,
    viewer: TheViewer,
    after: After = "",
    limit: Limit = LIMIT_DEFAULT,
    order: Order = "newest",
    height: HeightFilter = "",
) -> TransactionPage:
    """A page of transactions."""
    page = open_transactions(gate.index).list_visible(
        viewer,
        after=decode_cursor(after, int, int),
        limit=limit,
        descending=order == "newest",
        height=read_height(height),
    )
    return TransactionPage([_describe_entry(row) for row in page.rows], encode_cursor(page.next))


def _describe_entry(row: Row) -> TransactionEntry:
    return TransactionEntry(
        id=row["id"],
        height=row["height"],
        index=row["position"],
        code=row["code"],
        cost=row["cost"],
        messages=row["messages"],
        size_bytes=row["size_bytes"],
    )


@get(
    "/v1/transactions/{transaction:str}/bytes",
    tags=["transactions"],
    summary="The signed bytes, for their signers",
    media_type="application/jose",
)
@threaded
def get_bytes(transaction: TransactionId, gate: TheGate, viewer: TheViewer) -> Response[bytes]:
    """The JWS as it was submitted."""
    if viewer.is_stranger:
        raise refuse_stranger()
    found = gate.ledger.status(transaction)
    if found.height is None or found.index is None:
        raise _refuse_missing(gate, viewer, found.height)
    data = gate.ledger.block(found.height).transactions[found.index]
    if not _is_signer(viewer, data, found):
        raise refuse_unseen()
    media = "application/jose+json" if data.startswith(b"{") else "application/jose"
    return Response(data, media_type=media)


def _is_signer(viewer: Viewer, data: bytes, found: TransactionStatus) -> bool:
    """Whether the viewer signed it, or acts for a member that an own account of it signed for."""
    if found.state != "committed":
        return False
    return any(viewer.is_signer(kid) for kid in decode_transaction(data).payload.signers)


@get(
    "/v1/blocks/{height:str}/deadlines/{number:str}/receipt",
    tags=["transactions"],
    summary="The receipt file of a deadline that a block fired",
    description=("As the receipt of a message, without the message: nobody signed it."),
    media_type="application/json",
    opt={"produces": "receipt"},
)
@threaded
def get_deadline_receipt(
    height: HeightText,
    number: Number,
    gate: TheGate,
    viewer: TheViewer,
    trusted: TrustedHeight = 0,
) -> Response[bytes]:
    """The receipt with its proof."""
    at, index = decode_number(height), decode_number(number)
    if not _see_message(gate, viewer, (at, DEADLINE_POSITION, index)):
        raise _refuse_missing(gate, viewer, at)
    deadlines = gate.ledger.block(at).results.deadlines
    file = build_deadline_file(
        gate.ledger,
        gate.paths,
        at,
        deadlines,
        index,
        with_events=_see_events(gate, viewer, (at, DEADLINE_POSITION, index), deadlines[index]),
        trusted=trusted,
    )
    return _answer_receipt(encode_file(file), f"deadline-{at}-{index}")


@get(
    "/v1/transactions/{transaction:str}/messages/{number:str}/receipt",
    tags=["transactions"],
    summary="The receipt file of one message",
    description=(
        "The file `hansa.receipt/1`, byte for byte as the offline verifier takes it. It goes to "
        "those who see the result; the message itself stands in it for its signers only, and the "
        "events when the asker may see them all."
    ),
    media_type="application/json",
    opt={"produces": "receipt"},
)
@threaded
def get_receipt(
    transaction: TransactionId,
    number: Number,
    gate: TheGate,
    viewer: TheViewer,
    trusted: TrustedHeight = 0,
) -> Response[bytes]:
    """The receipt with its proof."""
    found = gate.ledger.status(transaction)
    index = decode_number(number)
    if found.result is None or found.height is None or found.index is None:
        raise _refuse_missing(gate, viewer, found.height)
    place = (found.height, found.index, index)
    if not _see_message(gate, viewer, place):
        raise refuse_stranger() if viewer.is_stranger else refuse_unseen()
    parts = gate.ledger.receipt(transaction, index)
    file = build_receipt_file(
        gate.ledger,
        gate.paths,
        parts,
        with_message=_is_signer(viewer, parts.transaction, found),
        with_events=_see_events(gate, viewer, place, found.result.messages[index]),
        trusted=trusted,
    )
    return _answer_receipt(encode_file(file), f"receipt-{transaction[:16]}-{index}")


def _refuse_missing(gate: Gate, viewer: Viewer, height: int | None) -> Refusal:
    """What is not here, or not for the asker; with whom to ask when the block may be elsewhere.

    `height`: of the block, None where this node does not know it.
    """
    if viewer.is_stranger:
        return refuse_stranger()
    base = gate.ledger.heights()[0]
    at = height or 1
    if at >= base:
        return refuse_unseen()
    return Refusal(
        404,
        "api.block_not_kept",
        f"There is nothing here that you may see; this node keeps blocks from {base} on.",
        rule="D8",
        remedy=f"If it is older, ask {name_keepers(gate.find_keepers(at))}.",
        params={"first": base},
    )


def _see_message(gate: Gate, viewer: Viewer, place: tuple[int, int, int]) -> bool:
    """Whether the viewer sees the result at (height, position, number)."""
    messages = open_messages(gate.index)
    return bool(messages.select_visible(viewer, *_at(messages, place)))


def _see_events(
    gate: Gate, viewer: Viewer, place: tuple[int, int, int], result: MessageResult
) -> bool:
    """Whether the viewer sees all events of the result."""
    events = open_events(gate.index)
    return len(events.select_visible(viewer, *_at(events, place))) == len(result.events)


def _at(entries: Entries, place: tuple[int, int, int]) -> list[ColumnElement[bool]]:
    columns = (entries.table.c.height, entries.table.c.position, entries.table.c.number)
    return [column == value for column, value in zip(columns, place, strict=True)]


def _answer_receipt(data: bytes, name: str) -> Response[bytes]:
    return Response(
        data,
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}.json"'},
    )
