"""The embedded engine follows the governed validator set, as CometBFT does: two heights later."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.comet.commit import ABSENT, COMMIT, verify_commit
from hansa.comet.validators import compute_validators_hash
from hansa.ledger.system import Liveness, get_system
from hansa.node.embedded import EmbeddedEngine
from hansa.node.faults import EngineError, ForeignFolderError, NodeStoppedError
from hansa.node.home import create_home, write_validator_key
from hansa.node.ledger_node import LedgerNode
from hansa.testing.chain import make_key
from tests.node.comet_league import CometLeague


class EmbeddedLeague(CometLeague):
    """One embedded node; the others are only names."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 1, observers=3)

    def create_embedded(self) -> None:
        create_home(self.home(1), self.genesis, self.validator_key(1), self.registry)


@pytest.fixture
def league(tmp_path: Path) -> EmbeddedLeague:
    made = EmbeddedLeague(tmp_path / "homes")
    made.create_embedded()
    return made


@pytest.fixture
def node(league: EmbeddedLeague) -> Iterator[LedgerNode]:
    with league.open() as running:
        yield running


def settle(node: LedgerNode, *data: bytes) -> int:
    for each in data:
        status = node.wait(node.submit(each), 30)
        assert status.state == "committed" and status.height is not None
    return status.height


def check_sets(node: LedgerNode) -> None:
    for height in range(1, node.height + 1):
        seal, validators = node.seal(height), node.validators_at(height)
        verify_commit(node.chain, validators, seal.commit.block_id, height, seal.commit)
        if height > 1:
            before = node.header(height - 1)
            assert seal.header.validators_hash == before.next_validators_hash


def test_a_change_holds_two_heights_later(node: LedgerNode, league: EmbeddedLeague) -> None:
    height = settle(node, league.set_power(2, 4))
    settle(node, league.count_up(), league.count_up())
    assert [len(node.validators_at(height + step)) for step in (0, 1, 2)] == [1, 1, 2]
    hashes = [node.header(height + step).next_validators_hash for step in (0, 1)]
    assert hashes[0] != hashes[1] == compute_validators_hash(node.validators)
    flags = [each.flag for each in node.commit(height + 2).signatures]
    assert sorted(flags) == [ABSENT, COMMIT]
    check_sets(node)


def test_the_set_survives_a_restart_at_every_step(league: EmbeddedLeague) -> None:
    for data in (
        league.set_power(2, 3),
        league.set_power(3, 1),
        league.set_power(2, 0),
        league.set_power(1, 20),
    ):
        with league.open() as node:
            settle(node, data)
        with league.open() as node:
            check_sets(node)
            settle(node, league.count_up())
            check_sets(node)


def test_a_stop_between_a_change_and_its_effect(
    league: EmbeddedLeague, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the process died right after the block: the next header still names the old set."""
    with monkeypatch.context() as patch:
        node = league.open()
        patch.setattr(EmbeddedEngine, "_wait_for_work", lambda engine: not engine._needs_seal)
        identity = node.submit(league.set_power(2, 4))
        with pytest.raises(NodeStoppedError):
            node.wait(identity, 10)
        node.close()
    with league.open() as node:
        settle(node, league.count_up(), league.count_up())
        check_sets(node)
        assert len(node.validators) == 2


def test_without_two_thirds_it_stops_with_a_sentence(league: EmbeddedLeague) -> None:
    with league.open() as node:
        height = settle(node, league.set_power(2, 5))
        identity = node.submit(league.count_up())
        with pytest.raises(NodeStoppedError, match="10 of 15"):
            node.wait(identity, 10)
            node.wait(node.submit(league.count_up()), 10)
        assert isinstance(node.failure, EngineError) and "CometBFT" in node.failure.cure
        assert node.height == height + 1
    with pytest.raises(EngineError, match="10 of 15"):
        league.open()


def test_a_replaced_key_goes_on_with_the_new_one(league: EmbeddedLeague) -> None:
    with league.open() as node:
        settle(node, league.set_power(2, 3))
        settle(node, league.count_up())
    path = league.home(1) / "keys" / "validator.json"
    path.unlink()
    write_validator_key(path, make_key("a stranger"))
    with pytest.raises(ForeignFolderError):
        league.open()
    path.unlink()
    write_validator_key(path, league.validator_key(1))
    with league.open() as node:
        settle(node, league.set_power(2, 100))
    path.unlink()
    write_validator_key(path, league.validator_key(2))
    with league.open() as node:
        settle(node, league.count_up(), league.count_up())
        check_sets(node)


def test_blocks_say_who_signed_the_one_before(node: LedgerNode, league: EmbeddedLeague) -> None:
    height = settle(node, league.count_up())
    assert node.block(1).votes.signers == ()
    height = settle(node, league.count_up())
    assert node.block(height).votes.signers == (league.address(1),)
    found = get_system(node.state, Liveness, "validators")
    assert found is not None
    assert [each.address for each in found.signed] == [league.address(1).hex()]
