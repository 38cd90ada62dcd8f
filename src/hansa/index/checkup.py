"""A look at the read model's database from outside: is it whole, whose is it, how far is it.

Reads only; makes no table, and no file unless SQLite needs its own to read what was not yet merged.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, inspect, literal, select
from sqlalchemy.engine import make_url

from hansa.index.faults import DAMAGED, FOREIGN, IndexFault, map_database_errors
from hansa.index.schema import Tables
from hansa.index.shape import Shape
from hansa.index.store import create_database_engine

_REBUILD = "stop the league and run: hansa index rebuild DIR"


def check_index(url: str, shape: Shape, chain: str, *, deep: bool = False) -> int | None:
    """Height that the read model has followed; None: there is none, or an older release's.

    `deep` also has SQLite check every page. Raises IndexFault: damaged, another chain's, away.
    """
    engine = _open_for_reading(url)
    if engine is None:
        return None
    try:
        with map_database_errors(), engine.connect() as connection:
            return _check(connection, Tables(shape), shape, chain, deep=deep)
    finally:
        engine.dispose()


def _open_for_reading(url: str) -> Engine | None:
    """Connections that cannot write; None when there is no file."""
    usual = create_database_engine(url)
    if usual.dialect.name != "sqlite":
        return usual
    file = Path(make_url(url).database or "").absolute()
    if not file.exists():
        return None
    # A database at rest is read without the files that SQLite keeps beside one in use.
    log = file.with_name(file.name + "-wal")
    rest = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return create_engine(f"sqlite:///{file.as_uri()}?mode=ro&uri=true{rest}")


def _check(
    connection: Connection, tables: Tables, shape: Shape, chain: str, *, deep: bool
) -> int | None:
    present = set(inspect(connection).get_table_names())
    if not present:
        return None
    if tables.progress.name not in present:
        raise IndexFault(DAMAGED, "the read model does not say how far it is", _REBUILD)
    found = connection.execute(select(tables.progress)).mappings().one_or_none()
    if found is None:
        return None
    if found["chain"] != chain:
        raise IndexFault(
            FOREIGN,
            f"the read model is that of chain {found['chain']}, not of {chain}",
            "give this league a database (or SQLite file) of its own",
        )
    if found["shape"] != shape.digest:
        return None  # an older release's: the next start makes it anew
    missing = sorted(set(tables.metadata.tables) - present)
    if missing:
        raise IndexFault(DAMAGED, f"the read model lacks the table {missing[0]}", _REBUILD)
    for table in tables.metadata.tables.values():
        connection.execute(select(literal(1)).select_from(table).limit(1)).all()
    if deep and connection.dialect.name == "sqlite":
        said = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
        if said != "ok":
            raise IndexFault(DAMAGED, f"the read model's file is damaged ({said})", _REBUILD)
    return int(found["height"])
