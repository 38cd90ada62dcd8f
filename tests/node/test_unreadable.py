"""What a node reads and cannot: nothing of it becomes an answer to the engine, or a block."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hansa.comet.abci import types_pb2 as abci
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.model import compute_state_key
from hansa.ledger.system import Account
from hansa.node.application import LedgerApplication
from hansa.node.comet_parts import CometParts
from hansa.node.engine import Listener
from hansa.node.faults import CorruptFolderError, NodeStoppedError
from hansa.node.folder import FAMILIES
from hansa.node.home import Home, create_home
from hansa.node.ledger_node import LedgerNode
from hansa.node.pool import TransactionPool
from hansa.testing.chain import make_key
from hansa.testing.simulation.store import SimulatedDisk
from tests.node.league import ToyLeague, counter_key


class Asking:
    """An engine that does what the test asks of it; `parts` is the node's side."""

    is_behind = False
    rpc = None

    def __init__(
        self, home: Home, application: LedgerApplication, pool: TransactionPool, listener: Listener
    ) -> None:
        self.application, self.halted = application, False
        self.parts = CometParts(
            home,
            application,
            pool,
            listener,
            NoDoor(),
            clock=self.next_time_ms,
            compute_digest=None,
            is_trusted=lambda _node: False,
            on_fault=listener.on_stop,
        )

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self.parts.desk.close()

    def halt(self) -> None:
        self.halted = True

    def next_time_ms(self) -> int:
        return self.application.storage.time_ms + 1_000

    def network(self) -> None:
        pass

    def dial(self, peers: Sequence[str]) -> None:
        pass

    def finalize(self, *transactions: bytes) -> abci.ResponseFinalizeBlock:
        height = self.application.storage.height + 1
        request = abci.RequestFinalizeBlock(txs=transactions, height=height, hash=bytes(32))
        request.time.FromMilliseconds(self.next_time_ms())
        return self.parts.handler.finalize_block(request)

    def commit(self) -> None:
        self.parts.handler.commit(abci.RequestCommit())


class NoDoor:
    """Nobody asks the engine in these tests."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        raise AssertionError(name)


class Scene:
    """A node on a simulated disk with one block, in which a counter was made."""

    def __init__(self, folder: Path) -> None:
        self.league, self.disk = ToyLeague(folder / "home"), SimulatedDisk()
        league = self.league
        create_home(
            league.folder,
            league.genesis,
            make_key("validator"),
            league.registry,
            open_store=self.disk.open_store,
        )
        self.open()
        digest = sha256(encode_canonical(league.genesis)).hex()
        self.engine.parts.handler.init_chain(
            abci.RequestInitChain(
                chain_id=league.genesis.chain,
                initial_height=1,
                app_state_bytes=f'{{"genesis":"{digest}"}}'.encode(),
                validators=[
                    abci.ValidatorUpdate(pub_key={"ed25519": each.key.raw}, power=each.power)
                    for each in league.genesis.validators
                ],
            )
        )
        answer = self.engine.finalize(league.count("x"))
        assert [each.code for each in answer.tx_results] == [0]
        self.engine.commit()

    def open(self) -> None:
        """From the disk, with nothing in memory."""
        self.node: LedgerNode = self.league.open(
            open_store=self.disk.open_store, build_engine=self._build
        )

    def _build(self, *given: object) -> Asking:
        self.engine = Asking(*given)
        return self.engine

    def spoil(self, key: bytes, value: bytes | None = None) -> None:
        """Open it anew with one record damaged: none that can be read, or another value."""
        self.node.close()
        data = self.league.folder / "data"
        store = self.disk.open_store(data, FAMILIES)
        keys = [each for each, _value in store.iterate("records")]
        if value is not None:
            batch = store.batch()
            batch.put("records", key, value)
            store.commit(batch)
        store.close()
        if value is None:
            assert self.disk.rot(data, "records", keys.index(key), seen=True) == key
        self.open()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.node.close()


def test_what_a_contract_cannot_read_is_no_result(scene: Scene) -> None:
    """Not the contract's fault, which would be a result of this node alone: the node stops."""
    scene.spoil(counter_key("x"))
    with pytest.raises(CorruptFolderError):
        scene.engine.finalize(scene.league.count("x", by=2))
    assert isinstance(scene.node.failure, CorruptFolderError) and scene.engine.halted
    with pytest.raises(CorruptFolderError):
        scene.engine.finalize(scene.league.count("y"))
    assert scene.node.height == 1


def test_what_was_executed_before_a_fault_is_not_committed(scene: Scene) -> None:
    """A fault that another reader finds between the two calls."""
    scene.spoil(counter_key("x"))
    scene.engine.finalize(scene.league.count("y"))
    with pytest.raises(CorruptFolderError):
        scene.node.state.get(counter_key("x"))
    with pytest.raises(CorruptFolderError):
        scene.engine.commit()
    assert scene.node.height == 1


def test_a_record_that_is_none_is_the_folders_fault_and_stops_the_node(scene: Scene) -> None:
    """Not the sender's: the door names the cure, and takes nothing more."""
    key = compute_state_key(Account.OWNER, Account.KIND, (scene.league.actors[0].did,))
    scene.spoil(key, b"{")
    data = scene.league.count("x", by=2)
    with pytest.raises(CorruptFolderError, match="cannot be read"):
        scene.engine.finalize(data)
    with pytest.raises(CorruptFolderError, match="cannot be read"):
        scene.node.submit(data)
    assert isinstance(scene.node.failure, CorruptFolderError) and scene.engine.halted
    with pytest.raises(NodeStoppedError):
        scene.node.submit(data)
