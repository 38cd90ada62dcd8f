"""Properties of accreditations after every block: R1 to R4, R7, R8. Pure reads.

R5 judges acts; R6 is the walk itself (`identity.accreditation`).
"""

import itertools
from collections import Counter

from hansa.contracts.accreditations.model import (
    LINKS_MAX,
    RECOGNITIONS_MAX,
    Accreditation,
    Recognition,
    SubjectLink,
)
from hansa.identity.links import ANY_SCHEMA, DEPTH_MAX, StandingFrom
from hansa.ledger.context import GOVERNANCE
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_system, scan_records
from hansa.ledger.system import Account

NAME = "accreditations"
ALL = 1_000_000


def find_wrong_parents(reader: Reader) -> list[str]:
    """R1: roots are governance's; each other link is its parent's subject's."""
    found = []
    links = _read_links(reader)
    for link in links.values():
        is_root = link.level == "root"
        if is_root != (link.parent == "") or is_root != (link.accreditor == GOVERNANCE):
            found.append(f"{link.id}: a {link.level} by {link.accreditor} under {link.parent}")
        if is_root:
            continue
        parent = links.get(link.parent)
        if parent is None or parent.level == "attest" or parent.subject != link.accreditor:
            found.append(f"{link.id}: {link.parent} does not carry it")
    return found


def find_excesses(reader: Reader) -> list[str]:
    """R2: told pair by pair, not by the walk's own comparison."""
    found = []
    links = _read_links(reader)
    for link in links.values():
        parent = links.get(link.parent)
        if parent is None:
            continue
        if link.framework != parent.framework or link.since_ms < parent.since_ms:
            found.append(f"{link.id}: another framework than its parent's, or earlier")
        ends = (link.until_ms, parent.until_ms)
        if ends[1] is not None and (ends[0] is None or ends[0] > ends[1]):
            found.append(f"{link.id}: ends after its parent")
        for schema, place in sorted(_list_pairs(link) - _list_pairs(parent)):
            if schema == ANY_SCHEMA or (ANY_SCHEMA, place) not in _list_pairs(parent):
                found.append(f"{link.id}: {schema} in {place} is not its parent's")
    return found


def find_long_chains(reader: Reader) -> list[str]:
    """R3."""
    links = _read_links(reader)
    found = []
    for link in links.values():
        upper, length = link.parent, 1
        while upper in links and length <= DEPTH_MAX:
            upper, length = links[upper].parent, length + 1
        if length > DEPTH_MAX:
            found.append(f"{link.id}: more than {DEPTH_MAX} links")
    return found


def find_wrong_standings(reader: Reader) -> list[str]:
    """R4: intervals in order, and nothing after a revocation."""
    records: list[Accreditation | Recognition] = [*_read_links(reader).values()]
    records.extend(_read_recognitions(reader))
    found = [f"{each.id}: {wrong}" for each in records if (wrong := _find_disorder(each.standing))]
    found.extend(
        f"{each.id}: no time at all"
        for each in records
        if each.until_ms is not None and each.until_ms <= each.since_ms
    )
    return found


def find_wrong_recognitions(reader: Reader) -> list[str]:
    """R7."""
    found = []
    records = _read_recognitions(reader)
    for each in records:
        sources = [pair.source for pair in each.schemas]
        targets = [pair.target for pair in each.schemas]
        if each.source == each.relying or len(set(sources)) < len(sources):
            found.append(f"{each.id}: says nothing, or two things")
        if ANY_SCHEMA in (*sources, *targets):
            found.append(f"{each.id}: every schema")
        if any(entry.by != GOVERNANCE for entry in each.standing):
            found.append(f"{each.id}: not governance's")
    crowd = Counter(each.relying for each in records)
    found.extend(f"{place} has {n}" for place, n in crowd.items() if n > RECOGNITIONS_MAX)
    return found


def find_wrong_subjects(reader: Reader) -> list[str]:
    """R8: subjects are accounts, and each link that may still count is found under its subject."""
    known = _read_links(reader)
    links = {(link.subject, link.id) for link in known.values()}
    entries = {
        (each.subject, each.link) for each in scan_records(reader, NAME, SubjectLink, limit=ALL)
    }
    found = [
        f"{link} of {subject} is in one list only"
        for subject, link in sorted(links ^ entries)
        if (subject, link) in entries or not _may_be_over(known[link])
    ]
    crowd = Counter(subject for subject, _link in entries)
    found.extend(f"{subject} has {n} links" for subject, n in crowd.items() if n > LINKS_MAX)
    found.extend(
        f"{subject} is no account"
        for subject in crowd
        if get_system(reader, Account, subject) is None
    )
    return sorted(found)


def _read_links(reader: Reader) -> dict[str, Accreditation]:
    return {link.id: link for link in scan_records(reader, NAME, Accreditation, limit=ALL)}


def _may_be_over(link: Accreditation) -> bool:
    return link.until_ms is not None or link.standing[-1].standing == "revoked"


def _read_recognitions(reader: Reader) -> list[Recognition]:
    return scan_records(reader, NAME, Recognition, limit=ALL)


def _list_pairs(link: Accreditation) -> set[tuple[str, str]]:
    return {
        (schema, place)
        for each in link.scope
        for schema in each.schemas
        for place in each.jurisdictions
    }


def _find_disorder(history: tuple[StandingFrom, ...]) -> str:
    if not history or history[0].standing == "suspended":
        return "does not begin active"
    for before, after in itertools.pairwise(history):
        if after.since_ms <= before.since_ms:
            return f"{after.since_ms} does not follow {before.since_ms}"
        if before.standing == "revoked":
            return "something follows a revocation"
    return ""


INVARIANTS = (
    Invariant("R1", "each link has who may give it", find_wrong_parents),
    Invariant("R2", "no child exceeds its parent", find_excesses),
    Invariant("R3", "chains are bounded", find_long_chains),
    Invariant("R4", "standings are in order, revocation is final", find_wrong_standings),
    Invariant("R7", "recognitions say what counts for what", find_wrong_recognitions),
    Invariant("R8", "subjects are accounts with bounded links", find_wrong_subjects),
)
