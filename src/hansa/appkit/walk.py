"""Closures over a table of links: which ways to go, and what was reached. Pure descriptions.

The read model walks (`index/walk.py`); routes and views say which way and judge what came of it.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

# What ended a walk before it was whole: too many things, too many links, too long a path; or too
# many rows about what was reached.
Cut = Literal["", "items", "links", "depth", "rows"]


Cell = str | int | None
# Things of one closure: a recall of more is nearly a recall of everything, and is said to be cut.
ITEMS_MAX = 100_000


class Way(msgspec.Struct, frozen=True):
    """One direction over a table of links: from what stands in column `start` to the other.

    The table has the text columns `source` and `target`. `unless`: an integer column; a link that
    has a value there (it has ended, say) is not gone over.
    """

    table: str
    start: Literal["source", "target"]
    unless: str = ""


class Reached(msgspec.Struct, frozen=True, array_like=True):
    """A thing that the walk came to, and over how few links (0: it was asked for)."""

    item: str
    depth: int


class Link(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A link that the walk went over, as it stands in its table; `key`: the record that says so
    (its identifier, without application and kind).
    """

    source: str
    target: str
    table: str
    key: str


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """All that is reached from `roots`, as it was at `height`.

    `reached` is in the order of (depth, item), `links` in their own. `cut` is "" when that is all;
    else it names the bound, and there is more behind. `digest`: equal wherever the same was found.
    """

    height: int
    roots: tuple[str, ...]
    reached: tuple[Reached, ...]
    links: tuple[Link, ...]
    cut: Cut
    digest: str

    @property
    def items(self) -> tuple[str, ...]:
        """Everything reached, the roots too."""
        return tuple(each.item for each in self.reached)


class Snapshot(Protocol):
    """An application's tables at one height for one viewer, whatever is written meanwhile."""

    @property
    def height(self) -> int:
        """The height that all answers are of."""
        ...

    def walk(
        self,
        roots: Sequence[str],
        ways: Sequence[Way],
        *,
        items_max: int = ITEMS_MAX,
        depth_max: int = ITEMS_MAX,
    ) -> Closure:
        """All that is reached from `roots` over any of the ways."""
        ...

    def pick(
        self, table: str, column: str, values: Sequence[str], *, limit: int = ITEMS_MAX
    ) -> list[dict[str, Cell]]:
        """Rows whose column is one of `values`, in the order of (column, key, line).

        `key` in a row, and as a column asked by, is the record's identifier.
        """
        ...

    def count(
        self,
        table: str,
        column: str,
        values: Sequence[str],
        *,
        by: Sequence[str],
        time: str,
        limit: int = ITEMS_MAX,
    ) -> list[dict[str, Cell]]:
        """The same rows in groups by `column` and `by`, in their order: these columns, `count`, and
        `first` and `last`, the least and the greatest value of the integer column `time`.
        """
        ...


def compute_closure_digest(reached: tuple[Reached, ...], links: tuple[Link, ...], cut: Cut) -> str:
    """SHA-256 (hex) over what was reached, the links and the bound, in their order."""
    digest = hashlib.sha256(b"hansa.closure/1\x00")
    digest.update(msgspec.json.encode((cut, reached, links)))
    return digest.hexdigest()
