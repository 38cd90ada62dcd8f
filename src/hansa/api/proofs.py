"""Receipt and proof files built from a node's data: the forms are `hansa.client.receipts`."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hansa.api.door import Ledger
from hansa.api.headers import HeaderPaths
from hansa.api.problems import refuse_busy, refuse_unready
from hansa.client.receipts import (
    ProofFile,
    ProvenRecord,
    ReceiptFile,
    Sealed,
    Standing,
    build_deadline_receipt,
    build_proof,
    build_receipt,
    prove_record,
)
from hansa.encoding.canonical import decode_typed
from hansa.ledger.model import Record, compute_state_key
from hansa.ledger.receipts import INVALID, MessageResult
from hansa.ledger.system import Account, BlockRecord, Member
from hansa.ledger.transactions import decode_transaction
from hansa.ledger.tree_proof import StateProof
from hansa.node.ledger_node import ReceiptParts

# The ledger grows while proofs are taken; they must be of one height.
_ATTEMPTS: Final = 50

Proven = tuple[bytes | None, StateProof]


def prove_together(ledger: Ledger, keys: Sequence[bytes]) -> tuple[list[Proven], int]:
    """Records and proofs of several keys in one state, and its height. Raises Refusal."""
    for _attempt in range(_ATTEMPTS):
        proven = [ledger.prove(key) for key in keys]
        heights = {height for _value, _proof, height in proven}
        if len(heights) == 1:
            return [(value, proof) for value, proof, _height in proven], heights.pop()
    raise refuse_busy("The ledger grows faster than proofs can be taken.")


def seal_header(paths: HeaderPaths, height: int, trusted: int = 0) -> Sealed:
    """The header of `height`, its commit and validators, and the headers that lead there from
    height `trusted` (0: genesis). Raises Refusal.
    """
    block = paths.load(height)
    return Sealed(
        header=block.header,
        commit=block.commit,
        validators=block.validators,
        headers=paths.find(block, trusted),
    )


def build_proof_file(
    ledger: Ledger, paths: HeaderPaths, key: bytes, *, trusted: int = 0
) -> ProofFile:
    """Proof of the record under `key`, or of its absence, at the newest provable height."""
    value, proof, height = ledger.prove(key)
    sealed = seal_header(paths, height + 1, trusted)
    return build_proof(sealed, key=key, record=value, proof=proof)


def build_receipt_file(
    ledger: Ledger,
    paths: HeaderPaths,
    parts: ReceiptParts,
    *,
    with_message: bool,
    with_events: bool,
    trusted: int = 0,
) -> ReceiptFile:
    """Receipt of a message, proved to the newest provable state (D22). Raises Refusal."""
    signed = None if parts.result.code == INVALID else decode_transaction(parts.transaction)
    keys = []
    if signed is not None:
        sender = signed.messages[parts.message].sender
        account_did = signed.payload.signers[sender].partition("#")[0]
        account = ledger.state.get(_key(Account, account_did))
        member_did = decode_typed(account, Account).member if account is not None else account_did
        keys = [_key(Account, account_did), _key(Member, member_did)]
    block_key = _key(BlockRecord, f"{parts.height:012d}")
    proven, height = prove_together(ledger, [block_key, *keys])
    return build_receipt(
        seal_header(paths, height + 1, trusted),
        height=parts.height,
        result=parts.result,
        index=parts.message,
        block_results=parts.results,
        position=parts.index,
        message=bytes(signed.payload.messages[parts.message])
        if signed is not None and with_message
        else None,
        with_events=with_events,
        standing=_build_standing(proven[1:]) if signed is not None else None,
        block=None if height == parts.height else _wrap(proven[0]),
    )


def build_deadline_file(
    ledger: Ledger,
    paths: HeaderPaths,
    height: int,
    deadlines: Sequence[MessageResult],
    index: int,
    *,
    with_events: bool,
    trusted: int = 0,
) -> ReceiptFile:
    """Receipt of a deadline, proved through its block's record. Raises Refusal."""
    block_key = _key(BlockRecord, f"{height:012d}")
    ((record, proof),), proven_at = prove_together(ledger, [block_key])
    if record is None or proven_at < height:
        raise refuse_unready("The block is not yet provable.")
    file = build_deadline_receipt(
        seal_header(paths, proven_at + 1, trusted),
        height=height,
        deadlines=deadlines,
        index=index,
        block=prove_record(record, proof),
    )
    return file if with_events else msgspec.structs.replace(file, events=None)


def _key(kind: type[Record], *parts: str) -> bytes:
    return compute_state_key(kind.OWNER, kind.KIND, parts)


def _wrap(proven: Proven) -> ProvenRecord:
    value, proof = proven
    return prove_record(value or b"null", proof)


def _build_standing(proven: Sequence[Proven]) -> Standing:
    account, member = proven
    return Standing(account=_wrap(account), member=_wrap(member))
