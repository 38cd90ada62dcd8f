"""GS1 keys: URN, Digital Link and class are one element form; check digits hold (I7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.apps.food_trace.faults import BadCheckDigit, BadIdentifier
from hansa.apps.food_trace.identifiers import (
    element_of,
    make_opaque,
    parse,
    split_element,
    to_digital_link,
)
from hansa.ledger.model import is_key_part
from hansa.primitives.limits import KEY_PART_MAX

SAME = [
    ("urn:epc:id:sgtin:9521141.001234.2017", "https://id.gs1.org/01/09521141012345/21/2017"),
    ("urn:epc:id:sgtin:0614141.107346.2018", "https://shop.example/a/b/01/10614141073464/21/2018"),
    ("urn:epc:id:sscc:4012345.0000000333", "https://id.gs1.org/00/040123450000003338"),
    ("urn:epc:id:sgln:4012345.00005.0", "https://id.example.com/414/4012345000054"),
    ("urn:epc:id:sgln:4012345.00005.0", "https://id.example.com/414/4012345000054/254/0"),
    ("urn:epc:id:sgln:4012345.00005.7", "https://id.example.com/gln/4012345000054/glnx/7?x=1#y"),
    ("urn:epc:id:pgln:4012345.00225", "https://id.gs1.org/417/4012345002256"),
    ("urn:epc:id:giai:4000001.111", "https://id.gs1.org/8004/4000001111"),
    ("urn:epc:id:gdti:4012345.00005.987", "https://example.com/253/4012345000054987"),
    ("urn:epc:class:lgtin:4012345.012345.998877", "https://id.gs1.org/01/04012345123456/10/998877"),
    ("urn:epc:idpat:sgtin:4012345.066666.*", "https://id.gs1.org/01/04012345666663"),
    ("urn:epc:idpat:sgtin:4012345.066666.*", "https://id.gs1.org/01/4012345666663"),
    # A serial number names the piece: the lot beside it is a detail.
    ("urn:epc:id:sgtin:9521141.001234.A%2FB", "https://x.example/01/09521141012345/10/L/21/A%2FB"),
    ("urn:epc:id:cpi:4012345.ABC.123", "https://id.gs1.org/8010/4012345ABC/8011/123"),
    ("urn:epc:id:itip:4012345.012345.01.02.9", "https://id.gs1.org/8006/040123451234560102/21/9"),
    ("urn:epc:id:upui:4012345.012345.AB12", "https://id.gs1.org/01/04012345123456/235/AB12"),
]


@pytest.mark.parametrize(("urn", "link"), SAME)
def test_a_urn_and_its_digital_link_are_one_key(urn: str, link: str) -> None:
    assert element_of(urn) == element_of(link)
    assert not element_of(urn).startswith("~")
    assert element_of(to_digital_link(element_of(urn))) == element_of(urn)


@pytest.mark.parametrize(
    ("uri", "element", "level"),
    [
        ("urn:epc:id:sgtin:4012345.011111.9876", "01.04012345111118.21.9876", "instance"),
        ("urn:epc:class:lgtin:4012345.011111.LOT-1", "01.04012345111118.10.LOT-1", "lot"),
        ("urn:epc:idpat:sgtin:4012345.011111.*", "01.04012345111118", "class"),
        ("urn:epc:id:sscc:0614141.1234567890", "00.106141412345678908", "instance"),
        ("urn:epc:id:sgln:0614141.07346.1234", "414.0614141073467.254.1234", "place"),
        ("urn:epc:id:pgln:0614141.00777", "417.0614141007776", "party"),
        ("urn:epc:id:grai:4012345.66666.87", "8003.0401234566666387", "instance"),
        ("urn:epc:idpat:grai:4012345.66666.*", "8003.04012345666663", "class"),
        ("urn:epc:id:gsrn:4012345.9876540000", "8018.401234598765400000", "instance"),
        ("urn:epc:id:gsin:4012345.999987654", "402.40123459999876541", "group"),
        ("urn:epc:id:sgtin:4012345.011111.a.b~%25", "01.04012345111118.21.a~2Eb~7E~25", None),
    ],
)
def test_the_element_form_is_the_application_identifiers(
    uri: str, element: str, level: str | None
) -> None:
    if level is None:  # "~" is no character of a serial number
        with pytest.raises(BadIdentifier):
            parse(uri)
        return
    key = parse(uri)
    assert key is not None
    assert (key.element, key.level) == (element, level)
    assert split_element(element) == key.parts


def test_a_wrong_check_digit_is_refused_and_the_right_one_told() -> None:
    for wrong, right in (
        ("https://id.gs1.org/01/09521141012346/21/2017", "5"),
        ("https://id.gs1.org/414/9521141123452", "4"),
        ("https://id.gs1.org/00/040123450000003339", "8"),
        ("https://id.gs1.org/417/4012345002255", "6"),
    ):
        with pytest.raises(BadCheckDigit) as caught:
            element_of(wrong)
        assert caught.value.params["expected"] == right


@pytest.mark.parametrize(
    "urn",
    [
        "urn:epc:id:sgtin:4012345.01111.9876",
        "urn:epc:id:sgtin:4012345.0111111.9876",
        "urn:epc:id:sgtin:4012345.011111.",
        "urn:epc:id:sgtin:4012345.011111",
        "urn:epc:id:sgtin:4012345.01111a.9876",
        "urn:epc:id:sgtin:12345.01111111.9876",
        "urn:epc:id:sgtin:4012345.011111.123456789012345678901",
        "urn:epc:id:sscc:4012345.012345678",
        "urn:epc:id:sgln:4012345.0000.0",
        "urn:epc:class:lgtin:4012345.011111.",
        "urn:epc:id:cpi:4012345.ABC.X",
        "urn:epc:id:itip:4012345.012345.1.02.999",
        "urn:epc:id:sgtin:４012345.011111.1",
    ],
)
def test_a_urn_that_is_not_built_as_its_scheme_says_is_refused(urn: str) -> None:
    with pytest.raises(BadIdentifier):
        parse(urn)


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:id:gid:95100000.1.2",
        "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epcglobal:cbv:bt:4023333000000:54545",
        "https://example.com/orders/01/2024",
        "https://example.com/01/09521141012345/99/x",
        "http://www.w3.org/2000/01/rdf-schema#",
        "urn:uuid:bf602366-6657-49fb-a729-9610ccef086e",
    ],
)
def test_what_is_no_gs1_key_is_kept_as_it_is(uri: str) -> None:
    assert parse(uri) is None
    assert to_digital_link(element_of(uri)) == uri


@given(st.text(min_size=1, max_size=300))
def test_any_text_makes_a_record_key_part_and_no_two_texts_the_same(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    part = make_opaque(text)
    assert is_key_part(part)
    if len(part) < KEY_PART_MAX and not part.startswith("~#"):
        assert to_digital_link(part) == text
