"""The journal: what was set is there after any crash, a torn line is not, one process at a time."""

from pathlib import Path

import pytest

from hansa.client.faults import ClientError
from hansa.client.journal import Journal, JournalBusy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "issue.journal"


def test_last_value_wins_and_survives(path: Path) -> None:
    with Journal(path) as journal:
        journal.set("a", 1)
        journal.set("b", {"x": ["值", None]})
        journal.set("a", 2)
    with Journal(path) as journal:
        assert journal.get("a") == 2
        assert journal.get("b") == {"x": ["值", None]}
        assert journal.get("c") is None
        assert list(journal) == ["a", "b"]
        assert len(journal) == 2


def test_every_cut_keeps_a_prefix_of_what_was_set(path: Path) -> None:
    with Journal(path) as journal:
        journal.update({f"name-{n}": n for n in range(5)})
    data = path.read_bytes()
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        whole = data[:cut].count(b"\n")
        with Journal(path) as journal:
            assert list(journal) == [f"name-{n}" for n in range(whole)]
            journal.set("after", True)
        with Journal(path) as journal:
            assert list(journal) == ["after", *(f"name-{n}" for n in range(whole))]


def test_damaged_line_is_refused_with_a_remedy(path: Path) -> None:
    with Journal(path) as journal:
        journal.set("a", 1)
    path.write_bytes(b"nonsense\n" + path.read_bytes())
    with pytest.raises(ClientError) as refusal:
        Journal(path)
    assert "line 1" in refusal.value.text
    assert refusal.value.remedy


@pytest.mark.parametrize("line", [b"1\n", b'["a"]\n', b"{}\n", b"[1,2,3]\n", b'[["a"],1]\n'])
def test_line_of_another_form_is_refused(path: Path, line: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(line)
    with pytest.raises(ClientError):
        Journal(path)


def test_a_second_process_is_refused_until_the_first_lets_go(path: Path) -> None:
    with Journal(path) as journal:
        journal.set("a", 1)
        with pytest.raises(JournalBusy):
            Journal(path)
    with Journal(path) as journal:
        assert journal.get("a") == 1


def test_private_to_its_owner(path: Path) -> None:
    with Journal(path):
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0
