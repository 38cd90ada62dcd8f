"""Who is in the model food chain: firms, what they are, and their sites. Pure.

Company prefixes begin with 952, which GS1 keeps for examples; nobody has these numbers.
"""

from typing import Final

import msgspec

ROLES: Final = (
    "farm",
    "slaughterhouse",
    "processor",
    "carrier",
    "cold_store",
    "wholesaler",
    "retailer",
)
# Digits of a company prefix here, and what that leaves of each GS1 key.
PREFIX_DIGITS: Final = 7
TOWNS: Final = (
    ("肇慶 Zhaoqing", "CN"),
    ("廣州 Guangzhou", "CN"),
    ("佛山 Foshan", "CN"),
    ("香港 Hong Kong", "HK"),
    ("澳門 Macao", "MO"),
    ("深圳 Shenzhen", "CN"),
    ("中山 Zhongshan", "CN"),
)
_NAMES: Final = {
    "farm": "示範養殖場 Model Farm",
    "slaughterhouse": "示範屠宰廠 Model Abattoir",
    "processor": "示範食品廠 Model Foods",
    "carrier": "示範冷鏈物流 Model Cold Haulage",
    "cold_store": "示範冷庫 Model Cold Store",
    "wholesaler": "示範批發市場 Model Wholesale Market",
    "retailer": "示範超市 Model Grocers",
}


class Firm(msgspec.Struct, frozen=True):
    """A firm with one site. `name` names its key; `prefix`: its GS1 company prefix."""

    name: str
    role: str
    title: str
    town: str
    jurisdiction: str
    prefix: str

    @property
    def site(self) -> str:
        """Its site as an EPC: the GLN of its company prefix and location 00001."""
        return f"urn:epc:id:sgln:{self.prefix}.{1:05d}.0"

    @property
    def party(self) -> str:
        """The firm itself as an EPC: the GLN of location 00000."""
        return f"urn:epc:id:pgln:{self.prefix}.{0:05d}"

    def product(self, number: int, lot: str) -> str:
        """A lot of one of its products."""
        return f"urn:epc:class:lgtin:{self.prefix}.{number:06d}.{lot}"

    def unit(self, number: int) -> str:
        """A logistic unit (pallet, crate) of its."""
        return f"urn:epc:id:sscc:{self.prefix}.{number:010d}"


class Scale(msgspec.Struct, frozen=True):
    """How many firms of each role there are."""

    farm: int = 1
    slaughterhouse: int = 1
    processor: int = 2
    carrier: int = 1
    cold_store: int = 1
    wholesaler: int = 1
    retailer: int = 2


# A village, for a demo that people read; a province, for a million events.
VILLAGE: Final = Scale()
PROVINCE: Final = Scale(
    farm=60, slaughterhouse=6, processor=10, carrier=12, cold_store=8, wholesaler=16, retailer=300
)


def list_firms(scale: Scale) -> tuple[Firm, ...]:
    """All firms of a chain, role by role."""
    firms = []
    for place, role in enumerate(ROLES):
        for number in range(getattr(scale, role)):
            town, jurisdiction = TOWNS[(place + number) % len(TOWNS)]
            firms.append(
                Firm(
                    name=f"{role.replace('_', '-')}-{number + 1}",
                    role=role,
                    title=f"{town.split()[0]}{_NAMES[role]} {number + 1}",
                    town=town,
                    jurisdiction=jurisdiction,
                    prefix=f"952{place + 1}{number:03d}",
                )
            )
    return tuple(firms)
