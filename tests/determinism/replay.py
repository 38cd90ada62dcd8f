"""Executes recorded leagues again in this interpreter and prints the digest of each, one a line."""

import sys
from pathlib import Path

import msgspec

from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.state import MemoryState
from tests.determinism.record import Recorded, build_known_registry, compute_digest


def replay(recorded: Recorded) -> str:
    """The digest of executing every block from genesis."""
    genesis = recorded.genesis
    known = build_known_registry()
    registry = Registry([known.latest[each.application] for each in genesis.activations])
    state = MemoryState()
    state.apply_genesis(compute_genesis_changes(genesis, registry), genesis.time_ms)
    results = []
    for block in recorded.blocks:
        result = execute_block(state, block, registry)
        state.apply(block, result)
        results.append(result)
    return compute_digest(results)


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        print(path.name, replay(msgspec.json.decode(path.read_bytes(), type=Recorded)))
