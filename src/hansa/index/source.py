"""What the read model needs of a ledger: its committed blocks, in order. Protocols only."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from hansa.ledger.blocks import Change
from hansa.ledger.receipts import MessageResult, TransactionResult


class BlockResults(Protocol):
    """Results of one block: one per transaction, and the fired deadlines' own."""

    @property
    def results(self) -> Sequence[TransactionResult]: ...

    @property
    def deadlines(self) -> Sequence[MessageResult]: ...


class CommittedBlock(Protocol):
    """A committed block as the read model reads it. Changes are sorted by key; None deletes."""

    @property
    def height(self) -> int: ...

    @property
    def time_ms(self) -> int: ...

    @property
    def hash(self) -> bytes: ...

    @property
    def transactions(self) -> Sequence[bytes]: ...

    @property
    def results(self) -> BlockResults: ...

    @property
    def changes(self) -> Sequence[Change]: ...


class PinnedState(Protocol):
    """All records of one height, whatever is committed later. Close it after use."""

    @property
    def height(self) -> int: ...

    @property
    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """The records in key order; each of the passes that were asked for reads them once."""
        ...

    def close(self) -> None: ...


class BlockSource(Protocol):
    """A ledger to follow. Heights are contiguous; the last one may grow at any time."""

    @property
    def chain(self) -> str: ...

    def heights(self) -> tuple[int, int]:
        """First height still kept and last committed height; (1, 0) when there is no block yet."""
        ...

    def block(self, height: int) -> CommittedBlock:
        """The committed block at `height`. Raises LookupError when it is not kept."""
        ...

    def pin(self, passes: int) -> PinnedState:
        """The committed state of now, to be read so many times."""
        ...

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with each new height, from any thread; returns what ends that."""
        ...
