"""The demo's second half: a food chain captured, a warm pallet stopped, a bad lot recalled."""

import json
import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.identifiers import element_of
from hansa.cli.demo.food.chain import FoodChain
from hansa.cli.demo.food.firms import VILLAGE, Firm
from hansa.cli.demo.food.members import AUTHORITIES, LABORATORY, list_members
from hansa.cli.demo.food.writing import (
    Event,
    write_document,
    write_moves,
    write_object,
    write_packing,
    write_temperature,
)
from hansa.cli.demo.story import Story
from hansa.cli.template import BAY, FOOD, LeaguePlan
from hansa.encoding.text import encode_base64url
from hansa.vault.commitment import SALT_BYTES, compute_commitment

FOOD_STEPS: Final = 4
EVENTS: Final = 150
# What a chilled product may have, degrees Celsius.
LOW, HIGH = -2, 6
WARM_TENTHS: Final = 98
RECALL: Final = "R-2026-001"
MINUTE_MS: Final = 60_000
# Far above the numbers that the chain gives its pallets.
PALLET: Final = 900_001


def build_plan() -> LeaguePlan:
    """The usual members, and all who have to do with food instead of those who stand for them."""
    usual = tuple(
        msgspec.structs.replace(
            member, roles=tuple(each for each in member.roles if not each.startswith(f"{FOOD}."))
        )
        for member in BAY.members
    )
    return msgspec.structs.replace(BAY, members=usual + list_members(VILLAGE))


class FoodStory:
    """Told after the invoices, in the same league."""

    def __init__(self, story: Story) -> None:
        self.story, self.stage = story, story.stage
        self.chain = FoodChain()
        self.events = list(self.chain.run(EVENTS))
        self.ends_ms = self.events[-1].time_ms
        # The spice that went into sausages of another maker: what will turn out to be bad.
        self.product = next(lot for lot in self.chain.made_of if ".000004." in lot)
        self.bad = next(lot for lot in self.chain.made_of[self.product] if ".000003." in lot)

    def tell(self) -> None:
        """All of it."""
        self.register()
        self.capture_all()
        self.stop_warm_pallet()
        self.recall_lot()

    def register(self) -> None:
        """Places get names, products get limits."""
        stage = self.stage
        stage.step("Food: three food authorities register places and set the cold chain's limits")
        for place, (authority, _title) in AUTHORITIES.items():
            firms = [firm for firm in self.chain.firms if firm.jurisdiction == place]
            sites = [
                {
                    "gln": element_of(firm.site).split(".")[1],
                    "member": self.story.did(firm.name),
                    "name": firm.title,
                    "town": firm.town,
                }
                for firm in firms
            ]
            limits = {
                "jurisdiction": place, "product": "-", "sensor": "Temperature", "uom": "CEL",
                "scale": 0, "low": LOW, "high": HIGH,
            }  # fmt: skip
            ran = self.send("register-site", sites, authority)
            stage.expect_yes(ran, f"{place}: {len(sites)} places registered")
            ran = self.send("set-limits", [limits], authority)
            stage.expect_yes(ran, f"{place}: {LOW} to {HIGH} °C")

    def capture_all(self) -> None:
        """Each firm captures its own events, as an EPCIS 2.0 document."""
        stage = self.stage
        stage.step(f"{EVENTS} EPCIS events from farm to shop, each firm its own")
        captured = 0
        for firm in self.chain.firms:
            events = [each.event for each in self.events if each.firm == firm]
            if events:
                captured += self.capture(firm, events, f"{firm.name}.jsonld")
        stage.expect(
            captured == EVENTS,
            f"{captured} events captured, {len(self.chain.made_of)} lots made",
            f"{captured} of {EVENTS} events captured",
        )
        ran = stage.run("food-trace", "lineage", self.product, "--as", "retailer-1")
        stage.expect_yes(ran, "the lineage of a product, back to the farms")

    def stop_warm_pallet(self) -> None:
        """A sensor reads too much: the pallet is stopped where it stands."""
        stage = self.stage
        stage.step("Refused: a pallet that became too warm goes no further")
        maker, carrier, market, shop = (
            self.chain.firms_of(role)[0]
            for role in ("processor", "carrier", "wholesaler", "retailer")
        )
        pallet, amount = maker.unit(PALLET), (self.find_product_of(maker), 40)
        packed = write_packing(self.tick(), "ADD", maker.site, pallet, [amount])
        self.capture(maker, [packed, self.ship(maker, market, pallet)], "warm-1.jsonld")
        sensed = write_temperature(self.tick(), WARM_TENTHS)
        reading = self.observe(carrier, "transporting", [pallet], "in_transit", **sensed)
        self.capture(carrier, [reading], "warm-2.jsonld")
        moves = write_moves(maker.party, market.party)
        arrived = self.observe(market, "receiving", [pallet], "in_progress", **moves)
        self.capture(market, [arrived], "warm-3.jsonld")
        ran = self.run_capture(market, [self.ship(market, shop, pallet)], "warm-4.jsonld")
        stage.expect_refused(
            ran, "food_trace.stopped", f"The market ships it on, at {WARM_TENTHS / 10} °C:"
        )

    def recall_lot(self) -> None:
        """A laboratory finds a bad lot: who has what was made of it, in a moment."""
        stage = self.stage
        stage.step("A bad lot of spice: recalled with all that was made of it")
        authority = AUTHORITIES["CN"][0]
        item = element_of(self.bad)
        result = {
            "result": "LAB-2026-001", "item": item, "test": "salmonella", "verdict": "fail",
            "sampled_ms": self.ends_ms, "commitment": self.write_report("LAB-2026-001", item),
        }  # fmt: skip
        ran = self.send("report-result", [result], LABORATORY)
        stage.expect_yes(ran, "the laboratory reports: salmonella")
        shop = self.chain.firms_of("retailer")[0]
        sold = write_object(
            self.tick(), "OBSERVE", "retail_selling", shop.site, [(self.product, 1)],
            disposition="retail_sold",
        )  # fmt: skip
        ran = self.run_capture(shop, [sold], "sale.jsonld")
        stage.expect_refused(
            ran, "food_trace.stopped", "From now on no shop sells what was made of it:"
        )
        opened = {"recall": RECALL, "items": [item], "reason": "microbiological"}
        stage.expect_yes(self.send("open-recall", [opened], authority), f"recall {RECALL} is open")
        ran = stage.run("food-trace", "recall", self.bad, "--as", authority)
        found = ran.document["recall"] if ran.exit == 0 else {"affected": (), "holdings": ()}
        holders = {each["member"] for each in found["holdings"]}
        stage.expect_yes(ran, f"{len(found['affected'])} lots, at {len(holders)} organisations")

    def write_report(self, number: str, item: str) -> str:
        """The laboratory's report, with the salt that opens what the ledger will hold of it."""
        salt = secrets.token_bytes(SALT_BYTES)
        report = json.dumps({"report": number, "item": item, "salmonella": "found in 25 g"})
        file = self.story.work / f"{number}.json"
        file.write_text(report)
        file.with_suffix(".salt").write_text(encode_base64url(salt))
        return encode_base64url(compute_commitment(report.encode(), salt))

    def list_pages(self, url: str) -> tuple[tuple[str, str], ...]:
        """What is worth looking at in the console: address and words."""
        link = element_of(self.product).split(".")
        label = f"{url}/id/01/{link[1]}/10/{link[3]}"
        return ((label, "what a customer's phone shows of a recalled product"),)

    def find_product_of(self, maker: Firm) -> str:
        """A lot that a firm made, not the one that will be recalled."""
        found = [lot for lot in self.chain.made_of if f":{maker.prefix}.000004." in lot]
        return next(lot for lot in found if self.bad not in self.chain.made_of[lot])

    def ship(self, sender: Firm, receiver: Firm, unit: str) -> Event:
        """A unit leaves."""
        moves = write_moves(sender.party, receiver.party)
        return self.observe(sender, "shipping", [unit], "in_transit", **moves)

    def observe(
        self, firm: Firm, step: str, units: Sequence[str], disposition: str, **fields: object
    ) -> Event:
        """Units are seen at a firm's site."""
        return write_object(
            self.tick(), "OBSERVE", step, firm.site, units, disposition=disposition, **fields
        )

    def tick(self) -> int:
        """A minute later."""
        self.ends_ms += MINUTE_MS
        return self.ends_ms

    def capture(self, firm: Firm, events: Sequence[Event], name: str) -> int:
        """Capture a document of a firm, which the ledger takes whole; how many events."""
        ran = self.run_capture(firm, events, name)
        self.stage.expect_yes(ran, f"{firm.title}: {len(events)} events")
        return len(events) if ran.exit == 0 else 0

    def run_capture(self, firm: Firm, events: Sequence[Event], name: str) -> Any:
        """The command, on a file that stays for reading."""
        path = self.story.work / name
        document = write_document(events, self.ends_ms)
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
        return self.stage.run("food-trace", "capture", path, "--as", firm.name)

    def send(self, message: str, bodies: list[dict[str, Any]], signer: str) -> Any:
        """Messages of food_trace, all or none."""
        return self.story.send(message, bodies, signer, application="food-trace")
