"""Mandates: who may act for whom, for what, up to what, until when; ended at once.

Rules and words: `model`; refusals: `rejections`. Handlers: `handlers`, over `chain`. There are
none at genesis.
"""

from hansa.contracts.mandates.handlers import contract
from hansa.contracts.mandates.invariants import INVARIANTS
from hansa.contracts.mandates.model import (
    Appointment,
    Mandate,
    MandateEnded,
    MandateGiven,
    MandateUsed,
    Use,
)
from hansa.contracts.mandates.rejections import MandatesRejection
from hansa.ledger.model import Event, Record

RECORDS: tuple[type[Record], ...] = (
    Mandate,
    Appointment,
    Use,
)
EVENTS: tuple[type[Event], ...] = (
    MandateGiven,
    MandateEnded,
    MandateUsed,
)
REJECTION = MandatesRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
