"""The process that is killed: a node on a home, under the shim.

Started once; forks for each run, so that a run costs no import. Reads one JSON order a line, prints
what the run reports (`committed <id> <height>`), then `ended <wait status>`.
"""

import ctypes
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from hansa.comet.validators import ValidatorSet
from hansa.ledger.blocks import Block, BlockResult
from hansa.node import blocks, key_value, storage
from hansa.node.blocks import BlockHead, Seal
from hansa.node.key_value import Batch, KeyValueStore
from hansa.node.ledger_node import LedgerNode
from tests.crash.storage_runs import run_blocks, run_restore
from tests.node.league import ToyLeague

# Small enough that sorted files and logs are written and dropped within a run.
WRITE_BUFFER = 48 * 1024


def commit_without_sync(store: KeyValueStore, batch: Batch) -> None:
    """Planted: written, never synced."""
    store._database.write(batch.inner)


_commit = KeyValueStore.commit


def commit_block_in_two_writes(
    self: storage.Storage,
    block: Block,
    result: BlockResult,
    seal: Seal | None,
    validators: ValidatorSet | None = None,
) -> BlockHead:
    """Planted: the block and the position first, the state after them."""
    first = self._store.batch()
    for key, value in blocks.encode_parts(blocks.build_head(block, result), block, result):
        first.put("blocks", key, value)
    position = storage.Position(block.height, block.time_ms, result.state_root)
    storage.write_position(first, position)
    self._write_places(first, block.height, result)
    _commit(self._store, first)
    return _commit_block(self, block, result, seal, validators)


_commit_block = storage.Storage.commit_block


def plant(fault: str) -> None:
    """Break the engine on purpose, or (no name) leave it as it is."""
    if fault == "no_sync":
        KeyValueStore.commit = commit_without_sync
    elif fault == "two_writes":
        storage.Storage.commit_block = commit_block_in_two_writes
    elif fault:
        raise ValueError(fault)


def run(order: dict[str, Any]) -> None:
    """One run, in the forked child. Never returns when it is killed."""
    home = Path(order["home"])
    key_value.WRITE_BUFFER_BYTES = WRITE_BUFFER
    plant(order["fault"])
    league = ToyLeague(home)
    shim = ctypes.CDLL(None)
    shim.hansa_shim_start(
        order["root"].encode(), order["journal"].encode(), ctypes.c_long(order["kill_at"])
    )
    if order["create"]:
        league.create()
        print("created", flush=True)
        return
    if order.get("restore"):
        run_restore(home, Path(order["restore"]))
    elif order.get("roots"):
        run_blocks(home, [bytes.fromhex(root) for root in order["roots"]])
    else:
        run_node(order, league)
    shim.hansa_shim_count.restype = ctypes.c_long
    print("changes", shim.hansa_shim_count(), flush=True)


def run_node(order: dict[str, Any], league: ToyLeague) -> None:
    """A node that commits the transactions of the order."""
    home = Path(order["home"])
    transactions = [line.encode() for line in Path(order["transactions"]).read_text().splitlines()]
    with LedgerNode.open(home, league.registry) as node:
        for start in range(0, len(transactions), order["group"]):
            ids = [node.submit(data) for data in transactions[start : start + order["group"]]]
            for each in ids:
                status = node.wait(each, 60)
                print(status.state, each, status.height, flush=True)


def run_and_exit(run: Callable[[dict[str, Any]], None], order: dict[str, Any]) -> None:
    """The forked child: it never returns into the parent's loop."""
    status = 1
    try:
        run(order)
        status = 0
    finally:
        if status:
            print("failed", repr(sys.exc_info()[1]), flush=True)
        os._exit(status)


def serve_orders(run: Callable[[dict[str, Any]], None]) -> None:
    """Fork for each order, and say how the child ended."""
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            run_and_exit(run, order)
        _pid, status = os.waitpid(pid, 0)
        # On a line of its own, whatever the killed run left unfinished.
        print(f"\nended {status}", flush=True)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    serve_orders(run)
