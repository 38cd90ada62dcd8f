"""The nodes of a league in its folder: `nodes/1..N`, who runs, and where each answers. Reads only.

A league on the embedded engine has no such folder: it is its own home.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hansa.client.faults import ClientError
from hansa.node.running import NODES, RUNNING, Running, read_running

GENESIS: Final = "genesis.json"


class NetworkError(ClientError):
    """There is no such node, or it does not run."""

    CODE = "cli.node"


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """One node's home in a league's folder."""

    number: int
    folder: Path

    def holder(self) -> int | None:
        """Process that runs it (0: unknown), None when it does not run."""
        from hansa.node.lock import find_holder

        return find_holder(self.folder)

    def running(self) -> Running | None:
        """What its `running.json` says, whether it still runs or not; None without a whole one."""
        return read_running(self.folder / RUNNING)


def is_network(league: Path) -> bool:
    """Whether a league's folder holds nodes of its own."""
    return (league / NODES).is_dir()


def list_nodes(league: Path) -> list[NodeFolder]:
    """The nodes of a league's folder by number; empty for an embedded league."""
    folder = league / NODES
    try:
        names = [each.name for each in folder.iterdir()]
    except OSError:
        return []
    numbers = sorted({int(name) for name in names if name.isascii() and name.isdecimal()})
    found = (NodeFolder(number, folder / str(number)) for number in numbers)
    return [node for node in found if (node.folder / GENESIS).is_file()]


def find_league_of(home: Path) -> tuple[Path, int] | None:
    """League's folder and number of a node home that lies in one; None for any other folder."""
    home = home.absolute()
    if home.parent.name != NODES or not home.name.isdecimal():
        return None
    league = home.parent.parent
    return (league, int(home.name)) if (league / GENESIS).is_file() else None


def find_node(league: Path, number: int) -> NodeFolder:
    """Node `number` of a league. Raises NetworkError with the choice."""
    nodes = list_nodes(league)
    if not nodes:
        raise NetworkError(
            f"the league in {league} has one node, and it has no number", "leave --node out"
        )
    for node in nodes:
        if node.number == number:
            return node
    raise NetworkError(
        f"the league in {league} has no node {number}", f"give --node {format_numbers(nodes)}"
    )


def locate_node(league: Path, number: int) -> str:
    """Address at which node `number` answers. Raises NetworkError with the next step."""
    node = find_node(league, number)
    holder = node.holder()
    if holder is None:
        others = [each for each in list_nodes(league) if each.holder() is not None]
        other = f", or ask another: --node {others[0].number}" if others else ""
        raise NetworkError(
            f"node {number} of {league} does not run",
            f"hansa start {shlex.quote(str(node.folder))}{other}",
        )
    return _read_url(league, node, holder)


def locate_first(league: Path) -> str:
    """Address of the first node that runs. Raises NetworkError with the next step."""
    nodes = list_nodes(league)
    spoiled = None
    for node in nodes:
        holder = node.holder()
        if holder is None:
            continue
        if node.running() is not None:
            return _read_url(league, node, holder)
        spoiled = spoiled or (node, holder)
    if spoiled is not None:
        return _read_url(league, *spoiled)
    text = f"none of the {len(nodes)} nodes in {league} runs"
    raise NetworkError(text, f"hansa start {shlex.quote(str(league))}")


def _read_url(league: Path, node: NodeFolder, holder: int) -> str:
    running = node.running()
    if running is not None:
        return running.url
    who = f"process {holder}" if holder else "a process of yours"
    kill = f"kill {holder}" if holder else "stop it"
    raise NetworkError(
        f"node {node.number} of {league} runs ({who}), but {node.folder / RUNNING} does not say "
        "where it answers",
        f"when it has just been started, ask again; else {kill} and start it anew",
    )


def format_numbers(nodes: list[NodeFolder]) -> str:
    """`1, 2, 3 or 4`."""
    words = [str(node.number) for node in nodes]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
