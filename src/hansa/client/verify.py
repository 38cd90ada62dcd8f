"""The offline verifier: judges a receipt, proof, checkpoint or bundle. No network, no node.

`STEPS` tells the story: trust root, validators, header, the headers between, what the file claims.
It reads one file of bounded size; whatever is not exactly proved is a no.
"""

import os
import stat
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hansa.client.bundles import BundleFile
from hansa.client.checkpoints import CheckpointFile
from hansa.client.claims import (
    NULL,
    check_inclusion,
    check_known,
    check_result,
    check_standing,
    check_state,
    load_json,
    read_leaf,
)
from hansa.client.foundation import (
    Case,
    File,
    check_header,
    check_headers,
    check_path,
    check_root,
    check_validators,
    name_root,
)
from hansa.client.receipts import FILE_BYTES_MAX, ProofFile, ReceiptFile, encode_file
from hansa.client.record_kinds import FindRecord, find_record
from hansa.client.trust import Root, TrustError
from hansa.client.verdict import (
    FAILURES,
    Failed,
    Outcome,
    Step,
    Unjudged,
    Verdict,
    describe_failure,
    show,
)
from hansa.comet.light import RULES, Rules
from hansa.comet.wire import Timestamp
from hansa.encoding.json_faults import NOT_JSON
from hansa.ledger.receipts import OK
from hansa.primitives.limits import MESSAGE_BYTES_MAX, RECORD_BYTES_MAX

if TYPE_CHECKING:  # loaded for bundles only
    from hansa.identity.report import Policy

FindTrust = Callable[[str], Sequence[Root]]
Check = Callable[[Case], str]
STEPS: Final[tuple[tuple[str, Check], ...]] = (
    ("trust root", check_root),
    ("validators", check_validators),
    ("header", check_header),
    ("headers", check_headers),
    ("trust path", check_path),
    ("inclusion", check_inclusion),
    ("result", check_result),
    ("standing", check_standing),
    ("state", check_state),
)
_KINDS: Final = {
    ReceiptFile: "receipt",
    ProofFile: "state proof",
    CheckpointFile: "checkpoint",
    BundleFile: "bundle",
}
_decoder = msgspec.json.Decoder(File)


def verify_file(
    path: Path,
    find_trust: FindTrust,
    find_record: FindRecord = find_record,
    *,
    now: Timestamp | None = None,
    rules: Rules = RULES,
    policy: "Policy | None" = None,
    at_ms: int | None = None,
) -> Verdict:
    """Judge the file at `path`. `find_trust` gives the trust roots of a chain id, newest first;
    `find_record` the type of a kind of records, else UnknownKind. now: this machine's clock.
    policy, at_ms: what is asked of a bundle's credential, as at when (None: now).
    """
    try:
        data = _read(path)
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        text = f"cannot read the file: {getattr(error, 'strerror', None) or error}"
        return Verdict(outcome="could_not_judge", steps=(Step("file", None, text),))
    return _judge(data, find_trust, find_record, now, rules, policy, at_ms)


def verify_receipt(
    data: bytes,
    trust: Root | Sequence[Root] | None,
    find_record: FindRecord = find_record,
    *,
    now: Timestamp | None = None,
    rules: Rules = RULES,
    policy: "Policy | None" = None,
    at_ms: int | None = None,
) -> Verdict:
    """Judge the bytes of a receipt, proof, checkpoint or bundle file, by one trust root or several
    (newest first). Without one it never says yes (D22).
    """
    roots = () if trust is None else trust if isinstance(trust, Sequence) else (trust,)
    return _judge(data, lambda _chain: roots, find_record, now, rules, policy, at_ms)


def _judge(
    data: bytes,
    find_trust: FindTrust,
    find_record: FindRecord,
    now: Timestamp | None,
    rules: Rules,
    policy: "Policy | None",
    at_ms: int | None,
) -> Verdict:
    try:
        file = _decode(data)
    except Failed as failure:
        return Verdict(outcome="no", steps=(Step("file", False, str(failure)),))
    roots, why_not = _find_roots(file.chain, find_trust)
    case = Case(file, roots, why_not, now or Timestamp.from_ns(time.time_ns()), rules)
    steps = [Step("file", True, f"a {_KINDS[type(file)]} in canonical form, {len(data)} bytes")]
    identifier: Check = partial(check_known, find_record)
    for name, check in (*STEPS, ("identifier", identifier)):
        if not any(step.ok is False for step in steps):
            step = _take(name, check, case)
            if step is not None:
                steps.append(step)
    content = None
    if isinstance(file, BundleFile) and not any(step.ok is False for step in steps):
        from hansa.client.bundle_verdict import judge_bundle  # receipts need none of it

        found, content = judge_bundle(file, case.now.ms if at_ms is None else at_ms, policy)
        steps.extend(found)
    return _conclude(case, tuple(steps), content)


def _take(name: str, check: Check, case: Case) -> Step | None:
    """Run one check; None when it does not concern this kind of file."""
    try:
        text = check(case)
    except Unjudged as why:
        return Step(name, None, show(str(why)))
    except FAILURES as failure:
        return Step(name, False, describe_failure(failure))
    return Step(name, True, show(text)) if text else None


def _conclude(case: Case, steps: tuple[Step, ...], content: Any) -> Verdict:
    file, root = case.file, case.root
    oks = {step.ok for step in steps}
    outcome: Outcome = "no" if False in oks else "could_not_judge" if None in oks else "yes"
    plain = Verdict(
        outcome=outcome,
        steps=steps,
        kind=_KINDS[type(file)],
        chain=file.chain,
        height=file.height,
    )
    if outcome == "no":
        return plain
    if root is not None:
        plain = msgspec.structs.replace(
            plain,
            trusted=name_root(root),
            trusted_height=root.height,
            followed=len(case.list_headers()),
        )
    if isinstance(file, CheckpointFile | BundleFile):
        return msgspec.structs.replace(plain, content=content if outcome == "yes" else None)
    if isinstance(file, ProofFile):
        content = load_json(file.record, RECORD_BYTES_MAX)
        there = bytes(file.record) != NULL
        return msgspec.structs.replace(plain, key=file.key, there=there, content=content)
    leaf = read_leaf(file)
    content = load_json(file.message, MESSAGE_BYTES_MAX)
    return msgspec.structs.replace(plain, accepted=leaf.code == OK, code=leaf.code, content=content)


def _find_roots(chain: str, find_trust: FindTrust) -> tuple[tuple[Root, ...], str]:
    try:
        roots = tuple(find_trust(chain))
    except TrustError as error:
        return (), show(error.text)
    return roots, f"no trust root is pinned for chain {show(chain)}: hansa trust add GENESIS"


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
        raise Failed(f"larger than any receipt, which has at most {FILE_BYTES_MAX} bytes")
    try:
        file: File = _decoder.decode(data)
        again = encode_file(file)
    except NOT_JSON as error:
        raise Failed(f"not a receipt, proof, checkpoint or bundle: {show(str(error))}") from error
    if again != data:
        raise Failed("not in canonical form: it was changed, or written by something else")
    return file


__all__ = ["FindTrust", "Outcome", "Step", "Verdict", "show", "verify_file", "verify_receipt"]
