"""`python -m hansa.testing.simulation`: the child of `hansa simulate`. One JSON document a line.

Limits and mutants are put in before anything of Hansa is imported, hence the imports in functions.
Exit code: 0 nothing found, 1 found, 2 could not run. The hash seed is its caller's to set.
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hansa.testing.simulation.replacing import SMALL_LIMITS, Replacement, install

if TYPE_CHECKING:
    from hansa.testing.simulation.plan import Plan
    from hansa.testing.simulation.run import Outcome

MODULE = "hansa.testing.simulation"
REAL_LIMITS = "real-limits"


def tell(event: str, **facts: Any) -> None:
    """One line, at once: whoever waits knows what ran even when this process dies."""
    print(json.dumps({"event": event, **facts}), flush=True)


def read_arguments() -> argparse.Namespace:
    """What the command hands on."""
    parser = argparse.ArgumentParser(prog="python -m hansa.testing.simulation")
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--profile", default="mixed")
    parser.add_argument("--nodes", type=int, default=0)
    parser.add_argument("--blocks", type=int, default=0)
    parser.add_argument("--mutant", default="", help="JSON: [[module, old, new], ...]")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--shrink-s", type=float, default=60, help="of the processor")
    parser.add_argument("--until", type=float, default=0, help="no seed begins later (Unix time)")
    parser.add_argument("--first", action="store_true", help="end when something is found")
    parser.add_argument("--reference", action="store_true", help="be the other interpreter")
    parser.add_argument("--log", action="store_true", help="what the nodes say, too")
    parser.add_argument("--output", type=Path, default=Path())
    return parser.parse_args()


def main() -> int:
    """Run what was asked for."""
    given = read_arguments()
    limits = () if given.profile == REAL_LIMITS else SMALL_LIMITS
    mutant = [Replacement(*each) for each in json.loads(given.mutant or "[]")]
    install((*limits, *mutant))
    if given.reference:
        serve_reference()
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parent = os.getppid()
    try:
        prepare(given)
        plans = draw_plans(given)
        tell("codes", declared=list_codes())
        found = False
        for plan in plans:
            if os.getppid() != parent:  # nobody listens any more
                return 2
            found |= run_one(plan, given)
            is_late = 0 < given.until <= time.time()
            if is_late or (found and given.first):
                break
    except KeyboardInterrupt:
        return 130
    tell("done", runs=len(plans))
    return 1 if found else 0


def draw_plans(given: argparse.Namespace) -> "list[Plan]":
    """The plan of the file, or that of each seed."""
    from hansa.testing.simulation.plan import decode_plan
    from hansa.testing.simulation.run import draw_plan

    if given.plan:
        return [decode_plan(given.plan.read_bytes())]
    size = {"blocks": given.blocks} if given.blocks else {}
    return [draw_plan(seed, given.profile, nodes=given.nodes, **size) for seed in given.seeds]


def run_plan(plan: "Plan") -> "Outcome":
    """One run with all checkers. What ends it otherwise than by a checker is found too."""
    from hansa.testing.simulation.checkers_all import build_checkers
    from hansa.testing.simulation.run import SimulatedNetwork

    return SimulatedNetwork(plan=plan, checkers=build_checkers()).run()


def run_one(plan: "Plan", given: argparse.Namespace) -> bool:
    """Run it, tell, and make a small plan of what was found. True: something was."""
    tell("seed", seed=plan.seed, profile=plan.profile, nodes=plan.nodes, blocks=plan.blocks)
    began, spent = time.monotonic(), time.process_time()
    outcome = run_plan(plan)
    facts = {
        name: getattr(outcome, name)
        for name in ("seed", "profile", "blocks", "transactions", "faults", "codes", "digest")
    }
    tell(
        "run",
        **facts,
        seconds=round(time.monotonic() - began, 3),
        processor_s=round(time.process_time() - spent, 3),
    )
    if outcome.found is None:
        return False
    tell("found", seed=plan.seed, checker=outcome.found.checker, text=outcome.found.text)
    if not given.no_shrink:
        tell_shrunk(plan, outcome, given)
    return True


def tell_shrunk(plan: "Plan", outcome: "Outcome", given: argparse.Namespace) -> None:
    """The small plan as a file, beside what it finds."""
    from hansa.testing.simulation.plan import encode_plan
    from hansa.testing.simulation.shrink import shrink

    if outcome.found is None:
        return
    shrunk = shrink(
        plan,
        outcome.found,
        lambda candidate: run_plan(candidate).found,
        seconds=given.shrink_s,
    )
    path = given.output / f"found-{plan.seed}.json"
    path.write_bytes(encode_plan(shrunk.plan))
    tell(
        "shrunk",
        seed=plan.seed,
        file=str(path),
        runs=shrunk.runs,
        checker=shrunk.found.checker,
        text=shrunk.found.text,
        faults=len(shrunk.plan.faults),
        acts=len(shrunk.plan.workload),
        was_faults=len(plan.faults),
        was_acts=len(plan.workload),
    )


def list_codes() -> list[str]:
    """Every code that a receipt can hold."""
    from hansa.appkit.application import collect_rejections
    from hansa.ledger.rejections import Rejection
    from hansa.testing.simulation.workload_league import build_applications

    build_applications()
    return [f"{each.CODESPACE}.{each.CODE}" for each in collect_rejections(Rejection)]


def prepare(given: argparse.Namespace) -> None:
    """The other interpreter has the same limits and mutant; nodes say nothing unless asked to."""
    import structlog

    from hansa.testing.simulation import reference

    reference.COMMAND[:] = [sys.executable, "-m", MODULE, "--reference"]
    reference.COMMAND.extend(["--profile", given.profile, "--mutant", given.mutant])
    if not given.log:
        structlog.configure(processors=[_drop])


def serve_reference() -> None:
    """Answer until who asks has gone; Ctrl-C is theirs."""
    from hansa.testing.simulation import reference

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reference.serve(sys.stdin.buffer, sys.stdout.buffer)


def _drop(*_event: object) -> NoReturn:
    import structlog

    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
