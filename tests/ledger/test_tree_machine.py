"""Any history of blocks, proofs, candidates and restarts: the tree agrees with its definition.

Three machines: usual buckets; buckets so small that every split and depth is reached; and keys
whose paths share long prefixes, as an attacker would craft them.
"""

from contextlib import ExitStack
from typing import ClassVar
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hansa.ledger import tree_bucket, tree_delta, tree_top
from hansa.ledger.tree import VERSIONS_KEPT, MemoryBuckets, StateTree
from hansa.ledger.tree_bucket import Change, change_entries
from hansa.ledger.tree_proof import ProofError, verify_state_proof
from hansa.ledger.tree_top import Undo
from tests.ledger.tree_reference import crafted_paths, deep_paths, define_root, digest

KEYS = [b"app/kind/%d" % number for number in range(48)]
CRAFTED = {
    key: path
    for bits in (3, 30, 66, 180)
    for key, path in deep_paths(12, bits, seed=b"%d" % bits).items()
}

values = st.sampled_from([b"", b"1", b"record", bytes(200)])


class TreeMachine(RuleBasedStateMachine):
    """Blocks over a few keys, so that inserts, updates, removals and returns all happen."""

    LEAVES, CROWDED = 4, 32
    PATHS: ClassVar[dict[bytes, bytes]] = {}
    reached: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.keys = list(self.PATHS) or KEYS
        self.patches = ExitStack()
        self.patches.enter_context(crafted_paths(self.PATHS))
        self.patches.enter_context(patch.object(tree_delta, "BUCKET_LEAVES_MAX", self.LEAVES))
        self.patches.enter_context(patch.object(tree_delta, "BUCKET_CROWDED", self.CROWDED))

    @initialize()
    def open_empty(self) -> None:
        self.store = MemoryBuckets()
        self.tree = StateTree(self.store)
        self.height = 0
        self.history: list[tuple[int, dict[bytes, bytes], bytes]] = [(0, {}, self.tree.root)]

    @property
    def records(self) -> dict[bytes, bytes]:
        return self.history[-1][1]

    @rule(data=st.data(), gap=st.integers(1, 3))
    def block(self, data: st.DataObject, gap: int) -> None:
        changes = data.draw(
            st.lists(
                st.tuples(st.sampled_from(self.keys), st.none() | values), min_size=0, max_size=30
            )
        )
        self.reached.update(
            {
                ("insert" if key not in self.records else "update")
                if value is not None
                else ("remove" if key in self.records else "remove nothing")
                for key, value in changes
            }
            or {"empty block"}
        )
        self.commit(changes, gap)

    @rule(keep=st.integers(0, 2))
    def remove_nearly_all(self, keep: int) -> None:
        self.reached.add("remove nearly all")
        self.commit([(key, None) for key in sorted(self.records)[keep:]], 1)

    def commit(self, changes: list[tuple[bytes, bytes | None]], gap: int) -> None:
        delta = self.tree.compute(changes)
        self.store.write(delta.buckets)
        self.height += gap
        self.tree.apply(delta, self.height)
        records = dict(self.records)
        for key, value in changes:
            if value is None:
                records.pop(key, None)
            else:
                records[key] = value
        self.history.append((self.height, records, self.tree.root))
        del self.history[: -VERSIONS_KEPT - 1]

    @rule(data=st.data())
    def candidate_that_is_dropped(self, data: st.DataObject) -> None:
        changes = data.draw(
            st.dictionaries(st.sampled_from(self.keys), st.none() | values, max_size=30)
        )
        wanted = {**self.records, **changes}
        expected = {key: value for key, value in wanted.items() if value is not None}
        assert self.tree.compute(changes.items()).root == define_root(expected, self.PATHS)

    @rule()
    def open_again(self) -> None:
        self.reached.add("open again")
        self.tree = StateTree(self.store, self.height)
        del self.history[:-1]

    @rule(mask=st.integers(1, 2**48 - 1), value=values)
    def fill(self, mask: int, value: bytes) -> None:
        chosen = [key for number, key in enumerate(self.keys) if mask >> number & 1]
        self.commit([(key, value) for key in chosen], 1)

    @rule(data=st.data())
    def prove_kept_version(self, data: st.DataObject) -> None:
        place = len(self.history) - 1 - data.draw(st.integers(0, len(self.history) - 1))
        first, records, root = self.history[place]
        last = self.history[place + 1][0] - 1 if place + 1 < len(self.history) else first
        height = data.draw(st.integers(first, last))
        for key in [*self.keys, b"never/there"]:
            self.check_proof(root, key, records.get(key), height)

    def check_proof(self, root: bytes, key: bytes, value: bytes | None, height: int) -> None:
        proof = self.tree.prove(key, height)
        verify_state_proof(root, key, value, proof)
        for wrong in (b"other record", None if value is not None else b""):
            with pytest.raises(ProofError):
                verify_state_proof(root, key, wrong, proof)
        absence = self.describe(proof.left, proof.right)
        self.reached.add(absence if value is None else "presence")

    @staticmethod
    def describe(left: object, right: object) -> str:
        return (
            f"absence {'after a leaf ' if left else ''}{'before a leaf' if right else ''}".strip()
        )

    @precondition(lambda self: hasattr(self, "history"))
    @invariant()
    def root_is_the_definitions(self) -> None:
        assert self.tree.root == define_root(self.records, self.PATHS)
        assert self.tree.leaves == len(self.records)

    def teardown(self) -> None:
        self.patches.close()


class SmallBuckets(TreeMachine):
    LEAVES, CROWDED = 1, 1
    reached: ClassVar[set[str]] = set()


class CraftedKeys(TreeMachine):
    LEAVES, CROWDED = 1, 2
    PATHS = CRAFTED
    reached: ClassVar[set[str]] = set()


ALL = {
    *("insert", "update", "remove", "remove nothing", "empty block", "remove nearly all"),
    *("open again", "presence", "absence", "absence after a leaf", "absence before a leaf"),
    "absence after a leaf before a leaf",
}


def run(machine: type[TreeMachine], phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    machine.reached.clear()
    chosen = settings(
        max_examples=30,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=phases,
    )
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.parametrize("machine", [TreeMachine, SmallBuckets, CraftedKeys])
def test_any_history_agrees_with_the_definition(machine: type[TreeMachine]) -> None:
    run(machine)
    print(machine.__name__, sorted(machine.reached))
    assert machine.reached == ALL


def hash_always(left: bytes, one: int, right: bytes, other: int) -> tuple[bytes, int]:
    return digest(b"\x01" + left + right), one + other


def set_only(entries: list[bytes], changes: list[Change]) -> bool:
    return change_entries(entries, [change for change in changes if change[1] is not None])


MUTANTS = {
    "a single leaf is not lifted to the top": (tree_delta, "combine", hash_always),
    "empty siblings are not hashed": (tree_bucket, "_lift", lambda node, way, levels: node),
    "removal is forgotten": (tree_delta, "change_entries", set_only),
    "old hashes are forgotten": (Undo, "get_hash", lambda undo, node: None),
    "a restart forgets the inner nodes": (tree_top, "_load_inner_nodes", lambda top: None),
}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_machines_find_a_planted_mutant(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MUTANTS[mutant])
    with pytest.raises((AssertionError, ProofError, ExceptionGroup)):
        for machine in (SmallBuckets, CraftedKeys, TreeMachine):
            run(machine, phases=(Phase.generate,))
