"""Parameters that only the document can answer: exact numbers, the places of extensions."""

import json
from typing import Any

import pytest

from hansa.appkit.route import Trouble
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT
from hansa.apps.food_trace.documents.normal import load_normal, normalise
from hansa.apps.food_trace.documents.strict_json import load_text
from hansa.apps.food_trace.routes.epcis.plan import Plan, make_plan

CONTEXT = EPCIS_CONTEXT.extend({"ex": "http://ns.example.com/epcis/"})
EVENT = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "ADD",
    "quantityList": [
        {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 200.5, "uom": "KGM"}
    ],
    "ilmd": {"ex:grade": "A", "ex:box": {"ex:weight": 12.50}},
    "ex:note": {"ex:inner": ["x", "y"]},
    "ex:when": "2026-01-02T00:00:00Z",
    "sensorElementList": [
        {
            "sensorMetadata": {"time": "2026-01-01T00:00:00Z", "deviceID": "urn:device:1"},
            "sensorReport": [
                {"type": "Temperature", "value": -18.4, "uom": "CEL"},
                {"type": "RelativeHumidity", "value": 12, "uom": "A93", "ex:factor": 3},
                {"type": "https://example.com/opened", "booleanValue": True},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def fields() -> dict[str, Any]:
    normal = normalise(load_text(json.dumps(EVENT)), CONTEXT, "")
    assert normal.is_valid, normal.failures
    return load_normal(normal.document)


def judge(fields: dict[str, Any], name: str, value: Any) -> bool:
    plan: Plan = make_plan({name: value}, CONTEXT)
    assert plan.tests and not plan.wanted
    return all(test(fields) for test in plan.tests)


@pytest.mark.parametrize(
    ("name", "value", "passes"),
    [
        ("EQ_quantity", "200.50", True),
        ("GT_quantity", "200.5", False),
        ("GE_quantity", "200.5", True),
        ("LT_quantity", "201", True),
        ("LE_quantity", "200.4", False),
        ("EQ_quantity_KGM", "200.5", True),
        ("EQ_quantity_LTR", "200.5", False),
        ("EQ_type", "Temperature", True),
        ("EQ_type", "https://gs1.org/voc/Temperature|gs1:Pressure", True),
        ("EQ_type", "Pressure", False),
        ("EQ_deviceID", "urn:device:1", True),
        ("EQ_deviceID", "urn:device:2", False),
        ("EQ_value_CEL", "-18.40", True),
        ("GT_value_CEL", "-18.5", True),
        ("GT_value_CEL", "0", False),
        ("GE_value_A93", "12", True),
        ("EQ_booleanValue", "true", True),
        ("EQ_booleanValue", "false", False),
        ("GE_time", "2026-01-01T00:00:00Z", True),
        ("LT_time", "2026-01-01T00:00:00Z", False),
        ("EQ_ILMD_ex:grade", "A|B", True),
        ("EQ_ILMD_ex:grade", "C", False),
        ("EXISTS_ILMD_ex:grade", "", True),
        ("EXISTS_ILMD_ex:other", "", False),
        ("EQ_INNER_ILMD_ex:weight", "12.5", True),
        ("LT_INNER_ILMD_ex:weight", "12.5", False),
        ("EQ_ILMD_ex:weight", "12.5", False),
        ("EXISTS_ex:note", "", True),
        ("EQ_INNER_ex:inner", "y", True),
        ("EQ_INNER_ex:inner", "z", False),
        ("GE_ex:when", "2026-01-02T08:00:00+08:00", True),
        ("LT_ex:when", "2026-01-02T00:00:00Z", False),
        ("EQ_SENSORREPORT_ex:factor", "3", True),
        ("EXISTS_SENSORREPORT_ex:none", "", False),
        ("EXISTS_sensorElementList", "", True),
    ],
)
def test_a_document_answers(fields: dict[str, Any], name: str, value: str, passes: bool) -> None:
    assert judge(fields, name, value) is passes


def test_a_query_is_bounded_in_all_its_parts() -> None:
    """What no database takes is refused by name, not tried."""
    many = [f"urn:epc:id:sgtin:9521000.000001.{number}" for number in range(900)]
    assert len(make_plan({"MATCH_epc": many}, CONTEXT).wanted) == 1
    patterns = [f"urn:epc:idpat:sgtin:95210{number:02}.*.*" for number in range(21)]
    for given in (
        {"MATCH_epc": many, "MATCH_anyEPC": many, "MATCH_parentID": many},
        {"MATCH_epc": patterns},
    ):
        with pytest.raises(Trouble) as refused:
            make_plan(given, CONTEXT)
        assert refused.value.status == 413
        assert refused.value.type == "epcisException:QueryTooComplexException"
    with pytest.raises(Trouble) as refused:
        make_plan({"EQ_stringValue": "a\x00b"}, CONTEXT)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"nonsense": "1"}, 400),
        ({"EQ_ex:": "1"}, 400),
        ({"GE_eventTime": "yesterday"}, 400),
        ({"EQ_action": "EAT"}, 400),
        ({"GE_quantity": "many"}, 400),
        ({"MATCH_epc": "no uri"}, 400),
        ({"MATCH_epc": "urn:epc:id:sgtin:1.2"}, 400),
        ({"MATCH_epc": "urn:epc:idpat:nonsense:*.*"}, 400),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:*.*.*"}, 400),
        ({"MATCH_epc": "https://id.gs1.org/01/09521000000011"}, 400),
        ({"orderBy": "ex:field"}, 400),
        ({"orderBy": "eventTime", "orderDirection": "UP"}, 400),
        ({"eventCountLimit": "5"}, 400),
        ({"maxEventCount": "5", "eventCountLimit": "5", "orderBy": "eventTime"}, 400),
        ({"maxEventCount": "0"}, 400),
        ({"HASATTR_eventTime": "x"}, 400),
        ({"EQ_ATTR_source_http://x": "x"}, 400),
    ],
)
def test_what_is_no_parameter_is_refused_and_never_ignored(
    given: dict[str, Any], status: int
) -> None:
    with pytest.raises(Trouble) as refused:
        make_plan(given, CONTEXT)
    assert refused.value.status == status
    assert refused.value.type.startswith("epcisException:")
