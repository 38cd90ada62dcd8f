"""What a peer that lies makes of a snapshot and of its chunks. Pure: all is in the fault."""

from collections.abc import Callable
from typing import Final

from hansa.comet.abci import types_pb2 as abci
from hansa.testing.simulation.plan import Fault, chance

_CHUNKS: Final[tuple[Callable[[bytes, int], bytes], ...]] = (
    lambda data, luck: _flip(data, luck),
    lambda data, luck: data[: luck % len(data)],
    lambda data, luck: data + data[luck % len(data) :],
    lambda data, _luck: data[::-1],
    lambda data, _luck: data,  # the truth, now and then
)


def twist_chunk(lie: Fault, index: int, chunk: bytes) -> bytes:
    """What it gives in the place of a chunk."""
    luck = chance(lie.value, "lie", index)
    return _CHUNKS[luck % len(_CHUNKS)](chunk, luck // 100)


def twist_snapshot(lie: Fault, snapshot: abci.Snapshot) -> bool:
    """What it tells of a snapshot. False: the truth."""
    luck = chance(lie.value, "snapshot", snapshot.height)
    kind = luck % 6
    if kind == 0:
        snapshot.metadata = _flip(snapshot.metadata, luck // 100)
    elif kind == 1:
        snapshot.format += 1 if luck % 200 < 100 else -1
    elif kind == 2:
        snapshot.chunks += 1
    elif kind == 3:
        snapshot.hash = _flip(snapshot.hash, luck // 100)
    return kind < 4


def _flip(data: bytes, luck: int) -> bytes:
    place = luck % len(data) if data else 0
    return data[:place] + bytes([data[place] ^ (1 << luck % 8)]) + data[place + 1 :]
