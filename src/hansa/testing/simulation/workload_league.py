"""The league of a simulation: who its members are, what they may do, its genesis and its contracts.

All keys belong to names (`testing.chain.make_key`). Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hansa.appkit.application import Application
from hansa.catalog import load_applications
from hansa.cli.demo.food.firms import VILLAGE
from hansa.cli.demo.food.members import list_members
from hansa.comet.files import compute_node_id
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import Genesis, GenesisActivation, GenesisValidator
from hansa.primitives.identifiers import compute_uscc_digit
from hansa.testing.chain import Actor, make_key
from hansa.testing.simulation import workload_tally

POWER: Final = 10
# What the spender may spend in a window of a minute: a few of its proposals.
SPENDER_UNITS: Final = 2_000
NAMES: Final = (
    "chair",
    "deputy",
    "bureau",
    "seller-a",
    "seller-b",
    "buyer",
    "bank",
    "spender",
    "rotator",
    "outsider",
)
# A stranger is nobody's account.
STRANGER: Final = Actor("stranger")
# application, role, holder, scope
GRANTS: Final = (
    ("e_invoice", "tax_authority", "bureau", "CN"),
    ("e_invoice", "seller", "seller-a", "CN"),
    ("e_invoice", "seller", "seller-b", "CN"),
    ("e_invoice", "employer", "buyer", "CN"),
    ("holds", "bank", "bank", "e_invoice"),
    ("credentials", "issuer", "bureau", "-"),
)
# Firms of the model food chain with their authorities: jurisdiction and role of each.
FOOD: Final = list_members(VILLAGE)
TAX_SCHEME: Final = "CN-USCC"


def compute_tax_number(number: int) -> str:
    """A synthetic unified social credit code with its check digit."""
    code = f"9144010{number}MA5ABCDE0"
    return code + compute_uscc_digit(code)


TAX_IDS: Final[Mapping[str, str]] = {
    name: f"{TAX_SCHEME}:{compute_tax_number(number)}"
    for number, name in enumerate(("seller-a", "seller-b", "buyer"), 1)
}


def list_food_grants() -> Iterator[tuple[str, str, str, str]]:
    """As GRANTS: from `food_trace.farm@CN`."""
    for each in FOOD:
        for text in each.roles:
            role, _sign, scope = text.partition("@")
            application, _dot, name = role.partition(".")
            yield application, name, each.name, scope


def name_validator(number: int) -> str:
    """Name of the member whose validator has this number (from 1)."""
    return f"validator-{number}"


def make_validator_key(number: int) -> PrivateKey:
    """The key with which that validator votes."""
    return make_key(f"validator {number}")


def make_node_id(number: int) -> str:
    """Id of the node with this number, hex."""
    return compute_node_id(make_key(f"node {number}").public.raw)


# An author's applications, which run beside the catalog's: set by `SimulatedNetwork`.
AUTHORED: list[Application] = []


def build_applications() -> tuple[Application, ...]:
    """The catalog's applications, the simulation's own, and an author's; system contracts first."""
    return (*load_applications(), workload_tally.APPLICATION, *AUTHORED)


def build_registry(newest: int = 1) -> Registry:
    """The contracts of a release; `newest`: the last version of `tally` that it has."""
    later = [workload_tally.build_contract(version) for version in range(2, newest + 1)]
    return Registry([*(each.contract for each in build_applications()), *later])


def compute_digest(name: str) -> str:
    """Digest that governance names a contract's code by: in simulations, that of its name."""
    return sha256(name.encode()).hex()


def build_genesis(
    chain: str, time_ms: int, validators: int, nodes: int, registry: Registry
) -> Genesis:
    """A league of so many nodes, the first of which vote; the chair alone can pass proposals."""
    members = [
        *NAMES,
        *(each.name for each in FOOD),
        *(name_validator(number) for number in range(1, nodes + 1)),
    ]
    return Genesis(
        activations=tuple(
            GenesisActivation(application=name, version=1, digest=compute_digest(name))
            for name in registry.latest
        ),
        chain=chain,
        contracts=_build_parts([Actor(name) for name in members], validators, nodes),
        kind="hansa.genesis/1",
        time_ms=time_ms,
        validators=tuple(
            GenesisValidator(
                key=make_validator_key(number).public,
                power=POWER,
                member=Actor(name_validator(number)).did,
            )
            for number in range(1, validators + 1)
        ),
    )


def _build_parts(actors: list[Actor], validators: int, nodes: int) -> dict[str, Any]:
    dids = {actor.name: actor.did for actor in actors}
    places = {each.name: each.jurisdiction for each in FOOD}
    return {
        "members": {
            "members": [
                {"did": each.did, "name": each.name, "jurisdiction": places.get(each.name, "CN")}
                for each in actors
            ]
        },
        "accounts": {
            "accounts": [
                {"did": each.did, "member": each.did, "key": each.key.public} for each in actors
            ]
        },
        "governance": {
            "weights": {dids["chair"]: 4, dids["deputy"]: 1},
            "rules": {"voting_ms": 60_000},
        },
        "permissions": {
            "grants": [
                {"application": app, "role": role, "holder": dids[name], "scope": scope}
                for app, role, name, scope in (*GRANTS, *list_food_grants())
            ]
        },
        "quotas": {"allowances": {dids["spender"]: SPENDER_UNITS}},
        "validators": {
            "nodes": [
                {
                    "id": make_node_id(number),
                    "member": dids[name_validator(number)],
                    "kind": "validator" if number <= validators else "observer",
                }
                for number in range(1, nodes + 1)
            ]
        },
    }
