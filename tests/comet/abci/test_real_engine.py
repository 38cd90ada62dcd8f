"""The real engine, of each supported release, with the empty application behind our server."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.empty import EmptyApplication
from hansa.comet.abci.handler import StopNode
from hansa.comet.files import EngineConfig, write_engine_home
from hansa.comet.install import RELEASES, install_engine
from hansa.comet.process import EngineProcess
from hansa.comet.rpc import RpcClient
from hansa.comet.sockets import close_sockets, open_sockets
from hansa.crypto.keys import PrivateKey
from hansa.ledger.genesis import Genesis, GenesisValidator
from tests.comet.abci.speaker import PATIENCE_S, Running

pytestmark = pytest.mark.slow


class Node:
    """One validator: our server with an application, and one engine."""

    def __init__(self, folder: Path, program: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.sockets = open_sockets(folder)
        self.log = folder / "engine.log"
        validator = PrivateKey.generate()
        genesis = Genesis(
            activations=(),
            chain="abci-test",
            contracts={},
            kind="hansa.genesis/1",
            time_ms=int(time.time() * 1000),
            validators=(GenesisValidator(key=validator.public, power=10),),
        )
        write_engine_home(
            folder / "engine",
            genesis,
            EmptyApplication.compute_app_hash(0),
            validator,
            PrivateKey.generate(),
            EngineConfig(abci=self.sockets.abci, rpc=self.sockets.rpc, commit_ms=50),
            application_protocol=1,
        )
        self.ended = threading.Event()
        self.engine = EngineProcess(
            program,
            folder / "engine",
            self.log,
            rpc=self.sockets.rpc,
            on_exit=lambda _exit: self.ended.set(),
        )
        self.rpc = RpcClient(self.sockets.rpc)
        self.running: Running | None = None

    def start(self, application: EmptyApplication) -> None:
        self.running = Running(self.sockets.abci, application)
        self.engine.start()

    def stop(self) -> None:
        self.engine.stop()
        if self.running:
            self.running.close()
        self.rpc.close()

    def await_(self, done: Callable[[], bool]) -> None:
        """Until it is so; the engine must live."""
        for _ in range(int(PATIENCE_S / 0.02)):
            if done():
                return
            assert self.engine.alive, self.log.read_text()[-3_000:]
            time.sleep(0.02)
        raise AssertionError(f"not reached: {self.log.read_text()[-3_000:]}")

    def give(self, application: EmptyApplication, transactions: list[bytes]) -> None:
        """Broadcast and wait until they are committed."""
        self.await_(self.sockets.rpc.exists)
        wanted = application.count + len(transactions)
        for start in range(0, len(transactions), 100):
            answers = self.rpc.broadcast(transactions[start : start + 100])
            assert [each.code for each in answers] == [0] * len(answers)
        self.await_(lambda: application.count >= wanted)
        assert application.count == wanted


@pytest.fixture(scope="module", params=sorted(RELEASES))
def program(request: pytest.FixtureRequest) -> Path:
    return install_engine(request.param)


@pytest.fixture
def node(tmp_path: Path, program: Path) -> Iterator[Node]:
    made = Node(tmp_path / "node", program)
    try:
        yield made
    finally:
        made.stop()
        close_sockets(made.sockets)


class Counting(EmptyApplication):
    """Counts the calls that the engine makes once or never."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.asked: list[str] = []

    def init_chain(self, request: abci.RequestInitChain) -> abci.ResponseInitChain:
        self.begun += 1
        assert request.chain_id == "abci-test"
        assert [each.power for each in request.validators] == [10]
        return super().init_chain(request)

    def query(self, request: abci.RequestQuery) -> abci.ResponseQuery:
        self.asked.append(request.path)
        return super().query(request)


def test_a_chain_grows_restarts_and_replays(node: Node) -> None:
    application = Counting()
    node.start(application)
    node.give(application, [b"first %d" % number for number in range(300)])
    node.engine.restart()
    node.give(application, [b"second %d" % number for number in range(300)])
    assert application.begun == 1
    assert node.rpc.call("abci_query", {"path": "/count"})["response"]["height"] != "0"
    assert application.asked == ["/count"]
    height, count = application.height, application.count
    status = node.rpc.status()
    node.stop()
    assert node.running is not None
    assert node.running.told == []

    forgetful = Counting()  # an application that lost all is led through every block again
    node.start(forgetful)
    node.give(forgetful, [])
    node.await_(lambda: forgetful.height >= height)
    assert forgetful.begun == 1
    assert forgetful.count == count == 600
    node.give(forgetful, [b"third"])
    assert node.rpc.status().height > status.height


def test_recheck_and_large_blocks_pass(node: Node) -> None:
    """Transactions of 64 KB: requests that no buffer holds; what waits is checked again."""

    class Watching(EmptyApplication):
        largest = 0
        rechecked = 0

        def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
            self.rechecked += request.type == abci.RECHECK
            return super().check_tx(request)

        def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
            self.largest = max(self.largest, request.ByteSize())
            return super().finalize_block(request)

    application = Watching()
    node.start(application)
    node.give(application, [b"%5d" % number + bytes(64_000) for number in range(300)])
    assert application.largest > 512 * 1024
    assert application.rechecked > 0


def test_stop_node_ends_the_engine_which_says_why(node: Node) -> None:
    class Full(EmptyApplication):
        def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
            if request.txs:
                raise StopNode("the disk of this node is full")
            return super().finalize_block(request)

    application = Full()
    node.start(application)
    node.await_(node.sockets.rpc.exists)
    node.rpc.broadcast([b"one"])
    assert node.running is not None
    assert str(node.running.told.wait()) == "the disk of this node is full"
    assert node.ended.wait(PATIENCE_S)
    assert "the disk of this node is full" in node.log.read_text()


def test_the_engine_ends_when_the_server_stops(node: Node) -> None:
    application = EmptyApplication()
    node.start(application)
    node.give(application, [b"one"])
    assert node.running is not None
    node.running.server.stop()
    assert node.ended.wait(PATIENCE_S)
