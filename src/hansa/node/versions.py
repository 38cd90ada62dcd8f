"""Records as they were before the last blocks: what a proof under an older header shows.

In memory only; the tree keeps its own versions (hansa.ledger.tree). Callers hold one lock over
both.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from hansa.ledger.tree import VERSIONS_KEPT

# What the kept values may take, roughly; those before the last block are always kept.
BYTES_MAX: Final = 32 * 2**20
# Memory of one entry beside key and value.
ENTRY_BYTES: Final = 200

Values = Mapping[bytes, bytes | None]


class KeptValues:
    """Values before each of the last blocks, of the records that the block changed."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, Values, int]] = deque()
        self._bytes = 0

    def add(self, height: int, before: Values) -> None:
        """The block at `height` replaced `before`."""
        size = sum(
            ENTRY_BYTES + len(key) + (len(value) if value else 0) for key, value in before.items()
        )
        self._blocks.append((height, before, size))
        self._bytes += size
        while len(self._blocks) > VERSIONS_KEPT or (
            len(self._blocks) > 1 and self._bytes > BYTES_MAX
        ):
            self._drop_oldest()

    def forget(self, height: int) -> None:
        """Nobody asks any more for the states below `height`."""
        while self._blocks and self._blocks[0][0] <= height:
            self._drop_oldest()

    def first(self, current: int) -> int:
        """The oldest height whose state can be seen; `current`: the last committed one."""
        return self._blocks[0][0] - 1 if self._blocks else current

    def find(self, key: bytes, height: int, get: Callable[[bytes], bytes | None]) -> bytes | None:
        """The record under `key` in the state of `height`; `get` reads the current state."""
        for block, before, _size in self._blocks:
            if block > height and key in before:
                return before[key]
        return get(key)

    def _drop_oldest(self) -> None:
        self._bytes -= self._blocks.popleft()[2]
