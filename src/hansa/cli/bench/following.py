"""`hansa bench index`: the read model's follower beside a node's load, on each database (B11).

Each repetition is a process, a ledger and a database of its own.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from hansa.cli.bench.embedded import count_transactions
from hansa.cli.bench.embedded_node import Lag, Ran
from hansa.cli.bench.figures import (
    compute_median,
    compute_percentiles,
    divide,
    spread_of,
)
from hansa.cli.bench.lone_league import LoneLeague
from hansa.cli.bench.peers import BenchFault
from hansa.cli.bench.postgres import make_database, open_postgres
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import Figure, Session, Sheet

CHAIN: Final = "bench-index"
SQLITE: Final = "SQLite"
POSTGRES: Final = "PostgreSQL"
# All but what is on its way at the two edges of the measured time.
KEEP_UP_GOAL: Final = 0.95
# A lag that grows all the time is three times as large in the second half as in the first.
GROWTH_GOAL: Final = 1.5


class IndexPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. `database`: a PostgreSQL of one's own, which is emptied; "": one is
    started where that can be.
    """

    messages: int = 100
    seconds: float = 5.0
    warm_up_s: float = 2.0
    repeat: int = 3
    database: str = ""


def conduct_index(
    folder: Path, command: str, plan: IndexPlan, tell: Callable[[str], None]
) -> Sheet:
    """Measure. A database that cannot be had is a fault of the report. Raises BenchFault."""
    session = Session("index", "the read model beside a node's load", command)
    tell("keys, genesis, signed transactions")
    league = LoneLeague(folder / "main", CHAIN)
    seconds = plan.warm_up_s + plan.seconds
    count = count_transactions(plan.messages, seconds)
    sent, _heavy = league.prepare("load", count, plan.messages)
    runs: dict[str, list[Ran]] = {SQLITE: [], POSTGRES: []}
    faults: list[str] = []
    with ExitStack() as stack:
        try:
            server = plan.database or stack.enter_context(open_postgres())
        except BenchFault as fault:
            faults.append(str(fault))
            server = ""
        for repetition in range(plan.repeat):
            for name in list(runs)[:: -1 if repetition % 2 else 1]:
                if name == POSTGRES and not server:
                    continue
                tell(f"repetition {repetition + 1} of {plan.repeat}: {name}")
                url = make_database(server, f"b{repetition}") if name == POSTGRES else ""
                runs[name].append(
                    league.run(
                        sent,
                        plan.messages,
                        warm_up_s=plan.warm_up_s,
                        seconds=plan.seconds,
                        loop="committed",
                        index=url,
                    )
                )
    found = {name: each for name, each in runs.items() if each}
    figures = [
        figure for name, each in found.items() for figure in reduce_database(name, each, plan)
    ]
    return session.close(
        folder,
        repeat=plan.repeat,
        warm_up_s=plan.warm_up_s,
        configuration={
            "load": f"{plan.messages} messages a transaction, as fast as the node commits them",
            "read model": "in the node's process",
            "PostgreSQL": "as given" if plan.database else "on this machine, fsync off",
            "seconds": plan.seconds,
        },
        figures=figures,
        ratios=[ratio for name, each in found.items() for ratio in judge_database(name, each)],
        faults=faults,
    )


def reduce_database(name: str, runs: Sequence[Ran], plan: IndexPlan) -> list[Figure]:
    """Rates of both, and the lag: its median of each run, all that was seen as its times."""
    indexed = [run.indexed_per_s * plan.messages for run in runs]
    committed = [run.committed_per_s * plan.messages for run in runs]
    lags = [each for run in runs for each in run.lags]
    return [
        Figure(
            name=f"{name}, committed",
            unit="messages/s",
            spread=spread_of(committed),
            notes={
                "pool full": sum(run.full for run in runs),
                "ran out": any(run.exhausted for run in runs),
            },
        ),
        Figure(
            name=f"{name}, read model",
            unit="messages/s",
            spread=spread_of(indexed),
            notes={"peak MiB": round(max(run.memory_mib for run in runs))},
        ),
        Figure(
            name=f"{name}, lag",
            unit="ms",
            spread=spread_of([compute_median([e.seconds for e in r.lags]) * 1000 for r in runs]),
            times=compute_percentiles([each.seconds for each in lags]),
            notes={
                "most messages": max(each.transactions for each in lags) * plan.messages,
                "all taken over after s": round(max(run.drained_s for run in runs), 2),
            },
        ),
    ]


def judge_database(name: str, runs: Sequence[Ran]) -> list[Ratio]:
    """Whether it keeps up, and whether its lag stays where it is."""
    kept = [run.indexed_per_s / run.committed_per_s for run in runs if run.committed_per_s]
    grown = [each for each in (compute_growth(run.lags) for run in runs) if each is not None]
    return [
        Ratio(
            row="B11",
            name=f"{name}: read model over committed",
            ratio=compute_median(kept) if kept else None,
            goal=KEEP_UP_GOAL,
        ),
        Ratio(
            row="B11",
            name=f"{name}: lag of the second half over the first",
            ratio=compute_median(grown) if grown else None,
            goal=GROWTH_GOAL,
            at_most=True,
        ),
    ]


def compute_growth(lags: Sequence[Lag]) -> float | None:
    """Mean lag of the second half of a run over that of the first."""
    half = len(lags) // 2
    first, second = (
        sum(each.seconds for each in part) / len(part) if part else 0.0
        for part in (lags[:half], lags[half:])
    )
    return divide(second, first)
