"""Chains of every release give the same hashes for ever."""

from pathlib import Path

import msgspec
import pytest

from hansa import __version__
from hansa.catalog import load_applications
from hansa.ledger.blocks import BlockResult
from hansa.ledger.contracts import get_version
from hansa.testing.simulation.reference import compute_digest
from tests.golden.chains import FOLDER, SUFFIX, GoldenChain, load, replay

pytestmark = pytest.mark.slow

FILES = sorted(FOLDER.glob(f"*{SUFFIX}"))
REACHED = (
    "e_invoice",
    "food_trace",
    "schemas",
    "accreditations",
    "credentials",
    "evidence",
    "mandates",
    "consents",
)


def check(chain: GoldenChain) -> None:
    results: list[BlockResult] = []
    for result in replay(chain.genesis, (each.block for each in chain.blocks)):
        golden = chain.blocks[len(results)]
        found = (result.state_root.hex(), result.results_hash.hex())
        assert found == (golden.root, golden.results), f"block {golden.block.height}"
        results.append(result)
    assert compute_digest(results) == chain.digest


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_golden_chains_replay_to_the_same_hashes(path: Path) -> None:
    file = load(path)
    assert path.stat().st_size < 300_000
    for chain in file.chains:
        check(chain)


def test_this_release_has_golden_chains_of_all_its_messages() -> None:
    covered = {
        word for chain in load(FOLDER / f"{__version__}{SUFFIX}").chains for word in chain.covered
    }
    declared = {
        f"type {application.name}/{message.__name__}/{get_version(message)}"
        for application in load_applications()
        if application.name in REACHED
        for message in application.messages
        if not message.INTERNAL
    }
    assert sorted(declared - covered) == []


def test_a_block_that_was_changed_is_noticed() -> None:
    """The canary: one byte of one transaction, and the hashes are others."""
    chain = load(FILES[-1]).chains[0]
    at = next(n for n, each in enumerate(chain.blocks) if each.block.transactions)
    golden = chain.blocks[at]
    first, *rest = golden.block.transactions
    spoilt = msgspec.structs.replace(golden.block, transactions=(first[:-2] + b"AA", *rest))
    blocks = list(chain.blocks)
    blocks[at] = msgspec.structs.replace(golden, block=spoilt)
    with pytest.raises(AssertionError):
        check(msgspec.structs.replace(chain, blocks=tuple(blocks)))
