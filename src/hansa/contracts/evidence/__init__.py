"""Evidence: that a document was there at a time, and who stands by it, without showing it.

Rules and words: `model`. Handlers: `handlers`. There is none at genesis.
"""

from hansa.contracts.evidence.handlers import contract
from hansa.contracts.evidence.invariants import INVARIANTS
from hansa.contracts.evidence.model import (
    Evidence,
    EvidenceCreated,
    EvidenceRejection,
    EvidenceRevoked,
    EvidenceSignature,
    EvidenceSigned,
    LogAdded,
    LogEntry,
    TimeStamp,
    TokenAttached,
)
from hansa.ledger.model import Event, Record

RECORDS: tuple[type[Record], ...] = (
    Evidence,
    EvidenceSignature,
    LogEntry,
    TimeStamp,
)
EVENTS: tuple[type[Event], ...] = (
    EvidenceCreated,
    EvidenceSigned,
    EvidenceRevoked,
    LogAdded,
    TokenAttached,
)
REJECTION = EvidenceRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
