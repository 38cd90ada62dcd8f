"""A league in memory for the tests of food_trace: three jurisdictions, short ways to say events.

Events are written as normal documents by hand: what the importers write is their own tests' matter.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hansa.apps.food_trace import APPLICATION
from hansa.apps.food_trace.event import event_key
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.invariants import find_violations
from hansa.apps.food_trace.model import Flag, Item, Shipment, Step
from hansa.apps.food_trace.model import messages as m
from hansa.apps.food_trace.model.registers import Recall
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.ledger.state import scan_records
from hansa.testing.chain import START_MS, Actor
from tests.apps.stage import Grant, Stage, build_genesis

APP = "food_trace"
# Actor: its jurisdiction and its role of the same name without what follows the dash.
JURISDICTIONS = {
    "regulator-cn": "CN",
    "regulator-hk": "HK",
    "regulator-mo": "MO",
    "farm": "CN",
    "slaughterhouse": "CN",
    "processor": "CN",
    "processor-hk": "HK",
    "carrier": "CN",
    "cold_store": "HK",
    "wholesaler": "CN",
    "retailer": "HK",
    "retailer-mo": "MO",
    "laboratory": "CN",
    "outsider": "CN",
}
HOUR_MS = 3_600_000
PREFIX = "9521000"
# GTINs of the company prefix: pigs, carcasses, cuts, sausages, cartons.
PIG, CARCASS, CUT, SAUSAGE, CARTON = range(1, 6)
SITE = "urn:epc:id:sgln:9521000.00001.0"
GLN = "9521000000018"


class League(Stage):
    """Every capture is one block; an event's time is that of the last block unless it is given."""

    APPLICATION = APPLICATION

    def __init__(self, more: Sequence[Grant] = (), time_ms: int = START_MS) -> None:
        actors = {name: Actor(name) for name in (*JURISDICTIONS, "citizen")}
        genesis = build_genesis(
            actors,
            JURISDICTIONS,
            [*list_grants(), *more],
            voter="outsider",
            sponsors={"citizen": "farm"},
        )
        super().__init__(actors, genesis, time_ms)
        self.count = 0

    def write(self, kind: str, **fields: Any) -> dict[str, Any]:
        """An event of this type; `at`: its time in ms of the chain's clock, else the last block."""
        self.count += 1
        at = fields.pop("at", None)
        event = {
            "type": kind,
            "eventID": f"urn:uuid:00000000-0000-4000-8000-{self.count:012d}",
            "eventTime": format_time(self.chain.time_ms if at is None else at),
            "eventTimeZoneOffset": "+08:00",
            "bizStep": fields.pop("step", "other"),
            "readPoint": {"id": SITE},
        }
        if kind != "TransformationEvent":
            event["action"] = fields.pop("action", "OBSERVE")
        warm = fields.pop("celsius", None)
        if warm is not None:
            report = {"type": "Temperature", "uom": "CEL", "value": warm}
            event["sensorElementList"] = [{"sensorReport": [report]}]
        event.update({name: value for name, value in fields.items() if value})
        return event

    def capture(self, sender: str, event: dict[str, Any]) -> str:
        """Capture an event; the code."""
        return self.send(sender, m.CaptureEvent(document=spell(event)))

    def done(self, sender: str, event: dict[str, Any]) -> dict[str, Any]:
        """Capture an event that has to be accepted; the event."""
        code = self.capture(sender, event)
        assert code == "ok", (code, self.params, event)
        return event

    # -- short ways to say what happens --------------------------------------------------------

    def object(self, what: list[Any], **fields: Any) -> dict[str, Any]:
        """An ObjectEvent of EPCs (texts) and quantities (tuples)."""
        epcs, quantities = split(what)
        return self.write("ObjectEvent", epcList=epcs, quantityList=quantities, **fields)

    def begin(self, who: str, *what: Any, **fields: Any) -> dict[str, Any]:
        """Commission; it has to be accepted."""
        fields = {"step": "commissioning", **fields}
        return self.done(who, self.object(list(what), action="ADD", **fields))

    def observe(self, who: str, *what: Any, **fields: Any) -> dict[str, Any]:
        """Observe; it has to be accepted."""
        return self.done(who, self.object(list(what), **fields))

    def pack(self, who: str, parent: str, *what: Any, **fields: Any) -> dict[str, Any]:
        """Put into a parent; it has to be accepted."""
        return self.done(who, self.packing(parent, list(what), **fields))

    def packing(self, parent: str, what: list[Any], **fields: Any) -> dict[str, Any]:
        """An AggregationEvent, ADD unless said otherwise."""
        epcs, quantities = split(what)
        fields = {"step": "packing", "action": "ADD", **fields}
        return self.write(
            "AggregationEvent",
            parentID=parent,
            childEPCs=epcs,
            childQuantityList=quantities,
            **fields,
        )

    def making(self, inputs: list[Any], outputs: list[Any], **fields: Any) -> dict[str, Any]:
        """A TransformationEvent."""
        (in_epcs, in_quantities), (out_epcs, out_quantities) = split(inputs), split(outputs)
        return self.write(
            "TransformationEvent",
            inputEPCList=in_epcs,
            inputQuantityList=in_quantities,
            outputEPCList=out_epcs,
            outputQuantityList=out_quantities,
            **{"step": "creating_class_instance", **fields},
        )

    def make(
        self, who: str, inputs: list[Any], outputs: list[Any], **fields: Any
    ) -> dict[str, Any]:
        """Transform; it has to be accepted."""
        return self.done(who, self.making(inputs, outputs, **fields))

    def ship(self, who: str, *what: Any, **fields: Any) -> str:
        """Ship; the code."""
        fields = {"step": "shipping", "disposition": "in_transit", **fields}
        return self.capture(who, self.object(list(what), **fields))

    def receive(self, who: str, *what: Any, **fields: Any) -> dict[str, Any]:
        """Receive; it has to be accepted."""
        return self.observe(who, *what, **{"step": "receiving", **fields})

    def declare(self, who: str, event: dict[str, Any], reason: str = "incorrect_data") -> str:
        """Declare an event in error; the code."""
        return self.capture(who, self.in_error(event, reason))

    def in_error(self, event: dict[str, Any], reason: str = "incorrect_data") -> dict[str, Any]:
        """The event as its own error declaration."""
        declared = format_time(self.chain.time_ms)
        return {**event, "errorDeclaration": {"declarationTime": declared, "reason": reason}}

    def limit(self, product: str, high: int, low: int | None = None, place: str = "CN") -> None:
        """The regulator of a place limits the temperature of a product, whole degrees Celsius."""
        self.must(
            f"regulator-{place.lower()}",
            m.SetLimits(
                jurisdiction=place,
                product=product,
                sensor="Temperature",
                uom="CEL",
                scale=0,
                low=low,
                high=high,
            ),
        )

    def recall(self, who: str, name: str, *uris: str) -> str:
        """Open a recall; the code."""
        items = tuple(element_of(uri) for uri in uris)
        return self.send(who, m.OpenRecall(recall=name, items=items, reason="microbiological"))

    def report(self, who: str, name: str, uri: str, verdict: Any = "fail") -> str:
        """A laboratory's result; the code."""
        return self.send(
            who,
            m.ReportResult(
                result=name,
                item=element_of(uri),
                test="salmonella",
                verdict=verdict,
                sampled_ms=self.chain.time_ms,
                commitment=encode_base64url(sha256(name.encode())),
            ),
        )

    def clear(self, who: str, uri: str, number: int = 0) -> str:
        """Clear a flag of an item, the last one unless it is said which; the code."""
        item = self.item(uri)
        which = number or (item.flags[-1] if item.flags else 1)
        return self.send(who, m.ClearFlag(item=item.id, number=which, reason="inspected"))

    def release(self, who: str, uri: str) -> str:
        """Release an item; the code."""
        return self.send(who, m.ReleaseItem(item=element_of(uri), reason="reprocessed"))

    # -- what is there -------------------------------------------------------------------------

    def item(self, uri: str) -> Item:
        """The record of an item."""
        found = self.chain.get(APP, Item, element_of(uri))
        assert found is not None
        return found

    def step_of(self, event: dict[str, Any]) -> Step:
        """The public trail of an event."""
        found = self.chain.get(APP, Step, event_key(event["eventID"]))
        assert found is not None
        return found

    def shipment(self, event: dict[str, Any]) -> Shipment:
        """The shipment that an event began."""
        found = self.chain.get(APP, Shipment, event_key(event["eventID"]))
        assert found is not None
        return found

    def states(self) -> set[str]:
        """States of shipments, recalls and flags, and what items are in."""
        state = self.chain.state
        found = {each.status for each in scan_records(state, APP, Shipment, limit=1_000)}
        found |= {each.status for each in scan_records(state, APP, Recall, limit=1_000)}
        for flag in scan_records(state, APP, Flag, limit=1_000):
            found |= {flag.kind, "FLAG_CLOSED" if flag.closed else "FLAG_OPEN"}
        for step in scan_records(state, APP, Step, limit=1_000):
            found |= {"WITHDRAWN_EVENT"} if step.withdrawn else set()
        for item in scan_records(state, APP, Item, limit=1_000):
            found.add("COMMISSIONED" if item.commissioned else "OUTSIDE")
            found |= {"ENDED"} if item.ended else set()
            found |= {"PACKED"} if item.parent else set()
            found |= {"CLEARED"} if item.cleared else set()
        return found

    def violations(self) -> list[str]:
        """What the invariants find now, with one replay."""
        return find_violations(self.chain.state)


def list_grants() -> list[Grant]:
    """Each actor has the role that its name says, where it is."""
    return [
        (APP, name.partition("-")[0], name, place)
        for name, place in JURISDICTIONS.items()
        if name != "outsider"
    ]


def spell(event: dict[str, Any]) -> str:
    """The normal document of an event."""
    return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def format_time(time_ms: int) -> str:
    """RFC 3339 in UTC."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def split(what: list[Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """EPCs, and quantities: (class, amount or None[, unit, KGM if there is none])."""
    quantities = []
    for each in what:
        if isinstance(each, tuple):
            quantity: dict[str, Any] = {"epcClass": each[0]}
            if each[1] is not None:
                quantity["quantity"] = each[1]
            unit = each[2] if len(each) > 2 else "KGM"
            if unit and each[1] is not None:
                quantity["uom"] = unit
            quantities.append(quantity)
    return [each for each in what if isinstance(each, str)], quantities


def one(product: int, serial: int | str) -> str:
    """One object of a product."""
    return f"urn:epc:id:sgtin:{PREFIX}.{product:06d}.{serial}"


def lot(product: int, name: int | str) -> str:
    """A lot of a product."""
    return f"urn:epc:class:lgtin:{PREFIX}.{product:06d}.{name}"


def kind(product: int) -> str:
    """A product without a lot."""
    return f"urn:epc:idpat:sgtin:{PREFIX}.{product:06d}.*"


def pallet(number: int) -> str:
    """A logistic unit."""
    return f"urn:epc:id:sscc:{PREFIX}.{number:010d}"


def product_of(uri: str) -> str:
    """`01.<gtin>` of an item."""
    return element_of(uri)[:17]
