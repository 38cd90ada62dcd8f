"""The status of credentials: lists of their issuers, and what stands in them.

Rules and words: `model`. Handlers: `handlers`. There are none at genesis.
"""

from hansa.contracts.credentials.handlers import contract
from hansa.contracts.credentials.invariants import INVARIANTS
from hansa.contracts.credentials.model import (
    CredentialsRejection,
    Status,
    StatusList,
    StatusListOpened,
    StatusReinstated,
    StatusSet,
)
from hansa.ledger.model import Event, Record

RECORDS: tuple[type[Record], ...] = (
    StatusList,
    Status,
)
EVENTS: tuple[type[Event], ...] = (
    StatusListOpened,
    StatusSet,
    StatusReinstated,
)
REJECTION = CredentialsRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
