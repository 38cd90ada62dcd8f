"""What receipts and state proofs claim, each claim held to the header they rest on. Pure."""

from typing import Any, Final, TypeVar

import msgspec

from hansa.client.foundation import Case
from hansa.client.receipts import ProofFile, ProvenRecord, ReceiptFile
from hansa.client.record_kinds import FindRecord, UnknownKind, check_identifier
from hansa.client.verdict import Failed, Unjudged, show
from hansa.comet.header import Header
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import compute_root_from_path, merkle_root
from hansa.encoding.canonical import decode_canonical, decode_typed
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import compute_state_key, is_key_part
from hansa.ledger.receipts import OK, ExecTxResult, ResultLeaf
from hansa.ledger.system import Account, BlockRecord, Member, compute_standing, find_key
from hansa.ledger.tree_proof import verify_state_proof
from hansa.primitives.limits import KEY_BYTES_MAX, MESSAGE_BYTES_MAX, RECORD_BYTES_MAX

# Purposes of a key that may sign transactions (ledger.admission).
SIGNING: Final = frozenset({"sign", "service"})
# A code, eight parameters of 200 characters, a key's name and three digests, in any script.
LEAF_BYTES_MAX: Final = 20_000
NULL: Final = b"null"
R = TypeVar("R", Account, Member, BlockRecord)


def _check_record(header: Header, key: bytes, proven: ProvenRecord) -> bytes:
    """The record's bytes, once they are proved to stand under `key` in the header's state."""
    record = bytes(proven.record)
    verify_state_proof(header.app_hash, key, record, proven.proof)
    return record


def _check_system(
    header: Header, type_: type[R], parts: tuple[str, ...], proven: ProvenRecord
) -> R:
    key = compute_state_key(type_.OWNER, type_.KIND, parts)
    return decode_typed(_check_record(header, key, proven), type_)


# --- receipts ---


def read_leaf(file: ReceiptFile) -> ResultLeaf:
    leaf = bytes(file.result)
    decode_canonical(leaf, size_max=LEAF_BYTES_MAX)
    return decode_typed(leaf, ResultLeaf)


def check_inclusion(case: Case) -> str:
    """The result leads to a root that the header carries, or the block's record in its state."""
    file = case.file
    if not isinstance(file, ReceiptFile):
        return ""
    header, height = file.header, file.height
    record = None
    if file.block is not None:
        record = _check_system(header, BlockRecord, (f"{height:012d}",), file.block)
    elif header.height != height + 1:
        raise Failed("the header is not the one after the receipt's block")
    root = compute_root_from_path(bytes(file.result), file.path)
    if file.transaction is None:
        if record is None or encode_base64url(root) != record.deadlines:
            raise Failed("the result is not among the deadlines of the block")
        return f"the result is among the deadlines that block {height} fired"
    own = file.transaction
    result = ExecTxResult(code=own.code, data=root, gas_used=own.cost)
    results = compute_root_from_path(result.encode(), own.path)
    carried = encode_base64url(header.last_results_hash) if record is None else record.results
    if encode_base64url(results) != carried:
        raise Failed("the result is not among the results of the block")
    return f"the result is among the results of block {height}"


def check_result(case: Case) -> str:
    file = case.file
    if not isinstance(file, ReceiptFile):
        return ""
    leaf = read_leaf(file)
    message = bytes(file.message)
    if message != NULL and encode_base64url(sha256(message)) != leaf.message:
        raise Failed("the message shown is not the one that was decided")
    events = file.events
    if (
        events is not None
        and encode_base64url(merkle_root([bytes(e) for e in events])) != leaf.events
    ):
        raise Failed("the events shown are not those that were announced")
    load_json(file.message, MESSAGE_BYTES_MAX)
    shown = "the message is shown" if message != NULL else "the message is not shown"
    what = leaf.type or "an invalid transaction"
    if leaf.code == OK:
        return show(f"ACCEPTED: {what} in transaction {leaf.tx}; {shown}")
    params = ", ".join(f"{name}={value}" for name, value in sorted(leaf.params.items()))
    return show(f"REJECTED with {leaf.code} ({params}): {what} in transaction {leaf.tx}; {shown}")


def check_standing(case: Case) -> str:
    """The signer's key, account and member as at the receipt's height, from their records."""
    file = case.file
    if not isinstance(file, ReceiptFile):
        return ""
    leaf = read_leaf(file)
    if file.transaction is None or not leaf.sender:
        if file.standing is not None:
            raise Failed("the file names a signer where there is none")
        return "the ledger itself decided: nobody signed" if leaf.type else "no signer was valid"
    if file.standing is None:
        raise Failed("the file does not prove who signed")
    did, _, key_id = leaf.sender.partition("#")
    account = _check_system(file.header, Account, (did,), file.standing.account)
    member = _check_system(file.header, Member, (account.member,), file.standing.member)
    # Within a block standing may change after the message: then it held when the block began.
    if not any(_held(account, member, key_id, at) for at in (file.height, file.height - 1)):
        raise Failed(f"{leaf.sender} was not in good standing at height {file.height}")
    return show(f"{leaf.sender} of {member.name} was in good standing at height {file.height}")


def _held(account: Account, member: Member, key_id: str, height: int) -> bool:
    key = find_key(account, key_id, height)
    return (
        key is not None
        and not SIGNING.isdisjoint(key.purposes)
        and compute_standing(account.standing, height) == "good"
        and compute_standing(member.standing, height) == "good"
    )


# --- state proofs ---


def check_state(case: Case) -> str:
    file = case.file
    if not isinstance(file, ProofFile):
        return ""
    if file.header.height != file.height + 1:
        raise Failed("the header does not carry the state of the height that the file names")
    parts = file.key.split("/")
    if len(file.key) > KEY_BYTES_MAX or len(parts) < 3 or not all(map(is_key_part, parts)):
        raise Failed("no state has a key like this")
    key = file.key.encode("ascii")
    record = bytes(file.record)
    is_absent = record == NULL
    load_json(file.record, RECORD_BYTES_MAX)
    verify_state_proof(file.header.app_hash, key, None if is_absent else record, file.proof)
    if is_absent:
        return f"the state after block {file.height} has no {file.key}"
    return f"the state after block {file.height} has {file.key}"


def check_known(find_record: FindRecord, case: Case) -> str:
    file = case.file
    if not isinstance(file, ProofFile):
        return ""
    try:
        return check_identifier(find_record, file.key, is_absent=bytes(file.record) == NULL)
    except UnknownKind as why:
        raise Unjudged(str(why)) from why


def load_json(raw: msgspec.Raw, size_max: int) -> Any:
    return decode_canonical(bytes(raw), size_max=size_max)
