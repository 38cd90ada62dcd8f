"""The real engine for these tests: installed once per user, of one version or of several."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hansa.comet.install import ENGINE, install_engine
from tests.comet.lone import LoneEngine

VERSIONS = os.environ.get("HANSA_TEST_ENGINES", ENGINE).split()


@pytest.fixture(scope="session", params=VERSIONS)
def engine(request: pytest.FixtureRequest) -> Path:
    """The engine's program; `HANSA_TEST_ENGINES` names versions, each runs all tests."""
    return install_engine(request.param)


@pytest.fixture
def lone(engine: Path, tmp_path: Path) -> Iterator[Callable[..., LoneEngine]]:
    """Makes engines that run alone with CometBFT's own kvstore; all end with the test."""
    with ExitStack() as stack:

        def make(**settings: Any) -> LoneEngine:
            number = len(list(tmp_path.glob("home*")))
            one = LoneEngine(engine, tmp_path / f"home{number}", **settings)
            stack.callback(one.close)
            return one

        yield make
