"""Credentials at the holder's and the verifier's: the browser's wallet, and who judges a file.

Nothing of a wallet comes here: the pages are the same for everybody.
"""

from typing import Final

from hansa.console.answers import Answer
from hansa.console.routing import page
from hansa.console.visit import Visit

# Places of this console, for a verifier who says where a credential is to count.
PLACES: Final = ("CN", "HK", "MO")


@page("GET", "/identity")
async def show_wallet(visit: Visit) -> Answer:
    """The holder's wallet."""
    return visit.render("identity/wallet.html")


@page("GET", "/identity/check")
async def show_check(visit: Visit) -> Answer:
    """The verifier's page."""
    return visit.render("identity/check.html", jurisdictions=PLACES)
