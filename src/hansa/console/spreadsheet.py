"""Rows as CSV (RFC 4180), with nothing in them that a spreadsheet would run. Pure."""

from collections.abc import Iterable
from typing import Final

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_QUOTED: Final = frozenset('",\r\n')
# So that spreadsheets read UTF-8.
BOM: Final = b"\xef\xbb\xbf"


def write_row(cells: Iterable[str | int | None]) -> bytes:
    """One line. Numbers are given as int, or as text that is a plain number; text that begins like
    a formula gets an apostrophe before it.
    """
    return (",".join(_write_cell(cell) for cell in cells) + "\r\n").encode()


def _write_cell(cell: str | int | None) -> str:
    if cell is None:
        return ""
    text = str(cell)
    if isinstance(cell, str) and text.lstrip().startswith(_FORMULA) and not is_number(text):
        text = "'" + text
    if not _QUOTED.isdisjoint(text) or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def is_number(text: str) -> bool:
    """Whether a text is a plain decimal number: it runs nothing, and is to be added up."""
    digits = text.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
