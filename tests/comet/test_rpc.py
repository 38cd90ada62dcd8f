"""The engine's RPC: exact types, answers in order, bounds on whatever answers."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from hansa.comet import rpc
from hansa.comet.commit import verify_commit
from hansa.comet.rpc import Broadcast, EngineUnreachable, RpcClient, RpcError
from hansa.comet.rpc_state import parse_bits
from hansa.comet.validators import check_validators, compute_address, compute_validators_hash
from hansa.crypto.keys import PrivateKey
from hansa.primitives.limits import TRANSACTION_BYTES_MAX
from tests.comet.lone import CHAIN, NODE, VALIDATOR, LoneEngine


@contextmanager
def answering(path: Path, *answers: bytes) -> Iterator[list[bytes]]:
    """A server at `path` that gives these bytes, one for each connection, and closes it."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            for answer in answers:
                stream, _ = listener.accept()
                with stream:
                    asked.append(read_request(stream))
                    stream.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield asked
        thread.join(10)


def read_request(stream: socket.socket) -> bytes:
    """A whole request: head and as many bytes as it names."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += stream.recv(100_000)
    head, _, body = data.partition(b"\r\n\r\n")
    [length] = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
    while len(body) < int(length.split()[1]):
        body += stream.recv(100_000)
    return head + b"\r\n\r\n" + body


def http(body: bytes, head: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 200 OK\r\n" + (head or length) + b"\r\n" + body


def test_no_engine_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachable):
        RpcClient(tmp_path / "none.sock").status()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        http(b""),
        http(b"null"),
        http(b"[]"),
        http(b'{"result":1}'),
        http(b'{"result":{"node_info":{}}}'),
        http(b"<html>"),
        http(b"\xff" * 100),
    ],
)
def test_an_answer_that_is_none_is_an_unreachable_engine(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path / "s", answer), pytest.raises(EngineUnreachable):
        RpcClient(tmp_path / "s").status()


def test_a_silent_engine_costs_the_time_out_and_no_more(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with pytest.raises(EngineUnreachable, match="timed out"):
            RpcClient(tmp_path / "s", timeout_s=0.05).status()


def test_an_engine_that_falls_silent_later_costs_the_time_out_too(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        client = RpcClient(tmp_path / "s", timeout_s=0.2)
        thread = threading.Thread(target=lambda: client.call("health"), daemon=True)
        thread.start()
        with listener.accept()[0] as stream:
            read_request(stream)
            stream.sendall(http(b'{"result":{}}'))
            thread.join(10)
            with pytest.raises(EngineUnreachable, match="timed out"):
                client.call("health")


def test_an_answer_too_long_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "ANSWER_BYTES_MAX", 1000)
    body = b'{"result":"' + b"x" * 2000 + b'"}'
    with answering(tmp_path / "s", http(body)), pytest.raises(EngineUnreachable, match="too long"):
        RpcClient(tmp_path / "s").call("status")


def test_an_error_of_the_engine_keeps_its_code_and_words(tmp_path: Path) -> None:
    body = b'{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"Internal","data":"why"}}'
    with answering(tmp_path / "s", http(body)), pytest.raises(RpcError) as caught:
        RpcClient(tmp_path / "s").call("status")
    assert (caught.value.code, caught.value.text) == (-32603, "why")


def test_a_connection_that_went_stale_is_replaced_unseen(tmp_path: Path) -> None:
    # The server closes after each answer without saying so, as an idle engine does.
    body = http(b'{"result":{"a":1}}')
    with answering(tmp_path / "s", body, body, body) as asked:
        client = RpcClient(tmp_path / "s")
        for _ in range(3):
            assert client.call("health") == {"a": 1}
    assert len(asked) == 3


def test_answers_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    one = b'{"result":{"code":0}}'
    with answering(tmp_path / "s", http(b"[" + one + b"]")), pytest.raises(EngineUnreachable):
        RpcClient(tmp_path / "s").broadcast([b"a", b"b"])


def test_each_transaction_gets_its_own_answer_in_order(tmp_path: Path) -> None:
    body = b"""[{"result":{"code":0,"log":""}},{"result":{"code":7,"log":"no"}},
        {"error":{"code":-32603,"message":"Internal","data":"tx already exists in cache"}},
        {"error":{"code":-32603,"message":"Internal","data":"mempool is full"}},{}]"""
    with answering(tmp_path / "s", http(body)) as asked:
        answers = RpcClient(tmp_path / "s").broadcast([b"a", b"b", b"c", b"d", b"e"])
    assert answers == [
        Broadcast(taken=True),
        Broadcast(taken=False, code=7, log="no"),
        Broadcast(taken=True),
        Broadcast(taken=False, error="mempool is full"),
        Broadcast(taken=False, error="no answer"),
    ]
    assert asked[0].count(b"broadcast_tx_sync") == 5


def test_no_transactions_ask_nothing(tmp_path: Path) -> None:
    assert RpcClient(tmp_path / "none.sock").broadcast([]) == []


def test_bits_of_votes_are_read_over_all_their_blanks() -> None:
    text = "BA{12:xx_x______ xx} 30/40 = 0.75"
    assert parse_bits(text) == (True, True, False, True, *[False] * 6, True, True)
    assert parse_bits("nil-BitArray") == ()


STATUS = json.dumps(
    {
        "node_info": {"id": "", "network": "", "moniker": "", "listen_addr": ""},
        "sync_info": {
            "latest_block_hash": "",
            "latest_app_hash": "",
            "latest_block_height": "1",
            "latest_block_time": "2026-11-22T08:20:01Z",
            "earliest_block_height": "1",
            "catching_up": False,
        },
        "validator_info": {"address": "", "voting_power": "1"},
    }
)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"latest_block_height": "1"', '"latest_block_height": "one"'),
        ('"latest_app_hash": ""', '"latest_app_hash": "xy"'),
        ("2026-11-22T", "2026-11-99T"),
        ('"catching_up": false', '"catching_up": "no"'),
    ],
)
def test_a_status_with_one_wrong_value_is_refused(tmp_path: Path, good: str, bad: str) -> None:
    body = b'{"result":%s}' % STATUS.encode()
    with answering(tmp_path / "s", http(body)):
        assert RpcClient(tmp_path / "s").status().height == 1
    wrong = body.replace(good.encode(), bad.encode())
    assert wrong != body
    with answering(tmp_path / "t", http(wrong)), pytest.raises(EngineUnreachable):
        RpcClient(tmp_path / "t").status()


@pytest.mark.slow
def test_headers_commits_and_validators_are_the_engines_own(
    lone: Callable[..., LoneEngine],
) -> None:
    one = lone(heartbeat_ms=100).start(height=3)
    assert one.rpc.broadcast([b"a=1", b"b=2"]) == [Broadcast(taken=True)] * 2
    height = one.rpc.status().height + 2
    one.wait_for(lambda: one.rpc.status().height >= height)
    before = None
    for number in range(1, height + 1):
        header, commit = one.rpc.signed_header(number)
        validators = one.rpc.validators(number)
        assert header.height == number
        assert header.hash() == commit.block_id.hash
        check_validators(validators)
        assert compute_validators_hash(validators) == header.validators_hash
        verify_commit(CHAIN, validators, commit.block_id, number, commit)
        if before is not None:
            assert header.last_block_id.hash == before.hash()
        before = header
    with pytest.raises(RpcError, match="must be less than or equal"):
        one.rpc.signed_header(height + 1_000)
    with pytest.raises(RpcError):
        one.rpc.call("no_such_method")


@pytest.mark.slow
def test_the_state_of_the_engine_is_told_in_our_types(lone: Callable[..., LoneEngine]) -> None:
    one = lone().start()
    status = one.rpc.status()
    assert (status.chain, status.power, status.catching_up) == (CHAIN, 10, False)
    assert status.address == compute_address(VALIDATOR.public.raw)
    assert status.node_id == one.address.partition("@")[0]
    state = one.rpc.consensus_state()
    assert state.height >= 2
    assert len(state.prevotes) == len(state.precommits) == 1
    assert one.rpc.net_info() == ()


@pytest.mark.slow
def test_batches_of_every_size_are_answered_for_each_transaction(
    lone: Callable[..., LoneEngine],
) -> None:
    one = lone().start()
    batch = [b"k%d=%d" % (number, number) for number in range(2_000)]
    assert one.rpc.broadcast(batch) == [Broadcast(taken=True)] * len(batch)
    assert one.rpc.broadcast(batch) == [Broadcast(taken=True)] * len(batch)
    assert one.rpc.broadcast([b"one=1"]) == [Broadcast(taken=True)]
    later = [b"g%d=%d" % (number, number) for number in range(2_000)]
    assert one.rpc.give(later) == [Broadcast(taken=True)] * len(later)
    assert one.rpc.broadcast(later) == [Broadcast(taken=True)] * len(later)
    assert one.rpc.give([b"one more=1"]) == [Broadcast(taken=True)]
    mixed = one.rpc.broadcast([b"good=1", b"no equals sign", b"fine=1"])
    assert [each.taken for each in mixed] == [True, False, True]
    assert mixed[1].code != 0
    largest = [b"x%d=" % number + os.urandom(400_000).hex().encode() for number in range(8)]
    assert sum(map(len, largest)) * 4 / 3 > rpc.BATCH_BYTES_MAX
    assert one.rpc.broadcast(largest) == [Broadcast(taken=True)] * len(largest)
    whole = b"w=" + b"w" * (TRANSACTION_BYTES_MAX - 2)
    assert one.rpc.broadcast([whole]) == [Broadcast(taken=True)]
    [refused] = one.rpc.broadcast([whole + b"w"])
    assert not refused.taken and "too large" in refused.error.lower()


@pytest.mark.slow
def test_a_full_pool_says_so_and_takes_more_when_there_is_room(
    lone: Callable[..., LoneEngine],
) -> None:
    one = lone(pool_transactions=10).start()
    answers = one.rpc.broadcast([b"p%d=1" % number for number in range(500)])
    refused = [each for each in answers if not each.taken]
    assert refused and all("full" in each.error for each in refused)
    one.wait_for(lambda: one.rpc.broadcast([b"later=1"])[0].taken)


@pytest.mark.slow
def test_threads_share_a_client(lone: Callable[..., LoneEngine]) -> None:
    one = lone().start()

    def send(worker: int) -> list[Broadcast]:
        given = [b"t%d-%d=1" % (worker, number) for number in range(100)]
        return [*one.rpc.broadcast(given), *(one.rpc.broadcast([each])[0] for each in given[:10])]

    with ThreadPoolExecutor(12) as pool:
        answers = [each for answer in pool.map(send, range(12)) for each in answer]
    assert answers == [Broadcast(taken=True)] * (12 * 110)
    assert len(one.rpc._idle) <= rpc.IDLE_MAX


@pytest.mark.slow
def test_engines_that_are_told_of_each_other_meet(lone: Callable[..., LoneEngine]) -> None:
    first = lone().start()
    second = lone(validator=None, node=PrivateKey.from_seed("EdDSA", b"m" * 32))
    second.process.start()
    second.wait_for(lambda: second.rpc.status().height == 0)
    second.rpc.dial([first.address])
    second.wait_for(lambda: second.rpc.net_info() != ())
    [peer] = second.rpc.net_info()
    assert (peer.node_id, peer.address, peer.outbound) == (*first.address.split("@"), True)
    [back] = first.rpc.net_info()
    assert back.address == f"127.0.0.1:{second.port}" and not back.outbound
    with pytest.raises(RpcError):
        second.rpc.dial(["not an address"])


def test_keys_of_these_tests_differ() -> None:
    assert NODE.public != VALIDATOR.public
