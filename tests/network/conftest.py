"""Fixtures: a league of four that a whole file of tests shares, and hurts in turn."""

from collections.abc import Iterator

import pytest

from tests.network.league import NetworkLeague, running_league


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkLeague]:
    """Four nodes, running and open for trade. Each test leaves all four running."""
    with running_league(tmp_path_factory.mktemp("network")) as running:
        yield running
