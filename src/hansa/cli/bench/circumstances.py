"""What every document of measurements begins with: command, time, machine, versions, load.

Reads the machine and the clock; writes nothing.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from hansa.cli.bench.machine import Load, Machine, describe_machine, list_versions, read_load
from hansa.comet.install import ENGINE


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """Of which run a document is. `command` repeats it."""

    command: str
    began: str
    took_s: float
    machine: Machine
    versions: dict[str, str]
    load_before: Load
    load_after: Load


class Beginning:
    """The moment at which a run began."""

    def __init__(self) -> None:
        self._began, self._started, self._load = datetime.now(UTC), time.monotonic(), read_load()

    @property
    def took_s(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._started

    def end(self, folder: Path, command: str, engine: str = ENGINE) -> dict[str, Any]:
        """The fields of `Circumstances`, of a run that worked in `folder` and ends now."""
        return {
            "command": command,
            "began": self._began.isoformat(timespec="seconds"),
            "took_s": round(self.took_s, 1),
            "machine": describe_machine(folder),
            "versions": list_versions(engine),
            "load_before": self._load,
            "load_after": read_load(),
        }


def list_circumstances(found: Circumstances) -> Iterator[str]:
    """For people."""
    machine, before, after = found.machine, found.load_before, found.load_after
    yield found.command
    yield (
        f"{machine.processor}, {machine.cores} cores, {machine.memory_mib // 1024} GiB, "
        f"{machine.system}, {machine.disk}; {found.began}, {found.took_s:.0f} s"
    )
    yield ", ".join(f"{name} {text}" for name, text in found.versions.items())
    yield f"load average before {before.one} {before.five}, after {after.one} {after.five}"
