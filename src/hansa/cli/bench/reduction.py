"""From what networks did to the figures of the report: rates, percentiles, ratios, limits. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from hansa.cli.bench.figures import (
    Percentiles,
    compute_limit,
    compute_median,
    compute_percentiles,
    divide,
    spread_of,
)
from hansa.cli.bench.load import Run
from hansa.cli.bench.measure import EMPTY, HANSA, KVSTORE, TITLES, VOTERS, Outcome
from hansa.cli.bench.report import Elsewhere, Limit, LoadFigures, NetworkFigures, NodeProfile, Ratio
from hansa.cli.bench.sampler import Profile, rank_functions, sort_down

# Goals of the issue "Speed that anyone can repeat".
LIMIT_GOAL: Final = 0.6
EMPTY_GOAL: Final = 0.9
FINALITY_GOAL: Final = 1.1
_MICRO: Final = 1e6
# B4: measured elsewhere on this kind of machine, by others' hands; never a peer of a run.
ELSEWHERE: Final = (
    Elsewhere(
        name="Hyperledger Fabric 3.1.5, one organisation", unit="tx/s", least=916, most=1_376
    ),
    Elsewhere(
        name="Hyperledger Fabric 3.1.5, four organisations, four BFT orderers",
        unit="tx/s",
        least=122,
        most=260,
    ),
    Elsewhere(name="the same, processor time of a transaction", unit="ms", least=7, most=15),
    Elsewhere(name="the same, one transaction alone", unit="ms", least=213, most=213),
)


def reduce_outcome(name: str, outcome: Outcome, validators: int) -> NetworkFigures:
    """One network's figures over all repetitions."""
    return NetworkFigures(
        name=name,
        title=TITLES[name],
        validators=validators,
        finality=compute_percentiles([each.seconds for each in outcome.light]),
        parts=reduce_parts(outcome),
        loads=tuple(
            reduce_runs(messages, outcome.lengths[messages], runs, validators)
            for messages, runs in outcome.runs.items()
        ),
        agree=outcome.agree,
        accepted=outcome.accepted,
        sampled=outcome.sampled,
    )


def reduce_parts(outcome: Outcome) -> dict[str, Percentiles]:
    """The parts of the time at light load; none where nobody saw them."""
    found: dict[str, list[float]] = {}
    for each in outcome.light:
        for name, seconds in each.parts.items():
            found.setdefault(name, []).append(seconds)
    reduced = {name: compute_percentiles(times) for name, times in found.items()}
    return {name: each for name, each in reduced.items() if each is not None}


def reduce_runs(messages: int, length: int, runs: Sequence[Run], validators: int) -> LoadFigures:
    """One kind of transaction: each figure's median, extremes and runs."""
    rates = [run.transactions / run.seconds for run in runs]
    engine = [_per_transaction(run, "engines", validators) for run in runs]
    node = [_per_transaction(run, "nodes", validators) for run in runs]
    both = [(a + b) / messages for a, b in zip(engine, node, strict=True)]
    pauses = [
        after.at - before.at
        for run in runs
        for before, after in zip(run.blocks, run.blocks[1:], strict=False)
        if after.at > before.at
    ]
    refused: Counter[str] = Counter()
    for run in runs:
        refused.update(run.refused)
    return LoadFigures(
        messages=messages,
        length=length,
        transactions_per_s=spread_of(rates),
        messages_per_s=spread_of([rate * messages for rate in rates]),
        engine_cpu_us=spread_of(engine),
        node_cpu_us=spread_of(node),
        message_cpu_us=spread_of(both),
        cores=_count_cores(runs),
        blocks_per_s=compute_median([len(run.blocks) / run.seconds for run in runs]),
        transactions_per_block=compute_median([run.transactions / len(run.blocks) for run in runs]),
        block_pause=compute_percentiles(pauses),
        written_per_transaction=compute_median([_written(run) / validators for run in runs]),
        memory_mib={
            "engines": max(run.last.engines.memory_mib for run in runs),
            "nodes": max(run.last.nodes.memory_mib for run in runs),
        },
        refused=dict(refused),
        full=sum(run.full for run in runs),
        lost=sum(run.lost for run in runs),
        late_blocks=sum(run.late for run in runs),
        ran_out=any(run.exhausted for run in runs),
    )


def _per_transaction(run: Run, part: str, validators: int) -> float:
    """Microseconds of processor of one validator's engine or node per transaction."""
    used = getattr(run.last, part).cpu_s - getattr(run.first, part).cpu_s
    return float(used / run.transactions / validators * _MICRO) if run.transactions else 0.0


def _written(run: Run) -> float:
    """Bytes given to storage per transaction, all validators together."""
    first, last = run.first, run.last
    written = last.engines.written + last.nodes.written
    return (written - first.engines.written - first.nodes.written) / max(run.transactions, 1)


def _count_cores(runs: Sequence[Run]) -> dict[str, float]:
    """How many cores each kept busy; `others` is everything else on the machine."""
    found: dict[str, list[float]] = {"engines": [], "nodes": [], "sender": [], "others": []}
    for run in runs:
        engines = (run.last.engines.cpu_s - run.first.engines.cpu_s) / run.seconds
        nodes = (run.last.nodes.cpu_s - run.first.nodes.cpu_s) / run.seconds
        own = (run.last.own_cpu_s - run.first.own_cpu_s) / run.seconds
        busy = (run.last.busy_s - run.first.busy_s) / run.seconds
        others = max(0.0, busy - engines - nodes - own)
        for name, value in zip(found, (engines, nodes, own, others), strict=True):
            found[name].append(value)
    return {name: round(compute_median(values), 3) for name, values in found.items()}


def build_limits(
    networks: Sequence[NetworkFigures], checks: dict[int, float], validators: int, cores: int
) -> tuple[Limit, ...]:
    """What Hansa is held to for each kind of transaction."""
    limits = []
    for messages, check_s in checks.items():
        peer = find_rate(networks, KVSTORE, messages)
        if peer is None:
            continue
        rate = find_rate(networks, HANSA, messages)
        limit = compute_limit(peer, check_s, validators=validators, cores=cores)
        limits.append(
            Limit(
                messages=messages,
                peer_per_s=peer,
                check_us=check_s * _MICRO,
                limit_per_s=limit,
                hansa_per_s=rate,
                ratio=divide(rate, limit),
                goal=LIMIT_GOAL,
            )
        )
    return tuple(limits)


def build_ratios(networks: Sequence[NetworkFigures], limits: Sequence[Limit]) -> tuple[Ratio, ...]:
    """Every figure that has a goal, over its peer of this run."""
    ratios = [
        Ratio(
            row="B3",
            name=f"hansa / limit, {each.messages} a transaction",
            ratio=each.ratio,
            goal=each.goal,
        )
        for each in limits
    ]
    ratios += [
        Ratio(
            row="B3",
            name=f"hansa without read model / limit, {each.messages} a transaction",
            ratio=divide(rate, each.limit_per_s),
            goal=each.goal,
        )
        for each in limits
        if (rate := find_rate(networks, VOTERS, each.messages)) is not None
    ]
    ratios += [
        Ratio(
            name=f"empty / kvstore, {each.messages} a transaction",
            ratio=divide(find_rate(networks, EMPTY, each.messages), each.peer_per_s),
            goal=EMPTY_GOAL,
        )
        for each in limits
    ]
    own, peer = find_finality(networks, HANSA), find_finality(networks, KVSTORE)
    for name in ("p50", "p95"):
        ratios.append(
            Ratio(
                row="B5",
                name=f"finality of hansa / kvstore, {name}",
                ratio=divide(getattr(own, name, None), getattr(peer, name, None)),
                goal=FINALITY_GOAL,
                at_most=True,
            )
        )
    return tuple(ratios)


def find_rate(networks: Sequence[NetworkFigures], name: str, messages: int) -> float | None:
    """Transactions a second of one network, None when it was not measured."""
    for network in networks:
        for load in network.loads:
            if (network.name, load.messages) == (name, messages):
                return load.transactions_per_s.median
    return None


def find_finality(networks: Sequence[NetworkFigures], name: str) -> Percentiles | None:
    """Time to finality of one network, None when it was not measured."""
    return next((each.finality for each in networks if each.name == name), None)


def build_profile(profiles: list[Profile], count: int = 40) -> NodeProfile | None:
    """Where the nodes' time went; None when nobody asked."""
    if not profiles:
        return None
    own, total = rank_functions(profiles, count)
    threads: dict[str, float] = {}
    for profile in profiles:
        for name, spent in profile.threads.items():
            threads[name] = threads.get(name, 0.0) + spent
    whole = sum(threads.values()) or 1.0
    return NodeProfile(
        cpu_s=sum(profile.cpu_s for profile in profiles),
        threads={name: spent / whole for name, spent in sort_down(threads)[:20]},
        own=tuple(own),
        total=tuple(total),
    )
