"""An application that accepts everything and keeps two numbers in memory: for benches and tests.

The app hash is the hash of how many transactions there were, so an idle chain rests.
"""

import hashlib

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.handler import Handler


class EmptyApplication(Handler):
    """Costs as little as an application can; `height` and `count` are of the last commit."""

    def __init__(self) -> None:
        self.height = 0
        self.count = 0
        self._decided = (0, 0)

    @staticmethod
    def compute_app_hash(count: int) -> bytes:
        """The app hash after `count` transactions, 32 bytes."""
        return hashlib.sha256(count.to_bytes(8, "big")).digest()

    def info(self, _request: abci.RequestInfo) -> abci.ResponseInfo:
        """The last commit."""
        app_hash = self.compute_app_hash(self.count) if self.height else b""
        return abci.ResponseInfo(last_block_height=self.height, last_block_app_hash=app_hash)

    def query(self, request: abci.RequestQuery) -> abci.ResponseQuery:
        """The count, whatever is asked; every peer is welcome."""
        value = str(self.count).encode()
        return abci.ResponseQuery(key=request.data, value=value, height=self.height)

    def check_tx(self, _request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        """Yes."""
        return abci.ResponseCheckTx()

    def init_chain(self, _request: abci.RequestInitChain) -> abci.ResponseInitChain:
        """Begin with nothing."""
        self.height = self.count = 0
        return abci.ResponseInitChain(app_hash=self.compute_app_hash(0))

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """All that the engine offers: it counts the bytes itself."""
        return abci.ResponsePrepareProposal(txs=request.txs)

    def process_proposal(
        self, _request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Yes."""
        return abci.ResponseProcessProposal(status=abci.ResponseProcessProposal.ACCEPT)

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Success for each transaction."""
        self._decided = (request.height, self.count + len(request.txs))
        answer = abci.ResponseFinalizeBlock(app_hash=self.compute_app_hash(self._decided[1]))
        for _ in range(len(request.txs)):
            answer.tx_results.add()
        return answer

    def commit(self, _request: abci.RequestCommit) -> abci.ResponseCommit:
        """Keep the numbers."""
        self.height, self.count = self._decided
        return abci.ResponseCommit()

    def list_snapshots(self, _request: abci.RequestListSnapshots) -> abci.ResponseListSnapshots:
        """None."""
        return abci.ResponseListSnapshots()

    def load_snapshot_chunk(
        self, _request: abci.RequestLoadSnapshotChunk
    ) -> abci.ResponseLoadSnapshotChunk:
        """Not there."""
        return abci.ResponseLoadSnapshotChunk()

    def offer_snapshot(self, _request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """No."""
        return abci.ResponseOfferSnapshot(result=abci.ResponseOfferSnapshot.REJECT)

    def apply_snapshot_chunk(
        self, _request: abci.RequestApplySnapshotChunk
    ) -> abci.ResponseApplySnapshotChunk:
        """None was accepted."""
        return abci.ResponseApplySnapshotChunk(result=abci.ResponseApplySnapshotChunk.ABORT)
