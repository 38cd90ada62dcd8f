"""The networks to compare with: CometBFT's own `kvstore`, and an empty application on our server.

Both run on the league's own keys and on the engine configuration of its nodes. Starts engines and
application processes, and ends them.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from hansa.cli.bench.engine_config import adapt_config
from hansa.cli.bench.load import TIMEOUT_S, Processes
from hansa.cli.bench.ports import find_ports
from hansa.cli.lifeline import LIFELINE
from hansa.cli.network import list_nodes
from hansa.client.faults import ClientError
from hansa.comet.files import CONFIG, CONFIG_FILE, EngineConfig, compute_node_id, write_engine_home
from hansa.comet.process import EngineProcess
from hansa.comet.rpc import EngineUnreachable, RpcClient, RpcError
from hansa.comet.sockets import Sockets, close_sockets, open_sockets

READY_S: Final = 60.0
STOP_S: Final = 10.0
# Built into the engine: no socket, no second process.
KVSTORE: Final = "kvstore"


class BenchFault(ClientError):
    """A network of the measurement did not start, or stopped."""

    CODE = "bench.network"


class Network(NamedTuple):
    """A network that runs. `gateways`: addresses of Hansa's own doors, none of its peers."""

    clients: tuple[RpcClient, ...]
    processes: Processes
    configs: tuple[Path, ...]
    gateways: tuple[str, ...] = ()


@contextmanager
def open_peer(
    folder: Path, league: Path, binary: Path, tuning: str, kind: str
) -> Iterator[Network]:
    """A network of `kind` "kvstore" or "empty", with as many validators as the league has nodes.

    `tuning` is the config.toml of one of its nodes. Ends everything and leaves the folder.
    """
    with contextlib.ExitStack() as stack:
        homes = _write_homes(folder, league, tuning, kind, stack)
        applications = _start_applications(homes, kind, stack)
        engines = [_start_engine(binary, home, stack) for home in homes]
        clients = tuple(RpcClient(home.sockets.rpc, timeout_s=TIMEOUT_S) for home in homes)
        for client in clients:
            stack.callback(client.close)
        wait_ready(clients, [home.folder / "engine.log" for home in homes])
        yield Network(
            clients=clients,
            processes=Processes(
                engines=tuple(engine.pid or 0 for engine in engines),
                nodes=tuple(each.pid for each in applications),
            ),
            configs=tuple(home.folder / "engine" / CONFIG / CONFIG_FILE for home in homes),
        )


class _Home(NamedTuple):
    folder: Path
    sockets: Sockets


def _write_homes(
    folder: Path, league: Path, tuning: str, kind: str, stack: contextlib.ExitStack
) -> list[_Home]:
    from hansa.node.home import open_home

    nodes = [open_home(node.folder) for node in list_nodes(league)]
    ports = find_ports(len(nodes))
    ids = [compute_node_id(node.node_key().public.raw) for node in nodes]
    addresses = [f"{name}@127.0.0.1:{port}" for name, port in zip(ids, ports, strict=True)]
    homes = []
    for number, node in enumerate(nodes, 1):
        place = folder / str(number)
        place.mkdir(parents=True)
        sockets = open_sockets(place)
        stack.callback(close_sockets, sockets)
        config = EngineConfig(
            abci=KVSTORE if kind == KVSTORE else sockets.abci,
            rpc=sockets.rpc,
            listen=f"127.0.0.1:{ports[number - 1]}",
            peers=tuple(each for each in addresses if each != addresses[number - 1]),
            moniker=f"bench-{number}",
        )
        write_engine_home(
            place / "engine",
            node.genesis,
            b"",
            node.validator_key(),
            node.node_key(),
            config,
            application_protocol=0,
        )
        file = place / "engine" / CONFIG / CONFIG_FILE
        file.write_text(adapt_config(tuning, file.read_text(encoding="utf-8")), encoding="utf-8")
        homes.append(_Home(place, sockets))
    return homes


def _start_applications(
    homes: Sequence[_Home], kind: str, stack: contextlib.ExitStack
) -> "list[subprocess.Popen[bytes]]":
    """One process with the empty application for each engine; none for kvstore."""
    if kind == KVSTORE:
        return []
    return [
        start_process(
            [sys.executable, "-m", "hansa.cli.bench.empty_node", str(home.sockets.abci)],
            home.folder / "node.log",
            stack,
        )
        for home in homes
    ]


def _start_engine(binary: Path, home: _Home, stack: contextlib.ExitStack) -> EngineProcess:
    engine = EngineProcess(
        binary, home.folder / "engine", home.folder / "engine.log", rpc=home.sockets.rpc
    )
    stack.callback(engine.stop)
    engine.start()
    return engine


def start_process(
    command: Sequence[str],
    log: Path,
    stack: contextlib.ExitStack,
    environment: dict[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """A child whose end is on the stack: asked as Ctrl-C does, then killed.

    Its standard input is a pipe of ours, which closes when we die (`lifeline.py`).
    """
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603  (our own interpreter)
            list(command),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env={**os.environ, LIFELINE: "1", **(environment or {})},
            start_new_session=True,
        )
    stack.callback(_end_process, child)
    return child


def _end_process(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def wait_ready(clients: Sequence[RpcClient], logs: Sequence[Path]) -> None:
    """Until every engine takes transactions and sees all others. Raises BenchFault."""
    end = time.monotonic() + READY_S
    for client, log in zip(clients, logs, strict=True):
        while not _is_ready(client, len(clients) - 1):
            if time.monotonic() > end:
                raise BenchFault(
                    f"an engine did not get ready in {READY_S:.0f} s: {_read_end(log)}",
                    "see that the machine is not overloaded, and run it again",
                )
            time.sleep(0.05)


def _is_ready(client: RpcClient, peers: int) -> bool:
    try:
        status: Any = client.status()
        return not status.catching_up and len(client.net_info()) >= peers
    except (EngineUnreachable, RpcError):
        return False


def _read_end(log: Path) -> str:
    """The last lines of a log, or that there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it wrote no log"
    return " | ".join(lines[-3:])[-600:] or "its log is empty"
