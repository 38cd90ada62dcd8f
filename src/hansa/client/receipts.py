"""Receipt and proof files: their form, how they are built from a node's data, their bytes. Pure.

A file is canonical JSON; bytes inside it are base64. Whatever the ledger hashed as JSON (result,
message, events, records) stands in it verbatim, so that what is shown is what was proved.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from hansa.client.checkpoints import CheckpointFile, Headers, Validators
from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.light import LightBlock
from hansa.comet.validators import ValidatorSet
from hansa.crypto.merkle import MerklePath, merkle_path
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.receipts import MessageResult, TransactionResult
from hansa.ledger.tree_proof import StateProof
from hansa.primitives.limits import EVENTS_MAX, INTEGER_MAX

# A message of 256 kB, two records of 128 kB and a block record, 64 events, 1,000 signatures: this
# holds them all four times over, and a verifier that holds it twice in memory feels nothing.
FILE_BYTES_MAX: Final = 4_000_000
NOTHING: Final = msgspec.Raw(b"null")

Number = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
Events = Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=EVENTS_MAX)]


class ProvenRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record as it stands in the state whose root is the header's `app_hash`, with its proof."""

    proof: StateProof
    record: msgspec.Raw


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signed: the account's record and that of its member."""

    account: ProvenRecord
    member: ProvenRecord


class InTransaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The transaction's result: ExecTxResult code and gas_used, its path among the block's."""

    code: Number
    cost: Number
    path: MerklePath


class ReceiptFile(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="hansa.receipt/1",
):
    """The ledger's proof of one message, decided in block `height`.

    result: the leaf that the ledger hashed. message: the message itself, or null when it is not
    disclosed. events: its events, or null likewise. path: from the result to the root of the
    transaction's results (of the block's deadlines when `transaction` is null). block: the block's
    own record when `header` is not the very next one, and for deadlines. standing: null when the
    ledger itself sent the message or the transaction was invalid. headers: those to follow from
    genesis (or a checkpoint) to `header` where validators changed too much for one step; left out
    when there are none.
    """

    block: ProvenRecord | None
    chain: str
    commit: Commit
    events: Events | None
    header: Header
    headers: Headers = ()
    height: Number
    message: msgspec.Raw
    path: MerklePath
    result: msgspec.Raw
    standing: Standing | None
    transaction: InTransaction | None
    validators: Validators


class ProofFile(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    tag="hansa.proof/1",
):
    """Proof that the state after block `height` holds `record` under `key`, or nothing (null)."""

    chain: str
    commit: Commit
    header: Header
    headers: Headers = ()
    height: Number
    key: str
    proof: StateProof
    record: msgspec.Raw
    validators: Validators


class Sealed(msgspec.Struct, frozen=True):
    """What a file rests on: a header, the commit that decided it, the validators who signed, and
    the headers that lead to it.
    """

    header: Header
    commit: Commit
    validators: ValidatorSet
    headers: tuple[LightBlock, ...] = ()


def build_receipt(
    sealed: Sealed,
    *,
    height: int,
    result: TransactionResult,
    index: int,
    block_results: Sequence[bytes],
    position: int,
    message: bytes | None = None,
    with_events: bool = True,
    standing: Standing | None = None,
    block: ProvenRecord | None = None,
) -> ReceiptFile:
    """Receipt of message `index` of a transaction of block `height`.

    block_results: `encode_exec_tx_result` of each of the block's transactions; `position`: ours.
    message: its canonical bytes `{"app","body","sender","type"}`. sealed: of `height` + 1, or of a
    later height with `block`, the block's record proved there. Raises MerkleError.
    """
    leaves = result.leaves()
    return ReceiptFile(
        block=block,
        chain=sealed.header.chain_id,
        commit=sealed.commit,
        events=_list_events(result.messages[index]) if with_events else None,
        header=sealed.header,
        headers=sealed.headers,
        height=height,
        message=NOTHING if message is None else msgspec.Raw(message),
        path=merkle_path(leaves, index),
        result=msgspec.Raw(leaves[index]),
        standing=standing,
        transaction=InTransaction(
            code=result.code, cost=result.cost, path=merkle_path(block_results, position)
        ),
        validators=sealed.validators,
    )


def build_deadline_receipt(
    sealed: Sealed,
    *,
    height: int,
    deadlines: Sequence[MessageResult],
    index: int,
    block: ProvenRecord,
    message: bytes | None = None,
) -> ReceiptFile:
    """Receipt of the deadline that block `height` fired as number `index` (D17)."""
    leaves = [deadline.leaf(f"deadline/{height}") for deadline in deadlines]
    return ReceiptFile(
        block=block,
        chain=sealed.header.chain_id,
        commit=sealed.commit,
        events=_list_events(deadlines[index]),
        header=sealed.header,
        headers=sealed.headers,
        height=height,
        message=NOTHING if message is None else msgspec.Raw(message),
        path=merkle_path(leaves, index),
        result=msgspec.Raw(leaves[index]),
        standing=None,
        transaction=None,
        validators=sealed.validators,
    )


def build_proof(
    sealed: Sealed, *, key: bytes, record: bytes | None, proof: StateProof
) -> ProofFile:
    """Proof file of a record, or of its absence, in the state whose root `sealed` carries."""
    return ProofFile(
        chain=sealed.header.chain_id,
        commit=sealed.commit,
        header=sealed.header,
        headers=sealed.headers,
        height=sealed.header.height - 1,
        key=key.decode("ascii"),
        proof=proof,
        record=NOTHING if record is None else msgspec.Raw(record),
        validators=sealed.validators,
    )


def build_checkpoint(sealed: Sealed) -> CheckpointFile:
    """Checkpoint of a header, to be pinned."""
    return CheckpointFile(
        chain=sealed.header.chain_id,
        commit=sealed.commit,
        header=sealed.header,
        headers=sealed.headers,
        validators=sealed.validators,
    )


def prove_record(record: bytes, proof: StateProof) -> ProvenRecord:
    """A record's bytes with their proof, as files carry them."""
    return ProvenRecord(proof=proof, record=msgspec.Raw(record))


def encode_file(file: msgspec.Struct) -> bytes:
    """The one canonical form of a file."""
    return encode_canonical(file)


def _list_events(result: MessageResult) -> tuple[msgspec.Raw, ...]:
    return tuple(msgspec.Raw(event.leaf()) for event in result.events)
