"""The first page: to strangers what this is, to members what waits for them."""

import asyncio
from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.duties import list_duties
from hansa.console.people import read_params
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.console.waiting import list_proposals, list_roles, list_waiting

# Results that are looked at, and lines of them that are shown: equal ones are one line.
_LATELY: Final = 40
_LINES: Final = 6


@page("GET", "/")
async def show_home(visit: Visit) -> Answer:
    """Home."""
    if visit.session is None:
        return await _welcome(visit)
    roles = await list_roles(visit)
    waiting, duties, proposals, lately, service = await asyncio.gather(
        list_waiting(visit, roles),
        list_duties(visit, roles),
        list_proposals(visit),
        visit.api.get("/v1/messages", limit=_LATELY),
        visit.api.get("/v1/status"),
    )
    senders = await visit.names_of([each["sender"] for each in lately["items"]])
    lines = join_equal(lately["items"])[:_LINES]
    for each in lines:
        each["params"] = await read_params(visit, each["params"])
    return visit.render(
        "home.html",
        service=service,
        roles=roles,
        waiting=waiting,
        duties=duties,
        proposals=proposals,
        lately=lines,
        senders=senders,
        described=await visit.frame.describe_all(visit.api),
    )


def join_equal(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results of messages with how many of them (`count`) are of one transaction, type and code."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for each in results:
        key = (each["transaction"], each["app"], each["type"], each["code"])
        line = found.setdefault(key, {**each, "count": 0})
        line["count"] += 1
    return list(found.values())


async def _welcome(visit: Visit) -> Answer:
    """For strangers: what this is, and what one may see without an account."""
    service, members = await asyncio.gather(
        visit.api.get("/v1/status"),
        visit.api.get("/v1/apps/members/member", limit=100),
    )
    return visit.render(
        "welcome.html",
        service=service,
        members=members["items"],
        has_more=bool(members["next"]),
        described=await visit.frame.describe_all(visit.api),
    )
