"""The contract takes all of the real documents; together, all but those that contradict others."""

from pathlib import Path

import pytest

from hansa.apps.food_trace.contract.powers import POWERS
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.model import messages as m
from tests.apps.food_trace.documents.epcis_data import FOOD, list_valid
from tests.apps.food_trace.league import APP, League

# After the last of them, which is of July 2026.
NOW_MS = 1_795_000_000_000
# One firm that may do everything, for the documents know nothing of roles.
ROLES = sorted({role for roles in POWERS.values() for role in roles} - {"regulator"})
# The sausages 4012345.077889.25 to .28 come out of the same inputs in three different events, with
# identifiers of their own: GS1's example 9.6.4, its twin with Digital Links, Mimasu's example 4.
SAME_GOODS = {
    "gs1-epcis/json/WithDigitalLinkID_Example_9.6.4-TransformationEventWithDigitalLink.jsonld",
    "gs1-epcis/xml/Mimasu_Example4.xml",
    "openepcis/JSON/Capture/Documents/TransformationEvent_with_digitalLink.json",
    "openepcis/XML/Query/Documents/QueryResultsDocument.xml",
    # 0614141.107346.2018 begins in GS1's event with identical hash and in this one.
    "openepcis/XML/Capture/Events/Namespace_event.xml",
}
# urn:uuid:374d95fc… is the eventID of ObjectEvents and of TransformationEvents with other fields,
# fd338495… of an AssociationEvent with and without sensor data; a hash id was copied with its event
# to one that has other sensor data.
SAME_ID = {
    "gs1-epcis/json/WithFullCombinationOfFields_object_event_all_possible_fields.jsonld",
    "openepcis/JSON/Capture/Documents/AssociationEvent_with_sensorData.json",
    "openepcis/JSON/Capture/Events/TransformationEvent.json",
    "openepcis/JSON/Query/ObjectEventWithAllPossibleFields.json",
    "openepcis/XML/Capture/Documents/AssociationEvent_with_sensorData.xml",
    "openepcis/XML/Capture/Documents/ObjectEvent_all_possible_fields.xml",
    "openepcis/XML/Query/Documents/QueryResultsDocument.xml",
    "openepcis/XML/Query/ObjectEventWithAllPossibleFields.xml",
}


def make_league() -> League:
    return League([(APP, role, "outsider", "CN") for role in ROLES], NOW_MS)


def capture_all(league: League, path: Path) -> list[str]:
    """Capture every event of a file; the codes."""
    events = read_document(path.read_bytes()).events
    return [league.send("outsider", m.CaptureEvent(document=each.document)) for each in events]


@pytest.mark.slow
def test_every_valid_document_is_captured() -> None:
    captured = 0
    for path in list_valid():
        codes = capture_all(make_league(), path)
        assert set(codes) <= {"ok"}, (path, codes)
        captured += len(codes)
    assert captured > 150


@pytest.mark.slow
def test_in_one_league_only_real_contradictions_are_refused() -> None:
    league = make_league()
    refused: dict[str, set[str]] = {}
    for path in list_valid():
        for code in capture_all(league, path):
            if code not in ("ok", "already_captured"):
                refused.setdefault(code, set()).add(path.relative_to(FOOD).as_posix())
    assert refused == {"already_made": SAME_GOODS, "event_changed": SAME_ID}
    assert league.violations() == []
