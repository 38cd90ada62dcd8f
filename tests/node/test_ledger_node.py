"""The embedded engine: what is taken becomes durable and provable, once, whatever happens."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from hansa.comet.block import compute_block_id, compute_data_hash
from hansa.comet.commit import verify_commit
from hansa.comet.header import BlockID
from hansa.crypto.merkle import EMPTY_ROOT, merkle_root
from hansa.ledger.admission import AlreadySeen, WrongSignature
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.receipts import encode_exec_tx_result
from hansa.ledger.rejections import InvariantViolation, Rejection
from hansa.ledger.transactions import Malformed
from hansa.ledger.tree_proof import ProofError, verify_state_proof
from hansa.node.embedded import EmbeddedEngine
from hansa.node.faults import CorruptFolderError, NodeStoppedError, PoolFull, StorageError
from hansa.node.key_value import KeyValueStore
from hansa.node.ledger_node import LedgerNode, NoSuchMessage, NoSuchTransaction
from hansa.node.pool import TransactionPool, Waiting
from tests.ledger.toy import Fault, Later
from tests.node.damage import damage_block
from tests.node.league import ToyLeague, counter_key, read_counter

REPOSITORY = Path(__file__).parents[2]


def settle(node: LedgerNode, *data: bytes) -> list[str]:
    ids = [node.submit(each) for each in data]
    for each in ids:
        assert node.wait(each, 30).state == "committed"
    return ids


def check_chain(node: LedgerNode) -> None:
    """Every header follows from the block before it, and its commit holds."""
    base, last = node.heights()
    assert base == 1
    before = None
    for height in range(1, last + 1):
        block = node.block(height)
        header, commit = node.header(height), node.commit(height)
        assert (header.height, header.chain_id, header.time.ms) == (
            height, node.chain, block.time_ms,
        )  # fmt: skip
        assert block.hash == header.hash() == commit.block_id.hash
        assert header.data_hash == compute_data_hash(block.transactions)
        verify_commit(node.chain, node.validators, commit.block_id, height, commit)
        if before is not None:
            results = [encode_exec_tx_result(each) for each in before.results.results]
            assert header.last_results_hash == merkle_root(results)
            assert header.app_hash == before.head.state_root
            assert header.last_block_id == node.commit(height - 1).block_id
            assert header.last_commit_hash == node.commit(height - 1).hash()
            assert block.time_ms > before.time_ms
            last_commit = node.commit(height - 1)
            assert compute_block_id(header, block.transactions, last_commit) == commit.block_id
        else:
            assert header.last_block_id == BlockID() and header.last_results_hash == EMPTY_ROOT
        before = block


def test_genesis_state_is_provable_at_once(node: LedgerNode) -> None:
    value, proof, height = node.prove(counter_key("x"))
    assert (value, height) == (None, 0)
    verify_state_proof(node.header(1).app_hash, counter_key("x"), None, proof)


def test_committed_means_provable(node: LedgerNode, league: ToyLeague) -> None:
    [identity] = settle(node, league.count())
    status = node.status(identity)
    assert status.height is not None and status.result is not None and status.result.code == 0
    parts = node.receipt(identity, 0)
    assert parts.header == node.header(status.height + 1)
    assert parts.header.last_results_hash == merkle_root(parts.results)
    assert parts.results[parts.index] == encode_exec_tx_result(status.result)
    value, proof, height = node.prove(counter_key("x"))
    assert value == b'{"id":"x","v":1,"value":1}' and height >= status.height
    verify_state_proof(node.header(height + 1).app_hash, counter_key("x"), value, proof)


def test_an_empty_block_seals_the_last_one_and_no_more(node: LedgerNode, league: ToyLeague) -> None:
    [identity] = settle(node, league.count())
    height = node.status(identity).height
    assert height is not None and node.height == height + 1
    assert node.block(height + 1).transactions == ()
    assert node.head(height + 1).state_root == node.head(height).state_root
    assert not node.wait_height(height + 2, 0.3)


def test_headers_and_commits_are_a_chain(node: LedgerNode, league: ToyLeague) -> None:
    settle(node, *[league.count(f"c{number}") for number in range(20)])
    settle(node, league.count("c1"))
    check_chain(node)


def test_rejected_message_is_committed_with_its_code(node: LedgerNode, league: ToyLeague) -> None:
    [identity] = settle(node, league.count(by=5, limit=4))
    result = node.status(identity).result
    assert result is not None and result.messages[0].code == "counter.too_high"
    assert read_counter(node, "x") == 0


def test_contract_fault_is_a_receipt_and_the_node_goes_on(
    node: LedgerNode, league: ToyLeague
) -> None:
    [identity] = settle(node, league.sign(Fault(id="x")))
    result = node.status(identity).result
    assert result is not None and result.messages[0].code == "ledger.contract_fault"
    settle(node, league.count())


def test_thousand_parallel_updates_of_one_record_lose_none(
    node: LedgerNode, league: ToyLeague
) -> None:
    transactions = [league.count(by=1, actor=number % 2) for number in range(1_000)]
    with ThreadPoolExecutor(50) as threads:
        ids = list(threads.map(node.submit, transactions))
    assert {node.wait(each, 60).state for each in ids} == {"committed"}
    assert len(set(ids)) == 1_000
    assert read_counter(node, "x") == 1_000
    check_chain(node)


def test_one_transaction_sent_by_thousand_threads_has_one_effect_and_one_id(
    node: LedgerNode, league: ToyLeague
) -> None:
    data = league.count()
    begin = threading.Barrier(1_000)
    ids: list[str] = []

    def send() -> None:
        begin.wait()
        ids.append(node.submit(data))

    threads = [threading.Thread(target=send) for _ in range(1_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1_000 and len(set(ids)) == 1
    assert node.wait(ids[0], 30).state == "committed"
    settle(node, league.count("other"))
    assert read_counter(node, "x") == 1
    found = [
        block for height in range(1, node.height + 1) for block in node.block(height).transactions
    ]
    assert found.count(data) == 1


def test_same_bytes_after_commit_give_the_same_id_and_no_effect(
    node: LedgerNode, league: ToyLeague
) -> None:
    data = league.count()
    [identity] = settle(node, data)
    height = node.height
    assert node.submit(data) == identity
    settle(node, league.count("other"))
    assert read_counter(node, "x") == 1 and node.status(identity).height == height - 1


def test_door_refuses_with_the_rejection(node: LedgerNode, league: ToyLeague) -> None:
    with pytest.raises(Malformed):
        node.submit(b"garbage")
    head, payload, signature = league.count().split(b".")
    with pytest.raises(WrongSignature):
        other = bytes([signature[1]]) + bytes([signature[0]]) + signature[2:]
        assert other != signature
        node.submit(b".".join((head, payload, other)))
    with pytest.raises(Rejection) as caught:
        node.submit(league.sign(Fault(id="x"), expiry=0x7FFFFFFF))
    assert caught.value.code == "ledger.expiry_too_far"
    assert node.height == 1


def test_unknown_ids_are_unknown(node: LedgerNode) -> None:
    assert node.status("00" * 32).state == "unknown"
    assert node.wait("00" * 32, 5).state == "unknown"
    for wrong in ("00", "zz" * 32, "AB" * 32):
        with pytest.raises(NoSuchTransaction):
            node.status(wrong)
    with pytest.raises(NoSuchTransaction):
        node.receipt("00" * 32, 0)


def test_receipt_of_a_message_that_is_not_there(node: LedgerNode, league: ToyLeague) -> None:
    [identity] = settle(node, league.count())
    for wrong in (1, -1):
        with pytest.raises(NoSuchMessage):
            node.receipt(identity, wrong)


def test_status_survives_a_restart(league: ToyLeague) -> None:
    data = league.count()
    with league.open() as node:
        [identity] = settle(node, data)
        before = node.status(identity)
        height = node.height
    with league.open() as node:
        assert node.status(identity) == before
        assert node.submit(data) == identity
        assert node.height == height
        value, proof, proven = node.prove(counter_key("x"))
        verify_state_proof(node.header(proven + 1).app_hash, counter_key("x"), value, proof)
        with pytest.raises(ProofError):
            verify_state_proof(node.header(proven + 1).app_hash, counter_key("x"), None, proof)
        settle(node, league.count())
        check_chain(node)


def test_what_was_in_hand_at_close_is_committed_and_sealed(league: ToyLeague) -> None:
    with league.open() as node:
        ids = [node.submit(league.count()) for _ in range(50)]
    with league.open() as node:
        states = [node.status(each).state for each in ids]
        assert set(states) <= {"committed", "unknown"}
        assert read_counter(node, "x") == states.count("committed")


def test_unsealed_block_is_sealed_at_start(
    league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        node = league.open()
        patch.setattr(EmbeddedEngine, "_wait_for_work", wait_unless_sealing)
        identity = node.submit(league.count())
        with pytest.raises(NodeStoppedError):
            node.wait(identity, 10)
        assert node.status(identity).state == "pending"
        node.close()
    with league.open() as node:
        assert node.status(identity).state == "committed"
        check_chain(node)


_wait = EmbeddedEngine._wait_for_work


def wait_unless_sealing(engine: EmbeddedEngine) -> bool:
    """As if the process died before the sealing block."""
    return not engine._needs_seal and _wait(engine) and not engine._needs_seal


def test_invalid_in_a_block_never_hides_a_valid_one(
    node: LedgerNode, league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another engine might decide: the same transaction twice in a block, and once more."""
    data = league.count()
    pool = node._pool
    assert isinstance(pool, TransactionPool)
    for number in range(2):
        with pool.changed:
            for copy in range(2):
                pool.add(Waiting(id=bytes([number, copy]) * 16, data=data, lane="x"))
        node.wait_height(3 + 2 * number, 10)
    settle(node, league.count("other"))
    identity = node.submit(data)
    assert node.status(identity).state == "committed"
    assert read_counter(node, "x") == 1
    codes = [
        result.messages[0].code
        for height in range(1, node.height + 1)
        for result in node.block(height).results.results
        if result.id == identity
    ]
    assert codes.count("ok") == 1 and set(codes) == {"ok", f"ledger.{AlreadySeen.CODE}"}


def test_full_pool_refuses_and_names_when_to_come_back(league: ToyLeague) -> None:
    pool = TransactionPool(count_max=4, bytes_max=1_000)
    with pool.changed:
        for number in range(2):
            pool.add(Waiting(id=bytes([number]), data=bytes(100), lane="a"))
    with pytest.raises(PoolFull, match="of this member") as caught:
        pool.check_room("a", 100, 7)
    assert caught.value.retry_after_s == 7
    pool.check_room("b", 100, 7)
    with pytest.raises(PoolFull):
        pool.check_room("b", 900, 7)
    with pool.changed:
        for number in range(2, 4):
            pool.add(Waiting(id=bytes([number]), data=bytes(100), lane="b"))
    with pytest.raises(PoolFull):
        pool.check_room("c", 1, 7)
    pool.remove(pool.take(4, 10_000))
    pool.check_room("a", 100, 7)
    assert len(pool) == 0 and not pool.has_work


def test_full_pool_at_the_door_takes_nothing_and_loses_nothing(
    node: LedgerNode, league: ToyLeague
) -> None:
    transactions = [league.count() for _ in range(30)]
    node._pool._count_max = 8
    ids, refused = [], 0
    with node._pool.changed:  # the engine waits meanwhile
        for data in transactions:
            try:
                ids.append(node.submit(data))
            except PoolFull as full:
                assert full.retry_after_s >= 1
                refused += 1
    assert len(ids) == 4 and refused == 26
    node._pool._count_max = 1_000
    settle(node, *transactions)
    assert read_counter(node, "x") == 30


def test_proposal_takes_from_each_member_in_turn() -> None:
    pool = TransactionPool()
    with pool.changed:
        for number in range(10):
            pool.add(Waiting(id=b"a%d" % number, data=bytes(10), lane="a"))
        pool.add(Waiting(id=b"b0", data=bytes(10), lane="b"))
        pool.add(Waiting(id=b"c0", data=bytes(10), lane="c"))
    first = [waiting.id for waiting in pool.take(4, 10_000)]
    assert first == [b"a0", b"b0", b"c0", b"a1"]
    assert [waiting.id for waiting in pool.take(3, 10_000)] == [b"a2", b"a3", b"a4"]


def test_proposal_keeps_to_the_bytes_of_a_block() -> None:
    pool = TransactionPool()
    with pool.changed:
        for number in range(5):
            pool.add(Waiting(id=bytes([number]), data=bytes(100), lane="a"))
    assert len(pool.take(10, 330)) == 3
    assert len(pool.take(10, 50)) == 1  # a first one always fits: the door bounds it


def test_blocks_keep_to_their_limits(league: ToyLeague, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.node.embedded.BLOCK_TRANSACTIONS_MAX", 7)
    with league.open() as node:
        settle(node, *[league.count() for _ in range(40)])
        sizes = [len(node.block(height).transactions) for height in range(1, node.height + 1)]
    assert sum(sizes) == 40 and max(sizes) <= 7


class Clock:
    """A wall clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


def nudge(node: LedgerNode) -> None:
    """Wake the engine after the clock was moved."""
    with node._pool.changed:
        node._pool.changed.notify_all()


def test_heartbeat_makes_an_empty_block_after_its_interval_and_not_before(
    league: ToyLeague,
) -> None:
    clock = Clock()
    with league.open(clock=clock) as node:
        for _ in range(3):
            height = node.height
            root = node.head(height).state_root
            clock.now += 59_000
            nudge(node)
            assert not node.wait_height(height + 1, 0.1)
            clock.now += 1_000
            nudge(node)
            assert node.wait_height(height + 1, 10)
            assert node.block(height + 1).transactions == ()
            assert node.head(height + 1).state_root == root
            assert node.header(height + 1).time.ms == clock.now


def test_due_deadline_makes_a_block(league: ToyLeague) -> None:
    clock = Clock()
    with league.open(clock=clock) as node:
        settle(node, league.sign(Later(id="x", in_ms=5_000)))
        height = node.height
        clock.now += 4_000
        nudge(node)
        assert not node.wait_height(height + 1, 0.1)
        clock.now += 2_000
        nudge(node)
        assert node.wait_height(height + 2, 10)  # the block that fires it, and its seal
        assert read_counter(node, "x") == 1
        fired = node.block(height + 1).results.deadlines
        assert [each.code for each in fired] == ["ok"]
        nudge(node)
        assert not node.wait_height(height + 3, 0.1)


def test_deadline_fires_by_the_real_clock_too(node: LedgerNode, league: ToyLeague) -> None:
    settle(node, league.sign(Later(id="x", in_ms=300)))
    height = node.height
    assert node.wait_height(height + 2, 20)
    assert read_counter(node, "x") == 1


def test_deadline_that_fell_due_while_the_node_was_down_fires_at_start(league: ToyLeague) -> None:
    clock = Clock()
    with league.open(clock=clock) as node:
        settle(node, league.sign(Later(id="x", in_ms=5_000)))
        height = node.height
    clock.now += 3_600_000
    with league.open(clock=clock) as node:
        assert node.wait_height(height + 2, 10)
        assert read_counter(node, "x") == 1


def test_block_time_never_goes_back(league: ToyLeague) -> None:
    clock = Clock()
    with league.open(clock=clock) as node:
        settle(node, league.count())
        clock.now -= 3_600_000
        settle(node, league.count())
        times = [node.header(height).time.ms for height in range(1, node.height + 1)]
    assert times == sorted(set(times))


def test_listeners_hear_each_height_until_they_end(node: LedgerNode, league: ToyLeague) -> None:
    heard: list[int] = []
    latest = threading.Event()

    def hear(height: int) -> None:
        heard.append(height)
        if height == 3:
            latest.set()

    end = node.subscribe(hear)
    settle(node, league.count())
    assert latest.wait(10)
    end()
    settle(node, league.count())
    assert heard[-1] == 3 and heard == sorted(set(heard))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_broken_listener_holds_up_no_block(node: LedgerNode, league: ToyLeague) -> None:
    called = threading.Event()

    def fail(_height: int) -> None:
        called.set()
        raise SystemExit

    node.subscribe(fail)
    settle(node, league.count(), league.count())
    assert called.wait(10)
    settle(node, league.count())
    assert read_counter(node, "x") == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_unforeseen_failure_of_the_engine_answers_everybody(
    league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SystemExit("a bug")

    with league.open() as node:
        monkeypatch.setattr("hansa.node.application.execute_block", fail)
        with pytest.raises(NodeStoppedError, match="a bug"):
            node.wait(node.submit(league.count()), 30)
        assert isinstance(node.failure, SystemExit)


def test_reading_after_close_is_a_named_fault(league: ToyLeague) -> None:
    node = league.open()
    node.close()
    node.close()
    with pytest.raises(NodeStoppedError):
        node.state.get(counter_key("never-read-before"))
    with pytest.raises(NodeStoppedError):
        node.submit(league.count())


def test_storage_failure_stops_the_node_and_answers_everybody(
    league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = league.count()
    with league.open() as node:
        with monkeypatch.context() as patch:
            patch.setattr(KeyValueStore, "commit", fail_to_write)
            identity = node.submit(data)
            with pytest.raises(NodeStoppedError, match="disk full"):
                node.wait(identity, 30)
        with pytest.raises(NodeStoppedError):
            node.submit(league.count())
        with pytest.raises(NodeStoppedError):
            node.wait_height(99, 30)
        assert isinstance(node.failure, StorageError)
        assert node.status(identity).state == "pending"
    with league.open() as node:
        assert node.status(identity).state == "unknown"
        assert settle(node, data) == [identity]
        check_chain(node)


def fail_to_write(*_: object) -> None:
    raise StorageError("disk full", "Free some space.")


def test_broken_invariant_of_the_kernel_stops_the_node(
    league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_invariant(*_: object) -> None:
        raise InvariantViolation("planted")

    with league.open() as node:
        monkeypatch.setattr("hansa.node.application.execute_block", break_invariant)
        with pytest.raises(NodeStoppedError, match="planted"):
            node.wait(node.submit(league.count()), 30)
        assert isinstance(node.failure, InvariantViolation)


class LookBeforeSync:
    """The engine's database, with a look at what readers see between its write and its sync."""

    def __init__(self, database: Any, look: Callable[[], None]) -> None:
        self._database, self._look = database, look

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def flush_wal(self, sync: bool) -> None:
        self._look()
        self._database.flush_wal(sync)


def test_readers_never_see_a_block_before_it_is_durable(league: ToyLeague) -> None:
    seen: list[object] = []
    key = counter_key("x")

    def look() -> None:
        storage = node.application.storage
        found = storage.scan(key, key + b"~", 5)
        seen.append((storage.get(key), found, storage.head(storage.height + 1), storage.height))
        seen.append(node.status(identity).state)
        value, proof, height = node.prove(key)
        verify_state_proof(node.header(height + 1).app_hash, key, value, proof)

    with league.open() as node:
        store = node.application.storage._store
        with node._pool.changed:
            identity = node.submit(league.count())
            store._database = LookBeforeSync(store._database, look)
        assert node.wait(identity, 30).state == "committed"
        assert store.get("records", key) is not None
        assert seen[:2] == [(None, [], None, 1), "pending"]
        assert seen[2:] == [(b'{"id":"x","v":1,"value":1}', *seen[2][1:]), "pending"]
        assert len(node.application.storage.scan(key, key + b"~", 5)) == 1


def test_proofs_hold_while_blocks_are_made(node: LedgerNode, league: ToyLeague) -> None:
    stop = threading.Event()
    checked: list[int] = []
    wrong: list[BaseException] = []

    def prove_always() -> None:
        try:
            while not stop.is_set():
                for name in ("x", "absent"):
                    value, proof, height = node.prove(counter_key(name))
                    root = node.header(height + 1).app_hash
                    verify_state_proof(root, counter_key(name), value, proof)
                    checked.append(height)
        except (ProofError, Rejection, LookupError) as error:
            wrong.append(error)

    threads = [threading.Thread(target=prove_always) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        settle(node, *[league.count() for _ in range(25)])
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong and len(set(checked)) > 3


def start_process(league: ToyLeague) -> "subprocess.Popen[str]":
    program = Path(__file__).with_name("serve.py")
    return subprocess.Popen(
        [sys.executable, str(program), str(league.folder)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_stop_signal_ends_cleanly_and_half_does_nothing(league: ToyLeague, stop: int) -> None:
    process = start_process(league)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith("running")
    process.send_signal(stop)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    last = json.loads(err.strip().splitlines()[-1])
    assert last["event"] == "node_closed"
    with league.open() as node:
        counted = read_counter(node, "x")
        blocks = [node.block(height) for height in range(1, node.height + 1)]
        assert counted > 2 and sum(len(block.transactions) for block in blocks) == counted + 1
        check_chain(node)
    assert "stopped" in out


def test_second_process_is_refused_and_told_the_first_ones_pid(league: ToyLeague) -> None:
    with league.open():
        process = start_process(league)
        _out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"process {os.getpid()} is already running" in err


def test_log_holds_no_body_and_no_key(league: ToyLeague) -> None:
    process = start_process(league)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    _out, err = process.communicate(timeout=30)
    assert "block" in err
    for secret in ("canary", league.actors[0].did, league.actors[0].name, "private"):
        assert secret not in err
    assert all(json.loads(line)["event"] for line in err.splitlines())


def test_damage_that_a_reader_meets_stops_the_node(league: ToyLeague) -> None:
    with league.open() as node:
        identity = settle(node, league.count())[0]
    for name in ("y", "z"):  # each start puts what is in the log into a sorted file
        with league.open() as node:
            settle(node, league.count(name))
    damage_block(league.folder / "data", 2)
    with structlog.testing.capture_logs() as lines, league.open() as node:
        with pytest.raises(CorruptFolderError):
            node.receipt(identity, 0)
        assert isinstance(node.failure, CorruptFolderError)
        with pytest.raises(NodeStoppedError, match="damaged"):
            node.submit(league.count("w"))
        height = node.height
    assert node.height == height
    told = [line for line in lines if line["event"] == "node_stopped"]
    assert [line["kind"] for line in told] == ["CorruptFolderError"]
    assert "Corruption" in told[0]["reason"] and told[0]["cure"]


def test_damage_met_while_a_message_executes_never_becomes_a_block(
    league: ToyLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> bytes | None:
        raise Exception("Corruption: block checksum mismatch")  # as the engine says it

    with league.open() as node:
        height = node.height
        real = node.application.execute

        def execute(block: Block) -> BlockResult:
            result = real(block)
            families = node.application.storage._store._families
            monkeypatch.setitem(families, "records", SimpleNamespace(get=read, close=lambda: None))
            with pytest.raises(CorruptFolderError):  # as a contract fault hides it
                node.state.get(counter_key("never-read-before"))
            return result

        monkeypatch.setattr(node.application, "execute", execute)
        with pytest.raises(NodeStoppedError, match="damaged"):
            node.wait(node.submit(league.count()), 30)
        assert node.height == height
    assert node.height == height
