"""Properties of accounts and keys that hold after every block: A1 to A9. Pure reads."""

from collections.abc import Mapping

from hansa.contracts.accounts.keys import (
    KEYS_KEPT_MAX,
    KEYS_LIVE_MAX,
    check_purposes,
    compute_key_digest,
)
from hansa.contracts.accounts.model import RetiredKey, WrongPurposes
from hansa.contracts.standing import find_disorder, get_latest_standing
from hansa.identity.did import compute_did
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, scan_records
from hansa.ledger.system import Account, Standing

NAME = "accounts"
ALL = 1_000_000
STEPS: Mapping[Standing | None, tuple[Standing, ...]] = {
    None: ("good", "suspended", "closed"),
    # twice the same: two changes in one block, of which the last stayed
    "good": ("suspended", "closed", "good"),
    "suspended": ("good", "closed", "suspended"),
    "closed": (),
}


def list_accounts(reader: Reader) -> list[Account]:
    """All accounts."""
    return scan_records(reader, NAME, Account, limit=ALL)


def find_wrong_dids(reader: Reader) -> list[str]:
    """A1: while the inception key is still listed, the DID is its."""
    found = []
    for account in list_accounts(reader):
        first = account.keys[0]
        if first.since == account.standing[0].since and compute_did(first.public) != account.did:
            found.append(f"{account.did} is not the DID of its first key")
    return found


def find_keys_used_twice(reader: Reader) -> list[str]:
    """A3."""
    found = []
    for account in list_accounts(reader):
        retired = scan_records(reader, NAME, RetiredKey, (account.did,), limit=ALL)
        filed = {each.mark: each.retired for each in retired}
        keys = [*account.keys, *(key for mark, key in filed.items() if mark == key.id)]
        names = {key.id for key in keys}
        publics = {compute_key_digest(key.public) for key in keys}
        if len(names) < len(keys) or len(publics) < len(keys):
            found.append(f"{account.did} has a key or a name of a key twice")
    return found


def find_wrong_purposes(reader: Reader) -> list[str]:
    """A4."""
    found = []
    for account in list_accounts(reader):
        for key in account.keys:
            try:
                check_purposes(account.kind, key.purposes, key.scope)
            except WrongPurposes as rejection:
                found.append(f"{account.did}#{key.id}: {rejection.text}")
    return found


def find_too_many_keys(reader: Reader) -> list[str]:
    """A6."""
    return [
        f"{account.did} has too many keys"
        for account in list_accounts(reader)
        if len(account.keys) > KEYS_KEPT_MAX
        or sum(key.until is None for key in account.keys) > KEYS_LIVE_MAX
    ]


def find_powerless(reader: Reader) -> list[str]:
    """A7: signing keys without an end, or some service key, in every open account."""
    found = []
    for account in list_accounts(reader):
        is_open = get_latest_standing(account.standing) != "closed"
        acting = "service" if account.kind == "service" else "sign"
        can_act = any(
            acting in key.purposes and (key.until is None or acting == "service")
            for key in account.keys
        )
        if is_open and not can_act:
            found.append(f"{account.did} has no key with which it can act")
    return found


def find_wrong_standings(reader: Reader) -> list[str]:
    """A8."""
    return [
        f"{account.did}: {problem}"
        for account in list_accounts(reader)
        if (problem := find_disorder(account.standing, STEPS))
    ]


def find_fallen_first_accounts(reader: Reader) -> list[str]:
    """A9."""
    return [
        f"{account.did} is a first account but {get_latest_standing(account.standing)}"
        for account in list_accounts(reader)
        if account.kind == "member"
        and (not account.admin or get_latest_standing(account.standing) != "good")
    ]


INVARIANTS = (
    Invariant("A1", "a DID derives from its inception key", find_wrong_dids),
    Invariant("A3", "no key and no name of a key is used twice", find_keys_used_twice),
    Invariant("A4", "purposes and scopes fit", find_wrong_purposes),
    Invariant("A6", "keys are bounded", find_too_many_keys),
    Invariant("A7", "an open account can act", find_powerless),
    Invariant("A8", "standings follow each other as they may", find_wrong_standings),
    Invariant("A9", "a member's first account stays", find_fallen_first_accounts),
)
