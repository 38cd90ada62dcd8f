"""How the machines are run: from fixed seeds, the same way every time."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def run(
    machine: type[RuleBasedStateMachine],
    *,
    turns: int,
    examples: int,
    steps: int,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Run the machine at most `turns` times, each with a seed of its own, until it is enough."""
    for turn in range(turns):
        if until():
            return
        seeded = type(machine.__name__, (machine,), {"_hypothesis_internal_use_seed": turn})
        run_state_machine_as_test(
            seeded,
            settings=settings(
                database=None,
                deadline=None,
                max_examples=examples,
                stateful_step_count=steps,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
            ),
        )
