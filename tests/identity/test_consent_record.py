"""Consent records of the shape of ISO/IEC TS 27560: whole, in order, else refused by a code."""

import copy
from typing import Any

import pytest

from hansa.identity.consent_record import (
    MANDATORY,
    RECORD_BYTES_MAX,
    EventState,
    Party,
    Terms,
    WrongConsentRecord,
    add_event,
    build_record,
    check_record,
    decode_record,
    encode_record,
)

CLINIC = Party("did:hansa:clinic", "診所", "controller", "Shing Yip Street 7", "dpo@clinic.example")
BANK = Party("did:hansa:bank", "Banco", "recipient")
TERMS = Terms(
    record="7f3a",
    subject="did:hansa:pat",
    controller=CLINIC,
    receiver=BANK,
    purpose="open_account",
    fields=("name", "blood_group"),
    given="2026-05-01T08:00:00Z",
    until="2026-06-01T08:00:00Z",
    notice="https://clinic.example/notice",
    language="zh-Hant",
    jurisdictions=("CN", "HK"),
)
LATER = "2026-05-02T08:00:00Z"


def test_a_record_says_all_that_is_mandatory_and_comes_back() -> None:
    record = build_record(TERMS)
    assert decode_record(encode_record(record)) == record
    (purpose,) = record["pii_processing"]["purposes"]
    assert [each["pii_type"] for each in purpose["pii_information"]] == list(TERMS.fields)
    assert record["events"][0]["event_state"] == "given"


def test_a_withdrawal_is_one_more_event_and_the_last() -> None:
    record = build_record(TERMS)
    withdrawn = add_event(record, "withdrawn", LATER, TERMS.subject)
    assert [each["event_state"] for each in withdrawn["events"]] == ["given", "withdrawn"]
    assert len(record["events"]) == 1
    states: tuple[EventState, ...] = ("withdrawn", "expired")
    for state in states:
        with pytest.raises(WrongConsentRecord) as refused:
            add_event(withdrawn, state, LATER, TERMS.subject)
        assert refused.value.code == "wrong_order"
    with pytest.raises(WrongConsentRecord) as refused:
        add_event(record, "withdrawn", "2026-04-30T08:00:00Z", TERMS.subject)
    assert refused.value.code == "wrong_order"


def find_places(record: Any, where: str) -> list[dict[str, Any]]:
    processing = record["pii_processing"]
    purposes = processing["purposes"]
    places: dict[str, list[dict[str, Any]]] = {
        "": [record],
        "pii_processing": [processing],
        "purposes": purposes,
        "pii_information": [each for purpose in purposes for each in purpose["pii_information"]],
        "party_identification": record["party_identification"],
        "events": record["events"],
    }
    return places[where]


@pytest.mark.parametrize(
    ("where", "name"), [(where, name) for where, names in MANDATORY.items() for name in names]
)
@pytest.mark.parametrize("value", [None, ""])
def test_invalid_without_a_mandatory_field(where: str, name: str, value: Any) -> None:
    record = copy.deepcopy(build_record(TERMS))
    find_places(record, where)[-1][name] = value
    with pytest.raises(WrongConsentRecord):
        check_record(record)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"null", b'{"a":1,"a":2}', b"x" * (RECORD_BYTES_MAX + 1), b'{"a": 1}'],
)
def test_invalid_bytes(data: bytes) -> None:
    with pytest.raises(WrongConsentRecord):
        decode_record(data)


def test_a_record_of_another_release_is_not_guessed_at() -> None:
    record = {**build_record(TERMS), "schema_version": "ISO/IEC TS 27560:2030"}
    with pytest.raises(WrongConsentRecord) as refused:
        encode_record(record)
    assert refused.value.code == "malformed"
