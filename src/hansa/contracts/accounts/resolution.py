"""Resolving an account's DID from state, as at a version, a height or a time. Pure reads (A12).

Whatever can be read and scanned will do: a node's state, or one that proves each thing it reads.
"""

from typing import Any

import msgspec

from hansa.contracts.accounts.document import build_document
from hansa.contracts.accounts.keys import KEYS_KEPT_MAX
from hansa.contracts.accounts.model import RetiredKey
from hansa.contracts.accounts.profile import DidProfile, PastProfile, Recovery
from hansa.contracts.accounts.recoveries import AGENTS_MAX
from hansa.contracts.accounts.versions import derive_first_profile
from hansa.identity.did_history import Asked, Version, describe_version, find_version
from hansa.identity.moments import format_moment
from hansa.ledger.state import Reader, get_record, get_system, scan_records
from hansa.ledger.system import Account, compute_standing

NAME = "accounts"
# Filed keys that one answer can bring: a key a week for twenty years.
RETIRED_MAX = 2 * 1_000
# Versions that a history lists, the newest of them.
HISTORY_MAX = 1_000


class Resolution(msgspec.Struct, frozen=True):
    """A DID document with its metadata; `deactivated`: the account is closed as asked for."""

    document: dict[str, Any]
    metadata: dict[str, Any]
    deactivated: bool


def resolve_account(
    reader: Reader, did: str, asked: Asked, height: int, *, beside: Reader | None = None
) -> Resolution | None:
    """What the DID stood for; None: there is, or was then, no such account, or it is not yet then.

    `height`: that at which the newest is judged, the next one to be decided. `beside`: where
    recoveries that wait are read, when `reader` proves what it gives: those are for their parties.
    """
    account = get_system(reader, Account, did)
    if account is None or (asked.height or 0) > height:
        return None
    profile = get_record(reader, NAME, DidProfile, did) or derive_first_profile(account)
    newest = _tell(profile)
    version = find_version(lambda number: _load(reader, did, number), newest, asked)
    if version is None:
        return None
    said: DidProfile | PastProfile = profile
    if version.number != profile.version:
        said = _need_past(reader, did, version.number)
    at = _choose_height(asked, version, newest, height)
    retired = () if at >= newest.since else list_retired(reader, account)
    document = build_document(account, at, said, retired)
    closed = compute_standing(account.standing, at) == "closed"
    metadata = describe_version(
        version,
        first=newest if newest.number == 1 else _tell(_need_past(reader, did, 1)),
        next_one=None if version == newest else _find(reader, profile, version.number + 1),
        deactivated=compute_standing(account.standing, height) == "closed",
    )
    if version == newest and not closed:
        metadata.update(_tell_pending(beside or reader, profile))
    return Resolution(document, metadata, closed)


def list_versions(reader: Reader, did: str) -> tuple[Version, ...]:
    """The DID's versions, oldest first; the newest HISTORY_MAX of them. () for no such account."""
    account = get_system(reader, Account, did)
    if account is None:
        return ()
    profile = get_record(reader, NAME, DidProfile, did) or derive_first_profile(account)
    first = max(1, profile.version - HISTORY_MAX + 1)
    past = [_tell(_need_past(reader, did, number)) for number in range(first, profile.version)]
    return (*past, _tell(profile))


def list_retired(reader: Reader, account: Account) -> tuple[RetiredKey, ...]:
    """Ended keys that the account's record no longer lists, each once; filed when it is full."""
    if len(account.keys) < KEYS_KEPT_MAX:
        return ()
    found = scan_records(reader, NAME, RetiredKey, (account.did,), limit=RETIRED_MAX)
    return tuple(each for each in found if each.mark == each.retired.id)


def _tell(profile: DidProfile | PastProfile) -> Version:
    return Version(profile.version, profile.since, profile.since_ms)


def _load(reader: Reader, did: str, number: int) -> Version | None:
    found = get_record(reader, NAME, PastProfile, did, f"{number:08d}")
    return None if found is None else _tell(found)


def _need_past(reader: Reader, did: str, number: int) -> PastProfile:
    found = get_record(reader, NAME, PastProfile, did, f"{number:08d}")
    if found is None:
        raise LookupError(f"version {number} of {did} is not in state")
    return found


def _find(reader: Reader, newest: DidProfile, number: int) -> Version:
    if number == newest.version:
        return _tell(newest)
    return _tell(_need_past(reader, newest.account, number))


def _choose_height(asked: Asked, version: Version, newest: Version, height: int) -> int:
    """At which height keys are judged: that asked for, else the version's own; for now, now."""
    if asked.height is not None:
        return asked.height
    return max(height, version.since) if asked.is_newest and version == newest else version.since


def _tell_pending(reader: Reader, profile: DidProfile) -> dict[str, Any]:
    """A promise about the next key, and recoveries that wait: everybody should see them."""
    told: dict[str, Any] = {}
    if profile.next_key:
        told["hansa:nextKey"] = profile.next_key
    waiting = scan_records(reader, NAME, Recovery, (profile.account,), limit=AGENTS_MAX)
    if waiting:
        told["hansa:recovery"] = [
            {"due": format_moment(each.due_ms), "key": each.mark, "state": each.state}
            for each in waiting
        ]
    return told
