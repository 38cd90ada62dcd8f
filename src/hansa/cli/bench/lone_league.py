"""A league of one process for a measurement, and runs of it in children.

Works in the folder that it is given.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from hansa.cli.bench.embedded_node import Job, Ran, Sent
from hansa.cli.bench.peers import BenchFault
from hansa.cli.bench.signing import read_signers
from hansa.cli.bench.subject import make_league
from hansa.cli.bench.workload import Workload, build_plan
from hansa.client.keys import Signer

# On their way at once, as in the networks.
WINDOW: Final = 2_000
WINDOW_MESSAGES: Final = 10_000
_CHILD_S: Final = 900.0

T = TypeVar("T")


class LoneLeague:
    """A league on the embedded engine as it was made, with ledgers at height 0."""

    def __init__(self, folder: Path, chain: str) -> None:
        """Make it, or find it already made in `folder`. Raises BenchFault."""
        self.folder, self.chain = folder, chain
        self.place = folder / "league"
        (folder / "user").mkdir(parents=True, exist_ok=True)
        members = folder / "members.json"
        members.write_bytes(msgspec.json.encode(build_plan()))
        if not self.place.is_dir():
            make_league(self.place, members, 0, chain)
        self.signers: list[Signer] = read_signers(self.place)
        self.keys = {each.kid: each.private.public for each in self.signers}
        self.workload = Workload(chain, self.signers[0], self.signers[1:])
        self.opening = self.workload.open()
        self._count = 0

    def copy(self) -> Path:
        """A home of its own for one run."""
        self._count += 1
        copy = self.folder / f"run-{self._count}" / "home"
        shutil.copytree(self.place, copy)
        return copy

    def prepare(self, name: str, count: int, messages: int) -> tuple[Path, tuple[bytes, ...]]:
        """A file of so many signed transactions, and these."""
        heavy = tuple(self.workload.issue(count, messages))
        file = self.folder / f"{name}.sent"
        file.write_bytes(msgspec.msgpack.encode(Sent(self.opening, heavy)))
        return file, heavy

    def run(
        self, sent: Path, messages: int, *, warm_up_s: float, seconds: float, loop: str,
        index: str = "",
    ) -> Ran:  # fmt: skip
        """One repetition in a process and a home of its own. Raises BenchFault."""
        home = self.copy()
        job = {
            "home": str(home),
            "index": index or f"sqlite:///{home.parent}/index.sqlite",
            "sent": str(sent),
            "warm_up_s": warm_up_s,
            "seconds": seconds,
            "window": max(16, min(WINDOW, WINDOW_MESSAGES // messages)),
            "loop": loop,
        }
        file = home.with_name("job.json")
        file.write_bytes(msgspec.json.encode(msgspec.convert(job, Job)))
        try:
            return ask_child("hansa.cli.bench.embedded_node", [str(file)], Ran)
        finally:
            shutil.rmtree(home.parent, ignore_errors=True)


def ask_child(module: str, arguments: Sequence[str], kind: type[T]) -> T:
    """What a process of ours, `python -m module`, prints as one document. Raises BenchFault."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        command, capture_output=True, env=dict(os.environ), timeout=_CHILD_S, check=False
    )
    if done.returncode:
        told = done.stderr.decode(errors="replace")[-400:]
        raise BenchFault(
            f"a process ended with {done.returncode}: {told}",
            "see that the machine is not overloaded, and run it again",
        )
    return msgspec.json.decode(done.stdout, type=kind)
