"""Somebody who joins a league under test, by the commands that people use, in an own home."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hansa.contracts.governance.model import Vote
from tests.network.league import LATER, NetworkLeague
from tests.network.nodes import NodeProcess


class Newcomer:
    """An institution with a folder, trust roots and keys of its own, and one node of `number`."""

    def __init__(self, league: NetworkLeague, number: int, key: str = "") -> None:
        """`key`: name of the league's member that it is; else it has yet to become one."""
        self.league = league
        self.folder = league.folder.parent / f"newcomer-{number}"
        self.folder.mkdir()
        self.environment = {**league.environment, "HANSA_HOME": str(self.folder / "user")}
        self.node = NodeProcess(number, self.folder / "node", self.environment)
        # From now on the league ends it, whatever happens.
        league.nodes[number] = self.node
        self.key = str(league.folder / "keys" / f"{key}.key.json") if key else "own"

    def run(self, *arguments: object, expect: int = 0) -> tuple[Any, str]:
        """A command of hansa with --json: its document, and what it said beside it."""
        done = subprocess.run(
            [sys.executable, "-m", "hansa.cli", *map(str, arguments), "--json"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == expect, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else None, done.stderr

    @property
    def invite(self) -> Path:
        """An invitation, as a member of the league wrote it."""
        path = self.folder / "invite.json"
        if not path.exists():
            self.league.run("invite", "--league", self.league.folder, "-o", path)
        return path

    def join(self, *options: object, expect: int = 2) -> tuple[Any, str]:
        """`hansa join`: its document, and what it said beside it."""
        return self.run(
            "join", self.invite, self.node.folder, "--as", self.key, *options, expect=expect
        )

    def enter(self, *options: object) -> dict[str, Any]:
        """Ask, be voted in, start, follow (and vote); the last document."""
        asked, _said = self.join(*options)
        assert asked["stage"] == "vote", asked
        again, _said = self.join(*options)
        assert again["proposal"] == asked["proposal"], "asked once, however often it is run"
        vote_for(self.league, asked["proposal"])
        admitted, _said = self.join(*options)
        assert admitted["stage"] == "start", admitted
        self.node.start()
        return dict(self.join(*options, "--wait", 120, expect=0)[0])


def vote_for(league: NetworkLeague, proposal: int) -> None:
    """All members say yes, until it is decided."""
    for voter in league.trade.signers.values():
        vote = Vote(proposal=proposal, choice="yes")
        later = league.height() + LATER
        codes = league.commit(league.trade.sign(voter, "governance", vote, expiry=later))
        if codes == ["governance.voting_closed"]:
            return
        assert codes in (["ok"], ["governance.already_voted"]), codes


def read_status(node: NodeProcess) -> dict[str, Any]:
    """`GET /v1/status`."""
    with node.gateway() as gateway:
        return dict(gateway._ask("GET", "/v1/status"))
