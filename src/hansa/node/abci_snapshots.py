"""Snapshots at the ABCI boundary: what this node gives to those that join, and takes itself.

Also says which blocks the engine may forget. Touches the snapshots' folder through `snapshots.py`.
"""

from hansa.comet.abci import types_pb2 as abci


class SnapshotDesk:
    """Gives none, takes none, keeps all blocks."""

    def after_commit(self, _height: int) -> int:
        """`retain_height` of Commit: 0 keeps all."""
        return 0

    def list(self) -> abci.ResponseListSnapshots:
        """None."""
        return abci.ResponseListSnapshots()

    def load(self, _request: abci.RequestLoadSnapshotChunk) -> abci.ResponseLoadSnapshotChunk:
        """Not there."""
        return abci.ResponseLoadSnapshotChunk()

    def offer(self, _request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """No."""
        return abci.ResponseOfferSnapshot(result=abci.ResponseOfferSnapshot.REJECT)

    def apply(self, _request: abci.RequestApplySnapshotChunk) -> abci.ResponseApplySnapshotChunk:
        """None was accepted."""
        return abci.ResponseApplySnapshotChunk(result=abci.ResponseApplySnapshotChunk.ABORT)
