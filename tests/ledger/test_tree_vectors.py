"""Frozen trees and proofs: our bytes stay the same, and the official ICS-23 module agrees."""

import json
from pathlib import Path

import msgspec
import pytest

from hansa.ledger.tree import MemoryBuckets, StateTree
from hansa.ledger.tree_proof import ProofError, StateProof, verify_state_proof

FOLDER = Path(__file__).parents[1] / "vectors" / "tree"
VECTORS = json.loads((FOLDER / "proofs.json").read_text())
VERDICTS = json.loads((FOLDER / "verdicts.json").read_text())
CASES = {case["name"]: case for case in VECTORS["cases"]}
NAMES_OF_TRUE = [name for name in CASES if ": has " in name]


def open_tree(name: str) -> StateTree:
    tree = next(tree for tree in VECTORS["trees"] if tree["name"] == name)
    records = {key.encode(): value.encode() for key, value in tree["records"].items()}
    store = MemoryBuckets()
    opened = StateTree(store)
    delta = opened.compute(records.items())
    store.write(delta.buckets)
    opened.apply(delta, 1)
    assert opened.root.hex() == tree["root"]
    return opened


@pytest.mark.parametrize("name", NAMES_OF_TRUE)
def test_proofs_are_the_frozen_bytes(name: str) -> None:
    case = CASES[name]
    proof = open_tree(name.split(":")[0]).prove(case["state_key"].encode(), 1)
    assert proof == msgspec.convert(case["state_proof"], StateProof)
    assert proof.to_ics23().hex() == case["proof"]


def test_our_verifier_agrees_with_every_case() -> None:
    assert len(CASES) == len(VECTORS["cases"])
    for case in CASES.values():
        proof = msgspec.convert(case["state_proof"], StateProof)
        assert proof.to_ics23().hex() == case["proof"]
        record = None if case["record"] is None else case["record"].encode()
        try:
            verify_state_proof(
                bytes.fromhex(case["root"]), case["state_key"].encode(), record, proof
            )
            verdict = True
        except ProofError:
            verdict = False
        true_of_nothing = case["name"].startswith("empty: has no ")
        assert verdict == (case["expected"] or true_of_nothing), case["name"]


def test_official_ics23_module_agrees_with_every_case() -> None:
    assert VERDICTS["module"].startswith("github.com/cosmos/ics23/go v0.")
    assert VERDICTS["verdicts"] == {name: case["expected"] for name, case in CASES.items()}
    assert sum(VERDICTS["verdicts"].values()) > 30
