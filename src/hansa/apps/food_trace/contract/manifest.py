"""The contract's name, roles, settings and bounds, and the checks that handlers share. Pure."""

from typing import Final

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.model.records import Item, ItemLevel
from hansa.ledger.context import Context, NoSuchRecord, ReadContext
from hansa.ledger.contracts import Contract, Role, Setting
from hansa.ledger.system import Member

_REGULATOR: Final = ("food_trace.regulator",)
ROLES: Final = (
    Role(
        "regulator", ("governance",), "Food authority of a jurisdiction: registers, stops, clears"
    ),
    Role("farm", _REGULATOR, "Raises, grows, packs"),
    Role("slaughterhouse", _REGULATOR, "Kills, cuts, packs"),
    Role("processor", _REGULATOR, "Makes one thing of others and declares the yield"),
    Role("carrier", _REGULATOR, "Moves what others made"),
    Role("cold_store", _REGULATOR, "Keeps what others made"),
    Role("wholesaler", _REGULATOR, "Buys and sells in bulk"),
    Role("retailer", _REGULATOR, "Sells to consumers"),
    Role("laboratory", _REGULATOR, "Takes samples, reports results"),
)

HOUR_MS: Final = 3_600_000
TRANSIT_MS: Final = 72 * HOUR_MS
YIELD_MAX_PPM: Final = 3_000_000
SETTINGS: Final = (
    Setting("transit_ms", 60_000, 365 * 24 * HOUR_MS, "How long a shipment may be under way"),
    Setting("yield_max_ppm", 1_000_000, 1_000_000_000, "The highest yield a member may declare"),
)

contract = Contract("food_trace", 1, roles=ROLES, settings=SETTINGS, reads=("members",))

# A pallet of cartons; a message is executed in a fraction of a block's time.
EVENT_ITEMS_MAX: Final = 1_000
# Items that one message looks at for flags: a full pallet, and what it was made of.
WALK_MAX: Final = 2_000
# A piece in a carton on a pallet in a container on a ship, and some.
NEST_MAX: Final = 16
# Parts of one transformation over all its events: its record is read and written whole.
PORTIONS_MAX: Final = 1_000
# Transformations that made one lot: a new lot each day is usual.
SOURCES_MAX: Final = 100
# Shipments of one lot that are under way at once.
SHIPMENTS_MAX: Final = 100
# Open flags of one item; further excursions extend those that are there.
FLAGS_MAX: Final = 32
# Products of what is in a container that an excursion is told apart by.
PRODUCTS_MAX: Final = 8
# Members that may read one captured event.
READERS_MAX: Final = 16
# Event whose effects need `#error` to stand beside it.
ERROR_SUFFIX: Final = "#error"


@contract.view("item")
def read_item(ctx: ReadContext, item: str) -> Item | None:
    """What is known of an item (for insurance, trade finance)."""
    return ctx.get(Item, item)


def need_actor(ctx: Context) -> Member:
    """The member for which the sender acts. Raises NotAnOrganisation (a citizen, a deadline)."""
    if not ctx.member or ctx.member not in ctx.holders:
        raise r.NotAnOrganisation()
    return need_member(ctx, ctx.member)


def need_member(ctx: Context, did: str) -> Member:
    """The member. Raises NoSuchRecord."""
    member: Member | None = ctx.view("members", "member", did)
    if member is None:
        raise NoSuchRecord(kind="member", key=did)
    return member


def require_regulator(ctx: Context, jurisdiction: str) -> None:
    """Raise MissingRole unless the sender is the food authority of this jurisdiction."""
    ctx.require_role("regulator", jurisdiction)


def find_level(element: str, *, is_epc: bool) -> ItemLevel:
    """Whether an element form names one object, a lot, or a class without a lot.

    What is no GS1 key is what its place in the event says: an EPC, or a lot.
    """
    words = element.split(".", 3)
    if len(words) == 4 and words[2] == "10":
        return "lot"
    if is_epc:
        return "instance"
    return "lot" if element.startswith("~") else "class"


def find_product(element: str) -> str:
    """`01.<gtin>` of a trade item, else ""."""
    return element[:17] if element.startswith("01.") else ""
