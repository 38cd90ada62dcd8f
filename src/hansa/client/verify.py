"""The offline verifier: judges a receipt or proof file against a trust root. No network, no node.

`verify_receipt` tells the story: canonical file, trust root, validators, header, inclusion, result,
signer's standing. It reads one file of bounded size; whatever is not exactly proved is a no.
"""

import os
import stat
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from hansa.client.receipts import (
    FILE_BYTES_MAX,
    ProofFile,
    ProvenRecord,
    ReceiptFile,
    encode_file,
)
from hansa.client.record_kinds import FindRecord, UnknownKind, check_identifier, find_record
from hansa.client.trust import TrustError, TrustRoot
from hansa.comet.commit import COMMIT, InvalidCommit, verify_commit
from hansa.comet.header import BLOCK_PROTOCOL, Header
from hansa.comet.validators import compute_total_power, compute_validators_hash
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import MerkleError, compute_root_from_path, merkle_root
from hansa.encoding.canonical import CanonicalError, decode_canonical, decode_typed
from hansa.encoding.protobuf import FormatError
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import compute_state_key, is_key_part
from hansa.ledger.receipts import OK, ExecTxResult, ResultLeaf
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Account, BlockRecord, Member, compute_standing, find_key
from hansa.ledger.tree_proof import ProofError, verify_state_proof
from hansa.primitives.limits import INTEGER_MAX, KEY_BYTES_MAX, MESSAGE_BYTES_MAX, RECORD_BYTES_MAX

Outcome = Literal["yes", "no", "could_not_judge"]
File = ReceiptFile | ProofFile
FindTrust = Callable[[str], TrustRoot | None]
# Purposes of a key that may sign transactions (ledger.admission).
SIGNING: Final = frozenset({"sign", "service"})
# A code, eight parameters of 200 characters, a key's name and three digests, in any script.
LEAF_BYTES_MAX: Final = 20_000
# Longer values are cut where people read them; the file has them whole.
SHOWN_MAX: Final = 300

_decoder = msgspec.json.Decoder(File)
_NULL: Final = b"null"
R = TypeVar("R", Account, Member, BlockRecord)


class Step(msgspec.Struct, frozen=True):
    """One thing that was checked. ok: true, false, or null when it could not be checked."""

    name: str
    ok: bool | None
    text: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier says, and why.

    outcome: `yes` = the file says what the ledger of a trusted league says, which may well be that
    a message was REJECTED: see `accepted` (null for a state proof) and `code`. content: the message
    or record that the file shows, decoded, only when everything about it was proved. key, there:
    of a state proof, which record and whether it is there.
    """

    outcome: Outcome
    steps: tuple[Step, ...]
    kind: str = ""
    chain: str = ""
    height: int = 0
    accepted: bool | None = None
    code: str = ""
    key: str = ""
    there: bool | None = None
    content: Any = None


class _Failed(Exception):
    """A step failed; the text says how."""


class _Unjudged(Exception):
    """A step cannot be judged here; the text says why."""


_FAILURES: Final = (
    _Failed,
    CanonicalError,
    FormatError,
    InvalidCommit,
    MerkleError,
    ProofError,
    Rejection,
    UnicodeError,
)


def verify_file(
    path: Path, find_trust: FindTrust, find_record: FindRecord = find_record
) -> Verdict:
    """Judge the file at `path`. `find_trust` gives the trust root of a chain id, or None;
    `find_record` the type of a kind of records, else UnknownKind.
    """
    try:
        data = _read(path)
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        text = f"cannot read the file: {getattr(error, 'strerror', None) or error}"
        return Verdict(outcome="could_not_judge", steps=(Step("file", None, text),))
    return _judge(data, find_trust, find_record)


def verify_receipt(
    data: bytes, trust: TrustRoot | None, find_record: FindRecord = find_record
) -> Verdict:
    """Judge the bytes of a receipt or proof file. Without a trust root it never says yes (D22)."""
    return _judge(data, lambda _chain: trust, find_record)


def _judge(data: bytes, find_trust: FindTrust, find_record: FindRecord) -> Verdict:
    try:
        file = _decode(data)
    except _Failed as failure:
        return Verdict(outcome="no", steps=(Step("file", False, str(failure)),))
    kind = "receipt" if isinstance(file, ReceiptFile) else "state proof"
    steps = [Step("file", True, f"a {kind} in canonical form, {len(data)} bytes")]
    trust, why_not = _find_trust(file.chain, find_trust)
    identifier: Check = partial(_check_identifier, find_record)
    for name, check in (*_STEPS, ("identifier", identifier)):
        if not any(step.ok is False for step in steps):
            step = _take(name, check, file, trust, why_not)
            if step is not None:
                steps.append(step)
    return _conclude(file, kind, tuple(steps))


def _take(
    name: str, check: "Check", file: File, trust: TrustRoot | None, why_not: str
) -> Step | None:
    """Run one check; None when it does not concern this kind of file."""
    try:
        if name == "trust root" and trust is None:
            return Step(name, None, why_not)
        text = check(file, trust)
    except _Unjudged as why:
        return Step(name, None, show(str(why)))
    except _FAILURES as failure:
        text = failure.text if isinstance(failure, Rejection) else str(failure)
        return Step(name, False, show(text))
    return Step(name, True, text) if text else None


def _conclude(file: File, kind: str, steps: tuple[Step, ...]) -> Verdict:
    oks = {step.ok for step in steps}
    outcome: Outcome = "no" if False in oks else "could_not_judge" if None in oks else "yes"
    plain = Verdict(outcome=outcome, steps=steps, kind=kind, chain=file.chain, height=file.height)
    if outcome == "no":
        return plain
    if isinstance(file, ProofFile):
        content = _load(file.record, RECORD_BYTES_MAX)
        there = bytes(file.record) != _NULL
        return msgspec.structs.replace(plain, key=file.key, there=there, content=content)
    leaf = _read_leaf(file)
    content = _load(file.message, MESSAGE_BYTES_MAX)
    return msgspec.structs.replace(plain, accepted=leaf.code == OK, code=leaf.code, content=content)


# --- the file ---


def _read(path: Path) -> bytes:
    """At most one byte more than a file may have. Never waits on a pipe or a device: OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("it is not a regular file")
        return stream.read(FILE_BYTES_MAX + 1)


def _decode(data: bytes) -> File:
    """Decode strictly: the file must be the one encoding of what it says."""
    if len(data) > FILE_BYTES_MAX:
        raise _Failed(f"larger than any receipt, which has at most {FILE_BYTES_MAX} bytes")
    try:
        file: File = _decoder.decode(data)
        again = encode_file(file)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _Failed(f"not a receipt or proof file: {show(str(error))}") from error
    if again != data:
        raise _Failed("not in canonical form: it was changed, or written by something else")
    return file


# --- what every file rests on ---


def _find_trust(chain: str, find_trust: FindTrust) -> tuple[TrustRoot | None, str]:
    try:
        trust = find_trust(chain)
    except TrustError as error:
        return None, show(error.text)
    return trust, f"no trust root is pinned for chain {show(chain)}: hansa trust add GENESIS"


def _check_trust(file: File, trust: TrustRoot | None) -> str:
    if trust is None:
        return ""
    if file.chain != trust.chain:
        raise _Failed(f"the file is of chain {file.chain}, the trust root of {trust.chain}")
    if file.validators != trust.validators:
        raise _Failed("the file's validators are not those of the trusted genesis")
    return f"genesis {trust.genesis[:16]}… of chain {trust.chain}"


def _check_validators(file: File, _trust: TrustRoot | None) -> str:
    if compute_validators_hash(file.validators) != file.header.validators_hash:
        raise _Failed("the validators are not those that the header names")
    power = compute_total_power(file.validators)
    return f"{len(file.validators)} validator(s) with power {power}, named by the header"


def _check_header(file: File, _trust: TrustRoot | None) -> str:
    header = file.header
    if header.chain_id != file.chain:
        raise _Failed("the header is of another chain than the file says")
    _check_numbers(header)
    verify_commit(file.chain, file.validators, file.commit.block_id, header.height, file.commit)
    if header.hash() != file.commit.block_id.hash:
        raise _Failed("the commit is for another header")
    signed = sum(entry.flag == COMMIT for entry in file.commit.signatures)
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(header.time.seconds))
    return (
        f"block {header.height} of {moment}, "
        f"signed by {signed} of {len(file.validators)} validators"
    )


def _check_numbers(header: Header) -> None:
    numbers = (header.height, header.version.app, header.last_block_id.parts.total)
    if header.version.block != BLOCK_PROTOCOL or not all(0 <= n <= INTEGER_MAX for n in numbers):
        raise _Failed("the header has a number that no header has")


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


def _read_leaf(file: ReceiptFile) -> ResultLeaf:
    leaf = bytes(file.result)
    decode_canonical(leaf, size_max=LEAF_BYTES_MAX)
    return decode_typed(leaf, ResultLeaf)


def _check_inclusion(file: File, _trust: TrustRoot | None) -> str:
    """The result leads to a root that the header carries, or the block's record in its state."""
    if not isinstance(file, ReceiptFile):
        return ""
    header, height = file.header, file.height
    record = None
    if file.block is not None:
        record = _check_system(header, BlockRecord, (f"{height:012d}",), file.block)
    elif header.height != height + 1:
        raise _Failed("the header is not the one after the receipt's block")
    root = compute_root_from_path(bytes(file.result), file.path)
    if file.transaction is None:
        if record is None or encode_base64url(root) != record.deadlines:
            raise _Failed("the result is not among the deadlines of the block")
        return f"the result is among the deadlines that block {height} fired"
    own = file.transaction
    result = ExecTxResult(code=own.code, data=root, gas_used=own.cost)
    results = compute_root_from_path(result.encode(), own.path)
    carried = encode_base64url(header.last_results_hash) if record is None else record.results
    if encode_base64url(results) != carried:
        raise _Failed("the result is not among the results of the block")
    return f"the result is among the results of block {height}"


def _check_result(file: File, _trust: TrustRoot | None) -> str:
    if not isinstance(file, ReceiptFile):
        return ""
    leaf = _read_leaf(file)
    message = bytes(file.message)
    if message != _NULL and encode_base64url(sha256(message)) != leaf.message:
        raise _Failed("the message shown is not the one that was decided")
    events = file.events
    if (
        events is not None
        and encode_base64url(merkle_root([bytes(e) for e in events])) != leaf.events
    ):
        raise _Failed("the events shown are not those that were announced")
    _load(file.message, MESSAGE_BYTES_MAX)
    shown = "the message is shown" if message != _NULL else "the message is not shown"
    what = leaf.type or "an invalid transaction"
    if leaf.code == OK:
        return show(f"ACCEPTED: {what} in transaction {leaf.tx}; {shown}")
    params = ", ".join(f"{name}={value}" for name, value in sorted(leaf.params.items()))
    return show(f"REJECTED with {leaf.code} ({params}): {what} in transaction {leaf.tx}; {shown}")


def _check_standing(file: File, _trust: TrustRoot | None) -> str:
    """The signer's key, account and member as at the receipt's height, from their records."""
    if not isinstance(file, ReceiptFile):
        return ""
    leaf = _read_leaf(file)
    if file.transaction is None or not leaf.sender:
        if file.standing is not None:
            raise _Failed("the file names a signer where there is none")
        return "the ledger itself decided: nobody signed" if leaf.type else "no signer was valid"
    if file.standing is None:
        raise _Failed("the file does not prove who signed")
    did, _, key_id = leaf.sender.partition("#")
    account = _check_system(file.header, Account, (did,), file.standing.account)
    member = _check_system(file.header, Member, (account.member,), file.standing.member)
    # Within a block standing may change after the message: then it held when the block began.
    if not any(_held(account, member, key_id, at) for at in (file.height, file.height - 1)):
        raise _Failed(f"{leaf.sender} was not in good standing at height {file.height}")
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


def _check_state(file: File, _trust: TrustRoot | None) -> str:
    if not isinstance(file, ProofFile):
        return ""
    if file.header.height != file.height + 1:
        raise _Failed("the header does not carry the state of the height that the file names")
    key = file.key.encode("ascii")
    app, *rest = file.key.split("/")
    if len(key) > KEY_BYTES_MAX or len(rest) < 2 or not all(map(is_key_part, (app, *rest))):
        raise _Failed("no state has a key like this")
    record = bytes(file.record)
    is_absent = record == _NULL
    _load(file.record, RECORD_BYTES_MAX)
    verify_state_proof(file.header.app_hash, key, None if is_absent else record, file.proof)
    if is_absent:
        return f"the state after block {file.height} has no {file.key}"
    return f"the state after block {file.height} has {file.key}"


def _check_identifier(find_record: FindRecord, file: File, _trust: TrustRoot | None) -> str:
    if not isinstance(file, ProofFile):
        return ""
    try:
        return check_identifier(find_record, file.key, is_absent=bytes(file.record) == _NULL)
    except UnknownKind as why:
        raise _Unjudged(str(why)) from why


Check = Callable[[File, TrustRoot | None], str]
_STEPS: Final[tuple[tuple[str, Check], ...]] = (
    ("trust root", _check_trust),
    ("validators", _check_validators),
    ("header", _check_header),
    ("inclusion", _check_inclusion),
    ("result", _check_result),
    ("standing", _check_standing),
    ("state", _check_state),
)


def _load(raw: msgspec.Raw, size_max: int) -> Any:
    return decode_canonical(bytes(raw), size_max=size_max)


def show(text: str, size_max: int = SHOWN_MAX) -> str:
    """Text from a file, safe at a terminal: nothing unprintable, nothing endless."""
    cut = text if len(text) <= size_max else text[:size_max] + "…"
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in cut)
