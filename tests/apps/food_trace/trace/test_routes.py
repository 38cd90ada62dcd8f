"""`GET /food-trace/trace/…`: answers with names, private readings, and questions that are amiss."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.model import messages as m
from hansa.cli.demo.food.writing import (
    write_making,
    write_normal,
    write_object,
    write_packing,
    write_temperature,
)
from tests.apps.food_trace.routes.serving import APP, Served, serve

pytestmark = pytest.mark.slow
SITE = "urn:epc:id:sgln:9521000.00001.0"
PLACE, GLN = "414.9521000000018", "9521000000018"
PIGS = "urn:epc:class:lgtin:9521000.000001.PIGS"
HAM = "urn:epc:class:lgtin:9521000.000002.HAM"
ODD = "urn:epc:class:lgtin:9521000.000002.A%2F1"
CRATE = "urn:epc:id:sscc:9521000.0000000001"


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Pigs, hams of them, a warm crate."""
    with serve(Path(tmp_path_factory.mktemp("trace")) / "home") as running:
        began = int(time.time() * 1000) - 10_000_000
        warm = write_temperature(began + 4_000, 98)
        events = [
            write_object(began, "ADD", "commissioning", SITE, [(PIGS, 100)]),
            write_making(began + 1_000, SITE, [(PIGS, 60)], [(HAM, 30), (ODD, 20)]),
            write_packing(began + 2_000, "ADD", SITE, CRATE, [(HAM, 10)]),
            write_object(began + 3_000, "OBSERVE", "shipping", SITE, [CRATE]),
            write_object(began + 4_000, "OBSERVE", "storing", SITE, [CRATE], **warm),
        ]
        site = m.RegisterSite(
            gln=GLN, member=running.actors["farm"].did, name="<b>農場</b>", town="廣州"
        )
        limits = m.SetLimits(
            jurisdiction="CN", product="-", sensor="Temperature", uom="CEL", scale=0, low=0, high=4
        )
        for message in (site, limits):
            assert running.commit("regulator", APP, message) == "ok"
        for event in events:
            capture = m.CaptureEvent(document=write_normal(event))
            assert running.commit("farm", APP, capture) == "ok"
        yield running


def ask(league: Served, path: str, who: str = "", status: int = 200, **query: Any) -> Any:
    headers = {"authorization": f"Bearer {league.sign_in(who)}"} if who else {}
    with httpx.Client(base_url=f"{league.url}/food-trace/trace", headers=headers) as client:
        answer = client.get(path, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_an_answer_names_members_and_places(league: Served) -> None:
    found = ask(league, "/recall", item=PIGS)
    assert {each["item"] for each in found["recall"]["affected"]} == {
        element_of(each) for each in (PIGS, HAM, ODD)
    }
    inside = [each for each in found["recall"]["holdings"] if each["status"] == "inside"]
    assert [each["item"] for each in inside] == [element_of(CRATE)]
    assert found["members"][league.actors["farm"].did]["name"] == "farm"
    assert found["places"][PLACE]["name"] == "<b>農場</b>"


def test_every_way_to_write_an_item_gives_one_answer(league: Served) -> None:
    element = element_of(ODD)
    digests = {
        ask(league, "/back", item=name)["trace"]["digest"]
        for name in (ODD, element, "https://x.example/01/09521000000025/10/A%2F1")
    }
    assert len(digests) == 1
    labels = [
        ask(league, f"/label/{path}")["label"]["item"]
        for path in ("01/09521000000025/10/A%2F1", element, quote(ODD, safe=""), quote(ODD))
    ]
    assert set(labels) == {element}


def test_readings_are_for_who_may_read_the_event_and_limits_for_all(league: Served) -> None:
    stranger = ask(league, "/readings", item=HAM)["readings"]
    assert stranger["readings"] == [] and stranger["limits"][0]["high"] == 4
    own = ask(league, "/readings", "farm", item=HAM)["readings"]["readings"]
    assert [(each["value"], each["scale"], each["item"]) for each in own] == [
        (98, 1, element_of(CRATE))
    ]
    assert ask(league, "/readings", "outsider", item=HAM)["readings"]["readings"] == []
    assert ask(league, "/readings", "regulator", item=HAM)["readings"]["readings"] == own
    assert ask(league, "/readings", "farm", item=ODD)["readings"]["readings"] == []


def test_what_was_too_warm_is_stopped_on_the_label(league: Served) -> None:
    ham = ask(league, f"/label/{element_of(HAM)}")
    assert ham["label"]["state"] == "stopped"
    assert [each["kind"] for each in ham["label"]["notices"]] == ["cold_chain"]
    assert ham["link"] == "https://id.gs1.org/01/09521000000025/10/HAM"
    assert ask(league, f"/label/{element_of(ODD)}")["label"]["state"] == "clear"
    assert ask(league, "/label/01.09521000000018.10.NO")["label"]["state"] == "unknown"


def test_a_trail_is_told_with_its_check(league: Served) -> None:
    trail = ask(league, "/trail", item=CRATE)
    assert trail["check"]["is_complete"] and len(trail["steps"]) == 3
    numbers = [each["number"] for each in trail["steps"]]
    assert numbers == sorted(numbers) and trail["item"]["head"] == trail["check"]["head"]
    ask(league, "/trail", status=404, item="01.09521000000018.10.NO")


def test_a_trail_comes_in_pages_from_its_end(league: Served) -> None:
    """Each page reads its own steps alone; together they are the trail, in the same order."""
    whole = ask(league, "/trail", item=CRATE)
    assert (whole["next"], whole["cut"]) == (0, "")
    steps: list[Any] = []
    before = None
    for expected in (1, 1, 1):
        page = ask(league, "/trail", item=CRATE, limit=1, **({"before": before} if before else {}))
        assert len(page["steps"]) == expected and page["cut"] == "steps"
        assert not page["check"]["is_complete"]
        steps = [*page["steps"], *steps]
        before = page["next"]
    assert before == 0 and steps == whole["steps"]
    ask(league, "/trail", status=400, item=CRATE, limit=2_001)
    ask(league, "/trail", status=400, item=CRATE, before="x")
    assert len(ask(league, "/trail", item=CRATE, limit=0)["steps"]) == 1


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/recall", {}, 400),
        ("/recall", {"item": ""}, 400),
        ("/recall", {"item": "a b"}, 400),
        ("/recall", {"item": "<script>alert(1)</script>"}, 400),
        ("/recall", {"item": ["x"] * 101}, 400),
        ("/recall", {"item": PIGS, "limit": "100001"}, 400),
        ("/recall", {"item": PIGS, "limit": "١"}, 400),
        ("/recall", {"item": PIGS, "limit": "-1"}, 400),
        ("/recall", {"recall": "none"}, 404),
        ("/recall", {"recall": "../../x"}, 404),
        ("/back", {"item": "https://id.gs1.org/01/09521000000019/10/A"}, 400),
        ("/back", {"item": "urn:epc:id:sgtin:1.2"}, 400),
        ("/lineage", {"item": [PIGS, HAM]}, 400),
        ("/lineage", {"item": PIGS, "up": "51"}, 400),
        ("/lineage", {"item": PIGS, "down": "1e3"}, 400),
        ("/label/%00", {}, 400),
        ("/label/..%2f..%2fetc", {}, 400),
        ("/label/" + "9" * 200, {}, 400),
        ("/label/", {}, 400),
        ("/nothing", {}, 404),
    ],
)
def test_a_question_amiss_is_a_problem_with_a_remedy(
    league: Served, path: str, query: dict[str, Any], status: int
) -> None:
    problem = ask(league, path, status=status, **query)
    assert problem["code"] and problem["remedy"] and problem["status"] == status


def test_a_recall_that_is_cut_says_so(league: Served) -> None:
    assert ask(league, "/recall", item=PIGS, limit="2")["recall"]["cut"] == "items"
    graph = ask(league, "/lineage", item=PIGS, up="1", down="1")["lineage"]
    assert graph["cut"] == "" and {each["kind"] for each in graph["nodes"]} == {"item", "making"}
