"""`hansa start LEAGUE` where the league has several nodes: all of them on this machine, watched.

Prints a table when they answer, says what ends and begins it again. With --json each line of
standard output is one document; `event` says what happened.
"""

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from hansa.cli.answers import format_table, hint
from hansa.cli.crew import Worker, settle, stop_all
from hansa.cli.neighbourhood import COMET, bring_engine
from hansa.cli.network import NetworkError, NodeFolder, find_node, list_nodes
from hansa.cli.portrait import describe_nodes, name_members
from hansa.cli.start import StartError

# The first start of an engine on a slow machine.
READY_WITHIN_S: Final = 90.0
LOOK_S: Final = 0.1


def supervise(league: Path, only: str | None, *, as_json: bool) -> None:
    """Run the nodes of a league until KeyboardInterrupt. Raises ClientError when none starts."""
    from hansa.node.lock import FolderLock

    nodes = choose_nodes(league, only)
    refuse_second(league)
    if any(is_comet(node) for node in nodes):
        bring_engine()
    lock = FolderLock(league)
    crew = Crew(league, nodes, as_json=as_json)
    try:
        crew.begin()
        crew.watch()
    except KeyboardInterrupt:
        pass  # asked to stop: that is how this command ends
    finally:
        stop_all(crew.workers)
        lock.release()


def choose_nodes(league: Path, only: str | None) -> list[NodeFolder]:
    """The nodes to run: all, or those of `1,3`. Raises NetworkError."""
    nodes = list_nodes(league)
    if not nodes:
        raise StartError(
            f"the league in {league} has a folder for nodes, and none is in it",
            "put the nodes' folders back from a backup, or make a new league: hansa init DIR",
        )
    if only is None:
        return nodes
    words = [word.strip() for word in only.split(",")]
    if not all(word.isascii() and word.isdecimal() for word in words):
        raise NetworkError(f"{only!r} are no numbers of nodes", "write --only 1,3")
    return [find_node(league, number) for number in sorted({int(word) for word in words})]


def is_comet(node: NodeFolder) -> bool:
    """Whether a node needs the consensus engine; a damaged home speaks for itself later."""
    from hansa.node.faults import NodeError
    from hansa.node.home import open_home

    try:
        return open_home(node.folder).settings.engine.kind == COMET
    except NodeError:
        return False


def refuse_second(league: Path) -> None:
    """Raise StartError when another process runs the nodes of this league already."""
    from hansa.node.lock import find_holder

    holder = find_holder(league)
    if holder is not None:
        who = f"process {holder}" if holder else "another process"
        stop = f"kill {holder}" if holder else "Ctrl-C where it runs"
        raise StartError(
            f"{who} runs the nodes of {league} already",
            f"see them: hansa status --league {shlex.quote(str(league))}; stop them: {stop}",
        )


class Crew:
    """The nodes of one league at work, and what is said of them."""

    def __init__(self, league: Path, nodes: list[NodeFolder], *, as_json: bool) -> None:
        self.league = league
        self.workers = [Worker(node) for node in nodes]
        self._as_json = as_json
        described = describe_nodes(league, name_members(league))
        self._members = {each["number"]: each["member"] for each in described}

    def begin(self) -> None:
        """Start all, wait until each answers or has failed. Raises StartError when all failed."""
        for worker in self.workers:
            worker.begin()
        settle(self.workers, READY_WITHIN_S, lambda: time.sleep(LOOK_S))
        if all(worker.state in ("ended", "elsewhere") for worker in self.workers):
            first = self.workers[0]
            raise StartError(
                f"no node has started; node {first.node.number}: {first.reason}",
                f"hansa doctor {shlex.quote(str(self.league))} names what is wrong",
            )
        self._tell_ready()
        for worker in self.workers:
            if worker.state == "elsewhere":
                hint(f"node {worker.node.number} is run by {worker.reason}: left alone")

    def watch(self) -> None:
        """Begin again what ends, for ever."""
        for worker in self.workers:
            if worker.state == "ended":
                self._tell_end(worker)
        while True:
            time.sleep(LOOK_S)
            for worker in self.workers:
                if worker.look():
                    self._tell_change(worker)
                elif worker.is_due():
                    worker.restarts += 1
                    worker.begin()

    def _tell_change(self, worker: Worker) -> None:
        if worker.state == "ready":
            url = worker.running.url if worker.running else ""
            self._say(worker, "node_ready", f"✓ {self._name(worker)} is ready at {url}")
        else:
            self._tell_end(worker)

    def _tell_end(self, worker: Worker) -> None:
        wait_s = max(0, round(worker.again_at - time.monotonic()))
        text = f"✗ {self._name(worker)} has ended: {worker.reason}; it begins again in {wait_s} s"
        self._say(worker, "node_ended", text)

    def _name(self, worker: Worker) -> str:
        member = self._members.get(worker.node.number, "")
        return f"node {worker.node.number}" + (f" ({member})" if member else "")

    def _say(self, worker: Worker, event: str, text: str) -> None:
        if self._as_json:
            self._put({"event": event, **self._describe(worker), "reason": worker.reason})
        else:
            click.echo(f"{time.strftime('%H:%M:%S')}  {text}")
            sys.stdout.flush()

    def _put(self, document: dict[str, Any]) -> None:
        click.echo(json.dumps(document, ensure_ascii=False))
        sys.stdout.flush()

    def _describe(self, worker: Worker) -> dict[str, Any]:
        running = worker.running
        return {
            "number": worker.node.number,
            "member": self._members.get(worker.node.number, ""),
            "state": worker.state,
            "url": running.url if running else "",
            "node": running.node if running else "",
            "p2p": running.p2p if running else "",
            "pid": running.pid if running else worker.pid,
            "restarts": worker.restarts,
        }

    def _tell_ready(self) -> None:
        rows = [self._describe(worker) for worker in self.workers]
        ready = [row for row in rows if row["state"] == "ready"]
        chain = next((each.running.chain for each in self.workers if each.running), "")
        if self._as_json:
            first = next((row["url"] for row in ready), "")
            head = {"event": "ready", "league": str(self.league), "chain": chain}
            self._put({**head, "pid": os.getpid(), "url": first, "nodes": rows})
            return
        folder = shlex.quote(str(self.league))
        click.echo(f"{chain}: {len(ready)} of {len(rows)} nodes are ready")
        cells = [
            [str(row["number"]), row["member"], row["url"] or row["state"], row["p2p"]]
            for row in rows
        ]
        click.echo(format_table(["node", "member", "gateway", "p2p"], cells))
        logs = f"logs: {self.league}/nodes/N/node.log"
        click.echo(f"  {logs}   stop: Ctrl-C   in another terminal: cd {folder}")
        sys.stdout.flush()
