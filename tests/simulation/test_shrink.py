"""A plan that found something is made as small as it can be, within its budget."""

from hansa.testing.simulation.checkers import Found
from hansa.testing.simulation.plan import Act, Fault, Plan
from hansa.testing.simulation.shrink import shrink

ACTS = tuple(Act(number=n, kind="issue", at_ms=100 * n, node=n % 5 + 1) for n in range(1, 41))
FAULTS = tuple(
    Fault(kind="crash", at_ms=250 * n, node=n % 4 + 1, for_ms=1_000, value=n) for n in range(1, 9)
)
PLAN = Plan(seed=7, profile="crash", nodes=5, validators=4, blocks=60, workload=ACTS, faults=FAULTS)


def find(plan: Plan) -> Found | None:
    """A league that fails when node 3 crashes and acts 17 and 29 are there."""
    numbers = {each.number for each in plan.workload}
    crashed = any(each.node == 3 for each in plan.faults)
    return Found("C1", "other states") if crashed and {17, 29} <= numbers else None


def test_what_the_fault_does_not_need_is_left_out() -> None:
    shrunk = shrink(PLAN, Found("C1", "at first"), find)
    assert [each.number for each in shrunk.plan.workload] == [17, 29]
    assert [(each.node, each.for_ms, each.value) for each in shrunk.plan.faults] == [(3, 0, 0)]
    assert shrunk.plan.blocks < PLAN.blocks
    assert shrunk.plan.nodes == PLAN.validators
    assert (shrunk.found.checker, shrunk.found.text) == ("C1", "other states")
    assert find(shrunk.plan)


def test_another_checkers_finding_is_another_fault() -> None:
    def run(plan: Plan) -> Found | None:
        return find(plan) if len(plan.workload) > 30 else Found("C2", "something else")

    shrunk = shrink(PLAN, Found("C1", "at first"), run)
    assert len(shrunk.plan.workload) == 31
    assert shrunk.found.checker == "C1"


def test_it_ends_with_its_runs_and_with_its_seconds() -> None:
    assert shrink(PLAN, Found("C1", ""), lambda _plan: None, runs_max=5).runs == 5
    times = iter(range(100))
    shrunk = shrink(
        PLAN, Found("C1", ""), lambda _plan: None, seconds=10, now=lambda: float(next(times))
    )
    assert shrunk.runs == 9
    assert shrunk.plan == PLAN
