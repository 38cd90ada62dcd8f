"""The doctor names each fault of a home with its cure, and changes nothing."""

import os
import shutil
import socket
import time
from collections import namedtuple
from pathlib import Path

import pytest

from hansa.node.doctor import Finding, diagnose
from hansa.node.home import write_validator_key
from hansa.node.key_value import KeyValueStore
from hansa.node.settings import ApiSettings, Settings, encode_settings
from hansa.node.storage import FAMILIES
from hansa.testing.chain import make_key
from tests.node.league import ToyLeague, counter_key


def look(league: ToyLeague, *, deep: bool = False) -> dict[str, Finding]:
    found = diagnose(league.folder, deep=deep)
    assert all(finding.cure for finding in found if not finding.ok)
    return {finding.name: finding for finding in found}


def set_port(league: ToyLeague, port: int) -> None:
    settings = Settings(api=ApiSettings(port=port))
    (league.folder / "node.toml").write_text(encode_settings(settings))


@pytest.fixture(autouse=True)
def _any_port(league: ToyLeague) -> None:
    set_port(league, 0)


def test_healthy_home_has_no_fault(league: ToyLeague) -> None:
    found = look(league, deep=True)
    assert {name for name, finding in found.items() if not finding.ok} == set()
    assert set(found) == {
        "home", "validator key", "disk", "lock", "port", "data", "clock", "records",
    }  # fmt: skip


def test_running_node_is_named_and_left_alone(league: ToyLeague) -> None:
    with league.open() as node:
        found = look(league)
        assert str(os.getpid()) in found["lock"].text and "data" not in found
        assert node.wait(node.submit(league.count()), 10).state == "committed"


def test_taken_port_is_named(league: ToyLeague) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        set_port(league, server.getsockname()[1])
        assert not look(league)["port"].ok


def test_missing_file_is_named(league: ToyLeague) -> None:
    (league.folder / "genesis.json").unlink()
    assert not look(league)["home"].ok


def test_unreadable_settings_are_named(league: ToyLeague) -> None:
    (league.folder / "node.toml").write_text("[api]\nport = 'many'\n")
    assert "node.toml" in look(league)["home"].text


def test_key_open_to_others_is_named(league: ToyLeague) -> None:
    (league.folder / "keys" / "validator.json").chmod(0o644)
    assert "chmod" in look(league)["validator key"].cure


def test_foreign_key_is_named(league: ToyLeague) -> None:
    path = league.folder / "keys" / "validator.json"
    path.unlink()
    write_validator_key(path, make_key("a stranger"))
    assert not look(league)["validator key"].ok


def test_wrong_genesis_is_named(league: ToyLeague, tmp_path: Path) -> None:
    other = ToyLeague(tmp_path / "other", chain="other-1")
    other.create()
    shutil.copy(other.folder / "genesis.json", league.folder / "genesis.json")
    assert not look(league)["data"].ok


def test_missing_data_is_named(league: ToyLeague) -> None:
    shutil.rmtree(league.folder / "data")
    assert not look(league)["data"].ok


def test_record_changed_behind_the_ledgers_back_is_named(league: ToyLeague) -> None:
    with league.open() as node:
        assert node.wait(node.submit(league.count()), 10).state == "committed"
    store = KeyValueStore(league.folder / "data", FAMILIES)
    batch = store.batch()
    batch.put("records", counter_key("x"), b'{"id":"x","v":1,"value":1000000}')
    store.commit(batch)
    store.close()
    assert look(league)["data"].ok
    assert "counter/counter/x" in look(league, deep=True)["records"].text


def test_record_added_behind_the_ledgers_back_is_named(league: ToyLeague) -> None:
    store = KeyValueStore(league.folder / "data", FAMILIES)
    batch = store.batch()
    batch.put("records", counter_key("forged"), b'{"id":"forged","v":1,"value":1}')
    store.commit(batch)
    store.close()
    assert not look(league, deep=True)["records"].ok


def test_clock_behind_the_last_block_is_named(league: ToyLeague) -> None:
    tomorrow = time.time_ns() // 1_000_000 + 86_400_000
    with league.open(clock=lambda: tomorrow):
        pass
    assert "behind" in look(league)["clock"].text and not look(league)["clock"].ok


def test_nearly_full_disk_is_named(league: ToyLeague, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(10**12, 10**12 - 10**9, 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    assert not look(league)["disk"].ok
