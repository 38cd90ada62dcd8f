"""The offline judge of evidence files: receipt, entry, items, documents, time-stamps. No network.

Each step is passed, failed or not judged, as for receipts (`client.verify`), whose judge it asks.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec
from cryptography import x509

from hansa.client.claims import read_leaf
from hansa.client.evidence import (
    EvidenceFile,
    WrongEvidence,
    build_message,
    decode_evidence,
    find_item,
)
from hansa.client.receipts import ProofFile, ReceiptFile
from hansa.client.timestamps import WrongToken, check_token
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
from hansa.client.verify import FindTrust, verify_receipt
from hansa.comet.light import RULES, Rules
from hansa.comet.wire import Timestamp
from hansa.contracts.evidence.model import CreateEvidence, EvidenceSignature
from hansa.crypto.merkle import compute_root_from_path, merkle_root

KIND: Final = "evidence"


def verify_evidence(
    data: bytes,
    find_trust: FindTrust,
    *,
    documents: Mapping[str, bytes] | None = None,
    authorities: Sequence[x509.Certificate] = (),
    now: Timestamp | None = None,
    rules: Rules = RULES,
) -> Verdict:
    """Judge an evidence file. documents: contents by file name, each held to an item of it.
    authorities: roots for its time-stamps; without them these are not judged.

    `yes`: the value was put on record as the file says, every item stands under it, and each
    document given is one of them. Whether a signature was revoked later is said as at the blocks
    whose proofs the file has, if any.
    """
    try:
        file = decode_evidence(data)
    except WrongEvidence as error:
        return _conclude(None, (Step("file", False, show(error.text)),))
    steps = [Step("file", True, f"an evidence file of {len(file.items)} of {file.total} items")]
    steps.extend(_judge_receipt(file, find_trust, now, rules))
    checks: list[tuple[str, Callable[[], str]]] = [
        ("entry", partial(_check_entry, file)),
        ("items", partial(_check_items, file)),
    ]
    for name, content in (documents or {}).items():
        checks.append((f"document {show(name)}", partial(_check_document, file, name, content)))
    for number, token in enumerate(file.tokens, 1):
        checks.append((f"time-stamp {number}", partial(_check_stamp, file, token, authorities)))
    steps.extend(_take(name, check) for name, check in checks)
    steps.extend(_judge_proofs(file, find_trust, now, rules))
    return _conclude(file, tuple(steps))


def _judge_proofs(
    file: EvidenceFile, find_trust: FindTrust, now: Timestamp | None, rules: Rules
) -> tuple[Step, ...]:
    """One step for each signature whose state the file proves: whether it stood at that block."""
    steps = []
    prefix = f"{KIND}/{EvidenceSignature.KIND}/{file.owner}/{file.id}/"
    for proof in file.proofs:
        try:
            roots = tuple(find_trust(file.chain))
        except TrustError as error:
            return (Step("signatures", None, show(error.text)),)
        verdict = verify_receipt(bytes(proof), roots, now=now, rules=rules)
        signer = verdict.key.removeprefix(prefix)
        name = f"signature of {show(signer)}" if signer else "signature"
        if verdict.outcome != "yes":
            bad = next(step for step in verdict.steps if step.ok is not True)
            steps.append(Step(name, bad.ok, f"{bad.name}: {bad.text}"))
        elif signer == verdict.key or not verdict.there:
            steps.append(Step(name, False, f"the proof is of {show(verdict.key)}"))
        else:
            steps.append(_take(name, partial(_check_standing, proof, verdict)))
    return tuple(steps)


def _check_standing(proof: msgspec.Raw, verdict: Verdict) -> str:
    """Revoked is a no: the signer does not stand by it any more."""
    last = msgspec.convert(verdict.content, EvidenceSignature).stands[-1]
    if last.until_ms is not None:
        raise Failed(f"REVOKED since {_show_time(last.until_ms // 1_000)} ({last.reason})")
    time = msgspec.json.decode(proof, type=ProofFile).header.time
    return f"it stood after block {verdict.height}, at {_show_time(time.seconds)}"


def _show_time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _judge_receipt(
    file: EvidenceFile, find_trust: FindTrust, now: Timestamp | None, rules: Rules
) -> tuple[Step, ...]:
    """The steps of the receipt's own judge, and whether it proves an acceptance on this chain."""
    if not file.is_recorded:
        text = "the file has no receipt yet: hansa evidence finish FILE"
        return (Step("receipt", None, text),)
    roots: tuple[Root, ...] = ()
    try:
        roots = tuple(find_trust(file.chain))
    except TrustError as error:
        return (Step("receipt", None, show(error.text)),)
    verdict = verify_receipt(bytes(file.receipt), roots, now=now, rules=rules)
    steps = tuple(Step(f"receipt, {each.name}", each.ok, each.text) for each in verdict.steps)
    if verdict.outcome == "no":
        return steps
    if verdict.chain != file.chain:
        return (*steps, Step("receipt", False, f"it is of chain {show(verdict.chain)}"))
    if not verdict.accepted:
        return (*steps, Step("receipt", False, f"the ledger refused it: {show(verdict.code)}"))
    return steps


def _check_entry(file: EvidenceFile) -> str:
    """The receipt is of the message that put exactly this on record, by the owner named."""
    if not file.is_recorded:
        raise Unjudged("there is no receipt to compare with")
    receipt = msgspec.json.decode(bytes(file.receipt), type=ReceiptFile)
    message = msgspec.json.decode(bytes(receipt.message))
    if not isinstance(message, dict) or (message.get("app"), message.get("type")) != (
        KIND,
        CreateEvidence.__name__,
    ):
        raise Failed("the receipt is of another message, or does not show it")
    if msgspec.convert(message.get("body"), CreateEvidence) != build_message(file):
        raise Failed("the receipt is of other evidence")
    owner = read_leaf(receipt).sender.partition("#")[0]
    if owner != file.owner:
        raise Failed(f"it was put on record by {owner}, not by the owner that the file names")
    time = _show_time(receipt.header.time.seconds)
    return f"{owner} put it on record by {time}, in block {receipt.height}"


def _check_items(file: EvidenceFile) -> str:
    """Every item stands under the value."""
    if file.form != "root":
        is_it = file.total == 1 and file.is_whole and file.items[0].value == file.value
        if not is_it or (file.form == "digest") != (file.items[0].salt is None):
            raise Failed("the item is not what is on record")
        return "the item is what is on record"
    if file.is_whole:
        if merkle_root([item.value for item in file.items]) != file.value:
            raise Failed("the items do not lead to the root on record")
        return f"all {file.total} items lead to the root on record"
    for item in file.items:
        if compute_root_from_path(item.value, item.path) != file.value:
            raise Failed(f"{item.name} does not lead to the root on record")
    return f"{len(file.items)} of {file.total} items lead to the root on record"


def _check_document(file: EvidenceFile, name: str, content: bytes) -> str:
    """The document is one of the items."""
    item = find_item(file, content, name)
    if item is None:
        raise Failed("it is none of the documents that were committed to")
    is_same = "" if item.name == name else f" (there called {item.name})"
    return f"it is what was committed to{is_same}, to the last bit"


def _check_stamp(file: EvidenceFile, token: bytes, authorities: Sequence[x509.Certificate]) -> str:
    if not authorities:
        raise Unjudged("no time-stamping authority is trusted here: give its root with --tsa")
    try:
        return f"stamped at {check_token(token, file.value, authorities).describe()}"
    except WrongToken as error:
        raise Failed(f"{error.reason}: {error.text}") from error


def _take(name: str, check: Callable[[], str]) -> Step:
    try:
        return Step(name, True, show(check()))
    except Unjudged as why:
        return Step(name, None, show(str(why)))
    except msgspec.MsgspecError as error:
        return Step(name, False, show(str(error)))
    except FAILURES as failure:
        return Step(name, False, describe_failure(failure))


def _conclude(file: EvidenceFile | None, steps: tuple[Step, ...]) -> Verdict:
    oks = {step.ok for step in steps}
    outcome: Outcome = "no" if False in oks else "could_not_judge" if None in oks else "yes"
    if file is None:
        return Verdict(outcome=outcome, steps=steps)
    return Verdict(outcome=outcome, steps=steps, kind=KIND, chain=file.chain)
