"""Fixtures of the read model's tests: the databases, each fresh and empty."""

from tests.index.databases import database, postgres, postgres_url, sqlite_url

__all__ = ["database", "postgres", "postgres_url", "sqlite_url"]
