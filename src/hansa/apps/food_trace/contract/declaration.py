"""Error declarations (I6): the event stays, its effects are taken back, both are marked. Pure.

EPCIS 7.4.1.3: a declaration is the event again, with the same eventID and an errorDeclaration.
"""

from typing import Final

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract import making, packing, shipping
from hansa.apps.food_trace.contract.manifest import ERROR_SUFFIX
from hansa.apps.food_trace.contract.sheet import Capturing
from hansa.apps.food_trace.event import FoodEvent
from hansa.apps.food_trace.event_tree import decode_normal, parse_number
from hansa.apps.food_trace.faults import BadCheckDigit, BadIdentifier
from hansa.apps.food_trace.identifiers import parse
from hansa.apps.food_trace.model import events as e
from hansa.apps.food_trace.model.records import Capture, Step
from hansa.apps.food_trace.timestamps import InvalidTime, parse_time
from hansa.crypto.hashing import sha256
from hansa.ledger.context import Context
from hansa.ledger.system import Member
from hansa.primitives.limits import KEY_PART_MAX

# Error reasons of CBV 2.0.
REASONS: Final = frozenset(("did_not_occur", "incorrect_data"))


def compute_declaration_key(event: str) -> str:
    """The record key of the error declaration of an event."""
    key = event + ERROR_SUFFIX
    return key if len(key) <= KEY_PART_MAX else "~#" + sha256(key.encode()).hex()


def withdraw(sheet: Capturing, document: str) -> None:
    """Take back what the declared event did. One that is not on the ledger has done nothing.

    Raises NotTheParty, DeclarationDiffers, StillNeeded, Unbalanced.
    """
    event = sheet.event
    original = sheet.ctx.get(Capture, event.key)
    if original is None:
        return
    _check_same(event, document, original, sheet.member)
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
    given = event.error.reason if event.error else ""
    reason = given if given in REASONS else "other"  # free words stay in the document
    sheet.ctx.emit(e.EventWithdrawn(by=sheet.by, event=event.key, reason=reason))


def find_declaration(ctx: Context, event: FoodEvent, document: str, member: Member) -> str:
    """The declaration that came before its event, or "": such an event has no effects.

    Raises NotTheParty, DeclarationDiffers.
    """
    key = compute_declaration_key(event.key)
    declaration = ctx.get(Capture, key)
    if declaration is None:
        return ""
    _check_same(event, document, declaration, member)
    return key


def _check_same(event: FoodEvent, document: str, other: Capture, member: Member) -> None:
    if other.member != member.did:
        raise r.NotTheParty(party=other.member)
    if not is_same(document, other.document, but="errorDeclaration"):
        raise r.DeclarationDiffers(event=event.key)


def is_same(document: str, other: str, *, but: str = "") -> bool:
    """Whether two normal documents say the same in all fields (`but` one).

    Lists of EPCIS have no order; JSON and XML write the same differently (26, 26.0 and "26", Z and
    +00:00, an EPC and its Digital Link).
    """
    fields, others = decode_normal(document), decode_normal(other)
    fields.pop(but, None)
    others.pop(but, None)
    return _flatten(fields) == _flatten(others)


def _flatten(value: object) -> str:
    """A text that is the same for values that say the same."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{_flatten(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(map(_flatten, value))) + "]"
    if isinstance(value, bool):
        return "'true'" if value else "'false'"
    return _flatten_text(bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value))


def _flatten_text(text: str) -> str:
    try:
        return str(parse_number(text))
    except ValueError:
        pass
    try:
        return f"{parse_time(text)} ms"
    except InvalidTime:
        pass
    try:
        key = parse(text)
    except (BadCheckDigit, BadIdentifier):
        key = None
    return key.element if key else repr(text)
