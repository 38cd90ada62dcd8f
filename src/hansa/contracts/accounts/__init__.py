"""Key holders: DIDs, keys with purposes and intervals of heights, administrators.

Rules and words: `model`. Handlers: `handlers`. First records: `genesis`.
"""

from hansa.contracts.accounts import genesis
from hansa.contracts.accounts.handlers import contract
from hansa.contracts.accounts.invariants import INVARIANTS
from hansa.contracts.accounts.model import (
    AccountOpened,
    AccountsRejection,
    AccountStandingChanged,
    AdministratorChanged,
    KeyAdded,
    KeyEnded,
    RetiredKey,
)
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Account

# Importing these registers what they hold with the contract.
ROOMS = (genesis,)

RECORDS: tuple[type[Record], ...] = (
    Account,
    RetiredKey,
)
EVENTS: tuple[type[Event], ...] = (
    AccountOpened,
    KeyAdded,
    KeyEnded,
    AccountStandingChanged,
    AdministratorChanged,
)
REJECTION = AccountsRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
