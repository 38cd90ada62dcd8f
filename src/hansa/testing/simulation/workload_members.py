"""What members do among themselves: roles, proposals, votes, validators, keys, quotas. Pure.

More acts, as in `workload_acts`.
"""

from typing import Any, Final

import msgspec

from hansa.client.transactions import Draft
from hansa.comet.validators import compute_address
from hansa.contracts.accounts.keys import compute_possession_statement
from hansa.contracts.accounts.model import ReplaceKey
from hansa.contracts.governance.model import Action, Propose, Vote
from hansa.contracts.members.model import SetContact
from hansa.contracts.permissions.model import GrantRole, WithdrawRole
from hansa.contracts.validators.keys import compute_validator_statement
from hansa.contracts.validators.model import ActivateValidator, ResignValidator
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.testing.chain import Actor, make_key
from hansa.testing.simulation import workload_tally as tally
from hansa.testing.simulation.plan import CHAIN
from hansa.testing.simulation.workload_acts import Cue, Sent, Signer, register, send
from hansa.testing.simulation.workload_league import (
    make_node_id,
    make_validator_key,
    name_validator,
)

# Of a new validator: with one of the old it never holds a third, whatever their powers (9 to 12).
NEW_POWER: Final = 1
# Proposals of the spender in one transaction: five of these spend its window.
SPENT_AT_ONCE: Final = 20


@register
def do_contact(cue: Cue) -> Sent:
    """The simplest thing that a member can say."""
    return send("deputy", "members", SetContact(address=f"https://example.org/{cue.number}"))


@register
def do_grant(cue: Cue) -> Sent:
    """The bureau makes the outsider a seller for some seconds, or takes the role back."""
    fields = {"application": "e_invoice", "role": "seller", "holder": Actor("outsider").did}
    if cue.get("withdraw"):
        message: Message = WithdrawRole(**fields, scope="CN", reason="ended")
    else:
        message = GrantRole(
            **fields, scope="CN", until_ms=cue.time_ms + 1_000 * (1 + cue.number % 9)
        )
    return send("bureau", "permissions", message)


@register
def do_propose(cue: Cue) -> Sent:
    """The chair passes something at once; the deputy's proposals wait for votes or lapse."""
    kind = cue.text("what", "parameter")
    who = cue.text("who", "chair")
    return send(who, "governance", Propose(topic="simulation", actions=(_build_action(cue, kind),)))


def _build_action(cue: Cue, kind: str) -> Action:
    number = cue.get("validator", 1)
    member, address = Actor(name_validator(number)).did, name_address(number)
    choices: dict[str, tuple[str, str, dict[str, Any]]] = {
        "parameter": (
            "governance",
            "SetParameter",
            {"application": "e_invoice", "name": "red_letter_ms", "value": 60_000 + cue.number},
        ),
        "freeze": (
            "governance",
            "FreezeTarget",
            {"target": "message:tally.AddLater", "reason": "test"},
        ),
        "unfreeze": ("governance", "UnfreezeTarget", {"target": "message:tally.AddLater"}),
        "power": (
            "validators",
            "SetValidatorPower",
            {"validator": address, "power": 9 + cue.number % 4},
        ),
        "root": (
            "accreditations",
            "AuthoriseRoot",
            {
                "framework": "simulation",
                "subject": Actor("bureau").did,
                "scope": [{"schemas": ["*"], "jurisdictions": ["CN"]}],
                "since_ms": None,
                "until_ms": None,
                "basis": "test",
                "document": "",
            },
        ),
        "remove": ("validators", "RemoveValidator", {"validator": address, "reason": "test"}),
        "admit_node": (
            "validators",
            "AdmitNode",
            {"id": make_node_id(number), "member": member, "kind": "validator"},
        ),
        "remove_node": (
            "validators",
            "RemoveNode",
            {"id": make_node_id(number), "reason": "test"},
        ),
        "reinstate": ("validators", "ReinstateValidator", {"validator": address, "reason": "test"}),
        "activate": (
            "governance",
            "ActivateContract",
            {
                "application": tally.NAME,
                "version": cue.get("version"),
                "digest": cue.text("digest", ""),
                "height": cue.get("height"),
            },
        ),
        "approve": (
            "validators",
            "ApproveValidator",
            {"member": member, "power": NEW_POWER, **_possess_validator(number, member)},
        ),
    }
    application, type_, body = choices[kind]
    return Action(application=application, type=type_, body={**body, "v": 1})


def name_address(number: int) -> str:
    """Address of the validator with this number, hex."""
    return compute_address(make_validator_key(number).public.raw).hex()


def _possess_validator(number: int, member: str) -> dict[str, Any]:
    key = make_validator_key(number)
    statement = compute_validator_statement(chain=CHAIN, member=member, key=key.public)
    public = msgspec.to_builtins(key.public)
    return {"key": public, "possession": encode_base64url(key.sign(statement))}


@register
def do_vote(cue: Cue) -> Sent:
    """On a proposal that may be there."""
    who, choice = cue.text("who", "chair"), cue.text("choice", "yes")
    vote = Vote(proposal=cue.get("proposal", 1), choice=choice)  # type: ignore[arg-type]
    return send(who, "governance", vote)


@register
def do_activate(cue: Cue) -> Sent:
    """A member lets its approved validator vote."""
    number = cue.get("validator")
    return send(
        name_validator(number), "validators", ActivateValidator(validator=name_address(number))
    )


@register
def do_resign(cue: Cue) -> Sent:
    """A member takes its validator back."""
    number = cue.get("validator")
    message = ResignValidator(validator=name_address(number), reason="leaving")
    return send(name_validator(number), "validators", message)


# --- keys ---


def rotator_key(generation: int) -> Signer:
    """The key that the rotator has in its n-th generation, from 1."""
    actor = Actor("rotator")
    key = actor.key if generation == 1 else make_key(f"rotator/{generation}")
    return Signer(f"{actor.did}#k{generation}", key)


@register
def do_rotate(cue: Cue) -> Sent:
    """The rotator gives its key up for the next one."""
    generation = cue.get("generation", 1)
    old, new = rotator_key(generation), rotator_key(generation + 1)
    did, new_id = Actor("rotator").did, f"k{generation + 1}"
    statement = compute_possession_statement(
        chain=CHAIN, account=did, member=did, key_id=new_id, key=new.key.public
    )
    message = ReplaceKey(
        account=did,
        old_key_id=f"k{generation}",
        key_id=new_id,
        key=new.key.public,
        possession=encode_base64url(new.key.sign(statement)),
        reason="rotation",
    )
    return Sent((old,), (Draft("accounts", message),))


@register
def do_rotated(cue: Cue) -> Sent:
    """Something signed by one generation of the rotator's keys, which may have ended."""
    message = SetContact(address=f"https://example.org/{cue.number}")
    return Sent((rotator_key(cue.get("generation", 1)),), (Draft("members", message),))


@register
def do_spend(cue: Cue) -> Sent:
    """Much of the spender's quota, for proposals that it may not make."""
    action = _build_action(cue, "parameter")
    proposals = [Propose(topic="simulation", actions=(action,)) for _ in range(SPENT_AT_ONCE)]
    return send("spender", "governance", *proposals)
