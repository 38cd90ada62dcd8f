"""ABCI: whatever the order of calls and deaths, every node has the state that the kernel gives."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci import validator_pb2
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.admission import AlreadySeen, Expired
from hansa.ledger.blocks import Block
from hansa.ledger.contracts import Contract
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.model import compute_state_key
from hansa.ledger.receipts import encode_exec_tx_result
from hansa.ledger.state import MemoryState
from hansa.ledger.system import Activation, ActiveVersion, Freeze
from hansa.node.abci_handler import read_misbehaviour, read_ms, read_signers
from hansa.node.faults import ForeignChainError, OldReleaseError
from hansa.node.release import check_release
from hansa.primitives.limits import BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX
from tests.comet.abci.speaker import Speaker
from tests.ledger.toy import Count, Fault, Later, contract
from tests.node.comet_driver import (
    BYTES_MAX,
    Decided,
    Died,
    Driver,
    Side,
    accuse,
    encode_time,
    running,
)
from tests.node.comet_league import CometLeague, build_registry


@pytest.fixture
def league(tmp_path: Path) -> CometLeague:
    made = CometLeague(tmp_path / "homes", 4)
    made.create(1, snapshot_interval=0)
    return made


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "s" / "abci.sock"


class Scene:
    """One node and its engine, which may be opened and cut off again and again."""

    def __init__(self, league: CometLeague, socket: Path, seed: int = 0) -> None:
        self.league, self.socket = league, socket
        self.driver = Driver(league, random.Random(seed))
        self.side = Side(league, 1, socket)
        self.driver.connect(socket)

    def reopen(self) -> None:
        """Both die; what was not durable is lost on the node's side."""
        self.close()
        self.side = Side(self.league, 1, self.socket)
        self.driver.mempool = []
        self.driver.connect(self.socket)

    def close(self) -> None:
        self.driver.disconnect()
        self.side.close()


@pytest.fixture
def scene(league: CometLeague, socket: Path):
    made = Scene(league, socket)
    yield made
    made.close()


@contextmanager
def stops(scene: Scene, words: str) -> Iterator[None]:
    """The engine is told to end, the node that it has failed, and why."""
    with pytest.raises(Died):
        yield
    error = scene.side.told.wait()
    assert isinstance(error, ForeignChainError) and words in error.text and error.cure


def replay(league: CometLeague, blocks: list[Decided]) -> list[bytes]:
    """Roots by the kernel alone, in memory, without any cache."""
    state = MemoryState()
    state.apply_genesis(
        compute_genesis_changes(league.genesis, league.registry), league.genesis.time_ms
    )
    roots = []
    for each in blocks:
        request = each.request
        block = Block(
            chain=league.genesis.chain,
            height=request.height,
            time_ms=read_ms(request.time),
            hash=request.hash,
            transactions=tuple(request.txs),
            signers=read_signers(request.decided_last_commit),
            misbehaviours=tuple(read_misbehaviour(one) for one in request.misbehavior),
        )
        result = execute_block(state, block, league.registry)
        state.apply(block, result)
        roots.append(result.state_root)
        assert each.response is not None
        told = [one.SerializeToString(deterministic=True) for one in each.response.tx_results]
        assert told == [encode_exec_tx_result(one) for one in result.results]
    return roots


def check_roots(league: CometLeague, driver: Driver) -> None:
    told = [block.response.app_hash for block in driver.blocks if block.response is not None]
    assert told == replay(league, driver.blocks[: len(told)])


def test_blocks_give_the_state_of_the_kernel_alone(scene: Scene, league: CometLeague) -> None:
    for number in range(5):
        scene.driver.make_block(*[league.count_up(f"c{number}", actor=k % 2) for k in range(5)])
    scene.driver.make_block(league.sign(Fault(id="x")), league.sign(Later(id="y", in_ms=500)))
    for _ in range(4):
        scene.driver.make_block()
    check_roots(league, scene.driver)
    assert scene.side.storage.height == 10
    stored = scene.side.storage.block(7)
    assert stored is not None and stored.votes.signers == read_signers(
        scene.driver.blocks[6].request.decided_last_commit
    )


def test_init_chain_is_repeatable_and_needs_this_genesis(scene: Scene, league: CometLeague) -> None:
    first = scene.driver.init_chain()
    assert scene.driver.init_chain() == first
    league.genesis = msgspec.structs.replace(league.genesis, time_ms=league.genesis.time_ms + 1)
    with stops(scene, "not that of the ledger"):
        scene.driver.init_chain()


def test_init_chain_after_blocks_stops_the_node(scene: Scene, league: CometLeague) -> None:
    scene.driver.make_block(league.count_up())
    with stops(scene, "begins anew"):
        scene.driver.init_chain()


def test_the_same_block_is_finalized_twice_with_the_same_results(
    scene: Scene, league: CometLeague
) -> None:
    data = league.count_up()
    block = scene.driver.decide([data], scene.driver.next_time())
    scene.driver.finalize(block)
    scene.driver.finalize(block)
    scene.driver.commit()
    scene.driver.advance(block)
    assert scene.side.storage.height == 1
    check_roots(league, scene.driver)


def test_nothing_is_durable_before_commit(scene: Scene, league: CometLeague) -> None:
    block = scene.driver.decide([league.count_up()], scene.driver.next_time())
    scene.driver.finalize(block)
    assert scene.side.storage.height == 0
    scene.reopen()
    assert scene.side.storage.height == 1
    check_roots(league, scene.driver)


def test_a_node_one_ahead_of_its_engine_is_not_asked_again(
    scene: Scene, league: CometLeague
) -> None:
    scene.driver.make_block(league.count_up())
    block = scene.driver.decide([league.count_up()], scene.driver.next_time())
    scene.driver.finalize(block)
    scene.driver.commit()
    scene.reopen()
    assert scene.driver.height == scene.side.storage.height == 2
    scene.driver.make_block(league.count_up())
    check_roots(league, scene.driver)


def test_a_node_behind_its_engine_replays(
    scene: Scene, league: CometLeague, tmp_path: Path
) -> None:
    other = CometLeague(tmp_path / "other", 4)
    other.genesis = league.genesis
    other.create(2, snapshot_interval=0)
    for _ in range(6):
        scene.driver.make_block(league.count_up())
    with running(other, 2, tmp_path / "t" / "abci.sock") as fresh:
        scene.driver.disconnect()
        scene.driver.connect(tmp_path / "t" / "abci.sock")
        assert fresh.storage.root == scene.side.storage.root and fresh.storage.height == 6


def test_a_block_of_another_height_stops_the_node(scene: Scene, league: CometLeague) -> None:
    scene.driver.make_block(league.count_up())
    block = scene.driver.decide([], scene.driver.next_time())
    block.request.height = 7
    with stops(scene, "the engine is at block 7, the ledger at 1"):
        scene.driver.finalize(block)


def test_commit_without_a_finalized_block_stops_the_node(scene: Scene) -> None:
    with stops(scene, "not finalized"):
        scene.driver.commit()


def test_check_tx_refuses_what_the_door_refuses(scene: Scene, league: CometLeague) -> None:
    scene.driver.make_block()
    good = league.count_up()
    bad = good[:-2] + (b"AA" if good[-2:] != b"AA" else b"BB")
    expired = league.sign(Count(id="x", by=1, limit=9), expiry=1)
    assert scene.driver.offer(good, bad, b"garbage", expired) == [True, False, False, False]
    assert not scene.driver.check(b"")
    assert [rejection.code for _id, rejection in scene.side.refused] == [
        "ledger.wrong_signature",
        "ledger.expired",
    ]


def test_recheck_drops_what_expired_or_is_in_a_block(scene: Scene, league: CometLeague) -> None:
    soon = league.sign(Count(id="x", by=1, limit=9), expiry=2)
    twice = league.count_up()
    scene.driver.make_block()
    scene.driver.offer(soon, twice)
    block = scene.driver.decide([twice], scene.driver.next_time())
    scene.driver.apply(block)
    assert scene.driver.check(twice, again=True) is False
    assert scene.driver.check(soon, again=True) is False
    kinds = [type(rejection) for _id, rejection in scene.side.refused]
    assert kinds == [AlreadySeen, Expired]


def test_what_a_proposal_left_out_is_dropped_at_the_next_recheck(
    scene: Scene, league: CometLeague
) -> None:
    """A transaction that became invalid does not stay in the pool until it expires."""
    data = league.count_up()
    assert scene.driver.offer(data) == [True]
    freeze = Freeze(target="contract:counter", reason="test", since=0)
    key = compute_state_key(Freeze.OWNER, Freeze.KIND, freeze.key())
    scene.side.storage._cache.apply(((key, encode_canonical(freeze)),))
    scene.side.application.use(scene.side.storage)
    assert scene.driver.prepare(scene.driver.next_time()) == []
    assert scene.driver.check(data, again=True) is False
    assert scene.side.refused[-1][1].code == "ledger.frozen"


def test_what_a_proposal_left_out_stays_when_the_block_lifted_the_reason(
    scene: Scene, league: CometLeague
) -> None:
    """Found by the simulator: it was dropped for a freeze that stood no more."""
    data = league.count_up()
    assert scene.driver.offer(data) == [True]
    freeze = Freeze(target="contract:counter", reason="test", since=0)
    key = compute_state_key(Freeze.OWNER, Freeze.KIND, freeze.key())
    for value in (encode_canonical(freeze), None):
        scene.side.storage._cache.apply(((key, value),))
        scene.side.application.use(scene.side.storage)
        if value is not None:
            assert scene.driver.prepare(scene.driver.next_time()) == []
    assert scene.driver.check(data, again=True) is True
    assert scene.side.refused == []
    assert scene.driver.prepare(scene.driver.next_time()) == [data]


def test_recheck_storm_keeps_what_is_good(scene: Scene, league: CometLeague) -> None:
    waiting = [league.count_up(f"c{number}") for number in range(300)]
    scene.driver.offer(*waiting)
    for _ in range(3):
        block = scene.driver.decide([], scene.driver.next_time())
        scene.driver.apply(block)
        scene.driver.after_block(block)
    assert scene.driver.mempool == waiting and scene.side.refused == []


def test_a_proposal_has_no_transaction_twice(scene: Scene, league: CometLeague) -> None:
    one = league.count_up()
    scene.driver.mempool = [one, one]
    assert scene.driver.prepare(scene.driver.next_time()) == [one]


def test_a_proposal_fits_counted_as_protobuf(scene: Scene, league: CometLeague) -> None:
    scene.driver.offer(*[league.count_up(f"c{number}") for number in range(20)])
    whole = abci.ResponsePrepareProposal(txs=scene.driver.mempool).ByteSize()
    time_ms = scene.driver.next_time()
    assert len(scene.driver.prepare(time_ms, whole)) == 20
    for room in (whole - 1, whole // 2, 300, 0):
        chosen = scene.driver.prepare(time_ms, room)
        assert len(chosen) < 20 and abci.ResponsePrepareProposal(txs=chosen).ByteSize() <= room


def test_a_full_proposal_takes_one_of_each_member_in_turn(
    scene: Scene, league: CometLeague
) -> None:
    flood = [league.count_up("a", actor=0) for _ in range(30)]
    few = [league.count_up("b", actor=1) for _ in range(5)]
    scene.driver.offer(*flood, *few)
    room = abci.ResponsePrepareProposal(txs=flood[:10]).ByteSize()
    chosen = scene.driver.prepare(scene.driver.next_time(), room)
    assert set(few) <= set(chosen) and chosen[0] == flood[0] and len(chosen) == 10
    assert [each for each in chosen if each in flood] == flood[:5]


def test_process_proposal_refuses_and_lives(scene: Scene, league: CometLeague) -> None:
    driver = scene.driver
    driver.make_block(league.count_up())
    seen = driver.blocks[0].request.txs[0]
    good, time_ms = league.count_up(), driver.time_ms + 5
    assert driver.process([good], time_ms)
    assert not driver.process([good, good], time_ms)
    assert not driver.process([seen], time_ms)
    assert not driver.process([b""], time_ms)
    assert not driver.process([b"\xff" * 100], time_ms)
    assert not driver.process([good], driver.time_ms)
    assert not driver.process([good], driver.time_ms - 1)
    assert not driver.process([good], 10**17)
    assert not driver.process([good] * (BLOCK_TRANSACTIONS_MAX + 1), time_ms)
    assert not driver.process([bytes(BLOCK_BYTES_MAX + 1)], time_ms)
    nobody = accuse(league, 1, 1)
    nobody.validator.address = b"\x01"
    assert not driver.process([], time_ms, [nobody])
    unknown = accuse(league, 1, 1)
    unknown.type = abci.UNKNOWN
    assert not driver.process([], time_ms, [unknown])
    assert driver.process([], time_ms, [accuse(league, 2, 1)])
    assert scene.side.storage.height == 1 and not scene.side.told


def test_misbehaviour_reaches_the_kernel(scene: Scene, league: CometLeague) -> None:
    scene.driver.make_block()
    accused = accuse(league, 3, 1)
    block = scene.driver.decide([], scene.driver.next_time(), [accused])
    scene.driver.apply(block)
    stored = scene.side.storage.block(2)
    assert stored is not None and stored.votes.misbehaviours == (read_misbehaviour(accused),)
    check_roots(league, scene.driver)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_bytes_in_a_proposal_are_an_answer(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    scene, league = _shared_scene(tmp_path_factory)
    good = league.count_up()
    pieces = st.one_of(
        st.binary(max_size=300),
        st.integers(0, len(good) - 1).map(lambda at: good[:at] + b"!" + good[at + 1 :]),
        st.just(good),
    )
    transactions = data.draw(st.lists(pieces, max_size=6))
    request = abci.RequestProcessProposal(
        txs=transactions,
        height=1,
        time={"seconds": data.draw(st.integers(-(2**63), 2**63 - 1)), "nanos": data.draw(
            st.integers(-(2**31), 2**31 - 1))},
        misbehavior=[
            abci.Misbehavior(
                type=data.draw(st.integers(0, 2)),
                validator=abci.Validator(
                    address=data.draw(st.binary(max_size=24)),
                    power=data.draw(st.integers(-(2**63), 2**63 - 1)),
                ),
                height=data.draw(st.integers(-(2**63), 2**63 - 1)),
            )
            for _ in range(data.draw(st.integers(0, 2)))
        ],
    )  # fmt: skip
    answer = scene.driver.consensus.ask(process_proposal=request)
    assert answer.process_proposal.status in (1, 2)
    for each in transactions:
        scene.driver.check(each)
        scene.driver.check(each, again=True)
    assert not scene.side.told


_shared: list[tuple[Scene, CometLeague]] = []


def _shared_scene(factory: pytest.TempPathFactory) -> tuple[Scene, CometLeague]:
    if not _shared:
        folder = factory.mktemp("any")
        league = CometLeague(folder / "homes", 4)
        league.create(1, snapshot_interval=0)
        _shared.append((Scene(league, folder / "s" / "abci.sock"), league))
    return _shared[0]


@pytest.fixture(scope="module", autouse=True)
def close_shared():
    yield
    for scene, _league in _shared:
        scene.close()
    _shared.clear()


def test_peers_are_judged_by_state(scene: Scene, league: CometLeague) -> None:
    def ask(path: str) -> int:
        return scene.driver.query.ask(query=abci.RequestQuery(path=path)).query.code

    for number in league.numbers:
        assert ask(f"/p2p/filter/id/{league.node_id(number)}") == 0
    assert ask("/p2p/filter/addr/127.0.0.1:12345") == 0
    for stranger in ("00" * 20, "", "x/y", "ä" * 40, "../" * 9, league.node_id(1).upper()):
        assert ask(f"/p2p/filter/id/{stranger}") != 0
    assert ask("/store/x/key") != 0 and ask("") != 0


def test_a_contract_that_this_release_lacks_stops_the_node_before_its_block(
    league: CometLeague,
) -> None:
    state = MemoryState()
    first = ActiveVersion(version=1, digest="aa" * 32, height=0)
    second = ActiveVersion(version=2, digest="bb" * 32, height=9)
    record = Activation(application="counter", versions=(first, second))
    key = compute_state_key(Activation.OWNER, Activation.KIND, record.key())
    state._store(((key, encode_canonical(record)),))
    check_release(state, league.registry, 8, None)
    with pytest.raises(OldReleaseError, match=r"block 9 needs counter version 2 .*bbbb") as caught:
        check_release(state, league.registry, 9, None)
    assert "Install the release" in caught.value.cure
    check_release(state, league.registry, 1, lambda _name: "other")
    with pytest.raises(OldReleaseError):
        check_release(state, league.registry, 0, lambda _name: "other")
    check_release(state, league.registry, 0, lambda _name: "aa" * 32)


def test_updates_of_validators_reach_the_engine(scene: Scene, league: CometLeague) -> None:
    scene.driver.make_block(league.set_power(1, 7), league.set_power(4, 0))
    told = scene.driver.blocks[-1].response
    assert told is not None
    changed = {each.pub_key.ed25519: each.power for each in told.validator_updates}
    assert changed == {
        league.validator_key(1).public.raw: 7,
        league.validator_key(4).public.raw: 0,
    }
    scene.driver.make_block()
    assert [each.power for each in scene.driver.sets[3]] == [10, 10, 7]
    check_roots(league, scene.driver)


@pytest.mark.slow
def test_an_old_release_stops_at_the_height_and_goes_on_when_it_is_replaced(
    scene: Scene, league: CometLeague
) -> None:
    scene.driver.make_block(league.activate(2, height=3))
    scene.driver.make_block(league.count_up())
    with pytest.raises(Died):
        scene.driver.process([], scene.driver.next_time())
    error = scene.side.told.wait()
    assert isinstance(error, OldReleaseError)
    assert error.text.startswith("block 3 needs counter version 2 (code abababab")
    scene.driver.decide([], scene.driver.next_time())  # the others go on
    scene.close()
    with running(league, 1, scene.socket), pytest.raises(Died):
        scene.driver.connect(scene.socket)
    later = Contract("counter", 2)
    later.handlers.update(contract.handlers)
    league.registry = build_registry(later)
    for digest, goes_on in (("cd" * 32, False), ("ab" * 32, True)):
        scene.driver.disconnect()
        scene.side = Side(league, 1, scene.socket, lambda _name, digest=digest: digest)
        if goes_on:
            scene.driver.connect(scene.socket)
        else:
            with pytest.raises(Died):
                scene.driver.connect(scene.socket)
            assert "this release's is cdcd" in str(scene.side.told.wait())
            scene.side.close()
    scene.driver.make_block(league.count_up())
    assert scene.side.storage.height == 4
    check_roots(league, scene.driver)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]
)
def test_any_order_of_rounds_crashes_and_replays_gives_the_same_state(
    league: CometLeague, socket: Path, seed: int
) -> None:
    run_history(league, socket, seed, blocks=12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_orders_of_rounds_crashes_and_replays(
    league: CometLeague, socket: Path, seed: int
) -> None:
    run_history(league, socket, seed, blocks=25)


def run_history(league: CometLeague, socket: Path, seed: int, blocks: int) -> None:
    chance = random.Random(seed)
    scene = Scene(league, socket, seed)
    driver = scene.driver
    try:
        while len(driver.blocks) < blocks:
            _offer_some(league, driver, chance)
            time_ms, candidates = driver.next_time(), []
            for _round in range(chance.choice((1, 1, 2, 4))):
                candidates.append(_propose(league, driver, chance, time_ms))
                if chance.random() < 0.1:
                    scene.reopen()
            _decide(scene, driver, chance, chance.choice(candidates), time_ms)
        if driver.height < len(driver.blocks):
            scene.reopen()
        check_roots(league, driver)
        assert scene.side.storage.root == driver.app_hash
    finally:
        scene.close()


def _offer_some(league: CometLeague, driver: Driver, chance: random.Random) -> None:
    for _ in range(chance.randint(0, 6)):
        name, actor = f"c{chance.randint(0, 3)}", chance.randint(0, 1)
        message = chance.choice(
            (
                Count(id=name, by=1, limit=10**9),
                Count(id=name, by=2, limit=1),
                Later(id=name, in_ms=chance.randint(1, 2_000)),
                Fault(id=name) if chance.random() < 0.05 else Count(id=name, by=1, limit=50),
            )
        )
        data = league.sign(message, actor=actor, expiry=len(driver.blocks) + chance.randint(1, 9))
        driver.offer(data if chance.random() < 0.9 else data[:-3])


def _propose(
    league: CometLeague, driver: Driver, chance: random.Random, time_ms: int
) -> list[bytes]:
    """Our own proposal, or another node's: an honest part of what is about, in its own order."""
    chosen = driver.prepare(time_ms, chance.choice((BYTES_MAX, BYTES_MAX, 2_000, 0)))
    assert driver.process(chosen, time_ms)
    if chance.random() < 0.5:
        foreign = [each for each in chosen if chance.random() < 0.7]
        foreign += [
            league.count_up(f"c{chance.randint(0, 3)}") for _ in range(chance.randint(0, 3))
        ]
        chance.shuffle(foreign)
        assert driver.process(foreign, time_ms)
        assert not driver.process([*foreign, b"x"], time_ms)
        return foreign
    return chosen


def _decide(
    scene: Scene, driver: Driver, chance: random.Random, chosen: list[bytes], time_ms: int
) -> None:
    evidence = [accuse(scene.league, chance.randint(1, 4), 1)] if chance.random() < 0.1 else []
    block = driver.decide(chosen, time_ms, evidence)
    death = chance.choice(("no", "no", "no", "stored", "finalized", "committed", "advanced"))
    if death == "stored":
        return scene.reopen()
    driver.finalize(block)
    if chance.random() < 0.2:
        driver.finalize(block)
    if death == "finalized":
        return scene.reopen()
    driver.commit()
    if death == "committed":
        return scene.reopen()
    driver.advance(block)
    driver.after_block(block)
    if death == "advanced":
        scene.reopen()
    return None


def test_times_of_proposals_are_cut_to_milliseconds() -> None:
    assert read_ms(encode_time(1_700_000_000_123)) == 1_700_000_000_123


def test_a_snapshot_is_given_taken_and_gone_on_from(tmp_path: Path, socket: Path) -> None:
    league = CometLeague(tmp_path / "homes", 4)
    league.create(1, snapshot_interval=3)
    league.create(2, snapshot_interval=3)
    scene = Scene(league, socket)
    with running(league, 2, tmp_path / "t" / "abci.sock") as fresh:
        try:
            for number in range(4):
                scene.driver.make_block(*[league.count_up(f"c{number}{k}") for k in range(9)])
            scene.side.desk._snapshots.wait()
            [offered] = scene.driver.snapshot.ask(
                list_snapshots=abci.RequestListSnapshots()
            ).list_snapshots.snapshots
            assert offered.height == 3
            root = scene.driver.blocks[2].response.app_hash  # type: ignore[union-attr]
            joining = Speaker(tmp_path / "t" / "abci.sock")
            take_snapshot(scene.driver, joining, offered, root)
            info = joining.ask(info=abci.RequestInfo()).info
            assert (info.last_block_height, info.last_block_app_hash) == (3, root)
            fourth = scene.driver.blocks[3]
            answer = joining.ask(finalize_block=fourth.request).finalize_block
            assert answer == fourth.response
            joining.ask(commit=abci.RequestCommit())
            assert fresh.storage.height == 4 and fresh.storage.base == 4
            assert fresh.storage.root == scene.side.storage.root
            joining.close()
        finally:
            scene.close()


def take_snapshot(driver: Driver, joining: Speaker, offered: abci.Snapshot, root: bytes) -> None:
    """As statesync/syncer.go: offers that are wrong, then the right one with a bad chunk first."""

    def offer(snapshot: abci.Snapshot, app_hash: bytes) -> int:
        request = abci.RequestOfferSnapshot(snapshot=snapshot, app_hash=app_hash)
        return joining.ask(offer_snapshot=request).offer_snapshot.result

    def apply(index: int, chunk: bytes) -> abci.ResponseApplySnapshotChunk:
        request = abci.RequestApplySnapshotChunk(index=index, chunk=chunk, sender="peer")
        return joining.ask(apply_snapshot_chunk=request).apply_snapshot_chunk

    assert apply(0, b"").result == abci.ResponseApplySnapshotChunk.ABORT
    assert offer(offered, bytes(32)) == abci.ResponseOfferSnapshot.REJECT
    foreign = abci.Snapshot()
    foreign.CopyFrom(offered)
    foreign.format = 77
    assert offer(foreign, root) == abci.ResponseOfferSnapshot.REJECT_FORMAT
    assert offer(offered, root) == abci.ResponseOfferSnapshot.ACCEPT
    for index in range(offered.chunks):
        request = abci.RequestLoadSnapshotChunk(height=3, format=offered.format, chunk=index)
        chunk = driver.snapshot.ask(load_snapshot_chunk=request).load_snapshot_chunk.chunk
        refused = apply(index, chunk[:-1] + bytes([chunk[-1] ^ 1]))
        assert refused.result == abci.ResponseApplySnapshotChunk.RETRY
        assert list(refused.refetch_chunks) == [index] and list(refused.reject_senders) == ["peer"]
        assert apply(index, chunk).result == abci.ResponseApplySnapshotChunk.ACCEPT
    missing = abci.RequestLoadSnapshotChunk(height=99, format=1, chunk=0)
    assert driver.snapshot.ask(load_snapshot_chunk=missing).load_snapshot_chunk.chunk == b""


@pytest.mark.slow
def test_blocks_are_kept_until_a_snapshot_leads_past_them(tmp_path: Path, socket: Path) -> None:
    league = CometLeague(tmp_path / "homes", 4)
    league.create(1, snapshot_interval=50, keep_blocks=10)
    scene = Scene(league, socket)
    try:
        retained = []
        for _ in range(160):
            block = scene.driver.decide([league.count_up()], scene.driver.next_time())
            scene.driver.finalize(block)
            retained.append(scene.driver.commit().retain_height)
            scene.driver.advance(block)
            scene.side.desk._snapshots.wait()
        # Nothing is sealed without an engine's RPC, so nothing may be forgotten yet.
        assert set(retained) == {0}
        desk, storage = scene.side.desk, scene.side.storage
        desk._application = SimpleNamespace(storage=SimpleNamespace(sealed=storage.height))
        assert desk.after_commit(160) == 61
        assert [each.height for each in desk._snapshots.list()] == [150, 100]
        assert desk.after_commit(260) == 100
    finally:
        scene.close()


def test_a_proposal_has_no_more_transactions_than_a_block_takes(
    scene: Scene, league: CometLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.node.proposals.BLOCK_TRANSACTIONS_MAX", 3)
    four = [league.count_up(f"c{number}") for number in range(4)]
    scene.driver.offer(*four)
    time_ms = scene.driver.next_time()
    assert scene.driver.prepare(time_ms) == four[:3]
    assert scene.driver.process(four[:3], time_ms) and not scene.driver.process(four, time_ms)


def test_only_votes_for_the_block_are_signers() -> None:
    votes = [
        abci.VoteInfo(
            validator=abci.Validator(address=bytes([flag]) * 20, power=1),
            block_id_flag=validator_pb2.BlockIDFlag.Name(flag),
        )
        for flag in (1, 2, 3, 0, 2)
    ]
    assert read_signers(abci.CommitInfo(votes=votes)) == (b"\x02" * 20, b"\x02" * 20)
