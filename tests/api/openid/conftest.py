"""One served university for a module; each test draws its own offers, requests and keys."""

from collections.abc import Iterator

import pytest

from tests.api.openid.university import PUBLIC, University, serve_university
from tests.api.openid.wallet import Wallet


@pytest.fixture(scope="module")
def university(tmp_path_factory: pytest.TempPathFactory) -> Iterator[University]:
    with serve_university(tmp_path_factory.mktemp("university")) as served:
        yield served


@pytest.fixture
def wallet(university: University) -> Iterator[Wallet]:
    university.late_ms = 0
    made = Wallet(university.url, PUBLIC)
    with made.http:
        yield made
