"""A league of sellers as an operator runs it: `hansa start`, and invoices to send to it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hansa.cli.bench.signing import read_signers
from hansa.cli.bench.workload import Workload, build_plan
from tests.cli.processes import Shell

CHAIN = "soak-test-1"


class Sellers:
    """A folder with a league, and signed invoices that are all different."""

    def __init__(self, folder: Path) -> None:
        self.shell = Shell(folder / "user", folder)
        self.league = folder / "league"
        members = folder / "members.json"
        members.write_bytes(msgspec.json.encode(build_plan()))
        self.shell.ask("init", self.league, "--members", members, "--chain", CHAIN)
        signers = read_signers(self.league)
        self.work = Workload(CHAIN, signers[0], signers[1:])

    @contextmanager
    def started(self) -> Iterator[str]:
        """Its address, until it is stopped as Ctrl-C does."""
        with self.shell.started(self.league) as url:
            yield url


def read_line(text: str) -> str:
    """The address in what `hansa start --json` says first."""
    return str(json.loads(text)["url"])
