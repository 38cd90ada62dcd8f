"""The bytes of snapshots: chunks of records below one node of the state tree, and what lists them.

Pure. docs/adr/0011-snapshots.md says why. A chunk is all records whose tree path begins with the
same bits, in the order of their paths; metadata has the root of each chunk's subtree, so that it is
checked against the app hash before a chunk is asked for, and each chunk alone against its root.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Final

import msgspec

from hansa.crypto.hashing import sha256
from hansa.ledger.tree_bucket import (
    EMPTY,
    EMPTY_HASH,
    MANY,
    PATH_BITS,
    combine,
    compute_change,
    compute_subtree,
)

SNAPSHOT_FORMAT: Final = 1
# A chunk is about this long on average.
CHUNK_BYTES_USUAL: Final = 2**20
# Longer ones are cut in two; CometBFT carries up to 16,000,000 bytes.
CHUNK_BYTES_MAX: Final = 8 * 2**20
# CometBFT's own limits: its default of max_snapshot_chunks, and metadata in one message.
CHUNKS_MAX: Final = 100_000
METADATA_BYTES_MAX: Final = 3_900_000
# Chunks deeper than this would need crafted keys beyond anyone's means.
DEPTH_MAX: Final = 48
KEY_BYTES_MAX: Final = 0xFFFF

_MAGIC = b"hansa/s1"
_PART = Struct(">BB32s")
_COUNT = Struct(">I")
_SIZES = Struct(">HI")
FRAME_BYTES: Final = _SIZES.size


class Snapshot(msgspec.Struct, frozen=True):
    """A snapshot as nodes offer it to each other. `hash` is the SHA-256 of `metadata`."""

    height: int
    format: int
    chunks: int
    hash: bytes
    metadata: bytes


class RefusedSnapshot(Exception):
    """An offered snapshot that is not taken. `is_format`: another release could take it."""

    def __init__(self, reason: str, *, is_format: bool = False) -> None:
        super().__init__(f"the snapshot is refused: {reason}")
        self.is_format = is_format


class RefusedChunk(Exception):
    """A chunk that does not hold the records that it must. Its sender is at fault."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"chunk {index} is refused: {reason}")
        self.index = index
        self.reason = reason


class Part(msgspec.Struct, frozen=True):
    """What one chunk must hold: the subtree at `depth` whose paths begin with `prefix`.

    `content`: EMPTY, ONE or MANY leaves (hansa.ledger.tree_bucket); `root`: the subtree's hash.
    """

    depth: int
    prefix: int
    content: int
    root: bytes

    @property
    def node(self) -> int:
        """Its place in the tree, as a heap index."""
        return 1 << self.depth | self.prefix


class ChunkRecord(msgspec.Struct, frozen=True):
    """A record of a chunk with its leaf of the tree (128 bytes, beginning with the path)."""

    entry: bytes
    key: bytes
    value: bytes


def encode_frame(key: bytes, value: bytes) -> bytes:
    """A record in a chunk: two lengths, key, value."""
    return _SIZES.pack(len(key), len(value)) + key + value


def encode_chunk(frames: Sequence[bytes]) -> bytes:
    """A chunk of records in the order of their paths; of none, its count."""
    return _COUNT.pack(len(frames)) + b"".join(frames)


def decode_frames(data: bytes, start: int = 0) -> Iterable[tuple[bytes, bytes, bytes]]:
    """Frame, key and value of each record. Raises ValueError when `data` is cut off."""
    end = len(data)
    while start < end:
        body = start + FRAME_BYTES
        if body > end:
            raise ValueError("it is cut off inside a record's lengths")
        key_size, value_size = _SIZES.unpack_from(data, start)
        middle = body + key_size
        stop = middle + value_size
        if stop > end:
            raise ValueError("it is cut off inside a record")
        yield data[start:stop], data[body:middle], data[middle:stop]
        start = stop


def decode_chunk(index: int, data: bytes, part: Part) -> list[ChunkRecord]:
    """The records of a chunk, all of them proved by `part`. Raises RefusedChunk."""
    if len(data) > CHUNK_BYTES_MAX:
        raise RefusedChunk(index, f"it is longer than {CHUNK_BYTES_MAX} bytes")
    if len(data) < _COUNT.size:
        raise RefusedChunk(index, "it has no beginning")
    try:
        records = _read_records(data)
    except ValueError as error:
        raise RefusedChunk(index, str(error)) from error
    count = _COUNT.unpack_from(data)[0]
    if len(records) != count:
        raise RefusedChunk(index, f"it says {count} records and has {len(records)}")
    _check_paths(index, records, part)
    root, _content = compute_subtree(b"".join(record.entry for record in records), part.depth)
    if root != part.root:
        raise RefusedChunk(
            index,
            "its records are not those of the state: one is changed, missing, too many or under"
            f" another key (subtree {root.hex()[:16]}, not {part.root.hex()[:16]})",
        )
    return records


def encode_metadata(parts: Iterable[Part]) -> bytes:
    """The list of a snapshot's chunks."""
    return _MAGIC + b"".join(_PART.pack(part.depth, part.content, part.root) for part in parts)


def decode_metadata(data: bytes, app_hash: bytes) -> tuple[Part, ...]:
    """The parts that a snapshot consists of: they are the whole tree of `app_hash`.

    Raises RefusedSnapshot.
    """
    if not data.startswith(_MAGIC):
        raise RefusedSnapshot("its metadata is not in a form that this release reads")
    body = data[len(_MAGIC) :]
    if len(data) > METADATA_BYTES_MAX or not body or len(body) % _PART.size:
        raise RefusedSnapshot("its metadata has a wrong length")
    parts = _read_parts(body)
    root = compute_root(parts)
    if root != app_hash:
        raise RefusedSnapshot(
            f"its chunks are those of state {root.hex()[:16]}, not {app_hash.hex()[:16]}"
        )
    return parts


def compute_root(parts: Iterable[Part]) -> bytes:
    """Root of the tree that `parts`, in order and without a gap, are."""
    waiting: list[tuple[int, bytes, int]] = []
    for part in parts:
        depth, node, content = part.depth, part.root, part.content
        while waiting and waiting[-1][0] == depth:
            _depth, left, left_content = waiting.pop()
            node, content = combine(left, left_content, node, content)
            depth -= 1
        waiting.append((depth, node, content))
    return waiting[0][1]


def check_offer(snapshot: Snapshot, app_hash: bytes) -> tuple[Part, ...]:
    """All that can be judged of an offer before the first chunk. Raises RefusedSnapshot."""
    if snapshot.format != SNAPSHOT_FORMAT:
        raise RefusedSnapshot(
            f"it has format {snapshot.format}, this release reads {SNAPSHOT_FORMAT}",
            is_format=True,
        )
    if snapshot.height < 1:
        raise RefusedSnapshot(f"there is no height {snapshot.height}")
    if sha256(snapshot.metadata) != snapshot.hash:
        raise RefusedSnapshot("its hash is not that of its metadata")
    parts = decode_metadata(snapshot.metadata, app_hash)
    if not len(parts) == snapshot.chunks <= CHUNKS_MAX:
        raise RefusedSnapshot(f"it says {snapshot.chunks} chunks and lists {len(parts)}")
    return parts


def build_snapshot(height: int, parts: Sequence[Part]) -> Snapshot:
    """The offer of a snapshot that consists of `parts`."""
    metadata = encode_metadata(parts)
    return Snapshot(height, SNAPSHOT_FORMAT, len(parts), sha256(metadata), metadata)


def _read_records(data: bytes) -> list[ChunkRecord]:
    records = []
    for _frame, key, value in decode_frames(data, _COUNT.size):
        _path, entry = compute_change(key, value)
        records.append(ChunkRecord(entry or b"", key, value))
    return records


def _check_paths(index: int, records: Sequence[ChunkRecord], part: Part) -> None:
    """In order, each once, all below the part's own node."""
    below = PATH_BITS - part.depth
    before = b""
    for record in records:
        path = record.entry[:32]
        if int.from_bytes(path, "big") >> below != part.prefix:
            name = record.key[:100].decode("ascii", "replace")
            raise RefusedChunk(index, f"record {name} belongs into another chunk")
        if path <= before:
            raise RefusedChunk(index, "its records are not in order")
        before = path


def _read_parts(body: bytes) -> tuple[Part, ...]:
    """Parts that lie side by side and make up the whole tree. Raises RefusedSnapshot."""
    parts, place, end = [], 0, 1 << DEPTH_MAX
    for depth, content, root in _PART.iter_unpack(body):
        if depth > DEPTH_MAX or content > MANY or (content == EMPTY) != (root == EMPTY_HASH):
            raise RefusedSnapshot("its metadata names an impossible chunk")
        width = 1 << (DEPTH_MAX - depth)
        if place % width or place >= end:
            raise RefusedSnapshot("its chunks do not lie side by side")
        parts.append(Part(depth, place >> (DEPTH_MAX - depth), content, root))
        place += width
    if place != end:
        raise RefusedSnapshot("its chunks are not the whole state")
    return tuple(parts)
