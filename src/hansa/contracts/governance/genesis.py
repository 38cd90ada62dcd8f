"""The first votes, rules and parameters of a chain."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hansa.contracts.genesis import decode_part
from hansa.contracts.governance.actions import check_parameter, check_threshold, check_voter
from hansa.contracts.governance.handlers import contract
from hansa.contracts.governance.model import (
    VOTERS_MAX,
    VOTING_MS_MAX,
    VOTING_MS_MIN,
    WEIGHT_MAX,
    Rules,
    Weight,
)
from hansa.contracts.governance.tally import check_governable
from hansa.ledger.context import Context
from hansa.ledger.system import Member, Parameter
from hansa.primitives.values import Did, Name


class GenesisRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Threshold, length of voting (ms) and fewest governing members."""

    numerator: Annotated[int, Meta(ge=1, le=1_000)] = 2
    denominator: Annotated[int, Meta(ge=1, le=1_000)] = 3
    voting_ms: Annotated[int, Meta(ge=VOTING_MS_MIN, le=VOTING_MS_MAX)] = 7 * 86_400_000
    governing_min: Annotated[int, Meta(ge=1, le=VOTERS_MAX)] = 1


class GenesisParameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter that a contract declares."""

    application: Name
    name: Name
    value: int


class GenesisGovernance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"weights": {DID: weight}, "rules": {…}, "parameters": […]}`; all may be left out.

    Without weights each member has one vote.
    """

    weights: dict[Did, Annotated[int, Meta(ge=0, le=WEIGHT_MAX)]] | None = None
    rules: GenesisRules = GenesisRules()
    parameters: tuple[GenesisParameter, ...] = ()


@contract.genesis
def put_first_governance(ctx: Context, document: dict[str, Any]) -> None:
    """G1, G2, G5, G7."""
    given = decode_part("governance", document, GenesisGovernance)
    weights = given.weights
    if weights is None:
        weights = {member.did: 1 for member in ctx.scan(Member)}
    for member in sorted(weights):
        check_voter(ctx, member, weights[member])
        if weights[member]:
            ctx.put(Weight(member=member, weight=weights[member]))
    check_threshold(given.rules.numerator, given.rules.denominator)
    ctx.put(
        Rules(
            numerator=given.rules.numerator,
            denominator=given.rules.denominator,
            voting_ms=given.rules.voting_ms,
            governing_min=given.rules.governing_min,
        )
    )
    for each in given.parameters:
        check_parameter(ctx, each.application, each.name, each.value)
        ctx.put(Parameter(application=each.application, name=each.name, value=each.value))
    check_governable(ctx)
