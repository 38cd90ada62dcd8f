"""The decoder takes the one canonical form and nothing else, and says why in words that never
vary.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hansa.encoding import canonical
from hansa.encoding.canonical import (
    CanonicalError,
    check_integers,
    decode_canonical,
    decode_typed,
    encode_canonical,
)
from hansa.primitives.limits import DEPTH_MAX, INTEGER_MAX
from tests.encoding.json_reference import Refused, read_reference, write_reference

SIZE_MAX = 1_000_000
VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "encoding" / "canonical.json").read_text("utf-8")
)["cases"]


def decode(data: bytes) -> object:
    return decode_canonical(data, size_max=SIZE_MAX)


def is_refused(data: bytes) -> bool:
    try:
        decode(data)
    except CanonicalError:
        return True
    return False


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_vectors(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    if case["canonical"]:
        assert encode_canonical(decode(data)) == data
        assert read_reference(data) == decode(data)
        return
    with pytest.raises(CanonicalError):
        decode(data)
    with pytest.raises(Refused):
        read_reference(data)


def nest(bytes_open: bytes, inner: bytes, bytes_close: bytes, depth: int) -> bytes:
    return bytes_open * depth + inner + bytes_close * depth


@pytest.mark.parametrize(("before", "after"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_invalid_nesting_beyond_the_limit(before: bytes, after: bytes) -> None:
    assert not is_refused(nest(before, b"1", after, DEPTH_MAX))
    for depth in (DEPTH_MAX + 1, DEPTH_MAX + 2, 100, 900, 5_000):
        with pytest.raises(CanonicalError, match=f"nested deeper than {DEPTH_MAX}"):
            decode(nest(before, b"1", after, depth))


def test_brackets_in_strings_nest_nothing() -> None:
    value = ["[" * 40, "{" * 40, '\\"[', [["]"]]]
    assert decode(encode_canonical(value)) == value


def test_invalid_size_beyond_the_limit() -> None:
    data = encode_canonical("a" * 98)
    assert decode_canonical(data, size_max=100) == "a" * 98
    with pytest.raises(CanonicalError, match="longer than 99 bytes"):
        decode_canonical(data, size_max=99)


def call_deep(depth: int, data: bytes) -> str:
    """What the error says when the caller's stack is `depth` calls deeper."""
    if depth:
        return call_deep(depth - 1, data)
    try:
        decode(data)
    except CanonicalError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("depth", [17, 18, 60, 200, 500, 900, 1000, 3000])
@pytest.mark.parametrize(
    "shape",
    [b"[", b'{"a":', b'["]",', b'[[],"[",', b'{"\xc3\xa9":', b"[1.0,", b'[1,"\\ud800",', b"[[}],"],
)
def test_what_the_error_says_depends_on_the_bytes_alone(depth: int, shape: bytes) -> None:
    """It is in receipts: nodes that call from stacks of other depths must say the same."""
    room = max(50, sys.getrecursionlimit() - 400)
    for data in (shape * depth, shape * depth + b"1", b"[" + shape * depth + b"1.5"):
        said = {call_deep(deeper, data) for deeper in (0, room // 2, room)}
        assert len(said) == 1
        assert said != {""}


def test_hostile_bytes_are_judged_in_linear_time() -> None:
    """Each takes milliseconds; anything quadratic would take hours."""
    for unit in (
        b"[",
        b"[],",
        b'"",',
        b"[[[[[[[[[[]]]]]]]]]],",
        b'"\\',
        b'{"a":',
        b"]",
        b"1",
        b"\\",
    ):
        assert is_refused((unit * SIZE_MAX)[:SIZE_MAX])
        is_refused(b"[" + (unit * SIZE_MAX)[: SIZE_MAX - 2] + b"]")


integers = st.integers(-INTEGER_MAX, INTEGER_MAX) | st.sampled_from([INTEGER_MAX, -INTEGER_MAX])
strings = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | integers | strings,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=40,
)


@given(values)
def test_decoding_what_was_encoded_gives_the_value(value: Any) -> None:
    data = encode_canonical(value)
    assert decode(data) == value
    assert data == write_reference(value)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8")))
@example(b"")
@example(b"\xef\xbb\xbf1")
def test_any_bytes_are_decoded_to_themselves_or_refused(data: bytes) -> None:
    if not is_refused(data):
        assert encode_canonical(decode(data)) == data
        assert read_reference(data) == decode(data)


TOKENS = [
    *(b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\t", b"\r", b'"', b"\\", b"0", b"1", b"-"),
    *(b"-0", b"1.0", b"1e3", b"1E3", b"01", b"9007199254740991", b"9007199254740992", b"1" * 40),
    *(
        b'"a"',
        b'"b"',
        b'"a":1',
        b'"\\u0061"',
        b'"\\ud800"',
        b'"\\u001f"',
        b'"\\b"',
        b'"\x01"',
        b"NaN",
    ),
    *(b'"\xc3\xa9"', b'"\xed\xa0\x80"', b'"\xff"', b"true", b"null", b"Infinity", b"/**/", b"'a'"),
]


@st.composite
def nearly_canonical(draw: st.DrawFn) -> bytes:
    """Canonical bytes with a few pieces put in, taken out or written over."""
    data = encode_canonical(draw(values))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 3)))
        data = data[:start] + draw(st.sampled_from([b"", *TOKENS])) + data[end:]
    return data


@settings(max_examples=500, deadline=None)
@given(nearly_canonical() | st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join))
def test_decoder_and_reference_take_the_same_bytes(data: bytes) -> None:
    try:
        expected = read_reference(data)
    except Refused:
        assert is_refused(data)
        return
    assert decode(data) == expected
    assert encode_canonical(expected) == data


@pytest.mark.parametrize(
    "mutant",
    ["check_value", "form", "order"],
)
def test_reference_finds_a_planted_mutant(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mutant == "check_value":
        monkeypatch.setattr(canonical, "_check_value", lambda value, depth: None)
    elif mutant == "order":
        monkeypatch.setattr(canonical, "_encoder", msgspec.json.Encoder())
    else:
        monkeypatch.setattr(canonical, "_encoder", Echo())
    wrong = [case["name"] for case in VECTORS if is_wrong(case)]
    assert wrong, f"no vector notices {mutant}"


class Echo:
    """An encoder that agrees with everything."""

    def encode(self, value: object) -> "Echo":
        return self

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def is_wrong(case: dict[str, Any]) -> bool:
    return is_refused(bytes.fromhex(case["hex"])) == bool(case["canonical"])


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something with types."""

    count: int
    name: str


@given(values)
def test_typed_decoding_raises_only_its_own_error(value: Any) -> None:
    try:
        decode_typed(encode_canonical(value), Form)
    except CanonicalError:
        return
    assert isinstance(value, dict)


def test_integers_that_we_made_are_checked_too() -> None:
    check_integers(encode_canonical({"a": INTEGER_MAX, "b": "9" * 30}))
    with pytest.raises(CanonicalError):
        check_integers(encode_canonical({"a": [INTEGER_MAX + 1]}))


WIDE = st.recursive(
    st.integers(-(2**63), 2**63) | st.text(max_size=40) | st.just(',12345678901234567:["'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


def has_too_large(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(has_too_large, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and abs(value) > INTEGER_MAX


@given(WIDE)
def test_an_integer_is_found_wherever_it_stands_and_a_text_is_none(value: Any) -> None:
    if has_too_large(value):
        with pytest.raises(CanonicalError):
            check_integers(encode_canonical(value))
    else:
        check_integers(encode_canonical(value))
