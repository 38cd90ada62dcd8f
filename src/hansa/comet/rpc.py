"""The engine's RPC over its unix socket: JSON-RPC on kept-alive HTTP. Touches that socket only.

Safe for several threads: each call takes a free connection or opens one. Every answer is bounded
in time and size. Source: CometBFT v0.39.4 rpc/core, rpc/jsonrpc/server.
"""

import http.client
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.rpc_json import parse_commit_answer, parse_validators_answer
from hansa.comet.rpc_state import (
    ConsensusState,
    Peer,
    Status,
    parse_consensus_state,
    parse_peers,
    parse_status,
)
from hansa.comet.validators import Validator, ValidatorSet
from hansa.encoding.json_faults import NOT_JSON

__all__ = [
    "Broadcast",
    "ConsensusState",
    "EngineUnreachable",
    "Peer",
    "RpcClient",
    "RpcError",
    "Status",
]

TIMEOUT_S: Final = 15.0
# A block of 4 MB is 5.4 MB of base64; net_info of a hundred peers is less.
ANSWER_BYTES_MAX: Final = 64_000_000
# One request's body; `files.py` lets the engine take as much and a margin.
BATCH_BYTES_MAX: Final = 8_000_000
IDLE_MAX: Final = 8
PAGE: Final = 100
_HEADERS: Final = {"Content-Type": "application/json"}
_SYNC_HEAD: Final = b'{"jsonrpc":"2.0","id":0,"method":"broadcast_tx_sync","params":{"tx":"'
_ASYNC_HEAD: Final = b'{"jsonrpc":"2.0","id":0,"method":"broadcast_tx_async","params":{"tx":"'
_TX_TAIL: Final = b'"}}'
_IN_CACHE: Final = "tx already exists in cache"

T = TypeVar("T")


class EngineUnreachable(Exception):
    """The engine does not answer: not started, ended, or too slow. Asking again is safe."""


class RpcError(Exception):
    """The engine answered with an error: its JSON-RPC code and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Broadcast(NamedTuple):
    """What became of one transaction. `taken`: it is in the engine's pool, now or before.

    `code` and `log` are CheckTx's answer; `error` is the engine's own refusal (pool full, not yet
    caught up, too large), "" if none: that one may be given again later.
    """

    taken: bool
    code: int = 0
    log: str = ""
    error: str = ""


class _Fault(msgspec.Struct):
    code: int
    message: str
    data: str = ""


class _Answer(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"")
    error: _Fault | None = None


class _BroadcastResult(msgspec.Struct):
    code: int
    log: str = ""


class _BroadcastAnswer(msgspec.Struct):
    result: _BroadcastResult | None = None
    error: _Fault | None = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_BROADCASTS: Final = msgspec.json.Decoder(list[_BroadcastAnswer])
_BROADCAST: Final = msgspec.json.Decoder(_BroadcastAnswer)


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("engine", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class RpcClient:
    """Calls of one engine. Raises EngineUnreachable, RpcError."""

    def __init__(self, path: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        """Connects when it is first asked; `path` need not exist yet."""
        self._path = path
        self._timeout_s = timeout_s
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the idle connections. A later call opens a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any method, its result as it came. Integers of CometBFT are texts in it."""
        return self._decode(self.call_raw(method, params), dict[str, Any])

    def call_raw(self, method: str, params: Mapping[str, Any] | None = None) -> bytes:
        """Any method, the bytes of its result."""
        request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params or {}}
        body = self._post(msgspec.json.encode(request))
        answer = self._decode(body, _Answer, _ANSWER)
        if answer.error is not None:
            raise RpcError(answer.error.code, _describe(answer.error))
        return bytes(answer.result)

    def status(self) -> Status:
        """Where the engine is."""
        return self._parse(parse_status, self.call_raw("status"))

    def signed_header(self, height: int) -> tuple[Header, Commit]:
        """The header of `height` and a commit that decided it.

        Of the newest block it is the commit this node saw; the next block may carry another one
        of more signatures. Both decide. RpcError when the engine does not have the height.
        """
        return self._parse(parse_commit_answer, self.call_raw("commit", {"height": str(height)}))

    def validators(self, height: int) -> ValidatorSet:
        """The set that votes on the block of `height` (known up to two above the newest)."""
        found: list[Validator] = []
        total = 1
        while len(found) < total:
            page = len(found) // PAGE + 1
            params = {"height": str(height), "page": str(page), "per_page": str(PAGE)}
            batch, total = self._parse(parse_validators_answer, self.call_raw("validators", params))
            if not batch:
                raise EngineUnreachable("the engine's pages of validators do not add up")
            found += batch
        return tuple(found)

    def broadcast(self, transactions: Sequence[bytes]) -> list[Broadcast]:
        """Give transactions to the engine's pool; one answer for each, in order.

        A batch of broadcast_tx_sync: the engine asks the application for one after the other, a
        round trip over its socket each. For many, `give`.
        """
        requests = [_SYNC_HEAD + b64encode(each) + _TX_TAIL for each in transactions]
        return self._broadcast_all(requests)

    def give(self, transactions: Sequence[bytes]) -> list[Broadcast]:
        """As `broadcast`, without waiting for CheckTx: `taken` says that it will be asked."""
        requests = [_ASYNC_HEAD + b64encode(each) + _TX_TAIL for each in transactions]
        return self._broadcast_all(requests)

    def _broadcast_all(self, requests: list[bytes]) -> list[Broadcast]:
        """In as many HTTP requests as their length needs."""
        answers: list[Broadcast] = []
        batch: list[bytes] = []
        size = 0
        for request in requests:
            if batch and size + len(request) > BATCH_BYTES_MAX:
                answers += self._broadcast(batch)
                batch, size = [], 0
            batch.append(request)
            size += len(request) + 1
        return answers + (self._broadcast(batch) if batch else [])

    def _broadcast(self, requests: list[bytes]) -> list[Broadcast]:
        body = self._post(b"[" + b",".join(requests) + b"]")
        # One answer comes without its list.
        if body[:1] == b"{":
            answers = [self._decode(body, _BroadcastAnswer, _BROADCAST)]
        else:
            answers = self._decode(body, list[_BroadcastAnswer], _BROADCASTS)
        if len(answers) != len(requests):
            raise EngineUnreachable(
                f"the engine gave {len(answers)} answers to {len(requests)} transactions"
            )
        return [_judge(answer) for answer in answers]

    def net_info(self) -> tuple[Peer, ...]:
        """The connected nodes, sorted by id."""
        return self._parse(parse_peers, self.call_raw("net_info"))

    def dial(self, peers: Sequence[str], *, persistent: bool = True) -> None:
        """Connect to `id@host:port`, and again whenever the connection is lost."""
        flags = {"persistent": persistent, "unconditional": False, "private": False}
        self.call_raw("dial_peers", {"peers": list(peers), **flags})

    def consensus_state(self) -> ConsensusState:
        """The vote that goes on."""
        return self._parse(parse_consensus_state, self.call_raw("consensus_state"))

    def _post(self, body: bytes) -> bytes:
        """One exchange; on a connection that went stale while idle, once more on a new one."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is not None:
                with suppress(http.client.HTTPException, ConnectionError):
                    return self._exchange(connection, body)
            return self._exchange(_Connection(self._path, self._timeout_s), body)
        except (http.client.HTTPException, OSError) as error:
            raise EngineUnreachable(f"the engine does not answer: {error}") from error

    def _exchange(self, connection: _Connection, body: bytes) -> bytes:
        """Send and read whole; the connection is idle again only after that."""
        try:
            connection.request("POST", "/", body, _HEADERS)
            response = connection.getresponse()
            data = response.read(ANSWER_BYTES_MAX + 1)
            whole = response.isclosed() and len(data) <= ANSWER_BYTES_MAX
        except BaseException:
            connection.close()
            raise
        with self._lock:
            keep = whole and not response.will_close and len(self._idle) < IDLE_MAX
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()
        if len(data) > ANSWER_BYTES_MAX:
            raise EngineUnreachable("the engine's answer is too long")
        return data

    def _decode(self, data: bytes, type_: type[T], decoder: Any = None) -> T:
        try:
            answer: T = decoder.decode(data) if decoder else msgspec.json.decode(data, type=type_)
        except NOT_JSON as error:
            raise EngineUnreachable(f"the engine's answer cannot be read: {error}") from error
        return answer

    def _parse(self, parser: Callable[[bytes], T], data: bytes) -> T:
        try:
            return parser(data)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            raise EngineUnreachable(f"the engine's answer cannot be read: {error}") from error


def _describe(fault: _Fault) -> str:
    return fault.data or fault.message


def _judge(answer: _BroadcastAnswer) -> Broadcast:
    if answer.result is not None:
        return Broadcast(answer.result.code == 0, answer.result.code, answer.result.log)
    text = _describe(answer.error) if answer.error is not None else "no answer"
    if _IN_CACHE in text:
        return Broadcast(taken=True)
    return Broadcast(taken=False, error=text)
