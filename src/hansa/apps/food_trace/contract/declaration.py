"""Error declarations (I6): the event stays, its effects are taken back, both are marked. Pure.

EPCIS 7.4.1.3: a declaration is the event again, with the same eventID and an errorDeclaration.
"""

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract import making, packing, shipping
from hansa.apps.food_trace.contract.manifest import ERROR_SUFFIX
from hansa.apps.food_trace.contract.sheet import Capturing
from hansa.apps.food_trace.event import FoodEvent, read_event
from hansa.apps.food_trace.model import events as e
from hansa.apps.food_trace.model.records import Capture, Step
from hansa.crypto.hashing import sha256
from hansa.ledger.context import Context
from hansa.ledger.system import Member
from hansa.primitives.limits import KEY_PART_MAX


def compute_declaration_key(event: str) -> str:
    """The record key of the error declaration of an event."""
    key = event + ERROR_SUFFIX
    return key if len(key) <= KEY_PART_MAX else "~#" + sha256(key.encode()).hex()


def withdraw(sheet: Capturing) -> None:
    """Take back what the declared event did. One that is not on the ledger has done nothing.

    Raises NotTheParty, DeclarationDiffers, StillNeeded, Unbalanced.
    """
    event = sheet.event
    original = sheet.ctx.get(Capture, event.key)
    if original is None:
        return
    _check_same(event, original, sheet.member)
    step = sheet.ctx.need(Step, event.key)
    sheet.ctx.put(msgspec.structs.replace(step, withdrawn=sheet.key))
    if event.type == "TransformationEvent":
        making.undo_transform(sheet, event.key)
    elif event.type == "ObjectEvent" and event.action == "ADD":
        making.undo_begin(sheet, event.key)
    elif event.type == "ObjectEvent" and event.action == "DELETE":
        making.undo_end(sheet, event.key)
    elif event.type == "AggregationEvent" and event.action != "OBSERVE":
        packing.undo_packing(sheet, original)
    shipping.undo_shipping(sheet, event.key)
    shipping.undo_receiving(sheet, original)
    reason = event.error.reason if event.error else ""
    sheet.ctx.emit(e.EventWithdrawn(by=sheet.by, event=event.key, reason=reason))


def find_declaration(ctx: Context, event: FoodEvent, member: Member) -> str:
    """The declaration that came before its event, or "": such an event has no effects.

    Raises NotTheParty, DeclarationDiffers.
    """
    key = compute_declaration_key(event.key)
    declaration = ctx.get(Capture, key)
    if declaration is None:
        return ""
    _check_same(event, declaration, member)
    return key


def _check_same(event: FoodEvent, other: Capture, member: Member) -> None:
    if other.member != member.did:
        raise r.NotTheParty(party=other.member)
    if is_other(event, read_event(other.document)):
        raise r.DeclarationDiffers(event=event.key)


def is_other(event: FoodEvent, other: FoodEvent) -> bool:
    """Whether two events differ in more than the declaration."""
    return msgspec.structs.replace(event, error=None) != msgspec.structs.replace(other, error=None)
