"""What `hansa demo --network` shows: four validators, one of them killed, invoices that go on.

Each part says what it expects and checks it, as in `story.py`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hansa.cli.answers import format_table
from hansa.cli.demo.papers import BUYER, PARTIES
from hansa.cli.demo.stage import Ran, Stage
from hansa.cli.demo.story import PLENTY, QUOTAS, Story
from hansa.client.faults import ClientError

NETWORK_STEPS: Final = 8
VALIDATORS: Final = 4
# The node that is killed; those through which invoices are issued, before and after.
VICTIM: Final = 3
BEFORE: Final = (2, 3, 4)
AFTER: Final = (4, 1)
COLUMNS: Final = ("node", "member", "state", "height", "peers", "vote", "signed")
WITHIN_S: Final = 120.0
LOOK_S: Final = 0.5
INVOICE: Final = "380"

Survey = dict[str, Any]


class NetworkStory(Story):
    """The story of a league of several nodes; what is issued comes from the same examples."""

    def __init__(self, stage: Stage, papers: list[Path]) -> None:
        super().__init__(stage, papers)
        self._chosen: list[tuple[Path, str]] = []
        self._height = 0

    def make_network(self) -> None:
        """A league whose nodes are run by four of its members."""
        stage = self.stage
        stage.step(f"Make a league of {VALIDATORS} validators, each run by another institution")
        made = self.make("--engine", "comet", "--validators", str(VALIDATORS), "--ports", "any")
        for node in made["nodes"]:
            stage.say(f"node {node['number']}  {node['kind']}  {node['member']}  {node['node']}")

    def start_network(self) -> str:
        """Three nodes together, the fourth by itself; the address of the first once all agree."""
        stage = self.stage
        stage.step("Start it: three nodes together, the fourth alone, as on a machine of its own")
        others = ",".join(str(n) for n in range(1, VALIDATORS + 1) if n != VICTIM)
        together = stage.begin(stage.folder, "--only", others)
        self._victim = stage.begin(self.victim_home)
        url = str(stage.await_ready(together)["url"])
        stage.await_ready(self._victim)
        survey = self.await_survey(lambda s: all(each["state"] == "ok" for each in s["nodes"]))
        self.show(survey)
        states = [each["state"] for each in survey["nodes"]]
        stage.expect(
            states == ["ok"] * VALIDATORS, "all four answer and follow", f"they are: {states}"
        )
        return url

    @property
    def victim_home(self) -> Path:
        """The home of the node that is killed."""
        return self.stage.folder / "nodes" / str(VICTIM)

    def tell_network(self, url: str) -> None:
        """Everything after the start."""
        self.register()
        self.issue_everywhere()
        self.kill_one()
        self.issue_on()
        self.verify_all()
        self.welcome_back(url)

    def register(self) -> None:
        """Taxpayers and quotas, through one node."""
        stage = self.stage
        stage.step("The tax bureau registers taxpayers and grants quotas, through node 1")
        ran = self.send("register-taxpayer", self.list_registrations(), "tax-bureau")
        stage.expect_yes(ran, "the taxpayers are registered")
        quotas = [
            {"seller": self.identifiers[seller], "currency": currency, **PLENTY}
            for seller, currencies in QUOTAS.items()
            for currency in currencies
        ]
        stage.expect_yes(self.send("grant-quota", quotas, "tax-bureau"), "the quotas are granted")

    def issue_everywhere(self) -> None:
        """One invoice through each of three nodes."""
        self.stage.step("Invoices go in through any node; all nodes have all of them")
        for door in BEFORE:
            self.issue_through(door)

    def kill_one(self) -> None:
        """kill -9 of a node's whole process, before one's eyes."""
        stage = self.stage
        stage.step(f"Kill node {VICTIM} as a power cut would, and see the others go on")
        stage.kill(self._victim)
        survey = self.await_survey(
            lambda s: find_node(s, VICTIM)["state"] == "stopped" and bool(s["quorum"]["missing"])
        )
        self._height = survey["height"]
        self.show(survey)
        quorum = survey["quorum"]
        stage.expect(
            len(quorum["missing"]) == 1 and quorum["connected"] >= quorum["needed"],
            f"{quorum['missing'][0] if quorum['missing'] else 'nobody'} is missing; power "
            f"{quorum['connected']} of {quorum['total']} is there, {quorum['needed']} needed",
            f"not as it should be: {quorum}",
        )

    def issue_on(self) -> None:
        """Invoices through the nodes that are left."""
        stage = self.stage
        stage.step("Invoices go on")
        for door in AFTER:
            self.issue_through(door)
        ran = stage.run("status", "--node", str(VICTIM))
        stage.expect(
            ran.exit == 2 and "does not run" in ran.text,
            f"node {VICTIM}, asked for by its number, is named as not running",
            ran.text.strip()[-300:],
        )

    def verify_all(self) -> None:
        """A receipt of an invoice issued while a node was dead, verified without any node."""
        stage = self.stage
        stage.step("Receipts: fetched from any node, verified without one")
        issued = [each for each in self.issued.values() if each["code"] == "ok"]
        for number, each in enumerate((issued[0], issued[-1]), start=1):
            file = stage.folder / f"receipt-{number}.json"
            door = AFTER[number - 1]
            ran = stage.run(
                "receipt", each["transaction"], "--message", str(each["index"]), "-o", file,
                "--node", str(door), "--as", "seller-a",
            )  # fmt: skip
            stage.expect_yes(ran, f"wrote {file.name}, from node {door}")
            ran = stage.run("verify", file.name, "--trust", "genesis.json")
            for step in ran.document[0]["steps"] if isinstance(ran.document, list) else []:
                stage.say(f"  {'✓' if step['ok'] else '✗'} {step['name']}: {step['text']}")
            stage.expect_yes(ran, "the verifier says yes")

    def welcome_back(self, url: str) -> None:
        """The killed node is started again and catches up by itself."""
        stage = self.stage
        stage.step(f"Node {VICTIM} comes back and catches up")
        self._victim = stage.begin(self.victim_home)
        stage.await_ready(self._victim)
        survey = self.await_survey(
            lambda s: (
                find_node(s, VICTIM)["state"] == "ok"
                and find_node(s, VICTIM)["height"] > self._height
                and find_node(s, VICTIM)["lag"] <= 1
            )
        )
        self.show(survey)
        victim = find_node(survey, VICTIM)
        stage.expect(
            victim["state"] == "ok" and victim["height"] > self._height and victim["lag"] <= 1,
            f"node {VICTIM} is at height {victim['height']}, as the others",
            f"node {VICTIM} has not caught up: {victim}",
        )
        each, (_file, seller) = list(self.issued.values())[-1], self.choose()[len(self.issued) - 1]
        ran = stage.run(
            "e-invoice", "show", "invoice", each.get("invoice", "-"), "--node", str(VICTIM),
            "--as", seller,
        )  # fmt: skip
        stage.expect_yes(ran, f"it has invoice {each['number']}, issued while it was dead")
        self.tell_next(url)

    def list_next(self, url: str) -> tuple[str, ...]:
        """Commands to try in the league's folder."""
        return (
            "hansa status",
            "hansa e-invoice totals invoices --by currency --as auditor --node 2",
            "hansa governance propose --help",
            "hansa verify receipt-1.json",
            "hansa doctor .",
            f"curl {url}/v1/network",
        )

    def issue_through(self, door: int) -> Ran:
        """Issue the next example through a node; it has to be taken."""
        stage = self.stage
        file, seller = self.choose()[len(self.issued)]
        ran = stage.run(
            "e-invoice", "issue", file, "--map", self.write("parties.json", PARTIES),
            "--buyer", BUYER, "--as", seller, "--node", str(door), show=False,
        )  # fmt: skip
        stage.say(f"$ hansa e-invoice issue {file.name} --as {seller} --node {door}")
        found = ran.document if isinstance(ran.document, list) and ran.document else [{}]
        each = {"code": "", "number": "", **found[0]}
        self.issued[file.name] = each
        stage.expect(
            ran.exit == 0 and each["code"] == "ok",
            f"invoice {each['number']} of {seller} is issued, through node {door}",
            f"{file.name} through node {door}: exit {ran.exit}: {ran.text.strip()[-300:]}",
        )
        return ran

    def choose(self) -> list[tuple[Path, str]]:
        """Examples and their sellers: invoices in currencies with a quota, no number twice."""
        from hansa.apps.e_invoice.documents.importers import import_document

        if self._chosen:
            return self._chosen
        numbers = set()
        for file in self.papers:
            found = import_document(file.read_bytes())
            seller = PARTIES.get(found.seller.name, "")
            is_fit = found.type_code == INVOICE and found.currency in QUOTAS.get(seller, ())
            if is_fit and (seller, found.number) not in numbers:
                numbers.add((seller, found.number))
                self._chosen.append((file, seller))
        if len(self._chosen) < len(BEFORE) + len(AFTER):
            raise ClientError("there are too few example invoices", "give --examples")
        return self._chosen

    def await_survey(self, holds: Callable[[Survey], bool]) -> Survey:
        """What `hansa status` says as soon as it holds, or when time is up."""
        deadline = time.monotonic() + WITHIN_S
        while True:
            ran = self.stage.run("status", show=False)
            survey = ran.document if isinstance(ran.document, dict) else {}
            if "nodes" not in survey:
                raise ClientError("the league's status cannot be had", ran.text.strip()[-300:])
            is_whole = survey["quorum"] is not None
            if (is_whole and holds(survey)) or time.monotonic() > deadline:
                return survey
            time.sleep(LOOK_S)

    def show(self, survey: Survey) -> None:
        """The table of the nodes."""
        self.stage.say("$ hansa status")
        rows = [
            [
                str(each["number"]), each["member"], each["state"], str(each["height"] or "-"),
                str(each["peers"] or "-"), each["vote"] or "-",
                f"{each['signed']}/{survey['window']}",
            ]
            for each in survey["nodes"]
        ]  # fmt: skip
        for line in format_table(COLUMNS, rows).splitlines():
            self.stage.say(f"  {line}")


def find_node(survey: Survey, number: int) -> dict[str, Any]:
    """One node of a survey."""
    found: dict[str, Any] = next(each for each in survey["nodes"] if each["number"] == number)
    return found
