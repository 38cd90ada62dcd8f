"""Documents from outside: whatever two readers could see differently is refused by its code."""

import json

import pytest

from hansa.identity.faults import Malformed
from hansa.identity.json_document import (
    DOCUMENT_BYTES_MAX,
    DOCUMENT_DEPTH_MAX,
    parse_document,
)
from hansa.identity.moments import InvalidMoment, format_moment, parse_moment


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a":1,"a":2}', "duplicate_key"),
        (b'{"a":{"b":1,"\\u0062":2}}', "duplicate_key"),
        (b'{"x":"' + b"a" * DOCUMENT_BYTES_MAX + b'"}', "too_large"),
        (b'{"a":' + b"[" * 100_000, "too_deep"),
        (b'{"a":' * DOCUMENT_DEPTH_MAX + b"[1]" + b"}" * DOCUMENT_DEPTH_MAX, "too_deep"),
        (b"\xef\xbb\xbf{}", "wrong_encoding"),
        ('{"a":1}'.encode("utf-16"), "wrong_encoding"),
        ('{"a":1}'.encode("utf-16-le"), "wrong_encoding"),
        (b'{"a":"\xff"}', "wrong_encoding"),
        (b'{"a":"\\ud800"}', "wrong_encoding"),
        (b'{"\\ud800":1}', "wrong_encoding"),
        (b'{"a":9007199254740992}', "number_out_of_range"),
        (b'{"a":' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b'{"a":1e400}', "number_out_of_range"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":Infinity}', "not_json"),
        (b'{"a":1', "not_json"),
        (b'{"a":1}{}', "not_json"),
        (b"{'a':1}", "not_json"),
        (b'{"a":01}', "not_json"),
        (b'{"a":"\n"}', "not_json"),
        (b"", "not_json"),
        (b"[1]", "not_an_object"),
        (b'"text"', "not_an_object"),
    ],
)
def test_refused_by_its_code(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_document(data)
    assert refused.value.code == code


def test_every_beginning_of_a_document_is_refused() -> None:
    data = json.dumps({"a": [1, {"b": "行"}], "c": None}, ensure_ascii=False).encode()
    for size in range(len(data)):
        with pytest.raises(Malformed):
            parse_document(data[:size])


def test_spaces_fractions_brackets_in_texts_and_the_last_depth_are_read() -> None:
    depth = DOCUMENT_DEPTH_MAX
    assert parse_document(b' {"a" : 1.5,\n"b":"' + b"[{" * 99 + b'"}\n')["a"] == 1.5
    assert parse_document(b'{"a":' * depth + b"1" + b"}" * depth)


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2023-02-24T23:36:38Z", 1_677_281_798_000),
        ("2024-02-29T00:00:00+08:00", 1_709_136_000_000),
        ("2000-02-29T12:00:00.5-00:30", 951_827_400_500),
        ("1969-12-31T23:59:59.999Z", -1),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
    ],
)
def test_moments(text: str, at_ms: int) -> None:
    assert parse_moment(text) == at_ms
    assert parse_moment(format_moment(at_ms)) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-22", "2026-11-22T08:00:00", "2026-11-22 08:00:00Z", "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+15:00", "2026-01-01T00:00:00+08:60",
        "2026-01-01T00:00:00.Z", "0000-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z",
        "2026-01-01T00:00:00z", "2026-01-01T00:00:00Z\n", "+2026-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InvalidMoment):
        parse_moment(text)
