"""A throw-away PostgreSQL for one measurement, where this is a checkout with the tool for it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, make_url

import hansa
from hansa.cli.bench.peers import BenchFault

TOOL: Final = Path(hansa.__file__).parents[2] / "tools" / "postgres.py"
_STOP_S: Final = 60


@contextmanager
def open_postgres() -> Iterator[str]:
    """URL of a server that ends with this. Raises BenchFault where there is none."""
    if not TOOL.is_file():
        raise BenchFault(
            "there is no PostgreSQL to measure", "name an empty database: --database URL"
        )
    server = subprocess.Popen(  # noqa: S603  (our own interpreter and tool)
        [sys.executable, str(TOOL)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if server.stdin is None or server.stdout is None:
        raise BenchFault("PostgreSQL has no pipes", "run it again")
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise BenchFault("PostgreSQL did not start", "see what tools/postgres.py says")
        yield url
    finally:
        server.stdin.close()
        server.wait(_STOP_S)


def make_database(server: str, name: str) -> str:
    """A new empty database on the server; its URL."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)
