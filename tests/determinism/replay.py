"""Executes recorded leagues again in this interpreter and prints the digest of each, one a line.

`--collect N`: the collector of garbage looks after every N allocations (0: never). `--memory KB`:
so much address space is left when all is imported; whoever needs more gets a MemoryError.
"""

import argparse
import gc
import resource
from pathlib import Path

import msgspec

from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.state import MemoryState
from hansa.testing.simulation.reference import compute_digest
from tests.determinism.record import Recorded, build_known_registry


def replay(recorded: Recorded, known: Registry) -> str:
    """The digest of executing every block from genesis."""
    genesis = recorded.genesis
    registry = Registry([known.latest[each.application] for each in genesis.activations])
    state = MemoryState()
    state.apply_genesis(compute_genesis_changes(genesis, registry), genesis.time_ms)
    results = []
    for block in recorded.blocks:
        result = execute_block(state, block, registry)
        state.apply(block, result)
        results.append(result)
    return compute_digest(results)


def limit_memory(kilobytes: int) -> None:
    """Let this process map so much more and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + kilobytes * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Replay a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--collect", type=int, default=-1)
    parser.add_argument("--memory", type=int, default=0)
    given = parser.parse_args()
    known = build_known_registry()
    if given.collect >= 0:
        gc.set_threshold(given.collect)
    if given.memory:
        limit_memory(given.memory)
    for path in sorted(given.folder.glob("*.json")):
        recorded = msgspec.json.decode(path.read_bytes(), type=Recorded)
        print(path.name, replay(recorded, known), flush=True)


if __name__ == "__main__":
    main()
