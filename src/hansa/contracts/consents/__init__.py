"""Who may read whose data: grants, consent and its withdrawal, accesses, break-glass, erasure.

Rules and words: `model`. Handlers: `handlers` (grants), `accesses`, `emergency`. Content itself
never comes here: it stays in the vaults (D8). There is nothing at genesis.
"""

from hansa.contracts.consents import accesses, emergency, handlers
from hansa.contracts.consents.events import (
    AccessRecorded,
    BreakGlassReviewed,
    BreakGlassUsed,
    ContentReceived,
    ErasureDeclared,
    GrantEnded,
    GrantGiven,
    HoldingDeclared,
    OverdueBreakGlass,
)
from hansa.contracts.consents.invariants import INVARIANTS
from hansa.contracts.consents.model import (
    Access,
    AccessLog,
    DataGrant,
    Delivery,
    Emergency,
    Erasure,
    Holding,
)
from hansa.contracts.consents.rejections import ConsentsRejection
from hansa.contracts.consents.rights import contract
from hansa.ledger.model import Event, Record

# Importing these registers their handlers with the contract.
ROOMS = (handlers, accesses, emergency)

RECORDS: tuple[type[Record], ...] = (
    DataGrant,
    Holding,
    Access,
    AccessLog,
    Delivery,
    Emergency,
    Erasure,
)
EVENTS: tuple[type[Event], ...] = (
    GrantGiven,
    GrantEnded,
    HoldingDeclared,
    ErasureDeclared,
    AccessRecorded,
    ContentReceived,
    BreakGlassUsed,
    BreakGlassReviewed,
    OverdueBreakGlass,
)
REJECTION = ConsentsRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
