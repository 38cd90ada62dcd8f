"""Who is in a league that `hansa init` makes: the built-in template, or a file of one's own. Pure.

Identifiers of the built-in organisations are synthetic: their check digits hold, no one has them.
"""

from typing import Any, Final, Literal

import msgspec

from hansa.client.faults import ClientError
from hansa.encoding.json_faults import NOT_JSON

TEMPLATE_BYTES_MAX: Final = 1_000_000


class TemplateError(ClientError):
    """A members file is not as it should be."""

    CODE = "cli.template"


class Id(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation's identifier under a scheme with check digits."""

    scheme: str
    value: str


class MemberPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member to be. `name` names its key here; roles are `application.role@scope`."""

    name: str
    title: str
    jurisdiction: str
    identifiers: tuple[Id, ...] = ()
    roles: tuple[str, ...] = ()
    votes: int = 1


class LeaguePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A league to be. `default` signs when nobody is named."""

    members: tuple[MemberPlan, ...]
    default: str = ""


TAX: Final = "e_invoice.tax_authority"
AUDIT: Final = "e_invoice.auditor"
FOOD: Final = "food_trace"
# In the small built-in league one firm has the whole food chain in its hands, and the other trades.
MAKERS: Final = ("farm", "slaughterhouse", "processor")
HANDLERS: Final = ("carrier", "cold_store", "wholesaler", "retailer")


def list_food_roles(roles: tuple[str, ...], *places: str) -> tuple[str, ...]:
    """Roles of the food chain in each place."""
    return tuple(f"{FOOD}.{role}@{place}" for place in places for role in roles)


BAY: Final = LeaguePlan(
    members=(
        MemberPlan(
            "tax-bureau",
            "珠江示範稅務局 Pearl River Model Tax Bureau",
            "CN",
            (Id("CN-USCC", "11440100MA5DEMA010"),),
            (f"{TAX}@CN", f"{TAX}@HK"),
        ),
        MemberPlan(
            "seller-a",
            "羊城示範貿易有限公司 Ram City Model Trading",
            "CN",
            (Id("CN-USCC", "91440101MA59EXAM08"),),
            ("e_invoice.seller@CN", *list_food_roles(MAKERS + HANDLERS, "CN")),
        ),
        MemberPlan(
            "seller-b",
            "香江示範供應有限公司 Fragrant Harbour Model Supplies",
            "HK",
            (Id("HK-BRN", "99000017"),),
            ("e_invoice.seller@HK", *list_food_roles(HANDLERS, "HK")),
        ),
        MemberPlan(
            "buyer",
            "鵬城示範科技有限公司 Roc City Model Technology",
            "CN",
            (Id("CN-USCC", "91440300MA5FEXAM2R"),),
            ("e_invoice.employer@CN",),
        ),
        MemberPlan(
            "employer",
            "維港示範服務有限公司 Victoria Model Services",
            "HK",
            (Id("HK-BRN", "99000025"),),
            ("e_invoice.employer@HK", *list_food_roles(("laboratory",), "CN", "HK", "MO")),
        ),
        MemberPlan(
            "auditor",
            "灣區示範審計署 Bay Area Model Audit Office",
            "CN",
            (),
            (
                f"{AUDIT}@CN",
                f"{AUDIT}@HK",
                *list_food_roles(("regulator",), "CN", "HK", "MO"),
            ),
        ),
    ),
    default="tax-bureau",
)


def decode_plan(data: bytes) -> LeaguePlan:
    """A members file. Raises TemplateError with what is wrong."""
    try:
        plan = msgspec.json.decode(data, type=LeaguePlan)
    except NOT_JSON as error:
        raise TemplateError(
            f"the members file is not as it should be: {error}",
            "hansa init --show-members prints one to start from",
        ) from error
    names = [member.name for member in plan.members]
    if not names or len(set(names)) != len(names):
        raise TemplateError("a league has members, each with a name of its own", "mend the file")
    if plan.default and plan.default not in names:
        raise TemplateError(f"default: no member is named {plan.default!r}", "mend the file")
    for member in plan.members:
        for text in member.roles:
            split_role(text)
    return plan


class Operator(msgspec.Struct, frozen=True):
    """A node to be: its number in the league's folder, the member who runs it, and as what."""

    number: int
    member: str
    kind: Literal["validator", "observer"]


def choose_operators(plan: LeaguePlan, validators: int, observers: int) -> tuple[Operator, ...]:
    """Who runs the nodes: the first members validators, the last ones observers, one node each.

    Raises TemplateError when there are fewer members than nodes.
    """
    names = [member.name for member in plan.members]
    if validators + observers > len(names):
        raise TemplateError(
            f"{validators + observers} nodes need as many members, and there are {len(names)}",
            "name more members in --members FILE, or ask for fewer nodes",
        )
    kinds: list[tuple[str, Literal["validator", "observer"]]] = [
        *((name, "validator") for name in names[:validators]),
        *((name, "observer") for name in reversed(names[len(names) - observers :])),
    ]
    return tuple(Operator(number, name, kind) for number, (name, kind) in enumerate(kinds, start=1))


def grow_plan(plan: LeaguePlan, count: int) -> LeaguePlan:
    """The plan with model institutions added, without identifiers and roles, up to `count`."""
    more = tuple(
        MemberPlan(
            f"institution-{number}",
            f"灣區示範機構 {number} Bay Area Model Institution {number}",
            ("CN", "HK")[number % 2],
        )
        for number in range(len(plan.members) + 1, count + 1)
    )
    return msgspec.structs.replace(plan, members=plan.members + more)


def split_role(text: str) -> tuple[str, str, str]:
    """Application, role, scope ("" for any) of `application.role@SCOPE`. Raises TemplateError."""
    path, _mark, scope = text.partition("@")
    application, _dot, role = path.partition(".")
    if not application or not role:
        raise TemplateError(f"{text!r} is no role", "write application.role@SCOPE")
    return application, role, scope


def build_parts(plan: LeaguePlan, keys: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """The system contracts' parts of a genesis. `keys`: name to (DID, public key)."""
    grants = []
    for member in plan.members:
        for text in member.roles:
            application, role, scope = split_role(text)
            grants.append(
                {
                    "application": application,
                    "role": role,
                    "holder": keys[member.name][0],
                    **({"scope": scope} if scope else {}),
                }
            )
    return {
        "members": {
            "members": [
                {
                    "did": keys[member.name][0],
                    "name": member.title,
                    "jurisdiction": member.jurisdiction,
                    "identifiers": [
                        {"scheme": each.scheme, "value": each.value} for each in member.identifiers
                    ],
                }
                for member in plan.members
            ]
        },
        "accounts": {
            "accounts": [
                {"did": did, "member": did, "key": msgspec.to_builtins(public)}
                for did, public in keys.values()
            ]
        },
        "permissions": {"grants": grants},
        "governance": {"weights": {keys[member.name][0]: member.votes for member in plan.members}},
    }
