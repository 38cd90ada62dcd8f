"""Freezes, seizures, pledges and assignments on records of any application (D16).

Rules and words: `model`. Handlers: `handlers`. There are none at genesis.
"""

from hansa.contracts.holds.handlers import contract
from hansa.contracts.holds.invariants import INVARIANTS
from hansa.contracts.holds.model import (
    HoldEnded,
    HoldPlaced,
    HoldsRejection,
    PastHold,
)
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Hold

RECORDS: tuple[type[Record], ...] = (
    Hold,
    PastHold,
)
EVENTS: tuple[type[Event], ...] = (
    HoldPlaced,
    HoldEnded,
)
REJECTION = HoldsRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
