"""Properties of validators and nodes that hold after every block: V1 to V8. Pure reads."""

from collections import Counter

from hansa.contracts.standing import get_latest_standing
from hansa.contracts.validators.keys import derive_address
from hansa.contracts.validators.model import NODES_MAX, FormerKey
from hansa.contracts.validators.rejections import WrongValidatorKey
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, get_system, scan_records
from hansa.ledger.system import Evidence, Liveness, Member, Node, Validator
from hansa.primitives.limits import VALIDATOR_POWER_MAX, VALIDATORS_MAX

NAME = "validators"
ALL = 1_000_000


def list_validators(reader: Reader) -> list[Validator]:
    """All validators."""
    return scan_records(reader, NAME, Validator, limit=ALL)


def find_wrong_keys(reader: Reader) -> list[str]:
    """V1."""
    found = []
    for validator in list_validators(reader):
        try:
            address = derive_address(validator.public_key)
        except WrongValidatorKey as rejection:
            found.append(f"{validator.address}: {rejection.text}")
            continue
        if address != validator.address:
            found.append(f"{validator.address} is not the address of its key")
        former = get_record(reader, NAME, FormerKey, validator.address)
        if former is not None and (former.replaced or former.member != validator.member):
            found.append(f"{validator.address} was replaced, or voted for {former.member}")
    return found


def find_wrong_numbers(reader: Reader) -> list[str]:
    """V2."""
    validators = list_validators(reader)
    members = Counter(each.member for each in validators if each.member)
    found = [f"{member} has {count} validators" for member, count in members.items() if count > 1]
    if len(validators) > VALIDATORS_MAX:
        found.append(f"there are {len(validators)} validators")
    for each in validators:
        if not 0 < each.power <= VALIDATOR_POWER_MAX:
            found.append(f"{each.address} has power {each.power}")
    return found


def find_empty_set(reader: Reader) -> list[str]:
    """V3, as far as one state shows it: somebody votes."""
    return [] if any(each.effective_power for each in list_validators(reader)) else ["nobody votes"]


def find_fallen_members(reader: Reader) -> list[str]:
    """V5."""
    found = []
    for validator in list_validators(reader):
        member = get_system(reader, Member, validator.member) if validator.member else None
        is_good = member is not None and get_latest_standing(member.standing) == "good"
        if validator.member and validator.state == "active" and not is_good:
            found.append(f"{validator.address} votes, but {validator.member} is not good")
    return found


def find_wrong_suspensions(reader: Reader) -> list[str]:
    """V6: a suspension has its evidence; no other evidence says that it suspended."""
    evidence = scan_records(reader, NAME, Evidence, limit=ALL)
    suspended = {each.member for each in evidence if each.outcome == "suspended"}
    return [
        f"{validator.address} is suspended without evidence"
        for validator in list_validators(reader)
        if validator.state == "suspended" and validator.member not in suspended
    ]


def find_wrong_nodes(reader: Reader) -> list[str]:
    """V7."""
    nodes = scan_records(reader, NAME, Node, limit=ALL)
    counts = Counter(node.member for node in nodes)
    found = [f"{member} has {count} nodes" for member, count in counts.items() if count > NODES_MAX]
    for member in counts:
        if get_system(reader, Member, member) is None:
            found.append(f"{member} has nodes, but is no member")
    return found


def find_strange_signers(reader: Reader) -> list[str]:
    """V8."""
    liveness = get_system(reader, Liveness, *Liveness().key())
    addresses = [each.address for each in liveness.signed] if liveness is not None else []
    known = {each.address for each in list_validators(reader)}
    found = [f"{each} signed, but is no validator" for each in addresses if each not in known]
    if addresses != sorted(set(addresses)):
        found.append("signers are not in order, or twice")
    return found


INVARIANTS = (
    Invariant("V1", "keys are fit and never used for two members", find_wrong_keys),
    Invariant("V2", "a member has one validator; numbers have bounds", find_wrong_numbers),
    Invariant("V3", "somebody votes", find_empty_set),
    Invariant("V5", "members of active validators are in good standing", find_fallen_members),
    Invariant("V6", "a suspension has its evidence", find_wrong_suspensions),
    Invariant("V7", "nodes are members', and few", find_wrong_nodes),
    Invariant("V8", "who was seen to vote is a validator", find_strange_signers),
)
