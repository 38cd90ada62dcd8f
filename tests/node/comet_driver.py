"""CometBFT played in Python over the real socket: every legal order of calls, crashes, replays.

The engine's side keeps what CometBFT keeps (blocks, results, validators, its own height), and holds
the node to the same: app hash of each block, one result per transaction, the handshake.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci import validator_pb2
from hansa.comet.abci.server import Server
from hansa.comet.validators import ValidatorSet, compute_address
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.blocks import ValidatorUpdate
from hansa.ledger.rejections import Rejection
from hansa.node.abci_handler import AbciHandler, HandlerListener
from hansa.node.abci_snapshots import SnapshotDesk
from hansa.node.application import LedgerApplication
from hansa.node.home import Home, open_home
from hansa.node.release import ComputeDigest
from hansa.node.sealer import apply_updates, build_validators
from hansa.node.storage import Storage, make_identity
from hansa.testing.simulation.engine import build_init_chain
from tests.comet.abci.speaker import Speaker, Told
from tests.node.comet_league import CometLeague

BYTES_MAX = 3_900_000


class Died(Exception):
    """The node answered with an exception: the engine kills itself."""


class Side:
    """The node's side without an engine: storage, handler and server of one home."""

    def __init__(
        self,
        league: CometLeague,
        number: int,
        socket: Path,
        compute_digest: ComputeDigest | None = None,
    ) -> None:
        self.home: Home = open_home(league.home(number))
        self.refused: list[tuple[bytes, Rejection]] = []
        self.told = Told()
        identity = make_identity(self.home.genesis.chain, self.home.genesis_digest)
        storage = Storage(self.home.data, identity)
        self.application = LedgerApplication(self.home.genesis.chain, storage, league.registry)
        self.desk = SnapshotDesk(self.home, self.application, lambda _storage: None)
        self.clock = league.genesis.time_ms
        self.handler = AbciHandler(
            self.application,
            self.home.genesis,
            self.home.genesis_digest,
            HandlerListener(
                on_block=lambda _head, _result, _ids: None,
                on_refused=lambda identity, _data, why: self.refused.append((identity, why)),
            ),
            self.desk,
            clock=lambda: self.clock,
            compute_digest=compute_digest,
        )
        self.server = Server(socket, self.handler, on_fatal=self.told.take)
        self.server.start()

    @property
    def storage(self) -> Storage:
        return self.application.storage

    def close(self) -> None:
        self.server.stop()
        self.desk.close()
        self.storage.close()


@contextmanager
def running(league: CometLeague, number: int, socket: Path) -> Iterator[Side]:
    side = Side(league, number, socket)
    try:
        yield side
    finally:
        side.close()


class Decided(msgspec.Struct):
    """A block in the engine's store. `response` is what FinalizeBlock answered."""

    request: abci.RequestFinalizeBlock
    response: abci.ResponseFinalizeBlock | None = None


class Driver:
    """One engine. `height` is its own state's, which may be one behind its store."""

    def __init__(self, league: CometLeague, random_: random.Random) -> None:
        self.league, self.random = league, random_
        self.blocks: list[Decided] = []
        self.height = 0
        self.app_hash = b""
        self.time_ms = league.genesis.time_ms
        self.mempool: list[bytes] = []
        first: ValidatorSet = build_validators(league.genesis)
        self.sets = {1: first, 2: first}

    def connect(self, socket: Path) -> None:
        """Four connections, then the handshake."""
        self.query, self.snapshot, self.pool, self.consensus = (Speaker(socket) for _ in range(4))
        self.handshake()

    def disconnect(self) -> None:
        for speaker in (self.query, self.snapshot, self.pool, self.consensus):
            speaker.close()

    def handshake(self) -> None:
        """consensus/replay.go ReplayBlocks: from Info to where the store is."""
        info = self.query.ask(info=abci.RequestInfo(version="0.39.4", abci_version="2.0.0")).info
        at, root = info.last_block_height, info.last_block_app_hash
        if at == 0:
            root = self.init_chain().app_hash
            if self.height == 0:
                self.app_hash = root
        assert at <= len(self.blocks), "app block height is higher than core"
        for block in self.blocks[at:]:
            root = self.apply(block)
        if self.height < len(self.blocks):
            # The application has the last block: its stored results make the engine's state.
            self.advance(self.blocks[-1])
        assert root == self.app_hash, "the app hash is not that of the engine's state"

    def init_chain(self) -> abci.ResponseInitChain:
        genesis = self.league.genesis
        request = build_init_chain(genesis, sha256(encode_canonical(genesis)))
        return self.ask_consensus(init_chain=request).init_chain

    def ask_consensus(self, **call: object) -> abci.Response:
        answer = self.consensus.ask(**call)
        if answer.WhichOneof("value") == "exception":
            raise Died(answer.exception.error)
        return answer

    def check(self, data: bytes, *, again: bool = False) -> bool:
        """CheckTx; whether it may be in the engine's pool."""
        kind = abci.RECHECK if again else abci.NEW
        self.pool.say(
            abci.Request(check_tx=abci.RequestCheckTx(tx=data, type=kind)),
            abci.Request(flush=abci.RequestFlush()),
        )
        answer, flush = self.pool.hear(), self.pool.hear()
        assert answer is not None and flush is not None and flush.WhichOneof("value") == "flush"
        return answer.check_tx.code == 0

    def offer(self, *transactions: bytes) -> list[bool]:
        """New ones into the engine's pool."""
        taken = []
        for data in transactions:
            taken.append(data not in self.mempool and self.check(data))
            if taken[-1]:
                self.mempool.append(data)
        return taken

    def recheck(self) -> None:
        """All that waits, pipelined, as after each block."""
        requests = [
            abci.Request(check_tx=abci.RequestCheckTx(tx=data, type=abci.RECHECK))
            for data in self.mempool
        ]
        self.pool.say(*requests, abci.Request(flush=abci.RequestFlush()))
        answers = [self.pool.hear() for _ in requests]
        assert self.pool.hear() is not None
        self.mempool = [
            data
            for data, answer in zip(self.mempool, answers, strict=True)
            if answer is not None and answer.check_tx.code == 0
        ]

    def next_time(self) -> int:
        """Block 1 has the genesis time."""
        if not self.blocks:
            return self.league.genesis.time_ms
        return self.time_ms + self.random.randint(1, 400)

    def prepare(self, time_ms: int, bytes_max: int = BYTES_MAX) -> list[bytes]:
        request = abci.RequestPrepareProposal(
            max_tx_bytes=bytes_max,
            txs=self.mempool,
            height=self.height + 1,
            time=encode_time(time_ms),
        )
        return list(self.ask_consensus(prepare_proposal=request).prepare_proposal.txs)

    def process(
        self,
        transactions: Sequence[bytes],
        time_ms: int,
        misbehaviours: Sequence[abci.Misbehavior] = (),
    ) -> bool:
        """Whether the node would vote for it."""
        request = abci.RequestProcessProposal(
            txs=transactions,
            height=self.height + 1,
            time=encode_time(time_ms),
            hash=compute_hash(self.height + 1, time_ms, transactions),
            misbehavior=misbehaviours,
            proposer_address=bytes(20),
        )
        status = self.ask_consensus(process_proposal=request).process_proposal.status
        assert status in (abci.ResponseProcessProposal.ACCEPT, abci.ResponseProcessProposal.REJECT)
        return status == abci.ResponseProcessProposal.ACCEPT

    def decide(
        self,
        transactions: Sequence[bytes],
        time_ms: int,
        misbehaviours: Sequence[abci.Misbehavior] = (),
    ) -> Decided:
        """The block is stored; nothing is executed yet."""
        height = self.height + 1
        votes = []
        for each in self.sets[height - 1] if height > 1 else ():
            flag = self.random.choice((1, 2, 2, 2, 3))
            votes.append(
                abci.VoteInfo(
                    validator=abci.Validator(address=each.address, power=each.power),
                    block_id_flag=validator_pb2.BlockIDFlag.Name(flag),
                )
            )
        block = Decided(
            abci.RequestFinalizeBlock(
                txs=transactions,
                decided_last_commit=abci.CommitInfo(votes=votes),
                misbehavior=misbehaviours,
                hash=compute_hash(height, time_ms, transactions),
                height=height,
                time=encode_time(time_ms),
                proposer_address=bytes(20),
            )
        )
        self.blocks.append(block)
        self.time_ms = time_ms
        return block

    def finalize(self, block: Decided) -> None:
        answer = self.ask_consensus(finalize_block=block.request).finalize_block
        assert len(answer.tx_results) == len(block.request.txs)
        assert block.response is None or block.response == answer, "other results the second time"
        block.response = answer

    def commit(self) -> abci.ResponseCommit:
        return self.ask_consensus(commit=abci.RequestCommit()).commit

    def advance(self, block: Decided) -> None:
        """state/execution.go: the engine's state after a block."""
        assert block.response is not None
        height = block.request.height
        self.height, self.app_hash = height, block.response.app_hash
        updates = [
            ValidatorUpdate(each.pub_key.ed25519, each.power)
            for each in block.response.validator_updates
        ]
        assert len({each.public_key for each in updates}) == len(updates)
        self.sets[height + 2] = apply_updates(self.sets[height + 1], updates)

    def apply(self, block: Decided) -> bytes:
        """FinalizeBlock, Commit, and the engine's own state after it."""
        self.finalize(block)
        self.commit()
        if block.request.height > self.height:
            self.advance(block)
        assert block.response is not None
        return block.response.app_hash

    def after_block(self, block: Decided) -> None:
        """The pool without the block's transactions, and asked again."""
        gone = set(block.request.txs)
        self.mempool = [data for data in self.mempool if data not in gone]
        self.recheck()

    def make_block(self, *transactions: bytes) -> Decided:
        """One block the usual way."""
        self.offer(*transactions)
        time_ms = self.next_time()
        chosen = self.prepare(time_ms)
        assert self.process(chosen, time_ms), "the node refuses its own proposal"
        block = self.decide(chosen, time_ms)
        self.apply(block)
        self.after_block(block)
        return block


def encode_time(ms: int) -> Timestamp:
    seconds, rest = divmod(ms, 1000)
    return Timestamp(seconds=seconds, nanos=rest * 1_000_000 + 123_456)


def compute_hash(height: int, time_ms: int, transactions: Sequence[bytes]) -> bytes:
    return sha256(repr((height, time_ms, [sha256(each) for each in transactions])).encode())


def accuse(league: CometLeague, number: int, height: int) -> abci.Misbehavior:
    """Evidence of a double vote."""
    address = compute_address(league.validator_key(number).public.raw)
    return abci.Misbehavior(
        type=abci.DUPLICATE_VOTE,
        validator=abci.Validator(address=address, power=10),
        height=height,
        time=encode_time(league.genesis.time_ms),
        total_voting_power=40,
    )
