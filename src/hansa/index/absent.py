"""The read model of a node that keeps none (`[index] follow = false`): each question is refused.

Rows take a third of a node's work for a transaction; a validator may leave them to other nodes.
Touches no file.
"""

from typing import NoReturn

from sqlalchemy import create_engine

from hansa.index.faults import ABSENT, IndexFault
from hansa.index.shape import Shape
from hansa.index.store import Index


class AbsentIndex(Index):
    """Has seen every block, so that nobody waits for it, and knows nothing of them."""

    is_kept = False

    def __init__(self, shape: Shape, chain: str, height: int) -> None:
        super().__init__(create_engine("sqlite://"), shape, chain)
        self.height = height

    def skip_to(self, height: int) -> None:
        """The ledger is at `height`: wake who waits for that."""
        self._grow(height)

    def reading(self) -> NoReturn:
        """Raises IndexFault, always."""
        raise IndexFault(
            ABSENT,
            "this node keeps no read model: it answers for the ledger alone",
            "ask the gateway of another node, or set follow = true under [index] in node.toml and "
            "start this one again",
        )
