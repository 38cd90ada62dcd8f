"""Hansa's own network under measurement: the nodes of a league, each started as an operator would.

Starts `hansa start` for each node, ends them, and leaves the folder.
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
from typing import Final

import msgspec

from hansa.cli.bench.engine_config import flatten_config
from hansa.cli.bench.load import TIMEOUT_S, Processes
from hansa.cli.bench.machine import find_children
from hansa.cli.bench.peers import READY_S, BenchFault, Network, start_process, wait_ready
from hansa.cli.bench.sampler import Profile
from hansa.cli.network import NodeFolder, list_nodes
from hansa.comet.files import CONFIG, CONFIG_FILE
from hansa.comet.rpc import RpcClient
from hansa.comet.sockets import locate_sockets
from hansa.node.home import ENGINE, ENGINE_LOG, SETTINGS

HANSA: Final = (sys.executable, "-m", "hansa.cli")
SAMPLED: Final = (sys.executable, "-m", "hansa.cli.bench.sampled")
PROFILE: Final = "profile.json"
# Whether a node keeps a read model, as `node.toml` says it.
FOLLOW, LEAVE = "\nfollow = true\n", "\nfollow = false\n"


def make_league(folder: Path, members: Path, validators: int, chain: str) -> None:
    """A league of so many validators, as `hansa init` makes it; of none, one of a single process on
    the embedded engine. Raises BenchFault.
    """
    command = [*HANSA, "init", str(folder), "--members", str(members), "--chain", chain, "--json"]
    if validators:
        command += ["--engine", "comet", "--validators", str(validators), "--ports", "any"]
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        command, env=make_environment(folder), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchFault(f"no league could be made: {done.stderr.strip()[-300:]}", "hansa doctor")


def leave_read_models(league: Path) -> None:
    """Have no node of the league keep a read model. Raises BenchFault."""
    for node in list_nodes(league):
        file = node.folder / SETTINGS
        text = file.read_text(encoding="utf-8")
        without = text.replace(FOLLOW, LEAVE)
        if without == text:
            raise BenchFault(f"{file} says nothing of a read model", "tell us, with this output")
        file.write_text(without, encoding="utf-8")


def make_environment(folder: Path) -> dict[str, str]:
    """The environment of commands in a league of the measurement: trust roots are kept beside it,
    not among this user's.
    """
    return {**os.environ, "HANSA_HOME": str(folder.parent / "user")}


@contextmanager
def open_hansa(league: Path, *, profiled: bool = False) -> Iterator[Network]:
    """All nodes of a league at work. Ends everything and leaves the folder."""
    with contextlib.ExitStack() as stack:
        nodes = list_nodes(league)
        children = [_start_node(league, node, stack, profiled=profiled) for node in nodes]
        gateways = [_wait_for(node, child) for node, child in zip(nodes, children, strict=True)]
        clients = tuple(
            RpcClient(locate_sockets(node.folder).rpc, timeout_s=TIMEOUT_S) for node in nodes
        )
        for client in clients:
            stack.callback(client.close)
        configs = tuple(node.folder / ENGINE / CONFIG / CONFIG_FILE for node in nodes)
        introduce(clients, configs)
        wait_ready(clients, [node.folder / ENGINE_LOG for node in nodes])
        engines = [pid for child in children for pid in find_children(child.pid)]
        if profiled:
            for child in children:
                child.send_signal(signal.SIGUSR1)
        yield Network(
            clients=clients,
            processes=Processes(tuple(engines), tuple(child.pid for child in children)),
            configs=configs,
            gateways=tuple(gateways),
        )


def introduce(clients: Sequence[RpcClient], configs: Sequence[Path]) -> None:
    """Have the engines dial each other now: how soon nodes find each other is not measured."""
    addresses = []
    for client, config in zip(clients, configs, strict=True):
        listen = str(flatten_config(config.read_text(encoding="utf-8"))["p2p.laddr"])
        addresses.append(f"{client.status().node_id}@{listen.removeprefix('tcp://')}")
    for number, client in enumerate(clients[:-1]):
        client.dial(addresses[number + 1 :])


def read_profiles(league: Path) -> list[Profile]:
    """What the samplers of the nodes wrote when they ended."""
    found = []
    for node in list_nodes(league):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            data = (node.folder / PROFILE).read_bytes()
            found.append(msgspec.json.decode(data, type=Profile))
    return found


def _start_node(
    league: Path, node: NodeFolder, stack: contextlib.ExitStack, *, profiled: bool
) -> "subprocess.Popen[bytes]":
    head: Sequence[str] = HANSA
    if profiled:
        head = (*SAMPLED, str(node.folder / PROFILE))
    command = [*head, "start", str(node.folder), "--json"]
    return start_process(command, node.folder / "bench.log", stack, make_environment(league))


def _wait_for(node: NodeFolder, child: "subprocess.Popen[bytes]") -> str:
    """Address of a node once it answers. Raises BenchFault."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        running = node.running()
        if running is not None and running.pid == child.pid:
            return running.url
        if child.poll() is not None:
            break
        time.sleep(0.05)
    tail = (node.folder / "bench.log").read_text(encoding="utf-8", errors="replace")[-400:]
    raise BenchFault(f"node {node.number} did not start: {tail.strip()}", "hansa doctor DIR")
