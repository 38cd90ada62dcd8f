"""Fixtures of the node's tests: a toy league in a fresh home folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.node.ledger_node import LedgerNode
from tests.node.league import ToyLeague


@pytest.fixture
def league(tmp_path: Path) -> ToyLeague:
    """A league whose home is made and not open."""
    made = ToyLeague(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def node(league: ToyLeague) -> Iterator[LedgerNode]:
    """The league's node, running."""
    with league.open() as running:
        yield running
