"""The engine's side of the ABCI socket, as plain as possible: for the tests of this folder."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.empty import EmptyApplication
from hansa.comet.abci.framing import FRAME_MAX, FrameReader
from hansa.comet.abci.handler import Handler
from hansa.comet.abci.server import Server
from hansa.encoding.protobuf import delimit

PATIENCE_S = 30.0


class Speaker:
    """One connection: `say` writes requests, `hear` reads answers one by one."""

    def __init__(self, path: Path) -> None:
        self.stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.stream.settimeout(PATIENCE_S)
        self.stream.connect(str(path))
        self._reader = FrameReader(self.stream)
        self._heard: list[abci.Response] = []

    def say(self, *requests: abci.Request) -> None:
        self.stream.sendall(encode_requests(*requests))

    def say_bytes(self, data: bytes) -> None:
        self.stream.sendall(data)

    def hear(self) -> abci.Response | None:
        """The next answer; None when the server has closed the connection."""
        if not self._heard:
            try:
                frames = self._reader.read()
            except ConnectionResetError:
                frames = []
            self._heard = [abci.Response.FromString(each) for each in frames]
        return self._heard.pop(0) if self._heard else None

    def ask(self, **call: object) -> abci.Response:
        """One request and its answer: `ask(echo=RequestEcho(message="a"))`."""
        self.say(abci.Request(**call))
        answer = self.hear()
        assert answer is not None, "the server closed the connection"
        return answer

    def close(self) -> None:
        self.stream.close()


def wait_until(reached: Callable[[], bool]) -> None:
    """Until it is so; a failure after long patience."""
    for _ in range(int(PATIENCE_S / 0.002)):
        if reached():
            return
        time.sleep(0.002)
    raise AssertionError("it never came to that")


def encode_requests(*requests: abci.Request) -> bytes:
    return b"".join(delimit(each.SerializeToString()) for each in requests)


class Told(list[BaseException]):
    """What `on_fatal` was told; `wait` until it was."""

    def __init__(self) -> None:
        super().__init__()
        self._event = threading.Event()

    def take(self, error: BaseException) -> None:
        self.append(error)
        self._event.set()

    def wait(self) -> BaseException:
        assert self._event.wait(PATIENCE_S), "on_fatal was not told"
        return self[0]


class Running:
    """A server that runs, and the connections made to it."""

    def __init__(self, path: Path, handler: Handler, frame_max: int = FRAME_MAX) -> None:
        self.told = Told()
        self.path = path
        self.server = Server(path, handler, on_fatal=self.told.take, frame_max=frame_max)
        self.server.start()
        self._speakers: list[Speaker] = []

    def connect(self) -> Speaker:
        speaker = Speaker(self.path)
        self._speakers.append(speaker)
        return speaker

    def close(self) -> None:
        for speaker in self._speakers:
            speaker.close()
        self.server.stop()


@contextmanager
def serve(
    folder: Path, handler: Handler | None = None, frame_max: int = FRAME_MAX
) -> Iterator[Running]:
    """A server of `handler` at a socket in `folder`."""
    running = Running(folder / "private" / "abci.sock", handler or EmptyApplication(), frame_max)
    try:
        yield running
    finally:
        running.close()
