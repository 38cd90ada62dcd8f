"""`hansa e-invoice issue FILE…`: check, store, sign in bulk, wait; and go on after an interruption.

The journal says before each step what is about to happen: content in the vault, signed bytes, sent.
Sent bytes are sent again as they are, so nothing is issued twice; were the journal lost, the ledger
itself would refuse the number (I1). The journal has no digest of a document, which could be guessed
after an erasure: a document is known again by comparing it with what the vault holds.
"""

import base64
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final

import msgspec

from hansa.appkit.command import Door, Outcome
from hansa.apps.e_invoice.commands.parties import Parties, PartyUnknown, read_map
from hansa.apps.e_invoice.document import InexactNumber, InvoiceDocument
from hansa.apps.e_invoice.documents.check import check_document, read_file
from hansa.apps.e_invoice.documents.importers import import_document
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused
from hansa.apps.e_invoice.issue import build_issue_message
from hansa.apps.e_invoice.model.content import compute_invoice_id
from hansa.apps.e_invoice.model.messages import IssueInvoice
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.receipts import OK
from hansa.primitives.limits import MESSAGES_MAX, TRANSACTION_BYTES_MAX

# base64 of the payload, and room for envelope and signatures.
BATCH_BYTES_MAX: Final = TRANSACTION_BYTES_MAX * 3 // 4 - 4_096
JOURNAL: Final = "issue"


class Work(msgspec.Struct):
    """One file on its way. `state`: invalid, unreadable, ready, issued, refused."""

    file: str
    key: str = ""
    data: bytes = b""
    number: str = ""
    invoice: str = ""
    state: str = "unreadable"
    failures: tuple[Any, ...] = ()
    outcome: Outcome | None = None
    message: IssueInvoice | None = None
    again: bool = False


def issue_files(
    door: Door,
    files: Sequence[str],
    seller: str | None = None,
    buyer: str | None = None,
    map: str | None = None,  # noqa: A002  (the option's name)
) -> int:
    """Issue what can be issued, tell of each file; 0 all issued, 1 some refused, 2 unreadable."""
    try:
        names = read_map(map)
    except PartyUnknown as unknown:
        door.output.document({"error": {"code": "e_invoice.map", "text": unknown.text}})
        door.output.hint(f"✗ {unknown.text}\n  next: {unknown.remedy}")
        return 2
    journal = door.journal(JOURNAL)
    parties = Parties(door, seller, buyer, names)
    works = []
    for number, file in enumerate(files, start=1):
        works.append(_examine(file, parties))
        door.output.progress(number, len(files), "checked")
    _mark_twins(works)
    taken: set[str] = set()
    for work in works:
        if work.state == "ready":
            work.key = _find_key(door, journal, work, taken)
            taken.add(work.key)
    _resume(door, journal, works)
    waiting = [work for work in works if work.state == "ready"]
    for work in waiting:
        work.message = _commit_content(door, journal, work, parties)
    done = len(works) - len(waiting)
    for batch in _split(waiting):
        _issue_batch(door, journal, batch)
        done += len(batch)
        door.output.progress(done, len(works), "answered by the ledger")
    return _tell(door, works)


def _examine(file: str, parties: Parties) -> Work:
    """Read and check a file, and find out who its parties are."""
    work = Work(file=file)
    try:
        work.data = read_file(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        return _fail(work, "unreadable", "FILE-UNREADABLE", f"cannot read: {reason}")
    report = check_document(work.data, file)
    work.failures = report.failures
    if report.verdict != "valid":
        work.state = "invalid" if report.verdict == "invalid" else "unreadable"
        return work
    try:
        document = import_document(work.data)
        message = _build(document, parties, commitment="")
    except DocumentRefused as refused:
        return _fail(work, "invalid", refused.rule, refused.text)
    except PartyUnknown as unknown:
        return _fail(work, "refused", "PARTY-UNKNOWN", f"{unknown.text}: {unknown.remedy}")
    except InexactNumber as number:
        return _fail(work, "invalid", "RATE-TOO-FINE", f"a rate with over 4 decimals: {number}")
    content = message.content
    work.number = content.number
    work.invoice = compute_invoice_id(content.standard, content.seller, content.number)
    work.state = "ready"
    return work


def _build(document: InvoiceDocument, parties: Parties, commitment: str) -> IssueInvoice:
    return build_issue_message(
        document,
        seller=parties.find("seller", document.seller),
        buyer=parties.find("buyer", document.buyer),
        commitment=commitment,
    )


def _fail(work: Work, state: str, rule: str, text: str) -> Work:
    work.state = state
    failure = {"rule": rule, "flag": "fatal", "path": "/", "text": text}
    work.failures = (*work.failures, failure)
    return work


def _mark_twins(works: list[Work]) -> None:
    """The same document given twice is issued once."""
    seen: set[tuple[str, bytes]] = set()
    for work in works:
        document = (work.invoice, sha256(work.data))
        if work.state == "ready" and document in seen:
            work.state = "twin"
        seen.add(document)


def _find_key(door: Door, journal: Any, work: Work, taken: set[str]) -> str:
    """The journal's name for this document: its invoice, and which document of that number.

    `taken`: names that other documents of this run have.
    """
    for number in count(1):
        key = f"{work.invoice}#{number}"
        kept = journal.get(f"vault:{key}")
        is_own = kept is None or door.vault.get(kept["entry"]) == work.data
        if is_own and key not in taken:
            return key
    raise AssertionError("count never ends")


def _resume(door: Door, journal: Any, works: list[Work]) -> None:
    """Finish what an earlier run had signed: the same bytes again, and the ledger's answer."""
    for name in list(journal):
        if name.startswith("batch:") and journal.get(name) is not None:
            door.output.hint("going on where the last run stopped")
            entry = journal.get(name)
            _finish(door, journal, name, base64.b64decode(entry["data"]), entry["keys"])
    for work in works:
        done = journal.get(f"done:{work.key}") if work.state == "ready" else None
        if done is not None and done["code"] == OK:
            work.outcome = msgspec.convert(done, type=Outcome)
            work.state, work.again = "issued", True


def _commit_content(door: Door, journal: Any, work: Work, parties: Parties) -> IssueInvoice:
    """Put the document into the vault, once, and make the message that commits to it."""
    kept = journal.get(f"vault:{work.key}")
    if kept is None:
        entry, commitment = door.vault.put(work.data)
        kept = {"entry": entry, "commitment": commitment}
        journal.set(f"vault:{work.key}", kept)
    return _build(import_document(work.data), parties, kept["commitment"])


def _split(works: list[Work]) -> Iterator[list[Work]]:
    """Batches within the limits of one transaction."""
    batch: list[Work] = []
    size = 0
    for work in works:
        length = len(encode_canonical(work.message)) + 100
        if batch and (len(batch) == MESSAGES_MAX or size + length > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(work)
        size += length
    if batch:
        yield batch


def _issue_batch(door: Door, journal: Any, batch: list[Work]) -> None:
    messages = [work.message for work in batch if work.message is not None]
    identity, data = door.prepare(messages, "independent")
    name = f"batch:{identity}"
    keys = [work.key for work in batch]
    journal.set(name, {"data": base64.b64encode(data).decode("ascii"), "keys": keys})
    outcomes = _finish(door, journal, name, data, keys)
    for work, outcome in zip(batch, outcomes, strict=True):
        work.outcome = outcome
        work.state = "issued" if outcome.code == OK else "refused"


def _finish(door: Door, journal: Any, name: str, data: bytes, keys: Sequence[str]) -> list[Outcome]:
    """Send signed bytes, wait, and note each answer. The batch is then done."""
    outcomes = spread(door.wait(door.send(data)), len(keys))
    done = {
        f"done:{key}": msgspec.to_builtins(outcome)
        for key, outcome in zip(keys, outcomes, strict=True)
    }
    journal.update({**done, name: None})
    return outcomes


def spread(outcomes: list[Outcome], count: int) -> list[Outcome]:
    """One outcome per message: a transaction refused as a whole has a single one for all."""
    if len(outcomes) == count:
        return outcomes
    return [msgspec.structs.replace(outcomes[0], index=index) for index in range(count)]


def _tell(door: Door, works: list[Work]) -> int:
    door.output.document([_describe(work) for work in works])
    for work in works:
        door.output.line(_format(work))
    issued = sum(work.state == "issued" for work in works)
    door.output.hint(f"{issued} of {len(works)} issued")
    states = {work.state for work in works}
    if states & {"invalid", "refused"}:
        return 1
    return 2 if "unreadable" in states else 0


def _describe(work: Work) -> dict[str, Any]:
    described: dict[str, Any] = {
        "file": work.file,
        "state": work.state,
        "number": work.number,
        "invoice": work.invoice,
        "failures": msgspec.to_builtins(work.failures),
    }
    if work.outcome is not None:
        described |= msgspec.to_builtins(work.outcome)
    return described


def _format(work: Work) -> str:
    signs = {"issued": "✓", "twin": "·"}
    lines = [f"{signs.get(work.state, '✗')} {work.file}: {_say(work)}"]
    if work.state in ("invalid", "unreadable", "refused"):
        for failure in msgspec.to_builtins(work.failures):
            if failure["flag"] == "fatal":
                lines.append(f"    {failure['rule']} at {failure['path']}: {failure['text']}")
    outcome = work.outcome
    if outcome is not None and outcome.code != OK:
        lines.append(f"    {outcome.code} (rule {outcome.rule}): {outcome.text}")
        lines.append(f"    next: {outcome.remedy}")
    return "\n".join(lines)


def _say(work: Work) -> str:
    if work.state == "issued" and work.outcome is not None:
        place = f"transaction {work.outcome.transaction} message {work.outcome.index}"
        return f"{'was already issued' if work.again else 'issued'} as {work.invoice}, {place}"
    words = {"twin": "the same document as one before", "unreadable": "could not be read"}
    return words.get(work.state, work.state)
