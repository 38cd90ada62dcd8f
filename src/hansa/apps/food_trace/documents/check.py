"""What is wrong with an EPCIS file: every broken rule with id, flag and place; it never dies.

Start at `check_document` (bytes) or `check_files` (paths, for `hansa food-trace check`).
"""

import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from hansa.apps.food_trace.documents.document import EpcisDocument
from hansa.apps.food_trace.documents.hash_id import compute_hash_id
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.normal import NormalEvent, load_normal
from hansa.apps.food_trace.documents.rulebook import DocumentRefused, Failure, make_failure
from hansa.apps.food_trace.documents.strict_json import DOCUMENT_BYTES_MAX

Verdict = Literal["valid", "invalid", "unjudged"]


class CheckReport(msgspec.Struct, frozen=True):
    """One file's outcome. `invalid`: a fatal rule is broken; `unjudged`: it is not readable.

    `kind` is what the file is ("" when it is not readable), `events` how many it holds.
    """

    file: str
    verdict: Verdict
    failures: tuple[Failure, ...]
    kind: str = ""
    events: int = 0


def check_document(data: bytes, filename: str) -> CheckReport:
    """Judge one document, event or query. Raises nothing for any bytes."""
    try:
        document = read_document(data)
    except DocumentRefused as refused:
        failure = Failure(refused.rule, "fatal", refused.path, refused.text)
        return CheckReport(filename, "unjudged", (failure,))
    failures = (*document.all_failures(), *_check_hash_ids(document))
    verdict: Verdict = "valid" if document.is_valid else "invalid"
    return CheckReport(filename, verdict, failures, document.kind, len(document.events))


def _check_hash_ids(document: EpcisDocument) -> Iterator[Failure]:
    """A hash id that is not the event's: told, not refused, for drafts computed others."""
    for event in document.events:
        if event.is_valid and _claims_hash(event):
            expected = compute_hash_id(load_normal(event.document))
            if expected != event.event_id:
                name = "eventID" if document.syntax == "xml" else "/eventID"
                path = f"{event.path.rstrip('/')}/{name.lstrip('/')}"
                failure = make_failure("CBV-HASH-ID", path)
                yield msgspec.structs.replace(failure, text=f"{failure.text}: {expected}")


def _claims_hash(event: NormalEvent) -> bool:
    return not event.is_hashed and event.event_id.startswith("ni:///sha-256;")


def check_files(files: Iterable[str]) -> Iterator[CheckReport]:
    """Judge files one after another, in order; what can't be read is `unjudged`.

    `-` is the standard input. What is no regular file (a pipe, a device) is not opened: it might
    never end.
    """
    for name in files:
        try:
            data = sys.stdin.buffer.read(DOCUMENT_BYTES_MAX + 1) if name == "-" else read_file(name)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a file name"
            failure = Failure("FILE-UNREADABLE", "fatal", "/", reason)
            yield CheckReport(name, "unjudged", (failure,))
        else:
            yield check_document(data, name)


def read_file(name: str) -> bytes:
    """A regular file, or one byte more than a document may have. Raises OSError, ValueError."""
    mode = Path(name).stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a pipe, a device or a socket"
        raise OSError(0, f"{kind} is not read: only regular files are")
    with Path(name).open("rb") as stream:
        return stream.read(DOCUMENT_BYTES_MAX + 1)


def format_report(report: CheckReport) -> Iterator[str]:
    """A report in lines: the verdict, then rule, flag, place and words of each failure."""
    fatal = [failure for failure in report.failures if failure.flag == "fatal"]
    warnings = len(report.failures) - len(fatal)
    noted = f", {_count(warnings, 'warning')}" if warnings else ""
    holds = f"{report.kind.replace('_', ' ')}, {_count(report.events, 'event')}"
    summary = {
        "valid": f"valid ({holds}{noted})",
        "invalid": f"invalid ({_count(len({each.rule for each in fatal}), 'rule')} broken{noted})",
        "unjudged": "could not be judged",
    }
    yield _show(f"{report.file}: {summary[report.verdict]}")
    for failure in report.failures:
        yield _show(f"  {failure.rule} ({failure.flag}) at {failure.path}")
        yield _show(f"    {failure.text}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show(text: str) -> str:
    """Text on one line of a terminal, whatever control characters a hostile file holds."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
