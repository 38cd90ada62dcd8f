"""One node of a league as a process of its own: started, killed, paused, asked. Ends with us."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hansa.cli.bench.machine import find_children
from hansa.cli.lifeline import LIFELINE
from hansa.client.faults import ClientError, Refused
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer
from hansa.comet.rpc import RpcClient
from hansa.comet.sockets import locate_sockets

# The machine may be busy with other tests: nothing here is about speed.
PATIENCE_S: Final = 180.0
POLL_S: Final = 0.05
STOP_S: Final = 60.0


def wait_until(holds: Callable[[], Any], what: str, *, within_s: float = PATIENCE_S) -> Any:
    """The first true answer of `holds`; a gateway that does not answer yet is a no."""
    give_up = time.monotonic() + within_s
    last = ""
    while True:
        try:
            found = holds()
            if found:
                return found
        except (ClientError, Refused, OSError) as error:
            last = f" (last: {error})"
        assert time.monotonic() < give_up, f"it never came to pass: {what}{last}"
        time.sleep(POLL_S)


class NodeProcess:
    """A node's home and, while it runs, its process. `command`: what is run instead of hansa."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str]) -> None:
        self.number, self.folder = number, folder
        self.environment = environment
        self.command: Sequence[str] = (sys.executable, "-m", "hansa.cli")
        self.url = ""
        self.p2p = ""
        self.node_id = ""
        self._process: subprocess.Popen[bytes] | None = None

    def move(self, folder: Path) -> None:
        """Its home lies elsewhere from now on."""
        assert not self.is_running
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder = self.folder.rename(folder)

    @property
    def words(self) -> str:
        """What it said on standard error since its last start."""
        return (self.folder / "test.err").read_text(errors="replace")

    @property
    def log(self) -> str:
        """`node.log`."""
        path = self.folder / "node.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def engine_pids(self) -> list[int]:
        """The engine, and nothing else, is its child."""
        return find_children(self.pid)

    def begin(self, **environment: str) -> None:
        """Start the process; `wait_ready` says when it answers."""
        assert not self.is_running
        self.url = ""
        with (self.folder / "test.err").open("wb") as words:
            self._process = subprocess.Popen(
                [*self.command, "start", str(self.folder), "--json"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                env=self.environment | environment | {LIFELINE: "1"},
                process_group=0,
            )

    def wait_ready(self) -> None:
        """Until it says where it answers."""
        process = self._process
        assert process is not None and process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        line = process.stdout.readline() if readable else b""
        if not line:
            status = process.wait(STOP_S) if readable else "none: it still runs"
            raise AssertionError(
                f"node {self.number} did not start, status {status}: {self.words[-2000:]}"
                f"\n{self.log[-2000:]}"
            )
        said = json.loads(line)
        self.url, self.p2p, self.node_id = said["url"], said["p2p"], said["node"]

    def start(self, **environment: str) -> None:
        """Start it and wait until it answers."""
        self.begin(**environment)
        self.wait_ready()

    def kill(self) -> None:
        """As a power cut: node and engine at once. The engine must not outlive the node."""
        engines = self.engine_pids
        os.kill(self.pid, signal.SIGKILL)
        self.wait_end()
        wait_until(lambda: not any(map(is_alive, engines)), "the engine ended with its node")

    def kill_engine(self) -> None:
        """The engine alone."""
        for pid in self.engine_pids:
            os.kill(pid, signal.SIGKILL)

    def pause(self) -> None:
        """Nothing of it runs, and its connections stay open."""
        for pid in (self.pid, *self.engine_pids):
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in (*self.engine_pids, self.pid):
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """As an operator stops it. Its engine ends with it, and nobody sees a stack trace."""
        if not self.is_running:
            return
        os.kill(self.pid, signal.SIGTERM)
        status = self.wait_end()
        assert status == 0, (self.number, status, self.words[-2000:])
        assert "Traceback" not in self.words, self.words[-4000:]

    def wait_end(self, within_s: float = STOP_S) -> int:
        """Its exit status once it has ended."""
        process = self._process
        assert process is not None
        status = process.wait(within_s)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        return status

    def destroy(self) -> None:
        """Whatever state it is in: nothing of it is left."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        for pid in (*self.engine_pids, process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait_end()

    def gateway(self, signer: Signer | None = None) -> Gateway:
        """A client of its gateway."""
        return Gateway(self.url, signer, timeout_s=30.0)

    @property
    def rpc(self) -> RpcClient:
        """The engine's private RPC: the node itself and tests on its machine only."""
        return RpcClient(locate_sockets(self.folder).rpc)

    def height(self) -> int:
        """Its last committed block."""
        with self.gateway() as gateway:
            return gateway.league().height

    def network(self) -> dict[str, Any]:
        """`GET /v1/network`."""
        with self.gateway() as gateway:
            return dict(gateway._ask("GET", "/v1/network"))

    def header(self, height: int) -> dict[str, Any]:
        """A header as `POST /v1/comet` gives it."""
        call = {"jsonrpc": "2.0", "id": 1, "method": "header", "params": {"height": str(height)}}
        with self.gateway() as gateway:
            answer = gateway._ask(
                "POST", "/v1/comet", content=json.dumps(call).encode(), media="application/json"
            )
        return dict(answer["result"]["header"])


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet fetched does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
