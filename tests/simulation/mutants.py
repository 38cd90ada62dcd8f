"""Faults planted into the product, one at a time: each must be found by the simulator.

The import hook of the child replaces text that must occur exactly once, so that a mutant cannot go
stale unseen.
"""

from typing import Final, NamedTuple

# Seeds of a profile that may be needed to find one.
SEEDS_MAX: Final = 12


class Mutant(NamedTuple):
    """In `module`, `old` becomes `new`; runs of `profile` find it, by one of `checkers`."""

    name: str
    module: str
    old: str
    new: str
    profile: str
    checkers: tuple[str, ...]


MUTANTS = (
    Mutant(
        "M1 skip the fsync",
        "hansa.node.storage",
        "result.delta.replaced\n        self._store.commit(batch)\n",
        "result.delta.replaced\n        self._store.write(batch)\n",
        "crash",
        ("C2",),
    ),
    Mutant(
        "M2 shown too early",
        "hansa.node.storage",
        "self._hidden, self._buckets.hidden = before, result.delta.replaced",
        "self._hidden, self._buckets.hidden = {}, {}",
        "calm",
        ("C9",),
    ),
    Mutant(
        "M3 two writes",
        "hansa.node.storage",
        "            write_position(batch, position)\n            sealed = ",
        "            own = self._store.batch()\n"
        "            write_position(own, position)\n"
        "            self._store.commit(own)\n"
        "            sealed = ",
        "crash",
        ("C5", "C13"),
    ),
    Mutant(
        "M4 forget the cursor",
        "hansa.index.store",
        ".values(height=height)",
        ".values(height=before)",
        "calm",
        ("C8",),
    ),
    Mutant(
        "M5 accept an expired id",
        "hansa.ledger.admission",
        "if payload.expiry < height:",
        "if payload.expiry + 3 < height:",
        "calm",
        ("C6",),
    ),
    Mutant(
        "M6 hash order",
        "hansa.ledger.execution",
        "results_hash, deadlines, tuple(seen))",
        "results_hash, deadlines, tuple(set(seen)))",
        "calm",
        ("C3",),
    ),
    Mutant(
        "M7 ids lost in state sync",
        "hansa.node.restore",
        "        self._write_seen()\n        batch",
        "        batch",
        "sync",
        ("C1", "C2", "C6"),
    ),
    Mutant(
        "M8 admissions outlive the block",
        "hansa.node.application",
        "        self._admissions = Admissions(head.height + 1)\n",
        "",
        "calm",
        ("C4", "C6"),
    ),
    Mutant(
        "M9 own clock in the vote",
        "hansa.node.abci_handler",
        "request.txs, read_ms(request.time)\n        )\n        if fault is None",
        "request.txs, self._clock()\n        )\n        if fault is None",
        "network",
        ("C4",),
    ),
    Mutant(
        "M10 all votes count",
        "hansa.node.abci_handler",
        "if each.block_id_flag == validator_pb2.BLOCK_ID_FLAG_COMMIT",
        "if each.block_id_flag != validator_pb2.BLOCK_ID_FLAG_ABSENT",
        "network",
        ("C3",),
    ),
    Mutant(
        "M11 chunk not proved",
        "hansa.node.snapshot_format",
        "if root != part.root:",
        "if False:",
        "sync",
        ("C11",),
    ),
    Mutant(
        "M12 promise forgotten",
        "hansa.node.snapshots",
        "self._promised.get(each, now) > now",
        "self._promised.get(each, now) < now",
        "sync",
        ("C12",),
    ),
    Mutant(
        "M13 swap not ended",
        "hansa.node.storage",
        "            settle_swap(folder)\n",
        "            pass\n",
        "sync",
        ("C5", "C13"),
    ),
    Mutant(
        "M14 first commit kept",
        "hansa.node.sealing",
        "if before is not None and before.commit.hash() != seal.header.last_commit_hash:",
        "if False:",
        "calm",
        ("C7",),
    ),
    Mutant(
        "M15 proof of the unsealed",
        "hansa.node.storage",
        "height = min(self.sealed - 1, self.height)\n            version",
        "height = self.height\n            version",
        "calm",
        ("C7",),
    ),
    Mutant(
        "M16 deletions not cached",
        "hansa.node.record_cache",
        "self._old.pop(key, None)\n                self._keep(key, value)",
        "self._old.pop(key, None)\n                if value is not None:\n"
        "                    self._keep(key, value)",
        "crash",
        ("C1", "C7", "C9"),
    ),
    Mutant(
        "M17 remembered before verified",
        "hansa.ledger.admission",
        "    for (_account, key), signature in zip(signers, transaction.signatures",
        "    if verified is not None:\n        verified.add(transaction, keys, messages)\n"
        "    for (_account, key), signature in zip(signers, transaction.signatures",
        "network",
        ("C4", "C6"),
    ),
    Mutant(
        "M18 a rejected message leaves traces",
        "hansa.ledger.execution",
        "message.contract, message.body)\n    except Rejection as rejection:\n",
        "message.contract, message.body)\n    except Rejection as rejection:\n"
        "        layer.fold(overlay)\n",
        "calm",
        ("C10",),
    ),
    Mutant(
        "M19 pool not given again",
        "hansa.node.feeder",
        "self._take_back(lambda _since: True)",
        "pass",
        "network",
        ("C12",),
    ),
    Mutant(
        "M20 spoilt copy drops the true one",
        "hansa.node.ledger_node",
        "if self._pool.holds(identity, data) and self._pool.discard([identity]):",
        "if self._pool.discard([identity]):",
        "network",
        ("C12",),
    ),
)
