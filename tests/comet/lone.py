"""One real engine with one vote and CometBFT's own kvstore in it, in a folder of its own."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hansa.comet.exits import EngineExit
from hansa.comet.files import EngineConfig, compute_node_id, write_engine_home
from hansa.comet.process import EngineProcess
from hansa.comet.rpc import EngineUnreachable, RpcClient
from hansa.comet.sockets import close_sockets, open_sockets
from hansa.crypto.keys import PrivateKey
from hansa.ledger.genesis import Genesis, GenesisValidator

CHAIN = "lone-1"
PROTOCOL = 1
# What kvstore answers before its first transaction.
ROOT = bytes(8)
PATIENCE_S = 60.0
VALIDATOR = PrivateKey.from_seed("EdDSA", b"v" * 32)
NODE = PrivateKey.from_seed("EdDSA", b"n" * 32)
GENESIS = Genesis(
    activations=(),
    chain=CHAIN,
    contracts={},
    kind="hansa.genesis/1",
    time_ms=1_700_000_000_120,
    validators=(GenesisValidator(key=VALIDATOR.public, power=10, member="did:hansa:lone"),),
)


class LoneEngine:
    """An engine, what it needs, and how it ended."""

    def __init__(
        self,
        program: Path,
        home: Path,
        *,
        validator: PrivateKey | None = VALIDATOR,
        node: PrivateKey = NODE,
        root: bytes = ROOT,
        test_environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        home.mkdir()
        self.home = home
        self.folder = home / "engine"
        self.log = home / "engine.log"
        self.validator, self.node, self.root = validator, node, root
        self.port = find_port()
        self.sockets = open_sockets(home)
        settings = {"abci": "persistent_kvstore", "filter_peers": False, **settings}
        self.config = EngineConfig(
            rpc=self.sockets.rpc, listen=f"127.0.0.1:{self.port}", commit_ms=10, **settings
        )
        self.exits: list[EngineExit] = []
        self.exited = threading.Event()
        self.process = EngineProcess(
            program,
            self.folder,
            self.log,
            rpc=self.sockets.rpc,
            on_exit=self._note,
            test_environment=test_environment,
        )
        self.rpc = RpcClient(self.sockets.rpc)
        self.write()

    @property
    def address(self) -> str:
        """Where other engines dial it."""
        return f"{compute_node_id(self.node.public.raw)}@127.0.0.1:{self.port}"

    def write(self) -> None:
        """Write the engine's folder."""
        write_engine_home(
            self.folder,
            GENESIS,
            self.root,
            self.validator,
            self.node,
            self.config,
            application_protocol=PROTOCOL,
        )

    def start(self, height: int = 1) -> "LoneEngine":
        """Start it and wait for a height."""
        self.process.start()
        self.wait_for(lambda: self.rpc.status().height >= height)
        return self

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; an engine that ended meanwhile is a failure with its log."""
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            try:
                if holds():
                    return
            except EngineUnreachable:
                assert self.process.alive, self.log.read_text()[-4000:]
            time.sleep(0.02)
        raise AssertionError(f"it never held; the log ends: {self.log.read_text()[-4000:]}")

    def wait_for_end(self) -> EngineExit:
        """How it ended by itself."""
        assert self.exited.wait(PATIENCE_S), self.log.read_text()[-4000:]
        return self.exits[-1]

    def close(self) -> None:
        """End it and remove its sockets."""
        self.process.stop()
        self.rpc.close()
        close_sockets(self.sockets)

    def _note(self, ended: EngineExit) -> None:
        self.exits.append(ended)
        self.exited.set()


def find_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
