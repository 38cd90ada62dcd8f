"""Cost units that members may spend in a window (D19).

Rules and words: `model`. Handlers: `handlers`. First records: `genesis`.
"""

from hansa.contracts.quotas import genesis
from hansa.contracts.quotas.handlers import contract
from hansa.contracts.quotas.invariants import INVARIANTS
from hansa.contracts.quotas.model import (
    AllowanceSet,
    QuotasRejection,
)
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Allowance, Usage

# Importing these registers what they hold with the contract.
ROOMS = (genesis,)

RECORDS: tuple[type[Record], ...] = (
    Allowance,
    Usage,
)
EVENTS: tuple[type[Event], ...] = (AllowanceSet,)
REJECTION = QuotasRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
