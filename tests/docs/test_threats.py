"""docs/security.md names a test for each threat: those tests are there."""

import re

from tests.cli.processes import ROOT
from tests.security.table import read_table

PAGE = ROOT / "docs" / "security.md"
ROOMS = ("security", "soak")
# What tests/security/test_doors.py understands.
WORD = re.compile(r"open|none|4xx|[234][0-9]{2}")


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text("utf-8"))
    assert len(named) > 100
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.M)
    ]
    assert missing == []


def test_every_row_of_doors_and_attacks_names_a_test() -> None:
    text = PAGE.read_text("utf-8")
    for title in ("## Each door", "## Each attack"):
        section = text.partition(title)[2].partition("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
        assert len(rows) > 20
        assert [row for row in rows if "`tests/" not in row] == []


def test_every_module_of_security_and_soak_holds_a_threat_off() -> None:
    text = PAGE.read_text("utf-8")
    modules = [path for room in ROOMS for path in (ROOT / "tests" / room).glob("test_*.py")]
    assert len(modules) >= 7
    named = {path.relative_to(ROOT).as_posix() for path in modules}
    assert {each for each in named if f"`{each}" not in text} == set()


def test_routes_are_told_in_words_that_the_walk_knows() -> None:
    rows = read_table()
    assert len(rows) > 25
    words = {word for row in rows for cell in row[1:] for word in cell.split("/")}
    assert {word for word in words if not WORD.fullmatch(word)} == set()


def test_links_of_the_threat_model_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE.read_text("utf-8"))
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
