"""Frames of the ABCI socket: an unsigned varint with the length, then one protobuf message.

`FrameReader` reads any number of pipelined frames with bounded memory. Touches only the socket it
is given.
"""

import socket
from typing import Final

# A block may have 100 MiB (the engine's own limit); around it stand votes and evidence.
FRAME_MAX: Final = 104 * 1024 * 1024
VARINT_BYTES_MAX: Final = 10
READ_BYTES: Final = 256 * 1024


class BadFrame(Exception):
    """The other side does not speak this framing; the message says what it sent."""


def decode_uvarint(data: bytearray, start: int, end: int) -> tuple[int, int]:
    """The number at `start` and where it ends; (0, start) when `end` comes before its last byte.

    Raises `BadFrame` above 10 bytes or 64 bits.
    """
    number = shift = 0
    for at in range(start, min(end, start + VARINT_BYTES_MAX)):
        byte = data[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number >> 64:
                raise BadFrame("a length above 64 bits")
            return number, at + 1
        shift += 7
    if end - start >= VARINT_BYTES_MAX:
        raise BadFrame(f"a length of more than {VARINT_BYTES_MAX} bytes")
    return 0, start


class FrameReader:
    """Reads frames from a stream socket; holds one read, and one frame twice while it is joined."""

    def __init__(self, stream: socket.socket, frame_max: int = FRAME_MAX) -> None:
        self._stream = stream
        self._frame_max = frame_max
        self._buffer = bytearray(READ_BYTES)
        self._view = memoryview(self._buffer)
        self._start = 0  # what is read and not yet given lies in [start, end)
        self._end = 0

    def read(self) -> list[bytes]:
        """All frames that have arrived, at least one; waits for it. Empty at the end of stream.

        Raises `BadFrame` (too long, no length, ended inside a frame) and `OSError`.
        """
        while True:
            frames, wanted = self._split()
            if frames:
                return frames
            if wanted > READ_BYTES:
                return [self._read_large()]
            self._make_room(wanted)
            count = self._stream.recv_into(self._view[self._end :])
            if not count:
                if self._start < self._end:
                    raise BadFrame("the end inside a frame")
                return []
            self._end += count

    def poll(self) -> list[bytes]:
        """As `read`, what has arrived by now; empty when no whole frame has. Never waits.

        Faults and the end are for `read` to tell. A frame longer than one read is left to it, too.
        """
        frames, wanted = self._split()
        if frames or wanted > READ_BYTES:
            return frames
        self._make_room(wanted)
        try:
            count = self._stream.recv_into(self._view[self._end :], 0, socket.MSG_DONTWAIT)
        except OSError:
            return []
        self._end += count
        return self._split()[0] if count else []

    def _split(self) -> tuple[list[bytes], int]:
        """The whole frames in the buffer, and how many bytes the next one has with its length.

        A bad length raises only when no good frame stands before it.
        """
        frames: list[bytes] = []
        buffer, view, end = self._buffer, self._view, self._end
        at, wanted = self._start, VARINT_BYTES_MAX
        try:
            while at < end:
                length, body = buffer[at], at + 1
                if length >= 0x80:
                    if body < end and buffer[body] < 0x80:  # two bytes: most transactions
                        length += (buffer[body] << 7) - 0x80
                        body += 1
                    else:
                        length, body = decode_uvarint(buffer, at, end)
                        if body == at:
                            break
                if length > self._frame_max:
                    raise BadFrame(f"a frame of {length} bytes (at most {self._frame_max})")
                if body + length > end:
                    wanted = body + length - at
                    break
                at = body + length
                frames.append(bytes(view[body:at]))
        except BadFrame:
            if not frames:
                raise
        self._start = at
        return frames, wanted

    def _make_room(self, wanted: int) -> None:
        """Space for `wanted` bytes from start; what is there moves to the front, once a frame."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._start + wanted > READ_BYTES:
            count = self._end - self._start
            self._buffer[:count] = self._buffer[self._start : self._end]
            self._start, self._end = 0, count

    def _read_large(self) -> bytes:
        """A frame that the buffer cannot hold; memory grows with what comes, not as announced."""
        length, body = decode_uvarint(self._buffer, self._start, self._end)
        pieces = [bytes(self._view[body : self._end])]
        missing = length - len(pieces[0])
        self._start = self._end = 0
        while missing:
            piece = self._stream.recv(min(missing, READ_BYTES))
            if not piece:
                raise BadFrame("the end inside a frame")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
