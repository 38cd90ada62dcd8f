"""Properties of membership that hold after every block: M1 to M4. Pure reads."""

from collections.abc import Mapping

from hansa.contracts.members.model import IdentifierOwner
from hansa.contracts.standing import find_disorder, get_latest_standing
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, get_system, scan_records
from hansa.ledger.system import Account, Member, Standing
from hansa.primitives.identifiers import InvalidIdentifier, check_identifier

NAME = "members"
ALL = 1_000_000
STEPS: Mapping[Standing | None, tuple[Standing, ...]] = {
    # other than good: changed again in the block that admitted it
    None: ("good", "suspended", "expelled"),
    # twice the same: two changes in one block, of which the last stayed
    "good": ("suspended", "expelled", "good"),
    "suspended": ("good", "expelled", "suspended"),
    "expelled": (),
}


def find_members_without_account(reader: Reader) -> list[str]:
    """M1."""
    found = []
    for member in scan_records(reader, NAME, Member, limit=ALL):
        account = get_system(reader, Account, member.did)
        if account is None or account.kind != "member" or account.member != member.did:
            found.append(f"{member.did} has no first account")
    return found


def find_wrong_identifiers(reader: Reader) -> list[str]:
    """M2."""
    found = []
    for owner in scan_records(reader, NAME, IdentifierOwner, limit=ALL):
        member = get_system(reader, Member, owner.member)
        listed = {(each.scheme, each.value) for each in member.identifiers} if member else set()
        if (owner.scheme, owner.value) not in listed:
            found.append(f"{owner.scheme} {owner.value} is not one of {owner.member}")
    for member in scan_records(reader, NAME, Member, limit=ALL):
        if get_latest_standing(member.standing) != "expelled":
            found.extend(_check_identifiers(reader, member))
    return found


def find_wrong_standings(reader: Reader) -> list[str]:
    """M3, M4."""
    return [
        f"{member.did}: {problem}"
        for member in scan_records(reader, NAME, Member, limit=ALL)
        if (problem := find_disorder(member.standing, STEPS))
    ]


def _check_identifiers(reader: Reader, member: Member) -> list[str]:
    found = []
    for each in member.identifiers:
        owner = get_record(reader, NAME, IdentifierOwner, each.scheme, each.value)
        if owner is None or owner.member != member.did:
            found.append(f"{each.scheme} {each.value} of {member.did} is another's or nobody's")
        try:
            check_identifier(each.scheme, each.value)
        except InvalidIdentifier as error:
            found.append(f"{member.did}: {error}")
    return found


INVARIANTS = (
    Invariant("M1", "each member has its first account", find_members_without_account),
    Invariant("M2", "identifiers hold and belong to one member", find_wrong_identifiers),
    Invariant("M3", "standings follow each other as they may", find_wrong_standings),
)
