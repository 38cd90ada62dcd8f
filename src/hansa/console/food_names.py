"""How items, places and steps of food are called on pages, in the visitor's words. Pure.

Identifiers come from the API in element form: `01.<gtin>.10.<lot>` with `~XX` for other bytes than
plain ones; what is no GS1 key is `~` and its URI, and `~#` where that is too long.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from hansa.console.asking import join_path
from hansa.console.charts.markup import clean
from hansa.locales.words import Words, mark

HIDDEN: Final = "urn:hansa:hidden:"
HIDDEN_SENTENCE: Final = mark("a partner that keeps its name")
# What happened, as one tells it to somebody who buys food; other steps by their CBV name.
STORY: Final = {
    "commissioning": mark("Made"),
    "creating_class_instance": mark("Made"),
    "decommissioning": mark("Used up"),
    "packing": mark("Packed"),
    "loading": mark("Packed"),
    "unpacking": mark("Unpacked"),
    "unloading": mark("Unpacked"),
    "shipping": mark("Sent on"),
    "departing": mark("Sent on"),
    "transporting": mark("On the way"),
    "arriving": mark("Arrived"),
    "receiving": mark("Arrived"),
    "accepting": mark("Arrived"),
    "storing": mark("Kept cold"),
    "holding": mark("Held back"),
    "stocking": mark("Put on the shelf"),
    "retail_selling": mark("Sold"),
    "inspecting": mark("Inspected"),
    "sampling": mark("Sampled"),
    "destroying": mark("Destroyed"),
}
_UNITS: Final = {"CEL": "°C", "FAH": "°F", "KEL": "K", "P1": "%", "KGM": "kg", "GRM": "g", "": ""}
_ELEMENT: Final = re.compile(r"[A-Za-z0-9._:+#~-]{1,128}")
_ESCAPED: Final = re.compile(r"((?:~[0-9A-F]{2})+)")
_LINKED: Final = frozenset({"01", "00", "8003", "8004", "8006", "8010", "253", "255"})


class ItemName(msgspec.Struct, frozen=True):
    """What an item is called: `title` tells it from others of its product, `subtitle` the rest."""

    title: str
    subtitle: str
    href: str


def name_item(words: Words, element: str) -> ItemName:
    """An item by its element form; what is no GS1 key by its URI."""
    href = join_path("food", "items", element)
    pairs = split_element(element)
    if not pairs:
        uri = to_plain(element)
        return ItemName(clean(uri.rpartition(":")[2] or uri), clean(uri), href)
    ai, value = pairs[0]
    rest = dict(pairs[1:])
    if ai == "00":
        return ItemName(words("Unit {number}", number=value), "SSCC", href)
    product = f"GTIN {value}" if ai == "01" else f"({ai}) {value}"
    if "21" in rest:
        return ItemName(words("No. {number}", number=clean(rest["21"])), product, href)
    if "10" in rest:
        return ItemName(words("Lot {number}", number=clean(rest["10"])), product, href)
    return ItemName(product, "", href)


def name_place(words: Words, place: str, places: Mapping[str, Mapping[str, Any]]) -> str:
    """A place by its registered name and town; a hidden one without its name."""
    site = places.get(place)
    if site:
        return " · ".join(filter(None, (str(site.get("name", "")), str(site.get("town", "")))))
    if place.startswith((HIDDEN, "~urn:hansa:hidden")) or HIDDEN in to_plain(place):
        return words(HIDDEN_SENTENCE)
    if not place:
        return ""
    pairs = split_element(place)
    if pairs:
        return f"GLN {pairs[0][1]}"
    return clean(to_plain(place))


def split_element(element: str) -> list[tuple[str, str]]:
    """Application identifiers and plain values of an element form; none for what is no GS1 key."""
    if element.startswith("~"):
        return []
    words = element.split(".")
    return [(words[at], unescape(words[at + 1])) for at in range(0, len(words) - 1, 2)]


def to_plain(element: str) -> str:
    """The URI of what is no GS1 key; else, and where it is too long, the element itself."""
    is_uri = element.startswith("~") and not element.startswith("~#")
    return unescape(element[1:]) if is_uri else element


def unescape(text: str) -> str:
    """A value with its escaped bytes as they were."""
    return _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].replace("~", "")).decode("utf-8", "replace"), text
    )


def tell_step(words: Words, step: str) -> str:
    """A business step as a story tells it."""
    sentence = STORY.get(step)
    return words(sentence) if sentence else words.of("option", step)


def write_unit(code: str) -> str:
    """A unit of measure as people write it."""
    return _UNITS.get(code, code)


def is_element(text: str) -> bool:
    """Whether a text can be an item's element form."""
    return _ELEMENT.fullmatch(text) is not None


def make_label_path(element: str) -> str:
    """Where consumers read of an item: `/id/01/{gtin}/10/{lot}`; "" for what has no label."""
    pairs = split_element(element)
    if not pairs or pairs[0][0] not in _LINKED:
        return ""
    return "/id" + "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in pairs)
