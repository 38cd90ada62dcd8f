"""Organisations of the league: admission, standing, identifiers.

Rules and words: `model`. Handlers: `handlers`. First records: `genesis`.
"""

from hansa.contracts.members import genesis
from hansa.contracts.members.handlers import contract
from hansa.contracts.members.invariants import INVARIANTS
from hansa.contracts.members.model import (
    Contact,
    ContactChanged,
    IdentifierOwner,
    MemberAdmitted,
    MemberAmended,
    MembersRejection,
    MemberStandingChanged,
)
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Member

# Importing these registers what they hold with the contract.
ROOMS = (genesis,)

RECORDS: tuple[type[Record], ...] = (
    Member,
    IdentifierOwner,
    Contact,
)
EVENTS: tuple[type[Event], ...] = (
    MemberAdmitted,
    MemberAmended,
    MemberStandingChanged,
    ContactChanged,
)
REJECTION = MembersRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]
