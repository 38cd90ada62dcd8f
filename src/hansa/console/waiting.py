"""What waits for a visitor, out of what the API says: rows of tables, proposals without a vote."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hansa.console.asking import ApiProblem, Value, join_path
from hansa.console.visit import Visit

# Rows of each entry that the home page shows; the list has the others.
ROWS_SHOWN: Final = 5
# Columns that name a row to people, the best first.
_NAMES: Final = ("number", "id", "invoice", "item", "event")
# Columns that say what sort of thing a row is, and by when; the first that it has.
_SORTS: Final = ("kind", "reason")
_TIMES: Final = ("due_ms", "until_ms", "opened_ms")
EVERYWHERE: Final = "-"
_GRANTS_MAX: Final = 100
_PROPOSALS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One row: what it is called, its record's page, and its amount, sort or time when it has one.

    sort: (field, value) of an enumerated column.
    """

    name: str
    url: str
    amount: int | None = None
    unit: str = ""
    sort: tuple[str, str] = ("", "")
    time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingList:
    """Rows that wait: `count` in all, the first of them, and the page that lists all."""

    app: str
    name: str
    count: int
    url: str
    is_urgent: bool
    messages: tuple[str, ...]
    rows: list[WaitingRow] = field(default_factory=list)


async def list_roles(visit: Visit) -> list[dict[str, Any]]:
    """Grants that the visitor's account or member holds, by role."""
    session = visit.session or {}
    found: list[dict[str, Any]] = []
    for did in dict.fromkeys((session.get("account"), session.get("member"))):
        page = await visit.api.get("/v1/apps/permissions/grant", holder=did, limit=_GRANTS_MAX)
        found += page["items"]
    return sorted(found, key=lambda each: (each["application"], each["role"], each["scope"]))


async def list_waiting(visit: Visit, roles: list[dict[str, Any]]) -> list[WaitingList]:
    """What waits in every application, urgent things first."""
    held: dict[str, set[str]] = {}
    for each in roles:
        held.setdefault(f"{each['application']}.{each['role']}", set()).add(each["scope"])
    described = await visit.frame.describe_all(visit.api)
    wanted = [
        (app, entry)
        for app in described.values()
        for entry in app.get("waiting", ())
        if not entry["role"] or entry["role"] in held
    ]
    found = await asyncio.gather(
        *(_ask(visit, app, entry, held.get(entry["role"], set())) for app, entry in wanted)
    )
    return sorted((each for each in found if each.count), key=lambda each: not each.is_urgent)


async def _ask(
    visit: Visit, app: Mapping[str, Any], entry: Mapping[str, Any], scopes: set[str]
) -> WaitingList:
    """One entry. Nothing waits where the visitor may not look."""
    filters: dict[str, Value] = dict(entry["where"])
    if entry["mine"]:
        filters[entry["mine"]] = visit.member
    table = next(each for each in app["tables"] if each["name"] == entry["table"])
    address = join_path("v1", "apps", app["name"], "tables", table["name"])
    places: list[str] = [""]
    if entry["scope"] and EVERYWHERE not in scopes:
        places = sorted(scopes)
    if len(places) == 1 and places[0]:
        filters[entry["scope"]] = places[0]
    count, rows = 0, []
    for place in places:
        narrowed = {**filters, entry["scope"]: place} if place else filters
        here, found = await _take(visit, address, narrowed)
        count += here
        rows += [_describe_row(visit, table, row) for row in found]
    listed = visit.link(join_path("apps", app["name"], "tables", table["name"]), **filters)
    return WaitingList(
        app=app["name"],
        name=entry["name"],
        count=count,
        url=listed,
        is_urgent=bool(entry["is_urgent"]),
        messages=tuple(entry["messages"]),
        rows=rows[:ROWS_SHOWN],
    )


async def _take(
    visit: Visit, address: str, filters: Mapping[str, Value]
) -> tuple[int, list[dict[str, Any]]]:
    """How many rows, and the first of them; none where the visitor may not look."""
    try:
        totals = await visit.api.get(f"{address}/totals", filters)
        count = sum(each["count"] for each in totals["items"])
        page = await visit.api.get(address, filters, limit=ROWS_SHOWN) if count else {"items": []}
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return 0, []
    return count, page["items"]


def _describe_row(visit: Visit, table: Mapping[str, Any], row: Mapping[str, Any]) -> WaitingRow:
    name = next((str(row[each]) for each in _NAMES if row.get(each)), str(row["key"]))
    totals = table["totals"]
    amount = row.get(totals[-1]) if totals and table["unit"] else None
    sort = next((each for each in _SORTS if amount is None and row.get(each)), "")
    return WaitingRow(
        name=name,
        url=visit.record_link(table["owner"], table["record"], str(row["key"])),
        amount=amount,
        unit=str(row.get(table["unit"], "")) if table["unit"] else "",
        sort=(sort, str(row[sort])) if sort else ("", ""),
        time_ms=next((row[each] for each in _TIMES if row.get(each)), None),
    )


async def list_proposals(visit: Visit) -> list[dict[str, Any]]:
    """Open proposals on which the visitor's member may vote and has not."""
    try:
        page = await visit.api.get(
            "/v1/apps/governance/proposal", state="OPEN", limit=_PROPOSALS_MAX
        )
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return []
    found = []
    for key, proposal in zip(page["keys"], page["items"], strict=True):
        if visit.member not in {each["member"] for each in proposal["voters"]}:
            continue
        if not await _has_voted(visit, key):
            found.append({**proposal, "key": key})
    return found


async def _has_voted(visit: Visit, proposal: str) -> bool:
    path = join_path("v1", "apps", "governance", "ballot", proposal, visit.member)
    try:
        await visit.api.get(path)
    except ApiProblem as problem:
        if problem.status != 404:
            raise
        return False
    return True
