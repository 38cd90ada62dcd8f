"""Properties of evidence after every block: E1, E4, E5, E6. Pure reads. E2, E3 judge acts."""

from collections import Counter

from hansa.contracts.evidence.model import (
    STANDS_MAX,
    TOKENS_MAX,
    Evidence,
    EvidenceSignature,
    LogEntry,
    TimeStamp,
)
from hansa.crypto.hashing import sha256
from hansa.encoding.text import decode_base64url, encode_base64url
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, scan_records

NAME = "evidence"
ALL = 1_000_000


def find_wrong_forms(reader: Reader) -> list[str]:
    """E1: what is no root is one item; and its owner signed it."""
    found = []
    for evidence in scan_records(reader, NAME, Evidence, limit=ALL):
        if evidence.form != "root" and evidence.items != 1:
            found.append(f"{evidence.id}: a {evidence.form} of {evidence.items}")
        if get_record(reader, NAME, EvidenceSignature, *evidence.key(), evidence.owner) is None:
            found.append(f"{evidence.id}: not signed by its owner")
    return found


def find_wrong_stands(reader: Reader) -> list[str]:
    """E4: times of a signature follow each other, only the last is open, and there is evidence."""
    found = []
    for signature in scan_records(reader, NAME, EvidenceSignature, limit=ALL):
        name = "/".join(signature.key())
        evidence = get_record(reader, NAME, Evidence, signature.owner, signature.id)
        if evidence is None:
            found.append(f"{name}: there is no such evidence")
            continue
        before: int | None = evidence.since_ms
        for stand in signature.stands:
            if before is None or stand.since_ms < before:
                found.append(f"{name}: {stand.since_ms} does not follow {before}")
            if stand.until_ms is not None and stand.until_ms < stand.since_ms:
                found.append(f"{name}: ends at {stand.until_ms} before {stand.since_ms}")
            before = stand.until_ms
        if not 1 <= len(signature.stands) <= STANDS_MAX:
            found.append(f"{name}: {len(signature.stands)} times")
    return found


def find_wrong_logs(reader: Reader) -> list[str]:
    """E5: entries are numbered 1 to the last, by those whose signature stood."""
    found = []
    entries: Counter[tuple[str, ...]] = Counter()
    for entry in scan_records(reader, NAME, LogEntry, limit=ALL):
        entries[entry.owner, entry.id] += 1
        if entry.number != entries[entry.owner, entry.id]:
            found.append(f"{'/'.join(entry.key())} is out of order")
        found.extend(_find_strangers(reader, entry))
    for evidence in scan_records(reader, NAME, Evidence, limit=ALL):
        if entries[evidence.key()] != evidence.log:
            found.append(f"{evidence.id}: {entries[evidence.key()]} entries, not {evidence.log}")
    return found


def find_wrong_tokens(reader: Reader) -> list[str]:
    """E6: tokens have their digest, are counted and few, by those whose signature stood."""
    found = []
    tokens: Counter[tuple[str, ...]] = Counter()
    for stamp in scan_records(reader, NAME, TimeStamp, limit=ALL):
        tokens[stamp.owner, stamp.id] += 1
        token = decode_base64url(stamp.token)
        if token and encode_base64url(sha256(token)) != stamp.digest:
            found.append(f"{'/'.join(stamp.key())} has another token")
        found.extend(_find_strangers(reader, stamp))
    for evidence in scan_records(reader, NAME, Evidence, limit=ALL):
        if tokens[evidence.key()] != evidence.tokens or evidence.tokens > TOKENS_MAX:
            found.append(f"{evidence.id}: {tokens[evidence.key()]} tokens, not {evidence.tokens}")
    return found


def _find_strangers(reader: Reader, added: LogEntry | TimeStamp) -> list[str]:
    """Half-open times say nothing of a revocation later in the same block: <= counts as stood."""
    signature = get_record(reader, NAME, EvidenceSignature, added.owner, added.id, added.by)
    stands = signature.stands if signature is not None else ()
    for stand in stands:
        until_ms = added.at_ms if stand.until_ms is None else stand.until_ms
        if stand.since_ms <= added.at_ms <= until_ms:
            return []
    return [f"{'/'.join(added.key())}: the signature of {added.by} did not stand"]


INVARIANTS = (
    Invariant("E1", "what is no root is one item, and its owner signed it", find_wrong_forms),
    Invariant("E4", "times for which signatures stood follow each other", find_wrong_stands),
    Invariant("E5", "logs are whole, in order, and by signers", find_wrong_logs),
    Invariant("E6", "tokens are theirs, few, and by signers", find_wrong_tokens),
)
