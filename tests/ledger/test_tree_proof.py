"""Proofs of the state tree: true ones hold, and no other: not flipped, moved, mixed or forged."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.encoding.text import decode_base64url, encode_base64url
from hansa.ledger import tree_proof
from hansa.ledger.tree import MemoryBuckets, StateTree
from hansa.ledger.tree_proof import Neighbour, ProofError, StateProof, verify_state_proof
from tests.ledger.tree_reference import EMPTY, digest

ZERO_TEXT = encode_base64url(EMPTY)


@dataclass
class State:
    """A tree of records `key 0` to `key n-1` and the keys in order of their paths."""

    tree: StateTree
    records: dict[bytes, bytes]

    def prove(self, key: bytes) -> StateProof:
        return self.tree.prove(key, 1)

    def check(self, key: bytes, proof: StateProof, value: bytes | None = None) -> None:
        verify_state_proof(self.tree.root, key, value, proof)

    def is_fooled(self, key: bytes, value: bytes | None, proof: StateProof) -> bool:
        try:
            self.check(key, proof, value)
        except ProofError:
            return False
        return True

    def absent(self, count: int) -> list[bytes]:
        return [b"absent %d" % number for number in range(count)]


def make_state(count: int) -> State:
    store = MemoryBuckets()
    tree = StateTree(store)
    records = {b"key %d" % number: b"value %d" % number for number in range(count)}
    delta = tree.compute(records.items())
    store.write(delta.buckets)
    tree.apply(delta, 1)
    return State(tree, records)


def find_absent(state: State, side: str) -> bytes:
    """An absent key whose proof has the neighbours that `side` names."""
    for key in state.absent(5000):
        proof = state.prove(key)
        if (proof.left is not None, proof.right is not None) == ("left" in side, "right" in side):
            return key
    raise AssertionError("no such key")


CASES = [
    *((count, "present") for count in (1, 2, 3, 40)),
    (0, "empty"),
    *((count, side) for count in (1, 2, 40) for side in ("left", "right")),
    *((count, "left and right") for count in (2, 3, 40)),
]


def make_case(count: int, side: str) -> tuple[State, bytes, bytes | None, StateProof]:
    state = make_state(count)
    key = b"key 0" if side == "present" else find_absent(state, side)
    return state, key, state.records.get(key), state.prove(key)


def decode_proof(data: bytes) -> StateProof:
    """As a verifier reads it: canonical bytes, then strict types."""
    try:
        return msgspec.convert(decode_canonical(data, size_max=1_000_000), StateProof)
    except (CanonicalError, msgspec.ValidationError) as error:
        raise ProofError("not a proof") from error


@pytest.mark.parametrize(("count", "side"), CASES)
def test_true_proof_holds_and_travels_as_canonical_json(count: int, side: str) -> None:
    state, key, value, proof = make_case(count, side)
    state.check(key, proof, value)
    assert decode_proof(encode_canonical(proof)) == proof


@pytest.mark.parametrize(("count", "side"), CASES)
def test_every_flipped_bit_turns_yes_into_no(count: int, side: str) -> None:
    state, key, value, proof = make_case(count, side)
    data = encode_canonical(proof)
    for place in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(ProofError):
            state.check(key, decode_proof(bytes(flipped)), value)


@pytest.mark.parametrize(("count", "side"), CASES)
def test_invalid_root_key_or_record(count: int, side: str) -> None:
    state, key, value, proof = make_case(count, side)
    with pytest.raises(ProofError):
        verify_state_proof(digest(b"other root"), key, value, proof)
    for other in [*state.records, *state.absent(20), b""]:
        if other != key:
            assert not state.is_fooled(other, value, proof)
            assert not state.is_fooled(other, state.records.get(other), proof)
    for wrong in (None, b"", b"value 1", digest(b"value 0")):
        if wrong != value:
            assert not state.is_fooled(key, wrong, proof)


def cut_or_grow(proof: StateProof) -> Iterator[StateProof]:
    """The proof with each list of siblings shortened, lengthened, reordered or padded."""

    def lists(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        extra = encode_base64url(digest(b"extra"))
        yield from (texts[:place] + texts[place + 1 :] for place in range(len(texts)))
        yield from (
            (*texts[:place], more, *texts[place:])
            for place in range(len(texts) + 1)
            for more in ("", extra)
        )
        yield texts[::-1]
        yield tuple(text or ZERO_TEXT for text in texts)
        yield texts + ("",) * 300

    yield from (msgspec.structs.replace(proof, siblings=texts) for texts in lists(proof.siblings))
    for side in ("left", "right"):
        neighbour: Neighbour | None = getattr(proof, side)
        if neighbour is not None:
            for texts in lists(neighbour.siblings):
                changed = msgspec.structs.replace(neighbour, siblings=texts)
                yield msgspec.structs.replace(proof, **{side: changed})
    yield msgspec.structs.replace(proof, left=proof.right, right=proof.left)
    yield msgspec.structs.replace(proof, left=None)
    yield msgspec.structs.replace(proof, right=None)


@pytest.mark.parametrize(("count", "side"), CASES)
def test_invalid_lists_of_siblings(count: int, side: str) -> None:
    state, key, value, proof = make_case(count, side)
    for changed in cut_or_grow(proof):
        assert changed == proof or not state.is_fooled(key, value, changed)


@pytest.mark.parametrize(
    "text",
    ["A", "A" * 42, "A" * 44, "A" * 43 + "=", "B" * 43, "é" * 43, "A" * 42 + "+", " " + "A" * 42],
)
def test_invalid_text_of_a_digest(text: str) -> None:
    state, key, value, proof = make_case(40, "present")
    changed = msgspec.structs.replace(proof, siblings=(text, *proof.siblings[1:]))
    assert not state.is_fooled(key, value, changed)
    assert not state.is_fooled(key, value, msgspec.structs.replace(proof, key=text))
    with pytest.raises(ProofError):
        changed.to_ics23()


def list_forged_absences(state: State, key: bytes) -> Iterator[StateProof]:
    """Every pair of true leaves as neighbours of `key`, with their true siblings, cut at every
    fork.
    """
    name = encode_base64url(digest(key))
    present = {
        other: state.prove(other)
        for other in state.records
        if other != key or len(state.records) == 1
    }
    for proof in present.values():
        leaf = Neighbour(proof.key, proof.value or "", proof.siblings)
        yield StateProof(name, None, (), leaf, None)
        yield StateProof(name, None, (), None, leaf)
    for one, other in combinations(present.values(), 2):
        for fork, (left, right) in product(range(len(one.siblings)), [(one, other), (other, one)]):
            yield StateProof(
                name,
                None,
                left.siblings[:fork],
                Neighbour(left.key, left.value or "", left.siblings[fork + 1 :]),
                Neighbour(right.key, right.value or "", right.siblings[fork + 1 :]),
            )
    yield StateProof(name, None, (), None, None)


@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_absence_of_a_present_key_cannot_be_shown(count: int) -> None:
    state = make_state(count)
    for key in list(state.records)[:6]:
        for forged in list_forged_absences(state, key):
            assert not state.is_fooled(key, None, forged)
        for other in state.absent(30):
            forged = msgspec.structs.replace(state.prove(other), key=encode_base64url(digest(key)))
            assert not state.is_fooled(key, None, forged)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 16])
def test_presence_of_an_absent_key_cannot_be_shown(count: int) -> None:
    state = make_state(count)
    for key in state.absent(6):
        for value in (b"", b"value 0"):
            name, content = encode_base64url(digest(key)), encode_base64url(digest(value))
            absent = state.prove(key)
            lists = [state.prove(other).siblings for other in state.records]
            lists += [absent.siblings, ()]
            for neighbour in (absent.left, absent.right):
                if neighbour is not None:
                    lists.append(absent.siblings + neighbour.siblings)
            for siblings in lists:
                assert not state.is_fooled(
                    key, value, StateProof(name, content, siblings, None, None)
                )


def keep_open(checked: Callable[..., bytes]) -> Callable[..., bytes]:
    """A verifier's mutant: leaves between the neighbours are not looked for."""

    def compute_edge(
        neighbour: Neighbour, *, before: bytes | None, after: bytes | None, depth: int
    ) -> bytes:
        path = digest(decode_base64url(neighbour.key))
        if (before is not None and path >= before) or (after is not None and path <= after):
            raise ProofError("a neighbour is on the wrong side")
        return tree_proof._compute_below(neighbour, depth)

    return compute_edge


def forget_sides(checked: Callable[..., bytes]) -> Callable[..., bytes]:
    """A verifier's mutant: neighbours may be on any side of the absent key."""

    def compute_edge(
        neighbour: Neighbour, *, before: bytes | None, after: bytes | None, depth: int
    ) -> bytes:
        last, first = bytes([255]) * 33, b""
        return checked(
            neighbour,
            before=None if before is None else last,
            after=None if after is None else first,
            depth=depth,
        )

    return compute_edge


@pytest.mark.parametrize("mutant", [keep_open, forget_sides])
def test_forgeries_find_a_planted_mutant(
    mutant: Callable[[Callable[..., bytes]], Callable[..., bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_proof, "_compute_edge", mutant(tree_proof._compute_edge))
    state = make_state(16)
    forged = [(key, proof) for key in state.records for proof in list_forged_absences(state, key)]
    forged += [
        (key, msgspec.structs.replace(state.prove(other), key=encode_base64url(digest(key))))
        for key in state.records
        for other in state.absent(30)
    ]
    assert any(state.is_fooled(key, None, proof) for key, proof in forged)


texts = st.sampled_from(["", ZERO_TEXT, "A" * 43, "é", encode_base64url(digest(b"x"))]) | st.text(
    max_size=44
)
neighbours = st.none() | st.builds(Neighbour, texts, texts, st.lists(texts, max_size=4).map(tuple))


@settings(max_examples=300, deadline=None)
@given(
    st.builds(
        StateProof,
        texts,
        st.none() | texts,
        st.lists(texts, max_size=4).map(tuple),
        neighbours,
        neighbours,
    )
)
def test_any_garbage_is_a_proof_error(proof: StateProof) -> None:
    state = make_state(3)
    named = msgspec.structs.replace(proof, key=encode_base64url(digest(b"absent")))
    for candidate in (proof, named):
        assert not state.is_fooled(b"absent", None, candidate)
        assert not state.is_fooled(b"absent", b"value 0", candidate)
        try:
            candidate.to_ics23()
        except ProofError:
            continue


def test_neighbours_disclose_only_digests() -> None:
    state = make_state(40)
    data = encode_canonical(state.prove(b"absent 1")) + state.prove(b"absent 1").to_ics23()
    for secret in [text for pair in state.records.items() for text in pair]:
        assert secret not in data
