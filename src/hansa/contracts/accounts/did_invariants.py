"""Properties of DIDs beyond keys that hold after every block: A10 to A12. Pure reads."""

from collections import Counter
from itertools import pairwise

from hansa.contracts.accounts.did_handlers import AGREEMENTS_MAX, SERVICES_MAX
from hansa.contracts.accounts.keys import compute_key_digest
from hansa.contracts.accounts.model import RetiredKey
from hansa.contracts.accounts.profile import DidProfile, PastProfile, Recovery, RecoveryPlan
from hansa.contracts.accounts.recoveries import name_deadline
from hansa.contracts.accounts.versions import derive_first_profile
from hansa.contracts.standing import get_latest_standing
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, get_system, scan_records
from hansa.ledger.system import Account, Deadline

NAME = "accounts"
ALL = 1_000_000


def find_impossible_promises(reader: Reader) -> list[str]:
    """A10: a promised key is new to its account, else nothing could ever enter."""
    found = []
    for profile in scan_records(reader, NAME, DidProfile, limit=ALL):
        account = get_system(reader, Account, profile.account)
        listed = {compute_key_digest(key.public) for key in account.keys} if account else set()
        retired = get_record(reader, NAME, RetiredKey, profile.account, profile.next_key or "-")
        if profile.next_key in listed or retired is not None:
            found.append(f"{profile.account} promised a key that it has had")
    return found


def find_wrong_recoveries(reader: Reader) -> list[str]:
    """A11."""
    found = []
    behind: Counter[tuple[str, str]] = Counter()
    for recovery in scan_records(reader, NAME, Recovery, limit=ALL):
        account = get_system(reader, Account, recovery.account)
        plan = get_record(reader, NAME, RecoveryPlan, recovery.account)
        agents = [each.agent for each in recovery.approvals]
        behind.update((recovery.account, agent) for agent in agents)
        is_agreed = plan is not None and len(agents) >= plan.threshold
        deadline = (f"{recovery.due_ms:015d}", NAME, name_deadline(recovery))
        problem = ""
        if account is None or get_latest_standing(account.standing) == "closed":
            problem = "of an account that is not open"
        elif plan is None or not agents or not set(agents) <= set(plan.agents):
            problem = "by others than its agents"
        elif is_agreed != (recovery.state == "agreed"):
            problem = f"{recovery.state} with {len(agents)} approvals"
        elif get_system(reader, Deadline, *deadline) is None:
            problem = "without an end"
        if problem:
            found.append(f"recovery {recovery.account} {recovery.mark}: {problem}")
    found += [f"{agent} is behind {number} keys" for agent, number in behind.items() if number > 1]
    return found


def find_wrong_versions(reader: Reader) -> list[str]:
    """A12."""
    found = []
    for account in scan_records(reader, NAME, Account, limit=ALL):
        profile = get_record(reader, NAME, DidProfile, account.did)
        newest = profile or derive_first_profile(account)
        past = scan_records(reader, NAME, PastProfile, (account.did,), limit=ALL)
        versions: list[DidProfile | PastProfile] = [*past, newest]
        changes = [key.since for key in account.keys]
        changes += [key.until or 0 for key in account.keys if key.until_ms is not None]
        problem = ""
        if [each.version for each in versions] != list(range(1, len(versions) + 1)):
            problem = "its versions are not numbered from 1"
        elif any(
            later.since <= earlier.since or later.since_ms < earlier.since_ms
            for earlier, later in pairwise(versions)
        ):
            problem = "its versions do not follow each other in time"
        elif max(changes) > newest.since:
            problem = "its keys changed without a version"
        elif account.kind == "citizen" and newest.services:
            problem = "a citizen's document names a service"
        elif _is_crowded(newest):
            problem = "services or agreement keys are too many, or a name stands twice"
        if problem:
            found.append(f"{account.did}: {problem}")
    return found


def _is_crowded(profile: DidProfile) -> bool:
    services = [each.id for each in profile.services]
    agreements = [each.id for each in profile.agreements]
    return (
        len(services) > SERVICES_MAX
        or len(agreements) > AGREEMENTS_MAX
        or len(set(services)) < len(services)
        or len(set(agreements)) < len(agreements)
    )


INVARIANTS = (
    Invariant("A10", "a promised key can still enter", find_impossible_promises),
    Invariant("A11", "recoveries are agreed by agents and end", find_wrong_recoveries),
    Invariant("A12", "every change of a DID is a version", find_wrong_versions),
)
