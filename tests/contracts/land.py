"""A toy land registry on which holds, delegated roles, parameters and deadlines are tried."""

from typing import ClassVar

from hansa.ledger.context import Context, ReadContext
from hansa.ledger.contracts import Contract, Role, Setting
from hansa.ledger.model import Message, Record, Visibility
from hansa.ledger.rejections import Rejection


class Parcel(Record, frozen=True, kw_only=True):
    """A parcel and the DID of its owner."""

    KIND: ClassVar[str] = "parcel"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    owner: str


class Bell(Record, frozen=True, kw_only=True):
    """In which order bells rang."""

    KIND: ClassVar[str] = "bell"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str = "all"
    rung: tuple[str, ...] = ()


class RegisterParcel(Message, frozen=True, kw_only=True):
    """Register a parcel."""

    id: str
    owner: str


class TransferParcel(Message, frozen=True, kw_only=True):
    """Give a parcel to another owner."""

    id: str
    owner: str


class Reform(Message, frozen=True, kw_only=True):
    """What governance may do here: write, and then break when told so."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    id: str
    breaks: bool = False


class Ring(Message, frozen=True, kw_only=True):
    """Ring a bell at a time."""

    id: str
    at_ms: int
    fails: bool = False
    breaks: bool = False


class Hush(Message, frozen=True, kw_only=True):
    """Take a bell back."""

    id: str
    at_ms: int


class Rung(Message, frozen=True, kw_only=True):
    """The deadline of a bell."""

    INTERNAL: ClassVar[bool] = True

    id: str
    fails: bool = False
    breaks: bool = False


class Cracked(Rejection):
    """The bell does not ring."""

    CODESPACE = "land"
    CODE = "cracked"
    RULE = "L1"
    TEXT = "The bell {id} is cracked."
    REMEDY = "Cast another."


contract = Contract(
    "land",
    roles=(
        Role("registry", granted_by=("governance",)),
        Role("clerk", granted_by=("land.registry",)),
        Role("porter", granted_by=("member_admin",)),
    ),
    settings=(Setting("fee", 1, 100, "Fee of a transfer"),),
    records=(Parcel, Bell),
)


@contract.handles(RegisterParcel)
def register_parcel(ctx: Context, message: RegisterParcel) -> None:
    ctx.put(Parcel(id=message.id, owner=message.owner))


@contract.handles(TransferParcel)
def transfer_parcel(ctx: Context, message: TransferParcel) -> None:
    parcel = ctx.need(Parcel, message.id)
    ctx.require_free(Parcel, parcel.id)
    ctx.put(Parcel(id=parcel.id, owner=message.owner))


@contract.handles(Reform)
def reform(ctx: Context, message: Reform) -> None:
    ctx.put(Parcel(id=message.id, owner="nobody"))
    if message.breaks:
        raise ZeroDivisionError


@contract.handles(Ring)
def ring(ctx: Context, message: Ring) -> None:
    body = Rung(id=message.id, fails=message.fails, breaks=message.breaks)
    ctx.schedule(message.at_ms, body, message.id)


@contract.handles(Hush)
def hush(ctx: Context, message: Hush) -> None:
    ctx.cancel(message.at_ms, message.id)


@contract.handles(Rung)
def rung(ctx: Context, message: Rung) -> None:
    bell = ctx.get(Bell, "all") or Bell()
    ctx.put(Bell(rung=(*bell.rung, message.id)))
    if message.fails:
        raise Cracked(id=message.id)
    if message.breaks:
        raise ZeroDivisionError


@contract.view("holdable")
def view_holdable(ctx: ReadContext, kind: str, *key: str) -> str | None:
    parcel = ctx.get(Parcel, *key) if kind == Parcel.KIND else None
    return parcel.owner if parcel is not None else None
