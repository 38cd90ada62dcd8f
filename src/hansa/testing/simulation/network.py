"""What lies between simulated nodes: the stage on which they act, links that delay, lose and cut.

One act is one call into one node. All chance is `chance` of the seed and of what it is for, so that
leaving one thing out of a plan moves nothing else. Pure.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from hansa.testing.simulation.checkers import Moment
from hansa.testing.simulation.clock import Events, SimulatedClock
from hansa.testing.simulation.consensus import SimulatedConsensus
from hansa.testing.simulation.plan import Plan, chance

# How long a message travels (simulated ms), and how long one that is late.
DELAY_MS: Final = range(1, 25)
LATE_MS: Final = range(100, 2_000)
_PERCENT: Final = 100
TAIL_MAX: Final = 200


class Trace:
    """All that happened, as one digest; the last lines are kept for people."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.tail: list[str] = []

    def add(self, line: str) -> None:
        """One more thing has happened."""
        self._digest.update(line.encode() + b"\n")
        self.tail.append(line)
        if len(self.tail) > 2 * TAIL_MAX:
            del self.tail[:TAIL_MAX]

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the lines so far."""
        return self._digest.hexdigest()


class Links:
    """Who reaches whom, and how well. Nodes by number; all links are the same but for cuts."""

    def __init__(self, seed: int, clock: SimulatedClock, events: Events) -> None:
        self._seed, self._clock, self._events = seed, clock, events
        self._cuts: Counter[tuple[int, int]] = Counter()
        # Shares of messages that are lost, come twice, come late (percent).
        self.loss, self.twice, self.late = 0, 0, 0

    def reaches(self, sender: int, to: int) -> bool:
        """Whether messages get through at all."""
        return sender == to or self._cuts[sender, to] <= 0

    def cut(self, senders: Iterable[int], to: Iterable[int]) -> Callable[[], None]:
        """Nothing gets from the ones to the others; returns what heals it."""
        pairs = [(sender, other) for sender in senders for other in to if sender != other]
        self._cuts.update(pairs)
        return lambda: self._cuts.subtract(pairs)

    def heal(self) -> None:
        """All is well from now on; what was lost stays lost."""
        self._cuts.clear()
        self.loss, self.twice, self.late = 0, 0, 0

    def deliver(self, sender: int, to: int, what: str, act: Callable[[], None]) -> None:
        """A message, named by `what`: `act` happens when it arrives, if it does."""
        if sender == to:
            self._events.after(0, act)
            return
        if not self.reaches(sender, to):
            return
        # By its name and how often it was sent before, so that a message sent again has new luck.
        now = self._clock.steady_ms
        luck = chance(self._seed, "link", what, sender, to, now)
        if luck % _PERCENT < self.loss:
            return
        late = luck // 100 % _PERCENT < self.late
        delays = LATE_MS if late else DELAY_MS
        self._events.after(delays[luck // 10_000 % len(delays)], act)
        if luck // 1_000_000 % _PERCENT < self.twice:
            self._events.after(delays[luck // 100_000_000 % len(delays)], act)


class Stage(msgspec.Struct):
    """What all nodes of a run share. `tell` hands a moment on to the checkers; `tally`: faults that
    happened, by kind.
    """

    plan: Plan
    clock: SimulatedClock
    events: Events
    links: Links
    consensus: SimulatedConsensus
    trace: Trace
    tally: Counter[str]
    tell: Callable[[Moment], None]

    @property
    def seed(self) -> int:
        """Of the run."""
        return self.plan.seed

    def chance(self, *what: object) -> int:
        """A number of 64 bits that belongs to the seed and to what it is for."""
        return chance(self.plan.seed, *what)

    def note(self, what: str, node: object = "", *more: object) -> None:
        """A line of the trace."""
        rest = " ".join(str(each) for each in more)
        self.trace.add(f"{self.clock.steady_ms} {what} {node} {rest}")
