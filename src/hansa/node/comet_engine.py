"""CometBFT as the engine of a node: its process, our socket to it, what is asked of it over RPC.

Node and engine live and die together: the node starts, watches, restarts and stops it. Touches
`engine/` and `engine.log` of the home, the sockets' folder, and one port for other nodes.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from hansa.comet.abci.listener import SocketRefused
from hansa.comet.abci.server import Server
from hansa.comet.exits import EngineExit
from hansa.comet.faults import CometError
from hansa.comet.install import find_engine
from hansa.comet.process import EngineProcess
from hansa.comet.rpc import EngineUnreachable, RpcClient, RpcError
from hansa.comet.sockets import close_sockets, locate_sockets, open_sockets
from hansa.ledger.blocks import Change
from hansa.node.admittance import Admittance
from hansa.node.application import LedgerApplication
from hansa.node.comet_parts import CometParts
from hansa.node.engine import Listener, NetworkView
from hansa.node.engine_home import choose_listen, find_node_id, prepare_engine
from hansa.node.faults import EngineError, NodeError
from hansa.node.home import ENGINE, ENGINE_LOG, Home
from hansa.node.network import NetworkWatch
from hansa.node.pool import TransactionPool
from hansa.node.release import ComputeDigest

# How long a start waits for the engine's first word; a long replay goes on behind it.
START_S: Final = 10.0
# An engine that ends sooner than this was no good; so many of those in a row, and the node fails.
QUICK_S: Final = 5.0
QUICK_MAX: Final = 5
BACK_OFF_S: Final = (0.2, 1.0, 2.0, 5.0)
# These ends do not change by trying again.
HOPELESS: Final = frozenset(
    {"application_ahead", "application_behind", "state_differs", "genesis_differs", "double_sign"}
)
_TICK_S: Final = 1.0
# Peers are looked at so often, and after each block that touched nodes or members.
LOOK_S: Final = 5.0
_TOUCHING: Final = (b"members/member/", b"validators/node/", b"validators/validator/")
_FIRST_WORD_S: Final = 0.05

_log = structlog.get_logger("hansa.node")


class CometEngine:
    """One engine beside one node."""

    def __init__(
        self,
        home: Home,
        application: LedgerApplication,
        pool: TransactionPool,
        listener: Listener,
        clock: Callable[[], int],
        compute_digest: ComputeDigest | None,
    ) -> None:
        """Starts nothing. Raises a NodeError: no engine is installed, no port, no key."""
        self._home, self._application = home, application
        self._listener, self._clock = listener, clock
        binary = find_engine()
        if binary is None:
            raise EngineError(
                "the consensus engine CometBFT is not installed for this user",
                "Run: hansa engine install",
            )
        self._sockets = locate_sockets(home.folder)
        self._listen = choose_listen(home)
        self._network = NetworkWatch(
            find_node_id(home), home.settings.p2p.address or self._listen, self._sockets.rpc
        )
        self._hinted = {peer.partition("@")[0] for peer in home.settings.p2p.peers}
        self.rpc = RpcClient(self._sockets.rpc)
        self._parts = CometParts(
            home,
            application,
            pool,
            listener,
            self.rpc,
            clock=clock,
            compute_digest=compute_digest,
            is_trusted=lambda node: self._network.is_behind and node in self._hinted,
            on_fault=self._on_fatal,
            on_changes=self._on_changes,
        )
        self._admittance = Admittance(self._parts.handler.admits)
        self._process = EngineProcess(
            binary,
            home.folder / ENGINE,
            home.folder / ENGINE_LOG,
            rpc=self._sockets.rpc,
            on_exit=self._on_exit,
        )
        self._server = Server(self._sockets.abci, self._parts.handler, on_fatal=self._on_fatal)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._exit: EngineExit | None = None
        self._last_exit = ""
        self._failure: BaseException | None = None
        self._restarts, self._quick, self._started_at = 0, 0, 0.0
        self._look_at = 0.0
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="hansa-engine", daemon=True)

    def start(self) -> None:
        """Start server and engine. Raises a NodeError when it does not run.

        Waits for the engine's first word, at most START_S: a long replay goes on behind it.
        """
        try:
            open_sockets(self._home.folder)
            self._server.start()
            self._start_process()
            self._wait_for_first_word()
        except (CometError, SocketRefused, OSError) as error:
            self.stop()
            raise _translate(error) from error
        except BaseException:
            self.stop()
            raise
        self._parts.feeder.start()
        self._parts.sealing.start()
        self._thread.start()

    def stop(self) -> None:
        """End the engine, then what served it. Safe to repeat, from any thread."""
        self._stopping.set()
        self._wake.set()
        with self._closing:
            self._process.stop()
            self._parts.feeder.stop()
            self._parts.sealing.stop()
            self._server.stop()
            self._parts.desk.close()
            if self._thread.is_alive() and self._thread is not threading.current_thread():
                self._thread.join()
            self.rpc.close()
            self._network.close()
            close_sockets(self._sockets)
        self._listener.on_stop(None)

    def halt(self) -> None:
        """Make no further block: the engine is ended by its watcher."""
        self._stopping.set()
        self._wake.set()

    @property
    def is_behind(self) -> bool:
        """Whether the engine is known to be catching up with the others."""
        return self._network.is_catching_up

    def next_time_ms(self) -> int:
        """The least time of the next block, by this node's clock."""
        return max(self._application.storage.time_ms + 1, self._clock())

    def network(self) -> NetworkView:
        """Asked of the engine, at most once a second."""
        return self._network.look(
            is_running=self._process.alive,
            sealed_height=self._application.storage.sealed,
            restarts=self._restarts,
            last_exit=self._last_exit,
            outstanding=self._parts.feeder.outstanding,
            snapshot=self._parts.desk.newest,
        )

    def dial(self, peers: Sequence[str]) -> None:
        """Have the engine connect to `id@host:port`, and again whenever the connection is lost."""
        if peers:
            with suppress(EngineUnreachable, RpcError):
                self.rpc.dial(peers)

    def _start_process(self) -> None:
        """Write its files, then start it. Raises a NodeError, CometError."""
        prepare_engine(self._home, self._application.storage, self._sockets, self._listen)
        self._started_at = time.monotonic()
        self._process.start()

    def _wait_for_first_word(self) -> None:
        """Raises EngineError when it ends instead."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            ended = self._exit
            if self._failure is not None:
                raise self._failure
            if ended is not None:
                raise EngineError(f"{ended.text} (engine.log)", ended.cure)
            with suppress(EngineUnreachable, RpcError):
                self.rpc.status()
                return
            self._stopping.wait(_FIRST_WORD_S)

    def _run(self) -> None:
        """The watcher: restarts what died, drops peers that were expelled, ends what must end."""
        try:
            while not self._stopping.is_set():
                self._wake.wait(_TICK_S)
                self._wake.clear()
                if self._stopping.is_set():
                    break
                ended, self._exit = self._exit, None
                if ended is not None:
                    self._recover(ended)
                else:
                    self._look_at_peers()
                    self._parts.desk.prune()
        except (CometError, NodeError, OSError) as error:
            self._on_fatal(_translate(error))
        finally:
            self._process.stop()

    def _recover(self, ended: EngineExit) -> None:
        """Start it again, ever more slowly. Raises EngineError when that has no end."""
        is_quick = time.monotonic() - self._started_at < QUICK_S
        self._quick = self._quick + 1 if is_quick else 1
        self._last_exit = ended.text
        _log.error("engine_ended", code=ended.code, reason=ended.text, times=self._quick)
        if ended.code in HOPELESS or self._quick > QUICK_MAX:
            again = f", {self._quick} times in a row" if self._quick > 1 else ""
            raise EngineError(f"{ended.text} (engine.log){again}", ended.cure)
        delay_s = BACK_OFF_S[min(self._quick, len(BACK_OFF_S)) - 1]
        if not self._stopping.wait(delay_s):
            self._restart("it ended")

    def _restart(self, reason: str) -> None:
        self._process.stop()
        self._restarts += 1
        self._start_process()
        _log.warning("engine_restarted", reason=reason, restarts=self._restarts)
        self._parts.feeder.give_again()

    def _look_at_peers(self) -> None:
        """A peer that is no longer admitted goes by a restart of our own engine."""
        if time.monotonic() < self._look_at and not self._admittance.is_waiting:
            return
        self._look_at = time.monotonic() + LOOK_S
        status, peers = self._network.ask()
        if status is None or status.catching_up:
            return
        state = self._application.storage
        if self._admittance.must_restart(peers, self._network.node_id, state):
            self._restart("a connected node is no longer admitted")

    def _on_changes(self, changes: Sequence[Change]) -> None:
        """Of a durable block: who may connect may be another now."""
        if any(touches(changes, prefix) for prefix in _TOUCHING):
            self._look_at = 0.0

    def _on_exit(self, ended: EngineExit) -> None:
        """From the process's watcher: it ended without being asked to."""
        self._exit = ended
        self._wake.set()

    def _on_fatal(self, error: BaseException) -> None:
        """This node's own fault, from any thread: no further block; the watcher ends the engine."""
        self._failure = self._failure or error
        self.halt()
        self._listener.on_stop(error)


def touches(changes: Sequence[Change], prefix: bytes) -> bool:
    """Whether any of the changes, which are sorted, is of a key with this prefix."""
    at = bisect_left(changes, prefix, key=lambda change: change[0])
    return at < len(changes) and changes[at][0].startswith(prefix)


def _translate(error: BaseException) -> BaseException:
    """Faults of the engine as faults of the node, with their cure."""
    if isinstance(error, CometError):
        return EngineError(error.text, error.cure)
    if isinstance(error, SocketRefused):
        return EngineError(str(error), "Mend that, then start the node again.")
    if isinstance(error, OSError):
        return EngineError(
            f"the engine cannot be started: {error.strerror or error}",
            "See that the disk has space and lets this user write; then start the node again.",
        )
    return error
