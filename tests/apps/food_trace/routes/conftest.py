"""One served league for the tests of a module."""

from collections.abc import Iterator

import httpx
import pytest

from tests.apps.food_trace.routes.serving import Served, serve


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A league with a service key of the farm."""
    with serve(tmp_path_factory.mktemp("epcis") / "home", ("127.0.0.1",)) as running:
        running.make_service_key()
        yield running


@pytest.fixture(scope="module")
def scanner(league: Served) -> Iterator[httpx.Client]:
    """A program that may capture."""
    with league.client(league.issue("scanner")) as client:
        yield client
