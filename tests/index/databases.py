"""Databases of the read model's tests: an SQLite file, and a PostgreSQL server of their own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url

TOOL = Path(__file__).parents[2] / "tools" / "postgres.py"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a throw-away server; a machine without PostgreSQL fails here, it never skips."""
    server = subprocess.Popen(
        [sys.executable, str(TOOL)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None and server.stdout is not None
    url = server.stdout.readline().strip()
    assert url.startswith("postgresql+pg8000://"), "PostgreSQL did not start"
    try:
        yield url
    finally:
        server.stdin.close()
        server.wait(60)


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """URL of an empty database."""
    return make_database(postgres)


def make_database(postgres: str) -> str:
    """A new empty database on the server; its URL."""
    name = f"t{uuid4().hex}"
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(postgres).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a file that is not there yet."""
    return f"sqlite:///{tmp_path}/index.sqlite"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))
