"""Who plays in the story of identities: institutions of two cities, two people. Pure.

All are models: no such office, firm or person exists.
"""

from typing import Final

from hansa.cli.template import LeaguePlan, MemberPlan

# The two cities, by the jurisdiction of each, and one that has no part in it.
CITY_A, CITY_B, ELSEWHERE = "CN", "MO", "HK"
ROOT_A, ROOT_B = "data-bureau", "justice"
REGISTRY, COMPANIES_A, COMPANIES_B = "registry", "companies-a", "companies-b"
HOSPITAL, CLINIC, WATCH, BANK = "hospital", "clinic", "health-office", "bank"
# A person's account for matters of health alone; her firm's; her clerk's.
PERSON, FIRM, CLERK = "mei", "tea-house", "ken"
FRAMEWORK: Final = "civic"
# As whom one looks at the console when the story is over: names of keys.
ROLES: Final = (
    (PERSON, "the person, in matters of health"),
    (FIRM, "her firm"),
    (REGISTRY, "an office that issues"),
    (BANK, "a bank that verifies"),
    (CLINIC, "a clinic that reads"),
    (WATCH, "an office that watches"),
    (ROOT_A, "a root authority"),
)

# A decision of the league takes both roots: neither alone has two thirds of the votes.
PLAN: Final = LeaguePlan(
    members=(
        MemberPlan(ROOT_A, "羊城示範數據局 Ram City Model Data Bureau", CITY_A),
        MemberPlan(
            REGISTRY,
            "羊城示範戶政所 Ram City Model Civil Registry",
            CITY_A,
            roles=("credentials.issuer",),
            votes=0,
        ),
        MemberPlan(
            COMPANIES_A,
            "羊城示範商事登記處 Ram City Model Company Registry",
            CITY_A,
            roles=("credentials.issuer",),
            votes=0,
        ),
        MemberPlan(HOSPITAL, "羊城示範醫院 Ram City Model Hospital", CITY_A, votes=0),
        MemberPlan(
            WATCH,
            "羊城示範衛生局 Ram City Model Health Office",
            CITY_A,
            roles=(f"consents.regulator@{CITY_A}",),
            votes=0,
        ),
        MemberPlan(ROOT_B, "蓮城示範法務局 Lotus City Model Justice Bureau", CITY_B),
        MemberPlan(
            COMPANIES_B,
            "蓮城示範商業登記局 Lotus City Model Company Registry",
            CITY_B,
            roles=("credentials.issuer",),
            votes=0,
        ),
        MemberPlan(
            CLINIC,
            "蓮城示範診所 Lotus City Model Clinic",
            CITY_B,
            roles=(f"consents.emergency@{CITY_A}",),
            votes=0,
        ),
        MemberPlan(BANK, "蓮城示範銀行 Lotus City Model Bank", CITY_B, votes=0),
    ),
    default=ROOT_A,
)
