"""The kernel alone, in memory: what the blocks of a run lead to, whatever nodes did with them.

`Reference` is fed block by block. As a program it is another interpreter, with another hash order,
time zone and locale: a line of JSON in (a genesis and its blocks), a line out (their digest).
"""

import atexit
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Final

import msgspec

from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import Genesis, compute_genesis_changes
from hansa.ledger.state import MemoryState

ELSEWHERE: Final[Mapping[str, str]] = {
    "LC_ALL": "POSIX",
    "PYTHONHASHSEED": "4242",
    "TZ": "Pacific/Apia",
}
# What is started as the other interpreter; it answers as `serve` does.
COMMAND = [sys.executable, "-m", "hansa.testing.simulation.reference"]


class Reference:
    """One chain's kernel. No cache of signatures, no storage, no engine."""

    def __init__(self, genesis: Genesis, registry: Registry) -> None:
        self._registry = registry
        self.state = MemoryState()
        self.state.apply_genesis(compute_genesis_changes(genesis, registry), genesis.time_ms)

    @property
    def height(self) -> int:
        """Of the last block."""
        return self.state.height

    def execute(self, block: Block) -> BlockResult:
        """Execute the next block, and keep what it gives."""
        result = execute_block(self.state, block, self._registry)
        self.state.apply(block, result)
        return result


class Question(msgspec.Struct, frozen=True):
    """What another interpreter is asked. `newest`: the last version of `tally` that it needs."""

    genesis: Genesis
    newest: int
    blocks: tuple[Block, ...]


def compute_digest(results: Iterable[BlockResult]) -> str:
    """Hex SHA-256 over every byte that nodes must agree on."""
    digest = hashlib.sha256()
    for result in results:
        digest.update(result.state_root + result.results_hash)
        digest.update(msgspec.json.encode([result.results, result.deadlines]))
        digest.update(msgspec.json.encode(result.validator_updates))
        for key, value in result.changes:
            digest.update(key + b"\x00" + (value or b"\xff"))
    return digest.hexdigest()


def answer(question: Question) -> str:
    """Execute all of it here."""
    from hansa.testing.simulation.workload_league import build_registry

    reference = Reference(question.genesis, build_registry(question.newest))
    return compute_digest(reference.execute(block) for block in question.blocks)


class Elsewhere:
    """Another interpreter, kept open for further questions; it ends with this one."""

    def __init__(self, command: Sequence[str]) -> None:
        environment = {**os.environ, **ELSEWHERE}
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, question: Question) -> str:
        """The digest that it computes. Raises OSError when it has died."""
        said, heard = self._process.stdin, self._process.stdout
        if said is None or heard is None:
            raise OSError("the other interpreter has no pipes")
        said.write(msgspec.json.encode(question) + b"\n")
        said.flush()
        line = heard.readline().decode().strip()
        if not line:
            raise OSError("the other interpreter has died")
        return line

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


_open: dict[tuple[str, ...], Elsewhere] = {}


def ask_elsewhere(question: Question) -> str:
    """The digest in another interpreter, which is started once. Raises OSError."""
    key = tuple(COMMAND)
    if key not in _open:
        _open[key] = Elsewhere(key)
        atexit.register(_open[key].close)
    return _open[key].ask(question)


def serve(said: IO[bytes], heard: IO[bytes], judge: Callable[[Question], str] = answer) -> None:
    """Answer line by line until there is none."""
    for line in said:
        heard.write(judge(msgspec.json.decode(line, type=Question)).encode() + b"\n")
        heard.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
