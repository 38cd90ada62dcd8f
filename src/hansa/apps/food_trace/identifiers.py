"""GS1 keys: EPC URNs and Digital Links as one element form, with check digits (I7). Pure.

The element form is a record key part: application identifiers and values, `01.<gtin>.21.<serial>`;
what is no GS1 key is `~` and the URI. Sources: GS1 General Specifications, TDS 2.0, Digital Link.
"""

import re
from functools import lru_cache
from typing import Final, Literal

import msgspec

from hansa.apps.food_trace.digital_link import PRIMARY, Pairs, read_link
from hansa.apps.food_trace.epc_urn import read_urn
from hansa.crypto.hashing import sha256
from hansa.primitives.limits import KEY_PART_MAX

Level = Literal["instance", "lot", "class", "group", "place", "party"]

# Longer than any GS1 key or web address in use; the standard names no limit.
URI_CHARACTERS_MAX: Final = 2_000


class Gs1Key(msgspec.Struct, frozen=True):
    """A GS1 key: its element form, what it names, and its parts as (AI, plain value)."""

    element: str
    level: Level
    parts: tuple[tuple[str, str], ...]

    @property
    def gtin(self) -> str:
        """The GTIN of 14 digits, or ""."""
        return self.parts[0][1] if self.parts[0][0] == "01" else ""

    @property
    def gln(self) -> str:
        """The GLN of a place or a party, 13 digits, or ""."""
        return self.parts[0][1] if self.parts[0][0] in {"414", "417"} else ""


_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_:+#-]")
_UNSAFE_URI: Final = re.compile(r"[^A-Za-z0-9._:+#-]")
_ESCAPED: Final = re.compile(r"((?:~[0-9A-F]{2})+)")
_LEVELS: Final[dict[str, Level]] = {
    "414": "place",
    "417": "party",
    "401": "group",
    "402": "group",
}
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20\x7f<>\"{}|\\^`]+\Z")


def is_uri(text: str) -> bool:
    """Whether a text has the form of an absolute URI: a scheme, a colon, no white space and none of
    the characters that RFC 3986 leaves out; other scripts are allowed (IRI).
    """
    return len(text) <= URI_CHARACTERS_MAX and _SCHEME.match(text) is not None


def element_of(uri: str) -> str:
    """The element form of any URI. Raises BadCheckDigit, BadIdentifier."""
    key = parse(uri)
    return make_opaque(uri) if key is None else key.element


def make_opaque(uri: str) -> str:
    """What is no GS1 key as a record key part: `~` and the URI escaped; `~#` and hex if long."""
    escaped = "~" + _UNSAFE_URI.sub(_escape_match, uri)
    if len(escaped) <= KEY_PART_MAX:
        return escaped
    return "~#" + sha256(uri.encode()).hex()


def split_element(element: str) -> tuple[tuple[str, str], ...]:
    """The (AI, plain value) pairs of an element form; () for what is no GS1 key."""
    if element.startswith("~"):
        return ()
    words = element.split(".")
    return tuple(
        (words[place], _unescape(words[place + 1])) for place in range(0, len(words) - 1, 2)
    )


def to_digital_link(element: str, host: str = "https://id.gs1.org") -> str:
    """An element form as a GS1 Digital Link under `host`; an opaque one as the URI it was.

    A hashed one (`~#`) cannot be turned back: "".
    """
    if element.startswith("~#"):
        return ""
    if element.startswith("~"):
        return _unescape(element[1:])
    path = "".join(f"/{ai}/{_quote(value)}" for ai, value in split_element(element))
    return host + path


def level_of(element: str) -> Level | Literal[""]:
    """What an element form names; "" for what is no GS1 key. Never raises."""
    pairs = split_element(element)
    if not pairs or pairs[0][0] not in PRIMARY:
        return ""
    return _find_level(*pairs[0], pairs[1][0] if len(pairs) > 1 else "")


@lru_cache(maxsize=16_384)
def parse(uri: str) -> Gs1Key | None:
    """The GS1 key that an EPC URN, an EPC class or pattern, or a Digital Link names, or None.

    Raises BadCheckDigit (Digital Links; a URN has no check digit), BadIdentifier (a URN of a known
    scheme that is not well formed).
    """
    if uri.startswith("urn:epc:"):
        pairs = read_urn(uri)
    elif uri.startswith(("https://", "http://")):
        pairs = read_link(uri)
    else:
        return None
    return None if pairs is None else _make_key(pairs)


def _make_key(pairs: Pairs) -> Gs1Key:
    ai, value = pairs[0]
    element = ".".join(
        f"{name}.{text if text.isascii() and text.isalnum() else _UNSAFE.sub(_escape_match, text)}"
        for name, text in pairs
    )
    return Gs1Key(element, _find_level(ai, value, pairs[1][0] if len(pairs) > 1 else ""), pairs)


def _find_level(ai: str, value: str, qualifier: str) -> Level:
    if ai in _LEVELS:
        return _LEVELS[ai]
    if qualifier == "10":
        return "lot"
    digits = PRIMARY[ai][0]
    is_class = ai in {"01", "8006", "8010"} and qualifier in {"", "22"}
    is_type = ai in {"253", "255", "8003"} and len(value) == digits
    return "class" if is_class or is_type or ai == "8013" else "instance"


def _escape_match(found: re.Match[str]) -> str:
    return "".join(f"~{code:02X}" for code in found[0].encode())


def _unescape(text: str) -> str:
    return _ESCAPED.sub(
        lambda found: bytes.fromhex(found[1].replace("~", "")).decode("utf-8", "replace"), text
    )


def _quote(value: str) -> str:
    """A value as a path segment: all but the unreserved characters of RFC 3986 as %XX."""
    return re.sub(
        r"[^A-Za-z0-9._~-]",
        lambda found: "".join(f"%{code:02X}" for code in found[0].encode()),
        value,
    )
