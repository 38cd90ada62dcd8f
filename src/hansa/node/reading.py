"""What can be read of a chain's storage: blocks, headers, commits, receipts, proofs. Any thread.

Reads the storage that it is given; `LedgerNode` is one that also runs.
"""

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.validators import ValidatorSet
from hansa.ledger.receipts import encode_exec_tx_result
from hansa.ledger.state import StateReader
from hansa.ledger.tree_proof import StateProof
from hansa.node.answers import (
    BlockNotKept,
    NoSuchMessage,
    NoSuchTransaction,
    ReceiptParts,
    decode_id,
)
from hansa.node.application import LedgerApplication
from hansa.node.blocks import BlockHead, Place, Seal, StoredBlock
from hansa.node.storage import PinnedState, Storage


class ChainReading:
    """Committed blocks and state of one chain."""

    application: LedgerApplication

    @property
    def _storage(self) -> Storage:
        return self.application.storage

    @property
    def height(self) -> int:
        """Height of the last committed block."""
        return self._storage.height

    @property
    def sealed_height(self) -> int:
        """Height of the newest header here: blocks below it are provable."""
        return self._storage.sealed

    @property
    def state(self) -> StateReader:
        """Committed state."""
        return self._storage

    def heights(self) -> tuple[int, int]:
        """First height kept and last committed one."""
        return self._storage.base, self._storage.height

    def block(self, height: int) -> StoredBlock:
        """The committed block at `height`. Raises LookupError when there is none."""
        found = self._storage.block(height)
        if found is None:
            raise LookupError(f"there is no block {height}")
        return found

    def head(self, height: int) -> BlockHead:
        """The small part of the block at `height`. Raises LookupError when there is none."""
        found = self._storage.head(height)
        if found is None:
            raise LookupError(f"there is no block {height}")
        return found

    def pin(self, passes: int) -> PinnedState:
        """The committed state of now, to be read so many times (hansa.index)."""
        return self._storage.pin(passes)

    def seal(self, height: int) -> Seal:
        """Header and commit of the block at `height`. Raises LookupError when there are none."""
        seal = self._storage.seal(height)
        if seal is None:
            raise LookupError(f"there is no header {height} yet")
        return seal

    def header(self, height: int) -> Header:
        """The header at `height`. Raises LookupError when there is none."""
        return self.seal(height).header

    def commit(self, height: int) -> Commit:
        """The commit that decided the block at `height`. Raises LookupError when there is none."""
        return self.seal(height).commit

    def validators_at(self, height: int) -> ValidatorSet:
        """Who could vote on the block at `height`. Raises LookupError when there is no header."""
        found = self._storage.validators(self.header(height).validators_hash)
        if found is None:
            raise LookupError(f"the validators of block {height} are not kept")
        return found

    def receipt(self, transaction: str, message: int) -> ReceiptParts:
        """What proves a message's result. Raises NoSuchTransaction, NoSuchMessage, BlockNotKept."""
        place = self._find_final(transaction)
        results = self._storage.results(place.height)
        result = results.results[place.index]
        if not 0 <= message < len(result.messages):
            raise NoSuchMessage(count=len(result.messages))
        after = self.seal(place.height + 1)
        return ReceiptParts(
            height=place.height,
            index=place.index,
            message=message,
            transaction=self._storage.transactions(place.height)[place.index],
            result=result,
            results=tuple(encode_exec_tx_result(each) for each in results.results),
            block=self.seal(place.height),
            header=after.header,
            commit=after.commit,
            validators=self.validators_at(place.height + 1),
        )

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof, int]:
        """Record (None: absent), proof, and height H: the header of H + 1 carries the root."""
        return self._storage.prove(key)

    def _find_final(self, transaction: str) -> Place:
        place = self._storage.place(decode_id(transaction))
        if place is None or place.height >= self.sealed_height:
            raise NoSuchTransaction(id=transaction)
        if place.height < self._storage.base:
            raise BlockNotKept(height=place.height, base=self._storage.base)
        return place
