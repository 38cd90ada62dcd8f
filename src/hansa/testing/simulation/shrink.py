"""Makes a plan that found something small: whatever can be left out and still finds it goes.

Delta debugging: halves, quarters, … single elements of each list, then nodes and blocks, then
numbers towards 0. Deterministic but for the budget of seconds, which only ends it earlier.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from hansa.testing.simulation.checkers import Found
from hansa.testing.simulation.plan import BLOCK_MS, Act, Plan

RUNS_MAX: Final = 200
SECONDS_MAX: Final = 60.0
LISTS: Final = ("faults", "release", "workload")
# Heights that are run after the last thing that the plan does.
BLOCKS_MIN: Final = 4


class Shrunk(NamedTuple):
    """The smallest plan that was found, what it finds, and how many runs that took."""

    plan: Plan
    found: Found
    runs: int


class _Spent(Exception):
    """No runs or seconds are left."""


class _Search:
    def __init__(
        self,
        plan: Plan,
        found: Found,
        run: Callable[[Plan], Found | None],
        runs_max: int,
        deadline_s: float,
        now: Callable[[], float],
    ) -> None:
        self.plan, self.found = plan, found
        self.runs = 0
        self._run, self._runs_max, self._deadline_s, self._now = run, runs_max, deadline_s, now

    def take(self, candidate: Plan) -> bool:
        """Run it; keep it when the same checker finds something."""
        if self.runs >= self._runs_max or self._now() >= self._deadline_s:
            raise _Spent
        self.runs += 1
        found = self._run(candidate)
        if found is None or found.checker != self.found.checker:
            return False
        self.plan, self.found = candidate, found
        return True

    def end_earlier(self) -> None:
        """Nothing comes after a quarter, half or three of the storm: the cheapest guess first."""
        for quarters in (1, 2, 3):
            end_ms = self.plan.storm_ms * quarters // 4
            if self.take(_cut(self.plan, end_ms)):
                break

    def leave_out(self, name: str) -> None:
        """As many elements of one of the plan's lists as can be."""
        size = len(getattr(self.plan, name))
        while size:
            start = 0
            while start < len(getattr(self.plan, name)):
                kept = getattr(self.plan, name)
                shorter = (*kept[:start], *kept[start + size :])
                if not self.take(replace(self.plan, **{name: shorter})):
                    start += size
            size //= 2

    def lessen(self) -> None:
        """Fewer nodes and blocks, then smaller numbers."""
        for candidate in _list_smaller(self.plan):
            if self.take(candidate):
                break
        for name in LISTS[:2]:
            for at in range(len(getattr(self.plan, name))):
                self._lessen_element(name, at)

    def _lessen_element(self, name: str, at: int) -> None:
        for field in ("value", "for_ms", "replaced_ms"):
            elements: tuple[Any, ...] = getattr(self.plan, name)
            number = getattr(elements[at], field, 0)
            for smaller in (0, number // 2) if number else ():
                changed = replace(elements[at], **{field: smaller})
                if self.take(replace(self.plan, **{name: _put(elements, at, changed)})):
                    break


def shrink(
    plan: Plan,
    found: Found,
    run: Callable[[Plan], Found | None],
    *,
    runs_max: int = RUNS_MAX,
    seconds: float = SECONDS_MAX,
    now: Callable[[], float] = time.process_time,
) -> Shrunk:
    """A small plan in which the checker of `found` still finds something. `run`: what a plan finds;
    it is asked at most `runs_max` times and for about `seconds` of the processor.
    """
    search = _Search(plan, found, run, runs_max, now() + seconds, now)
    try:
        search.end_earlier()
        before = None
        while before != search.plan:
            before = search.plan
            for name in LISTS:
                search.leave_out(name)
            search.lessen()
    except _Spent:
        pass
    return Shrunk(search.plan, search.found, search.runs)


def _cut(plan: Plan, end_ms: int) -> Plan:
    """Without what comes after `end_ms`."""
    return replace(
        plan,
        blocks=end_ms // BLOCK_MS,
        faults=tuple(each for each in plan.faults if each.at_ms < end_ms),
        workload=tuple(each for each in plan.workload if each.at_ms < end_ms),
    )


def _list_smaller(plan: Plan) -> Iterator[Plan]:
    """Fewer nodes, then an earlier end, smallest first."""
    needed = max((each.node for each in plan.faults), default=1)
    for nodes in range(max(plan.validators, needed), plan.nodes):
        yield replace(
            plan, nodes=nodes, workload=tuple(_move(each, nodes) for each in plan.workload)
        )
    ends_ms = [each.at_ms for each in plan.workload]
    ends_ms += [each.at_ms + each.for_ms for each in plan.faults]
    heights = [each.height for each in plan.release]
    shortest = max([max(ends_ms, default=0) // BLOCK_MS, *heights]) + BLOCKS_MIN
    if shortest < plan.blocks:
        yield replace(plan, blocks=shortest)


def _move(act: Act, nodes: int) -> Act:
    return replace(act, node=(act.node - 1) % nodes + 1) if act.node > nodes else act


def _put(elements: tuple[Any, ...], at: int, element: msgspec.Struct) -> tuple[Any, ...]:
    return (*elements[:at], element, *elements[at + 1 :])
