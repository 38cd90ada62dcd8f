"""What we write as CometBFT's RPC would is read back as the same by what reads its answers."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.comet.commit import ABSENT
from hansa.comet.rpc_answers import write_commit, write_time, write_validators
from hansa.comet.rpc_json import parse_commit_answer, parse_time, parse_validators_answer
from hansa.comet.wire import TIME_SECONDS_MAX, ZERO_TIME, ZERO_TIME_SECONDS, Timestamp
from tests.comet.test_light_vectors import block, vectors


def test_headers_and_votes_are_read_back() -> None:
    flags = set()
    for place in range(len(vectors()["blocks"])):
        made = block(place)
        flags |= {entry.flag for entry in made.commit.signatures}
        written = msgspec.json.encode(write_commit(made.header, made.commit))
        assert parse_commit_answer(written) == (made.header, made.commit)
    assert ABSENT in flags


@pytest.mark.parametrize("per_page", [1, 3, 4, 100])
def test_pages_of_validators_are_the_whole_set(per_page: int) -> None:
    made = block(0)
    found = []
    for page in range(1, -(-len(made.validators) // per_page) + 1):
        answer = write_validators(1, made.validators, page=page, per_page=per_page)
        part, total = parse_validators_answer(msgspec.json.encode(answer))
        assert total == len(made.validators)
        found += part
    assert tuple(found) == made.validators


@given(st.integers(ZERO_TIME_SECONDS, TIME_SECONDS_MAX), st.integers(0, 10**9 - 1))
def test_times_are_read_back(seconds: int, nanos: int) -> None:
    assert parse_time(write_time(Timestamp(seconds, nanos))) == Timestamp(seconds, nanos)


def test_times_are_written_as_go_writes_them() -> None:
    assert write_time(ZERO_TIME) == "0001-01-01T00:00:00Z"
    assert write_time(Timestamp(1_780_000_000, 0)) == "2026-05-28T20:26:40Z"
    assert write_time(Timestamp(1_780_000_000, 120_000_000)) == "2026-05-28T20:26:40.12Z"
    assert write_time(Timestamp(1_780_000_000, 1)) == "2026-05-28T20:26:40.000000001Z"
