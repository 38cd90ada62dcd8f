"""`read_event` judges only the normal spelling, in exact numbers; times are counted by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.apps.food_trace.event import (
    DOCUMENT_BYTES_MAX,
    InvalidEvent,
    Party,
    Quantity,
    event_key,
    parse_number,
    read_event,
)
from hansa.apps.food_trace.timestamps import InvalidTime, format_time, is_offset, parse_time

HASH = "ab" * 32
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": f"ni:///sha-256;{HASH}?ver=CBV2.0",
    "eventTime": "2026-07-22T06:45:00+02:00",
    "eventTimeZoneOffset": "+02:00",
    "action": "ADD",
    "bizStep": "commissioning",
    "epcList": ["urn:epc:id:sgtin:9521141.001234.2017"],
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00001.0"},
}


def write(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields, order="sorted").decode()


def change(**fields: Any) -> str:
    return write({**EVENT, **fields})


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def test_an_event_is_read_with_keys_in_element_form() -> None:
    event = read_event(
        change(
            quantityList=[
                {
                    "epcClass": "urn:epc:class:lgtin:4012345.011111.4444",
                    "quantity": raw("10.50"),
                    "uom": "KGM",
                },
                {"epcClass": "https://id.gs1.org/01/09521141012345"},
            ],
            sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
            bizTransactionList=[
                {"type": "po", "bizTransaction": "https://a.example/01/09521141012346"}
            ],
        )
    )
    assert (event.key, event.time_ms) == (HASH, 1784695500000)
    assert event.epcs == ("01.09521141012345.21.2017",)
    assert event.quantities == (
        Quantity("01.04012345111118.10.4444", 105, 1, "KGM"),
        Quantity("01.09521141012345", None, 0, ""),
    )
    assert event.sources == (Party("owning_party", "417.4012345002256"),)
    # A transaction's number may look like a key with a wrong digit: it is nobody's product.
    assert event.transactions[0].value.startswith("~https")
    assert event.read_point == "414.4012345000016"


def test_an_item_named_twice_in_two_ways_is_one_item() -> None:
    again = "https://id.example.com/01/09521141012345/21/2017"
    assert len(read_event(change(epcList=[EVENT["epcList"][0], again])).epcs) == 1


def test_a_reading_has_the_time_of_its_report_or_of_its_element() -> None:
    reports = [
        {"type": "Temperature", "value": raw("-18.20"), "uom": "CEL"},
        {"type": "Temperature", "time": "2026-07-22T07:00:00Z", "maxValue": 4, "uom": "CEL"},
    ]
    metadata = {"startTime": "2026-07-22T05:00:00Z", "endTime": "2026-07-22T06:00:00.5Z"}
    event = read_event(
        change(sensorElementList=[{"sensorMetadata": metadata, "sensorReport": reports}])
    )
    first, second = event.readings
    assert (first.value, first.time_ms) == ((-182, 1), parse_time("2026-07-22T06:00:00.500Z"))
    assert (second.max, second.time_ms) == ((4, 0), parse_time("2026-07-22T07:00:00.000Z"))


@pytest.mark.parametrize(
    ("rule", "path", "fields"),
    [
        ("EPCIS-TYPE", "/type", {"type": "QuantityEvent"}),
        ("EPCIS-EVENT-ID", "/eventID", {"eventID": "no uri"}),
        ("EPCIS-TIME", "/eventTime", {"eventTime": "22-07-2026"}),
        ("EPCIS-TIME", "/eventTime", {"eventTime": 5}),
        ("EPCIS-OFFSET", "/eventTimeZoneOffset", {"eventTimeZoneOffset": "+15:00"}),
        ("EPCIS-ACTION", "/action", {"action": "CREATE"}),
        ("EPCIS-SHAPE", "/epcList", {"epcList": "urn:a:b"}),
        ("EPCIS-SHAPE", "/epcList/0", {"epcList": [1]}),
        ("EPCIS-URI", "/epcList/0", {"epcList": ["bare"]}),
        ("EPCIS-WHAT", "/", {"type": "TransformationEvent"}),
        ("EPCIS-PARENT", "/parentID", {"type": "AggregationEvent", "childEPCs": ["urn:a:b"]}),
        ("EPCIS-TRANSACTION", "/bizTransactionList", {"type": "TransactionEvent"}),
        ("EPCIS-NUMBER", "/quantityList/0/quantity", {"quantityList": [{"quantity": "1"}]}),
        ("EPCIS-NUMBER", "/quantityList/0/quantity", {"quantityList": [{"quantity": True}]}),
        ("NORMAL-QUANTITY", "/quantityList/0/quantity", {"quantityList": [{"quantity": -1}]}),
        ("NORMAL-QUANTITY", "/quantityList/0/quantity", {"quantityList": [{"quantity": 2**53}]}),
        (
            "NORMAL-QUANTITY",
            "/quantityList/0/quantity",
            {"quantityList": [{"quantity": raw("0.0000000000001")}]},
        ),
        (
            "NORMAL-NUMBER",
            "/quantityList/0/quantity",
            {"quantityList": [{"quantity": raw("1e999")}]},
        ),
        ("EPCIS-SHAPE", "/readPoint", {"readPoint": {}}),
        ("EPCIS-SHAPE", "/bizStep", {"bizStep": None}),
    ],
)
def test_what_is_no_event_is_refused_with_rule_and_place(
    rule: str, path: str, fields: dict[str, Any]
) -> None:
    for quantity in fields.get("quantityList", ()):
        quantity["epcClass"] = "urn:epc:class:lgtin:4012345.011111.4444"
    with pytest.raises(InvalidEvent) as caught:
        read_event(change(**fields))
    assert (caught.value.rule, caught.value.path) == (rule, path)


@pytest.mark.parametrize("name", ["eventTime", "eventTimeZoneOffset", "eventID", "action", "type"])
def test_what_every_event_must_have_is_missed(name: str) -> None:
    with pytest.raises(InvalidEvent):
        read_event(write({key: value for key, value in EVENT.items() if key != name}))


NORMAL = write(EVENT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        NORMAL + " ",
        NORMAL.replace(":", ": ", 1),
        NORMAL.replace("/", "\\/", 1),
        '{"type":"ObjectEvent",' + NORMAL[1:],  # a key twice: readers would differ
        NORMAL[:-1] + ',"a":1}',  # not in order
        NORMAL[:-1] + ',"z":-0}',
        NORMAL[:-1] + ',"z":NaN}',
        NORMAL[:-1] + ',"z":"\ud800"}',
        NORMAL[:-1] + ',"z":"\\ud800"}',
    ],
)
def test_only_the_one_spelling_is_read(text: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read_event(text)
    assert caught.value.rule == "NORMAL-FORM"


@pytest.mark.parametrize("depth", [40, 990, 100_000])
def test_nesting_is_refused_alike_at_every_depth(depth: int) -> None:
    text = NORMAL[:-1] + ',"z":' + "[" * depth + "]" * depth + "}"
    with pytest.raises(InvalidEvent) as caught:
        read_event(text)
    assert caught.value.rule in {"NORMAL-DEPTH", "NORMAL-SIZE"}


def test_an_event_larger_than_a_record_is_refused() -> None:
    with pytest.raises(InvalidEvent) as caught:
        read_event(change(zz="a" * DOCUMENT_BYTES_MAX))
    assert caught.value.rule == "NORMAL-SIZE"
    read_event(change(zz="a" * 90_000))
    with pytest.raises(InvalidEvent) as caught:
        read_event(change(zz='"' * 40_000))  # each of them is four bytes in a record
    assert caught.value.rule == "NORMAL-SIZE"


def test_a_hash_id_is_its_own_record_key_and_any_other_is_escaped() -> None:
    assert event_key(f"ni:///sha-256;{HASH}?ver=CBV2.0") == HASH
    others = {
        event_key(f"ni:///sha-256;{HASH}?ver=CBV2.1"),
        event_key(f"ni:///sha-256;{HASH.upper()}?ver=CBV2.0"),
        event_key(f"ni:///sha-256;{HASH}?ver=CBV2.0\n"),
    }
    assert len(others) == 3
    assert all(key.startswith("~") for key in others)
    assert event_key("urn:uuid:bf60-12") == "~urn:uuid:bf60-12"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", (0, 0)),
        ("-0.00", (0, 0)),
        ("26.0", (26, 0)),
        ("-477979.89", (-47797989, 2)),
        ("1.50E+3", (1500, 0)),
        ("15e-4", (15, 4)),
        ("25.200000000000003", (25200000000000003, 15)),
    ],
)
def test_numbers_are_exact(text: str, number: tuple[int, int]) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "1e41", "1e-41", "9" * 65, "NaN", "1.", ".5", "٣", "1\n"])
def test_what_is_no_measurement_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*"):
        parse_number(text)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["", "+08:00", "-14:00", "-03:30"]),
)
def test_times_count_as_the_calendar_does(moment: datetime, offset: str) -> None:
    expected = (moment - EPOCH) // timedelta(milliseconds=1)
    assert parse_time(moment.isoformat()) == expected
    if datetime(2, 1, 1, tzinfo=UTC) < moment < datetime(9999, 1, 1, tzinfo=UTC):
        assert parse_time(format_time(expected, offset)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00+14:01",
        "2026-01-01T00:00:00+0800",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00Z\n",
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)
def test_what_is_no_day_or_has_no_zone_is_no_time(text: str) -> None:
    with pytest.raises(InvalidTime):
        parse_time(text)


def test_a_century_has_a_leap_day_every_four_hundred_years() -> None:
    assert parse_time("2000-03-01T00:00:00Z") - parse_time("2000-02-29T00:00:00Z") == 86_400_000
    assert parse_time("2026-07-22T06:45Z") == parse_time("2026-07-22T06:45:00Z")


def test_offsets_end_at_fourteen_hours() -> None:
    assert all(map(is_offset, ("+00:00", "-00:00", "+13:59", "-14:00")))
    assert not any(map(is_offset, ("+14:01", "+15:00", "Z", "+8:00", "+08:60", "+08:00\n")))
