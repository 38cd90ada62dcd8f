"""The first page: to strangers what this is, to members what waits for them."""

from hansa.console.answers import Answer
from hansa.console.routing import page
from hansa.console.visit import Visit


@page("GET", "/")
async def show_home(visit: Visit) -> Answer:
    """Home."""
    service = await visit.api.get("/v1/status")
    applications = await visit.api.get("/v1/apps")
    return visit.render("home.html", service=service, applications=applications["items"])
