"""Small values packed into bits, compressed alike on every run and inflated within bounds. Pure.

W3C counts a byte's bits from the left, the IETF from the right; gzip there, zlib here.
"""

import zlib
from collections.abc import Mapping
from typing import Final, Literal

from hansa.identity.faults import Malformed

Order = Literal["left", "right"]
ENTRIES_MAX: Final = 2**20
# A million entries of 8 bits are 1 MB; 16 MiB leaves room for lists of others.
INFLATED_BYTES_MAX: Final = 16 * 2**20
_GZIP: Final = 31
_ZLIB: Final = 15
_SIZES: Final = (1, 2, 4, 8)


def pack_statuses(size: int, values: Mapping[int, int], *, bits: int, order: Order) -> bytes:
    """Bytes of a list of `size` entries of `bits` each, zero but for `values`; ValueError."""
    if bits not in _SIZES or not 0 < size <= ENTRIES_MAX or size * bits % 8:
        raise ValueError(
            "a list has whole bytes, 1, 2, 4 or 8 bits an entry, at most 2**20 entries"
        )
    packed = bytearray(size * bits // 8)
    per_byte = 8 // bits
    for index, value in values.items():
        if not (0 <= index < size and 0 <= value < 2**bits):
            raise ValueError(f"no room for status {value} at {index}")
        place, within = divmod(index, per_byte)
        shift = (per_byte - 1 - within if order == "left" else within) * bits
        packed[place] |= value << shift
    return bytes(packed)


def get_status(packed: bytes, index: int, *, bits: int, order: Order) -> int:
    """Value at an index. Raises Malformed index_out_of_range."""
    per_byte = 8 // bits
    place, within = divmod(index, per_byte)
    if not 0 <= index or place >= len(packed):
        raise Malformed("index_out_of_range", f"the list has no entry {index}")
    shift = (per_byte - 1 - within if order == "left" else within) * bits
    return packed[place] >> shift & ((1 << bits) - 1)


def deflate(data: bytes, *, as_gzip: bool) -> bytes:
    """gzip (no name, no time) or zlib, at the highest level: the same bytes on every run."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, _GZIP if as_gzip else _ZLIB)
    return compressor.compress(data) + compressor.flush()


def inflate(data: bytes, *, as_gzip: bool) -> bytes:
    """Undo `deflate`, whoever did it. Raises Malformed: not_compressed, too_large."""
    decompressor = zlib.decompressobj(_GZIP if as_gzip else _ZLIB)
    try:
        plain = decompressor.decompress(data, INFLATED_BYTES_MAX + 1)
    except zlib.error as error:
        raise Malformed(
            "not_compressed", "a status list is not compressed as it should be"
        ) from error
    if len(plain) > INFLATED_BYTES_MAX:
        raise Malformed(
            "too_large", f"a status list inflates to more than {INFLATED_BYTES_MAX} bytes"
        )
    if not decompressor.eof or decompressor.unused_data:
        raise Malformed("not_compressed", "a status list is cut off, or goes on after its end")
    return plain
