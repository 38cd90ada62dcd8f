"""Who may capture what: acts of an event, and the roles that each act belongs to. Pure.

Every act of an event has to be the sender's: an object that is sold and ends is both.
"""

from typing import Final

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.event import FoodEvent
from hansa.ledger.context import Context
from hansa.ledger.system import Member

_MAKERS: Final = ("farm", "slaughterhouse", "processor")
_KEEPERS: Final = ("carrier", "cold_store", "wholesaler", "retailer")
_TRADE: Final = (*_MAKERS, *_KEEPERS)

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


def list_acts(event: FoodEvent) -> list[str]:
    """What the event is, in the words of POWERS."""
    acts = [STEPS.get(event.biz_step, "handle")]
    if event.type == "TransformationEvent":
        acts.append("transform")
    elif event.action != "OBSERVE" and acts == ["inspect"]:
        acts.append("handle")
    if event.type == "ObjectEvent" and event.action == "ADD" and _has_goods(event):
        acts.append("make")
    if event.type == "ObjectEvent" and event.action == "DELETE":
        acts.append("end")
    return acts


def list_roles(event: FoodEvent) -> list[tuple[str, ...]]:
    """For each act the roles of which one is needed; an act that any trade may do goes without
    saying where another is narrower.
    """
    sets = {POWERS[act] for act in list_acts(event)}
    return sorted(
        (each for each in sets if not any(set(other) < set(each) for other in sets)), key=len
    )


def require_powers(ctx: Context, member: Member, event: FoodEvent) -> None:
    """Raise NotAllowed unless the sender has a role for every act, where its member is."""
    for roles in list_roles(event):
        if not any(ctx.has_role(role, member.jurisdiction) for role in roles):
            raise r.NotAllowed(roles=", ".join(roles), place=member.jurisdiction)


def _has_goods(event: FoodEvent) -> bool:
    """Whether trade items begin; crates, pallets and assets are numbered by whoever uses them."""
    named = (*event.epcs, *(each.item for each in event.quantities))
    return any(item.startswith(("01.", "~")) for item in named)
