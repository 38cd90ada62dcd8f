"""Write `proofs.json`: trees, proofs of our own in both forms, and false ones that a verifier must
refuse.

Usage, from the repository: .venv/bin/python tests/vectors/tree/generate/make_proofs.py >
tests/vectors/tree/proofs.json
"""

import json
from collections.abc import Iterator

import msgspec

from hansa.crypto.hashing import sha256
from hansa.ledger.tree import MemoryBuckets, StateTree
from hansa.ledger.tree_proof import Neighbour, StateProof

# `vector/deep/<n>` whose paths share 33 bits: found by trying, kept so that nobody has to again.
DEEP = (227183, 299068)


def make_trees() -> dict[str, dict[bytes, bytes]]:
    """State keys and records of each tree."""

    def numbered(count: int) -> dict[bytes, bytes]:
        return {b"vector/kind/%d" % n: b'{"n":%d,"v":1}' % n for n in range(count)}

    return {
        "empty": {},
        "one": numbered(1),
        "two": numbered(2),
        "five": numbered(5),
        "hundred": numbered(100),
        "deep": {b"vector/deep/%d" % n: b"{}" for n in DEEP} | numbered(3),
    }


def build(records: dict[bytes, bytes]) -> StateTree:
    store = MemoryBuckets()
    tree = StateTree(store)
    delta = tree.compute(records.items())
    store.write(delta.buckets)
    tree.apply(delta, 1)
    return tree


def make_cases(
    name: str, tree: StateTree, records: dict[bytes, bytes]
) -> Iterator[dict[str, object]]:
    """True proofs of a tree; then false ones, marked `expected: false`."""
    present = list(dict.fromkeys(sorted(records)[:4] + sorted(records)[-2:]))
    for key in present:
        proof = tree.prove(key, 1)
        yield describe(f"{name}: has {key.decode()}", tree.root, key, records[key], proof, True)
        yield describe(
            f"{name}: other record of {key.decode()}", tree.root, key, b"x", proof, False
        )
        yield describe(
            f"{name}: {key.decode()} under another root",
            sha256(b"x"),
            key,
            records[key],
            proof,
            False,
        )
        yield describe(
            f"{name}: presence of {key.decode()} as absence", tree.root, key, None, proof, False
        )
    for key in choose_absent(tree):
        proof = tree.prove(key, 1)
        # An empty tree has no ICS-23 proof: its verifiers say no.
        yield describe(f"{name}: has no {key.decode()}", tree.root, key, None, proof, bool(records))
        yield describe(
            f"{name}: {key.decode()} absent under another root",
            sha256(b"x"),
            key,
            None,
            proof,
            False,
        )
        for other in present[:2]:
            forged = msgspec.structs.replace(proof, key=tree.prove(other, 1).key)
            yield describe(
                f"{name}: {other.decode()} by the neighbours of {key.decode()}",
                tree.root,
                other,
                None,
                forged,
                False,
            )
    yield from skip_a_leaf(name, tree, records)


def choose_absent(tree: StateTree) -> list[bytes]:
    """Absent keys: one for each shape of proof that the tree has, and two more."""
    chosen: dict[tuple[bool, bool], bytes] = {}
    keys = [b"vector/absent/%d" % n for n in range(400)]
    for key in keys:
        proof = tree.prove(key, 1)
        chosen.setdefault((proof.left is None, proof.right is None), key)
    return list(dict.fromkeys([*chosen.values(), *keys[:2]]))


def skip_a_leaf(
    name: str, tree: StateTree, records: dict[bytes, bytes]
) -> Iterator[dict[str, object]]:
    """True leaves on both sides of a present key, shown as if they were neighbours."""
    ordered = sorted(records, key=lambda key: sha256(sha256(key)))
    for before, key, after in list(zip(ordered, ordered[1:], ordered[2:], strict=False))[:4]:
        left, right = tree.prove(before, 1), tree.prove(after, 1)
        paths = [int.from_bytes(sha256(sha256(one)), "big") for one in (before, after)]
        fork = 256 - (paths[0] ^ paths[1]).bit_length()
        forged = StateProof(
            tree.prove(key, 1).key,
            None,
            left.siblings[:fork],
            Neighbour(left.key, left.value or "", left.siblings[fork + 1 :]),
            Neighbour(right.key, right.value or "", right.siblings[fork + 1 :]),
        )
        yield describe(
            f"{name}: {key.decode()} left out between leaves", tree.root, key, None, forged, False
        )


def describe(
    name: str, root: bytes, key: bytes, record: bytes | None, proof: StateProof, expected: bool
) -> dict[str, object]:
    return {
        "name": name,
        "root": root.hex(),
        "state_key": key.decode(),
        "record": None if record is None else record.decode(),
        "key": sha256(key).hex(),
        "value": "" if record is None else sha256(record).hex(),
        "proof": proof.to_ics23().hex(),
        "state_proof": msgspec.to_builtins(proof),
        "expected": expected,
    }


def make_document() -> dict[str, object]:
    trees: list[dict[str, object]] = []
    cases: list[dict[str, object]] = []
    for name, records in make_trees().items():
        tree = build(records)
        texts = {key.decode(): value.decode() for key, value in sorted(records.items())}
        trees.append({"name": name, "root": tree.root.hex(), "records": texts})
        cases += make_cases(name, tree, records)
    return {"trees": trees, "cases": cases}


if __name__ == "__main__":
    print(json.dumps(make_document(), indent=1))
