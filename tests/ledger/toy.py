"""A toy league for kernel and node tests: a counter contract that can do right and every wrong."""

from typing import Any, ClassVar

from hansa.ledger.context import Context
from hansa.ledger.contracts import Contract, Registry, Role
from hansa.ledger.model import Event, Message, Record
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Account, Allowance, Grant, Key, Member, StandingSince
from hansa.testing.chain import Actor, Chain

contract = Contract("counter", roles=(Role("setter", granted_by=("governance",)),))


class Counter(Record, kw_only=True):
    """A number by name."""

    KIND: ClassVar[str] = "counter"
    VISIBILITY: ClassVar[str] = "public"
    id: str
    value: int


class Counted(Event, kw_only=True):
    """A counter went up."""

    VISIBILITY: ClassVar[str] = "public"
    id: str
    value: int


class TooHigh(Rejection):
    """The counter may not go beyond its limit."""

    CODESPACE = "counter"
    CODE = "too_high"
    RULE = "T1"
    TEXT = "The counter {id} would pass {limit}."
    REMEDY = "Count something else."


class Count(Message, kw_only=True):
    """Count up by `by`; write first and refuse afterwards when above `limit`."""

    id: str
    by: int
    limit: int


class Fault(Message, kw_only=True):
    """A poison message: writes, then raises what no handler may raise."""

    id: str


class Later(Message, kw_only=True):
    """Count up by one, `in_ms` from now."""

    id: str
    in_ms: int


class Tick(Message, kw_only=True):
    """What `Later` schedules."""

    INTERNAL: ClassVar[bool] = True
    id: str


class Guarded(Message, kw_only=True):
    """Only setters may."""

    ROLE: ClassVar[str] = "setter"
    id: str


class Overflow(Message, kw_only=True):
    """Try to store a number that no ledger integer holds."""

    id: str


@contract.handles(Count)
def count(ctx: Context, message: Count) -> None:
    old = ctx.get(Counter, message.id)
    value = (old.value if old else 0) + message.by
    ctx.put(Counter(id=message.id, value=value))
    ctx.emit(Counted(id=message.id, value=value))
    if value > message.limit:
        raise TooHigh(id=message.id, limit=message.limit)


@contract.handles(Fault)
def fault(ctx: Context, message: Fault) -> None:
    ctx.put(Counter(id=message.id, value=666))
    raise ZeroDivisionError


@contract.handles(Later)
def later(ctx: Context, message: Later) -> None:
    ctx.schedule(ctx.time_ms + message.in_ms, Tick(id=message.id), message.id)


@contract.handles(Tick)
def tick(ctx: Context, message: Tick) -> None:
    old = ctx.get(Counter, message.id)
    ctx.put(Counter(id=message.id, value=(old.value if old else 0) + 1))


@contract.handles(Guarded)
def guarded(ctx: Context, message: Guarded) -> None:
    ctx.put(Counter(id=message.id, value=1))


@contract.handles(Overflow)
def overflow(ctx: Context, message: Overflow) -> None:
    ctx.put(Counter(id=message.id, value=2**60))


def _system(name: str) -> Contract:
    made = Contract(name)

    @made.genesis
    def put_all(ctx: Context, document: dict[str, Any]) -> None:
        for record in document.get("records", []):
            ctx.put(record)

    return made


def build_toy_registry() -> Registry:
    """The counter with the least that a league needs around it."""
    names = ("members", "accounts", "permissions", "governance", "quotas")
    return Registry([*(_system(name) for name in names), contract])


def build_toy_records(*actors: Actor, setters: tuple[Actor, ...] = ()) -> dict[str, Any]:
    """Genesis: each actor is a member with one account and one key."""
    good = (StandingSince(since=0, standing="good"),)
    members = [
        Member(did=actor.did, name=actor.name, jurisdiction="CN", standing=good) for actor in actors
    ]
    accounts = [
        Account(
            did=actor.did,
            member=actor.did,
            kind="member",
            admin=True,
            keys=(
                Key(id="k1", public=actor.key.public, purposes=("sign", "authenticate"), since=0),
            ),
            standing=good,
        )
        for actor in actors
    ]
    grants = [
        Grant(
            application="counter",
            role="setter",
            holder=actor.did,
            since_ms=0,
            granted_by="governance",
        )
        for actor in setters
    ]
    return {
        "members": {"records": members},
        "accounts": {"records": accounts},
        "permissions": {"records": grants},
        "quotas": {"records": [Allowance(member=actor.did, units=10**9) for actor in actors]},
    }


def build_toy_chain(*actors: Actor, setters: tuple[Actor, ...] = ()) -> Chain:
    """A running toy league."""
    return Chain(build_toy_registry(), build_toy_records(*actors, setters=setters))
