"""What an application answers: one method per ABCI call, and what each call owes the engine.

Pure interface; `server.py` calls it. Inherit from `Handler` to have the calls that Hansa leaves
out (vote extensions, an application's own mempool) answered as absent.
"""

from abc import abstractmethod
from typing import Protocol

from hansa.comet.abci import types_pb2 as abci


class StopNode(Exception):
    """Raised by a handler: this node must stop. The message reaches the engine and its log.

    For faults of this node only. A bad transaction, query or snapshot is an answer with a code.
    """


class Handler(Protocol):
    """The application behind one engine.

    Any exception stops the server and, with it, the engine. `init_chain`, `prepare_proposal`,
    `process_proposal`, `extend_vote`, `verify_vote_extension`, `finalize_block`, `commit`,
    `check_tx`, `insert_tx`, `reap_txs`, `offer_snapshot` and `apply_snapshot_chunk` never run
    beside each other. `info`, `query`, `list_snapshots` and `load_snapshot_chunk` may run beside
    all of them, each in a thread of its connection.
    """

    @abstractmethod
    def info(self, request: abci.RequestInfo) -> abci.ResponseInfo:
        """Height and app hash of the last durable commit; 0 and nothing before the first.

        Asked at each start of an engine, and again after a restored snapshot.
        """

    @abstractmethod
    def query(self, request: abci.RequestQuery) -> abci.ResponseQuery:
        """Also the door for peers: `/p2p/filter/addr/<ip:port>`, `/p2p/filter/id/<hex 40>`.

        A code other than 0 refuses the peer. These are asked only with `filter_peers = true`.
        """

    @abstractmethod
    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        """Code 0 lets the transaction into the mempool (`NEW`) or lets it stay (`RECHECK`)."""

    @abstractmethod
    def init_chain(self, request: abci.RequestInitChain) -> abci.ResponseInitChain:
        """The genesis state's app hash. Called again when a crash came before the first commit."""

    @abstractmethod
    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """Transactions of a block; together, counted as protobuf, at most `max_tx_bytes`."""

    @abstractmethod
    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """ACCEPT or REJECT, from the block and the committed state alone; UNKNOWN is fatal."""

    @abstractmethod
    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """One result per transaction, in order. Nothing durable: that is `commit`'s.

        May be called twice for one height, with a restart of the engine between.
        """

    @abstractmethod
    def commit(self, request: abci.RequestCommit) -> abci.ResponseCommit:
        """The one durable write of the block that was finalized last.

        A `retain_height` above 0 lets the engine forget its blocks below it.
        """

    @abstractmethod
    def list_snapshots(self, request: abci.RequestListSnapshots) -> abci.ResponseListSnapshots:
        """The snapshots this node can give (at most 10 are asked of a peer)."""

    @abstractmethod
    def load_snapshot_chunk(
        self, request: abci.RequestLoadSnapshotChunk
    ) -> abci.ResponseLoadSnapshotChunk:
        """One chunk (at most 16 MB); an empty chunk says that it is not there."""

    @abstractmethod
    def offer_snapshot(self, request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """Whether to restore it; `app_hash` is verified by the engine's light client."""

    @abstractmethod
    def apply_snapshot_chunk(
        self, request: abci.RequestApplySnapshotChunk
    ) -> abci.ResponseApplySnapshotChunk:
        """Take one chunk of the accepted snapshot, or say what to fetch again."""

    def extend_vote(self, _request: abci.RequestExtendVote) -> abci.ResponseExtendVote:
        """Nothing: called only when consensus parameters turn vote extensions on."""
        return abci.ResponseExtendVote()

    def verify_vote_extension(
        self, request: abci.RequestVerifyVoteExtension
    ) -> abci.ResponseVerifyVoteExtension:
        """An empty extension is right, any other is not ours."""
        answer = abci.ResponseVerifyVoteExtension
        return answer(status=answer.REJECT if request.vote_extension else answer.ACCEPT)

    def insert_tx(self, _request: abci.RequestInsertTx) -> abci.ResponseInsertTx:
        """Refused: called only with `mempool.type = "app"` (engine 0.39 and later)."""
        return abci.ResponseInsertTx(code=1)

    def reap_txs(self, _request: abci.RequestReapTxs) -> abci.ResponseReapTxs:
        """Nothing: called only with `mempool.type = "app"` (engine 0.39 and later)."""
        return abci.ResponseReapTxs()
