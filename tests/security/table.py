"""The table "Each route" of docs/security.md: what each door has to answer."""

import re
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from tests.cli.processes import ROOT

PAGE: Final = ROOT / "docs" / "security.md"
TITLE: Final = "## Each route"


class Row(NamedTuple):
    """What the table says: patterns of names, and the refusal in each column."""

    patterns: tuple[str, ...]
    nobody: str
    ended: str
    other: str
    foreign: str


def read_table() -> list[Row]:
    """The rows of the table, in order: the first that fits a door is its own."""
    text = PAGE.read_text("utf-8").partition(TITLE)[2].partition("\n## ")[0]
    rows = []
    for line in text.splitlines():
        cells = [each.strip() for each in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            patterns = tuple(re.findall(r"`([^`]+)`", cells[0]))
            said = [each.split()[0].strip("`,") for each in cells[1:]]
            rows.append(Row(patterns, *said))
    return rows


def find_row(rows: list[Row], name: str) -> Row | None:
    """The row of a door."""
    for row in rows:
        if any(fnmatchcase(name, pattern) for pattern in row.patterns):
            return row
    return None
