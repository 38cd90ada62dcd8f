"""Master data in a document's header: read alike from JSON-LD and XML, refused when wrong."""

import json
from typing import Any

import pytest

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.master_data import ATTRIBUTES_MAX, TEXT_MAX
from tests.apps.food_trace.documents.epcis_data import GS1

PLACE = "urn:epc:id:sgln:9521000.00001.0"
PART = "urn:epc:id:sgln:9521000.00001.8201"
TYPE = "urn:epcglobal:epcis:vtype:BusinessLocation"


def element(**more: Any) -> dict[str, Any]:
    return {
        "isA": "VocabularyElement",
        "id": PLACE,
        "attributes": [
            {"id": "cbvmda:site", "attribute": "0037000007296"},
            {"id": "ex:rooms", "attribute": [1, 2, True]},
            {"id": "ex:address", "attribute": {"ex:town": "Macao"}},
        ],
        "children": [PART],
        **more,
    }


def document(*elements: Any, **more: Any) -> bytes:
    vocabulary = {"isA": "Vocabulary", "type": TYPE, "vocabularyElementList": list(elements)}
    header = {"epcisMasterData": {"vocabularyList": [vocabulary]}}
    return json.dumps(
        {
            "@context": [
                "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
                {"ex": "http://example.com/ext1/"},
            ],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-01-01T00:00:00Z",
            "epcisHeader": header,
            "epcisBody": {"eventList": []},
            **more,
        }
    ).encode()


XML = f"""<?xml version="1.0"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0"
    xmlns:ex="http://example.com/ext1/" creationDate="2026-01-01T00:00:00Z">
  <EPCISHeader><extension><EPCISMasterData><VocabularyList><Vocabulary type="{TYPE}">
    <VocabularyElementList><VocabularyElement id="{PLACE}">
      <attribute id="urn:epcglobal:cbv:mda#site">0037000007296</attribute>
      <attribute id="http://example.com/ext1/rooms">1</attribute>
      <attribute id="http://example.com/ext1/rooms">2</attribute>
      <attribute id="http://example.com/ext1/rooms">true</attribute>
      <attribute id="http://example.com/ext1/address"><ex:town>Macao</ex:town></attribute>
      <children><id>{PART}</id></children>
    </VocabularyElement></VocabularyElementList>
  </Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader>
  <EPCISBody><EventList/></EPCISBody>
</epcis:EPCISDocument>""".encode()


def test_both_forms_say_the_same() -> None:
    of_json, of_xml = read_document(document(element())), read_document(XML)
    assert of_json.is_valid and of_xml.is_valid
    assert of_json.vocabulary == of_xml.vocabulary
    (found,) = of_json.vocabulary
    assert (found.type, found.id, found.children) == (TYPE, PLACE, (PART,))
    assert found.attributes == {
        "{urn:epcglobal:cbv:mda}site": ("0037000007296",),
        "{http://example.com/ext1/}rooms": ("1", "2", "true"),
        "{http://example.com/ext1/}address": (),
    }


def test_the_published_examples_are_read() -> None:
    folder = GS1 / "xml"
    name = "WithFullCombinationOfFields_masterdata_all_possible_fields.xml"
    found = read_document((folder / name).read_bytes()).vocabulary
    assert "urn:epc:id:sgln:0037000.00729.0" in {each.id for each in found}
    texts = next(each for each in found if "{http://example.com/ext1#}array" in each.attributes)
    assert texts.attributes["{http://example.com/ext1#}array"] == (
        "string1InArray",
        "string2InArray",
    )


@pytest.mark.parametrize(
    ("elements", "place"),
    [
        ([5], "/vocabularyElementList/0"),
        ([{"attributes": []}], "/vocabularyElementList/0/id"),
        ([element(id="no uri")], "/vocabularyElementList/0/id"),
        ([element(attributes={})], "/vocabularyElementList/0/attributes"),
        ([element(attributes=[{"id": "cbvmda:x", "attribute": "x" * (TEXT_MAX + 1)}])], "/0"),
        (
            [
                element(
                    attributes=[
                        {"id": f"ex:a{number}", "attribute": "x"}
                        for number in range(ATTRIBUTES_MAX)
                    ]
                )
            ],
            "/0",
        ),
        ([element(), element(children=["x"])], "/vocabularyElementList/1"),
    ],
)
def test_a_wrong_element_is_named_by_its_place(elements: list[Any], place: str) -> None:
    found = read_document(document(*elements))
    assert not found.is_valid and found.vocabulary == ()
    (failure,) = found.failures
    assert failure.rule == "EPCIS-SHAPE"
    assert place in failure.path


def test_a_header_that_is_none_is_refused() -> None:
    for header in ([], "x", {"epcisMasterData": []}, {"epcisMasterData": {"vocabularyList": {}}}):
        assert not read_document(document(epcisHeader=header)).is_valid
    assert read_document(document(epcisHeader={})).is_valid
