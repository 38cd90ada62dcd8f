"""Digests of the read model's tables: equal when, and only when, every row is the same."""

import hashlib

from sqlalchemy import Connection, select

from hansa.encoding.canonical import encode_canonical
from hansa.index.store import Index


def compute_digests(index: Index) -> dict[str, str]:
    """Table -> SHA-256 (hex) over its rows in the order of their keys; equal in every database."""
    with index.reading() as connection:
        tables = index.tables.metadata.tables
        return {name: _digest_table(connection, index, name) for name in sorted(tables)}


def _digest_table(connection: Connection, index: Index, name: str) -> str:
    table = index.tables.metadata.tables[name]
    query = select(table).order_by(*table.primary_key.columns)
    digest = hashlib.sha256()
    for row in connection.execute(query.execution_options(yield_per=1000)):
        digest.update(encode_canonical(list(row)) + b"\n")
    return digest.hexdigest()
