"""Who may issue what: roots, accrediting bodies and issuers, and what counts across borders.

Rules and words: `model`, `rejections`. Handlers: `handlers`, `recognitions`. There are none at
genesis.
"""

from hansa.contracts.accreditations import recognitions
from hansa.contracts.accreditations.handlers import contract
from hansa.contracts.accreditations.invariants import INVARIANTS
from hansa.contracts.accreditations.model import (
    Accreditation,
    AccreditationStandingChanged,
    Accredited,
    Recognised,
    Recognition,
    RecognitionStandingChanged,
    SubjectLink,
)
from hansa.contracts.accreditations.rejections import AccreditationsRejection
from hansa.ledger.model import Event, Record

# Importing these registers what they hold with the contract.
ROOMS = (recognitions,)

RECORDS: tuple[type[Record], ...] = (
    Accreditation,
    SubjectLink,
    Recognition,
)
EVENTS: tuple[type[Event], ...] = (
    Accredited,
    AccreditationStandingChanged,
    Recognised,
    RecognitionStandingChanged,
)
REJECTION = AccreditationsRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
