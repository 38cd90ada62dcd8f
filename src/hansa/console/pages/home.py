"""The first page: to strangers what this is, to members what waits for them."""

import asyncio
from typing import Final

from hansa.console.answers import Answer
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.console.waiting import list_proposals, list_roles, list_waiting

_LATELY: Final = 8


@page("GET", "/")
async def show_home(visit: Visit) -> Answer:
    """Home."""
    if visit.session is None:
        return await _welcome(visit)
    roles = await list_roles(visit)
    waiting, proposals, lately, service = await asyncio.gather(
        list_waiting(visit, roles),
        list_proposals(visit),
        visit.api.get("/v1/messages", limit=_LATELY),
        visit.api.get("/v1/status"),
    )
    senders = await visit.names_of([each["sender"] for each in lately["items"]])
    return visit.render(
        "home.html",
        service=service,
        roles=roles,
        waiting=waiting,
        proposals=proposals,
        lately=lately["items"],
        senders=senders,
        described=await visit.frame.describe_all(visit.api),
    )


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
