"""What is wrong with an invoice file: every broken rule with id, flag and place; it never dies.

Start at `check_document` (bytes) or `check_files` (paths, for `hansa e-invoice check`).
"""

import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from lxml import etree

from hansa.apps.e_invoice.documents.cii import convert_cii
from hansa.apps.e_invoice.documents.fapiao import check_fapiao
from hansa.apps.e_invoice.documents.rulebook import Failure, check_rules
from hansa.apps.e_invoice.documents.sources import Source, read_source
from hansa.apps.e_invoice.documents.xml_source import (
    DOCUMENT_BYTES_MAX,
    DocumentRefused,
    Places,
)

Verdict = Literal["valid", "invalid", "unjudged"]


class CheckReport(msgspec.Struct, frozen=True):
    """One file's outcome. `invalid`: a fatal rule is broken; `unjudged`: it is not readable."""

    file: str
    verdict: Verdict
    failures: tuple[Failure, ...]


def check_document(data: bytes, filename: str) -> CheckReport:
    """Judge one document, whole or a fragment, by all the rules of its syntax.

    UBL and CII by EN 16931; a 数电票 by the rules of `fapiao.py`. Raises nothing for any bytes.
    """
    try:
        failures = tuple(_check_source(read_source(data)))
    except DocumentRefused as refused:
        failure = Failure(refused.rule, "fatal", refused.path, refused.text)
        return CheckReport(filename, "unjudged", (failure,))
    is_broken = any(failure.flag == "fatal" for failure in failures)
    return CheckReport(filename, "invalid" if is_broken else "valid", failures)


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


def format_count(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def format_report(report: CheckReport) -> Iterator[str]:
    """A report in lines: the verdict, then rule, flag, place and words of each failure."""
    fatal = {failure.rule for failure in report.failures if failure.flag == "fatal"}
    broken = format_count(len(fatal), "rule")
    warnings = sum(failure.flag != "fatal" for failure in report.failures)
    summary = {
        "valid": "valid" + (f" ({format_count(warnings, 'warning')})" if warnings else ""),
        "invalid": f"invalid ({broken} broken"
        + (f", {format_count(warnings, 'warning')})" if warnings else ")"),
        "unjudged": "could not be judged",
    }
    yield _show(f"{report.file}: {summary[report.verdict]}")
    for failure in report.failures:
        yield _show(f"  {failure.rule} ({failure.flag}) at {failure.path}")
        yield _show(f"    {failure.text}")


def _show(text: str) -> str:
    """Text on one line of a terminal, whatever control characters a hostile file holds."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _check_source(source: Source) -> Iterator[Failure]:
    if source.syntax == "fapiao":
        places = Places(source.root)
        for rule, flag, element, text in check_fapiao(source.root):
            yield Failure(rule, flag, places.of(element), text)
    elif source.syntax == "ubl":
        yield from check_rules(source.root)
    else:
        yield from _check_cii(source.root)


def _check_cii(root: etree._Element) -> Iterator[Failure]:
    """The rules about what the invoice says; those about UBL's own elements don't apply."""
    converted = convert_cii(root)
    for failure in check_rules(converted.root):
        if not failure.rule.startswith(("UBL-CR-", "UBL-DT-", "UBL-SR-")):
            place = converted.find_origin(failure.path)
            yield Failure(failure.rule.replace("UBL-", "CII-"), failure.flag, place, failure.text)
