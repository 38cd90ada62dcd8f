"""Light verification against the verdicts of CometBFT's own light package."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.comet.light import (
    Expired,
    InvalidLightBlock,
    LightBlock,
    NotEnoughTrust,
    Rules,
    TrustLevel,
    find_path,
    follow,
    is_linked,
    verify,
)
from hansa.comet.wire import Timestamp

FILE = Path(__file__).parents[1] / "vectors" / "comet" / "light.json"
REFUSALS = {
    "expired": Expired,
    "not enough trust": NotEnoughTrust,
    "invalid": InvalidLightBlock,
}


@cache
def vectors() -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(FILE.read_bytes())
    return decoded


@cache
def block(place: int) -> LightBlock:
    return msgspec.convert(vectors()["blocks"][place], LightBlock)


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


def test_vectors_are_of_the_pinned_release() -> None:
    assert vectors()["source"] == "github.com/cometbft/cometbft v0.39.4"


@pytest.mark.parametrize("case", vectors()["steps"], ids=name_of)
def test_a_step_is_judged_as_cometbft_does(case: dict[str, Any]) -> None:
    """Where CometBFT stops reading once it has enough votes, ours must all hold (`whole`)."""
    rules = Rules(
        trust_period_s=case["period_s"],
        clock_drift_s=case["drift_s"],
        level=TrustLevel(*case["level"]),
    )
    trusted, now = block(case["trusted"]).trusted(), Timestamp(**case["now"])
    expected = REFUSALS.get(case["verdict"], None if case["whole"] else InvalidLightBlock)
    if expected is None:
        verify(trusted, block(case["untrusted"]), now=now, rules=rules)
    else:
        with pytest.raises(expected):
            verify(trusted, block(case["untrusted"]), now=now, rules=rules)


def test_vectors_hold_every_verdict() -> None:
    found = {(case["verdict"], case["whole"]) for case in vectors()["steps"]}
    assert found >= {(verdict, True) for verdict in (*REFUSALS, "holds")}
    assert ("holds", False) in found


@pytest.mark.parametrize("case", vectors()["paths"], ids=name_of)
def test_a_path_is_found_where_cometbft_finds_one_and_is_no_longer(case: dict[str, Any]) -> None:
    blocks = [block(place) for place in case["blocks"]]
    first, last = blocks[0], blocks[-1]
    asked: list[int] = []

    def fetch(height: int) -> LightBlock:
        asked.append(height)
        return blocks[height - 1]

    path = find_path(fetch, first.trusted(), last, length_max=len(blocks))
    now = Timestamp(last.header.time.seconds + 60, 0)
    assert case["holds"]
    assert follow(first.trusted(), [*path, last], now=now) == last.trusted()
    assert len(path) <= len(case["asked"]) - 1
    assert len(asked) <= (len(path) + 1) * len(blocks).bit_length()
    # No step could have led one height further.
    for one, two in pairwise([first, *path]):
        assert not is_linked(one.trusted(), blocks[two.header.height])


def test_a_chain_that_never_changed_needs_no_headers() -> None:
    case = next(each for each in vectors()["paths"] if each["name"] == "never changed")
    blocks = [block(place) for place in case["blocks"]]

    def fetch(_height: int) -> LightBlock:
        raise AssertionError

    assert find_path(fetch, blocks[0].trusted(), blocks[-1], length_max=0) == ()


def test_an_earlier_header_does_not_follow_whatever_its_time() -> None:
    made = block(vectors()["paths"][0]["blocks"][2])
    early = Timestamp(made.header.time.seconds - 100, 0)
    for height in (3, 4, 99):
        trusted = msgspec.structs.replace(made.trusted(), height=height, time=early)
        with pytest.raises(InvalidLightBlock, match="not later than the trusted height"):
            verify(trusted, made, now=made.header.time)


def test_a_vote_that_is_there_twice_counts_for_nothing() -> None:
    """Also where votes are only counted, to find a way."""
    first, *_others, fifth = (block(vectors()["paths"][0]["blocks"][at]) for at in range(5))
    known = {each.address for each in first.validators}
    votes = [entry for entry in fifth.commit.signatures if entry.address in known]
    doubled = msgspec.structs.replace(fifth.commit, signatures=(votes[0], *votes, votes[0]))
    with pytest.raises(InvalidLightBlock, match="twice"):
        is_linked(first.trusted(), msgspec.structs.replace(fifth, commit=doubled))


@pytest.mark.parametrize("level", [(0, 1), (1, 4), (2, 1), (1, 0), (-1, -3)])
def test_trust_level_below_a_third_or_above_all(level: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="trust level"):
        TrustLevel(*level)
