"""Capture at the standard's door: jobs, behaviours, once only, nothing lost, bad input refused."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.json_writer import write_capture_json
from hansa.apps.food_trace.documents.stored import StoredEvent
from hansa.apps.food_trace.documents.xml_writer import write_capture_xml
from hansa.apps.food_trace.routes.epcis import settling
from hansa.apps.food_trace.routes.epcis.jobs import CHUNK_EVENTS, Store
from tests.apps.food_trace.routes.serving import (
    CONTEXT,
    Served,
    make_document,
    make_event,
    read_events,
    serve,
    wait_job,
)

pytestmark = pytest.mark.slow
PROCEED = {"gs1-capture-error-behaviour": "proceed"}


def uuid(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def count(league: Served) -> int:
    """Transactions of the ledger."""
    first, last = league.node.heights()
    heights = range(max(first, 1), last + 1)
    return sum(len(league.node.block(height).transactions) for height in heights)


def test_a_hundred_events_are_one_transaction_and_one_job(
    league: Served, scanner: httpx.Client
) -> None:
    before = count(league)
    answer = scanner.post("/capture", json=make_document(*map(make_event, range(1000, 1100))))
    assert answer.headers["gs1-epcis-version"] == "2.0.0"
    job = wait_job(scanner, answer)
    assert job["success"] and job["errors"] == [] and job["captureErrorBehaviour"] == "rollback"
    assert job["hansa:events"] == {"given": 100, "captured": 100, "already": 0, "failed": 0}
    assert count(league) == before + 1
    listed = scanner.get("/capture", params={"perPage": 1}).json()
    assert [each["captureID"] for each in listed] == [job["captureID"]]


def test_a_larger_document_is_one_job_of_several_transactions(
    league: Served, scanner: httpx.Client
) -> None:
    before = count(league)
    events = map(make_event, range(2000, 2000 + 2 * CHUNK_EVENTS + 1))
    job = wait_job(scanner, scanner.post("/capture", json=make_document(*events), headers=PROCEED))
    assert job["hansa:events"]["captured"] == 2 * CHUNK_EVENTS + 1
    assert count(league) == before + 3


def test_the_same_document_again_is_done_and_writes_nothing(
    league: Served, scanner: httpx.Client
) -> None:
    document = make_document(*map(make_event, range(3000, 3005)))
    wait_job(scanner, scanner.post("/capture", json=document))
    before = count(league)
    for headers in ({}, PROCEED):
        job = wait_job(scanner, scanner.post("/capture", json=document, headers=headers))
        assert job["success"] and job["hansa:events"]["already"] == 5
    assert count(league) == before


def test_rollback_captures_all_or_nothing(league: Served, scanner: httpx.Client) -> None:
    """The second event commissions what the first did."""
    twice = make_event(3101, epcList=make_event(3100)["epcList"])
    job = wait_job(scanner, scanner.post("/capture", json=make_document(make_event(3100), twice)))
    assert not job["success"] and job["hansa:events"]["captured"] == 0
    (error,) = job["errors"]
    assert error["code"] == "food_trace.already_made" and error["rule"] == "I1"
    assert error["eventID"] == uuid(3101) and error["type"] == "epcisException:ValidationException"
    assert scanner.get(f"/events/{uuid(3100)}").status_code == 404
    job = wait_job(
        scanner,
        scanner.post("/capture", json=make_document(make_event(3100), twice), headers=PROCEED),
    )
    assert not job["success"] and job["hansa:events"]["captured"] == 1
    assert [each["eventID"] for each in job["errors"]] == [uuid(3101)]
    assert scanner.get(f"/events/{uuid(3100)}").status_code == 200


def test_rollback_goes_on_without_what_another_captured_meanwhile(
    league: Served, scanner: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All or nothing means all that is not there yet: the door looked before the other wrote."""
    from hansa.apps.food_trace.routes.epcis import jobs

    wait_job(scanner, scanner.post("/capture", json=make_document(make_event(3200))))
    monkeypatch.setattr(jobs, "find_known", lambda _desk, _documents: set())
    document = make_document(make_event(3200), make_event(3201))
    job = wait_job(scanner, scanner.post("/capture", json=document))
    assert job["success"], job
    assert job["hansa:events"] == {"given": 2, "captured": 1, "already": 1, "failed": 0}


def test_proceed_captures_what_is_valid_and_names_the_rest(scanner: httpx.Client) -> None:
    wrong = make_event(3301, action="EAT")
    document = make_document(make_event(3300), wrong)
    refused = scanner.post("/capture", json=document)
    assert refused.status_code == 400
    assert refused.json()["type"] == "epcisException:ValidationException"
    assert "/epcisBody/eventList/1/action" in refused.json()["detail"]
    job = wait_job(scanner, scanner.post("/capture", json=document, headers=PROCEED))
    assert job["hansa:events"]["captured"] == 1 and job["hansa:events"]["failed"] == 1
    assert job["errors"][0]["status"] == 400


def test_xml_and_json_say_the_same(scanner: httpx.Client) -> None:
    given = json.dumps(make_document(make_event(3400))).encode()
    stored = [StoredEvent(each.document) for each in read_document(given).events]
    as_xml = write_capture_xml(stored, "2026-01-01T00:00:00Z")
    xml = {"content-type": "application/xml"}
    job = wait_job(scanner, scanner.post("/capture", content=as_xml, headers=xml))
    assert job["hansa:events"]["captured"] == 1
    as_json = write_capture_json(stored, "2026-01-01T00:00:00Z")
    ld = {"content-type": "application/ld+json"}
    again = wait_job(scanner, scanner.post("/capture", content=as_json, headers=ld))
    assert again["hansa:events"]["already"] == 1
    path = f"/capture/{job['captureID']}"
    shown = scanner.get(path, headers={"accept": "application/xml"})
    assert shown.headers["content-type"] == "application/xml"
    assert 'success="true"' in shown.text and "<captureErrorBehaviour>rollback<" in shown.text


def test_one_event_is_answered_when_it_is_decided(scanner: httpx.Client) -> None:
    event = {"@context": CONTEXT, **make_event(3500)}
    made = scanner.post("/events", json=event)
    assert made.status_code == 201, made.text
    assert made.json()["eventID"] == uuid(3500)
    found = scanner.get("/events" + made.headers["location"].partition("/events")[2])
    assert [each["eventID"] for each in read_events(found)] == [uuid(3500)]
    assert scanner.post("/events", json=event).status_code == 201
    changed = scanner.post("/events", json={**event, "disposition": "in_progress"})
    assert changed.status_code == 409
    assert changed.json()["type"] == "epcisException:ResourceAlreadyExistsException"
    late = scanner.post("/events", json={**event, "eventID": uuid(3501)})
    assert late.status_code == 400 and late.json()["code"] == "food_trace.already_made"


def test_an_event_without_an_id_gets_its_hash_id(scanner: httpx.Client) -> None:
    made = scanner.post("/events", json={"@context": CONTEXT, **make_event(3550, eventID=None)})
    assert made.json()["eventID"].startswith("ni:///sha-256;")


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "food_trace.invalid_document"),
        (b"{", {}, 400, "food_trace.invalid_document"),
        (b"[]", {}, 400, "food_trace.invalid_document"),
        (b'{"type":"EPCISDocument"}', {}, 400, "food_trace.invalid_document"),
        (b"\xff\xfe\x00", {}, 400, "food_trace.invalid_document"),
        (b"<a", {"content-type": "application/xml"}, 400, "food_trace.invalid_document"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", {"content-type": "text/xml"}, 400, ""),
        (b"<a/>", {}, 415, "food_trace.content_differs"),
        (b"{}", {"content-type": "text/csv"}, 415, "api.wrong_media_type"),
        (b"{}", {"gs1-epcis-version": "1.2"}, 406, "food_trace.not_acceptable"),
        (b"{}", {"accept": "image/png"}, 406, "food_trace.not_acceptable"),
        (b"{}", {"gs1-capture-error-behaviour": "perhaps"}, 400, "food_trace.capture_behaviour"),
        (b"[" * 100_000, {}, 400, "food_trace.invalid_document"),
    ],
)
def test_what_is_no_document_is_refused_at_once(
    scanner: httpx.Client, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    sent = {"content-type": "application/json", **headers}
    answer = scanner.post("/capture", content=body, headers=sent)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["type"].startswith("epcisException:")
    assert problem["remedy"] and (not code or problem["code"] == code)


def test_limits_are_told_and_held(scanner: httpx.Client) -> None:
    told = scanner.options("/capture").headers
    most = int(told["gs1-epcis-capture-limit"])
    tiny = make_event(1, epcList=[])
    for number, headers in ((most + 1, PROCEED), (501, {})):
        answer = scanner.post("/capture", json=make_document(*[tiny] * number), headers=headers)
        assert answer.status_code == 413
        assert answer.json()["type"] == "epcisException:CaptureLimitExceededException"
    size = int(told["gs1-epcis-capture-file-size-limit"])
    answer = scanner.post("/capture", content=b" " * (size + 1), headers=PROCEED)
    assert answer.status_code == 413
    assert answer.json()["type"] == "epcisException:CaptureLimitExceededException"


def test_jobs_are_their_accounts_own(league: Served, scanner: httpx.Client) -> None:
    job = scanner.get("/capture", params={"perPage": 1}).json()[0]["captureID"]
    with league.client(league.sign_in("retailer")) as other:
        assert other.get("/capture").json() == []
        assert other.get(f"/capture/{job}").status_code == 404
    pages, path = [], "/capture?perPage=3"
    while path:
        answer = scanner.get(path)
        pages += [each["captureID"] for each in answer.json()]
        link = answer.headers.get("link", "")
        path = "/capture" + link[link.index("?") : link.index(">")] if link else ""
    assert len(pages) == len(set(pages)) > 3 and pages == sorted(pages)


def test_a_job_survives_the_end_of_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node ends after the job was taken and before anything of it was sent."""
    home = tmp_path / "home"
    with monkeypatch.context() as cut:
        cut.setattr("hansa.node.ledger_node.LedgerNode.submit", _refuse_to_submit)
        with serve(home) as league:
            cut.undo()
            league.make_service_key()
            token = league.issue("scanner")
            cut.setattr("hansa.node.ledger_node.LedgerNode.submit", _refuse_to_submit)
            with league.client(token) as client:
                events = map(make_event, range(1, 121))
                taken = client.post("/capture", json=make_document(*events), headers=PROCEED)
                assert taken.status_code == 202
                path = "/capture/" + taken.headers["location"].rpartition("/")[2]
                assert client.get(path).json()["running"]
    monkeypatch.setattr(settling, "AGAIN_MS", 200)
    with serve(home) as league, league.client(token) as client:
        job = wait_job(client, taken)
        assert job["success"] and job["hansa:events"]["captured"] == 120
        assert Store(_desk(league)).parts("", 10) == []


def _refuse_to_submit(_node: Any, _data: bytes) -> str:
    from hansa.node.faults import PoolFull

    raise PoolFull(1, "test")


def _desk(league: Served) -> Any:
    from hansa.api.desk import OpenDesk

    return OpenDesk(league.app.gate, "food_trace")


def test_a_transaction_that_can_no_longer_enter_is_signed_anew(
    league: Served, scanner: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a long outage: what was signed has expired and is not on the ledger."""
    # The duty may write its own sight of the part at the same moment: then it is tried once more.
    assert any(_sign_anew(league, scanner, monkeypatch, number) for number in range(3600, 3610))


def _sign_anew(
    league: Served, scanner: httpx.Client, monkeypatch: pytest.MonkeyPatch, number: int
) -> bool:
    """Capture an event whose transaction expires on the way; whether that one never entered."""
    account = league.service.account("food_trace").partition("#")[0]
    store = Store(_desk(league))
    with monkeypatch.context() as cut:
        cut.setattr("hansa.node.ledger_node.LedgerNode.submit", _refuse_to_submit)
        taken = scanner.post("/capture", json=make_document(make_event(number)))
        job = store.job(account, taken.headers["location"].rpartition("/")[2])
        assert job is not None
        (part,) = store.parts_of(job)
        part.expiry = -10
        while store.parts_of(job)[0].expiry != -10 and store.parts_of(job)[0].tries == 1:
            store.note(part)
    league.app.gate.wake_duties("food_trace")
    assert wait_job(scanner, taken)["hansa:events"]["captured"] == 1
    return bool(league.node.status(part.transaction).state == "unknown")


def test_revoked_is_revoked_at_once(tmp_path: Path) -> None:
    """A client's token, the key's file, the account on the ledger: each ends it by itself."""
    with serve(tmp_path / "home") as league:
        signer = league.make_service_key()
        reader, first = league.issue("reader", "read"), league.issue("first")
        with league.client(reader) as client:
            assert client.get("/events").status_code == 200
            refused = client.post("/capture", json=make_document(make_event(1)))
            assert refused.status_code == 403
            assert refused.json()["type"] == "epcisException:SecurityException"
        with league.client(first) as client:
            wait_job(client, client.post("/capture", json=make_document(make_event(1))))
            found = league.service.find("first")
            assert found is not None
            league.service.revoke(found)
            gone = client.get("/events")
            assert gone.status_code == 401 and gone.json()["code"] == "api.client_ended"
        second = league.issue("second")
        with league.client(second) as client:
            path = league.service.ring.path("food_trace")
            path.rename(path.with_suffix(".away"))
            assert client.get("/events").status_code == 401
            path.with_suffix(".away").rename(path)
            assert client.get("/events").status_code == 200
            league.close_service_account(signer)
            assert client.get("/events").status_code == 401
            answer = client.post("/capture", json=make_document(make_event(2)))
            assert answer.status_code == 401


def test_a_key_for_another_application_signs_nothing_here(tmp_path: Path) -> None:
    """Its file has the right name; what it may act for stands on the ledger."""
    with serve(tmp_path / "home") as league:
        league.make_service_key(scope="e_invoice")
        with league.client(league.issue("scanner")) as client:
            assert client.get("/events").status_code == 401
        with league.client(league.sign_in("farm")) as client:
            answer = client.post("/capture", json=make_document(make_event(1)))
            assert answer.status_code == 403 and answer.json()["code"] == "food_trace.no_service"


def test_who_may_have_the_service_key_sign(league: Served) -> None:
    """An administrator's session may, others sign with their own keys; tokens open nothing else."""
    document = make_document(make_event(3700))
    for name, status in (("farm", 202), ("retailer", 403), ("citizen", 403), ("regulator", 403)):
        with league.client(league.sign_in(name)) as client:
            assert client.post("/capture", json=document).status_code == status, name
    assert league.client().post("/capture", json=document).status_code == 401
    assert league.client("x" * 40).get("/events").status_code == 401
    token = league.issue("nowhere else")
    with httpx.Client(base_url=league.url, headers={"authorization": f"Bearer {token}"}) as client:
        assert client.get("/v1/apps/food_trace/capture").status_code == 401
    other = league.issue("of another application", application="e_invoice")
    assert league.client(other).get("/events").status_code == 401
    over = league.issue("over", lasts_ms=-1)
    assert league.client(over).get("/events").status_code == 401


def test_events_are_shown_to_whom_they_concern(league: Served, scanner: httpx.Client) -> None:
    wait_job(scanner, scanner.post("/capture", json=make_document(make_event(3800))))
    path = f"/events/{uuid(3800)}"
    for name, status in (("farm", 200), ("regulator", 200), ("retailer", 404), ("outsider", 404)):
        with league.client(league.sign_in(name)) as client:
            assert client.get(path).status_code == status, name
            listed = read_events(client.get("/events", params={"EQ_eventID": uuid(3800)}))
            assert len(listed) == (status == 200)
            known = client.get("/bizSteps").json()["member"]
            assert bool(known) == (status == 200)
            epcs = client.get("/epcs", params={"perPage": 1}).json()["member"]
            assert bool(epcs) == (status == 200)


def test_what_the_ledger_holds_is_the_normal_document(
    league: Served, scanner: httpx.Client
) -> None:
    event = make_event(3900, **{"ex:note": {"ex:deep": 125}})
    body = json.dumps(make_document(event)).replace("125}", "1.50}")
    sent = {"content-type": "application/json"}
    wait_job(scanner, scanner.post("/capture", content=body, headers=sent))
    (shown,) = read_events(scanner.get(f"/events/{uuid(3900)}"))
    name = next(each for each in shown if each.endswith(":note"))
    assert shown[name] == {name.replace("note", "deep"): 1.5}
    assert "1.50" in scanner.get(f"/events/{uuid(3900)}").text


def test_a_broken_notebook_is_a_fault_with_a_cure_and_takes_nothing(tmp_path: Path) -> None:
    with serve(tmp_path / "home") as league:
        league.make_service_key()
        with league.client(league.issue("scanner")) as client:
            league.app.gate.notebooks.close()
            answer = client.post("/capture", json=make_document(make_event(1)))
            assert answer.status_code == 503
            assert answer.json()["type"] == "epcisException:ImplementationException"
