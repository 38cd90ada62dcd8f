"""What parties trust each other with: mandates, consents, evidence, statuses, schemas. Pure.

More acts, as in `workload_acts`. A `slot` is one of a few things of a kind, so that what is begun
by one act is met by others.
"""

from typing import Final

from hansa.client.transactions import Draft
from hansa.contracts.accreditations.model import Accredit, RevokeAccreditation
from hansa.contracts.consents import model as consents
from hansa.contracts.credentials import model as credentials
from hansa.contracts.evidence import model as evidence
from hansa.contracts.mandates.model import (
    ActScope,
    GiveMandate,
    Limit,
    UseMandate,
    WithdrawMandate,
)
from hansa.contracts.schemas.model import DeprecateSchema, PublishSchema
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.identity.json_schema import DIALECT
from hansa.identity.links import Scope
from hansa.ledger.model import Message
from hansa.testing.chain import Actor
from hansa.testing.simulation import workload_tally as tally
from hansa.testing.simulation.workload_acts import Cue, Sent, register, send, signer_of

# The proposal by which governance made a root.
ROOT: Final = "propose/root"
LIST_SIZE: Final = 64
FIELD: Final = "income"


def _digest(text: str) -> str:
    return encode_base64url(sha256(text.encode()))


def _name(cue: Cue, kind: str) -> str:
    """Id of what the last act of a kind in this slot made: its transaction's, first message."""
    return f"{cue.find(kind)[:32]}-0"


# --- mandates ---


@register
def do_mandate(cue: Cue) -> Sent:
    """The deputy lets the outsider count for it, within a sum and for a while; or ends it."""
    if cue.get("withdraw"):
        ended = WithdrawMandate(mandate=_name(cue, "mandate"), reason="ended")
        return send("deputy", "mandates", ended)
    given = GiveMandate(
        principal=Actor("deputy").did,
        delegate=Actor("outsider").did,
        scope=(ActScope(tally.NAME, ("Add",)),),
        purpose="counting",
        limit=Limit(currency="CNY", per_act=60, total=150),
        until_ms=cue.time_ms + 20 * cue.get("for_ms", 1),
        depth=cue.number % 2,
    )
    return send("deputy", "mandates", given)


@register
def do_use(cue: Cue) -> Sent:
    """The outsider counts under a mandate: both messages, or none."""
    by = cue.get("by", 1)
    use = UseMandate(
        mandate=_name(cue, "mandate"),
        application=tally.NAME,
        type="Add",
        amount=by,
        currency="CNY",
    )
    drafts = (Draft("mandates", use), Draft(tally.NAME, tally.Add(id="t1", by=by)))
    return Sent((signer_of("outsider"),), drafts, "atomic")


# --- consents ---


@register
def do_holding(cue: Cue) -> Sent:
    """The bank says that it holds what it knows of the buyer, or has erased it."""
    subject, commitment = Actor("buyer").did, _digest(f"held {cue.get('slot')}")
    held: Message = consents.DeclareHolding(subject=subject, field=FIELD, commitment=commitment)
    if cue.get("withdraw"):
        held = consents.DeclareErasure(subject=subject, commitment=commitment, reason="asked")
    return send("bank", "consents", held)


@register
def do_consent(cue: Cue) -> Sent:
    """The buyer lets a seller read what the bank holds, a few times; or ends it."""
    if cue.get("withdraw"):
        ended = consents.WithdrawGrant(grant=_name(cue, "consent"), reason="ended")
        return send("buyer", "consents", ended)
    given = consents.GiveGrant(
        subject=Actor("buyer").did,
        controller=Actor("bank").did,
        receiver=Actor("seller-a").did,
        purpose="credit_check",
        legal_basis="consent",
        fields=(FIELD,),
        uses_max=2,
        until_ms=cue.time_ms + 10 * cue.get("for_ms", 1),
        record=_digest(f"record {cue.number}"),
    )
    return send("buyer", "consents", given)


@register
def do_access(cue: Cue) -> Sent:
    """The seller takes the consent up."""
    read = consents.RecordAccess(
        grant=_name(cue, "consent"),
        purpose="credit_check",
        fields=(FIELD,),
        seal_alg="X25519",
        seal_key=encode_base64url(bytes(range(32))),
    )
    return send("seller-a", "consents", read)


# --- evidence ---


@register
def do_evidence(cue: Cue) -> Sent:
    """A seller secures a document under a name of its own."""
    name = f"e{cue.get('slot')}"
    return send(
        "seller-b",
        "evidence",
        evidence.CreateEvidence(id=name, form="digest", value=_digest(name)),
    )


@register
def do_witness(cue: Cue) -> Sent:
    """Others sign it or log what they did with it; its owner takes it back, and puts it back."""
    owner, name = Actor("seller-b").did, f"e{cue.get('slot')}"
    steps: tuple[tuple[str, Message], ...] = (
        ("buyer", evidence.SignEvidence(owner=owner, id=name, value=_digest(name))),
        ("seller-b", evidence.AddLog(owner=owner, id=name, code="seen")),
        ("seller-b", evidence.RevokeEvidence(owner=owner, id=name, reason="wrong")),
        ("seller-b", evidence.UnrevokeEvidence(owner=owner, id=name)),
    )
    who, message = steps[cue.number % len(steps)]
    return send(who, "evidence", message)


# --- credentials, schemas, accreditations ---


@register
def do_status(cue: Cue) -> Sent:
    """The bureau opens a status list, and sets or clears bits of it."""
    issuer, name = Actor("bureau").did, f"list-{cue.get('slot')}"
    indexes = tuple(sorted({cue.number % LIST_SIZE, cue.get("by") % LIST_SIZE}))
    steps: tuple[Message, ...] = (
        credentials.OpenStatusList(issuer=issuer, list=name, size=LIST_SIZE),
        credentials.SetStatus(
            issuer=issuer, list=name, indexes=indexes, value="suspended", reason="check"
        ),
        credentials.SetStatus(
            issuer=issuer, list=name, indexes=indexes[:1], value="revoked", reason="error"
        ),
        credentials.ReinstateStatus(issuer=issuer, list=name, indexes=indexes),
    )
    return send("bureau", "credentials", steps[cue.number % len(steps)])


def name_schema(slot: int) -> str:
    """A schema of the bureau's."""
    return f"simulated-{slot}"


@register
def do_schema(cue: Cue) -> Sent:
    """The bureau publishes a schema, or says that it should be used no longer."""
    name = name_schema(cue.get("slot"))
    document = encode_canonical(
        {
            "$schema": DIALECT,
            "properties": {"name": {"maxLength": 100, "type": "string"}},
            "title": name,
            "type": "object",
        }
    )
    if cue.get("withdraw"):
        old = DeprecateSchema(schema=sha256(document).hex(), reason="old")
        return send("bureau", "schemas", old)
    published = PublishSchema(name=name, version="1.0.0", document=document.decode())
    return send("bureau", "schemas", published)


@register
def do_accredit(cue: Cue) -> Sent:
    """The bureau, when governance made it a root, accredits the bank; or takes that back."""
    if cue.get("withdraw"):
        ended = RevokeAccreditation(accreditation=_name(cue, "accredit"), reason="ended")
        return send("bureau", "accreditations", ended)
    given = Accredit(
        parent=f"{cue.ids.get(ROOT, 'none')[:32]}-0",
        subject=Actor("bank").did,
        scope=(Scope(schemas=(f"{name_schema(cue.get('slot'))}:1",), jurisdictions=("CN",)),),
        basis="test",
    )
    return send("bureau", "accreditations", given)
