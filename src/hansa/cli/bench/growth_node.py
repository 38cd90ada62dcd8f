"""The processes of `hansa bench growth`: `python -m hansa.cli.bench.growth_node WAY JOB`.

`stages`: a node's work on invoices, stage by stage, as `hansa bench stages` counts it. `start`:
opens a node until it has proved a record; `load` goes on under load until it is killed.
"""

import itertools
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from hansa.catalog import build_registry
from hansa.cli.bench.embedded_node import Sent
from hansa.cli.bench.stages import Clock, LoneNode, StageFigures, measure_blocks
from hansa.cli.lifeline import follow_parent
from hansa.node.faults import PoolFull
from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs

# Looked up and proved, to say that the node answers.
_NEVER: Final = b"e_invoice/invoice/NEVER"
_PAUSE_S: Final = 0.05


class Job(msgspec.Struct, frozen=True):
    """`home`: its folder; `sent`: files of prepared transactions, by messages in each; `block`:
    transactions of a block, by messages in each.
    """

    home: str
    sent: dict[int, str]
    block: dict[int, int]


class Worked(msgspec.Struct, frozen=True):
    """`open_s`: until the storage was open. Memory is the peak."""

    open_s: float
    figures: tuple[StageFigures, ...]
    memory_mib: float


class Started(msgspec.Struct, frozen=True):
    """`open_s`: from `open` to the first proof."""

    open_s: float
    memory_mib: float


def measure_memory() -> float:
    """Peak of this process, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work_stages(job: Job) -> Worked:
    """Every kind of transaction through every stage."""
    home = Path(job.home)
    prepared = {
        messages: msgspec.msgpack.decode(Path(file).read_bytes(), type=Sent)
        for messages, file in job.sent.items()
    }
    with ExitStack() as stack:
        begin = time.perf_counter()
        node = LoneNode(home, home.with_name("index.sqlite"), stack)
        open_s = time.perf_counter() - begin
        opening = next(iter(prepared.values())).open
        node.check(Clock(), [opening])
        node.decide(Clock(), [opening])
        figures = []
        for messages, sent in prepared.items():
            size = job.block[messages]
            blocks = [sent.heavy[at : at + size] for at in range(0, len(sent.heavy), size)]
            figures.append(measure_blocks(node, messages, blocks, 0.0))
        return Worked(open_s, tuple(figures), measure_memory())


def start_node(job: Job, *, load: bool) -> None:
    """Open, prove that a record is absent, say so; then end, or work until killed."""
    begin = time.perf_counter()
    with LedgerNode.open(Path(job.home), build_registry()) as node:
        node.prove(_NEVER)
        started = Started(time.perf_counter() - begin, measure_memory())
        sys.stdout.buffer.write(msgspec.json.encode(started) + b"\n")
        sys.stdout.flush()
        if not load:
            return
        file = next(iter(job.sent.values()))
        sent = msgspec.msgpack.decode(Path(file).read_bytes(), type=Sent)
        node.wait(node.submit(sent.open), 60)
        for each in itertools.cycle(sent.heavy):
            try:
                node.submit(each)
            except PoolFull:
                time.sleep(_PAUSE_S)


def main(arguments: list[str]) -> int:
    """Run one of the ways."""
    way, file = arguments
    follow_parent()
    job = msgspec.json.decode(Path(file).read_bytes(), type=Job)
    with Path(job.home).with_name("node.log").open("a") as log:
        configure_logs(log)
        if way == "stages":
            sys.stdout.buffer.write(msgspec.json.encode(work_stages(job)))
        else:
            start_node(job, load=way == "load")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
