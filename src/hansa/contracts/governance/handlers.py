"""Proposals and votes. Messages and rules G1 to G7: `model`. What proposals change: `actions`."""

from msgspec.structs import replace

from hansa.contracts.accounts.authority import is_administrator
from hansa.contracts.governance.events import ProposalClosed, ProposalOpened, VoteCast
from hansa.contracts.governance.model import (
    Action,
    Ballot,
    Choice,
    CloseProposal,
    Counter,
    Proposal,
    ProposalState,
    Propose,
    Rules,
    Vote,
    Voter,
    Weight,
    format_proposal_id,
)
from hansa.contracts.governance.rejections import (
    AlreadyVoted,
    NoSuchProposal,
    NotADelegate,
    NotAnAction,
    NotAVoter,
    VotingClosed,
)
from hansa.contracts.governance.tally import (
    check_governable,
    compute_outcome,
    get_rules,
    list_voters,
)
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.context import GOVERNANCE, Context, ReadContext
from hansa.ledger.contracts import Contract, Role, Setting
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Activation, Freeze, Parameter

contract = Contract(
    GOVERNANCE,
    roles=(
        Role(
            "delegate",
            granted_by=("member_admin",),
            text="Proposes and votes for its member",
        ),
    ),
    settings=(
        Setting("activation_heights", 1, 1_000_000, "Heights between decision and activation"),
    ),
    records=(Rules, Weight, Counter, Proposal, Ballot, Freeze, Parameter, Activation),
)


@contract.handles(Propose)
def propose(ctx: Context, message: Propose) -> None:
    """G2, G3, G6: the electorate is fixed now; the proposer's vote is yes."""
    # READ
    rules = get_rules(ctx)
    voters = list_voters(ctx)
    counter = ctx.get(Counter, "proposals")

    # CHECK
    _check_voter(ctx, voters)
    for action in message.actions:
        _check_action(ctx, action)

    # WRITE
    number = counter.last + 1 if counter is not None else 1
    proposal = Proposal(
        id=number,
        proposer=ctx.member,
        account=ctx.sender,
        topic=message.topic,
        document=message.document,
        actions=message.actions,
        voters=voters,
        numerator=rules.numerator,
        denominator=rules.denominator,
        opened_height=ctx.height,
        opened_ms=ctx.time_ms,
        closes_ms=ctx.time_ms + rules.voting_ms,
    )
    ctx.put(Counter(last=number))
    ctx.schedule(proposal.closes_ms, CloseProposal(proposal=number), f"proposal-{number}")

    # EMIT
    ctx.emit(
        ProposalOpened(
            proposal=number,
            proposer=ctx.member,
            topic=message.topic,
            closes_ms=proposal.closes_ms,
            total=_compute_total(proposal),
        )
    )
    _cast(ctx, proposal, "yes")


@contract.handles(Vote)
def vote(ctx: Context, message: Vote) -> None:
    """G1, G3."""
    # READ
    proposal = ctx.get(Proposal, format_proposal_id(message.proposal))
    if proposal is None:
        raise NoSuchProposal(proposal=message.proposal)
    ballot = ctx.get(Ballot, format_proposal_id(message.proposal), ctx.member)

    # CHECK
    _check_voter(ctx, proposal.voters)
    if ballot is not None:
        raise AlreadyVoted(member=ctx.member, proposal=proposal.id, choice=ballot.choice)
    if proposal.state != "OPEN" or ctx.time_ms >= proposal.closes_ms:
        state = "LAPSED" if proposal.state == "OPEN" else proposal.state
        raise VotingClosed(proposal=proposal.id, state=state)

    # WRITE, EMIT
    _cast(ctx, proposal, message.choice)


@contract.handles(CloseProposal)
def close_proposal(ctx: Context, message: CloseProposal) -> None:
    """G1: a deadline only fires for an open proposal; it was cancelled with every other end."""
    proposal = ctx.get(Proposal, format_proposal_id(message.proposal))
    if proposal is None or proposal.state != "OPEN":
        raise VotingClosed(proposal=message.proposal, state=proposal.state if proposal else "")
    _close(ctx, proposal, "LAPSED")


@contract.view("voters")
def view_voters(ctx: ReadContext) -> tuple[Voter, ...]:
    """Members that have a vote now, with their weights."""
    return list_voters(ctx)


def _check_voter(ctx: Context, voters: tuple[Voter, ...]) -> None:
    """The sender acts for a member that has a vote (G2, G3)."""
    if ctx.member not in (voter.member for voter in voters):
        named = ", ".join(voter.member for voter in voters)
        raise NotAVoter(member=ctx.member, voters=named)
    if not is_administrator(ctx, ctx.member) and not ctx.has_role("delegate"):
        raise NotADelegate(member=ctx.member)


def _check_action(ctx: Context, action: Action) -> None:
    """The action decodes, and declares that governance may send it (G6)."""
    message = ctx.decode_message(action.application, action.type, encode_canonical(action.body))
    if not message.GOVERNED:
        raise NotAnAction(type=f"{action.application}.{action.type}")


def _cast(ctx: Context, proposal: Proposal, choice: Choice) -> None:
    """Record the vote of the sender's member, and decide when it decides (G1, G3)."""
    weight = next(voter.weight for voter in proposal.voters if voter.member == ctx.member)
    proposal = replace(
        proposal,
        yes=proposal.yes + (weight if choice == "yes" else 0),
        no=proposal.no + (weight if choice == "no" else 0),
    )
    ctx.put(
        Ballot(
            proposal=proposal.id,
            member=ctx.member,
            account=ctx.sender,
            choice=choice,
            weight=weight,
            height=ctx.height,
        )
    )
    ctx.put(proposal)
    ctx.emit(
        VoteCast(
            proposal=proposal.id,
            member=ctx.member,
            choice=choice,
            weight=weight,
            yes=proposal.yes,
            no=proposal.no,
        )
    )
    outcome = compute_outcome(
        yes=proposal.yes,
        no=proposal.no,
        total=_compute_total(proposal),
        numerator=proposal.numerator,
        denominator=proposal.denominator,
    )
    if outcome == "passed":
        _execute(ctx, proposal)
    elif outcome == "rejected":
        _close(ctx, proposal, "REJECTED")


def _execute(ctx: Context, proposal: Proposal) -> None:
    """All actions and the check of the whole, or nothing but the word of why not (G4, G5)."""
    at = 0
    try:
        with ctx.attempt():
            for action in proposal.actions:
                body = encode_canonical(action.body)
                ctx.dispatch_encoded(action.application, action.type, body)
                at += 1
            check_governable(ctx)
    except Rejection as rejection:
        failed = replace(proposal, code=rejection.code, params=rejection.params, failed_action=at)
        _close(ctx, failed, "FAILED")
    else:
        _close(ctx, proposal, "EXECUTED")


def _close(ctx: Context, proposal: Proposal, state: ProposalState) -> None:
    ctx.put(replace(proposal, state=state))
    ctx.cancel(proposal.closes_ms, f"proposal-{proposal.id}")
    ctx.emit(
        ProposalClosed(
            proposal=proposal.id,
            state=state,
            yes=proposal.yes,
            no=proposal.no,
            total=_compute_total(proposal),
            code=proposal.code,
            failed_action=proposal.failed_action,
        )
    )


def _compute_total(proposal: Proposal) -> int:
    return sum(voter.weight for voter in proposal.voters)
