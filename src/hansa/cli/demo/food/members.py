"""The model food chain as members of a league: firms, food authorities, a laboratory. Pure."""

from typing import Final

from hansa.cli.demo.food.firms import Scale, list_firms
from hansa.cli.template import LeaguePlan, MemberPlan

APP: Final = "food_trace"
LABORATORY: Final = "laboratory"
# Three jurisdictions, one authority each.
AUTHORITIES: Final = {
    "CN": ("food-authority-cn", "示範市場監管局 Model Market Regulation Bureau"),
    "HK": ("food-authority-hk", "示範食物安全中心 Model Centre for Food Safety"),
    "MO": ("food-authority-mo", "示範市政署 Model Municipal Affairs Bureau"),
}


def list_members(scale: Scale) -> tuple[MemberPlan, ...]:
    """Authorities first, then the laboratory, then all firms with the role of each."""
    authorities = [
        MemberPlan(name, title, place, (), (f"{APP}.regulator@{place}",))
        for place, (name, title) in AUTHORITIES.items()
    ]
    laboratory = MemberPlan(
        LABORATORY,
        "灣區示範檢測中心 Bay Area Model Laboratory",
        "CN",
        (),
        tuple(f"{APP}.laboratory@{place}" for place in AUTHORITIES),
    )
    firms = [
        MemberPlan(
            firm.name,
            firm.title,
            firm.jurisdiction,
            (),
            (f"{APP}.{firm.role}@{firm.jurisdiction}",),
        )
        for firm in list_firms(scale)
    ]
    return (*authorities, laboratory, *firms)


def build_food_plan(scale: Scale) -> LeaguePlan:
    """A league of nothing but food."""
    members = list_members(scale)
    return LeaguePlan(members=members, default=members[0].name)
