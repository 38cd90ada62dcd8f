"""Fixtures: a shell with its own home; one league that runs for all tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Shell
from tests.cli.trade import Trade


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder, with no league anywhere."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Shell(tmp_path / "home", folder)


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A running league whose sellers may issue; the shell stands in its folder."""
    base = tmp_path_factory.mktemp("trade")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay")
    with outside.started(base / "bay"):
        inside = Shell(base / "home", base / "bay")
        trade = Trade(inside)
        trade.open()
        yield trade
