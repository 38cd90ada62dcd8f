"""Query parameters: the standard's names, values that fit, words and lists made normal."""

from typing import Any

import msgspec
import pytest

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT
from hansa.apps.food_trace.documents.query import read_parameters
from tests.apps.food_trace.documents.epcis_data import OPENEPCIS

CONTEXT = EPCIS_CONTEXT.extend({"ex": "http://ns.example.com/epcis/"})


def test_the_same_query_in_json_and_xml() -> None:
    (json_query, xml_query) = (
        read_document((OPENEPCIS / f"{syntax}/Query/Queries/SimpleEventQuery.{end}").read_bytes())
        for syntax, end in (("JSON", "json"), ("XML", "xml"))
    )
    assert json_query.kind == xml_query.kind == "query"
    assert json_query.query is not None
    assert xml_query.query is not None
    assert json_query.query.name == xml_query.query.name == "SimpleEventQuery"
    for name, value in xml_query.query.parameters.items():
        assert json_query.query.parameters[name] == value
    assert json_query.query.parameters["EQ_bizStep"] == ("shipping",)
    assert json_query.query.parameters["eventCountLimit"] == 100


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("eventType", ["ObjectEvent"], ("ObjectEvent",)),
        ("eventType", "ObjectEvent|AggregationEvent", ("ObjectEvent", "AggregationEvent")),
        ("EQ_bizStep", ["urn:epcglobal:cbv:bizstep:shipping", "packing"], ("shipping", "packing")),
        ("EQ_bizStep", ["ex:own"], ("http://ns.example.com/epcis/own",)),
        ("EQ_disposition", "https://ref.gs1.org/cbv/Disp-active", ("active",)),
        ("EQ_type", "gs1:Temperature", ("Temperature",)),
        ("MATCH_epc", "urn:epc:idpat:sgtin:4012345.*.*", ("urn:epc:idpat:sgtin:4012345.*.*",)),
        ("GE_eventTime", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("GT_quantity", msgspec.Raw(b"1.50"), "1.50"),
        ("EQ_value_CEL", [26], (26,)),
        ("GE_maxValue_CEL", "-18.5", "-18.5"),
        ("EQ_bizTransaction_po", ["urn:a:b"], ("urn:a:b",)),
        ("EQ_source_owning_party", "urn:a:b", ("urn:a:b",)),
        ("EXISTS_errorDeclaration", None, True),
        ("EQ_booleanValue", "true", True),
        ("orderDirection", "ASC", "ASC"),
        ("maxEventCount", "10", 10),
    ],
)
def test_parameters_become_normal(name: str, given: Any, value: Any) -> None:
    parameters, failures = read_parameters({name: given}, CONTEXT)
    assert failures == []
    found = parameters[name]
    assert (bytes(found).decode() if isinstance(found, msgspec.Raw) else found) == value


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("EQ_ex:own", "EQ_{http://ns.example.com/epcis/}own"),
        ("EQ_http://ns.example.com/epcis/own", "EQ_{http://ns.example.com/epcis/}own"),
        ("GE_ILMD_ex:own", "GE_ILMD_{http://ns.example.com/epcis/}own"),
        ("EXISTS_INNER_SENSORREPORT_ex:own", "EXISTS_INNER_SENSORREPORT_{http://ns.example.com/epcis/}own"),
        ("EQ_INNER_ERROR_DECLARATION_ex:own", "EQ_INNER_ERROR_DECLARATION_{http://ns.example.com/epcis/}own"),
        ("EQ_readPoint_ex:own", "EQ_readPoint_{http://ns.example.com/epcis/}own"),
    ],
)  # fmt: skip
def test_names_of_extensions_are_expanded(name: str, full: str) -> None:
    parameters, failures = read_parameters({name: "2026-01-01T00:00:00Z"}, CONTEXT)
    assert (list(parameters), failures) == ([full], [])


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("GE_eventDate", "2026-01-01T00:00:00Z", "QUERY-PARAMETER"),
        ("EQ_own", "x", "QUERY-PARAMETER"),
        ("eq_action", "ADD", "QUERY-PARAMETER"),
        ("", "x", "QUERY-PARAMETER"),
        ("EQ_", "x", "QUERY-PARAMETER"),
        ("GE_value_", 1, "QUERY-PARAMETER"),
        ("GE_eventTime", "not-a-date", "QUERY-VALUE"),
        ("GE_eventTime", ["2026-01-01T00:00:00Z"], "QUERY-VALUE"),
        ("EQ_action", ["SHIPPED"], "QUERY-VALUE"),
        ("EQ_action", [], "QUERY-VALUE"),
        ("EQ_bizStep", "flying", "QUERY-VALUE"),
        ("EQ_epc", "x", "QUERY-PARAMETER"),
        ("MATCH_epc", "no uri", "QUERY-VALUE"),
        ("MATCH_epc", ["urn:a:b"] * 1001, "QUERY-VALUE"),
        ("GT_quantity", True, "QUERY-VALUE"),
        ("GT_quantity", "many", "QUERY-VALUE"),
        ("orderDirection", "SIDEWAYS", "QUERY-VALUE"),
        ("eventCountLimit", 0, "QUERY-VALUE"),
        ("eventCountLimit", msgspec.Raw(b"1.5"), "QUERY-VALUE"),
        ("EXISTS_ex:own", {"a": 1}, "QUERY-VALUE"),
        ("EQ_booleanValue", "maybe", "QUERY-VALUE"),
    ],
)
def test_what_does_not_fit_is_said(name: str, value: Any, rule: str) -> None:
    parameters, failures = read_parameters({name: value}, CONTEXT, "/query")
    assert parameters == {}
    assert [(each.rule, each.path) for each in failures] == [(rule, f"/query/{name}")]


def test_a_parameter_of_a_poll_without_a_value_is_found_at_its_place() -> None:
    data = b"""<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" schemaVersion="2.0"
     creationDate="2023-02-03T10:35:02.985Z"><EPCISBody><q:Poll><queryName>SimpleEventQuery
     </queryName><params><param><name>eventType</name><value><string>ObjectEvent</string></value>
     </param><param><name>EQ_readPoint</name></param><param><name>GE_eventDate</name>
     <value>x</value></param></params></q:Poll></EPCISBody></q:EPCISQueryDocument>"""
    document = read_document(data)
    place = "/q:EPCISQueryDocument/EPCISBody/q:Poll/params/param"
    assert [(each.rule, each.path) for each in document.failures] == [
        ("QUERY-VALUE", f"{place}[2]"),
        ("QUERY-PARAMETER", f"{place}[3]"),
    ]
    assert document.query is not None
    assert document.query.parameters == {"eventType": ("ObjectEvent",)}
