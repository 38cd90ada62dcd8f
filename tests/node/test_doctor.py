"""The doctor names each fault of a home with its cure, and changes nothing."""

import errno
import os
import shutil
import socket
import tempfile
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hansa.comet.header import Header
from hansa.comet.validators import Validator, sort_validators
from hansa.node.blocks import (
    HEAD,
    RESULTS,
    SEAL,
    TRANSACTIONS,
    BlockHead,
    Place,
    Seal,
    decode_head,
    decode_seal,
    encode_key,
    encode_place,
    encode_seal,
)
from hansa.node.doctor import Finding, diagnose
from hansa.node.home import Home, write_validator_key
from hansa.node.key_value import KeyValueStore
from hansa.node.sealer import Sealer
from hansa.node.settings import ApiSettings, Settings, encode_settings
from hansa.node.storage import FAMILIES
from hansa.testing.chain import make_key
from tests.node.damage import damage_block
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
        "home", "validator key", "disk", "lock", "port", "data", "clock", "last block", "records",
        "blocks",
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


def test_doctor_writes_nothing_into_the_home(league: ToyLeague) -> None:
    with league.open() as node:
        assert node.wait(node.submit(league.count()), 10).state == "committed"
    (league.folder / "node.lock").unlink()
    files = sorted(path for path in league.folder.rglob("*") if path.is_file())
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}
    look(league, deep=True)
    after = sorted(path for path in league.folder.rglob("*") if path.is_file())
    assert after == files
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in after} == before


def test_refusal_of_the_system_hides_no_other_finding(
    league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    found = look(league)
    assert "No space left" in found["disk"].text
    assert "No space left" in found["data"].text and found["data"].cure
    assert found["port"].ok and found["validator key"].ok


def test_fault_of_a_further_look_gets_the_height(league: ToyLeague) -> None:
    with league.open():
        pass
    seen: list[int | None] = []

    def further(_home: Home, height: int | None) -> Finding:
        seen.append(height)
        return Finding("mine", True, "seen")

    assert diagnose(league.folder, further=[further])[-1].name == "mine"
    assert seen == [1]


def rewrite(league: ToyLeague, family: str, key: bytes, value: bytes | None) -> None:
    """What no checksum can see: another value, properly written."""
    store = KeyValueStore(league.folder / "data", FAMILIES)
    batch = store.batch()
    batch.write(family, key, value)
    store.commit(batch)
    store.close()


@pytest.fixture
def grown(league: ToyLeague) -> ToyLeague:
    """Height 7: transactions at 2, 4 and 6."""
    with league.open() as node:
        for name in ("a", "b", "c"):
            assert node.wait(node.submit(league.count(name)), 10).state == "committed"
    return league


@pytest.mark.parametrize("part", [HEAD, TRANSACTIONS, RESULTS, SEAL])
def test_missing_part_of_a_block_is_named_with_its_height(grown: ToyLeague, part: bytes) -> None:
    rewrite(grown, "blocks", encode_key(4, part), None)
    found = look(grown, deep=True)["blocks"]
    assert not found.ok and "block 4" in found.text


def read_block(league: ToyLeague, height: int) -> tuple[BlockHead, Seal]:
    store = KeyValueStore(league.folder / "data", FAMILIES)
    head = store.get("blocks", encode_key(height, HEAD))
    seal = store.get("blocks", encode_key(height, SEAL))
    store.close()
    assert head is not None and seal is not None
    return decode_head(head), decode_seal(seal)


def forge(head: BlockHead, seal: Seal, name: str) -> tuple[BlockHead, Seal]:
    """A block that is wrong in one thing."""
    if name == "signature":
        signature = seal.commit.signatures[0]
        wrong = replace(signature, signature=bytes(64))
        return head, replace(seal, commit=replace(seal.commit, signatures=(wrong,)))
    if name in ("state_root", "results_hash"):
        return replace(head, **{name: bytes(32)}), seal
    changed = replace(seal.header, **{name: bytes(32)})
    return replace(head, hash=changed.hash()), replace(seal, header=changed)


@pytest.mark.parametrize(
    "name",
    [
        "signature",
        "state_root",
        "results_hash",
        "app_hash",
        "data_hash",
        "last_results_hash",
        "validators_hash",
        "next_validators_hash",
    ],
)
def test_forged_block_is_named_with_a_height(grown: ToyLeague, name: str) -> None:
    head, seal = forge(*read_block(grown, 4), name)
    rewrite(grown, "blocks", encode_key(4, HEAD), msgspec.msgpack.encode(head))
    rewrite(grown, "blocks", encode_key(4, SEAL), encode_seal(seal))
    found = look(grown, deep=True)["blocks"]
    assert not found.ok and found.text.startswith(("block 4", "block 5"))


def test_validator_set_that_is_not_that_of_its_hash_is_named(grown: ToyLeague) -> None:
    _head, seal = read_block(grown, 4)
    other = sort_validators([Validator(make_key("other").public.raw, 1)])
    key = b"validators/" + seal.header.validators_hash
    rewrite(grown, "meta", key, msgspec.msgpack.encode(other))
    assert "not those of its header" in look(grown, deep=True)["blocks"].text
    rewrite(grown, "meta", key, None)
    assert "validators are missing" in look(grown, deep=True)["blocks"].text


def test_validators_that_nobody_announced_are_named(
    league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed and linked in order, but the header before announced others."""
    build = Sealer.build_header

    def announce_others(self: Sealer, *args: Any) -> Header:
        header = build(self, *args)
        return replace(header, next_validators_hash=bytes(32)) if header.height == 3 else header

    monkeypatch.setattr(Sealer, "build_header", announce_others)
    with league.open() as node:
        for name in ("a", "b"):
            assert node.wait(node.submit(league.count(name)), 10).state == "committed"
    found = look(league, deep=True)["blocks"]
    assert not found.ok and found.text.startswith("block 4") and "announced" in found.text


def test_entry_of_the_index_of_transactions_is_checked_both_ways(grown: ToyLeague) -> None:
    rewrite(grown, "transactions", bytes(32), encode_place(Place(4, 0, 0)))
    assert "index of transactions" in look(grown, deep=True)["blocks"].text
    rewrite(grown, "transactions", bytes(32), None)
    assert look(grown, deep=True)["blocks"].ok
    with grown.open() as node:
        identity = bytes.fromhex(node.block(4).results.results[0].id)
    rewrite(grown, "transactions", identity, None)
    assert identity.hex() in look(grown, deep=True)["blocks"].text


def test_flipped_byte_of_a_file_with_blocks_is_named(grown: ToyLeague) -> None:
    with grown.open():
        pass  # what was in the log goes into sorted files
    damage_block(grown.folder / "data", 4)
    found = look(grown, deep=True)["blocks"]
    assert not found.ok and "Corruption" in found.text
