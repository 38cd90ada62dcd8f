"""Many rows in few statements: executemany in SQLite, one JSON parameter in PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, text

Row = tuple[Any, ...]
_json = msgspec.json.Encoder()


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, given in the order of the table's columns."""
    _write(connection, table, rows, suffix="")


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or replace those with the same key."""
    keys = _quote(column.name for column in table.primary_key.columns)
    updates = ", ".join(
        f'"{column.name}" = excluded."{column.name}"'
        for column in table.columns
        if not column.primary_key
    )
    _write(connection, table, rows, suffix=f" ON CONFLICT ({keys}) DO UPDATE SET {updates}")


def delete_keys(connection: Connection, table: Table, keys: Sequence[str]) -> None:
    """Delete all rows whose column `key` is one of `keys`."""
    if not keys:
        return
    if connection.dialect.name == "sqlite":
        statement = f'DELETE FROM {table.name} WHERE "key" = ?'  # noqa: S608 - our own names
        connection.exec_driver_sql(statement, [(key,) for key in keys])
        return
    statement = (
        f'DELETE FROM {table.name} WHERE "key" IN '  # noqa: S608 - our own names
        "(SELECT json_array_elements_text(CAST(:keys AS json)))"
    )
    connection.execute(text(statement), {"keys": _json.encode(keys).decode()})


def delete_versions(connection: Connection, table: Table, keys: Sequence[str], height: int) -> None:
    """Delete the rows of `keys` at one height."""
    if not keys:
        return
    statement = f'DELETE FROM {table.name} WHERE "height" = {int(height)} AND "key"'  # noqa: S608
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"{statement} = ?", [(key,) for key in keys])
        return
    chosen = "(SELECT json_array_elements_text(CAST(:keys AS json)))"
    connection.execute(text(f"{statement} IN {chosen}"), {"keys": _json.encode(keys).decode()})


def _write(connection: Connection, table: Table, rows: Sequence[Row], *, suffix: str) -> None:
    if not rows:
        return
    names = [column.name for column in table.columns]
    into = f"INSERT INTO {table.name} ({_quote(names)})"
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _name in names)
        connection.exec_driver_sql(f"{into} VALUES ({places}){suffix}", list(rows))
        return
    types = ", ".join(
        f'"{column.name}" {"bigint" if column.type.python_type is int else "text"}'
        for column in table.columns
    )
    # WHERE true keeps ON CONFLICT from being read as a join condition.
    select = f"SELECT {_quote(names)} FROM json_to_recordset(CAST(:rows AS json)) AS r({types})"  # noqa: S608
    values = [dict(zip(names, row, strict=True)) for row in rows]
    statement = f"{into} {select} WHERE true{suffix}"
    connection.execute(text(statement), {"rows": _json.encode(values).decode()})


def _quote(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
