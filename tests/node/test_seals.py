"""Seals may come after their blocks: what is provable is what is sealed, at every moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from hansa.comet.validators import Validator, compute_validators_hash, sort_validators
from hansa.ledger.blocks import Block, BlockResult, Misbehaviour
from hansa.ledger.rejections import InvariantViolation
from hansa.ledger.tree import VERSIONS_KEPT
from hansa.node.storage import Storage
from hansa.testing.chain import make_key
from tests.node.states import (
    CHAIN,
    IDENTITY,
    VALIDATORS,
    check_proof,
    grow,
    make_records,
    make_seal,
    make_storage,
    seal_to,
)

KEY = b"app/kind/x"


class Run:
    """A storage and the roots of all its heights; the record KEY tells the height."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.storage = make_storage(folder, make_records(30))
        self.roots = [self.storage.root]

    def grow(self, count: int = 1) -> None:
        for _ in range(count):
            changes = {KEY: b"%d" % (self.storage.height + 1), b"app/kind/y": None}
            grow(self.storage, changes, [b"t%d" % self.storage.height])
            self.roots.append(self.storage.root)

    def grow_empty(self) -> None:
        grow(self.storage, {})
        self.roots.append(self.storage.root)

    def seal(self, height: int) -> None:
        seal_to(self.storage, height, self.roots)

    def reopen(self) -> None:
        self.storage.close()
        self.storage = Storage(self.folder, IDENTITY)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "data")


def test_nothing_is_proved_before_the_first_seal(run: Run) -> None:
    run.grow(2)
    with pytest.raises(LookupError):
        run.storage.prove(KEY)
    run.seal(1)
    assert check_proof(run.storage, KEY, None) == 0


@pytest.mark.parametrize("ahead", range(0, 11))
def test_proof_is_of_the_newest_sealed_state_however_far_blocks_are_ahead(
    run: Run, ahead: int
) -> None:
    run.grow(3)
    run.seal(3)
    run.grow(ahead)
    assert check_proof(run.storage, KEY, b"2") == 2
    run.seal(3 + ahead)
    assert check_proof(run.storage, KEY, b"%d" % (2 + ahead) if ahead else b"2") == 2 + ahead
    assert check_proof(run.storage, b"app/kind/00000007", make_records(30)[b"app/kind/00000007"])


def test_seal_that_comes_before_its_block_proves_the_last_state(run: Run) -> None:
    run.grow(2)
    run.seal(3)
    assert check_proof(run.storage, KEY, b"2") == 2
    run.grow()
    assert check_proof(run.storage, KEY, b"2") == 2


def test_blocks_too_far_ahead_are_said_and_made_good_by_seals(run: Run) -> None:
    run.grow(1)
    run.seal(1)
    run.grow(VERSIONS_KEPT + 3)
    with pytest.raises(LookupError):
        run.storage.prove(KEY)
    run.seal(run.storage.height - 2)
    assert check_proof(run.storage, KEY, b"%d" % (run.storage.height - 3))


def test_empty_blocks_change_nothing_also_after_a_restart(run: Run) -> None:
    run.grow(2)
    run.grow_empty()
    run.seal(3)
    run.reopen()
    assert run.storage.sealed == 3
    assert check_proof(run.storage, KEY, b"2") == 2
    run.grow_empty()
    run.grow()
    assert check_proof(run.storage, KEY, b"2") == 2


def test_state_that_a_restart_forgot_is_not_proved_until_the_next_seal(run: Run) -> None:
    run.grow(4)
    run.seal(4)
    run.reopen()
    with pytest.raises(LookupError):
        run.storage.prove(KEY)
    run.seal(5)
    assert check_proof(run.storage, KEY, b"4") == 4


def test_sealed_is_without_a_gap_and_found_again(run: Run) -> None:
    run.grow(6)
    for height in (2, 3, 5, 1, 3):
        run.storage.put_seal(make_seal(height, run.roots[height - 1]), VALIDATORS)
    assert run.storage.sealed == 3
    run.reopen()
    assert run.storage.sealed == 3
    run.storage.put_seal(make_seal(4, run.roots[3]))
    assert run.storage.sealed == 5
    run.reopen()
    assert run.storage.sealed == 5 and run.storage.seal(6) is None
    assert run.storage.seal(5) == make_seal(5, run.roots[4])


def test_validators_are_kept_once_by_their_hash(run: Run) -> None:
    run.grow(2)
    first = make_seal(1, run.roots[0])
    with pytest.raises(InvariantViolation, match="known or given"):
        run.storage.put_seal(first)
    other = sort_validators([Validator(make_key("other").public.raw, 5)])
    with pytest.raises(InvariantViolation, match="header names"):
        run.storage.put_seal(first, other)
    assert run.storage.sealed == 0
    run.storage.put_seal(first, VALIDATORS)
    run.storage.put_seal(make_seal(2, run.roots[1]))
    digest = compute_validators_hash(VALIDATORS)
    assert run.storage.validators(digest) == VALIDATORS
    assert run.storage.validators(bytes(32)) is None
    run.reopen()
    assert run.storage.validators(digest) == VALIDATORS


def test_seal_of_another_chain_of_blocks_is_refused(run: Run) -> None:
    run.grow(2)
    run.seal(1)
    with pytest.raises(InvariantViolation, match="that of its block"):
        run.storage.put_seal(make_seal(2, run.roots[1], time_ms=7))
    with pytest.raises(InvariantViolation, match="state of the block before"):
        run.storage.put_seal(make_seal(3, bytes(32)))
    assert run.storage.sealed == 1


def test_final_commit_takes_the_place_of_the_one_seen_first(run: Run) -> None:
    run.grow(2)
    run.seal(2)
    seal = make_seal(1, run.roots[0])
    final = replace(seal, commit=replace(seal.commit, round=1))
    run.storage.put_seal(final)
    assert run.storage.seal(1) == final and run.storage.sealed == 2


def test_stored_block_can_be_executed_again_with_its_votes(run: Run) -> None:
    delta = run.storage.tree.compute(())
    evil = Misbehaviour("duplicate_vote", bytes(20), 3, 1, 5, 9)
    block = Block(CHAIN, 1, 2 * 10**12, bytes(32), (), (b"a" * 20, b"b" * 20), (evil,))
    run.storage.commit_block(block, BlockResult((), (), (), delta.root, delta, bytes(32)), None)
    run.reopen()
    stored = run.storage.block(1)
    assert stored is not None and stored.decided(CHAIN) == block


def test_proofs_hold_while_blocks_and_seals_come(run: Run) -> None:
    """Each value, proof and header that a reader sees belong to one height."""
    run.grow(2)
    run.seal(2)

    def work() -> None:
        for number in range(150):
            run.grow()
            run.seal(run.storage.height - number % 7)

    proved = set()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        while not working.done():
            value, _proof, height = run.storage.prove(KEY)
            assert value == b"%d" % height
            proved.add(check_proof(run.storage, b"app/kind/y", None))
        working.result()
    assert len(proved) > 10
