"""Fixtures: one league per worker, one browser while tests of this package run, visitors."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.console.browsing import Visitor, run_chromium
from tests.console.league import ConsoleLeague, run_league


@pytest.fixture(scope="session")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleLeague]:
    """A league with gateway and console on a free port, until the worker ends."""
    with run_league(tmp_path_factory.mktemp("console")) as league:
        yield league


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Chromium. Not for the session: Playwright keeps the thread's event loop to itself, and
    tests of other packages run their own.
    """
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def visitor(chromium: Browser, league: ConsoleLeague) -> Iterator[Visitor]:
    """Opens pages; at the end none of them may have broken its policy or failed."""
    visitor = Visitor(chromium, league)
    yield visitor
    visitor.close()
