"""`hansa simulate`: hunts faults by seed. Starts children, each with the hash seed of its seeds,
reads what they tell and sums it up. Touches nothing but the plans of what was found.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

import click

from hansa.cli.answers import NO, UNJUDGED, YES, Screen, json_option
from hansa.cli.signals import stoppable

PROFILES: Final = ("calm", "crash", "disk", "network", "upgrade", "sync", "mixed", "real-limits")
# So many neighbouring seeds have one hash seed, and one process.
HASH_BLOCK: Final = 16
GRACE_S: Final = 10.0
MODULE: Final = "hansa.testing.simulation"


@click.command()
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Repeat this seed.")
@click.option("--seeds", type=click.IntRange(1), metavar="K", help="Run K seeds nobody has seen.")
@click.option("--plan", type=click.Path(path_type=Path, exists=True), help="Repeat a plan's file.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="New seeds for so long.")
@click.option("--profile", type=click.Choice(PROFILES), default="mixed", show_default=True)
@click.option("--nodes", type=click.IntRange(1), help="So many nodes; 4 validate unless fewer.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--log", is_flag=True, help="Show what the nodes say, too (with --seed or --plan).")
@json_option
def command(
    seed: int | None,
    seeds: int | None,
    plan: Path | None,
    hours: float | None,
    profile: str,
    nodes: int | None,
    jobs: int,
    log: bool,
    as_json: bool,
) -> int:
    """Run a league of real nodes under faults that a seed draws, in simulated time.

    Crashes, lost writes, full and rotten disks, clocks that jump, messages lost and late, liars,
    upgrades: all of it in one thread, the same again for the same seed and release. Whatever breaks
    a rule of the ledger is found, made small and written as found-SEED.json. docs/simulation.md
    says what is real, what is played, and how to read a failure.

    \b
    Exit code: 0 nothing found, 1 found, 2 could not run.
    Examples:
      hansa simulate --seeds 20
      hansa simulate --seed 4711 --profile crash
      hansa simulate --plan found-4711.json --log
      hansa simulate --hours 1 --jobs 2
    """
    if sum(each is not None for each in (seed, seeds, plan, hours)) > 1:
        raise click.UsageError("Give one of --seed, --seeds, --plan and --hours.")
    options = ["--profile", profile, *(["--nodes", str(nodes)] if nodes else [])]
    options += ["--log"] if log else []
    seconds = (hours or 0) * 3600
    options += ["--until", str(time.time() + seconds)] if hours else []
    if plan is not None:
        kept = json.loads(plan.read_bytes())
        options[1] = kept["profile"]
        batches: Iterator[list[str]] = iter([[*options, "--plan", str(plan)]])
        first = int(kept["seed"])
    else:
        first = secrets.randbelow(2**32) * HASH_BLOCK if seed is None else seed
        count = 1 if seed is not None else None if hours else seeds or 1
        batches = list_batches(first, count, options)
    sums = Sums(Screen(as_json=as_json), profile, time.monotonic() + seconds)
    with stoppable(), Children(jobs) as children:
        for event in children.run(batches, first, until=sums.deadline_s if hours else None):
            sums.take(event)
    return sums.close()


def list_batches(first: int, count: int | None, options: list[str]) -> Iterator[list[str]]:
    """Arguments of one child after another: seeds of one block each. `count` None: for ever."""
    at = first
    while count is None or at < first + count:
        end = (at // HASH_BLOCK + 1) * HASH_BLOCK
        end = end if count is None else min(end, first + count)
        yield [*options, "--seeds", *(str(seed) for seed in range(at, end))]
        at = end


class Children:
    """Processes that run batches, and the lines they tell. None outlives the `with`."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._running: list[subprocess.Popen[str]] = []
        self._told: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_error: object) -> None:
        for child in self._running:
            child.send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + GRACE_S
        for child in self._running:
            try:
                child.wait(max(deadline_s - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def run(
        self, batches: Iterator[list[str]], seed: int, *, until: float | None
    ) -> Iterator[dict[str, Any]]:
        """Events of all children as they come; `until`: no child begins later."""
        while True:
            late = until is not None and time.monotonic() >= until
            while len(self._running) < self._jobs and not late:
                arguments = next(batches, None)
                if arguments is None:
                    break
                self._start(arguments, seed)
            if not self._running:
                return
            try:
                event = self._told.get(timeout=0.2)
            except Empty:
                continue
            if event["event"] == "ended":
                self._running = [each for each in self._running if each.pid != event["pid"]]
            yield event

    def _start(self, arguments: list[str], seed: int) -> None:
        if "--seeds" in arguments:
            seed = int(arguments[arguments.index("--seeds") + 1])
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", MODULE, *arguments],
            env={**os.environ, "PYTHONHASHSEED": str(seed // HASH_BLOCK % 2**32)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._running.append(child)
        threading.Thread(target=self._read, args=(child,), daemon=True).start()

    def _read(self, child: "subprocess.Popen[str]") -> None:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith('{"event"'):
                self._told.put(json.loads(line))
            else:
                click.echo(line, err=True, nl=False)
        self._told.put({"event": "ended", "pid": child.pid, "code": child.wait()})


class Sums:
    """What the runs came to, shown as they go and at the end."""

    def __init__(self, screen: Screen, profile: str, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self._screen, self._profile = screen, profile
        self._began_s = time.monotonic()
        self._totals: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._declared: set[str] = set()
        self._found: dict[int, dict[str, Any]] = {}
        self._digests: dict[int, str] = {}
        self._failed = False

    def take(self, event: dict[str, Any]) -> None:
        """One event of a child."""
        match event["event"]:
            case "codes":
                self._declared.update(event["declared"])
            case "seed":
                self._screen.line(f"seed {event['seed']} ({event['profile']}) …")
            case "run":
                self._totals.update(runs=1, **{n: event[n] for n in ("blocks", "transactions")})
                self._faults.update(event["faults"])
                self._codes.update(event["codes"])
                self._digests[event["seed"]] = event["digest"]
                faults = sum(event["faults"].values())
                self._screen.line(
                    f"  {event['seed']}: {event['blocks']} blocks, "
                    f"{event['transactions']} transactions, {faults} faults, "
                    f"{event['processor_s']} s, digest {event['digest'][:16]}"
                )
            case "found":
                self._found[event["seed"]] = event
                self._screen.line(
                    f"  {event['seed']}: FOUND by {event['checker']}: {event['text']}"
                )
                self._screen.line(
                    f"  repeat: hansa simulate --seed {event['seed']} --profile {self._profile}"
                )
            case "shrunk":
                self._found[event["seed"]].update(event, event="found")
                self._screen.line(
                    f"  the smallest ({event['faults']} of {event['was_faults']} faults, "
                    f"{event['acts']} of {event['was_acts']} acts): "
                    f"hansa simulate --plan {event['file']}"
                )
            case "ended":
                self._failed |= event["code"] not in (YES, NO)

    def close(self) -> int:
        """Say the sums; the exit code."""
        seconds = time.monotonic() - self._began_s
        never = sorted(self._declared - set(self._codes))
        screen = self._screen
        if self._totals["runs"] > 1:
            rate = self._totals["runs"] / seconds
            screen.line(f"{self._totals['runs']} runs in {seconds:.0f} s ({rate:.2f} a second)")
            screen.line(
                f"{self._totals['blocks']} blocks, {self._totals['transactions']} transactions"
            )
            screen.table(["fault", "times"], sorted(self._faults.items()))
            kernel = [code for code in never if code.startswith("ledger.")]
            screen.line(
                f"{len(never)} of {len(self._declared)} codes were never reached (--json names "
                f"them); the kernel's: {', '.join(kernel) or 'none'}"
            )
        screen.document(
            {
                "profile": self._profile,
                "seconds": round(seconds, 1),
                **self._totals,
                "faults": dict(sorted(self._faults.items())),
                "codes": dict(sorted(self._codes.items())),
                "never": never,
                "digests": self._digests,
                "found": list(self._found.values()),
            }
        )
        if self._found:
            screen.line(f"found: {len(self._found)} of {self._totals['runs']} runs")
            return NO
        if self._failed or not self._totals["runs"]:
            screen.hint("a run did not come to its end: its last words are above")
            return UNJUDGED
        screen.line("nothing found")
        return YES
