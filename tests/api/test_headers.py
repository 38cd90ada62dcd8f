"""Headers that a gateway puts into files: as few as lead there, found once, and only its own."""

from typing import NamedTuple

import pytest

from hansa.api.headers import HeaderPaths
from hansa.api.problems import Refusal
from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.light import LightBlock, follow, trust_genesis
from hansa.comet.validators import ValidatorSet
from hansa.comet.wire import Timestamp
from hansa.crypto.signatures import PublicKey
from hansa.encoding.text import encode_base64url
from hansa.ledger.genesis import Genesis, GenesisValidator
from tests.comet.test_light_vectors import block, vectors


class Kept(NamedTuple):
    """The headers that a node has: those of a chain made by CometBFT, from `first` on."""

    blocks: list[LightBlock]
    first: int
    asked: list[int]

    @property
    def chain(self) -> str:
        return str(vectors()["chain"])

    @property
    def sealed_height(self) -> int:
        return len(self.blocks)

    @property
    def genesis(self) -> Genesis:
        first = self.blocks[0]
        return Genesis(
            activations=(),
            chain=self.chain,
            contracts={},
            kind="hansa.genesis/1",
            time_ms=first.header.time.ms - 1,
            validators=tuple(
                GenesisValidator(PublicKey("EdDSA", encode_base64url(v.public_key)), v.power)
                for v in first.validators
            ),
        )

    def heights(self) -> tuple[int, int]:
        return self.first, len(self.blocks)

    def _at(self, height: int) -> LightBlock:
        if not self.first <= height <= len(self.blocks):
            raise LookupError
        return self.blocks[height - 1]

    def header(self, height: int) -> Header:
        self.asked.append(height)
        return self._at(height).header

    def commit(self, height: int) -> Commit:
        return self._at(height).commit

    def validators_at(self, height: int) -> ValidatorSet:
        return self._at(height).validators


def keep(name: str, first: int = 1) -> Kept:
    case = next(each for each in vectors()["paths"] if each["name"] == name)
    return Kept([block(place) for place in case["blocks"]], first, [])


def open_paths(kept: Kept) -> HeaderPaths:
    return HeaderPaths(kept)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [each["name"] for each in vectors()["paths"]])
def test_headers_lead_from_genesis_to_every_height(name: str) -> None:
    kept = keep(name)
    paths = open_paths(kept)
    last = kept.blocks[-1].header.time
    now = Timestamp(last.seconds + 60, 0)
    start = trust_genesis(
        kept.chain, Timestamp.from_ms(kept.genesis.time_ms), kept.blocks[0].validators
    )
    for target in kept.blocks:
        headers = paths.find(target, 0)
        assert follow(start, [*headers, target], now=now) == target.trusted()
        for height in range(1, target.header.height):
            root = kept.blocks[height - 1].trusted()
            led = paths.find(target, height)
            assert follow(root, [*led, target], now=now) == target.trusted()


def test_what_was_found_is_not_searched_again() -> None:
    kept = keep("turnover")
    paths = open_paths(kept)
    found = paths.find(kept.blocks[-1], 0)
    assert found
    kept.asked.clear()
    assert paths.find(kept.blocks[-1], 0) == found
    assert kept.asked == []


def test_no_headers_where_validators_never_changed() -> None:
    kept = keep("never changed", first=9)
    assert open_paths(kept).find(kept.blocks[-1], 0) == ()
    assert kept.asked == []


def test_nothing_leads_to_a_header_that_is_not_later() -> None:
    kept = keep("turnover")
    for trusted in (5, 6, 99):
        assert open_paths(kept).find(kept.blocks[4], trusted) == ()


def test_a_node_without_the_old_headers_says_so() -> None:
    kept = keep("turnover", first=6)
    paths = open_paths(kept)
    with pytest.raises(Refusal) as refused:
        paths.find(kept.blocks[-1], 0)
    assert (refused.value.status, refused.value.code) == (404, "api.header_not_kept")
    assert refused.value.params["first"] == 6
    assert "pin a checkpoint" in refused.value.remedy
    with pytest.raises(Refusal):
        paths.find(kept.blocks[-1], 3)
    # From a checkpoint that it has, it leads on.
    assert len(paths.find(kept.blocks[-1], 6)) <= 2
    with pytest.raises(Refusal) as later:
        paths.load(99)
    assert later.value.code == "api.no_header_yet"
