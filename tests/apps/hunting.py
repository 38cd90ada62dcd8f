"""What the hunts of all applications share: a machine run the same way each time, the directed
tests of a module in leagues of their own, mutants.
"""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, Protocol

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from hansa.appkit.application import Application
from tests.apps.stage import Stage

# Where, which name, what stands there instead.
Mutant = list[tuple[object, str, Callable[..., Any]]]


class Lives(Protocol):
    """A machine that collects what it reached."""

    seen: ClassVar[set[str]]


def hunt(machine: type[RuleBasedStateMachine], examples: int, steps: int = 40) -> set[str]:
    """Run the machine, the same lives each time; what it reached. Raises what it finds."""
    hunter: Any = type("Hunt", (machine,), {"seen": set()})
    run_state_machine_as_test(
        hunter,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        ),
    )
    seen: set[str] = hunter.seen
    return seen


def run_directed(module: ModuleType, make_league: Callable[[], Stage]) -> set[str]:
    """Every test of a module, each with a league of its own; the codes, events, states they met."""
    leagues: list[Stage] = []
    for name, test in vars(module).items():
        if name.startswith("test_"):
            for arguments in list_arguments(test):
                if "league" in inspect.signature(test).parameters:
                    leagues.append(make_league())
                    arguments = {**arguments, "league": leagues[-1]}
                test(**arguments)
    return set().union(*(each.codes | each.events | each.states() for each in leagues))


def list_arguments(test: Callable[..., None]) -> list[dict[str, Any]]:
    """What `parametrize` gives the test, one dictionary for each case."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [{}]
    named, cases = marks[0].args
    names = [named] if isinstance(named, str) else list(named)
    return [dict(zip(names, case if len(names) > 1 else [case], strict=True)) for case in cases]


def check_reached(
    application: Application, states: set[str], by_hunt: set[str], directed: set[str], least: int
) -> None:
    """Print what was reached, by whom; raise unless it is every state, event and rejection, and
    at least so many rejections by the hunt itself.
    """
    declared = {rejection.CODESPACE + "." + rejection.CODE for rejection in application.rejections}
    announced = {event.__name__ for event in application.events}
    reached = by_hunt | directed
    print("states by the hunt:", sorted(states & by_hunt))
    print("states only by directed tests:", sorted((states & reached) - by_hunt))
    print("rejections by the hunt:", sorted(declared & by_hunt))
    print("rejections only by directed tests:", sorted((declared & reached) - by_hunt))
    assert states - reached == set()
    assert announced - reached == set()
    assert declared - reached == set()
    assert len(declared & by_hunt) >= least


def do_nothing(*_args: object, **_named: object) -> None:
    """A check that was forgotten."""
