"""A subject's log of accesses as a file: who read what, when, under which grant, proved whole.

The ledger's proof of the log (how many accesses, and the head that binds them) with every access;
whoever leaves one out, adds or changes one, comes to another head (`consents`, rule C6). Pure.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from hansa.client.receipts import FILE_BYTES_MAX
from hansa.client.trust import Root
from hansa.client.verdict import Step, Verdict
from hansa.client.verify import verify_receipt
from hansa.comet.light import RULES, Rules
from hansa.comet.wire import Timestamp
from hansa.contracts.consents.model import Access, AccessLog, compute_head

# 4 MB of proof and 10,000 accesses of a kilobyte and a half.
LOG_BYTES_MAX: Final = FILE_BYTES_MAX + 16_000_000


class AccessLogFile(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="kind",
    tag="hansa.access_log/1",
):
    """`log`: text of the proof file of `consents/access_log/SUBJECT`; `accesses`: all of them."""

    accesses: tuple[Access, ...]
    log: str


def build_log_file(proof: bytes, accesses: Sequence[Access]) -> bytes:
    """The file's bytes."""
    file = AccessLogFile(accesses=tuple(accesses), log=proof.decode())
    return msgspec.json.encode(file, order="sorted")


def verify_log(
    data: bytes,
    trust: Root | Sequence[Root] | None,
    *,
    now: Timestamp | None = None,
    rules: Rules = RULES,
) -> tuple[Verdict, tuple[Access, ...]]:
    """Judge a log's file: the verdict, and the accesses when it is yes.

    `yes`: these are all accesses of the subject up to the verdict's height. It never says so
    without a pinned trust root (D22).
    """
    try:
        if len(data) > LOG_BYTES_MAX:
            raise ValueError("too large")
        file = msgspec.json.decode(data, type=AccessLogFile)
        proof = file.log.encode()
    except (ValueError, RecursionError) as error:
        return _refuse("file", f"no log of accesses: {error}"[:200]), ()
    verdict = verify_receipt(proof, trust, now=now, rules=rules)
    if verdict.outcome == "no":
        return verdict, ()
    why_not = _judge_accesses(verdict, file)
    step = Step("accesses", not why_not, why_not or f"all {len(file.accesses)}, none left out")
    steps = (*verdict.steps, step)
    if why_not:
        return Verdict(outcome="no", steps=steps, kind="log of accesses"), ()
    judged = msgspec.structs.replace(verdict, steps=steps, kind="log of accesses")
    return judged, file.accesses if judged.outcome == "yes" else ()


def _judge_accesses(verdict: Verdict, file: AccessLogFile) -> str:
    """Why the accesses are not those of the proved log; "" when they are."""
    app, kind, subject = (*verdict.key.split("/"), "", "")[:3]
    if (app, kind) != ("consents", AccessLog.KIND):
        return "the proof is of another record"
    if not verdict.there:
        return "" if not file.accesses else "the ledger has no access of this subject"
    try:
        log = msgspec.convert(verdict.content, type=AccessLog)
    except msgspec.ValidationError:
        return "the proof is of another record"
    head = ""
    for number, access in enumerate(file.accesses, start=1):
        if (access.subject, access.number) != (subject, number):
            return f"what should be access {number} is another"
        head = compute_head(head, access)
    if (len(file.accesses), head) != (log.accesses, log.head):
        return f"they are not the {log.accesses} accesses that the head binds"
    return ""


def _refuse(name: str, text: str) -> Verdict:
    return Verdict(outcome="no", steps=(Step(name, False, text),), kind="log of accesses")
