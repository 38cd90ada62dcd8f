"""Who may see what (D8): viewers, and the one rule over visibility, parties and READERS. Pure.

Every list, count, event, receipt and proof of a gateway asks here, in Python or by marks in SQL.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hansa.ledger.model import Visibility

# A grant without a scope (hansa.ledger.system.Grant).
ANY_SCOPE: Final = "-"


@dataclass(frozen=True, slots=True)
class Viewer:
    """On whose behalf one asks. `dids`: the account and, when it acts for its member, the member.

    `is_league`: it acts for a member (a citizen's account does not), so it reads what the league
    reads. `roles`: `app.role` with its scope (a jurisdiction, or ANY_SCOPE) as granted now.
    """

    account: str = ""
    dids: tuple[str, ...] = ()
    is_league: bool = False
    roles: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @property
    def is_stranger(self) -> bool:
        """Whether nobody signed in."""
        return not self.account

    def is_signer(self, kid: str) -> bool:
        """Whether the account of this key is the viewer's own, or its member's."""
        return bool(kid) and kid.partition("#")[0] in self.dids


STRANGER: Final = Viewer()


def compute_mark(jurisdiction: str) -> str:
    """The mark beside the parties' DIDs by which a jurisdiction's readers find what is theirs."""
    return f"@{jurisdiction}"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a viewer sees of one kind: everything, or what carries one of the marks."""

    is_whole: bool
    marks: tuple[str, ...] = ()


def compute_sight(viewer: Viewer, visibility: Visibility, readers: Iterable[str]) -> Sight:
    """What `viewer` sees of a kind of records, events or messages with this visibility."""
    if visibility == "public" or (visibility == "league" and viewer.is_league):
        return Sight(is_whole=True)
    scopes = {scope for role, scope in viewer.roles if role in set(readers)}
    if ANY_SCOPE in scopes:
        return Sight(is_whole=True)
    return Sight(is_whole=False, marks=(*viewer.dids, *map(compute_mark, sorted(scopes))))


def compute_marks(
    parties: Iterable[str], readers: Iterable[str], jurisdictions: Mapping[str, str]
) -> tuple[str, ...]:
    """Marks of one value: its parties' DIDs and, when a role reads it, their jurisdictions."""
    dids = sorted({did for did in parties if did})
    if not tuple(readers):
        return tuple(dids)
    places = sorted({jurisdictions[did] for did in dids if jurisdictions.get(did)})
    return (*dids, *map(compute_mark, places))


def is_visible(sight: Sight, marks: Iterable[str]) -> bool:
    """Whether a value with these marks is within the sight."""
    return sight.is_whole or not set(sight.marks).isdisjoint(marks)
