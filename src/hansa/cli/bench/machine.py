"""The machine that a measurement ran on, its load, and the processor time of processes. Linux.

Reads /proc; starts `cometbft version` and nothing else.
"""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from hansa import __version__

LIBRARIES: Final = ("cryptography", "msgspec", "protobuf", "py-ed25519-zebra-bindings", "rocksdict")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 1 << 20


class Machine(msgspec.Struct, frozen=True):
    """Where a measurement ran. `memory_mib` is the machine's, not what was used."""

    processor: str
    cores: int
    memory_mib: int
    system: str
    disk: str


class Load(msgspec.Struct, frozen=True):
    """Load averages of 1, 5 and 15 minutes: how many wanted to run."""

    one: float
    five: float
    fifteen: float


class Usage(msgspec.Struct, frozen=True):
    """What processes have used so far: processor seconds, bytes given to storage, memory in MiB."""

    cpu_s: float
    written: int
    memory_mib: float


def describe_machine(folder: Path) -> Machine:
    """This machine, and the file system under `folder`."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return Machine(
        processor=names[0] if names else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        disk=_find_file_system(folder),
    )


def read_load() -> Load:
    """The load averages now."""
    return Load(*(round(each, 2) for each in os.getloadavg()))


def list_versions(engine: str) -> dict[str, str]:
    """Versions of everything that a figure depends on. `engine`: what CometBFT says of itself."""
    found = {"hansa": __version__, "python": platform.python_version(), "cometbft": engine}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "-"
    return found


def measure_usage(processes: Iterable[int]) -> Usage:
    """What these processes have used since they began; one that has ended counts for nothing."""
    cpu, written, memory = 0.0, 0, 0.0
    for pid in processes:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            lines = Path(f"/proc/{pid}/io").read_text().splitlines()
        except OSError:
            continue
        cpu += (int(fields[11]) + int(fields[12])) / _TICKS
        memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / _MIB
        written += sum(int(x.split()[1]) for x in lines if x.startswith("write_bytes"))
    return Usage(cpu, written, memory)


def measure_busy() -> float:
    """Processor seconds of everything on this machine since it began."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    _user, _nice, _system, idle, waiting, *_rest = ticks = [int(field) for field in fields]
    return (sum(ticks) - idle - waiting) / _TICKS


def find_children(pid: int) -> list[int]:
    """Processes that `pid` has started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it has ended while we looked
        if int(parent) == pid:
            found.append(int(path.parent.name))
    return found


def _find_file_system(folder: Path) -> str:
    """Kind of the file system that holds `folder`."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
        _device, place, name, *_rest = line.split()
        inside = place == "/" or str(folder.resolve()).startswith((place + "/", place + "\0"))
        if inside and len(place) >= len(best):
            best, kind = place, name
    return kind
