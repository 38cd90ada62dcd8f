"""Fixtures of the gateway's tests: one served league per module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.league import League, serve_league
from tests.index.databases import postgres

__all__ = ["league", "postgres"]


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[League]:
    """A league of parcel senders, served."""
    folder: Path = tmp_path_factory.mktemp("gateway") / "home"
    with serve_league(folder) as running:
        yield running
