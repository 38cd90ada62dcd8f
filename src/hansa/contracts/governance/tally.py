"""Arithmetic of votes and the check that somebody can still decide (G1, G2, G5)."""

from typing import Literal

import msgspec

from hansa.contracts.governance.model import Rules, Voter, Weight
from hansa.contracts.governance.rejections import NoOneCouldPass
from hansa.contracts.standing import get_latest_standing
from hansa.ledger.context import ReadContext
from hansa.ledger.system import Account, Freeze, Member

Outcome = Literal["open", "passed", "rejected"]


class Ability(msgspec.Struct, frozen=True):
    """Votes and members that could act now, and what a proposal needs to pass."""

    able: int
    members: int
    total: int
    required: int
    minimum: int


def compute_outcome(*, yes: int, no: int, total: int, numerator: int, denominator: int) -> Outcome:
    """Passed at numerator/denominator of the total weight; rejected once out of reach (G1)."""
    if yes * denominator >= numerator * total:
        return "passed"
    if (total - no) * denominator < numerator * total:
        return "rejected"
    return "open"


def get_rules(ctx: ReadContext) -> Rules:
    """The rules in force."""
    return ctx.get(Rules, "rules") or Rules()


def list_voters(ctx: ReadContext) -> tuple[Voter, ...]:
    """Members in good standing with a weight: the electorate of a proposal opened now (G2)."""
    voters = []
    for weight in ctx.scan(Weight):
        member = ctx.get(Member, weight.member)
        if member is not None and get_latest_standing(member.standing) == "good":
            voters.append(Voter(member=weight.member, weight=weight.weight))
    return tuple(voters)


def compute_ability(ctx: ReadContext) -> Ability:
    """Who could act now: voters whose first account is not frozen; it can always sign (A7, A9)."""
    rules = get_rules(ctx)
    voters = list_voters(ctx)
    able = [voter for voter in voters if _can_act(ctx, voter.member)]
    total = sum(voter.weight for voter in voters)
    return Ability(
        able=sum(voter.weight for voter in able),
        members=len(able),
        total=total,
        required=max(1, -(-total * rules.numerator // rules.denominator)),
        minimum=rules.governing_min,
    )


def check_governable(ctx: ReadContext) -> None:
    """Raise NoOneCouldPass, with the numbers, unless somebody could pass something (G5)."""
    found = compute_ability(ctx)
    if found.able < found.required or found.members < found.minimum:
        raise NoOneCouldPass(
            able=found.able,
            total=found.total,
            members=found.members,
            required=found.required,
            minimum=found.minimum,
        )


def _can_act(ctx: ReadContext, member: str) -> bool:
    account = ctx.get(Account, member)
    return (
        account is not None
        and get_latest_standing(account.standing) == "good"
        and ctx.get(Freeze, f"account:{member}") is None
    )
