"""What pages and forms need to know of the system contracts beyond their types, as applications
say it of themselves: the contracts stand below `appkit` and cannot. Pure.
"""

from hansa.appkit.key_rule import KeyRule
from hansa.appkit.meaning import FieldMeaning, Lifecycle, Transition
from hansa.contracts.accounts.profile import Recovery
from hansa.contracts.consents.model import DataGrant
from hansa.contracts.governance.model import Proposal
from hansa.contracts.holds.model import PastHold
from hansa.contracts.mandates.model import Mandate
from hansa.contracts.members.model import IdentifierOwner
from hansa.contracts.schemas.model import Schema
from hansa.ledger.system import Hold, Validator

_OPEN = ("OPEN",)

LIFECYCLES: dict[str, tuple[Lifecycle, ...]] = {
    "schemas": (
        Lifecycle(
            Schema,
            "deprecated_ms",
            ("published", "deprecated"),
            (
                Transition("PublishSchema", (), "published"),
                Transition("UpdateSchema", (), "published"),
                Transition("PublishStandard", (), "published"),
                Transition("DeprecateSchema", ("published",), "deprecated"),
            ),
        ),
    ),
    "accounts": (
        Lifecycle(
            Recovery,
            "state",
            ("open", "agreed"),
            (
                Transition("ApproveRecovery", (), "open"),
                Transition("ApproveRecovery", (), "agreed"),
                Transition("ApproveRecovery", ("open",), "agreed"),
            ),
        ),
    ),
    "consents": (
        Lifecycle(
            DataGrant,
            "state",
            ("live", "withdrawn", "expired", "used_up"),
            (
                Transition("GiveGrant", (), "live"),
                Transition("RecordAccess", ("live",), "live"),
                Transition("RecordAccess", ("live",), "used_up"),
                Transition("WithdrawGrant", ("live", "used_up"), "withdrawn"),
                Transition("ExpireGrant", ("live",), "expired"),
            ),
        ),
    ),
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
    "mandates": (
        Lifecycle(
            Mandate,
            "state",
            ("given", "withdrawn", "given_back"),
            (
                Transition("GiveMandate", (), "given"),
                Transition("GiveOnBehalf", (), "given"),
                Transition("UseMandate", ("given",), "given"),
                Transition("WithdrawMandate", ("given",), "withdrawn"),
                Transition("WithdrawMandate", ("given",), "given_back"),
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
        FieldMeaning("agent", "party", record="account"),
        FieldMeaning("agents", "party", record="account"),
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
    "schemas": (
        FieldMeaning("schema", "record", record="schema"),
        FieldMeaning("replaces", "record", record="schema"),
        FieldMeaning("successor", "record", record="schema"),
        FieldMeaning("document", "document"),
        FieldMeaning("labels", "digest"),
        FieldMeaning("type_metadata", "digest"),
    ),
    "accreditations": (
        FieldMeaning("parent", "record", record="accreditation"),
        FieldMeaning("accreditation", "record", record="accreditation"),
        FieldMeaning("link", "record", record="accreditation"),
        FieldMeaning("document", "digest"),
        FieldMeaning("relying", "jurisdiction"),
        FieldMeaning("Recognition.source", "jurisdiction"),
        FieldMeaning("RecogniseFramework.source", "jurisdiction"),
        FieldMeaning("Recognised.source", "jurisdiction"),
    ),
    "credentials": (
        FieldMeaning("issuer", "party", record="accounts/account"),
        FieldMeaning("StatusList.list", "record", record="status_list"),
    ),
    "evidence": (
        FieldMeaning("owner", "party", record="accounts/account"),
        FieldMeaning("Evidence.value", "commitment"),
        FieldMeaning("CreateEvidence.value", "commitment"),
        FieldMeaning("SignEvidence.value", "commitment"),
        FieldMeaning("commitment", "commitment"),
        FieldMeaning("token", "document"),
    ),
    "mandates": (
        FieldMeaning("application", "application"),
        FieldMeaning("type", "message", unit="application"),
        FieldMeaning("types", "message", unit="application"),
        FieldMeaning("mandate", "record", record="mandate"),
        FieldMeaning("parent", "record", record="mandate"),
        FieldMeaning("per_act", "amount", scale=2, unit="currency"),
        FieldMeaning("total", "amount", scale=2, unit="currency"),
        FieldMeaning("amount", "amount", scale=2, unit="currency"),
        FieldMeaning("document", "commitment"),
    ),
    "consents": (
        FieldMeaning("controller", "member"),
        FieldMeaning("subject", "party", record="accounts/account"),
        FieldMeaning("grant", "record", record="data_grant"),
        FieldMeaning("emergency", "record", record="emergency"),
        FieldMeaning("commitment", "commitment"),
        FieldMeaning("record", "commitment"),
        FieldMeaning("document", "digest"),
        FieldMeaning("findings", "digest"),
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
