"""W3C Bitstring Status List 1.0: lists as credentials, entries in credentials, both read. Pure.

A list says nothing about any one holder: 131,072 entries at the least. The credential that carries
it is signed and judged as any other (`data_integrity`). Codes of Malformed: wrong_status_list,
wrong_status_entry, wrong_purpose, list_too_short, and those of `status_bits`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.identity.faults import Malformed
from hansa.identity.status_bits import deflate, get_status, inflate, pack_statuses

ENTRIES_MIN: Final = 131_072
Purpose = Literal["revocation", "suspension", "refresh", "message"]
PURPOSES: Final = ("revocation", "suspension", "refresh", "message")
# What two bits of a list of purpose `message` mean; the numbers are those of a Token Status List.
MESSAGES: Final = ("valid", "revoked", "suspended", "reserved")
_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"


class BitstringEntry(msgspec.Struct, frozen=True):
    """`credentialStatus` of a credential: where its status stands; `bits` an entry, 1 or 2."""

    list_uri: str
    index: int
    purpose: str
    bits: int = 1


class BitstringList(msgspec.Struct, frozen=True):
    """A read list: `ttl_ms` how long it may be kept (None: unsaid)."""

    uri: str
    purposes: tuple[str, ...]
    packed: bytes
    ttl_ms: int | None = None

    def get(self, entry: BitstringEntry) -> int:
        """Value of an entry: 1 bit: 0 or 1. Raises Malformed: wrong_purpose, index_out_of_range,
        list_too_short (fewer entries than hide one among many).
        """
        if entry.purpose not in self.purposes:
            raise Malformed("wrong_purpose", f"the list is not about {entry.purpose}")
        if len(self.packed) * 8 // entry.bits < ENTRIES_MIN:
            raise Malformed("list_too_short", f"a list has {ENTRIES_MIN} entries or more")
        return get_status(self.packed, entry.index, bits=entry.bits, order="left")


def encode_bitstring(size: int, values: Mapping[int, int], *, bits: int = 1) -> str:
    """`encodedList`: multibase base64url of a gzipped list. ValueError below ENTRIES_MIN."""
    if size < ENTRIES_MIN:
        raise ValueError(f"a list has {ENTRIES_MIN} entries or more")
    packed = pack_statuses(size, values, bits=bits, order="left")
    return "u" + encode_base64url(deflate(packed, as_gzip=True))


def build_bitstring_credential(
    uri: str,
    *,
    issuer: str,
    purposes: Sequence[str],
    encoded: str,
    valid_from: str,
    valid_until: str = "",
    ttl_ms: int = 0,
) -> dict[str, Any]:
    """Unsigned credential of a list, served at `uri`; times RFC 3339, `encoded` of `encode_…`."""
    subject: dict[str, Any] = {
        "id": f"{uri}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purposes[0] if len(purposes) == 1 else list(purposes),
        "encodedList": encoded,
    }
    if ttl_ms:
        subject["ttl"] = ttl_ms
    document: dict[str, Any] = {
        "@context": [_CONTEXT],
        "id": uri,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": valid_from,
        "credentialSubject": subject,
    }
    return {**document, "validUntil": valid_until} if valid_until else document


def build_bitstring_entry(entry: BitstringEntry) -> dict[str, Any]:
    """`credentialStatus` for a credential; two bits carry the words for their four values."""
    built: dict[str, Any] = {
        "id": f"{entry.list_uri}#{entry.index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": entry.purpose,
        "statusListIndex": str(entry.index),
        "statusListCredential": entry.list_uri,
    }
    if entry.bits == 2:
        words = [{"status": hex(n), "message": word} for n, word in enumerate(MESSAGES)]
        built |= {"statusSize": 2, "statusMessage": words}
    return built


def read_bitstring_entry(status: Mapping[str, Any]) -> BitstringEntry:
    """Read one `credentialStatus` of type BitstringStatusListEntry. Raises Malformed."""
    uri, index = status.get("statusListCredential"), status.get("statusListIndex")
    purpose, bits = status.get("statusPurpose"), status.get("statusSize", 1)
    if status.get("type") != "BitstringStatusListEntry" or not isinstance(uri, str) or not uri:
        raise Malformed("wrong_status_entry", "not a BitstringStatusListEntry with its list")
    is_index = isinstance(index, str) and index.isascii() and index.isdigit() and len(index) < 16
    if not is_index or purpose not in PURPOSES:
        raise Malformed("wrong_status_entry", "statusListIndex or statusPurpose is not usable")
    if bits not in (1, 2) or isinstance(bits, bool) or (bits == 2) != (purpose == "message"):
        raise Malformed(
            "wrong_status_entry", "one bit, or two bits of purpose message, are read here"
        )
    if bits == 2 and not _has_known_words(status.get("statusMessage")):
        raise Malformed("wrong_status_entry", "statusMessage has other words than are known here")
    return BitstringEntry(uri, int(str(index)), str(purpose), int(bits))


def _has_known_words(words: object) -> bool:
    return words == [{"status": hex(n), "message": word} for n, word in enumerate(MESSAGES)]


def read_bitstring_list(document: Mapping[str, Any], *, uri: str) -> BitstringList:
    """Read the credential of a list that was fetched from, or bundled for, `uri`; its proofs and
    validity are not judged here. Raises Malformed.
    """
    subject = document.get("credentialSubject")
    types = document.get("type")
    if document.get("id") != uri or not isinstance(subject, dict) or not isinstance(types, list):
        raise Malformed("wrong_status_list", "not the credential of the list that was asked for")
    encoded = subject.get("encodedList")
    if (
        "BitstringStatusListCredential" not in types
        or subject.get("type") != "BitstringStatusList"
        or not isinstance(encoded, str)
        or encoded[:1] != "u"
    ):
        raise Malformed("wrong_status_list", "not a BitstringStatusList in base64url")
    try:
        packed = inflate(decode_base64url(encoded[1:]), as_gzip=True)
    except TextError as error:
        raise Malformed("wrong_status_list", "encodedList is not strict base64url") from error
    named = subject.get("statusPurpose")
    purposes = [named] if isinstance(named, str) else named
    if not isinstance(purposes, list) or not all(each in PURPOSES for each in purposes):
        raise Malformed("wrong_purpose", "a purpose that is not known here")
    ttl = subject.get("ttl")
    ttl_ms = ttl if isinstance(ttl, int) and not isinstance(ttl, bool) and ttl >= 0 else None
    return BitstringList(uri, tuple(purposes), packed, ttl_ms)
