"""The forms of the story: two schemas, what is written in once, what a presentation shows. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from hansa.encoding.text import decode_base64url

PERSON_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Person",
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "birth_date": {"type": "string"},
        "number": {"type": "string"},
        "address": {"type": "string"},
        "age_over_18": {"type": "boolean"},
    },
    "required": ["name", "age_over_18"],
    "additionalProperties": False,
}
LICENCE_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Licence",
    "type": "object",
    "properties": {
        "firm": {"type": "string"},
        "business": {"type": "string"},
        "owner": {"type": "string"},
        "city": {"type": "string"},
    },
    "required": ["firm", "business", "owner", "city"],
    "additionalProperties": False,
}
# Nobody has this name, number or address.
PERSON_CLAIMS: Final[dict[str, Any]] = {
    "name": "示範梅 Model Mei",
    "birth_date": "1990-02-30",
    "number": "MODEL-000001",
    "address": "羊城示範路 0 號 0 Model Road",
    "age_over_18": True,
}
# What the one form asks for that no credential says.
WISHES: Final = {"firm": "示範茶室 Model Tea House", "business": "tea"}
SHOWN: Final = ("name", "age_over_18")
RECORD: Final = "allergy: penicillin (model record)"
OTHER_RECORD: Final = "surgery: none (model record)"


def read_disclosed(sd_jwt: str) -> dict[str, Any]:
    """The claims whose disclosures an SD-JWT carries (RFC 9901, 4.2.1): what its reader sees."""
    found: dict[str, Any] = {}
    for part in sd_jwt.strip().split("~")[1:]:
        if part and "." not in part:
            _salt, name, value = json.loads(decode_base64url(part))
            found[name] = value
    return found


def read_presented(document: Mapping[str, Any]) -> dict[str, Any]:
    """All claims that a VC 2.0 presentation shows, of enveloped SD-JWT VCs too."""
    found: dict[str, Any] = {}
    for each in document["verifiableCredential"]:
        mark, comma, text = str(each.get("id", "")).partition(",")
        if comma and mark.endswith("dc+sd-jwt"):
            found |= read_disclosed(text)
        else:
            subject = each["credentialSubject"]
            found |= {name: value for name, value in subject.items() if name != "id"}
    return found


def fill_form(city: str, presented: Mapping[str, Any]) -> dict[str, Any]:
    """The application for a licence: every field from what was presented."""
    return {
        "firm": presented["firm"],
        "business": presented["business"],
        "owner": presented["name"],
        "city": city,
    }
