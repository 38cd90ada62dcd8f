"""A league whose members make, move and sell food: the first turns of the demo's model chain."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from hansa.apps.food_trace.documents.json import read_json
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.model import messages as m
from hansa.cli.demo.food.chain import START_MS, FoodChain
from hansa.cli.demo.food.firms import VILLAGE, Firm
from hansa.cli.demo.food.members import build_food_plan
from hansa.cli.demo.food.writing import write_document
from hansa.client.gateway import Gateway
from hansa.client.keys import KeyRing
from hansa.client.transactions import Draft, build_payload, choose_expiry, sign_payload
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from tests.cli.processes import Shell
from tests.console.league import ConsoleLeague

APP = "food_trace"
# All of the first batch's way but its last crates.
EVENTS = 60
# The cold store has named its place so.
ATTACK = "</title><img src=x onerror=alert(1)><script>alert(2)</script>"


class FoodLeague(ConsoleLeague):
    """Its members are firms, authorities and a laboratory; `send` signs as one of them."""

    def __init__(self, url: str, shell: Shell, dids: dict[str, str]) -> None:
        self.url = url
        self.shell = shell
        self.dids = dids
        self.chain = FoodChain()
        self._ring = KeyRing(shell.folder / "keys")

    def send(self, member: str, *messages: Message, app: str = APP) -> str:
        """Send messages in one transaction, all of which have to pass; its id."""
        signer = self.signer(member)
        with Gateway(self.url, signer) as gateway:
            league = gateway.league()
            payload = build_payload(
                chain=league.chain,
                expiry=choose_expiry(league.height),
                drafts=[Draft(app, each) for each in messages],
                signers=[signer.kid],
            )
            identity = gateway.submit(sign_payload(payload, [(signer.kid, signer.private)]))
            status = gateway.wait(identity, 60)
        codes = {each.code for each in status.messages}
        assert codes == {"ok"}, (member, status.messages)
        return identity

    def capture(self, member: str, events: Sequence[dict[str, Any]]) -> None:
        """Capture EPCIS events."""
        read = read_json(msgspec.json.encode(write_document(events, START_MS)))
        assert all(each.is_valid for each in read.events), [e.failures for e in read.events]
        self.send(member, *(m.CaptureEvent(document=each.document) for each in read.events))

    def open(self) -> None:
        """Register places and companies, limit the temperature, and let the chain work."""
        for place, firms in group_by_place(self.chain.firms).items():
            authority = f"food-authority-{place.lower()}"
            registered: list[Message] = [
                m.SetLimits(
                    jurisdiction=place,
                    product="-",
                    sensor="Temperature",
                    uom="CEL",
                    scale=1,
                    low=0,
                    high=70,
                )
            ]
            for firm in firms:
                did = self.dids[firm.name]
                registered.append(m.RegisterTrader(prefix=firm.prefix, member=did))
                registered.append(
                    m.RegisterSite(
                        gln=find_gln(firm),
                        member=did,
                        name=ATTACK if firm.role == "cold_store" else firm.title,
                        town=firm.town,
                    )
                )
            self.send(authority, *registered)
        works = groupby(self.chain.run(EVENTS), key=lambda each: each.firm.name)
        for name, captured in works:
            self.capture(name, [each.event for each in captured])

    def report(self, lot: str, verdict: Any, name: str) -> None:
        """A laboratory's result for a lot."""
        self.send(
            "laboratory",
            m.ReportResult(
                result=name,
                item=element_of(lot),
                test="salmonella",
                verdict=verdict,
                sampled_ms=1_772_400_000_000,
                commitment=encode_base64url(sha256(name.encode())),
            ),
        )

    def recall(self, lot: str, name: str, place: str = "CN") -> None:
        """The food authority of a place recalls a lot."""
        message = m.OpenRecall(recall=name, items=(element_of(lot),), reason="microbiological")
        self.send(f"food-authority-{place.lower()}", message)


def group_by_place(firms: Sequence[Firm]) -> dict[str, list[Firm]]:
    found: dict[str, list[Firm]] = {}
    for firm in firms:
        found.setdefault(firm.jurisdiction, []).append(firm)
    return found


def find_gln(firm: Firm) -> str:
    """The GLN of a firm's site, with its check digit."""
    return element_of(firm.site).split(".")[1]


def write_members(file: Path) -> None:
    """The members file of a league of nothing but food; each has a vote."""
    plan = build_food_plan(VILLAGE)
    file.write_bytes(msgspec.json.encode({"members": plan.members}))


@contextmanager
def run_food_league(folder: Path) -> Iterator[FoodLeague]:
    """A food league in `folder` that has worked a while."""
    outside = Shell(folder / "home", folder)
    write_members(folder / "members.json")
    made = outside.ask("init", "bay", "--members", "members.json")
    dids = {each["name"]: each["did"] for each in made["members"]}
    with outside.started(folder / "bay") as url:
        league = FoodLeague(url, Shell(folder / "home", folder / "bay"), dids)
        league.open()
        yield league
