"""What pages and forms need to know of the system contracts beyond their types, as applications
say it of themselves: the contracts stand below `appkit` and cannot. Pure.
"""

from hansa.appkit.key_rule import KeyRule
from hansa.appkit.meaning import FieldMeaning, Lifecycle, Transition
from hansa.contracts.governance.model import Proposal
from hansa.contracts.holds.model import PastHold
from hansa.contracts.members.model import IdentifierOwner
from hansa.ledger.system import Hold, Validator

_OPEN = ("OPEN",)

LIFECYCLES: dict[str, tuple[Lifecycle, ...]] = {
    "governance": (
        Lifecycle(
            Proposal,
            "state",
            ("OPEN", "EXECUTED", "FAILED", "REJECTED", "LAPSED"),
            (
                Transition("Propose", (), "OPEN"),
                Transition("Vote", _OPEN, "EXECUTED"),
                Transition("Vote", _OPEN, "FAILED"),
                Transition("Vote", _OPEN, "REJECTED"),
                Transition("CloseProposal", _OPEN, "LAPSED"),
            ),
        ),
    ),
    "validators": (
        Lifecycle(
            Validator,
            "state",
            ("candidate", "active", "suspended"),
            (
                Transition("ApproveValidator", (), "candidate"),
                Transition("ActivateValidator", ("candidate",), "active"),
                Transition("RecordMisbehaviour", ("active",), "suspended"),
                Transition("ReinstateValidator", ("suspended",), "active"),
            ),
        ),
    ),
}

_ON_RECORD = (
    FieldMeaning("application", "application"),
    FieldMeaning("role", "role", unit="application"),
)
FIELDS: dict[str, tuple[FieldMeaning, ...]] = {
    "members": (
        FieldMeaning("member", "member", record="member"),
        FieldMeaning("jurisdiction", "jurisdiction"),
        FieldMeaning("scheme", "scheme"),
        FieldMeaning("Identifier.value", "identifier", unit="scheme"),
    ),
    "accounts": (
        FieldMeaning("account", "party", record="account"),
        FieldMeaning("since", "height"),
        FieldMeaning("until", "height"),
    ),
    "permissions": (*_ON_RECORD, FieldMeaning("holder", "party")),
    "governance": (
        FieldMeaning("application", "application"),
        FieldMeaning("type", "message", unit="application"),
        FieldMeaning("member", "member"),
        FieldMeaning("document", "digest"),
        FieldMeaning("proposal", "record", record="proposal"),
        FieldMeaning("voting_ms", "duration"),
        FieldMeaning("opened_height", "height"),
        FieldMeaning("since", "height"),
    ),
    "holds": (
        FieldMeaning("application", "application"),
        FieldMeaning("document", "digest"),
    ),
    "quotas": (FieldMeaning("member", "member"),),
    "credentials": (
        FieldMeaning("issuer", "party", record="accounts/account"),
        FieldMeaning("StatusList.list", "record", record="status_list"),
    ),
    "validators": (
        FieldMeaning("member", "member"),
        FieldMeaning("validator", "record", record="validator"),
        FieldMeaning("RetireNode.id", "record", record="node"),
        FieldMeaning("since", "height"),
        FieldMeaning("until", "height"),
    ),
}

# Application, kind, at least one part of the record's identifier, `~`, id.
_HOLD = r"(?:(?!~/)[^/]+/){3,}~/(?!~$)[^/]+"
KEY_RULES: dict[str, tuple[KeyRule, ...]] = {
    "members": (
        KeyRule(
            IdentifierOwner,
            r"(?P<scheme>[^/]+)/(?P<value>[^/]+)",
            (("identifier", "scheme", "value"),),
        ),
    ),
    "holds": (KeyRule(Hold, _HOLD), KeyRule(PastHold, _HOLD)),
}
