"""Schemas of credentials and records: content-addressed, versioned, never changed.

Rules and words: `model`, `rejections`. Handlers: `handlers`. There are none at genesis.
"""

from hansa.contracts.schemas.handlers import contract
from hansa.contracts.schemas.invariants import INVARIANTS
from hansa.contracts.schemas.model import (
    Schema,
    SchemaDeprecated,
    SchemaDescribed,
    SchemaLine,
    SchemaPublished,
)
from hansa.contracts.schemas.rejections import SchemasRejection
from hansa.ledger.model import Event, Record

RECORDS: tuple[type[Record], ...] = (
    Schema,
    SchemaLine,
)
EVENTS: tuple[type[Event], ...] = (
    SchemaPublished,
    SchemaDescribed,
    SchemaDeprecated,
)
REJECTION = SchemasRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
