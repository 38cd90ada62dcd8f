"""Throwing the read model's database away, whatever became of it: the blocks make it anew.

Removes the SQLite file, or drops the tables, of this chain's read model; never another chain's.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, inspect
from sqlalchemy.engine import make_url

from hansa.index.faults import DAMAGED, FOREIGN, IndexFault, map_database_errors
from hansa.index.shape import Shape
from hansa.index.store import Index, create_database_engine

# What SQLite keeps beside a database.
_BESIDE: Final = ("", "-wal", "-shm", "-journal")


def open_or_renew(url: str, shape: Shape, chain: str) -> tuple[Index, bool]:
    """Open as `Index.open` does; a damaged file is replaced. Returns whether it was."""
    try:
        return Index.open(url, shape, chain), False
    except IndexFault as fault:
        if fault.code != DAMAGED:
            raise
    return renew(url, shape, chain), True


def renew(url: str, shape: Shape, chain: str) -> Index:
    """An empty read model in place of what is there. Raises IndexFault: another chain's, no room.

    No other process may use it.
    """
    try:
        Index.open(url, shape, chain).close()
    except IndexFault as fault:
        if fault.code == FOREIGN:
            raise
    engine = create_database_engine(url)
    try:
        with map_database_errors():
            if engine.dialect.name == "sqlite":
                _remove_files(url)
            else:
                _drop_tables(engine, shape, chain)
    finally:
        engine.dispose()
    return Index.open(url, shape, chain)


def _remove_files(url: str) -> None:
    database = make_url(url).database or ""
    for suffix in _BESIDE:
        Path(database + suffix).unlink(missing_ok=True)


def _drop_tables(engine: Engine, shape: Shape, chain: str) -> None:
    own = Index(engine, shape, chain).tables.metadata
    present = set(inspect(engine).get_table_names())
    with engine.begin() as connection:
        for name in sorted(present & set(own.tables)):
            quoted = engine.dialect.identifier_preparer.quote_identifier(name)
            connection.exec_driver_sql(f"DROP TABLE {quoted} CASCADE")
