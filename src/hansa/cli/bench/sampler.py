"""Where a process of ours spends its processor time, by sampling its threads.

A sample is a thread's stack, weighed with the processor time that the thread has used since the
sample before: threads that wait weigh nothing. Touches no file.
"""

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from types import FrameType
from typing import Final

import msgspec

INTERVAL_S: Final = 0.01
DEPTH_MAX: Final = 60
# More different stacks than a node has; the rarest are left out.
STACKS_MAX: Final = 3_000


class Profile(msgspec.Struct, frozen=True):
    """Processor seconds. `threads` by name; `stacks` by `thread;outer;…;inner`."""

    cpu_s: float
    sampled_s: float
    threads: dict[str, float]
    stacks: dict[str, float]


class Share(msgspec.Struct, frozen=True):
    """A function's part of the processor time: within it (`own`), and with what it calls."""

    function: str
    own: float
    total: float


class Sampler:
    """Samples this process from a thread of its own between `start` and `stop`."""

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bench-sampler", daemon=True)
        self._used: dict[int, float] = {}
        self._stacks: dict[str, float] = defaultdict(float)
        self._began_s = 0.0

    def start(self) -> None:
        """Begin; what was used until now does not count."""
        self._began_s = time.process_time()
        self._thread.start()

    def stop(self) -> Profile:
        """End, and what was seen."""
        self._ended.set()
        self._thread.join()
        threads: dict[str, float] = defaultdict(float)
        for stack, seconds in self._stacks.items():
            threads[stack.partition(";")[0]] += seconds
        return Profile(
            cpu_s=time.process_time() - self._began_s,
            sampled_s=sum(self._stacks.values()),
            threads=dict(sort_down(threads)),
            stacks=dict(sort_down(self._stacks)[:STACKS_MAX]),
        )

    def _run(self) -> None:
        # The interpreter hands over sooner, so that samples fall between calls of long C functions.
        sys.setswitchinterval(self._interval_s / 10)
        self._sample()
        self._stacks.clear()
        while not self._ended.wait(self._interval_s):
            self._sample()

    def _sample(self) -> None:
        names = {each.ident: each.name for each in threading.enumerate()}
        for ident, frame in sys._current_frames().items():
            if ident == threading.get_ident():
                continue
            try:
                used = time.clock_gettime(time.pthread_getcpuclockid(ident))
            except OSError:
                continue  # it ended while we looked
            spent = used - self._used.get(ident, used)
            self._used[ident] = used
            if spent > 0:
                name = names.get(ident) or "native"
                self._stacks[f"{name.rstrip('-0123456789_')};{describe_stack(frame)}"] += spent


def describe_stack(frame: FrameType | None) -> str:
    """`outer;…;inner`, each as module and function."""
    parts: list[str] = []
    while frame is not None and len(parts) < DEPTH_MAX:
        module = frame.f_globals.get("__name__", "?")
        parts.append(f"{module}.{frame.f_code.co_qualname}")
        frame = frame.f_back
    return ";".join(reversed(parts))


def sort_down(found: Mapping[str, float]) -> list[tuple[str, float]]:
    """Largest first."""
    return sorted(found.items(), key=lambda each: -each[1])


def rank_functions(profiles: list[Profile], count: int) -> tuple[list[Share], list[Share]]:
    """The functions that use most by their own time, and Hansa's by time with what they call.

    Shares of all that was sampled.
    """
    own: dict[str, float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    for profile in profiles:
        for stack, seconds in profile.stacks.items():
            frames = stack.split(";")[1:]
            own[frames[-1]] += seconds
            for name in set(frames):
                total[name] += seconds
    whole = sum(own.values()) or 1.0
    shares = {name: Share(name, own.get(name, 0.0) / whole, total[name] / whole) for name in total}
    ours = [shares[name] for name, _ in sort_down(total) if name.startswith("hansa.")]
    return [shares[name] for name, _ in sort_down(own)[:count]], ours[:count]
