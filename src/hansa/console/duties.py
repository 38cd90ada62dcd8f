"""What waits for a visitor about identities: break-glass to review or about oneself, recoveries."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansa.console.asking import ApiProblem, Value
from hansa.console.visit import Visit

# Looked at for each duty; more are rare, and the list that a duty leads to has them.
_READ_MAX: Final = 100
_ROWS: Final = 5
REGULATOR: Final = ("consents", "regulator")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Duty:
    """A line of the home page: what it is, where it leads, and the first of what waits: name,
    page, time (ms).
    """

    title: str
    text: str
    url: str
    count: int
    rows: tuple[tuple[str, str, int], ...]


async def list_duties(visit: Visit, roles: Iterable[Mapping[str, Any]]) -> list[Duty]:
    """What waits, the most urgent first."""
    session = visit.session or {}
    own = {str(session.get("account", "")), visit.member}
    places = {each["scope"] for each in roles if (each["application"], each["role"]) == REGULATOR}
    emergencies, recoveries = await asyncio.gather(
        _list(visit, "/v1/apps/consents/emergency"),
        _list(visit, "/v1/apps/accounts/recovery"),
    )
    waiting = [each for each in emergencies if not each["verdict"]]
    duties = [
        *_tell_recoveries(visit, [each for each in recoveries if each["account"] in own]),
        *_tell_agents(visit, own, recoveries),
        *_tell_own(visit, [each for each in waiting if each["subject"] in own]),
    ]
    if places:
        mine = [each for each in waiting if own.isdisjoint((each["taker"], each["subject"]))]
        duties += _tell_reviews(visit, mine)
    return duties


async def _list(visit: Visit, path: str, **filters: Value) -> list[Row]:
    """Records that the visitor sees; none where it may not look."""
    try:
        page = await visit.api.get(path, filters, limit=_READ_MAX)
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return []
    return list(page["items"])


def _tell_reviews(visit: Visit, rows: list[Row]) -> list[Duty]:
    """A regulator's reviews, the earliest due first."""
    return _tell(
        visit.words("Emergency accesses to review"),
        visit.words("Data was read without leave. Say whether that was justified."),
        "/apps/consents/records/emergency",
        [
            (
                visit.words.of("option", row["reason"]),
                visit.record_link("consents", "emergency", row["id"]),
                row["due_ms"],
            )
            for row in sorted(rows, key=lambda row: row["due_ms"])
        ],
    )


def _tell_own(visit: Visit, rows: list[Row]) -> list[Duty]:
    return _tell(
        visit.words("Your data was read in an emergency"),
        visit.words("Somebody read it without leave; a regulator reviews it."),
        "/identity/access",
        [
            (
                visit.words.of("option", row["reason"]),
                visit.record_link("consents", "emergency", row["id"]),
                row["at_ms"],
            )
            for row in rows
        ],
    )


def _tell_recoveries(visit: Visit, rows: list[Row]) -> list[Duty]:
    """The account would be given a new key: who did not ask for that must veto it."""
    url = visit.link(
        "/apps/accounts/messages/VetoRecovery", account=rows[0]["account"] if rows else ""
    )
    return _tell(
        visit.words("Somebody recovers your account"),
        visit.words("Its agents would give it a new key. If you did not ask for that, veto it."),
        url,
        [_describe_recovery(visit, row) for row in rows],
    )


def _tell_agents(visit: Visit, own: set[str], rows: list[Row]) -> list[Duty]:
    """Recoveries that wait for the visitor's own word."""
    asked = [
        row
        for row in rows
        if row["state"] == "open"
        and not own.isdisjoint(row["agents"])
        and own.isdisjoint(each["agent"] for each in row["approvals"])
    ]
    return _tell(
        visit.words("A recovery asks for your word"),
        visit.words("You are one of its agents. Approve only what its owner told you in person."),
        "/apps/accounts/messages/ApproveRecovery",
        [_describe_recovery(visit, row) for row in asked],
    )


def _describe_recovery(visit: Visit, row: Row) -> tuple[str, str, int]:
    key = f"{row['account']}/{row['mark']}"
    return row["key_id"], visit.record_link("accounts", "recovery", key), row["due_ms"]


def _tell(title: str, text: str, url: str, rows: list[tuple[str, str, int]]) -> list[Duty]:
    return [Duty(title, text, url, len(rows), tuple(rows[:_ROWS]))] if rows else []
