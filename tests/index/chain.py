"""An in-process chain of parcels as the read model follows it: real blocks, no engine, no disk."""

import random
from collections.abc import Callable, Iterator, Sequence

from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.ledger.blocks import Block, BlockResult, Change
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.model import Message
from hansa.testing.chain import Actor, Chain
from tests.api.league import ADA, BEA, CAI, CHAIN, build_genesis
from tests.api.parcels import (
    APPLICATIONS,
    REGISTRY,
    DropParcel,
    HandOver,
    OpenDepot,
    PlanClosing,
    SendParcel,
    SetTariff,
    Weigh,
)


class ChainBlock:
    """A block of an in-process chain."""

    def __init__(self, block: Block, results: BlockResult) -> None:
        self.height = block.height
        self.time_ms = block.time_ms
        self.hash = block.hash
        self.transactions = block.transactions
        self.results = results
        self.changes = results.changes


class ChainState:
    """The chain's records of now."""

    def __init__(self, height: int, records: dict[bytes, bytes]) -> None:
        self.height = height
        self._records = dict(sorted(records.items()))

    @property
    def records(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(self._records.items())

    def close(self) -> None:
        pass


class ChainSource:
    """Follows a chain up to `last`; `base` is the first block that it keeps."""

    def __init__(self, seed: int = 0) -> None:
        self.inner = Chain(REGISTRY, build_genesis().contracts, chain=CHAIN)
        self.chain = CHAIN
        self.base = 1
        self._random = random.Random(seed)
        self._parcels = 0

    def heights(self) -> tuple[int, int]:
        return self.base, len(self.inner.blocks)

    def block(self, height: int) -> ChainBlock:
        return ChainBlock(self.inner.blocks[height - 1], self.inner.results[height - 1])

    def pin(self, passes: int) -> ChainState:
        return ChainState(self.inner.state.height, self.inner.state.values)

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        return lambda: None

    def genesis(self) -> Sequence[Change]:
        return compute_genesis_changes(self.inner.genesis, REGISTRY)

    def sign(self, signers: Actor | list[Actor], *messages: Message) -> bytes:
        return self.inner.sign(signers, [("parcels", message) for message in messages])

    def grow(self, blocks: int) -> None:
        """Blocks of every sort: empty, refused, invalid, deleted, co-signed, deadlines, bulk."""
        for _number in range(blocks):
            many = self._random.choice([0, 1, 1, 3, 9])
            self.inner.block([self._draw() for _transaction in range(many)])

    def _draw(self) -> bytes:
        choice = self._random.randrange(9)
        sender, other = self._random.sample([ADA, BEA, CAI], 2)
        some = f"p{self._random.randrange(self._parcels + 1)}"
        if choice == 0:
            return b"not a transaction"
        if choice == 1:
            return self.sign(sender, DropParcel(id=some), SetTariff(id=some, cents=-5))
        if choice == 2:
            return self.sign([sender, other], Weigh(parcel=some, number=choice))
        if choice == 3:
            return self.sign(sender, OpenDepot(id=some, city="广州\x00澳門"))
        if choice == 4:
            return self.sign(sender, PlanClosing(id=some, in_ms=self._random.randrange(5_000)))
        if choice == 5:
            return self.sign(sender, HandOver(id=some, owner=other.did))
        messages = [self._send(other) for _ in range(self._random.choice([1, 1, 20]))]
        return self.sign(sender, *messages)

    def _send(self, other: Actor) -> SendParcel:
        self._parcels += 1
        grams = self._random.choice([5, 2_000, 50_000])
        return SendParcel(id=f"p{self._parcels}", other=other.did, note="澳門 \x00", grams=grams)


def open_index(url: str) -> Index:
    return Index.open(url, Shape(APPLICATIONS), CHAIN)
