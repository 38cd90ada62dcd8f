"""Who may capture what: acts of an event, and the roles that each act belongs to. Pure.

Every act of an event has to be the sender's: an object that is sold and ends is both.
"""

from functools import lru_cache
from typing import Final

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.event import FoodEvent
from hansa.ledger.context import Context
from hansa.ledger.system import Member

_MAKERS: Final = ("farm", "slaughterhouse", "processor")
# Asked for in this order: most events are those of shops and carriers.
_TRADE: Final = ("retailer", "carrier", "wholesaler", "cold_store", *_MAKERS)

# Act: the roles of which the sender's organisation must have one.
POWERS: Final[dict[str, tuple[str, ...]]] = {
    "transform": _MAKERS,
    "make": _MAKERS,
    "kill": ("slaughterhouse",),
    "sell": ("retailer",),
    "end": (*_MAKERS, "cold_store", "wholesaler", "retailer"),
    "ship": _TRADE,
    "receive": (*_TRADE, "laboratory"),
    "inspect": (*_TRADE, "laboratory", "regulator"),
    "handle": _TRADE,
}
# Business steps (CBV 2.0) that are more than handling; any other is that.
STEPS: Final[dict[str, str]] = {
    "killing": "kill",
    "retail_selling": "sell",
    "dispensing": "sell",
    "shipping": "ship",
    "consigning": "ship",
    "departing": "ship",
    "transporting": "ship",
    "void_shipping": "ship",
    "receiving": "receive",
    "accepting": "receive",
    "arriving": "receive",
    "inspecting": "inspect",
    "sampling": "inspect",
    "sensor_reporting": "inspect",
    "holding": "inspect",
}


def list_acts(kind: str, action: str, biz_step: str, *, has_goods: bool) -> list[str]:
    """What an event is, in the words of POWERS. `has_goods`: trade items, not crates and assets."""
    acts = [STEPS.get(biz_step, "handle")]
    if kind == "TransformationEvent":
        acts.append("transform")
    elif action != "OBSERVE" and acts == ["inspect"]:
        acts.append("handle")
    if kind == "ObjectEvent" and action == "ADD" and has_goods:
        acts.append("make")
    if kind == "ObjectEvent" and action == "DELETE":
        acts.append("end")
    return acts


@lru_cache(maxsize=1_024)
def list_roles(
    kind: str, action: str, biz_step: str, *, has_goods: bool
) -> tuple[tuple[str, ...], ...]:
    """For each act the roles of which one is needed; an act that any trade may do goes without
    saying where another is narrower.
    """
    sets = {POWERS[act] for act in list_acts(kind, action, biz_step, has_goods=has_goods)}
    return tuple(sorted(each for each in sets if not any(set(other) < set(each) for other in sets)))


def require_powers(ctx: Context, member: Member, event: FoodEvent) -> None:
    """Raise NotAllowed unless the sender has a role for every act, where its member is."""
    has_goods = event.action == "ADD" and _has_goods(event)
    for roles in list_roles(event.type, event.action, event.biz_step, has_goods=has_goods):
        if not any(ctx.has_role(role, member.jurisdiction) for role in roles):
            raise r.NotAllowed(roles=", ".join(roles), place=member.jurisdiction)


def _has_goods(event: FoodEvent) -> bool:
    """Whether trade items begin; crates, pallets and assets are numbered by whoever uses them."""
    named = (*event.epcs, *(each.item for each in event.quantities))
    return any(item.startswith(("01.", "~")) for item in named)
