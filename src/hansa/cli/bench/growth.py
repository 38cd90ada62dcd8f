"""`hansa bench growth`: a node on ten million records beside one on ten thousand (B6).

Works in the folder of the homes, which stay there: they take long to make and serve again.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from hansa.cli.bench.figures import divide, spread_of
from hansa.cli.bench.growing import make_home
from hansa.cli.bench.growth_node import Job, Started, Worked
from hansa.cli.bench.lone_league import LoneLeague, ask_child
from hansa.cli.bench.peers import BenchFault
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import Figure, Session, Sheet
from hansa.node.logs import configure_logs

CHAIN: Final = "bench-growth"
MODULE: Final = "hansa.cli.bench.growth_node"
STAGES_GOAL: Final = 0.6
MEMORY_GOAL_MIB: Final = 1_024.0
# How long a node works before it is killed.
LOADED_S: Final = 1.5
STOPPED, KILLED = "start after a stop", "start after a kill"

Tell = Callable[[str], None]


class GrowthPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`records`: of each home, ascending. `blocks`: (messages, transactions of a block, blocks) of
    each kind, the first block of which is not counted.
    """

    records: tuple[int, ...] = (10_000, 10_000_000)
    blocks: tuple[tuple[int, int, int], ...] = ((1, 400, 5), (100, 20, 4))
    repeat: int = 3


class Grown(msgspec.Struct):
    """What was seen of one home. `killed_mib`: peak of a node under load when it was killed."""

    worked: list[Worked] = []
    killed_mib: list[float] = []
    starts: dict[str, list[Started]] = {}


def fill_homes(homes: Path, records: Sequence[int], tell: Tell) -> LoneLeague:
    """The league of these homes; those that are missing are made. Raises BenchFault."""
    league = LoneLeague(homes, CHAIN)
    with (homes / "node.log").open("a") as log:
        configure_logs(log)
        try:
            for count in records:
                folder = name_home(homes, count)
                if not folder.is_dir():
                    tell(f"a home with {count:,} records, in {folder}")
                    make_home(league, folder, count, tell)
        finally:
            configure_logs()  # nothing writes to what is closed
    return league


def list_homes(homes: Path) -> list[int]:
    """Records of the homes that are there, ascending."""
    names = (path.name.removeprefix("home-") for path in homes.glob("home-*"))
    return sorted(int(name) for name in names if name.isdigit())


def name_home(homes: Path, records: int) -> Path:
    """Where the home with so many records is kept."""
    return homes / f"home-{records}"


def conduct_growth(homes: Path, command: str, plan: GrowthPlan, tell: Tell) -> Sheet:
    """Measure. Raises BenchFault."""
    session = Session("growth", "a node on many records beside one on few", command)
    league = fill_homes(homes, plan.records, tell)
    tell("signed transactions")
    sent = {
        messages: str(league.prepare(f"growth-{messages}", count * blocks, messages)[0])
        for messages, count, blocks in plan.blocks
    }
    found = {count: Grown() for count in plan.records}
    for repetition in range(plan.repeat):
        for count in plan.records[:: -1 if repetition % 2 else 1]:
            tell(f"repetition {repetition + 1} of {plan.repeat}: {count:,} records")
            measure_home(name_home(homes, count), sent, plan, found[count])
    few, many = found[plan.records[0]], found[plan.records[-1]]
    return session.close(
        homes,
        repeat=plan.repeat,
        warm_up_s=0,
        configuration={
            "records": " and ".join(f"{count:,}" for count in plan.records),
            "bytes of a home": ", ".join(
                f"{measure_folder(name_home(homes, count)):,}" for count in plan.records
            ),
            "stages": "microseconds of processor from door to read model, one thread",
            "start": "from opening to the first proof, a fresh process, files in the page cache",
            "read model": "begins empty on both",
        },
        figures=[each for count, grown in found.items() for each in reduce_home(count, grown)],
        ratios=build_ratios(few, many, plan),
    )


def measure_home(home: Path, sent: dict[int, str], plan: GrowthPlan, found: Grown) -> None:
    """Stages; then a start after a stop, load, a kill, a start after it. Raises BenchFault."""
    block = {messages: count for messages, count, _blocks in plan.blocks}
    with copied(home, sent, block) as job:
        found.worked.append(ask_child(MODULE, ["stages", str(job)], Worked))
    with copied(home, sent, block) as job:
        started, peak = kill_under_load(job)
        found.killed_mib.append(peak)
        found.starts.setdefault(STOPPED, []).append(started)
        started = ask_child(MODULE, ["start", str(job)], Started)
        found.starts.setdefault(KILLED, []).append(started)


@contextmanager
def copied(home: Path, sent: dict[int, str], block: dict[int, int]) -> Iterator[Path]:
    """The file of a job on a copy of a home, which goes with it.

    Sorted files are never written again: the copy shares them.
    """
    place = home.with_name("run")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(home, place / "home", copy_function=_link_or_copy)
    job = place / "job.json"
    job.write_bytes(msgspec.json.encode(Job(str(place / "home"), sent, block)))
    try:
        yield job
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith(".sst"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def kill_under_load(job: Path) -> tuple[Started, float]:
    """Start a node, let it work, kill it: its start, its peak memory in MiB. Raises BenchFault."""
    command = [sys.executable, "-m", MODULE, "load", str(job)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:  # noqa: S603  (our own)
        try:
            line = child.stdout.readline() if child.stdout is not None else b""
            if not line:
                raise BenchFault("a node did not start", "see that the machine has memory")
            time.sleep(LOADED_S)
            lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
            peak = next((line for line in lines if line.startswith("VmHWM")), "VmHWM: 0")
        finally:
            child.send_signal(signal.SIGKILL)
    return msgspec.json.decode(line, type=Started), int(peak.split()[1]) / 1024


def measure_folder(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _list_totals(grown: Grown, messages: int) -> list[float]:
    """Microseconds of processor a message in all stages, of each run."""
    return [
        each.total_us / each.messages
        for worked in grown.worked
        for each in worked.figures
        if each.messages == messages
    ]


def _list_kinds(grown: Grown) -> list[int]:
    return [each.messages for each in grown.worked[0].figures]


def reduce_home(count: int, grown: Grown) -> list[Figure]:
    """Stages, starts and memory of one home."""
    figures = []
    for messages in _list_kinds(grown):
        last = next(f for f in grown.worked[-1].figures if f.messages == messages)
        figures.append(
            Figure(
                name=f"{count:,} records, {messages} a transaction",
                unit="us a message",
                spread=spread_of(_list_totals(grown, messages)),
                notes={name: round(us / messages, 1) for name, us in last.stages.items()},
            )
        )
    for name, starts in grown.starts.items():
        figures.append(
            Figure(
                name=f"{count:,} records, {name}",
                unit="s",
                spread=spread_of([each.open_s for each in starts]),
                notes={"peak MiB": round(max(each.memory_mib for each in starts))},
            )
        )
    peaks = [
        max(worked.memory_mib, killed)
        for worked, killed in zip(grown.worked, grown.killed_mib, strict=True)
    ]
    figures.append(
        Figure(name=f"{count:,} records, peak memory", unit="MiB", spread=spread_of(peaks))
    )
    return figures


def build_ratios(few: Grown, many: Grown, plan: GrowthPlan) -> list[Ratio]:
    """Throughput on many over that on few, by processor time; memory on many."""
    counts = f"{plan.records[-1]:,} records over {plan.records[0]:,}"
    ratios = [
        Ratio(
            row="B6",
            name=f"throughput of the stages, {counts}, {messages} a transaction",
            ratio=divide(
                spread_of(_list_totals(few, messages)).median,
                spread_of(_list_totals(many, messages)).median,
            ),
            goal=STAGES_GOAL,
        )
        for messages in _list_kinds(few)
    ]
    peak = max(*(each.memory_mib for each in many.worked), *many.killed_mib)
    return [
        *ratios,
        Ratio(
            row="B6",
            name=f"peak memory, {plan.records[-1]:,} records",
            ratio=peak,
            goal=MEMORY_GOAL_MIB,
            at_most=True,
            unit="MiB",
        ),
    ]
