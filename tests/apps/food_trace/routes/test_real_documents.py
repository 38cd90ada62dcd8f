"""The documents of others through the standard's own door, all into one league.

Invalid ones are refused at once. Of the valid ones, those that contradict another (the same eventID
for another event, the same object made twice) are refused by that rule and by no other.
"""

import httpx
import pytest

from hansa.apps.food_trace.documents.importers import read_document
from tests.apps.food_trace.documents.epcis_data import list_documents, name
from tests.apps.food_trace.routes.serving import wait_job

pytestmark = pytest.mark.slow
CONTRADICTIONS = {"food_trace.event_changed", "food_trace.already_made"}


def test_valid_ones_are_captured_and_invalid_ones_refused(scanner: httpx.Client) -> None:
    taken: list[tuple[str, httpx.Response]] = []
    refused, kinds = 0, set()
    for path in list_documents():
        media = "application/xml" if path.suffix == ".xml" else "application/json"
        data, sent = path.read_bytes(), {"content-type": media}
        answer = scanner.post("/capture", content=data, headers=sent)
        if "Invalid" in path.parts:
            assert answer.status_code == 400, name(path)
            assert answer.json()["rule"] and answer.json()["remedy"], name(path)
            refused += 1
            continue
        kind = read_document(data).kind
        kinds.add(kind)
        if kind == "event":
            one = scanner.post("/events", content=data, headers=sent)
            assert one.status_code == 201 or one.json()["code"] in CONTRADICTIONS, name(path)
        elif kind in ("capture", "query_results"):
            assert answer.status_code == 202, (name(path), answer.text)
            taken.append((name(path), answer))
        else:
            assert answer.status_code == 400, name(path)
            assert answer.json()["code"] == "food_trace.no_capture_document", name(path)
    captured = 0
    for which, answer in taken:
        job = wait_job(scanner, answer)
        codes = {error["code"] for error in job["errors"]}
        assert codes <= CONTRADICTIONS, (which, job["errors"])
        captured += job["success"]
    assert refused >= 15 and captured >= 85
    assert kinds == {"capture", "query_results", "event", "query", "master_data", "capture_job"}
