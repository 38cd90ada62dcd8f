"""`hansa food-trace capture`, `trace`, `recall`, `lineage`, `label` on a running league: each event
once whatever interrupts it, partners hidden and provable, answers for people and machines.
"""

import csv
import itertools
import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.apps.food_trace.identifiers import element_of
from hansa.cli.demo.food.chain import Captured, FoodChain
from hansa.cli.demo.food.firms import VILLAGE
from hansa.cli.demo.food.members import AUTHORITIES, build_food_plan
from hansa.cli.demo.food.writing import write_document
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import decode_base64url
from hansa.vault.commitment import open_commitment
from tests.cli.processes import Shell

pytestmark = pytest.mark.slow
AUTHORITY = AUTHORITIES["CN"][0]
EVENTS = 140


class Village:
    """A running league of the model chain; `shell` stands in its folder."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.food = FoodChain(1, VILLAGE)
        self._files = itertools.count()

    def write(self, captured: Sequence[Captured]) -> Path:
        document = write_document([each.event for each in captured], captured[-1].time_ms)
        file = self.shell.folder / f"events-{next(self._files)}.jsonld"
        file.write_text(json.dumps(document), encoding="utf-8")
        return file

    def commission(self, count: int) -> Path:
        """A file of as many new lots of the farm."""
        farm = self.food.firms_of("farm")[0]
        lots = [self.food._commission(farm, self.food._new_lot(farm, 9, 7)) for _ in range(count)]
        return self.write(lots)

    def capture(self, *words: object, firm: str = "farm-1", expect: int = 0) -> Any:
        return self.shell.ask(
            "food-trace", "capture", *map(str, words), "--as", firm, expect=expect
        )

    def count(self) -> int:
        """Events on the ledger, by its own count."""
        return int(
            self.shell.ask("food-trace", "show", "tally", "league", "--as", "nobody")["events"]
        )

    def ask(self, *words: str, expect: int = 0) -> Any:
        return self.shell.ask("food-trace", *words, "--as", "nobody", expect=expect)


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """All of the chain's first events are captured, each firm its own."""
    base = tmp_path_factory.mktemp("village")
    outside = Shell(base / "home", base)
    (base / "members.json").write_bytes(msgspec.json.encode(build_food_plan(VILLAGE)))
    outside.ask("init", "bay", "--members", "members.json")
    with outside.started(base / "bay"):
        made = Village(Shell(base / "home", base / "bay"))
        captured = list(made.food.run(EVENTS))
        for firm in made.food.firms:  # in the order in which goods go
            own = [each for each in captured if each.firm is firm]
            lines = made.capture(made.write(own), firm=firm.name)
            assert {each["code"] for each in lines[0]["events"]} == {"ok"}
        yield made


def test_the_whole_chain_is_on_the_ledger_and_a_second_time_changes_nothing(
    village: Village,
) -> None:
    before = village.count()
    assert before >= EVENTS
    file = village.commission(3)
    first = village.capture(file)
    assert [each["state"] for each in first[0]["events"]] == ["captured"] * 3
    again = village.capture(file)
    assert [each["again"] for each in again[0]["events"]] == [True] * 3
    for journal in village.shell.folder.parent.glob("home/journals/*/*/capture.journal"):
        journal.unlink()
    without_journal = village.capture(file)
    assert [each["again"] for each in without_journal[0]["events"]] == [True] * 3
    assert village.count() == before + 3


def test_killed_at_any_moment_and_run_again_captures_each_once(village: Village) -> None:
    before = village.count()
    files = [str(village.commission(400)) for _ in range(3)]
    kills = 0
    for moment in (0.3, 0.7, 1.1, 1.5, 2.0):
        process = village.shell.begin("food-trace", "capture", *files, "--as", "farm-1")
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        _out, err = process.communicate(timeout=60)
        assert "Traceback" not in err
    found = village.capture(*files)
    assert kills
    assert {each["state"] for file in found for each in file["events"]} == {"captured"}
    assert village.count() == before + 1_200


def test_control_c_is_130_and_the_next_run_goes_on(village: Village) -> None:
    before = village.count()
    file = village.commission(1_300)
    process = village.shell.begin("food-trace", "capture", file, "--as", "farm-1")
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    done = village.shell.run("food-trace", "capture", file, "--as", "farm-1")
    assert done.exit == 0 and "1300 of 1300 events captured" in done.err
    assert village.count() == before + 1_300


def test_what_is_invalid_or_refused_is_told_and_the_rest_is_captured(village: Village) -> None:
    before = village.count()
    file = village.commission(3)
    document = json.loads(file.read_text())
    document["epcisBody"]["eventList"][1]["eventTime"] = "yesterday"
    file.write_text(json.dumps(document))
    found = village.capture(file, expect=1)[0]
    assert [each["state"] for each in found["events"]] == ["captured", "invalid", "captured"]
    assert found["events"][1]["failures"][0]["path"].endswith("/1/eventTime")
    refused = village.capture(village.commission(2), firm="retailer-1", expect=1)[0]
    assert {each["code"] for each in refused["events"]} == {"food_trace.not_allowed"}
    assert all(each["remedy"] for each in refused["events"])
    assert village.count() == before + 2
    told = village.shell.run("food-trace", "capture", file, "--as", "farm-1")
    assert told.exit == 1 and "eventTime" in told.out


def test_all_of_a_file_or_nothing(village: Village) -> None:
    before = village.count()
    file = village.commission(4)
    document = json.loads(file.read_text())
    events = document["epcisBody"]["eventList"]
    good, events[2]["action"] = events[2]["action"], "EAT"
    file.write_text(json.dumps(document))
    assert village.capture(file, "--atomic", expect=1)[0]["state"] == "invalid"
    assert village.count() == before
    events[2]["action"] = good
    events[3]["eventTime"] = "2099-01-01T00:00:00Z"
    file.write_text(json.dumps(document))
    found = village.capture(file, "--atomic", expect=1)[0]
    assert {each["state"] for each in found["events"]} == {"refused"}
    assert "food_trace.in_the_future" in {each["code"] for each in found["events"]}
    assert village.count() == before
    events[3]["eventTime"] = events[2]["eventTime"]
    file.write_text(json.dumps(document))
    village.capture(file, "--atomic")
    village.capture(file, "--atomic")
    assert village.count() == before + 4
    large = village.capture(village.commission(501), "--atomic", expect=1)[0]
    assert large["failures"][0]["rule"] == "CAPTURE-ATOMIC"


def test_what_is_no_capture_document_is_named(village: Village, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.json"
    garbage.write_bytes(b"{\x00")
    query = tmp_path / "query.json"
    query.write_text(
        json.dumps({"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/query-schema.json"]})
    )
    assert village.capture(tmp_path, expect=2)[0]["state"] == "unreadable"
    assert village.capture(tmp_path / "nowhere", expect=2)[0]["state"] == "unreadable"
    assert village.capture(garbage, expect=1)[0]["state"] == "invalid"
    assert village.capture(query, expect=1)[0]["state"] == "invalid"


def test_hidden_partners_are_opened_by_the_vault_and_the_trail_stays_whole(
    village: Village,
) -> None:
    farm, abattoir = village.food.firms_of("farm")[0], village.food.firms_of("slaughterhouse")[0]
    lot = village.food._new_lot(farm, 9, 7)
    begun = village.food._commission(farm, lot)
    shipped = village.food._ship(farm, abattoir, [(lot.name, 7)])
    file = village.write([begun, shipped])
    found = village.capture(file, "--hide")[0]["events"]
    keys = [each["key"] for each in found]
    assert [each["key"] for each in village.capture(file, "--hide")[0]["events"]] == keys
    capture = village.shell.ask("food-trace", "show", "capture", keys[1], "--as", "farm-1")
    assert abattoir.party not in capture["document"]
    hidden = json.loads(capture["document"])["destinationList"][0]["destination"]
    commitment = hidden.removeprefix("urn:hansa:hidden:")
    assert opens(village, commitment, abattoir.party)
    checked = village.ask("lineage", element_of(lot.name), "--check")["check"]
    assert checked["is_complete"] and checked["steps"] == 2


def opens(village: Village, commitment: str, value: str) -> bool:
    """Whether some entry of the farm's vault is the opening of a commitment."""
    for entry in village.shell.ask("vault", "list", "--as", "farm-1"):
        out = village.shell.folder / "opening.json"
        told = village.shell.ask(
            "vault", "export", entry["entry"], "-o", out, "--force", "--as", "farm-1"
        )
        if told["commitment"] == commitment:
            content = out.read_bytes()
            open_commitment(decode_base64url(commitment), decode_base64url(told["salt"]), content)
            opening = json.loads(content)
            assert content == encode_canonical(opening)
            return bool(opening["value"] == value)
    return False


def test_recall_and_trace_back_answer_strangers(village: Village, tmp_path: Path) -> None:
    spice, (product, inputs) = find_bad(village.food)
    found = village.ask("recall", spice)
    affected = {each["item"] for each in found["recall"]["affected"]}
    assert element_of(product) in affected and found["recall"]["cut"] == ""
    holders = {each["member"] for each in found["recall"]["holdings"]}
    assert holders <= set(found["members"]) and len(holders) > 3
    link = f"https://id.gs1.org/{element_of(product).replace('.', '/')}"
    back = village.ask("trace", link)["trace"]
    assert {element_of(each) for each in inputs} <= {each["item"] for each in back["ancestors"]}
    file = tmp_path / "recall.csv"
    village.ask("recall", spice, "--csv", str(file))
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == len(found["recall"]["holdings"])
    assert {row["item"] for row in rows} == {e["item"] for e in found["recall"]["holdings"]}
    told = village.shell.run("food-trace", "recall", spice, "--as", "nobody")
    assert told.exit == 0 and found["recall"]["digest"] in told.out
    assert village.ask("recall", "01.09521000000018.10.NO", expect=1)["recall"]["holdings"] == []


def find_bad(food: FoodChain) -> tuple[str, tuple[str, tuple[str, ...]]]:
    product, inputs = next(
        (lot, inputs) for lot, inputs in food.made_of.items() if inputs[-1] in food.spices
    )
    return inputs[-1], (product, inputs)


def test_a_recall_that_is_open_shows_on_labels(village: Village) -> None:
    spice, (product, _inputs) = find_bad(village.food)
    assert village.ask("label", product)["label"]["state"] == "clear"
    words = ("--recall", "R-1", "--items", element_of(spice), "--reason", "chemical")
    village.shell.ask("food-trace", "open-recall", *words, "--as", AUTHORITY)
    label = village.ask("label", product)
    assert label["label"]["state"] == "recalled"
    assert label["link"].startswith("https://id.gs1.org/01/")
    by_recall = village.ask("recall", "--recall", "R-1")["recall"]
    assert by_recall["digest"] == village.ask("recall", spice)["recall"]["digest"]
    told = village.shell.run(
        "food-trace", "label", product, "--base", "https://food.example/", "--as", "nobody"
    )
    assert "recalled" in told.out and "https://food.example/id/01/" in told.out


def test_a_lineage_is_a_tree_for_people(village: Village) -> None:
    _spice, (product, inputs) = find_bad(village.food)
    told = village.shell.run("food-trace", "lineage", product, "--check", "--as", "nobody")
    assert told.exit == 0 and "✓ all" in told.out
    assert all(element_of(each) in told.out for each in inputs)
    wrong = village.shell.run("food-trace", "lineage", product, "--up", "-1", "--as", "nobody")
    assert wrong.exit == 2 and "up is a number" in wrong.err
