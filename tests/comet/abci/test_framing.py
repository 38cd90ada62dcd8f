"""Frames: whatever the cuts between reads, the messages come whole and in order, or a clear no."""

import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.comet.abci.framing import (
    FRAME_MAX,
    READ_BYTES,
    BadFrame,
    FrameReader,
    decode_uvarint,
)
from hansa.encoding.protobuf import delimit, encode_varint

PIECES = st.lists(st.integers(1, 5_000), min_size=1, max_size=20)
SIZES = st.lists(
    st.one_of(
        st.integers(0, 300),
        st.sampled_from(
            [126, 127, 128, 16_383, 16_384, READ_BYTES - 3, READ_BYTES, READ_BYTES + 9]
        ),
    ),
    max_size=12,
)


@contextmanager
def stream_of(data: bytes, pieces: list[int]) -> Iterator[socket.socket]:
    """A socket from which `data` comes in pieces of these sizes, over and over, then the end."""
    ours, theirs = socket.socketpair()
    view = memoryview(data)

    def write() -> None:
        at = turn = 0
        try:
            while at < len(data):
                size = pieces[turn % len(pieces)]
                theirs.sendall(view[at : at + size])
                at, turn = at + size, turn + 1
        except OSError:
            return  # the reader had enough
        finally:
            theirs.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with ours:
            yield ours
    finally:
        thread.join()


def read_all(stream: socket.socket, frame_max: int = 2**30) -> list[bytes]:
    reader = FrameReader(stream, frame_max)
    found: list[bytes] = []
    while frames := reader.read():
        found += frames
    return found


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_a_length_reads_as_it_was_written(number: int) -> None:
    encoded = encode_varint(number)
    assert decode_uvarint(bytearray(encoded), 0, len(encoded)) == (number, len(encoded))
    for cut in range(len(encoded)):
        assert decode_uvarint(bytearray(encoded), 0, cut) == (0, 0)


def test_lengths_are_written_as_go_writes_them() -> None:
    assert encode_varint(0) == b"\x00"
    assert encode_varint(127) == b"\x7f"
    assert encode_varint(128) == b"\x80\x01"
    assert encode_varint(300) == b"\xac\x02"
    assert encode_varint(2**64 - 1) == b"\xff" * 9 + b"\x01"


@settings(deadline=None)
@given(SIZES, PIECES)
def test_messages_come_whole_and_in_order_whatever_the_cuts(
    sizes: list[int], pieces: list[int]
) -> None:
    messages = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    data = b"".join(map(delimit, messages))
    if len(data) > 20_000:
        pieces = [each * 101 for each in pieces]
    with stream_of(data, pieces) as stream:
        assert read_all(stream) == messages


@settings(deadline=None)
@given(st.binary(max_size=400), st.data())
def test_an_end_inside_a_frame_is_told(message: bytes, data: st.DataObject) -> None:
    frame = delimit(message)
    good = delimit(b"before")
    cut = data.draw(st.integers(1, len(frame)))
    with stream_of(good + frame[:cut], [7]) as stream:
        reader = FrameReader(stream)
        found = []
        if cut == len(frame):
            assert read_all(stream) == [b"before", message]
            return
        with pytest.raises(BadFrame, match="inside a frame"):
            while frames := reader.read():
                found += frames
        assert found == [b"before"]


def test_an_end_inside_a_large_frame_is_told() -> None:
    with stream_of(delimit(bytes(3 * READ_BYTES))[:-1], [100_000]) as stream:
        with pytest.raises(BadFrame, match="inside a frame"):
            FrameReader(stream).read()


@pytest.mark.parametrize("length", [101, 127, 129, 20_000, 2**31, 2**63, 2**64 - 1])
def test_a_length_above_the_limit_is_refused_before_its_body(length: int) -> None:
    with stream_of(delimit(b"good") + encode_varint(length), [99]) as stream:
        reader = FrameReader(stream, frame_max=100)
        assert reader.read() == [b"good"]
        with pytest.raises(BadFrame, match=f"{length} bytes"):
            reader.read()


@pytest.mark.parametrize("length", [b"\xff" * 10, b"\x80" * 10 + b"\x01", b"\xff" * 9 + b"\x02"])
def test_a_length_that_no_number_has_is_refused(length: bytes) -> None:
    with stream_of(length, [3]) as stream, pytest.raises(BadFrame):
        FrameReader(stream).read()


@settings(deadline=None)
@given(st.binary(max_size=2_000), PIECES)
def test_random_bytes_end_in_frames_or_a_clear_no(data: bytes, pieces: list[int]) -> None:
    with stream_of(data, pieces) as stream:
        reader = FrameReader(stream, frame_max=500)
        given_back = 0
        try:
            while frames := reader.read():
                given_back += sum(len(delimit(each)) for each in frames)
                assert all(len(each) <= 500 for each in frames)
        except BadFrame:
            assert given_back <= len(data)


def test_memory_is_bounded_by_the_longest_frame_whatever_is_sent() -> None:
    frame_max = 2_000_000
    data = delimit(bytes(frame_max))
    with stream_of(data * 10, [len(data)]) as stream:
        reader = FrameReader(stream, frame_max)
        tracemalloc.start()
        try:
            for _ in range(10):
                assert sum(map(len, reader.read())) == frame_max
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 2 * len(data) + 3 * READ_BYTES


def test_a_long_frame_takes_memory_as_it_comes_not_as_it_is_announced() -> None:
    announced = encode_varint(FRAME_MAX) + bytes(1_000)
    with stream_of(announced, [len(announced)]) as stream:
        tracemalloc.start()
        try:
            with pytest.raises(BadFrame, match="inside a frame"):
                FrameReader(stream).read()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 * READ_BYTES
