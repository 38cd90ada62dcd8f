"""Who votes on blocks, and whose nodes may connect: the governed validator set.

Rules and words: `model`. Handlers: `handlers`, `nodes`, `evidence`. The quorum guard: `quorum`.
"""

from hansa.contracts.validators import evidence, genesis, nodes
from hansa.contracts.validators.events import (
    MisbehaviourRecorded,
    NodeAdmitted,
    NodeRemoved,
    ValidatorActivated,
    ValidatorApproved,
    ValidatorKeyReplaced,
    ValidatorPowerSet,
    ValidatorReinstated,
    ValidatorRemoved,
    ValidatorSuspended,
)
from hansa.contracts.validators.handlers import contract
from hansa.contracts.validators.invariants import INVARIANTS
from hansa.contracts.validators.model import FormerKey
from hansa.contracts.validators.rejections import ValidatorsRejection
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Evidence, Node, Validator

# Importing these registers what they hold with the contract.
ROOMS = (evidence, genesis, nodes)

RECORDS: tuple[type[Record], ...] = (
    Validator,
    Node,
    Evidence,
    FormerKey,
)
EVENTS: tuple[type[Event], ...] = (
    ValidatorApproved,
    ValidatorActivated,
    ValidatorPowerSet,
    ValidatorKeyReplaced,
    ValidatorRemoved,
    ValidatorSuspended,
    ValidatorReinstated,
    MisbehaviourRecorded,
    NodeAdmitted,
    NodeRemoved,
)
REJECTION = ValidatorsRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
