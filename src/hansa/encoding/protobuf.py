"""Protobuf as CometBFT (gogoproto) writes it: fields in order, zero values left out. Pure.

A writer only: nothing here reads bytes from outside. Source: protobuf encoding specification.
"""

from typing import Final

_VARINT = 0
_FIXED64 = 1
_BYTES = 2
# Nearly every number on the wire: tags, flags, lengths of hashes.
_SMALL: Final = tuple(bytes([number]) for number in range(0x80))


class FormatError(ValueError):
    """A value that CometBFT's format cannot hold."""


def encode_varint(number: int) -> bytes:
    """Base-128 varint; a negative number as its 64-bit two's complement. Raises FormatError."""
    if 0 <= number < 0x80:
        return _SMALL[number]
    if not -(2**63) <= number < 2**64:
        raise FormatError("an integer does not fit 64 bits")
    number &= 2**64 - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimit(data: bytes) -> bytes:
    """`data` after its length as varint."""
    return encode_varint(len(data)) + data


def integer_field(number: int, value: int) -> bytes:
    """Field of type int32, int64, uint32, uint64 or enum; nothing when zero."""
    return _tag(number, _VARINT) + encode_varint(value) if value else b""


def fixed_field(number: int, value: int) -> bytes:
    """Field of type sfixed64; nothing when zero. Raises FormatError."""
    if not -(2**63) <= value < 2**63:
        raise FormatError("an integer does not fit 64 bits")
    return _tag(number, _FIXED64) + value.to_bytes(8, "little", signed=True) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """Field of type bytes, or string in UTF-8; nothing when empty."""
    return message_field(number, value) if value else b""


def message_field(number: int, value: bytes) -> bytes:
    """Embedded message or item of a repeated field; written even when empty."""
    return _tag(number, _BYTES) + delimit(value)


def _tag(number: int, wire_type: int) -> bytes:
    return encode_varint(number << 3 | wire_type)
