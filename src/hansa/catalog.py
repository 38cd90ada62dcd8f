"""The explicit list of what this release can run; nothing is discovered (D7).

Applications are imported one by one when asked for, so that `hansa --help` imports none of them.
"""

import importlib
from functools import cache

from hansa.appkit.application import Application, collect_rejections
from hansa.ledger.contracts import Registry

# System contracts, in genesis order: module of `hansa.contracts` and one line of help.
SYSTEM: dict[str, str] = {
    "members": "Organisations of the league and their standing",
    "accounts": "Key holders: opening, rotating and revoking keys",
    "permissions": "Roles per application, granted and withdrawn",
    "governance": "Proposals, votes and their execution",
    "holds": "Freezes, seizures, pledges and assignments on records",
    "quotas": "Cost units that members may spend",
}
# Civic applications: package of `hansa.apps` and one line of help.
CIVIC: dict[str, str] = {
    "e_invoice": "Electronic invoices: issue, reimburse, credit, archive",
}


@cache
def load_application(name: str) -> Application:
    """Import one application by its name. Raises KeyError for a name that is not listed."""
    name = name.replace("-", "_")
    if name in CIVIC:
        application: Application = importlib.import_module(f"hansa.apps.{name}").APPLICATION
        return application
    title = SYSTEM[name]
    module = importlib.import_module(f"hansa.contracts.{name}")
    return Application(
        name=name,
        title=title,
        contract=module.contract,
        records=module.RECORDS,
        events=module.EVENTS,
        rejections=collect_rejections(module.REJECTION),
        invariants=module.INVARIANTS,
    )


@cache
def load_applications() -> tuple[Application, ...]:
    """Every application of this release, system contracts first."""
    return tuple(load_application(name) for name in (*SYSTEM, *CIVIC))


@cache
def build_registry() -> Registry:
    """The contracts of this release, for the kernel."""
    return Registry(application.contract for application in load_applications())
