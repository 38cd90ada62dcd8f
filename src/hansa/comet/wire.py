"""Moments of time as CometBFT writes them. Pure."""

from typing import Final

import msgspec

from hansa.encoding.protobuf import FormatError, integer_field

# Go's zero time, 0001-01-01T00:00:00Z, in seconds of the Unix epoch.
ZERO_TIME_SECONDS: Final = -62_135_596_800
# The end of year 9999, where protobuf's Timestamp ends.
TIME_SECONDS_MAX: Final = 253_402_300_799
_NS: Final = 1_000_000_000


class Timestamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A moment of UTC, exact: seconds since 1970 and 0 <= nanos < 10**9, as protobuf has it.

    Two fields, since nanoseconds in one number would pass 2**53 (D1).
    """

    seconds: int
    nanos: int

    def __post_init__(self) -> None:
        if not (ZERO_TIME_SECONDS <= self.seconds <= TIME_SECONDS_MAX and 0 <= self.nanos < _NS):
            raise FormatError("a timestamp is out of range")

    @classmethod
    def from_ns(cls, ns: int) -> "Timestamp":
        """From nanoseconds since 1970, UTC."""
        return cls(*divmod(ns, _NS))

    @classmethod
    def from_ms(cls, ms: int) -> "Timestamp":
        """From milliseconds since 1970, UTC (the kernel's block time)."""
        return cls.from_ns(ms * 1_000_000)

    @property
    def ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        return self.seconds * _NS + self.nanos

    @property
    def ms(self) -> int:
        """Milliseconds since 1970, UTC, rounded down."""
        return self.ns // 1_000_000

    def encode(self) -> bytes:
        """google.protobuf.Timestamp."""
        return integer_field(1, self.seconds) + integer_field(2, self.nanos)


ZERO_TIME: Final = Timestamp(ZERO_TIME_SECONDS, 0)
