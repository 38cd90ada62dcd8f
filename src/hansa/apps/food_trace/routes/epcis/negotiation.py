"""Media types, versions and `GS1-…` headers: what a client asks for, what this door can give. Pure.

Source: GS1 EPCIS 2.0 clause 12.5 (headers), RFC 9110 section 12 (Accept).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from hansa import __version__
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT, Context

EPCIS_VERSION: Final = "2.0.0"
CBV_VERSION: Final = "2.0.0"
JSON: Final = "application/json"
JSON_LD: Final = "application/ld+json"
XML: Final = "application/xml"
JSON_TYPES: Final = (JSON, JSON_LD)
XML_TYPES: Final = (XML, "text/xml")
# A document of so many events, in so many bytes, is one capture job.
CAPTURE_EVENTS_MAX: Final = 5_000
CAPTURE_BYTES_MAX: Final = 16_000_000
# What is all or nothing must be one transaction (hansa.primitives.limits.MESSAGES_MAX).
ROLLBACK_EVENTS_MAX: Final = 500

EpcFormat = Literal[
    "No_Preference", "Always_GS1_Digital_Link", "Always_EPC_URN", "Never_Translates"
]
CbvFormat = Literal["No_Preference", "Always_Web_URI", "Always_URN", "Never_Translates"]
_VERSION: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}\Z")
_EXTENSION: Final = re.compile(r"\s*([A-Za-z][\w.+-]{0,63})\s*=\s*([^\s,=]{1,300})\s*\Z")
Headers = Mapping[str, str]


class NotAcceptable(Exception):
    """What the client asks for cannot be given; in words."""


class Form(msgspec.Struct, frozen=True):
    """How events are to be written."""

    is_xml: bool = False
    media: str = JSON
    epc_format: str = "Always_GS1_Digital_Link"
    cbv_format: str = "No_Preference"


def read_form(headers: Headers) -> Form:
    """The form of events that a request asks for. Raises NotAcceptable."""
    check_versions(headers)
    media = choose_media(headers.get("accept", ""), (*JSON_TYPES, *XML_TYPES))
    epc = _choose(headers, "gs1-epc-format", EpcFormat, "Always_GS1_Digital_Link")
    cbv = _choose(headers, "gs1-cbv-xml-format", CbvFormat, "No_Preference")
    if epc == "Always_EPC_URN":
        # A Digital Link does not say where the company prefix ends, so a URN cannot be made of it.
        raise NotAcceptable("EPCs are given as GS1 Digital Links, or as they were captured")
    return Form(media in XML_TYPES, media, epc, cbv)


def _choose(headers: Headers, name: str, kind: Any, default: str) -> str:
    given = headers.get(name, default).strip()
    if given not in kind.__args__:
        raise NotAcceptable(f"{name} is one of: {', '.join(kind.__args__)}")
    return given


def choose_media(accept: str, offered: Sequence[str]) -> str:
    """The offered media type that the client likes best; the first on a tie. Raises NotAcceptable.

    Without a preference it is the first.
    """
    if not accept.strip():
        return offered[0]
    best, best_quality = "", 0.0
    wanted = [_read_range(each) for each in accept.split(",")]
    for media in offered:
        quality = _rate(media, wanted)
        if quality > best_quality:
            best, best_quality = media, quality
    if not best:
        raise NotAcceptable(f"offered here: {', '.join(offered)}")
    return best


def _read_range(text: str) -> tuple[str, float]:
    """`text/xml;q=0.5` as (range, quality); what cannot be read has no weight."""
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _sep, value = parameter.partition("=")
        if name.strip() == "q":
            found = re.fullmatch(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", value.strip())
            quality = float(value) if found else 0.0
    return media, quality


def _rate(media: str, wanted: Sequence[tuple[str, float]]) -> float:
    """The quality of the most specific range that fits (RFC 9110 12.5.1)."""
    kind = media.partition("/")[0] + "/*"
    for fitting in (media, kind, "*/*"):
        found = [quality for each, quality in wanted if each == fitting]
        if found:
            return max(found)
    return 0.0


def wants_xml(accept: str) -> bool:
    """Whether a refusal is better told in XML: asked for, and JSON is not."""
    names = ("application/problem+json", *JSON_TYPES)
    xml = ("application/problem+xml", *XML_TYPES)
    wanted = [_read_range(each) for each in accept.split(",")]
    named = [quality for each, quality in wanted if each in names]
    return max((quality for each, quality in wanted if each in xml), default=0.0) > max(
        named, default=0.0
    )


def check_versions(headers: Headers) -> None:
    """Whether this door's versions are within what a request allows. Raises NotAcceptable."""
    for name, own in (("epcis", EPCIS_VERSION), ("cbv", CBV_VERSION)):
        least = _read_version(headers, f"gs1-{name}-min")
        most = _read_version(headers, f"gs1-{name}-max")
        exact = _read_version(headers, f"gs1-{name}-version")
        ours = _parse(own)
        is_within = least <= ours and (not most or ours[: len(most)] <= most)
        if not is_within or (exact and ours[: len(exact)] != exact):
            raise NotAcceptable(f"this door speaks {name.upper()} {own}")


def _read_version(headers: Headers, name: str) -> tuple[int, ...]:
    text = headers.get(name, "").strip()
    if text and _VERSION.match(text) is None:
        raise NotAcceptable(f"{name} is a version such as 2.0.0")
    return _parse(text) if text else ()


def _parse(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def read_context(headers: Headers) -> Context:
    """Prefixes that `GS1-Extensions: ext=http://…, …` defines. Raises NotAcceptable."""
    text = headers.get("gs1-extensions", "").strip()
    if not text:
        return EPCIS_CONTEXT
    found = [_EXTENSION.match(part) for part in text.split(",") if part.strip()]
    definitions = {each[1]: each[2] for each in found if each is not None}
    if len(definitions) != len(found) or len(found) > 50:
        raise NotAcceptable("GS1-Extensions is a list of prefix=namespace")
    return EPCIS_CONTEXT.extend(definitions)


def answer_headers() -> tuple[tuple[str, str], ...]:
    """What every answer says of itself."""
    return (("GS1-EPCIS-Version", EPCIS_VERSION), ("GS1-CBV-Version", CBV_VERSION))


def discovery_headers(methods: Sequence[str], *, is_capture: bool) -> tuple[tuple[str, str], ...]:
    """The answer to OPTIONS."""
    found = [
        ("Allow", ", ".join(methods)),
        *answer_headers(),
        ("GS1-EPCIS-Min", EPCIS_VERSION),
        ("GS1-EPCIS-Max", EPCIS_VERSION),
        ("GS1-CBV-Min", CBV_VERSION),
        ("GS1-CBV-Max", CBV_VERSION),
        ("GS1-EPC-Format", "Always_GS1_Digital_Link, Never_Translates, No_Preference"),
        ("GS1-CBV-XML-Format", "Always_URN, Always_Web_URI, Never_Translates, No_Preference"),
        ("GS1-Vendor-Version", f"hansa-{__version__}"),
    ]
    if is_capture:
        found += [
            ("GS1-EPCIS-Capture-Limit", str(CAPTURE_EVENTS_MAX)),
            ("GS1-EPCIS-Capture-File-Size-Limit", str(CAPTURE_BYTES_MAX)),
            ("GS1-Capture-Error-Behaviour", "rollback, proceed"),
        ]
    return tuple(found)
