"""The Merkle tree of RFC 6962: against its published roots, its definition, and tampered proofs."""

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.crypto.merkle import (
    EMPTY_ROOT,
    LEAVES_MAX,
    PATH_STEPS_MAX,
    MerkleError,
    MerkleProof,
    MerkleStep,
    compute_root_from_path,
    compute_root_from_proof,
    merkle_path,
    merkle_paths,
    merkle_proof,
    merkle_root,
)

# Leaves and roots of RFC 6962's reference test (certificate-transparency, merkle_tree_test.cc).
REFERENCE_LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
REFERENCE_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

Tree = tuple[list[bytes], int]
leaf_lists = st.lists(st.binary(max_size=40), min_size=1, max_size=40)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    leaves = draw(leaf_lists)
    return leaves, draw(st.integers(0, len(leaves) - 1))


def define_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + define_root(leaves[:split]) + define_root(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_root_is_the_published_one(size: int) -> None:
    assert merkle_root(REFERENCE_LEAVES[:size]).hex() == REFERENCE_ROOTS[size - 1]


def test_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert merkle_root([]) == EMPTY_ROOT == sha256(b"").digest()


@given(leaf_lists)
def test_root_is_the_defined_one(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == define_root(leaves)


@given(trees())
def test_proof_and_path_lead_to_the_root(tree: Tree) -> None:
    leaves, index = tree
    root = merkle_root(leaves)
    assert compute_root_from_proof(leaves[index], merkle_proof(leaves, index)) == root
    assert compute_root_from_path(leaves[index], merkle_path(leaves, index)) == root


@given(trees(), st.binary(max_size=40))
def test_another_leaf_does_not_lead_to_the_root(tree: Tree, other: bytes) -> None:
    leaves, index = tree
    if other != leaves[index]:
        found = compute_root_from_proof(other, merkle_proof(leaves, index))
        assert found != merkle_root(leaves)


@given(trees(), st.data())
def test_every_change_of_a_path_is_noticed(tree: Tree, data: st.DataObject) -> None:
    leaves, index = tree
    path = merkle_path(leaves, index)
    root = merkle_root(leaves)
    for at, step in enumerate(path):
        bit = data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(step.hash, "big") ^ (1 << bit)).to_bytes(32, "big")
        turned = "left" if step.side == "right" else "right"
        sibling_is_equal = step.hash == _node_below(leaves[index], path[:at])
        for other in (MerkleStep(flipped, step.side), MerkleStep(step.hash, turned)):  # type: ignore[arg-type]
            changed = (*path[:at], other, *path[at + 1 :])
            same = other.hash == step.hash and sibling_is_equal
            assert (compute_root_from_path(leaves[index], changed) == root) is same


def _node_below(leaf: bytes, path: tuple[MerkleStep, ...]) -> bytes:
    return compute_root_from_path(leaf, path)


@given(trees())
def test_wrong_number_of_aunts_is_refused(tree: Tree) -> None:
    leaves, index = tree
    proof = merkle_proof(leaves, index)
    longer = msgspec.structs.replace(proof, aunts=(*proof.aunts, bytes(32)))
    with pytest.raises(MerkleError):
        compute_root_from_proof(leaves[index], longer)
    if proof.aunts:
        with pytest.raises(MerkleError):
            compute_root_from_proof(
                leaves[index], msgspec.structs.replace(proof, aunts=proof.aunts[:-1])
            )


@pytest.mark.parametrize(
    ("total", "index"),
    [(0, 0), (1, 1), (3, 3), (3, -1), (-1, 0), (-1, -2), (LEAVES_MAX + 1, 0), (2**80, 2**79)],
)
def test_index_outside_the_tree_is_refused(total: int, index: int) -> None:
    with pytest.raises(MerkleError):
        compute_root_from_proof(b"leaf", MerkleProof(total=total, index=index, aunts=()))


@pytest.mark.parametrize("index", [-1, 3])
def test_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(MerkleError):
        merkle_proof([b"a", b"b", b"c"], index)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_hash_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(MerkleError):
        compute_root_from_proof(b"leaf", MerkleProof(total=2, index=0, aunts=(bytes(size),)))
    with pytest.raises(MerkleError):
        compute_root_from_path(b"leaf", (MerkleStep(bytes(size), "left"),))


def test_endless_path_is_refused() -> None:
    step = MerkleStep(bytes(32), "left")
    with pytest.raises(MerkleError):
        compute_root_from_path(b"leaf", (step,) * (PATH_STEPS_MAX + 1))


def test_an_inner_node_is_no_leaf() -> None:
    leaves = [b"a", b"b", b"c", b"d"]
    left = merkle_root(leaves[:2])
    right = merkle_root(leaves[2:])
    assert merkle_root([left, right]) != merkle_root(leaves)


def test_trees_of_different_size_have_different_roots() -> None:
    roots = list(map(merkle_root, ([b"x"] * size for size in range(1, 66))))
    assert len(set(roots)) == len(roots)


@given(leaf_lists)
def test_all_paths_at_once_are_the_paths_one_by_one(leaves: list[bytes]) -> None:
    assert merkle_paths(leaves) == [merkle_path(leaves, at) for at in range(len(leaves))]
    assert merkle_paths([]) == []
