"""The stateful hunt for I1 … I10: random lives of pigs, cuts, pallets in three jurisdictions.

Every event may be refused; what must never happen is a violation, a fault, or a refusal that is not
declared. Choices are small integers taken modulo what there is, so that every draw means something.
"""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.model import Flag, Item, Recall, Shipment, Stay, Transformation
from hansa.apps.food_trace.model import messages as m
from hansa.ledger.state import scan_records
from tests.apps.food_trace.league import (
    APP,
    CUT,
    GLN,
    HOUR_MS,
    JURISDICTIONS,
    PIG,
    PREFIX,
    SAUSAGE,
    League,
    lot,
    one,
    pallet,
    product_of,
    spell,
)

EVERYONE = tuple(JURISDICTIONS)
PRODUCTS = (PIG, CUT, SAUSAGE)
OBJECTS = tuple(one(product, serial) for product in PRODUCTS for serial in (1, 2))
LOTS = tuple(lot(product, name) for product in PRODUCTS for name in "ab")
PALLETS = (pallet(1), pallet(2))
# Who may usually do it.
DOERS = {
    "shipping": ("farm", "processor", "carrier", "wholesaler", "retailer"),
    "receiving": ("retailer", "wholesaler", "laboratory", "cold_store"),
    "retail_selling": ("retailer", "retailer-mo"),
    "inspecting": ("laboratory", "regulator-hk", "carrier"),
    "killing": ("slaughterhouse", "farm"),
    "void_shipping": ("farm", "processor", "carrier", "wholesaler", "retailer"),
    "storing": ("cold_store", "carrier"),
}
BATCH = {"transformationID": "urn:example:batch-1"}

index = st.integers(0, 31)
picks = st.lists(index, min_size=1, max_size=3, unique=True)
amounts = st.sampled_from((None, 1, 5, 10, 12.5))
# Minutes before the last block, mostly none.
agos = st.sampled_from((0, 0, 0, 1, 30, 90))


class Trails(RuleBasedStateMachine):
    """A few items in everybody's hands. `seen` collects what was reached."""

    seen: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.league = League()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.names = 0
        self.uris = {element_of(uri): uri for uri in OBJECTS + LOTS + PALLETS}

    @initialize(celsius=st.integers(2, 6))
    def begin(self, celsius: int) -> None:
        """Limits for what is sold, and something to work with."""
        self.league.limit(product_of(lot(CUT, "a")), celsius)
        self.league.limit("-", 10)
        self.league.begin("farm", one(PIG, 1), (lot(PIG, "a"), 20))
        self.league.make("slaughterhouse", [(lot(PIG, "a"), 10)], [(lot(CUT, "a"), 10)])
        self.league.pack("carrier", pallet(1), one(CUT, 1), (lot(CUT, "a"), 5))

    # What is captured -------------------------------------------------------------------------

    @rule(what=picks, amount=amounts, who=index, ago=agos)
    def commission(self, what: list[int], amount: Any, who: int, ago: int) -> None:
        """Objects and lots begin; pallets are numbered."""
        named = [(OBJECTS + LOTS + PALLETS)[each % 14] for each in what]
        event = self.league.object(
            with_amounts(named, amount), action="ADD", step="commissioning", at=self.past(ago)
        )
        self.capture(self.doer(("farm", "processor", "slaughterhouse"), who), event)

    @rule(what=picks, amount=amounts, who=index, ago=agos, step=st.sampled_from(sorted(DOERS)),
          disposition=st.sampled_from(("in_transit", "in_transit", "returned")))  # fmt: skip
    def handle(
        self, what: list[int], amount: Any, who: int, ago: int, step: str, disposition: str
    ) -> None:
        """Ship, receive, sell, inspect … whatever comes."""
        named = [(OBJECTS + LOTS + PALLETS)[each % 14] for each in what]
        event = self.league.object(
            with_amounts(named, amount), step=step, disposition=disposition, at=self.past(ago)
        )
        self.capture(self.doer(DOERS[step], who), event)

    @rule(
        what=picks,
        into=index,
        who=index,
        ago=agos,
        action=st.sampled_from(("ADD", "ADD", "DELETE")),
    )
    def pack(self, what: list[int], into: int, who: int, ago: int, action: str) -> None:
        """Into a pallet or out of it; sometimes all of it."""
        named = [(OBJECTS + LOTS + PALLETS)[each % 14] for each in what]
        if action == "DELETE" and into % 3 == 0:
            named = []
        event = self.league.packing(
            PALLETS[into % 2], with_amounts(named, None), action=action, at=self.past(ago)
        )
        self.capture(self.doer(("carrier", "cold_store", "wholesaler"), who), event)

    @rule(inputs=picks, outputs=picks, take=amounts, give=amounts, who=index, shared=index)
    def transform(
        self, inputs: list[int], outputs: list[int], take: Any, give: Any, who: int, shared: int
    ) -> None:
        """One thing of another; sometimes in several events of one transformation."""
        goods = LOTS if who % 2 else OBJECTS + LOTS
        given = with_amounts([goods[each % len(goods)] for each in inputs], take)
        made = with_amounts([goods[each % len(goods)] for each in outputs], give)
        batch = BATCH if shared % 4 == 0 else {}
        event = self.league.making(given, made if shared % 8 else [], **batch)
        self.capture(self.doer(("processor", "slaughterhouse"), who), event)

    @rule(what=picks, amount=amounts, who=index, ago=agos)
    def end(self, what: list[int], amount: Any, who: int, ago: int) -> None:
        """Objects end, lots are used up."""
        named = [(OBJECTS + LOTS)[each % 12] for each in what]
        event = self.league.object(
            with_amounts(named, amount), action="DELETE", step="destroying", at=self.past(ago)
        )
        self.capture(self.doer(("farm", "processor", "cold_store"), who), event)

    @rule(what=picks, celsius=st.sampled_from((1, 4, 9, 12.5)), who=index, ago=agos)
    def measure(self, what: list[int], celsius: float, who: int, ago: int) -> None:
        """A sensor reports."""
        named = [(OBJECTS + LOTS + PALLETS)[each % 14] for each in what]
        at = self.past(ago)
        event = self.league.object(
            with_amounts(named, None), step="sensor_reporting", celsius=celsius, at=at
        )
        if who % 16 == 15:
            event["sensorElementList"][0]["sensorReport"][0]["uom"] = "KGM"
        self.capture(self.doer(("carrier", "wholesaler"), who), event)

    @rule(at=index, ago=agos, first=st.booleans(), turn=st.integers(0, 3), recall=st.booleans())
    def chase(self, at: int, ago: int, first: bool, turn: int, recall: bool) -> None:
        """Something warms up or is recalled; then what it reaches, or what holds it, is shipped."""
        items = [i for i in self.list_records(Item) if i.parent or i.sources or i.stays]
        if not items:
            return
        item = items[at % len(items)]
        around = self.list_around(item)
        other = around[turn % len(around)]
        reached, warm = (other, item.id) if turn == 3 and item.parent else (item.id, other)
        if first:
            self.move(reached)
        if recall:
            self.names += 1
            self.league.recall("regulator-cn", f"recall-{self.names}", self.uris[warm])
        else:
            what = with_amounts([self.uris[warm]], None)
            event = self.league.object(
                what, step="sensor_reporting", celsius=12.5, at=self.past(ago)
            )
            self.capture("carrier", event)
        self.move(reached)

    @rule(at=index, how=index)
    def declare(self, at: int, how: int) -> None:
        """An event that was sent is declared in error, mostly by who captured it."""
        if not self.sent:
            return
        who, event = self.sent[-1 - at % len(self.sent)]
        if how % 8 == 7:
            event = {**event, "disposition": "unknown"}
        self.league.capture(who if how % 8 else EVERYONE[at % len(EVERYONE)],
                            self.league.in_error(event))  # fmt: skip

    @rule(at=index, change=st.booleans())
    def repeat(self, at: int, change: bool) -> None:
        """The same event again, or another with its id."""
        if self.sent:
            who, event = self.sent[at % len(self.sent)]
            self.league.capture(who, {**event, "disposition": "active"} if change else event)

    @rule(fault=st.sampled_from(("digit", "scheme", "spaced", "future", "many", "declared first")))
    def spoil(self, fault: str) -> None:
        """A document with one thing wrong, or out of order."""
        event = self.league.object([one(PIG, 1)])
        if fault == "digit":
            event["epcList"] = ["https://id.gs1.org/01/09506000134353/21/1"]
        if fault == "scheme":
            event["epcList"] = ["urn:epc:id:sgtin:1.2.3"]
        if fault == "future":
            event = self.league.object([one(PIG, 1)], at=self.league.chain.time_ms + HOUR_MS)
        if fault == "spaced":
            self.league.send("farm", m.CaptureEvent(document=spell(event).replace(":", ": ", 1)))
        elif fault == "declared first":
            self.sent.append(("farm", event))
            self.league.declare("farm", event)
        elif fault != "many":
            self.capture("farm", event)

    # What is no event -------------------------------------------------------------------------

    @rule(what=index, who=index, kind=st.sampled_from(("recall", "fail", "pass", "own")))
    def stop(self, what: int, who: int, kind: str) -> None:
        """A recall or a laboratory's result."""
        uri = (OBJECTS + LOTS + PALLETS)[what % 14]
        self.names += who % 4 > 0
        name = f"{kind}-{self.names}"
        if kind in ("fail", "pass"):
            self.league.report("laboratory" if who % 6 else "farm", name, uri, kind)
        else:
            regulator = ("regulator-cn", "regulator-hk")[who % 2]
            self.league.recall("farm" if kind == "own" else regulator, name, uri)

    @rule(at=index, who=index)
    def clear(self, at: int, who: int) -> None:
        """A flag is cleared, mostly where it was raised."""
        flags = self.list_records(Flag)
        if flags:
            flag = flags[at % len(flags)]
            place = flag.jurisdiction.lower() if who % 5 else "mo"
            clear = m.ClearFlag(item=flag.item, number=flag.number, reason="inspected")
            self.league.send(f"regulator-{place}", clear)

    @rule(at=index, who=index, check=st.booleans())
    def release(self, at: int, who: int, check: bool) -> None:
        """An item is released, or its lineage looked through."""
        item = self.list_records(Item)[at % len(self.list_records(Item))].id
        if check:
            self.league.send("outsider" if who % 4 else "citizen", m.CheckLineage(item=item))
        else:
            regulator = ("regulator-cn", "regulator-cn", "regulator-hk")[who % 3]
            self.league.send(regulator, m.ReleaseItem(item=item, reason="reprocessed"))

    @rule(at=index, who=index)
    def close(self, at: int, who: int) -> None:
        """A recall ends."""
        recalls = self.list_records(Recall)
        if recalls:
            recall = recalls[at % len(recalls)]
            place = recall.jurisdiction.lower() if who % 4 else "mo"
            self.league.send(
                f"regulator-{place}", m.CloseRecall(recall=recall.id, outcome="completed")
            )

    @rule(at=index, who=index)
    def miss(self, at: int, who: int) -> None:
        """A shipment is reported missing."""
        shipments = self.list_records(Shipment)
        if shipments:
            shipment = shipments[at % len(shipments)]
            names = {self.league.did(name): name for name in EVERYONE}
            name = names[shipment.member] if who % 4 else EVERYONE[who % len(EVERYONE)]
            self.league.send(name, m.ReportMissing(shipment=shipment.id))

    @rule(what=index, amount=st.integers(1, 40))
    def regulate(self, what: int, amount: int) -> None:
        """Limits, yields, registers."""
        product = product_of(lot(PRODUCTS[amount % 3], "a"))
        site = {"gln": GLN, "name": "Shop", "town": "Macao"}
        owner = self.league.did("farm") if what % 16 == 4 else self.league.did("retailer-mo")
        limits = {"jurisdiction": "CN", "sensor": "Temperature", "uom": "CEL", "scale": 0}
        messages: dict[int, tuple[str, Any]] = {
            0: ("processor", m.DeclareYield(product=product, ppm=amount * 100_000)),
            1: ("slaughterhouse", m.DeclareYield(product=product, ppm=1_000_000)),
            2: ("regulator-cn", m.SetLimits(**limits, product=product, low=None, high=amount % 12)),
            3: ("regulator-cn", m.SetLimits(**limits, product=product, low=5, high=amount % 12)),
            4: ("regulator-mo", m.RegisterSite(**site, member=owner)),
            5: ("regulator-cn", m.RegisterTrader(prefix=PREFIX + "999", member=owner)),
        }
        if what % 32 == 31:
            farm = self.league.did("farm")
            messages[1] = ("regulator-cn", m.RegisterTrader(prefix=PREFIX, member=farm))
        sender, message = messages[what % 6]
        self.league.send(sender, message)

    @rule(hours=st.sampled_from((1, 24, 73)))
    def wait(self, hours: int) -> None:
        """Time passes; shipments are overdue."""
        self.league.pass_time(hours * HOUR_MS)

    # What always holds ------------------------------------------------------------------------

    @invariant()
    def nothing_is_violated(self) -> None:
        """I1 … I10, and what was reached is noted."""
        found = self.league.violations()
        assert found == [], found
        self.seen.update(self.league.codes | self.league.events)
        self.seen.update(self.league.states())

    # How --------------------------------------------------------------------------------------

    def capture(self, who: str, event: dict[str, Any]) -> None:
        """Capture, and remember it if it is on the ledger."""
        if self.league.capture(who, event) == "ok":
            self.sent.append((who, event))

    def move(self, item: str) -> None:
        """Somebody ships an item."""
        what = with_amounts([self.uris[item]], 1)
        self.capture("wholesaler", self.league.object(what, step="shipping"))

    def list_around(self, item: Item) -> list[str]:
        """What an item is or was in, and what it was made of; else itself."""
        state = self.league.chain.state
        found = [stay.parent for stay in scan_records(state, APP, Stay, (item.id,), limit=9)]
        for source in item.sources:
            record = self.league.chain.get(APP, Transformation, source)
            found += [portion.item for portion in record.inputs] if record else []
        return found or [item.id]

    def doer(self, usual: tuple[str, ...], who: int) -> str:
        """Mostly one of the usual ones, sometimes anybody."""
        return EVERYONE[who % len(EVERYONE)] if who % 8 == 7 else usual[who % len(usual)]

    def past(self, minutes: int) -> int:
        """A time so many minutes before the last block."""
        return self.league.chain.time_ms - minutes * 60_000

    def list_records(self, kind: type[Any]) -> list[Any]:
        """All records of a kind."""
        return scan_records(self.league.chain.state, APP, kind, limit=1_000)


def with_amounts(named: list[str], amount: Any) -> list[Any]:
    """Lots with an amount, everything once."""
    return [(each, amount) if each in LOTS else each for each in dict.fromkeys(named)]
