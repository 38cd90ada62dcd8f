"""Consent records in the shape of ISO/IEC TS 27560:2023: header, processing, parties, events. Pure.

Off chain, in a vault; the ledger has a salted commitment to each version (`contracts.consents`).
Field names are those of the W3C DPV mapping (guides/consent-27560), the text of the specification
not being free; mandatory ones are MANDATORY. Words (names, notices) are the caller's.
"""

from typing import Any, Final, Literal

import msgspec

from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical

SCHEMA: Final = "ISO/IEC TS 27560:2023; hansa.consent-record/1"
RECORD_BYTES_MAX: Final = 64_000
EventState = Literal["given", "withdrawn", "expired"]
# Mandatory by the mapping, by the path of the object that they stand in.
MANDATORY: Final[dict[str, tuple[str, ...]]] = {
    "": ("schema_version", "record_id", "pii_principal_id", "pii_processing", "events"),
    "pii_processing": ("privacy_notice", "language", "purposes"),
    "purposes": (
        "purpose",
        "pii_information",
        "pii_controllers",
        "storage_locations",
        "retention_period",
        "jurisdictions",
        "recipient_third_parties",
        "withdrawal_method",
    ),
    "pii_information": ("pii_type",),
    "party_identification": ("party_id", "party_name", "party_type"),
    "events": ("event_time", "validity_duration", "entity_id", "event_type", "event_state"),
}


class WrongConsentRecord(ValueError):
    """Not a consent record of this shape. `code`: malformed, missing_field, wrong_order."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Party(msgspec.Struct, frozen=True):
    """An organisation in a record. `role`: controller, recipient or authority."""

    did: str
    name: str
    role: str
    address: str = ""
    contact: str = ""

    def describe(self) -> dict[str, Any]:
        """As the record has it."""
        return {
            "party_address": self.address,
            "party_contact": self.contact,
            "party_id": self.did,
            "party_name": self.name,
            "party_role": self.role,
            "party_type": "organisation",
        }


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is consented to. `record`: a name that nobody can guess; times as RFC 3339 UTC text.

    `notice`: where the notice was read, or its digest; `fields`: codes of the data; `until`: its
    end, which is also when the receiver deletes what it keeps, unless `retention` says otherwise.
    """

    record: str
    subject: str
    controller: Party
    receiver: Party
    purpose: str
    fields: tuple[str, ...]
    given: str
    until: str
    notice: str
    language: str
    jurisdictions: tuple[str, ...]
    retention: str = ""
    withdrawal: str = "hansa grant withdraw"


def build_record(terms: Terms) -> dict[str, Any]:
    """The record of a consent as it is given."""
    purpose = {
        "jurisdictions": list(terms.jurisdictions),
        "lawful_basis": "consent",
        "pii_controllers": [terms.controller.did],
        "pii_information": [{"pii_type": field} for field in terms.fields],
        "purpose": terms.purpose,
        "recipient_third_parties": [terms.receiver.did],
        "retention_period": terms.retention or terms.until,
        "storage_locations": list(terms.jurisdictions),
        "withdrawal_method": terms.withdrawal,
    }
    record: dict[str, Any] = {
        "events": [_describe_event("given", terms.given, terms.until, terms.subject)],
        "party_identification": [terms.controller.describe(), terms.receiver.describe()],
        "pii_principal_id": terms.subject,
        "pii_processing": {
            "language": terms.language,
            "privacy_notice": terms.notice,
            "purposes": [purpose],
        },
        "record_id": terms.record,
        "schema_version": SCHEMA,
    }
    check_record(record)
    return record


def add_event(record: dict[str, Any], state: EventState, at: str, entity: str) -> dict[str, Any]:
    """The record with one more event; the one given stays as it is. Raises WrongConsentRecord."""
    check_record(record)
    last = record["events"][-1]
    if last["event_state"] != "given" or at < last["event_time"]:
        raise WrongConsentRecord("wrong_order", f"{state} cannot follow {last['event_state']}")
    event = _describe_event(state, at, last["validity_duration"], entity)
    return {**record, "events": [*record["events"], event]}


def encode_record(record: dict[str, Any]) -> bytes:
    """Canonical JSON: what is committed to. Raises WrongConsentRecord."""
    check_record(record)
    try:
        return encode_canonical(record)
    except CanonicalError as error:
        raise WrongConsentRecord("malformed", str(error)) from error


def decode_record(data: bytes) -> dict[str, Any]:
    """The record of canonical JSON. Raises WrongConsentRecord."""
    try:
        record = decode_canonical(data, size_max=RECORD_BYTES_MAX)
    except CanonicalError as error:
        raise WrongConsentRecord("malformed", str(error)) from error
    check_record(record)
    return record if isinstance(record, dict) else {}


def check_record(record: Any) -> None:
    """Raise WrongConsentRecord unless every mandatory field is there and says something."""
    _check("", record)
    processing = record["pii_processing"]
    _check("pii_processing", processing)
    for purpose in _list("purposes", processing["purposes"]):
        _check("purposes", purpose)
        for each in _list("pii_information", purpose["pii_information"]):
            _check("pii_information", each)
    for party in _list("party_identification", record.get("party_identification")):
        _check("party_identification", party)
    for event in _list("events", record["events"]):
        _check("events", event)
    if record["schema_version"] != SCHEMA:
        raise WrongConsentRecord("malformed", "written by another release")


def _check(where: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise WrongConsentRecord("malformed", f"{where or 'the record'} is no object")
    for name in MANDATORY[where]:
        if not value.get(name):
            raise WrongConsentRecord("missing_field", f"{where}.{name}".lstrip("."))


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise WrongConsentRecord("missing_field", where)
    return value


def _describe_event(state: EventState, at: str, until: str, entity: str) -> dict[str, Any]:
    return {
        "entity_id": entity,
        "event_state": state,
        "event_time": at,
        "event_type": "explicit_consent",
        "validity_duration": until,
    }
