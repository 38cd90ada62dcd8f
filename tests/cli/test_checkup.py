"""`hansa doctor` names each fault of a network with its cure, and changes nothing."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hansa.cli import checkup
from hansa.cli.doctor import build_index_look, examine_home, examine_league, format_league_findings
from hansa.cli.founding import Shape
from hansa.cli.league import make_league
from hansa.cli.template import BAY
from hansa.comet.files import GENESIS_MARK, encode_engine_genesis
from hansa.comet.sign_state import create_sign_state, raise_sign_state
from hansa.crypto.hashing import sha256
from hansa.node.doctor import Finding
from hansa.node.engine_doctor import (
    look_at_engine_folder,
    look_at_neighbours,
    look_at_p2p_port,
    look_at_program,
    look_at_restoring,
    look_at_sign_state,
    read_last_end,
)
from hansa.node.home import Home, open_home
from hansa.node.sealer import APPLICATION_PROTOCOL
from hansa.node.settings import IndexSettings, PeerSettings, Settings, encode_settings

EXEMPT = ("port", "disk", "engine")  # of this machine, not of the league


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("checkup")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSA_HOME", str(base / "home"))
        make_league(base / "bay", BAY, None, Shape(2, 0, "any"))
    return base / "bay"


@pytest.fixture
def bay(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A league of two nodes that never ran, for this test alone."""
    monkeypatch.setenv("HANSA_HOME", str(made.parent / "home"))
    shutil.copytree(made, tmp_path / "bay")
    return tmp_path / "bay"


@pytest.fixture
def home(bay: Path) -> Home:
    return open_home(bay / "nodes" / "1")


def find_wrong(bay: Path) -> dict[str, Finding]:
    found = examine_league(bay, deep=False)
    return {
        each.name: each
        for each in found
        if not each.ok and each.name.rpartition(": ")[2] not in EXEMPT
    }


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(each): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def put_blocks(home: Home, *, mark: bytes | None = None) -> None:
    """As an engine that ran: its blocks, and the digest of their genesis."""
    data = home.folder / "engine" / "data"
    (data / "blockstore.db").mkdir(parents=True)
    document = encode_engine_genesis(home.genesis, b"", APPLICATION_PROTOCOL)
    (data / GENESIS_MARK).write_bytes(mark or sha256(document).hex().encode() + b"\n")
    create_sign_state(home.folder / "engine")


def test_a_node_that_keeps_no_read_model_is_well(home: Home) -> None:
    look = build_index_look(deep=False)
    assert "keeps none" not in look(home, None).text
    settings = Settings(index=IndexSettings(follow=False))
    assert look(msgspec.structs.replace(home, settings=settings), None) == Finding(
        "read model", True, "this node keeps none ([index] in node.toml)"
    )


def test_a_new_network_is_well_and_stays_untouched(bay: Path) -> None:
    before = snapshot(bay)
    assert find_wrong(bay) == {}
    assert snapshot(bay) == before
    lines = format_league_findings(examine_league(bay, deep=False))
    assert sum(line.startswith("✓ node") for line in lines) == 2
    assert len(lines) < 12


def test_another_genesis_is_named(bay: Path) -> None:
    path = bay / "nodes" / "2" / "genesis.json"
    path.write_bytes(path.read_bytes().replace(b'"time_ms":1', b'"time_ms":2'))
    wrong = find_wrong(bay)
    assert "node 2 has another genesis" in wrong["genesis"].text
    assert "node 2: data" in wrong  # its data is of the right one


def test_missing_genesis_of_the_league_is_named(bay: Path) -> None:
    (bay / "genesis.json").unlink()
    assert "nodes/1/genesis.json" in checkup.look_at_genesis(bay).cure


@pytest.mark.parametrize("name", ["validator", "node"])
def test_a_key_in_two_homes_is_named(bay: Path, name: str) -> None:
    keys = bay / "nodes"
    shutil.copy(keys / "1" / "keys" / f"{name}.json", keys / "2" / "keys" / f"{name}.json")
    finding = find_wrong(bay)["keys twice"]
    assert finding.text == f"nodes 1 and 2 have the same {name} key"
    assert "stop one of them" in finding.cure


def test_damaged_keys_hide_nothing_else(bay: Path) -> None:
    (bay / "nodes" / "1" / "keys" / "node.json").write_text("{}")
    (bay / "nodes" / "2" / "keys" / "validator.json").chmod(0o644)
    wrong = find_wrong(bay)
    assert set(wrong) == {"node 1: node key", "node 2: validator key"}
    assert "chmod 600" in wrong["node 2: validator key"].cure


def test_a_home_that_cannot_be_read_hides_no_other(bay: Path) -> None:
    (bay / "nodes" / "1" / "node.toml").write_text("[api]\nport = 99999\n")
    wrong = find_wrong(bay)
    assert "node 1: home" in wrong
    assert not any(name.startswith("node 2") for name in wrong)
    shutil.rmtree(bay / "nodes" / "1")
    shutil.rmtree(bay / "nodes" / "2")
    assert "none is in it" in find_wrong(bay)["nodes"].text


def set_p2p(bay: Path, number: int, p2p: PeerSettings) -> Home:
    folder = bay / "nodes" / str(number)
    settings = open_home(folder).settings
    changed = Settings(api=settings.api, engine=settings.engine, p2p=p2p)
    (folder / "node.toml").write_text(encode_settings(changed))
    return open_home(folder)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_taken_ports_are_named(bay: Path, taken: int) -> None:
    home = set_p2p(bay, 1, PeerSettings(port=taken))
    finding = look_at_p2p_port(home, 0)
    assert not finding.ok
    assert f"127.0.0.1:{taken} is taken" in finding.text
    assert look_at_p2p_port(home, None).ok  # its own node runs: the port is that node's
    set_p2p(bay, 2, PeerSettings(port=taken))
    assert str(taken) in find_wrong(bay)["ports twice"].text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]"])
def test_a_node_that_cannot_say_where_it_is_is_named(bay: Path, host: str) -> None:
    assert "[p2p] address" in look_at_p2p_port(set_p2p(bay, 1, PeerSettings(host=host)), 0).cure
    told = PeerSettings(host="0.0.0.0", address="node.example.org:26601")
    assert look_at_p2p_port(set_p2p(bay, 1, told), 0).ok


def test_a_foreign_host_is_named(bay: Path) -> None:
    home = set_p2p(bay, 1, PeerSettings(host="192.0.2.1"))
    assert not look_at_p2p_port(home, 0).ok


def test_missing_and_damaged_engines_are_named(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANSA_CACHE", str(tmp_path / "cache"))
    assert look_at_program(home, 0).cure == "hansa engine install"


def test_lost_engine_data_is_named(home: Home) -> None:
    assert look_at_engine_folder(home, 0).ok
    finding = look_at_engine_folder(home, 7)
    assert not finding.ok and "at block 7" in finding.text and "--anew" in finding.cure
    put_blocks(home)
    assert look_at_engine_folder(home, 7).ok


@pytest.mark.parametrize("mark", [b"00" * 32, b"nonsense"])
def test_engine_folder_of_another_genesis_is_named(home: Home, mark: bytes) -> None:
    put_blocks(home, mark=mark)
    assert "another genesis" in look_at_engine_folder(home, 7).text
    (home.folder / "engine" / "data" / GENESIS_MARK).unlink()
    assert not look_at_engine_folder(home, 7).ok


def test_sign_state_that_is_lost_damaged_or_behind_is_told(home: Home) -> None:
    put_blocks(home)
    state = home.folder / "engine" / "data" / "priv_validator_state.json"
    raise_sign_state(home.folder / "engine", 9)
    assert look_at_sign_state(home, 9).ok
    behind = look_at_sign_state(home, 12)
    assert behind.ok and "forbids all votes" in behind.text
    state.write_text("{")
    assert "Do not delete it" in look_at_sign_state(home, 9).cure
    state.unlink()
    lost = look_at_sign_state(home, 9)
    assert not lost.ok and "no other copy" in lost.cure
    assert look_at_sign_state(home, 0).ok


def test_unfinished_restore_is_named(home: Home) -> None:
    assert look_at_restoring(home, 0).ok
    (home.folder / "data.restoring").mkdir()
    assert "cut off" in look_at_restoring(home, 0).text
    assert look_at_restoring(home, None).ok


def test_a_node_that_knows_nobody_is_named(home: Home, tmp_path: Path) -> None:
    assert look_at_neighbours(home, 0).ok  # its sibling's folder lies beside it
    shutil.copytree(home.folder, tmp_path / "alone")
    alone = open_home(tmp_path / "alone")
    assert "[p2p] gateways" in look_at_neighbours(alone, 0).cure
    (alone.folder / "peers.json").write_text("[]")
    assert look_at_neighbours(alone, 0).ok


def test_why_a_node_could_not_go_on_is_read_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    assert read_last_end(log) is None
    started = json.dumps({"event": "node_started"})
    closed = json.dumps({"event": "node_closed"})
    stopped = json.dumps({"event": "node_stopped", "reason": "no room", "cure": "make room"})
    failed = json.dumps({"event": "start_failed", "reason": "no engine", "cure": "install it"})
    for lines, expected in (
        ((started,), None),
        ((started, closed), None),
        ((started, stopped, closed), ("no room", "make room")),
        ((started, stopped, closed, started), None),
        ((started, closed, failed, "not json", "[]", '"x"'), ("no engine", "install it")),
        (("\x00" * 300_000, failed), ("no engine", "install it")),
    ):
        log.write_text("\n".join(lines), encoding="utf-8")
        assert read_last_end(log) == expected, lines


def test_a_damaged_running_file_of_a_node_is_named(bay: Path) -> None:
    (bay / "nodes" / "1" / "running.json").write_text("{")
    finding = find_wrong(bay)["node 1: address"]
    assert "cannot be read" in finding.text and finding.cure.startswith("rm ")


def test_one_node_of_a_league_is_looked_at_alone(bay: Path) -> None:
    names = [each.name for each in examine_home(bay / "nodes" / "2", deep=False)]
    assert "sign state" in names and "p2p port" in names
    assert "keys" not in names  # the members' keys lie in the league's folder


def test_a_validator_that_two_nodes_announce_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        {"node": "aa" * 20, "validator": "11" * 20},
        {"node": "bb" * 20, "validator": "22" * 20},
        {"node": "cc" * 20, "validator": ""},
        {"node": "dd" * 20, "validator": ""},
    ]
    monkeypatch.setattr(checkup, "fetch_entries", lambda _urls: entries)
    assert checkup.look_at_announcements([]).ok
    entries[1]["validator"] = "11" * 20
    assert not checkup.look_at_announcements([]).ok


@pytest.mark.parametrize(("off_s", "said"), [(75.0, "ahead of"), (-75.0, "behind"), (3.0, "")])
def test_a_clock_that_is_off_is_named(
    monkeypatch: pytest.MonkeyPatch, off_s: float, said: str
) -> None:
    monkeypatch.setattr(checkup, "fetch_entries", lambda _urls: [{"gateway": "http://x:1"}])
    monkeypatch.setattr(checkup, "measure_clock", lambda _url: off_s)
    finding = checkup.look_at_clocks([])
    assert finding.ok == (not said)
    assert said in finding.text


def test_a_node_that_does_not_answer_has_no_surroundings(bay: Path) -> None:
    home = bay / "nodes" / "1"
    assert checkup.look_at_surroundings(home) == []
    (home / "running.json").write_text('{"url": "http://127.0.0.1:9", "pid": 1}')
    assert checkup.look_at_surroundings(home) == []
