"""Key holders: DIDs, keys with purposes and intervals of heights, administrators, recovery.

Rules and words: `model`, `did_model`, `profile`. Handlers: `handlers`, `did_handlers`,
`recovery_handlers`. First
records: `genesis`.
"""

from hansa.contracts.accounts import did_handlers, genesis, recovery_handlers
from hansa.contracts.accounts.did_invariants import INVARIANTS as OF_DIDS
from hansa.contracts.accounts.did_model import (
    DidVersionBegun,
    NextKeySet,
    RecoveryApproved,
    RecoveryEnded,
    RecoveryPlanned,
)
from hansa.contracts.accounts.handlers import contract
from hansa.contracts.accounts.invariants import INVARIANTS as OF_KEYS
from hansa.contracts.accounts.model import (
    AccountOpened,
    AccountsRejection,
    AccountStandingChanged,
    AdministratorChanged,
    KeyAdded,
    KeyEnded,
    RetiredKey,
)
from hansa.contracts.accounts.profile import (
    DidProfile,
    PastProfile,
    Recovery,
    RecoveryPlan,
)
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Account

# Importing these registers what they hold with the contract.
ROOMS = (genesis, did_handlers, recovery_handlers)

RECORDS: tuple[type[Record], ...] = (
    Account,
    RetiredKey,
    DidProfile,
    PastProfile,
    RecoveryPlan,
    Recovery,
)
EVENTS: tuple[type[Event], ...] = (
    AccountOpened,
    KeyAdded,
    KeyEnded,
    AccountStandingChanged,
    AdministratorChanged,
    DidVersionBegun,
    NextKeySet,
    RecoveryPlanned,
    RecoveryApproved,
    RecoveryEnded,
)
REJECTION = AccountsRejection
INVARIANTS = (*OF_KEYS, *OF_DIDS)

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
