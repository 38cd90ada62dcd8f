"""One connection of the engine: its requests, read in batches, answered strictly in order.

Touches its socket; calls the `Handler` under the right turn. Runs in a thread of its own.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, NamedTuple

import structlog
from google.protobuf.message import DecodeError, Message

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.framing import BadFrame, FrameReader
from hansa.comet.abci.handler import Handler, StopNode
from hansa.comet.abci.turns import Turns
from hansa.encoding.protobuf import encode_varint

# The engine flushes after each transaction; answers go out together, this often and at a pause.
FLUSH_S: Final = 0.002
# How often what has come is read while the mempool's turn has not, or while it is long. An engine
# whose write waits burns a core until it goes on: its flush timer is 20 nanoseconds where 20 ms are
# meant (CometBFT v0.38 to v0.40, abci/client/socket_client.go).
AHEAD_S: Final = 0.004
# Requests read before their turn: more than the engine's pool may hold of ours.
AHEAD_BYTES_MAX: Final = 64 * 1024 * 1024
# Answers that wait to be written together; above this they are written at once.
PENDING_BYTES_MAX: Final = 1024 * 1024

_log = structlog.get_logger("hansa.abci")


def encode_tag(kind: str) -> bytes:
    """The tag of a field of Response, with wire type 2."""
    return encode_varint(abci.Response.DESCRIPTOR.fields_by_name[kind].number << 3 | 2)


EXCEPTION_TAG: Final = encode_tag("exception")


class Lane(IntEnum):
    """Beside what a call may run."""

    FREE = 0
    MEMPOOL = 1
    CONSENSUS = 2
    FLUSH = 3


LANES: Final = {
    "flush": Lane.FLUSH,
    "check_tx": Lane.MEMPOOL,
    "insert_tx": Lane.MEMPOOL,
    "reap_txs": Lane.MEMPOOL,
    "init_chain": Lane.CONSENSUS,
    "prepare_proposal": Lane.CONSENSUS,
    "process_proposal": Lane.CONSENSUS,
    "extend_vote": Lane.CONSENSUS,
    "verify_vote_extension": Lane.CONSENSUS,
    "finalize_block": Lane.CONSENSUS,
    "commit": Lane.CONSENSUS,
    "offer_snapshot": Lane.CONSENSUS,
    "apply_snapshot_chunk": Lane.CONSENSUS,
}


class Call(NamedTuple):
    """How one kind of request is answered."""

    function: Callable[[Any], Message]
    answer: type[Message]
    lane: Lane
    tag: bytes  # of the answer's field in Response


def list_calls(handler: Handler) -> dict[str, Call]:
    """Every kind of request, with the method of `handler` that answers it."""
    own: dict[str, Callable[[Any], Message]] = {
        "echo": lambda request: abci.ResponseEcho(message=request.message),
        "flush": lambda _request: abci.ResponseFlush(),
    }
    empty = abci.Response()
    return {
        kind: Call(
            own.get(kind) or getattr(handler, kind),
            type(getattr(empty, kind)),
            LANES.get(kind, Lane.FREE),
            encode_tag(kind),
        )
        for kind in abci.Request.DESCRIPTOR.fields_by_name
    }


class HandlerFailed(Exception):
    """A handler raised; the message is what the engine is told."""


class Connection:
    """Reads, answers, writes; `run` is the body of its thread, `end` may come from any other."""

    def __init__(
        self, stream: socket.socket, calls: dict[str, Call], turns: Turns, frame_max: int
    ) -> None:
        self._stream = stream
        self._calls = calls
        self._turns = turns
        self._reader = FrameReader(stream, frame_max)
        self.failure: BaseException | None = None  # what the handler raised
        self._ending = threading.Event()
        self._in_turn = False
        self._ahead: deque[bytes] = deque()
        self._ahead_bytes = 0
        self._looked_at = 0.0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._sent_at = 0.0

    def end(self) -> None:
        """Begin no further call; wakes the thread when it reads or writes."""
        self._ending.set()
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed already

    def run(self) -> None:
        """Answer until the end of the stream, a fault in it or a fault of the handler."""
        with self._stream:
            try:
                while not self._ending.is_set() and (frames := self._reader.read()):
                    self._put_ahead(frames)
                    self._answer_all()
            except HandlerFailed as failed:
                _log.error("handler_failed", problem=str(failed), exc_info=self.failure)
            except (BadFrame, DecodeError) as error:
                _log.warning("connection_closed", problem=f"what it sent is not ABCI: {error}")
            except OSError as error:
                if not self._ending.is_set():
                    _log.warning("connection_lost", problem=str(error))

    def _answer_all(self) -> None:
        """All requests that were read; the answers of what was good are written in any case."""
        try:
            while self._ahead and not self._ending.is_set():
                frame = self._ahead.popleft()
                self._ahead_bytes -= len(frame)
                self._answer_one(frame)
        except HandlerFailed as failed:
            self._write(
                EXCEPTION_TAG, abci.ResponseException(error=str(failed)).SerializeToString()
            )
            raise
        finally:
            self._send()

    def _answer_one(self, frame: bytes) -> None:
        """One request; its answer is pending when this returns, or written."""
        request = abci.Request.FromString(frame)
        kind = request.WhichOneof("value")
        if kind is None:
            raise BadFrame("a request without a call that is known")
        call = self._calls[kind]
        if call.lane is Lane.MEMPOOL:
            if self._turns.wanted:
                self._leave()
            if not self._in_turn and not self._enter_mempool():
                return
            body = self._call(kind, call, request)
        elif call.lane is Lane.CONSENSUS:
            self._leave()
            with self._turns.consensus():
                body = self._call(kind, call, request)
        else:
            if call.lane is Lane.FREE:
                self._leave()
            body = self._call(kind, call, request)
        self._write(call.tag, body)
        now = time.monotonic()
        is_due = call.lane is Lane.FLUSH and now - self._sent_at > FLUSH_S
        if is_due or self._pending_bytes > PENDING_BYTES_MAX:
            self._send()
        if self._ahead and now - self._looked_at > AHEAD_S:
            self._look_ahead(now)

    def _enter_mempool(self) -> bool:
        """Take the mempool's turn; until it comes, read what the engine writes. False at the end
        of the server.
        """
        if not self._turns.try_mempool(0):
            self._send()
            while not self._turns.try_mempool(AHEAD_S):
                self._look_ahead(time.monotonic())
        self._in_turn = True
        return not self._ending.is_set()

    def _look_ahead(self, now: float) -> None:
        """Read what has come, so that the engine can go on writing; bounded."""
        self._looked_at = now
        if self._ahead_bytes < AHEAD_BYTES_MAX:
            self._put_ahead(self._reader.poll())

    def _put_ahead(self, frames: list[bytes]) -> None:
        self._ahead += frames
        self._ahead_bytes += sum(map(len, frames))

    def _call(self, kind: str, call: Call, request: abci.Request) -> bytes:
        """The handler's answer, serialized. The named process boundary: all that it may raise."""
        try:
            answer = call.function(getattr(request, kind))
            if type(answer) is not call.answer:
                raise TypeError(f"{type(answer).__name__} is no {call.answer.__name__}")
            return answer.SerializeToString()
        except BaseException as error:
            self.failure = error
            name = type(error).__name__  # its words may be of what citizens wrote
            text = str(error) if isinstance(error, StopNode) else f"{kind}: {name} in the node"
            raise HandlerFailed(text.encode(errors="backslashreplace").decode()) from error

    def _write(self, tag: bytes, body: bytes) -> None:
        """Add one Response to what is pending: its frame, the field's tag, the field's bytes."""
        size = len(body)
        head = tag + encode_varint(size)
        size += len(head)
        self._pending += (encode_varint(size), head, body)
        self._pending_bytes += size

    def _leave(self) -> None:
        """Give the mempool's turn back, if it is ours."""
        if self._in_turn:
            self._in_turn = False
            self._turns.leave_mempool()

    def _send(self) -> None:
        """Write what is pending, in one go. Nobody waits for a slow reader: no turn is held."""
        self._leave()
        if self._pending:
            written = b"".join(self._pending)
            self._pending = []
            self._pending_bytes = 0
            self._stream.sendall(written)
            self._sent_at = time.monotonic()
