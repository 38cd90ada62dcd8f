"""`hansa food-trace capture FILE…`: read, judge, sign in bulk, wait; and go on after a stop.

The ledger itself knows an event that it has (I6), so whatever was sent before a stop may be sent
again. The journal only says how far each file is, and what of it was refused.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.appkit.command import Door, Outcome
from hansa.apps.food_trace.commands.hiding import Hider, SecretLost
from hansa.apps.food_trace.commands.reading import FileRead, list_files, read_capture
from hansa.apps.food_trace.model import Capture, CaptureEvent
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.primitives.limits import MESSAGES_MAX, TRANSACTION_BYTES_MAX

JOURNAL: Final = "capture"
ALREADY: Final = "food_trace.already_captured"
# base64 of the payload, and room for envelope and signatures.
BATCH_BYTES_MAX: Final = TRANSACTION_BYTES_MAX * 3 // 4 - 4_096
# Told to people one by one; all of them are in the JSON answer.
LINES_MAX: Final = 20


class Work(msgspec.Struct):
    """One event on its way. `state`: invalid, ready, captured, refused, waiting (not sent)."""

    number: int
    event: str
    key: str = ""
    document: str = ""
    state: str = "ready"
    failures: tuple[Any, ...] = ()
    outcome: Outcome | None = None
    again: bool = False


class FileWork(msgspec.Struct):
    """One file on its way. `state`: unreadable, invalid (nothing of it is sent), done."""

    file: str
    state: str = "done"
    failures: tuple[Any, ...] = ()
    events: list[Work] = []
    mark: str = ""

    def count(self, state: str) -> int:
        """How many of its events are in that state."""
        return sum(work.state == state for work in self.events)


class Capturing:
    """One run of the command."""

    def __init__(self, door: Door, *, hide: bool, atomic: bool) -> None:
        self.door = door
        self.journal = door.journal(JOURNAL)
        self.hider = Hider(door, self.journal) if hide else None
        self.atomic = atomic
        self.counts = {"captured": 0, "refused": 0}

    def run(self, file: str, tell: "Progress") -> FileWork:
        """All that can be captured of one file."""
        read = read_capture(file)
        work = FileWork(file, read.state, read.failures)
        if read.state != "done":
            return work
        work.mark = self._mark(read)
        work.events = [self._prepare(number, each) for number, each in enumerate(read.events)]
        if self.atomic and work.count("invalid"):
            work.state = "invalid"
            return work
        self._skip(work)
        waiting = [each for each in work.events if each.state == "ready"]
        for batch in self._split(work, waiting):
            if not self._send(work, batch):
                break
            tell.add(read.size * len(batch) // max(len(waiting), 1))
        for each in waiting:
            each.state = "waiting" if each.state == "ready" else each.state
        return work

    def _mark(self, read: FileRead) -> str:
        if self.hider is not None:
            return f"file:{self.hider.name(read.data)}"
        return f"file:{sha256(read.data).hex()}"

    def _prepare(self, number: int, each: Any) -> Work:
        failures = tuple(msgspec.to_builtins(each.failures))
        if each.event is None:
            return Work(number, each.event_id, state="invalid", failures=failures)
        document, event = each.document, each.event
        if self.hider is not None:
            document, event = self.hider.hide(document)
        key = event.key if event.error is None else f"{event.key}#error"
        return Work(number, event.id, key, document, failures=failures)

    def _skip(self, work: FileWork) -> None:
        """What an earlier run is known to have captured is not sent again."""
        known = self.journal.get(work.mark)
        if known is None and not self.atomic:
            return
        done, refused = (known["done"], set(known["refused"])) if known else (0, set())
        for each in work.events:
            was_done = each.number < done and each.number not in refused
            if each.state == "ready" and (was_done or (self.atomic and self._is_there(each))):
                each.state, each.again = "captured", True

    def _is_there(self, each: Work) -> bool:
        found = self.door.record("food_trace", Capture, each.key)
        return isinstance(found, Capture) and found.document == each.document

    def _split(self, work: FileWork, waiting: Sequence[Work]) -> Iterator[list[Work]]:
        """Batches within the limits of one transaction; one batch, or a refusal, if atomic."""
        batch: list[Work] = []
        size = 0
        for each in waiting:
            length = len(encode_canonical(CaptureEvent(document=each.document))) + 100
            if batch and (len(batch) == MESSAGES_MAX or size + length > BATCH_BYTES_MAX):
                if self.atomic:
                    _refuse_size(work)
                    return
                yield batch
                batch, size = [], 0
            batch.append(each)
            size += length
        if batch:
            yield batch

    def _send(self, work: FileWork, batch: Sequence[Work]) -> bool:
        """Sign, send, wait, and note how far the file is; False when the door took none of it."""
        messages: list[Message] = [CaptureEvent(document=each.document) for each in batch]
        _identity, data = self.door.prepare(messages, "atomic" if self.atomic else "independent")
        outcomes = self.door.wait(self.door.send(data))
        is_taken = len(outcomes) == len(batch) and all(each.height for each in outcomes)
        if not is_taken:  # one answer for all: a quota that is spent, a freeze, an expiry
            outcomes = [msgspec.structs.replace(outcomes[0], index=n) for n in range(len(batch))]
        for each, outcome in zip(batch, outcomes, strict=True):
            each.outcome = outcome
            each.again = outcome.code == ALREADY
            each.state = "captured" if outcome.code in (OK, ALREADY) else "refused"
            self.counts[each.state] += 1
        if is_taken:
            self._note(work, batch[-1].number + 1)
        return is_taken

    def _note(self, work: FileWork, done: int) -> None:
        known = self.journal.get(work.mark)
        done = max(done, known["done"] if known else 0)
        left = [each.number for each in work.events[:done] if each.state != "captured"]
        self.journal.set(work.mark, {"done": done, "refused": left})


def _refuse_size(work: FileWork) -> None:
    """A document that does not fit into one transaction cannot be captured all or none."""
    work.state = "invalid"
    text = f"more than {MESSAGES_MAX} events, or too many bytes, for one transaction"
    work.failures = ({"rule": "CAPTURE-ATOMIC", "flag": "fatal", "path": "/", "text": text},)


class Progress:
    """Bytes of all files, as they are done. The end is told once: with the last file's."""

    def __init__(self, door: Door, sizes: Sequence[int], counts: dict[str, int]) -> None:
        self._door, self._total, self._counts = door, max(sum(sizes), 1), counts
        self._before = self._done = 0
        self._left = len(sizes)

    def add(self, size: int) -> None:
        """So many bytes more of the file at hand."""
        self._done += size
        self._tell()

    def end_file(self, size: int) -> None:
        """The file at hand is done, all of its bytes."""
        self._before += size
        self._done = self._before
        self._left -= 1
        self._tell()

    def _tell(self) -> None:
        told = f"bytes, {self._counts['captured']} events captured"
        if self._counts["refused"]:
            told += f", {self._counts['refused']} refused"
        done = self._total if self._left == 0 else min(self._done, self._total - 1)
        self._door.output.progress(done, self._total, told)


def capture_files(door: Door, files: Sequence[str], *, hide: bool, atomic: bool) -> int:
    """Capture what can be captured, tell of each file; 0 all, 1 some not, 2 some unreadable."""
    try:
        capturing = Capturing(door, hide=hide, atomic=atomic)
    except SecretLost:
        text = "the vault no longer has the secret of what was hidden before"
        door.output.document({"error": {"code": "food_trace.secret_lost", "text": text}})
        door.output.hint(f"✗ {text}\n  next: restore the vault, or capture without --hide")
        return 2
    sizes = list_files(files)
    tell = Progress(door, [sizes[file] for file in files], capturing.counts)
    works = []
    for file in files:
        work = capturing.run(file, tell)
        tell.end_file(sizes[file])
        works.append(work)
        for line in format_file(work):
            door.output.line(line)
        for each in work.events:
            each.document = ""
    door.output.document([_describe(work) for work in works])
    captured = sum(work.count("captured") for work in works)
    events = sum(len(work.events) for work in works)
    door.output.hint(f"{captured} of {events} events captured")
    return judge(works)


def judge(works: Sequence[FileWork]) -> int:
    """The exit code."""
    wrong = ("invalid", "refused", "waiting")
    if any(work.state == "invalid" or any(map(work.count, wrong)) for work in works):
        return 1
    return 2 if any(work.state == "unreadable" for work in works) else 0


def _describe(work: FileWork) -> dict[str, Any]:
    return {
        "file": work.file,
        "state": work.state,
        "failures": list(work.failures),
        "captured": work.count("captured"),
        "events": [_describe_event(each) for each in work.events],
    }


def _describe_event(each: Work) -> dict[str, Any]:
    described: dict[str, Any] = {
        "event": each.event,
        "key": each.key,
        "state": each.state,
        "again": each.again,
        "failures": list(each.failures),
    }
    if each.outcome is not None:
        described |= msgspec.to_builtins(each.outcome)
    return described


def format_file(work: FileWork) -> Iterator[str]:
    """What became of one file, for people."""
    wrong = [each for each in work.events if each.state != "captured"]
    name = Path(work.file).name
    if work.state != "done":
        yield f"✗ {name}: {work.state}"
        yield from _list_failures(work.failures)
    else:
        transactions = {e.outcome.transaction for e in work.events if e.outcome and not e.again}
        again = sum(each.again for each in work.events)
        said = f"{work.count('captured')} of {len(work.events)} events captured"
        said += f", {again} of them before" if again else ""
        said += f" in transaction {min(transactions)}" if len(transactions) == 1 else ""
        said += f" in {len(transactions)} transactions" if len(transactions) > 1 else ""
        yield f"{'✗' if wrong else '✓'} {name}: {said}"
    for each in wrong[:LINES_MAX]:
        if work.state == "done":
            yield f"  ✗ event {each.number + 1} {each.event}: {each.state}"
        yield from _list_failures(each.failures)
        if each.outcome is not None:
            yield f"    {each.outcome.code} (rule {each.outcome.rule}): {each.outcome.text}"
            yield f"    next: {each.outcome.remedy}"
    if len(wrong) > LINES_MAX:
        yield f"  and {len(wrong) - LINES_MAX} more (--json has them all)"


def _list_failures(failures: Sequence[Any]) -> Iterator[str]:
    for failure in failures:
        if failure["flag"] == "fatal":
            yield f"    {failure['rule']} at {failure['path']}: {failure['text']}"
