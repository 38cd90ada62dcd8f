"""`hansa bench network` from start to end: prepare, measure in turns, reduce to one report.

Works in the folder that it is given; starts processes through `measure.py` only.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from hansa.cli.bench.circumstances import Beginning
from hansa.cli.bench.engine_config import OWN, flatten_config, list_differences
from hansa.cli.bench.machine import describe_machine
from hansa.cli.bench.measure import EMPTY, GATEWAY, HANSA, KVSTORE, OURS, Bench, Outcome, Tell
from hansa.cli.bench.reduction import (
    ELSEWHERE,
    build_limits,
    build_profile,
    build_ratios,
    reduce_outcome,
)
from hansa.cli.bench.report import NetworkFigures, Plan, Report
from hansa.cli.bench.signing import measure_check, read_signers
from hansa.cli.bench.subject import make_league
from hansa.cli.bench.workload import (
    Prepared,
    Workload,
    build_plan,
    imitate,
)
from hansa.client.keys import Signer
from hansa.comet.install import ENGINE, install_engine

CHAIN: Final = "bench-network"
# More than the fastest network here takes: what is prepared must not run out.
RATE_MAX: Final = 4_500
RATE_BYTES_MAX: Final = 9_000_000
# Least number of transactions, so that a short run has two blocks.
COUNT_MIN: Final = 200


def conduct(
    plan: Plan, folder: Path, command: str, binary: Path | None, tell: Tell, *, profiled: bool
) -> Report:
    """Measure as planned. Raises BenchFault when there is nothing to measure with."""
    beginning = Beginning()
    engine = binary or install_engine(progress=tell)
    (folder / "user").mkdir()
    members = folder / "members.json"
    members.write_bytes(msgspec.json.encode(build_plan()))
    checks: dict[int, float] = {}
    main = _measure_network(
        folder / "main", members, engine, plan, tell, plan.validators, checks, profiled=profiled
    )
    solo: dict[str, Outcome] = {}
    if plan.alone:
        single = msgspec.structs.replace(
            plan, repeat=1, light=min(plan.light, 10), validators=1,
            networks=tuple(name for name in plan.networks if name != GATEWAY),
        )  # fmt: skip
        solo = _measure_network(folder / "alone", members, engine, single, tell, 1, {}).outcomes
    cores = describe_machine(folder).cores
    figures = _reduce(main.outcomes, plan.validators)
    limits = build_limits(figures, checks, plan.validators, cores)
    profiles = [each for o in main.outcomes.values() for each in o.profiles]
    texts = {name: text for o in main.outcomes.values() for name, text in o.configs.items()}
    settings = flatten_config(main.tuning)
    return Report(
        **beginning.end(folder, command, ENGINE if binary is None else str(binary)),
        plan=plan,
        configuration={key: settings[key] for key in sorted(settings.keys() - OWN)},
        differences=tuple(list_differences(texts)),
        verify_per_s=1 / checks[min(checks)],
        networks=figures,
        alone=_reduce(solo, 1),
        limits=limits,
        ratios=build_ratios(figures, limits),
        profile=build_profile(profiles),
        elsewhere=ELSEWHERE,
        faults=tuple(f for o in (*main.outcomes.values(), *solo.values()) for f in o.faults),
    )


class _Measured(msgspec.Struct):
    outcomes: dict[str, Outcome]
    tuning: str


def _measure_network(
    folder: Path,
    members: Path,
    engine: Path,
    plan: Plan,
    tell: Tell,
    validators: int,
    checks: dict[int, float],
    *,
    profiled: bool = False,
) -> _Measured:
    """Every network of the plan, in turns, so that a machine's moods fall on all of them."""
    tell(f"{validators} validators: keys, genesis, signed transactions")
    folder.mkdir()
    league = folder / "league"
    make_league(league, members, validators, f"{CHAIN}-{validators}")
    signers = read_signers(league)
    keys = {each.kid: each.private.public for each in signers}
    signed = _sign(signers, f"{CHAIN}-{validators}", plan)
    for messages, sent in signed.heavy.items():
        checks[messages] = measure_check(sent, keys)
    texts = imitate(signed)
    bench = Bench(folder, league, engine, plan, tell)
    tuning = bench.learn_tuning()
    for repetition in range(plan.repeat):
        tell(f"repetition {repetition + 1} of {plan.repeat}")
        # The other way round every second time: none is always the first on a cool machine.
        for name in plan.networks[:: -1 if repetition % 2 else 1]:
            is_hansa = name in OURS
            bench.run(name, signed if is_hansa else texts, profiled=profiled and name == HANSA)
    return _Measured(bench.outcomes, tuning)


def _sign(signers: Sequence[Signer], chain: str, plan: Plan) -> Prepared:
    workload = Workload(chain, signers[0], signers[1:])
    opening = workload.open()
    light = workload.issue(plan.light, 1)
    heavy = {}
    for messages in plan.messages:
        (example,) = workload.issue(1, messages)
        rate = min(RATE_MAX, RATE_BYTES_MAX // len(example))
        count = max(COUNT_MIN, round(rate * (plan.warm_up_s + plan.seconds)))
        heavy[messages] = tuple(workload.issue(count, messages))
    return Prepared(open=(opening,), light=tuple(light), heavy=heavy)


def _reduce(outcomes: dict[str, Outcome], validators: int) -> tuple[NetworkFigures, ...]:
    return tuple(
        reduce_outcome(name, outcomes[name], validators)
        for name in (KVSTORE, EMPTY, *OURS)
        if name in outcomes
    )
