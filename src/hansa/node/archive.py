"""`Archive`: the committed blocks of a home at rest, for reading. No engine, no new block.

Keeps nodes off the folder while it is open; writes nothing into the data.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from hansa.node.blocks import StoredBlock
from hansa.node.home import Home, open_home
from hansa.node.lock import FolderLock, held_for_reading
from hansa.node.storage import PinnedState, Storage, make_identity


class Archive:
    """What a stopped node has committed. A source for the read model."""

    def __init__(self, folder: Path, *, exclusive: bool = False) -> None:
        """Open. Raises a NodeError: a node runs on it, or its data is not in order.

        `exclusive`: keep other readers off too; that may make the lock's file.
        """
        self.home: Home = open_home(folder)
        self.chain: str = self.home.genesis.chain
        with ExitStack() as opening:
            if exclusive:
                opening.callback(FolderLock(self.home.folder).release)
            else:
                opening.enter_context(held_for_reading(self.home.folder))
            identity = make_identity(self.chain, self.home.genesis_digest)
            self.storage = Storage(self.home.data, identity, read_only=True)
            opening.callback(self.storage.close)
            self._open = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the data, then give the folder back."""
        self._open.close()

    def heights(self) -> tuple[int, int]:
        """First height kept and last committed one."""
        return self.storage.base, self.storage.height

    def block(self, height: int) -> StoredBlock:
        """The block at `height`. Raises LookupError when there is none."""
        found = self.storage.block(height)
        if found is None:
            raise LookupError(f"there is no block {height}")
        return found

    def pin(self, passes: int) -> PinnedState:
        """The committed state, to be read so many times."""
        return self.storage.pin(passes)

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:  # noqa: ARG002
        """Nothing grows here: `listener` is never called."""
        return lambda: None
