"""How the handlers read chains: who acts for whom, who stands above, what is in force. Pure."""

from hansa.contracts.accounts.authority import is_administrator
from hansa.contracts.accreditations.model import Accreditation
from hansa.contracts.accreditations.rejections import NoSuchAccreditation, ParentNotInForce
from hansa.identity.accreditation import follow_chain, verify_chain
from hansa.identity.links import Link, StandingFrom
from hansa.ledger.context import GOVERNANCE, Context, ReadContext

OFFICER = "officer"


def need_link(ctx: ReadContext, accreditation: str) -> Accreditation:
    """The link of this id. Raises NoSuchAccreditation."""
    found = ctx.get(Accreditation, accreditation)
    if found is None:
        raise NoSuchAccreditation(accreditation=accreditation)
    return found


def find_link(ctx: ReadContext, accreditation: str) -> Accreditation | None:
    """The link of this id, or None."""
    return ctx.get(Accreditation, accreditation) if accreditation else None


def list_chain(ctx: ReadContext, accreditation: str) -> tuple[Link, ...]:
    """The link and all above it, up to its root."""
    return follow_chain(lambda each: find_link(ctx, each), accreditation).links


def acts_for(ctx: Context, did: str) -> bool:
    """Whether the sender acts for a member or an account that is accredited."""
    if ctx.is_internal:
        return False
    if ctx.sender == did:
        return True
    is_own = ctx.member == did and did in ctx.holders
    return is_own and (is_administrator(ctx, did) or ctx.has_role(OFFICER))


def require_force(ctx: Context, accreditation: str) -> None:
    """Raise ParentNotInForce unless the link and all above are, also after this block's changes."""
    finding = verify_chain(lambda each: find_link(ctx, each), accreditation, at_ms=ctx.time_ms + 1)
    if not finding.entitled:
        failed = next(step for step in finding.steps if step.code)
        raise ParentNotInForce(link=failed.link, problem=failed.code)


def is_in_force(ctx: ReadContext, accreditation: str, at_ms: int) -> bool:
    """Whether the link and all above it were in force."""
    return verify_chain(lambda each: find_link(ctx, each), accreditation, at_ms=at_ms).entitled


def find_rank(ctx: Context, chain: tuple[Link, ...]) -> int:
    """How high the sender stands above the first link of a chain: the index of the highest link
    whose accreditor it acts for, in force; -1 if none. Governance gave the root, the last.
    """
    for index in reversed(range(len(chain))):
        accreditor = chain[index].accreditor
        if accreditor == GOVERNANCE:
            if ctx.sender == GOVERNANCE:
                return index
        elif acts_for(ctx, accreditor) and is_in_force(ctx, chain[index + 1].id, ctx.time_ms + 1):
            return index
    return -1


def find_suspender_rank(chain: tuple[Link, ...]) -> int:
    """The rank of who placed the last standing of a chain's first link."""
    by = chain[0].standing[-1].by
    return max(index for index, link in enumerate(chain) if link.accreditor == by)


def extend_standing(
    history: tuple[StandingFrom, ...], entry: StandingFrom
) -> tuple[StandingFrom, ...]:
    """History with `entry`; of several that begin at one time the last stays."""
    kept = history[:-1] if history[-1].since_ms == entry.since_ms else history
    return (*kept, entry)
