"""Verify: judged in the browser alone. The page, what each check means, and the package that reads
QR codes; nothing that is judged is ever sent here.
"""

from hansa.console.answers import Answer
from hansa.console.browser_packages import JSQR, describe_address, find_package
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.visit import Visit

_SCRIPT = "text/javascript; charset=utf-8"


@page("GET", "/verify")
async def show_verify(visit: Visit) -> Answer:
    """The page on which files are judged."""
    return visit.render("verify.html", library=describe_address(JSQR))


@page("GET", "/verify/checks")
async def show_checks(visit: Visit) -> Answer:
    """What each check is, and what it proves."""
    return visit.render("verify_checks.html")


@page("GET", "/verify/packages/{name}")
async def get_package(visit: Visit) -> Answer:
    """A script that was fetched at set-up."""
    path = find_package(visit.parts["name"])
    if path is None:
        raise refuse_address()
    headers = [("cache-control", "max-age=86400")]
    return Answer(body=path.read_bytes(), media=_SCRIPT, headers=headers)
