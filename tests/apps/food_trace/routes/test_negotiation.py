"""What a client may ask for by headers, and what it is told when that cannot be."""

import pytest

from hansa.apps.food_trace.routes.epcis.negotiation import (
    JSON,
    JSON_LD,
    JSON_TYPES,
    XML,
    XML_TYPES,
    NotAcceptable,
    check_versions,
    choose_media,
    read_context,
    read_form,
    wants_xml,
)

ALL = (*JSON_TYPES, *XML_TYPES)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/ld+json", JSON_LD),
        ("application/xml, application/json;q=0.9", XML),
        ("text/xml", "text/xml"),
        ("application/json;q=0, */*", JSON_LD),
        ("text/html, application/xml;q=0.3, */*;q=0.1", XML),
    ],
)
def test_the_client_gets_what_it_likes_best(accept: str, media: str) -> None:
    assert choose_media(accept, ALL) == media


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "image/*", ";;,,", "a/b;q=x"]
)
def test_what_is_not_offered_is_not_acceptable(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        choose_media(accept, ALL)


@pytest.mark.parametrize(
    "headers",
    [
        {"gs1-epcis-min": "2.0.0", "gs1-epcis-max": "2.0.0"},
        {"gs1-epcis-min": "1.2", "gs1-epcis-max": "2"},
        {"gs1-epcis-version": "2.0"},
        {"gs1-cbv-version": "2.0.0"},
    ],
)
def test_versions_that_include_this_one_are_served(headers: dict[str, str]) -> None:
    check_versions(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"gs1-epcis-min": "2.1"},
        {"gs1-epcis-max": "1.2"},
        {"gs1-epcis-version": "1.2"},
        {"gs1-cbv-min": "3"},
        {"gs1-epcis-version": "two"},
        {"gs1-epcis-max": "2." * 200},
        {"gs1-epcis-min": "-1"},
    ],
)
def test_other_versions_are_not_acceptable(headers: dict[str, str]) -> None:
    with pytest.raises(NotAcceptable):
        check_versions(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"gs1-epc-format": "Always_EPC_URN"},
        {"gs1-epc-format": "sometimes"},
        {"gs1-cbv-xml-format": "never"},
        {"gs1-extensions": "no equals sign"},
        {"gs1-extensions": "=http://ns.example.com/"},
    ],
)
def test_forms_that_cannot_be_given_are_not_acceptable(headers: dict[str, str]) -> None:
    with pytest.raises(NotAcceptable):
        read_form(headers)
        read_context(headers)


def test_a_header_defines_prefixes() -> None:
    context = read_context({"gs1-extensions": "ex=http://ns.example.com/epcis/"})
    assert context.expand_name("ex:field") == "{http://ns.example.com/epcis/}field"


@pytest.mark.parametrize(
    ("accept", "is_xml"),
    [
        ("", False),
        ("application/xml", True),
        ("application/problem+xml", True),
        ("application/json, application/xml", False),
        ("application/json;q=0.1, text/xml", True),
        ("*/*", False),
    ],
)
def test_refusals_are_in_xml_for_who_wants_xml(accept: str, is_xml: bool) -> None:
    assert wants_xml(accept) is is_xml
