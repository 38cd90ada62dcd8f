"""The quorum guard: whether the set, after a change, could still decide blocks (V3)."""

import msgspec

from hansa.contracts.validators.model import LIVE_MS
from hansa.contracts.validators.rejections import QuorumAtRisk
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.system import Liveness, Validator


class Strength(msgspec.Struct, frozen=True):
    """Power of a set, power of those in it that voted lately, and how much decides a block."""

    live: int
    total: int

    @property
    def needed(self) -> int:
        """More than two thirds."""
        return self.total * 2 // 3 + 1

    @property
    def is_enough(self) -> bool:
        """Whether the live ones alone decide blocks; never so for an empty set."""
        return 3 * self.live > 2 * self.total


def list_validators(ctx: ReadContext) -> tuple[Validator, ...]:
    """All validators, in order of address."""
    return tuple(ctx.scan(Validator))


def find_validator(ctx: ReadContext, member: str) -> Validator | None:
    """The member's validator, in whatever state."""
    return next((each for each in list_validators(ctx) if each.member == member), None)


def measure_change(ctx: Context, old: Validator, new: Validator | None) -> Strength:
    """Strength of the set in which `new` (None: nobody) has taken the place of `old`.

    Lately: within the parameter `live_ms` before block time; this block's signers are among them.
    """
    others = [each for each in list_validators(ctx) if each.address != old.address]
    after = [*others, new] if new is not None else others
    live_ms = ctx.parameter("live_ms", LIVE_MS)
    found = ctx.get(Liveness, *Liveness().key())
    lately = {
        each.address
        for each in (found.signed if found is not None else ())
        if ctx.time_ms - each.time_ms <= live_ms
    }
    return Strength(
        live=sum(each.effective_power for each in after if each.address in lately),
        total=sum(each.effective_power for each in after),
    )


def check_quorum(ctx: Context, old: Validator, new: Validator | None) -> None:
    """Raise QuorumAtRisk, with the numbers, unless the set could decide blocks afterwards (V3)."""
    if not old.effective_power and (new is None or not new.effective_power):
        return
    strength = measure_change(ctx, old, new)
    if not strength.is_enough:
        raise QuorumAtRisk(live=strength.live, total=strength.total, needed=strength.needed)
