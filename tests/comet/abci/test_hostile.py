"""Whatever arrives on a connection costs that connection at most; the log says what it was."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.framing import FRAME_MAX
from hansa.comet.abci.server import CONNECTIONS_MAX
from hansa.encoding.protobuf import delimit, encode_varint
from tests.comet.abci.speaker import Running, Speaker, encode_requests, serve, wait_until

FLUSH = abci.Request(flush=abci.RequestFlush())
BAD = {
    "a length above the limit": (encode_varint(FRAME_MAX + 1), "bytes (at most"),
    "the longest length": (encode_varint(2**64 - 1), "bytes (at most"),
    "a length without end": (b"\xff" * 11, "a length of more than 10 bytes"),
    "a length above 64 bits": (b"\xff" * 9 + b"\x7f", "a length above 64 bits"),
    "an empty request": (delimit(b""), "without a call"),
    "a call of another version": (delimit(b"\xba\x06\x00"), "without a call"),
    "a removed call": (delimit(b"\x22\x00"), "without a call"),
    "no protobuf": (delimit(b"\xff\xff\xff"), "Error parsing"),
    "a wrong wire type": (delimit(b"\x42\x05hello"), "Error parsing"),
    "text that is no UTF-8": (delimit(b"\x0a\x04\x0a\x02\xff\xfe"), "Error parsing"),
    "groups without end": (delimit(b"\x0b" * 5_000), "Error parsing"),
    "nested groups": (delimit(b"\x0b" * 5_000 + b"\x0c" * 5_000), "Error parsing"),
    "a field longer than its frame": (delimit(b"\x42\xff\xff\xff\x07abc"), "Error parsing"),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(tmp_path_factory.mktemp("abci")) as found:
        yield found


def count_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def check_alive(running: Running) -> None:
    """A new connection is served, and nobody was told of a fatal fault."""
    speaker = Speaker(running.path)
    assert speaker.ask(flush=abci.RequestFlush()).HasField("flush")
    speaker.close()
    assert running.told == []


@pytest.mark.parametrize(("data", "told"), BAD.values(), ids=BAD)
def test_what_is_not_abci_ends_its_connection_with_a_warning_and_no_other(
    running: Running, data: bytes, told: str
) -> None:
    beside = Speaker(running.path)
    beside.ask(flush=abci.RequestFlush())
    with capture_logs() as logs:
        speaker = Speaker(running.path)
        speaker.say_bytes(encode_requests(FLUSH) + data + encode_requests(FLUSH))
        answer = speaker.hear()
        assert answer is not None  # what came before the fault is answered
        assert answer.HasField("flush")
        assert speaker.hear() is None
    speaker.close()
    warnings = [each for each in logs if each["event"] == "connection_closed"]
    assert [each["log_level"] for each in warnings] == ["warning"]
    assert told in warnings[0]["problem"]
    assert beside.ask(flush=abci.RequestFlush()).HasField("flush")
    beside.close()
    check_alive(running)


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=3_000),
        st.lists(st.binary(max_size=200)).map(lambda each: b"".join(map(delimit, each))),
        # a true request with some bytes changed
        st.builds(
            lambda data, at, byte: data[: at % len(data)] + byte + data[at % len(data) + 1 :],
            st.just(
                encode_requests(
                    abci.Request(
                        finalize_block=abci.RequestFinalizeBlock(txs=[b"a" * 200, b"b"], height=4)
                    )
                )
            ),
            st.integers(0, 1_000),
            st.binary(min_size=1, max_size=4),
        ),
    )
)
def test_random_bytes_never_end_the_server(running: Running, data: bytes) -> None:
    speaker = Speaker(running.path)
    try:
        speaker.say_bytes(data)
        speaker.stream.shutdown(1)
        while speaker.hear() is not None:
            pass
    except (BrokenPipeError, ConnectionResetError, OSError):
        pass  # it was closed while it wrote
    finally:
        speaker.close()
    check_alive(running)


def test_half_a_request_and_an_end_is_told(running: Running) -> None:
    with capture_logs() as logs:
        speaker = Speaker(running.path)
        speaker.say_bytes(
            encode_requests(abci.Request(echo=abci.RequestEcho(message="whole")))[:-2]
        )
        speaker.stream.shutdown(1)
        assert speaker.hear() is None
    speaker.close()
    assert ["the end inside a frame" in each["problem"] for each in logs] == [True]
    check_alive(running)


def test_more_connections_than_an_engine_needs_are_refused_and_the_place_comes_back(
    running: Running,
) -> None:
    before = count_files()
    for _ in range(3):
        speakers = [Speaker(running.path) for _ in range(CONNECTIONS_MAX)]
        for speaker in speakers:
            assert speaker.ask(flush=abci.RequestFlush()).HasField("flush")
        with capture_logs() as logs:
            refused = [Speaker(running.path) for _ in range(5)]
            for speaker in refused:
                assert speaker.hear() is None
        assert {each["event"] for each in logs} == {"connection_refused"}
        for speaker in speakers + refused:
            speaker.close()
        # A place is free again as soon as the server has seen the end.
        wait_until(lambda: not running.server._connections)
        check_alive(running)
    # The thread of a closed connection gives its file back a moment later.
    wait_until(lambda: count_files() <= before)


def test_many_long_promises_take_no_memory(running: Running) -> None:
    """Each connection announces the longest frame and sends little of it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    speakers = [Speaker(running.path) for _ in range(CONNECTIONS_MAX - 1)]
    for speaker in speakers:
        speaker.say_bytes(encode_varint(FRAME_MAX) + bytes(300_000))
    check_alive(running)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for speaker in speakers:
        speaker.close()
    assert grown_kb * 1_024 < FRAME_MAX


def test_requests_without_a_reader_of_answers_hold_no_turn(tmp_path: Path) -> None:
    """A connection that asks and never reads stands still alone."""
    with serve(tmp_path) as running:
        deaf = running.connect()
        deaf.stream.setblocking(False)
        burst = encode_requests(*[abci.Request(check_tx=abci.RequestCheckTx(tx=b"x"))] * 1_000)
        stuck = 0
        while stuck < 100:
            try:
                deaf.stream.send(burst)
                stuck = 0
            except BlockingIOError:
                stuck += 1
                os.sched_yield()
        speaker = running.connect()
        assert speaker.ask(commit=abci.RequestCommit()).HasField("commit")
        assert speaker.ask(check_tx=abci.RequestCheckTx()).HasField("check_tx")
