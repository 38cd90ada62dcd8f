"""`python -m hansa.cli.bench.sampled PROFILE ARGUMENTS`: run `hansa ARGUMENTS` under the sampler.

Writes PROFILE (JSON) at the end. The bench starts the nodes so when it is asked for a profile.
SIGUSR1 begins the sampling, so that start-up does not count; without it all is sampled.
"""

import signal
import sys
from pathlib import Path
from types import FrameType

import msgspec

from hansa.cli.bench.sampler import Sampler


def main(arguments: list[str]) -> int:
    """Run the command line; its exit code."""
    from hansa.cli.main import run

    samplers = [Sampler()]
    samplers[0].start()

    def begin_anew(_number: int, _frame: FrameType | None) -> None:
        samplers.pop().stop()
        samplers.append(Sampler())
        samplers[0].start()

    signal.signal(signal.SIGUSR1, begin_anew)
    try:
        return run(arguments[1:])
    finally:
        Path(arguments[0]).write_bytes(msgspec.json.encode(samplers[0].stop()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
