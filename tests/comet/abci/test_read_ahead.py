"""The engine is never kept writing: what it says is read although its turn has not come."""

import socket
import threading
from pathlib import Path

import pytest

from hansa.comet.abci import connection
from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.empty import EmptyApplication
from hansa.comet.abci.framing import READ_BYTES, FrameReader
from hansa.encoding.protobuf import delimit
from tests.comet.abci.speaker import PATIENCE_S, Speaker, encode_requests, serve, wait_until

# Far more than a unix socket holds by itself.
COUNT, SIZE = 300, 20_000


class Busy(EmptyApplication):
    """Executes one block until it is released; keeps the transactions in the order of asking."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.release = threading.Event(), threading.Event()
        self.asked: list[bytes] = []

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        self.entered.set()
        assert self.release.wait(PATIENCE_S)
        return super().finalize_block(request)

    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        self.asked.append(request.tx[:8])
        return super().check_tx(request)


def make_checks() -> list[abci.Request]:
    return [
        abci.Request(check_tx=abci.RequestCheckTx(tx=b"%08d" % number + bytes(SIZE)))
        for number in range(COUNT)
    ]


def write_all(speaker: Speaker, requests: list[abci.Request], written: threading.Event) -> None:
    """In a thread: the engine's routine that writes."""
    speaker.stream.sendall(encode_requests(*requests))
    written.set()


def begin_block(consensus: Speaker, application: Busy) -> None:
    consensus.say(abci.Request(finalize_block=abci.RequestFinalizeBlock(height=1)))
    assert application.entered.wait(PATIENCE_S)


def test_the_engine_goes_on_writing_while_a_block_is_executed(tmp_path: Path) -> None:
    application = Busy()
    with serve(tmp_path, application) as running:
        consensus, mempool = running.connect(), running.connect()
        begin_block(consensus, application)
        written = threading.Event()
        writer = threading.Thread(target=write_all, args=(mempool, make_checks(), written))
        writer.start()
        try:
            assert written.wait(PATIENCE_S), "the engine waits for the block to end"
            assert application.asked == [], "none was asked beside the block"
        finally:
            application.release.set()
            writer.join()
        assert consensus.hear() is not None
        for _ in range(COUNT):
            assert mempool.hear() is not None
        assert application.asked == [b"%08d" % number for number in range(COUNT)]


def test_what_is_read_ahead_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "AHEAD_BYTES_MAX", 5 * SIZE)
    application = Busy()
    with serve(tmp_path, application) as running:
        consensus, mempool = running.connect(), running.connect()
        begin_block(consensus, application)
        written = threading.Event()
        writer = threading.Thread(target=write_all, args=(mempool, make_checks(), written))
        writer.start()
        try:
            [mine] = wait_for_ahead(running.server._connections)
            wait_until(lambda: mine._ahead_bytes >= 5 * SIZE)
            assert mine._ahead_bytes <= 5 * SIZE + 2 * READ_BYTES
            assert not written.is_set()
        finally:
            application.release.set()
        for _ in range(COUNT):
            assert mempool.hear() is not None
        writer.join()
        assert written.is_set()


def wait_for_ahead(
    connections: dict[connection.Connection, threading.Thread],
) -> list[connection.Connection]:
    found: list[connection.Connection] = []

    def look() -> bool:
        found[:] = [each for each in list(connections) if each._ahead]
        return bool(found)

    wait_until(look)
    return found


def test_a_server_that_is_stopped_while_a_block_runs_leaves_the_waiting_ones(
    tmp_path: Path,
) -> None:
    application = Busy()
    with serve(tmp_path, application) as running:
        consensus, mempool = running.connect(), running.connect()
        begin_block(consensus, application)
        mempool.say(*make_checks()[:3])
        [mine] = wait_for_ahead(running.server._connections)
        ender = threading.Thread(target=running.server.stop)
        ender.start()
        wait_until(mine._ending.is_set)
        application.release.set()
        ender.join(PATIENCE_S)
        assert not ender.is_alive()
        assert application.asked == [], "no call begins after the end"


def test_poll_gives_whole_frames_that_have_come_and_never_waits() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = FrameReader(ours)
        assert reader.poll() == []
        frames = [delimit(bytes([number]) * 100) for number in range(3)]
        theirs.sendall(b"".join(frames)[:-1])
        assert reader.poll() == [bytes([0]) * 100, bytes([1]) * 100]
        assert reader.poll() == []
        theirs.sendall(frames[-1][-1:])
        assert reader.poll() == [bytes([2]) * 100]


def test_poll_leaves_long_frames_and_the_end_to_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = FrameReader(ours)
        long = bytes(READ_BYTES + 1)
        writer = threading.Thread(target=theirs.sendall, args=(delimit(long),))
        writer.start()
        while not reader._end:
            assert reader.poll() == []
        assert reader.poll() == []
        assert reader.read() == [long]
        writer.join()
        theirs.shutdown(socket.SHUT_WR)
        assert reader.poll() == []
        assert reader.read() == []
