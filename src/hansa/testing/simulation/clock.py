"""Time of a simulated run: one steady clock, a wall clock for each node, and what happens when.

Moves by events alone: nothing sleeps. Pure.
"""

import heapq
from collections.abc import Callable


class SimulatedClock:
    """Milliseconds since the run began; what each node's wall clock shows may be wrong."""

    def __init__(self, start_ms: int) -> None:
        """`start_ms`: the true wall time of the beginning, UTC."""
        self.start_ms, self.steady_ms = start_ms, 0
        self._skew_ms: dict[int, int] = {}
        self._drift: dict[int, tuple[int, int]] = {}

    def steady_s(self) -> float:
        """Seconds since the beginning, in the place of time.monotonic."""
        return self.steady_ms / 1_000

    def wall_ms(self, node: int) -> int:
        """What the wall clock of a node shows, milliseconds, UTC."""
        since_ms, per_mille = self._drift.get(node, (0, 0))
        drift_ms = (self.steady_ms - since_ms) * per_mille // 1_000
        return self.start_ms + self.steady_ms + self._skew_ms.get(node, 0) + drift_ms

    def jump(self, node: int, ms: int) -> None:
        """Somebody sets a node's wall clock."""
        self._skew_ms[node] = self._skew_ms.get(node, 0) + ms

    def pass_ms(self, ms: int) -> None:
        """Time passes while something is being done."""
        self.steady_ms += ms

    def drift(self, node: int, per_mille: int) -> None:
        """A node's wall clock runs too fast, or too slow, from now on."""
        self._drift[node] = (self.steady_ms, per_mille)

    def mend(self, node: int) -> None:
        """A node's wall clock is right again."""
        self._skew_ms.pop(node, None)
        self._drift.pop(node, None)


class Events:
    """What is to happen, in the order of time, then in the order in which it was put here."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, time_ms: int, act: Callable[[], None]) -> None:
        """Have `act` happen at `time_ms`, or now when that is over."""
        self._count += 1
        heapq.heappush(self._heap, (max(time_ms, self._clock.steady_ms), self._count, act))

    def after(self, ms: int, act: Callable[[], None]) -> None:
        """Have `act` happen so many milliseconds from now."""
        self.at(self._clock.steady_ms + ms, act)

    def step(self) -> bool:
        """Let the next thing happen. False: there is none."""
        if not self._heap:
            return False
        time_ms, _order, act = heapq.heappop(self._heap)
        self._clock.steady_ms = max(self._clock.steady_ms, time_ms)
        act()
        return True
