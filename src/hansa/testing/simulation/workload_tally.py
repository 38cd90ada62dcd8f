"""`tally`: an application made for simulations. It does right, and every wrong that a contract can.

Version 2 counts twice as much, so that a node of the old release that goes on is found. Pure.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from hansa.appkit.application import Application
from hansa.ledger.context import Context
from hansa.ledger.contracts import Contract, Invariant
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.ledger.state import Reader, get_record, scan_records
from hansa.primitives.values import Name

NAME = "tally"
ALL = 100_000
Amount = Annotated[int, Meta(ge=1, le=1_000_000)]


class Tally(Record, frozen=True, kw_only=True):
    """A number by name. It is deleted and made again."""

    KIND: ClassVar[str] = "tally"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: Name
    value: int


class Total(Record, frozen=True, kw_only=True):
    """The sum of all tallies: the last thing that a message writes."""

    KIND: ClassVar[str] = "total"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str = "total"
    value: int = 0


class Tallied(Event, frozen=True, kw_only=True):
    """A tally has changed by `by`."""

    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    by: int


class Refused(Rejection):
    """What `AddAndRefuse` asks for: it has written by then."""

    CODESPACE = NAME
    CODE = "refused"
    RULE = "T1"
    TEXT = "The tally {id} is refused as it was asked to be."
    REMEDY = "Send Add."


class NothingThere(Rejection):
    """There is no such tally."""

    CODESPACE = NAME
    CODE = "nothing_there"
    RULE = "T2"
    TEXT = "There is no tally {id}."
    REMEDY = "Add to it first."


class Add(Message, frozen=True, kw_only=True):
    """Add to a tally, which begins with 0."""

    id: Name
    by: Amount


class AddAndRefuse(Add, frozen=True, kw_only=True):
    """Write first and refuse afterwards: nothing may stay."""


class Take(Message, frozen=True, kw_only=True):
    """Delete a tally."""

    id: Name


class AddLater(Message, frozen=True, kw_only=True):
    """Add so many milliseconds after the block."""

    id: Name
    by: Amount
    in_ms: Amount


class AddDue(Add, frozen=True, kw_only=True):
    """What `AddLater` schedules."""

    INTERNAL: ClassVar[bool] = True


class Break(Message, frozen=True, kw_only=True):
    """A poison message: it writes, then raises what no handler may raise."""

    id: Name


def _write(ctx: Context, name: str, by: int) -> None:
    before = ctx.get(Tally, name)
    ctx.put(Tally(id=name, value=(before.value if before else 0) + by))


def _sum_up(ctx: Context, name: str, by: int) -> None:
    total = ctx.get(Total, "total") or Total()
    ctx.put(Total(value=total.value + by))
    ctx.emit(Tallied(id=name, by=by))


def build_contract(version: int = 1) -> Contract:
    """The contract in that version."""
    made = Contract(NAME, version)

    @made.handles(Add)
    def add(ctx: Context, message: Add) -> None:
        _write(ctx, message.id, message.by * version)
        _sum_up(ctx, message.id, message.by * version)

    @made.handles(AddAndRefuse)
    def add_and_refuse(ctx: Context, message: AddAndRefuse) -> None:
        _write(ctx, message.id, message.by)
        raise Refused(id=message.id)

    @made.handles(Take)
    def take(ctx: Context, message: Take) -> None:
        before = ctx.get(Tally, message.id)
        if before is None:
            raise NothingThere(id=message.id)
        ctx.delete(Tally, message.id)
        _sum_up(ctx, message.id, -before.value)

    @made.handles(AddLater)
    def add_later(ctx: Context, message: AddLater) -> None:
        due = AddDue(id=message.id, by=message.by)
        ctx.schedule(ctx.time_ms + message.in_ms, due, f"{ctx.transaction}-{ctx.message_index}")

    @made.handles(AddDue)
    def add_due(ctx: Context, message: AddDue) -> None:
        _write(ctx, message.id, message.by)
        _sum_up(ctx, message.id, message.by)

    @made.handles(Break)
    def break_(ctx: Context, message: Break) -> None:
        _write(ctx, message.id, 666)
        raise ZeroDivisionError

    return made


def find_wrong_total(reader: Reader) -> list[str]:
    """T1: what a message leaves is whole."""
    summed = sum(each.value for each in scan_records(reader, NAME, Tally, limit=ALL))
    total = get_record(reader, NAME, Total, "total") or Total()
    return [] if summed == total.value else [f"the tallies are {summed}, the total {total.value}"]


CONTRACT = build_contract()
APPLICATION = Application(
    name=NAME,
    title="Tallies: an application for simulations",
    contract=CONTRACT,
    records=(Tally, Total),
    events=(Tallied,),
    rejections=(NothingThere, Refused),
    invariants=(Invariant("T1", "the total is the sum", find_wrong_total),),
)
