"""The explicit list of what this release can run; nothing is discovered (D7).

Applications are imported one by one when asked for, so that `hansa --help` imports none of them.
"""

import hashlib
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the names alone are enough for help, which must be instant
    from hansa.appkit.application import Application
    from hansa.ledger.contracts import Registry

# System contracts, in genesis order: module of `hansa.contracts` and one line of help.
SYSTEM: dict[str, str] = {
    "members": "Organisations of the league and their standing",
    "accounts": "Key holders: opening, rotating and revoking keys",
    "permissions": "Roles per application, granted and withdrawn",
    "governance": "Proposals, votes and their execution",
    "holds": "Freezes, seizures, pledges and assignments on records",
    "quotas": "Cost units that members may spend",
    "validators": "Who votes on blocks, and whose nodes may connect",
    "schemas": "Schemas of credentials and records: versions, standards",
    "accreditations": "Who may issue what, and what counts across borders",
    "credentials": "Status of credentials: suspended, revoked, since when",
    "evidence": "Evidence by commitments: created, signed, logged, revoked, time-stamped",
    "mandates": "Who may act for whom: for what, up to what, until when",
    "consents": "Data grants, consent and its withdrawal, who read what, break-glass",
}
# Civic applications: package of `hansa.apps` and one line of help.
CIVIC: dict[str, str] = {
    "e_invoice": "Electronic invoices: issue, reimburse, credit, archive",
    "food_trace": "Food tracing: EPCIS events, cold chain, recall and trace-back",
}


@cache
def load_application(name: str) -> "Application":
    """Import one application by its name. Raises KeyError for a name that is not listed."""
    from hansa.appkit.application import Application, collect_rejections
    from hansa.appkit.system import FIELDS, KEY_RULES, LIFECYCLES

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
        lifecycles=LIFECYCLES.get(name, ()),
        fields=FIELDS.get(name, ()),
        key_rules=KEY_RULES.get(name, ()),
    )


@cache
def load_applications() -> "tuple[Application, ...]":
    """Every application of this release, system contracts first."""
    return tuple(load_application(name) for name in (*SYSTEM, *CIVIC))


@cache
def build_registry() -> "Registry":
    """The contracts of this release, for the kernel."""
    from hansa.ledger.contracts import Registry

    return Registry(application.contract for application in load_applications())


# What a contract's result depends on, besides its own code: the kernel and these locked libraries.
KERNEL_PACKAGES = ("primitives", "encoding", "crypto", "ledger", "identity")
CONSENSUS_LIBRARIES = ("cryptography", "msgspec", "py-ed25519-zebra-bindings")
# Rooms of an application that no validator executes; all its other code is digested.
OTHER_ROOMS = ("commands", "documents", "importers", "pages", "routes", "trace", "views")


@cache
def compute_code_digest(name: str) -> str:
    """Hex SHA-256 of a contract's code, the kernel's and the locked libraries' versions (D7)."""
    digest = hashlib.sha256()
    for line in (*_list_files(name), *_list_libraries()):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _list_files(name: str) -> Iterator[str]:
    """`path sha256` of every source file that the contract's results depend on, sorted."""
    root = Path(__file__).parent
    found = {file for package in KERNEL_PACKAGES for file in (root / package).rglob("*.py")}
    if name in CIVIC:
        for file in (root / "apps" / name).rglob("*.py"):
            room = file.relative_to(root / "apps" / name).parts[0].removesuffix(".py")
            if room not in OTHER_ROOMS:
                found.add(file)
    else:
        found.update((root / "contracts").rglob("*.py"))
    for file in sorted(found):
        yield f"{file.relative_to(root).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}"


def _list_libraries() -> Iterator[str]:
    from importlib.metadata import version

    for library in CONSENSUS_LIBRARIES:
        yield f"{library} {version(library)}"
