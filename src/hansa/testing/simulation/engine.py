"""CometBFT as it is played to one real node: its answers to the node's RPC, its calls over ABCI.

Keeps what CometBFT keeps on its own disk (`EngineBooks`) apart from what dies with it (its pool).
The node's side is `CometParts`, as under the real engine; no socket, no thread. `handshake` follows
consensus/replay.go, `advance` state/execution.go.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.rpc import Broadcast, EngineUnreachable, RpcClient, RpcError
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import EMPTY_ROOT, merkle_root
from hansa.ledger.blocks import ValidatorUpdate
from hansa.ledger.genesis import Genesis
from hansa.ledger.receipts import ExecTxResult
from hansa.ledger.rejections import InvariantViolation
from hansa.node.application import LedgerApplication
from hansa.node.comet_parts import CometParts
from hansa.node.engine import Listener, NetworkView
from hansa.node.faults import EngineError, NodeError
from hansa.node.home import Home
from hansa.node.key_value import OpenStore
from hansa.node.pool import TransactionPool
from hansa.node.snapshots import Job
from hansa.testing.simulation import checkers
from hansa.testing.simulation.checkers import Found
from hansa.testing.simulation.consensus import DecidedBlock, EngineBooks, Executed, Proposal
from hansa.testing.simulation.network import Stage
from hansa.testing.simulation.rpc import SimulatedRpc

T = TypeVar("T")
BYTES_MAX: Final = 3_900_000
TRANSACTION_BYTES_MAX: Final = 1_048_576
POOL_MAX: Final = 5_000
# Heights behind the others from which an engine says that it is catching up.
BEHIND: Final = 3


class Halted(Exception):
    """The engine's call met a fault of its node: the node has been told, the call has no answer."""


class EngineHost(Protocol):
    """What an engine needs of the node that it belongs to."""

    number: int
    name: str
    books: EngineBooks
    committed: int
    is_honest: bool
    is_joining: bool

    @property
    def open_store(self) -> OpenStore:
        """How stores are opened."""
        ...

    def compute_digest(self, application: str) -> str:
        """Digest of a contract's code in the node's release."""
        ...

    def spawn(self, work: Callable[[], None]) -> Job:
        """Do a job beside the blocks."""
        ...

    def gossip(self, data: bytes) -> None:
        """Tell the other engines of a transaction."""
        ...


def build_init_chain(genesis: Genesis, digest: bytes) -> abci.RequestInitChain:
    """What CometBFT says first to a node of this genesis."""
    return abci.RequestInitChain(
        chain_id=genesis.chain,
        initial_height=1,
        app_state_bytes=f'{{"genesis":"{digest.hex()}"}}'.encode(),
        validators=[
            abci.ValidatorUpdate(pub_key={"ed25519": each.key.raw}, power=each.power)
            for each in genesis.validators
        ],
    )


class SimulatedEngine:
    """The engine beside one open node; it ends with it."""

    def __init__(
        self,
        host: EngineHost,
        stage: Stage,
        home: Home,
        application: LedgerApplication,
        pool: TransactionPool,
        listener: Listener,
    ) -> None:
        self.name, self.stage, self.books = host.name, stage, host.books
        self.application = application
        self.is_alive, self.is_pool_full = True, False
        # Counts its own starts beside the same open node.
        self.session = 0
        self.failure: BaseException | None = None
        self._host, self._home, self._listener = host, home, listener
        self._mempool: dict[bytes, None] = {}
        self._cache: set[bytes] = set()
        self.door = SimulatedRpc(self)
        self.parts = CometParts(
            home,
            application,
            pool,
            listener,
            self.door,
            clock=self._read_clock,
            compute_digest=host.compute_digest,
            is_trusted=lambda _node: False,
            on_fault=self.fail,
            open_store=host.open_store,
            now=stage.clock.steady_s,
            spawn=host.spawn,
        )

    # --- what the node asks of its engine ---

    def start(self) -> None:
        """The handshake: from what the node has to what this engine has. Raises a NodeError."""
        if self._host.is_joining:
            return  # it begins from a snapshot: `joining.py`
        try:
            self._handshake()
        except Halted as halted:
            self.stop()
            raise halted.__cause__ or halted from None
        except BaseException:
            self.stop()
            raise

    def begin_again(self) -> None:
        """It has ended, alone, and is started again: with an empty pool, from its own disk."""
        self.session += 1
        self.empty_pool()
        self._handshake()
        self.parts.feeder.give_again()

    def stop(self) -> None:
        """End."""
        self.is_alive = False
        self.parts.feeder.stop()
        self.parts.sealing.stop()
        self.parts.desk.close()
        self._listener.on_stop(None)

    def halt(self) -> None:
        """Make no further block."""
        self.is_alive = False

    @property
    def is_behind(self) -> bool:
        """Whether the others are known to be further."""
        return self.stage.consensus.height > self.books.height + BEHIND

    def next_time_ms(self) -> int:
        """The least time of the next block, by this node's clock."""
        return max(self.application.storage.time_ms + 1, self._read_clock())

    def network(self) -> NetworkView | None:
        """None: there is no port."""
        return None

    def dial(self, peers: Sequence[str]) -> None:
        """Links are there, or cut."""

    @property
    def rpc(self) -> RpcClient | None:
        """None: no socket."""
        return None

    def _read_clock(self) -> int:
        return self.stage.clock.wall_ms(self._host.number)

    def fail(self, error: BaseException) -> None:
        """This node's own fault: no further block."""
        self.failure = self.failure or error
        self.halt()
        self._listener.on_stop(error)

    def ask(self, call: Callable[[], T]) -> T:
        """One call into the node. All that it may raise is its own fault, as at the real socket.

        Raises Halted.
        """
        if not self.is_alive:
            raise Halted
        try:
            return call()
        except Found:
            raise
        except Exception as error:
            self.fail(error)
            raise Halted from error

    # --- handshake and blocks ---

    def _handshake(self) -> None:
        books, handler = self.books, self.parts.handler
        info = self.ask(lambda: handler.info(abci.RequestInfo(version="0.39.4")))
        at, root = info.last_block_height, info.last_block_app_hash
        self.stage.note("start", self.name, at, root.hex())
        self.stage.tell(checkers.Started(self.name, at, root))
        # A block that was written as the process ended is there for good once a start found it.
        self._host.committed = max(self._host.committed, at)
        if at == 0:
            root = self._init_chain()
        if at > books.stored:
            raise EngineError("the ledger is ahead of its engine", "Have it join again.")
        if at + 1 < books.base:
            raise EngineError("the ledger is behind its engine's blocks", "Have it join again.")
        for each in range(at + 1, books.stored + 1):
            root = self.apply(self.stage.consensus.decided(each))
        if books.height < books.stored:
            self._advance(books.stored)
        wanted = self.state.app_hash if books.height else root
        if root != wanted:
            raise EngineError(
                f"the ledger's state {root.hex()[:16]} at height {books.height} is not that of its"
                f" engine, {wanted.hex()[:16]}",
                "Have it join again.",
            )

    def _init_chain(self) -> bytes:
        request = build_init_chain(self._home.genesis, self._home.genesis_digest)
        answer = self.ask(lambda: self.parts.handler.init_chain(request))
        if self.books.height == 0:
            self.books.executed[0] = Executed(answer.app_hash, EMPTY_ROOT)
        return answer.app_hash

    @property
    def state(self) -> Executed:
        """What this engine's own state says of the last block."""
        return self.books.executed[self.books.height]

    def store(self, block: DecidedBlock) -> None:
        """The block is on the engine's disk: whatever happens, it will be executed."""
        if block.height != self.books.stored + 1 or self.books.height != self.books.stored:
            return
        before = self.state
        header = block.header
        if (header.app_hash, header.last_results_hash) != (before.app_hash, before.results_hash):
            error = EngineError(
                f"block {block.height} follows state {header.app_hash.hex()[:16]}, this node's is"
                f" {before.app_hash.hex()[:16]}",
                "Have it join again.",
            )
            self.fail(error)
            raise Halted from error
        self.books.stored = block.height

    def finalize(self, block: DecidedBlock) -> None:
        """FinalizeBlock; the engine keeps the answer before it goes on."""
        request = block.request
        answer = self.ask(lambda: self.parts.handler.finalize_block(request))
        results = [
            ExecTxResult(each.code, each.data, each.gas_wanted, each.gas_used).encode()
            for each in answer.tx_results
        ]
        updates = tuple(
            ValidatorUpdate(each.pub_key.ed25519, each.power) for each in answer.validator_updates
        )
        executed = Executed(answer.app_hash, merkle_root(results), updates)
        self.stage.note("finalize", self.name, block.height, executed.app_hash.hex())
        self.stage.tell(
            checkers.Executed(
                self.name,
                block.height,
                executed.app_hash,
                tuple(results),
                tuple((each.public_key, each.power) for each in updates),
            )
        )
        self.books.executed[block.height] = executed
        if self._host.is_honest:
            self.stage.consensus.note_executed(block.height, executed)

    def commit(self, block: DecidedBlock) -> None:
        """Commit, then the engine's own state, then its pool."""
        answer = self.ask(lambda: self.parts.handler.commit(abci.RequestCommit()))
        self.stage.note("commit", self.name, block.height)
        self._host.committed = max(self._host.committed, block.height)
        self.stage.tell(checkers.Committed(self.name, block.height))
        if block.height > self.books.height:
            self._advance(block.height)
        self.books.base = max(self.books.base, answer.retain_height)
        self._update_pool(block)

    def apply(self, block: DecidedBlock) -> bytes:
        """A block of the engine's store, whole: replay. Returns the app hash."""
        self.finalize(block)
        self.commit(block)
        return self.books.executed[block.height].app_hash

    def _advance(self, height: int) -> None:
        self.books.height = height
        for old in [each for each in self.books.executed if each < height - 1]:
            del self.books.executed[old]

    def follows(self, proposal: Proposal) -> bool:
        """Whether the proposal's header is of this engine's own state (validateBlock)."""
        said = proposal.header.app_hash, proposal.header.last_results_hash
        return said == (self.state.app_hash, self.state.results_hash)

    def prepare(self, time_ns: int) -> list[bytes]:
        """PrepareProposal of the next height."""
        request = abci.RequestPrepareProposal(
            max_tx_bytes=BYTES_MAX, txs=list(self._mempool), height=self.books.height + 1
        )
        request.time.FromNanoseconds(time_ns)
        return list(self.ask(lambda: self.parts.handler.prepare_proposal(request)).txs)

    def process(self, proposal: Proposal) -> bool:
        """ProcessProposal: whether this node votes for it."""
        request = abci.RequestProcessProposal(
            txs=proposal.transactions,
            height=proposal.height,
            hash=proposal.header.hash(),
            misbehavior=proposal.describe_misbehaviours(),
            proposer_address=proposal.header.proposer_address,
        )
        request.time.FromNanoseconds(proposal.header.time.ns)
        answer = self.ask(lambda: self.parts.handler.process_proposal(request))
        return answer.status == abci.ResponseProcessProposal.ACCEPT

    def seal_all(self) -> None:
        """A turn of the sealing; what it does not get now it asks for again."""
        try:
            self.parts.sealing.seal_all()
        except (EngineUnreachable, RpcError):
            pass
        except (NodeError, InvariantViolation) as error:
            self.fail(error)

    # --- the engine's pool ---

    def take(self, data: bytes) -> Broadcast:
        """From this node's feeder: asked about, and told to others, a moment later."""
        if len(data) > TRANSACTION_BYTES_MAX:
            return Broadcast(taken=False, error="Tx too large")
        if data in self._cache:
            return Broadcast(taken=True)
        if self.is_pool_full or len(self._mempool) >= POOL_MAX:
            return Broadcast(taken=False, error="mempool is full")
        self._cache.add(data)
        self.stage.events.after(1, lambda: self._check_own(data))
        return Broadcast(taken=True)

    def _check_own(self, data: bytes) -> None:
        if self.is_alive and self._check(data):
            self._host.gossip(data)

    def receive(self, data: bytes) -> None:
        """From another engine."""
        if data not in self._cache and not self.is_pool_full and len(self._mempool) < POOL_MAX:
            self._cache.add(data)
            self._check(data)

    def _check(self, data: bytes) -> bool:
        if self._is_welcome(data, abci.NEW):
            self._mempool[data] = None
            return True
        self._cache.discard(data)
        return False

    def _is_welcome(self, data: bytes, kind: abci.CheckTxType) -> bool:
        request = abci.RequestCheckTx(tx=data, type=kind)
        code = self.ask(lambda: self.parts.handler.check_tx(request)).code
        self.stage.note("check", self.name, kind, code, sha256(data).hex()[:16])
        return code == 0

    def _update_pool(self, block: DecidedBlock) -> None:
        """Without the block's transactions; the others are asked again."""
        for data in block.proposal.transactions:
            self._mempool.pop(data, None)
            self._cache.add(data)
        for data in list(self._mempool):
            if not self._is_welcome(data, abci.RECHECK):
                del self._mempool[data]
                self._cache.discard(data)

    @property
    def waiting(self) -> tuple[bytes, ...]:
        """What its pool holds, in order."""
        return tuple(self._mempool)

    def empty_pool(self) -> None:
        """Forget all that waits."""
        self._mempool.clear()
        self._cache.clear()
