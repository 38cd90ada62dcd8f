"""Roles per application, granted and withdrawn with scope and end.

Rules and words: `model`. Handlers: `handlers`. First records: `genesis`.
"""

from hansa.contracts.permissions import genesis
from hansa.contracts.permissions.handlers import contract
from hansa.contracts.permissions.invariants import INVARIANTS
from hansa.contracts.permissions.model import (
    PastGrant,
    PermissionsRejection,
    RoleGranted,
    RoleWithdrawn,
)
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Grant

# Importing these registers what they hold with the contract.
ROOMS = (genesis,)

RECORDS: tuple[type[Record], ...] = (
    Grant,
    PastGrant,
)
EVENTS: tuple[type[Event], ...] = (
    RoleGranted,
    RoleWithdrawn,
)
REJECTION = PermissionsRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
