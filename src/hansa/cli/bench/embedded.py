"""`hansa bench embedded`: a node in one process, beside the raw rate of signature checks (B1, B2).

Each repetition is a process and a ledger of its own; works in the folder that it is given.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from hansa.cli.bench.embedded_node import Ran
from hansa.cli.bench.figures import divide, spread_of
from hansa.cli.bench.lone_league import LoneLeague
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import Figure, Session, Sheet
from hansa.cli.bench.signing import measure_check

CHAIN: Final = "bench-embedded"
# More than a node takes in a second: transactions of one message, messages in larger ones.
RATE_MAX: Final = 4_000
MESSAGES_MAX: Final = 9_000
SINGLE_GOAL: Final = 0.5
MANY_GOAL: Final = 3.0
_MICRO: Final = 1e6


class EmbeddedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    messages: tuple[int, ...] = (1, 100)
    seconds: float = 5.0
    warm_up_s: float = 2.0
    repeat: int = 3


def count_transactions(messages: int, seconds: float) -> int:
    """How many to prepare, so that they do not run out."""
    rate = RATE_MAX if messages == 1 else max(40, MESSAGES_MAX // messages)
    return max(40, round(rate * seconds))


def conduct_embedded(
    folder: Path, command: str, plan: EmbeddedPlan, tell: Callable[[str], None]
) -> Sheet:
    """Measure. Raises BenchFault."""
    session = Session("embedded", "a node in one process: door to read model", command)
    tell("keys, genesis, signed transactions")
    league = LoneLeague(folder / "main", CHAIN)
    sent = {
        each: league.prepare(
            str(each), count_transactions(each, plan.warm_up_s + plan.seconds), each
        )
        for each in plan.messages
    }
    runs: dict[int, list[Ran]] = {each: [] for each in plan.messages}
    checks: list[float] = []
    for repetition in range(plan.repeat):
        checks.append(1 / measure_check(sent[plan.messages[0]][1], league.keys))
        # The other way round every second time: none is always the first.
        for messages in plan.messages[:: -1 if repetition % 2 else 1]:
            tell(f"repetition {repetition + 1} of {plan.repeat}: {messages} a transaction")
            runs[messages].append(
                league.run(
                    sent[messages][0],
                    messages,
                    warm_up_s=plan.warm_up_s,
                    seconds=plan.seconds,
                    loop="indexed",
                )
            )
    lengths = {each: len(sent[each][1][0]) for each in plan.messages}
    figures = [
        Figure(name="Ed25519 check, one core", unit="a second", spread=spread_of(checks)),
        *(reduce_runs(each, lengths[each], runs[each]) for each in plan.messages),
    ]
    return session.close(
        folder,
        repeat=plan.repeat,
        warm_up_s=plan.warm_up_s,
        configuration={
            "engine": "embedded",
            "read model": "SQLite, in the same process",
            "counted": "when durable and in the read model",
            "seconds": plan.seconds,
        },
        figures=figures,
        ratios=build_ratios(runs, checks),
        faults=find_faults(runs),
    )


def list_rates(messages: int, runs: Sequence[Ran]) -> list[float]:
    """Messages a second of each run."""
    return [run.indexed_per_s * messages for run in runs]


def reduce_runs(messages: int, length: int, runs: Sequence[Ran]) -> Figure:
    """One kind of transaction over all repetitions; times are of the run in the middle."""
    rates = list_rates(messages, runs)
    refused: Counter[str] = Counter()
    for run in runs:
        refused.update(run.refused)
    middle = sorted(runs, key=lambda run: run.indexed_per_s)[len(runs) // 2]
    return Figure(
        name=f"{messages} a transaction",
        unit="messages/s",
        spread=spread_of(rates),
        times=middle.times,
        notes={
            "bytes": length,
            "us of processor a message": round(middle.cpu_s / messages * _MICRO, 1),
            "transactions a block": round(middle.transactions_per_block, 1),
            "pool full": sum(run.full for run in runs),
            "refused": sum(refused.values()),
            "peak MiB": round(max(run.memory_mib for run in runs)),
            "ran out": any(run.exhausted for run in runs),
        },
    )


def build_ratios(runs: dict[int, list[Ran]], checks: Sequence[float]) -> list[Ratio]:
    """B1 over the raw rate, B2 over B1: the medians of this run."""
    rates = {each: spread_of(list_rates(each, found)).median for each, found in runs.items()}
    single = rates.get(1)
    raw = Ratio(
        row="B1",
        name="one message a transaction over the raw rate of checks",
        ratio=divide(single, spread_of(checks).median),
        goal=SINGLE_GOAL,
    )
    return [
        raw,
        *(
            Ratio(
                row="B2",
                name=f"messages a second, {each} a transaction over one",
                ratio=divide(rate, single),
                goal=MANY_GOAL,
            )
            for each, rate in rates.items()
            if each > 1
        ),
    ]


def find_faults(runs: dict[int, list[Ran]]) -> list[str]:
    """Refusals by a rule: prepared transactions must all be taken."""
    return [
        f"{messages} a transaction: {count} refused as {code}"
        for messages, found in runs.items()
        for run in found
        for code, count in run.refused.items()
    ]
