"""Doors between node and engine, and between nodes: frames, calls, RPC answers, light blocks."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
from google.protobuf.message import DecodeError

from hansa.client.faults import ClientError
from hansa.client.gateway import Gateway
from hansa.client.replies import read_problem
from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.connection import Connection, list_calls
from hansa.comet.abci.empty import EmptyApplication
from hansa.comet.abci.framing import BadFrame, FrameReader
from hansa.comet.abci.turns import Turns
from hansa.comet.exits import explain_exit
from hansa.comet.light import LightBlock, LightError, Rules, TrustLevel, verify
from hansa.comet.rpc_answers import write_commit, write_validators
from hansa.comet.rpc_json import FormatFault, parse_commit_answer, parse_validators_answer
from hansa.comet.rpc_state import parse_consensus_state, parse_peers, parse_status
from hansa.comet.wire import Timestamp
from hansa.encoding.protobuf import delimit
from hansa.node.neighbours import fetch_announcements
from tests.comet.abci.speaker import encode_requests
from tests.comet.test_light_vectors import block, vectors
from tests.comet.test_rpc import STATUS
from tests.fuzz.door import Door, build_judge
from tests.fuzz.mutate import change_json

FRAME_MAX = 1_000_000


class Wire:
    """A stream that brings these bytes in pieces of a size, and takes what is written."""

    def __init__(self, data: bytes, piece: int) -> None:
        self.left, self.piece, self.written = data, piece, b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def recv(self, size: int) -> bytes:
        """The next piece."""
        size = min(size, self.piece)
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def recv_into(self, view: memoryview, size: int = 0, flags: int = 0) -> int:
        """The next piece, into a buffer; nothing comes while nobody waits."""
        if flags:
            raise BlockingIOError
        taken = self.recv(size or len(view))
        view[: len(taken)] = taken
        return len(taken)

    def sendall(self, data: bytes) -> None:
        """Keep it."""
        self.written += data

    def shutdown(self, _how: int) -> None:
        """Nothing more comes."""
        self.left = b""


def read_frames(data: bytes, piece: int) -> tuple[list[bytes], bool]:
    """The frames, and whether the stream ended well."""
    reader = FrameReader(Wire(data, piece), FRAME_MAX)  # type: ignore[arg-type]
    frames: list[bytes] = []
    try:
        while more := reader.read():
            frames += more
    except BadFrame:
        return frames, False
    return frames, True


def list_requests() -> list[bytes]:
    """Some of every kind of request."""
    kinds = abci.Request.DESCRIPTOR.fields_by_name.values()
    each = [abci.Request(**{kind.name: {}}) for kind in kinds]
    block_ = abci.RequestFinalizeBlock(txs=[b"a" * 90, b"b"], height=4, hash=b"h" * 32)
    each += [
        abci.Request(finalize_block=block_),
        abci.Request(process_proposal={"txs": [b"x"], "height": 2, "time": {"seconds": 1}}),
        abci.Request(query={"path": "/a", "data": b"k", "height": 1, "prove": True}),
        abci.Request(offer_snapshot={"snapshot": {"height": 1, "chunks": 1}, "app_hash": b"a"}),
    ]
    return [encode_requests(request) for request in each]


def open_frames() -> Door:
    """Frames: the same, however the stream was cut."""
    requests = list_requests()

    def read(data: bytes) -> object:
        one, other = read_frames(data, 1 << 20), read_frames(data, 7)
        return one, other

    return Door(
        run=read,
        allowed=(),
        seeds=(
            b"".join(requests),
            delimit(b"a" * 300),
            delimit(bytes(FRAME_MAX))[:40],
            b"\xff" * 9,
        ),
        never=lambda _data, found: found[0] != found[1],
    )


def open_abci() -> Door:
    """A connection of the engine: whatever comes, the handler does not fail."""

    def serve(data: bytes) -> object:
        wire = Wire(data, 1 << 16)
        connection = Connection(
            wire,  # type: ignore[arg-type]
            list_calls(EmptyApplication()),
            Turns(),
            FRAME_MAX,
        )
        connection.run()
        if connection.failure is not None:
            raise connection.failure
        return wire.written

    requests = list_requests()
    return Door(run=serve, allowed=(DecodeError,), seeds=(*requests, b"".join(requests)))


def open_rpc() -> Door:
    """Answers of an engine's RPC; the first byte says to which question."""
    made = block(0)
    pages = write_validators(1, made.validators, page=1, per_page=100)
    peers = {
        "peers": [
            {
                "node_info": {
                    "id": "a",
                    "network": "b",
                    "moniker": "c",
                    "listen_addr": "tcp://d:1",
                },
                "is_outbound": True,
                "remote_ip": "::1",
            }
        ]
    }
    votes = {"round": 0, "prevotes_bit_array": "BA{2:x_} 1/2", "precommits_bit_array": "BA{2:__}"}
    rounds = {"round_state": {"height/round/step": "5/0/1", "height_vote_set": [votes]}}
    parsers: list[Callable[[bytes], Any]] = [
        *(parse_commit_answer, parse_validators_answer),
        *(parse_status, parse_peers, parse_consensus_state),
        lambda data: explain_exit(1, data),
    ]
    answers = [write_commit(made.header, made.commit), pages, json.loads(STATUS), peers, rounds, {}]

    def parse(data: bytes) -> object:
        if not data:
            return None
        which = data[0] % len(parsers)
        try:
            return parsers[which](data[1:])
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            # `RpcClient` takes these for an answer that is none; a gateway's JSON has one fault.
            assert which > 1 or isinstance(error, FormatFault), repr(error)
            return None

    return Door(
        run=parse,
        allowed=(),
        seeds=tuple(bytes([at]) + msgspec.json.encode(each) for at, each in enumerate(answers)),
        shape=lambda data, chance: data[:1] + change_json(data[1:], chance),
    )


def open_answers() -> Door:
    """What other gateways answer to us: to the client, and to a node that asks where nodes are."""
    said = [b""]
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=said[0]))
    client = httpx.Client(transport=transport, base_url="https://other.example")
    gateway = Gateway("https://other.example")
    gateway._client = client
    asks: list[Callable[[], Any]] = [
        lambda: fetch_announcements(client, "https://other.example"),
        lambda: read_problem(400, said[0]),
        gateway.league,
        lambda: gateway.status("ab" * 32),
        gateway.nodes,
    ]
    announced = {"own": "a", "nodes": [], "height": 1}
    problem = {"code": "a.b", "title": "t", "detail": "d", "params": {"a": 1}}
    status = {"id": "ab" * 32, "state": "committed", "height": 1}

    def ask(data: bytes) -> object:
        said[0] = data[1:]
        return asks[data[0] % len(asks)]() if data else None

    return Door(
        run=ask,
        allowed=(ClientError,),
        seeds=tuple(
            bytes([at]) + msgspec.json.encode(each)
            for at, each in enumerate((announced, problem, announced, status, announced))
        ),
        shape=lambda data, chance: data[:1] + change_json(data[1:], chance),
    )


def open_light() -> Door:
    """Light blocks: nothing is trusted but what the validators signed."""
    holding = [case for case in vectors()["steps"] if case["verdict"] == "holds" and case["whole"]]
    case = holding[0]
    trusted, now = block(case["trusted"]).trusted(), Timestamp(**case["now"])
    rules = Rules(
        trust_period_s=case["period_s"],
        clock_drift_s=case["drift_s"],
        level=TrustLevel(*case["level"]),
    )
    same = [each for each in holding if each["trusted"] == case["trusted"]][:6]

    def judge(data: bytes) -> object:
        found = msgspec.json.decode(data, type=LightBlock)
        verify(trusted, found, now=now, rules=rules)
        return found

    return build_judge(
        judge,
        (LightError, msgspec.MsgspecError, UnicodeError),
        [msgspec.json.encode(block(each["untrusted"])) for each in same],
        change_json,
    )
