"""The visitor's own account: who one is signed in as, with which key, in which roles."""

from hansa.console.answers import Answer
from hansa.console.asking import join_path
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.console.waiting import list_roles


@page("GET", "/account", access="signed_in")
async def show_account(visit: Visit) -> Answer:
    """Account, keys and roles."""
    did = str(visit.session["account"]) if visit.session else ""
    account = await visit.api.get(join_path("v1", "apps", "accounts", "account", did))
    member = await visit.api.get(join_path("v1", "apps", "members", "member", visit.member))
    return visit.render(
        "account.html", account=account, member=member, roles=await list_roles(visit)
    )
