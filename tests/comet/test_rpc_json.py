"""CometBFT's JSON, read exactly or refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.comet.rpc_json import (
    FormatFault,
    format_time,
    parse_commit_answer,
    parse_time,
    parse_validators_answer,
)
from hansa.comet.wire import ZERO_TIME, Timestamp


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-11-22T08:20:01.1Z", 1_795_335_601_100_000_000),
        ("2026-11-22T08:20:01.000000001Z", 1_795_335_601_000_000_001),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, ns: int) -> None:
    assert parse_time(text) == Timestamp.from_ns(ns)


def test_gos_zero_time_is_ours() -> None:
    assert parse_time("0001-01-01T00:00:00Z") == ZERO_TIME


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_a_time_written_is_the_time_read(time_ms: int) -> None:
    assert parse_time(format_time(time_ms)) == Timestamp.from_ms(time_ms)
    assert not format_time(time_ms).endswith("0Z") or "." not in format_time(time_ms)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "2026-11-22T08:20:01",
        "2026-11-22T08:20:01+00:00",
        "2026-11-22T08:20:01.Z",
        "2026-11-22T08:20:01.1234567890Z",
        "2026-11-22T08:20:01.-1Z",
        "2026-11-22T08:20:01.²Z",
        "2026-13-22T08:20:01Z",
        "2026-11-22 08:20:01Z",
    ],
)
def test_other_forms_of_time_are_refused(text: str) -> None:
    with pytest.raises(FormatFault):
        parse_time(text)


ID = {"hash": "AA" * 32, "parts": {"total": 1, "hash": "bb" * 32}}
ANSWER: dict[str, Any] = {
    "signed_header": {
        "header": {
            "version": {"block": "11"},
            "chain_id": "lone-1",
            "height": "2",
            "time": "2026-11-22T08:20:01Z",
            "last_block_id": ID,
            **dict.fromkeys(
                (
                    "last_commit_hash",
                    "data_hash",
                    "validators_hash",
                    "next_validators_hash",
                    "consensus_hash",
                    "app_hash",
                    "last_results_hash",
                    "evidence_hash",
                ),
                "00" * 32,
            ),
            "proposer_address": "11" * 20,
        },
        "commit": {
            "height": "2",
            "round": 0,
            "block_id": ID,
            "signatures": [
                {
                    "block_id_flag": 1,
                    "validator_address": "",
                    "timestamp": "0001-01-01T00:00:00Z",
                    "signature": None,
                }
            ],
        },
    },
    "canonical": True,
}


def replaced(path: str, value: object) -> bytes:
    """The answer with another value at one place."""
    document = json.loads(json.dumps(ANSWER))
    *way, last = path.split(".")
    place = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    return json.dumps(document).encode()


def test_a_whole_answer_is_read() -> None:
    header, commit = parse_commit_answer(json.dumps(ANSWER).encode())
    assert (header.version.block, header.version.app, header.height) == (11, 0, 2)
    assert commit.block_id == header.last_block_id
    assert commit.signatures[0].signature == b""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("signed_header.header.height", 2),
        ("signed_header.header.height", "٢"),
        ("signed_header.header.height", "9" * 30),
        ("signed_header.header.app_hash", "0"),
        ("signed_header.header.app_hash", "zz"),
        ("signed_header.header.app_hash", "é"),
        ("signed_header.header.time", "now"),
        ("signed_header.header", None),
        ("signed_header.commit.round", "0"),
        ("signed_header.commit.signatures", {}),
        ("signed_header.commit.signatures.0.signature", "%%%"),
        ("signed_header.commit.signatures.0.block_id_flag", None),
    ],
)
def test_answers_of_another_form_are_refused(path: str, value: object) -> None:
    with pytest.raises(FormatFault):
        parse_commit_answer(replaced(path, value))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b'{"validators":null}', b"\xff"])
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    for parse in (parse_commit_answer, parse_validators_answer):
        with pytest.raises(FormatFault):
            parse(data)


def test_a_validators_key_of_another_kind_is_refused() -> None:
    key = {"type": "tendermint/PubKeySecp256k1", "value": "AA=="}
    page = {"validators": [{"pub_key": key, "voting_power": "1"}], "count": "1", "total": "1"}
    with pytest.raises(FormatFault, match="Secp256k1"):
        parse_validators_answer(json.dumps(page).encode())
