"""`hansa doctor` on a gateway: service keys, clients' tokens, the notebook, each with its cure."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from hansa.api.notebook import FILE, Notebooks
from hansa.cli.service_checkup import look_at_gateway
from hansa.client.keys import generate_signer
from hansa.client.service import ServiceFolder
from hansa.node.doctor import Finding

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A gateway's home: a service key, two clients of it, one of which is over, and a notebook."""
    folder = ServiceFolder(tmp_path)
    folder.ring.store(generate_signer("food_trace"))
    folder.issue("gate", "food_trace", "capture", now_ms=NOW_MS, lasts_ms=3_600_000)
    folder.issue("old", "food_trace", "read", now_ms=0, lasts_ms=1)
    notebooks = Notebooks(tmp_path / FILE)
    notebooks.of("food_trace").change({"query/x": b"{}"})
    notebooks.close()
    return tmp_path


def examine(home: Path) -> dict[str, Finding]:
    return {each.name: each for each in look_at_gateway(home)}


def test_a_gateway_that_is_well(home: Path) -> None:
    found = examine(home)
    assert all(each.ok for each in found.values()), found
    assert found["service keys"].text == "1 service key in use"
    assert found["clients"].text == "2 clients, 1 of them over"
    assert found["notebook"].text.startswith("1 note:")


def test_a_home_without_doors_has_nothing_to_look_at(tmp_path: Path) -> None:
    assert look_at_gateway(tmp_path) == []


def test_a_service_key_that_others_read_or_nobody_can_is_named(home: Path) -> None:
    key = home / "service" / "keys" / "food_trace.key.json"
    key.chmod(0o644)
    assert not examine(home)["service keys"].ok
    key.chmod(0o600)
    key.write_text("{}")
    assert not examine(home)["service keys"].ok
    key.unlink()
    found = examine(home)["clients"]
    assert not found.ok and "gate" in found.text
    assert "hansa service make food-trace" in found.cure


def test_a_service_key_for_no_application_is_named(home: Path) -> None:
    ServiceFolder(home).ring.store(generate_signer("old_app"))
    found = examine(home)["service keys"]
    assert not found.ok and "old_app" in found.text and "revoke" in found.cure


def test_a_client_s_file_that_counts_for_nothing_is_named(home: Path) -> None:
    file = next((home / "service" / "clients").glob("*.json"))
    file.chmod(0o640)
    found = examine(home)["clients"]
    assert not found.ok and found.cure.startswith("chmod 600")
    file.chmod(0o600)
    file.write_text("{")
    found = examine(home)["clients"]
    assert not found.ok and "damaged" in found.text


def test_a_notebook_that_is_damaged_or_open_to_others_is_named(home: Path) -> None:
    file = home / FILE
    before = sorted(home.rglob("*")), file.read_bytes()
    examine(home)
    assert (sorted(home.rglob("*")), file.read_bytes()) == before
    file.chmod(0o644)
    assert examine(home)["notebook"].cure.startswith("chmod 600")
    file.chmod(0o600)
    file.write_bytes(b"no database at all" * 500)
    found = examine(home)["notebook"]
    assert not found.ok and "the ledger is not" in found.cure
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE other (a)")
    file.chmod(0o600)
    assert not examine(home)["notebook"].ok
