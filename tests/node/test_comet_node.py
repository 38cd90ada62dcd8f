"""A node with the real CometBFT beside it: committed is durable and provable, whoever dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hansa.api.headers import HeaderPaths
from hansa.api.proofs import build_proof_file, build_receipt_file
from hansa.client.receipts import encode_file
from hansa.client.trust import build_trust_root
from hansa.client.verify import verify_receipt
from hansa.comet.commit import verify_commit
from hansa.comet.sign_state import read_sign_state
from hansa.comet.sockets import locate_sockets
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import compute_genesis_changes, encode_genesis
from hansa.ledger.state import MemoryState
from hansa.node.application import LedgerApplication
from hansa.node.engine_home import choose_listen, prepare_engine
from hansa.node.faults import EngineError, ForeignChainError, NodeStoppedError
from hansa.node.home import create_home, open_home, write_node_key
from hansa.node.ledger_node import LedgerNode
from hansa.node.storage import Storage, make_identity
from hansa.testing.chain import make_key
from tests.node.comet_league import CometLeague, Together
from tests.node.league import counter_key, read_counter

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 60


@pytest.fixture
def league(tmp_path: Path) -> CometLeague:
    made = CometLeague(tmp_path / "homes")
    made.create()
    return made


def settle(node: LedgerNode, *data: bytes) -> list[str]:
    ids = [node.submit(each) for each in data]
    assert {node.wait(each, PATIENCE_S).state for each in ids} == {"committed"}
    return ids


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def engine_pid(node: LedgerNode) -> int:
    pid = node._engine._process.pid  # type: ignore[union-attr]
    assert pid is not None
    return int(pid)


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def replay_alone(league: CometLeague, node: LedgerNode) -> None:
    """The stored blocks through the kernel, in memory: the same root at each height."""
    state = MemoryState()
    genesis = compute_genesis_changes(league.genesis, league.registry)
    state.apply_genesis(genesis, league.genesis.time_ms)
    for height in range(1, node.sealed_height):
        block = node.block(height).decided(node.chain)
        result = execute_block(state, block, league.registry)
        state.apply(block, result)
        assert result.state_root == node.head(height).state_root
        assert result.state_root == node.header(height + 1).app_hash
        assert result.results_hash == node.header(height + 1).last_results_hash


def replay_embedded(league: CometLeague, node: LedgerNode, folder: Path) -> None:
    """As the embedded engine executes and commits: home, storage, application."""
    home = create_home(folder, league.genesis, make_key("anybody"), league.registry)
    storage = Storage(home.data, make_identity(node.chain, home.genesis_digest))
    try:
        application = LedgerApplication(node.chain, storage, league.registry)
        for height in range(1, node.height + 1):
            block = node.block(height).decided(node.chain)
            application.commit(block, application.execute(block), None)
            assert storage.root == node.head(height).state_root
    finally:
        storage.close()


def check_seals(node: LedgerNode) -> None:
    """Every header follows from the one before, its commit holds, and it is the final one."""
    for height in range(1, node.sealed_height + 1):
        seal = node.seal(height)
        assert seal.header.hash() == seal.commit.block_id.hash == node.head(height).hash
        validators = node.validators_at(height)
        verify_commit(node.chain, validators, seal.commit.block_id, height, seal.commit)
        if height > 1:
            before = node.seal(height - 1).commit
            assert seal.header.last_block_id == before.block_id
            assert seal.header.last_commit_hash == before.hash()


@pytest.mark.slow
def test_a_receipt_and_a_proof_hold_for_the_verifier(league: CometLeague) -> None:
    trust = build_trust_root(encode_genesis(league.genesis))
    with league.open() as node:
        [identity] = settle(node, league.count_up())
        parts = node.receipt(identity, 0)
        paths = HeaderPaths(node)
        receipt = build_receipt_file(node, paths, parts, with_message=True, with_events=True)
        assert verify_receipt(encode_file(receipt), trust).outcome == "yes"
        proof = build_proof_file(node, paths, counter_key("x"))
        assert verify_receipt(encode_file(proof), trust).outcome != "no"
        assert parts.header == node.header(parts.height + 1)
        check_seals(node)


@pytest.mark.slow
def test_a_killed_engine_comes_back_and_nothing_that_waits_is_lost(league: CometLeague) -> None:
    with league.open() as node:
        settle(node, league.count_up())
        for _round in range(2):
            ids = [node.submit(league.count_up()) for _ in range(300)]
            os.kill(engine_pid(node), signal.SIGKILL)
            assert {node.wait(each, PATIENCE_S).state for each in ids} == {"committed"}
        view = node.network()
        assert view is not None and view.restarts == 2 and "killed" in view.last_exit
        assert read_counter(node, "x") == 601 and node.failure is None
        check_seals(node)
        replay_alone(league, node)


@pytest.mark.slow
def test_a_killed_node_takes_its_engine_along_and_keeps_what_it_said(league: CometLeague) -> None:
    said: list[str] = []
    for _round in range(2):
        with _serve(league) as process:
            for _ in range(5):
                said.append(_count(league, process))
            [engine] = _find_engines(league)
            process.kill()
        until(lambda engine=engine: not is_alive(engine))  # type: ignore[misc]
    with league.open() as node:
        assert {node.status(each).state for each in said} == {"committed"}
        assert read_counter(node, "x") == 10
        settle(node, league.count_up())
        check_seals(node)
        replay_alone(league, node)


def _serve(league: CometLeague) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.node.comet_serve", str(league.home(1))],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "running\n"
    return process


def _count(league: CometLeague, process: "subprocess.Popen[str]") -> str:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(league.count_up().decode() + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def _find_engines(league: CometLeague) -> list[int]:
    home = str(league.home(1) / "engine").encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if home in words and b"start" in words:
                found.append(int(entry.name))
    return found


@pytest.mark.slow
def test_closing_under_load_is_clean_and_goes_on_afterwards(league: CometLeague) -> None:
    with league.open() as node:
        pid = engine_pid(node)
        ids = [node.submit(league.count_up()) for _ in range(500)]
        node.close()
        assert not is_alive(pid) and node.failure is None
        assert not locate_sockets(league.home(1)).folder.exists()
        with pytest.raises(NodeStoppedError):
            node.submit(league.count_up())
    with league.open() as node:
        settle(node, league.count_up("other"))
        states = [node.status(each).state for each in ids]
        assert set(states) <= {"committed", "unknown"}
        assert read_counter(node, "x") == states.count("committed")
        replay_alone(league, node)


@pytest.mark.slow
def test_four_validators_agree_with_the_kernel_and_the_embedded_engine(tmp_path: Path) -> None:
    league = CometLeague(tmp_path / "homes", 4)
    league.create()
    with Together(league) as nodes:
        ids = {}
        for number in range(200):
            node = 1 + number % 4
            data = league.count_up(f"c{number % 7}", actor=number % 2)
            ids[nodes[node].submit(data)] = node
        for identity, node in ids.items():
            assert nodes[node].wait(identity, PATIENCE_S).state == "committed"
        top = max(node.sealed_height for node in nodes.values())
        until(lambda: all(node.sealed_height >= top for node in nodes.values()))
        for node in nodes.values():
            assert {node.status(each).state for each in ids} == {"committed"}
        for height in range(1, top + 1):
            assert len({node.header(height).hash() for node in nodes.values()}) == 1
            assert len({node.head(height).state_root for node in nodes.values()}) == 1
        signers = nodes[2].block(top).votes.signers
        commit = nodes[3].commit(top - 1)
        assert signers == tuple(each.address for each in commit.signatures if each.flag == 2)
        check_seals(nodes[1])
        replay_alone(league, nodes[1])
        replay_embedded(league, nodes[2], tmp_path / "embedded")
        view = nodes[1].network()
        assert view is not None and len(view.peers) == 3 and not view.catching_up


@pytest.mark.slow
def test_a_node_that_is_not_admitted_never_connects(tmp_path: Path) -> None:
    league = CometLeague(tmp_path / "homes", 1, observers=2)
    league.create()
    path = league.home(3) / "keys" / "node.json"
    path.unlink()
    write_node_key(path, make_key("a stranger"))
    with league.open(1) as node, league.open(2) as observer, league.open(3) as stranger:
        settle(node, *[league.count_up() for _ in range(3)])
        until(lambda: observer.sealed_height >= 2 and read_counter(observer, "x") == 3)
        time.sleep(2)
        assert stranger.height == 0
        view = node.network()
        assert view is not None and [peer.id for peer in view.peers] == [league.node_id(2)]
        [identity] = [observer.submit(league.count_up())]
        assert observer.wait(identity, PATIENCE_S).state == "committed"


@pytest.mark.slow
def test_a_node_that_was_removed_is_cut_off_and_the_league_goes_on(tmp_path: Path) -> None:
    league = CometLeague(tmp_path / "homes", 1, observers=1)
    league.create()
    with league.open(1) as node, league.open(2) as observer:
        settle(node, league.count_up())
        until(lambda: read_counter(observer, "x") == 1)
        settle(node, league.remove_node(2))
        until(lambda: (view := node.network()) is not None and not view.peers and view.restarts > 0)
        settle(node, league.count_up())
        time.sleep(2)
        assert read_counter(observer, "x") == 1
        assert node.failure is None and observer.failure is None


@pytest.mark.slow
def test_validators_change_as_state_says_and_proofs_follow(tmp_path: Path) -> None:
    league = CometLeague(tmp_path / "homes", 2)
    league.create()
    with Together(league) as nodes:
        settle(nodes[1], league.count_up())
        [identity] = settle(nodes[1], league.set_power(2, 0))
        height = nodes[1].status(identity).height
        assert height is not None
        settle(nodes[1], league.count_up(), league.count_up())
        until(lambda: nodes[1].sealed_height >= height + 2)
        assert len(nodes[1].validators_at(height + 1)) == 2
        assert len(nodes[1].validators_at(height + 2)) == 1 == len(nodes[1].validators)
        nodes[2].close()
        settle(nodes[1], league.set_power(2, 10))
        check_seals(nodes[1])
        replay_alone(league, nodes[1])


@pytest.mark.slow
def test_what_waits_without_a_quorum_is_committed_when_it_is_back(tmp_path: Path) -> None:
    league = CometLeague(tmp_path / "homes", 2)
    league.create()
    with league.open(1) as first:
        data = league.count_up()
        identity = first.submit(data)
        assert first.wait(identity, 2).state == "pending" and first.height == 0
        assert first.rpc is not None
        spoilt = data[:-4] + (b"AAAA" if not data.endswith(b"AAAA") else b"BBBB")
        [answer] = first.rpc.broadcast([spoilt])  # the same id, as a foreign node might send it
        assert not answer.taken and first.status(identity).state == "pending"
        with league.open(2):
            assert first.wait(identity, PATIENCE_S).state == "committed"


@pytest.mark.slow
def test_a_restored_sign_state_is_raised_to_what_the_ledger_has(league: CometLeague) -> None:
    engine = league.home(1) / "engine"
    with league.open() as node:
        settle(node, league.count_up())
        height = node.height
    (engine / "data" / "priv_validator_state.json").write_text(
        '{"height": "0", "round": 0, "step": 0}'
    )
    home = open_home(league.home(1))
    storage = Storage(home.data, make_identity(league.genesis.chain, home.genesis_digest))
    prepare_engine(home, storage, locate_sockets(home.folder), choose_listen(home))
    storage.close()
    assert read_sign_state(engine)[0] == storage.height >= height
    with league.open() as node:
        settle(node, league.count_up())
        check_seals(node)


@pytest.mark.slow
def test_a_lost_engine_folder_is_refused_with_its_cure(league: CometLeague) -> None:
    with league.open() as node:
        settle(node, league.count_up())
    (league.home(1) / "engine").rename(league.folder / "lost")
    with pytest.raises(ForeignChainError, match="engine/ was lost") as caught:
        league.open()
    assert "snapshot" in caught.value.cure


def test_a_missing_engine_is_named_with_its_cure(
    league: CometLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.node.comet_engine.find_engine", lambda: None)
    with pytest.raises(EngineError, match="not installed") as caught:
        league.open()
    assert caught.value.cure == "Run: hansa engine install"
    with pytest.raises(EngineError):  # the folder was given back
        league.open()


def test_an_engine_that_ends_at_once_is_a_fault_at_the_start(
    league: CometLeague, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "cometbft"
    broken.write_text("#!/bin/sh\necho 'listen tcp: bind: address already in use' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("hansa.node.comet_engine.find_engine", lambda: broken)
    with pytest.raises(EngineError, match="port") as caught:
        league.open()
    assert "node.toml" in caught.value.cure
    assert not locate_sockets(league.home(1)).folder.exists()


@pytest.mark.slow
def test_an_engine_that_keeps_dying_fails_the_node(
    league: CometLeague, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with league.open() as node:
        settle(node, league.count_up())
        broken = tmp_path / "cometbft"
        broken.write_text("#!/bin/sh\necho 'it is broken' >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setattr(node._engine._process, "_binary", broken)  # type: ignore[union-attr]
        monkeypatch.setattr("hansa.node.comet_engine.BACK_OFF_S", (0.05,))
        identity = node.submit(league.count_up())
        os.kill(engine_pid(node), signal.SIGKILL)
        with pytest.raises(NodeStoppedError, match="it is broken"):
            node.wait(identity, PATIENCE_S)
        assert isinstance(node.failure, EngineError) and node.failure.cure


def test_settings_of_a_node_are_written_and_read(league: CometLeague) -> None:
    from hansa.node.settings import decode_settings, encode_settings

    settings = decode_settings((league.home(1) / "node.toml").read_text())
    assert settings.engine.kind == "comet" and settings.engine.block_pause_ms == 100
    peers = ("ab" * 20 + "@[::1]:26656", "cd" * 20 + "@node.example:1")
    changed = msgspec.structs.replace(
        settings, p2p=msgspec.structs.replace(settings.p2p, peers=peers, address="a.b:7")
    )
    assert decode_settings(encode_settings(changed)) == changed
