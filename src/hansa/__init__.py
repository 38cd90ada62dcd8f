"""Hansa: the shared ledger of a league of cities."""

__version__ = "0.1.0"
