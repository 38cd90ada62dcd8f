"""A test application with one of each visibility: parcels between members, read by inspectors."""

from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from hansa.appkit.application import Application, Column, Table
from hansa.ledger.context import Context
from hansa.ledger.contracts import Contract, Registry, Role
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import (
    Account,
    Allowance,
    Freeze,
    Grant,
    Member,
    Standing,
    StandingSince,
    Usage,
)

INSPECTOR = "parcels.inspector"
contract = Contract("parcels", roles=(Role("inspector", granted_by=("governance",)),))


class Parcel(Record, frozen=True, kw_only=True):
    """A parcel: its two members and the inspectors of their places may read it."""

    KIND: ClassVar[str] = "parcel"
    READERS: ClassVar[tuple[str, ...]] = (INSPECTOR,)

    id: str
    owner: str
    other: str
    note: str
    grams: int

    def parties(self) -> tuple[str, ...]:
        return (self.owner, self.other)


class Waybill(Record, frozen=True, kw_only=True):
    """A waybill of a parcel; any member may have it proved that there is none."""

    KIND: ClassVar[str] = "waybill"
    ABSENCE: ClassVar[Visibility] = "league"

    id: str
    by: str

    def parties(self) -> tuple[str, ...]:
        return (self.by,)


class Weighing(Record, frozen=True, kw_only=True):
    """A weighing of a parcel; absent: never weighed."""

    KIND: ClassVar[str] = "weighing"
    KEY: ClassVar[tuple[str, ...]] = ("parcel", "number")

    parcel: str
    number: int
    by: str

    def parties(self) -> tuple[str, ...]:
        return (self.by,)


class Depot(Record, frozen=True, kw_only=True):
    """A depot: anyone may read it."""

    KIND: ClassVar[str] = "depot"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    city: str


class Tariff(Record, frozen=True, kw_only=True):
    """A tariff: the league may read it."""

    KIND: ClassVar[str] = "tariff"
    VISIBILITY: ClassVar[Visibility] = "league"

    id: str
    cents: int


class ParcelSent(Event, frozen=True, kw_only=True):
    """A parcel is on its way."""

    READERS: ClassVar[tuple[str, ...]] = (INSPECTOR,)

    id: str
    owner: str
    other: str

    def parties(self) -> tuple[str, ...]:
        return (self.owner, self.other)


class DepotOpened(Event, frozen=True, kw_only=True):
    """A depot opened."""

    VISIBILITY: ClassVar[Visibility] = "public"

    id: str


class TariffSet(Event, frozen=True, kw_only=True):
    """A tariff was set."""

    VISIBILITY: ClassVar[Visibility] = "league"

    id: str


class TooHeavy(Rejection):
    """The parcel is too heavy."""

    CODESPACE = "parcels"
    CODE = "too_heavy"
    RULE = "P1"
    TEXT = "The parcel {id} weighs {grams} g, more than {limit}."
    REMEDY = "Send two."


class SendParcel(Message, frozen=True, kw_only=True):
    """Send a parcel to another member."""

    id: str
    other: str
    note: str
    grams: int


class HandOver(Message, frozen=True, kw_only=True):
    """Give a parcel to another owner; `other` becomes the old one."""

    id: str
    owner: str


class DropParcel(Message, frozen=True, kw_only=True):
    """Delete a parcel."""

    id: str


class Weigh(Message, frozen=True, kw_only=True):
    """Note a weighing."""

    parcel: str
    number: int


class WriteWaybill(Message, frozen=True, kw_only=True):
    """Write a waybill."""

    id: str


class OpenDepot(Message, frozen=True, kw_only=True):
    """Open a depot."""

    id: str
    city: str


class SetTariff(Message, frozen=True, kw_only=True):
    """Set a tariff."""

    id: str
    cents: int


class CloseBook(Message, frozen=True, kw_only=True):
    """Only the ledger itself sends it."""

    INTERNAL: ClassVar[bool] = True
    id: str


class PlanClosing(Message, frozen=True, kw_only=True):
    """Close a depot, `in_ms` from now."""

    id: str
    in_ms: int


@contract.handles(PlanClosing)
def plan_closing(ctx: Context, message: PlanClosing) -> None:
    ctx.schedule(ctx.time_ms + message.in_ms, CloseBook(id=message.id), message.id)


@contract.handles(SendParcel)
def send_parcel(ctx: Context, message: SendParcel) -> None:
    if message.grams > 10_000:
        raise TooHeavy(id=message.id, grams=message.grams, limit=10_000)
    owner = ctx.member
    ctx.put(
        Parcel(
            id=message.id,
            owner=owner,
            other=message.other,
            note=message.note,
            grams=message.grams,
        )
    )
    ctx.emit(ParcelSent(id=message.id, owner=owner, other=message.other))


@contract.handles(HandOver)
def hand_over(ctx: Context, message: HandOver) -> None:
    old = ctx.need(Parcel, message.id)
    ctx.put(Parcel(id=old.id, owner=message.owner, other=old.owner, note=old.note, grams=old.grams))


@contract.handles(DropParcel)
def drop_parcel(ctx: Context, message: DropParcel) -> None:
    ctx.delete(Parcel, message.id)


@contract.handles(Weigh)
def weigh(ctx: Context, message: Weigh) -> None:
    ctx.put(Weighing(parcel=message.parcel, number=message.number, by=ctx.member))


@contract.handles(WriteWaybill)
def write_waybill(ctx: Context, message: WriteWaybill) -> None:
    ctx.put(Waybill(id=message.id, by=ctx.member))


@contract.handles(OpenDepot)
def open_depot(ctx: Context, message: OpenDepot) -> None:
    ctx.put(Depot(id=message.id, city=message.city))
    ctx.emit(DepotOpened(id=message.id))


@contract.handles(SetTariff)
def set_tariff(ctx: Context, message: SetTariff) -> None:
    ctx.put(Tariff(id=message.id, cents=message.cents))
    ctx.emit(TariffSet(id=message.id))


@contract.handles(CloseBook)
def close_book(ctx: Context, message: CloseBook) -> None:
    ctx.put(Depot(id=message.id, city="closed"))


def _project(parcel: Parcel) -> dict[str, str | int | None]:
    size = "large" if parcel.grams > 1_000 else "small"
    return {"id": parcel.id, "size": size, "owner": parcel.owner, "grams": parcel.grams}


def _project_halves(parcel: Parcel) -> list[dict[str, str | int | None]]:
    """Two rows for a heavy parcel, none for one without weight."""
    grams = [("first", parcel.grams // 2), ("second", parcel.grams - parcel.grams // 2)]
    wanted = grams if parcel.grams > 1_000 else grams[:1] if parcel.grams else []
    return [{"id": parcel.id, "half": half, "grams": part} for half, part in wanted]


def _system(name: str) -> Contract:
    made = Contract(name)

    @made.genesis
    def put_all(ctx: Context, document: dict[str, Any]) -> None:
        for record in document.get("records", []):
            kind = KINDS[record["kind"]]
            ctx.put(msgspec.convert(record["value"], kind))

    return made


KINDS: dict[str, type[Record]] = {
    kind.KIND: kind for kind in (Member, Account, Grant, Allowance, Freeze)
}
SYSTEM = ("members", "accounts", "permissions", "governance", "quotas")
_RECORDS: dict[str, tuple[type[Record], ...]] = {
    "members": (Member,),
    "accounts": (Account,),
    "permissions": (Grant,),
    "governance": (Freeze,),
    "quotas": (Allowance, Usage),
}
APPLICATION = Application(
    name="parcels",
    title="Parcels",
    contract=contract,
    records=(Parcel, Waybill, Weighing, Depot, Tariff),
    events=(ParcelSent, DepotOpened, TariffSet),
    rejections=(TooHeavy,),
    tables=(
        Table(
            name="parcels",
            record=Parcel,
            columns=(
                Column("id"),
                Column("size"),
                Column("owner"),
                Column("grams", "integer"),
            ),
            project=_project,
            totals=("grams",),
        ),
        Table(
            name="halves",
            record=Parcel,
            columns=(Column("id"), Column("half"), Column("grams", "integer")),
            project=_project_halves,
            totals=("grams",),
        ),
    ),
)
SYSTEM_CONTRACTS = {name: _system(name) for name in SYSTEM}


class EndGrant(Message, frozen=True, kw_only=True):
    """Take an inspector's role away."""

    holder: str
    scope: str


class EndKey(Message, frozen=True, kw_only=True):
    """End an account's first key at this height."""

    did: str


class SetStanding(Message, frozen=True, kw_only=True):
    """Change a member's standing from this height on."""

    did: str
    standing: Standing


@SYSTEM_CONTRACTS["permissions"].handles(EndGrant)
def end_grant(ctx: Context, message: EndGrant) -> None:
    ctx.delete(Grant, "parcels", "inspector", message.holder, message.scope)


@SYSTEM_CONTRACTS["accounts"].handles(EndKey)
def end_key(ctx: Context, message: EndKey) -> None:
    account = ctx.need(Account, message.did)
    ended = replace(account.keys[0], until=ctx.height)
    ctx.put(replace(account, keys=(ended,)))


@SYSTEM_CONTRACTS["members"].handles(SetStanding)
def set_standing(ctx: Context, message: SetStanding) -> None:
    member = ctx.need(Member, message.did)
    now = StandingSince(since=ctx.height, standing=message.standing)
    ctx.put(replace(member, standing=(*member.standing, now)))


APPLICATIONS: tuple[Application, ...] = (
    *(
        Application(name=name, title=name, contract=SYSTEM_CONTRACTS[name], records=_RECORDS[name])
        for name in SYSTEM
    ),
    APPLICATION,
)
REGISTRY = Registry([*SYSTEM_CONTRACTS.values(), contract])
