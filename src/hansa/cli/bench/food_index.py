"""A read model of so many events, filled block by block, and what it takes to ask it.

Writes to the database that it is given, which must be empty.
"""

import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from hansa.appkit.walk import Snapshot
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.trace.label import build_label
from hansa.apps.food_trace.trace.origins import build_trace_back
from hansa.apps.food_trace.trace.recall import build_recall
from hansa.catalog import load_applications
from hansa.cli.bench.figures import Percentiles, compute_median, compute_percentiles
from hansa.cli.bench.food_records import APP, FoodRecords
from hansa.cli.bench.food_report import Filled, Question
from hansa.cli.demo.food.chain import FoodChain
from hansa.cli.demo.food.firms import PROVINCE
from hansa.index.shape import Shape
from hansa.index.sight import STRANGER
from hansa.index.store import Index
from hansa.index.walk import open_snapshot
from hansa.ledger.blocks import Change
from hansa.ledger.receipts import MessageResult, TransactionResult

CHAIN: Final = "bench-food"
SEED: Final = 1
# An event each twenty seconds: a million are some eight months of a province.
STEP_MS: Final = 20_000
BLOCK_EVENTS: Final = 500
BLOCKS_AT_ONCE: Final = 10
TABLES: Final = ("events", "event_items", "links", "stays", "items", "readings")
_MIB: Final = 1 << 20
Tell = Callable[[str], None]
# What is asked: an answer, how many things it found, how many lines it has, whether it was cut.
Ask = Callable[[Snapshot, str], tuple[Any, int, int, bool]]


class _NoResults:
    """A block whose transactions nobody asks for."""

    results: Sequence[TransactionResult] = ()
    deadlines: Sequence[MessageResult] = ()


class _Block:
    """A block as the read model follows it: changes only."""

    def __init__(self, height: int, time_ms: int, changes: Sequence[Change]) -> None:
        self.height, self.time_ms, self.changes = height, time_ms, changes
        self.hash = height.to_bytes(32, "big")
        self.transactions: Sequence[bytes] = ()
        self.results = _NoResults()


class FoodModel:
    """The read model and the food chain in it."""

    def __init__(self, url: str) -> None:
        self.food = FoodChain(SEED, PROVINCE, step_ms=STEP_MS)
        self._url = url
        self.index = Index.open(url, Shape(load_applications()), CHAIN)

    def close(self) -> None:
        """Let go of the database."""
        self.index.close()

    def fill(self, events: int, tell: Tell) -> Filled:
        """Events and all that follows from them, as blocks."""
        began, cpu = time.monotonic(), time.process_time()
        members = {firm.name: _make_did(firm.prefix) for firm in self.food.firms}
        records = FoodRecords(members)
        self.index.apply((), ())
        blocks = self._make_blocks(records, events)
        while batch := list(islice(blocks, BLOCKS_AT_ONCE)):
            self.index.apply(batch)
            if records.events % 100_000 == 0:
                tell(f"{records.events:,} of {events:,} events in the read model")
        took, used = time.monotonic() - began, time.process_time() - cpu
        del records, blocks
        gc.collect()  # what filling left behind is not the answers' to clear away
        rows = self._count_rows()
        return Filled(
            database=self._describe(),
            events=rows["events"],
            items=rows["items"],
            rows=rows,
            size_mib=self._measure_size(),
            took_s=took,
            cpu_s=used,
        )

    def _make_blocks(self, records: FoodRecords, events: int) -> Iterator[_Block]:
        running = self.food.run(events)
        height = 0
        while part := list(islice(running, BLOCK_EVENTS)):
            height += 1
            time_ms = part[-1].time_ms + 1
            for captured in part:
                records.add(captured, height, time_ms)
            yield _Block(height, time_ms, records.take())

    def _count_rows(self) -> dict[str, int]:
        tables = self.index.tables.projections
        with self.index.reading() as connection:
            return {
                name: int(
                    connection.execute(
                        select(func.count()).select_from(tables[(APP, name)])
                    ).scalar_one()
                )
                for name in TABLES
            }

    def _describe(self) -> str:
        with self.index.reading() as connection:
            version = connection.dialect.server_version_info or ()
            return f"{connection.dialect.name} {'.'.join(map(str, version))}"

    def _measure_size(self) -> float | None:
        parsed = make_url(self._url)
        if parsed.drivername != "sqlite":
            return None
        return Path(parsed.database or "").stat().st_size / _MIB

    def ask(self, times: int, tell: Tell) -> tuple[Question, ...]:
        """Every kind of question, `times` times each."""
        draw = random.Random(SEED)  # noqa: S311  (which items are asked for)
        lots = sorted(self.food.made_of)
        used: dict[str, int] = {}
        for inputs in self.food.made_of.values():
            for each in inputs:
                used[each] = used.get(each, 0) + 1
        largest = sorted(used, key=lambda lot: (-used[lot], lot))[:times]
        chosen = draw.sample(lots, min(times, len(lots)))
        units = draw.sample(sorted(self.food.packed), min(times, len(self.food.packed)))
        ingredients = draw.sample(sorted(used), min(times, len(used)))
        plan: list[tuple[str, Ask, Sequence[str]]] = [
            ("recall of any lot that went into others", _recall, ingredients),
            ("recall of the lots that went into most", _recall, largest),
            ("trace-back of any lot", _trace_back, chosen),
            ("trace-back of any unit", _trace_back, units),
            ("label of any lot", _label, chosen),
        ]
        found = []
        for name, ask, names in plan:
            tell(name)
            found.append(self._measure(name, ask, [element_of(each) for each in names]))
        return tuple(found)

    def _measure(self, name: str, ask: Ask, items: Sequence[str]) -> Question:
        wall, cpu, sizes, lines, lengths, cut = [], [], [], [], [], 0
        for item in items:
            began, used = time.perf_counter(), time.process_time()
            with open_snapshot(self.index, APP, STRANGER) as snapshot:
                answer, size, count, is_cut = ask(snapshot, item)
            length = len(msgspec.json.encode(answer))
            wall.append(time.perf_counter() - began)
            cpu.append(time.process_time() - used)
            sizes.append(size)
            lines.append(count)
            lengths.append(length)
            cut += is_cut
        return Question(
            name=name,
            wall=_reduce(wall),
            cpu=_reduce(cpu),
            found_median=int(compute_median(sizes)),
            found_most=max(sizes),
            lines_median=int(compute_median(lines)),
            lines_most=max(lines),
            bytes_most=max(lengths),
            cut=cut,
        )


def _reduce(times: Sequence[float]) -> Percentiles:
    return compute_percentiles(times) or Percentiles(0, 0.0, 0.0, 0.0, 0.0)


def _recall(snapshot: Snapshot, item: str) -> tuple[Any, int, int, bool]:
    found = build_recall(snapshot, [item])
    return found, len(found.affected), len(found.holdings), bool(found.cut)


def _trace_back(snapshot: Snapshot, item: str) -> tuple[Any, int, int, bool]:
    found = build_trace_back(snapshot, [item])
    return found, len(found.ancestors), len(found.origins), bool(found.cut)


def _label(snapshot: Snapshot, item: str) -> tuple[Any, int, int, bool]:
    found = build_label(snapshot, item)
    return found, len(found.origins), len(found.path), bool(found.cut)


def _make_did(prefix: str) -> str:
    """A DID as long as a real one, that nobody has."""
    return "did:hansa:" + f"bench{prefix}".ljust(32, "a")
