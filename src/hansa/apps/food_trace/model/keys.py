"""Which identifiers records can have, as patterns that verifiers without Python read too. Pure.

An item is in element form (`identifiers.py`) with right check digits, or `~` and a URI. Without
this a mistyped number would be proved absent, which reads as "never heard of".
"""

import re
from typing import ClassVar, Final

from hansa.ledger.model import Record
from hansa.primitives.identifiers import is_canonical

_VALUE: Final = r"[A-Za-z0-9_:+#~\-]+"


def build_item_pattern(name: str = "") -> str:
    """The pattern of an item; `name` tells the groups of several in one identifier apart."""
    return (
        r"(?:~[A-Za-z0-9._:~#+\-]+"
        rf"|00\.(?P<sscc{name}>[0-9]{{18}})"
        rf"|01\.(?P<gtin{name}>[0-9]{{14}})(?:\.(?:10|21|22|235)\.{_VALUE})?"
        rf"|8006\.(?P<itip{name}>[0-9]{{14}})[0-9]{{4}}(?:\.(?:10|21|22)\.{_VALUE})?"
        rf"|(?:414|417)\.(?P<gln{name}>[0-9]{{13}})(?:\.254\.{_VALUE})?"
        rf"|(?:253|255|401|402|8003|8004|8010|8013|8017|8018)\.{_VALUE}(?:\.80(?:11|19)\.{_VALUE})?)"
    )


def list_item_checks(name: str = "") -> tuple[tuple[str, str, str], ...]:
    """Check digits of the pattern's groups: `identifier`, scheme, group."""
    return (
        ("identifier", "SSCC", f"sscc{name}"),
        ("identifier", "GTIN", f"gtin{name}"),
        ("identifier", "GTIN", f"itip{name}"),
        ("identifier", "0088", f"gln{name}"),
    )


# An event: the hex of its hash id, or its id escaped; the declaration of one ends in #error.
EVENT: Final = r"(?:[0-9a-f]{64}(?:#error)?|~[A-Za-z0-9._:~#+\-]+)"
# A transformation: the event's key, or # and the transformationID in element form, or hashed.
TRANSFORMATION: Final = rf"(?:{EVENT}|#(?:{build_item_pattern()}|[0-9a-f]{{64}}))"
ITEM: Final = build_item_pattern()
STAY: Final = f"{ITEM}/{build_item_pattern('_2')}"
FLAG: Final = f"{ITEM}/[1-9][0-9]*"
PRODUCT: Final = r"01\.(?P<gtin>[0-9]{14})"
LIMITS: Final = rf"[A-Z]{{2}}/(?:-|{PRODUCT})/[A-Za-z_]{{1,64}}"
YIELD: Final = rf"did:hansa:[a-z2-7]{{32}}/{PRODUCT}"
GLN: Final = r"(?P<gln>[0-9]{13})"
PREFIX: Final = r"[0-9]{6,12}"
PREFIX_BLOCK: Final = r"[0-9]{6}"
_CHECKS: Final = (*list_item_checks(), *list_item_checks("_2"))


def is_spelt(pattern: str, parts: tuple[str, ...]) -> bool:
    """Whether an identifier matches the pattern and its check digits are right."""
    found = re.fullmatch(pattern, "/".join(parts))
    if found is None:
        return False
    named = found.groupdict()
    return all(
        is_canonical(scheme, named[group])
        for _kind, scheme, group in _CHECKS
        if named.get(group) is not None
    )


class FoodRecord(Record, frozen=True, kw_only=True):
    """A record whose identifiers match PATTERN."""

    PATTERN: ClassVar[str] = ""

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """The parts match the pattern, with right check digits."""
        return super().is_key(parts) and is_spelt(cls.PATTERN, parts)
