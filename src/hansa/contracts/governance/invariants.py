"""Properties of governance that hold after every block: G1 to G7. Pure reads."""

from itertools import pairwise

from hansa.contracts.governance.model import Ballot, Proposal, format_proposal_id
from hansa.contracts.governance.rejections import NoOneCouldPass
from hansa.contracts.governance.tally import check_governable, compute_outcome
from hansa.ledger.context import GOVERNANCE, ReadContext, Scope
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_system, scan_records
from hansa.ledger.system import Activation, Deadline, Freeze

ALL = 1_000_000
_OUTCOMES = {
    "OPEN": "open",
    "LAPSED": "open",
    "REJECTED": "rejected",
    "EXECUTED": "passed",
    "FAILED": "passed",
}


def list_proposals(reader: Reader) -> list[Proposal]:
    """All proposals."""
    return scan_records(reader, GOVERNANCE, Proposal, limit=ALL)


def find_wrong_outcomes(reader: Reader) -> list[str]:
    """G1: the state of each proposal is what its tally says."""
    found = []
    for proposal in list_proposals(reader):
        total = sum(voter.weight for voter in proposal.voters)
        outcome = compute_outcome(
            yes=proposal.yes,
            no=proposal.no,
            total=total,
            numerator=proposal.numerator,
            denominator=proposal.denominator,
        )
        if outcome != _OUTCOMES[proposal.state] or proposal.yes + proposal.no > total:
            found.append(f"proposal {proposal.id} is {proposal.state} with {proposal.yes} yes")
    return found


def find_wrong_tallies(reader: Reader) -> list[str]:
    """G2, G3: each tally is the sum of ballots by the electorate, with its weights at opening."""
    found = []
    for proposal in list_proposals(reader):
        weights = {voter.member: voter.weight for voter in proposal.voters}
        sums = {"yes": 0, "no": 0}
        prefix = (format_proposal_id(proposal.id),)
        for ballot in scan_records(reader, GOVERNANCE, Ballot, prefix, limit=ALL):
            sums[ballot.choice] += weights.get(ballot.member, 0)
            if ballot.weight != weights.get(ballot.member):
                found.append(
                    f"proposal {proposal.id}: ballot of {ballot.member} has no such weight"
                )
        if sums != {"yes": proposal.yes, "no": proposal.no}:
            found.append(f"proposal {proposal.id} does not count its ballots")
    return found


def find_wrong_ends(reader: Reader) -> list[str]:
    """G1, G4: open proposals, no others, have a deadline; failed ones, no others, a code."""
    found = []
    for proposal in list_proposals(reader):
        parts = (f"{proposal.closes_ms:015d}", GOVERNANCE, f"proposal-{proposal.id}")
        has_deadline = get_system(reader, Deadline, *parts) is not None
        if has_deadline != (proposal.state == "OPEN"):
            found.append(f"proposal {proposal.id} is {proposal.state}, deadline: {has_deadline}")
        if bool(proposal.code) != (proposal.state == "FAILED"):
            found.append(f"proposal {proposal.id} is {proposal.state} with code {proposal.code!r}")
    return found


def find_lock_out(reader: Reader) -> list[str]:
    """G5."""
    scope = Scope(chain="", height=0, time_ms=0, transaction="", message_index=0)
    try:
        check_governable(ReadContext(reader, GOVERNANCE, scope))
    except NoOneCouldPass as rejection:
        return [rejection.text]
    return []


def find_frozen_governance(reader: Reader) -> list[str]:
    """G6."""
    names = (f"contract:{GOVERNANCE}", f"message:{GOVERNANCE}.")
    freezes = scan_records(reader, GOVERNANCE, Freeze, limit=ALL)
    return [f"{each.target} is frozen" for each in freezes if each.target.startswith(names)]


def find_wrong_activations(reader: Reader) -> list[str]:
    """G7."""
    found = []
    for activation in scan_records(reader, GOVERNANCE, Activation, limit=ALL):
        entries = activation.versions
        for before, after in pairwise(entries):
            if after.height <= before.height or after.version < before.version:
                found.append(f"{activation.application}: {after.version} after {before.version}")
    return found


INVARIANTS = (
    Invariant("G1", "a proposal's state is what its tally says", find_wrong_outcomes),
    Invariant("G2", "a tally is the sum of its ballots", find_wrong_tallies),
    Invariant("G4", "deadlines and codes fit the states", find_wrong_ends),
    Invariant("G5", "somebody can still pass a proposal", find_lock_out),
    Invariant("G6", "governance is never frozen", find_frozen_governance),
    Invariant("G7", "activations go up", find_wrong_activations),
)
