"""Records to rows: events as EPCIS asks for them, the trail, links for closures, items. Pure.

Captures, shipments and what is in them are for their parties; the rest is public. Only columns by
which one asks or lists have an index: rows are many.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from hansa.appkit.application import Column, Row, Table
from hansa.apps.food_trace.event import FoodEvent, Number, Reading, read_event
from hansa.apps.food_trace.identifiers import split_element
from hansa.apps.food_trace.model import (
    Capture,
    Flag,
    Item,
    LabResult,
    Limits,
    Recall,
    Shipment,
    Site,
    Stay,
    Step,
    Trader,
    Transformation,
    Yield,
)

# A transformation stands between items in the links under this mark and its record's id, so that m
# inputs and n outputs are m + n links. No element form begins with it.
MAKING: Final = "="
_CELL_MAX: Final = 2**63 - 1


@lru_cache(maxsize=4)
def _read(document: str) -> FoodEvent:
    """The event of a capture: several tables ask for it one after the other."""
    return read_event(document)


def project_capture(capture: Capture) -> Row:
    """One row per captured event."""
    event = _read(capture.document)
    return {
        "event": event.id,
        "type": event.type,
        "action": event.action,
        "biz_step": event.biz_step,
        "disposition": event.disposition,
        "read_point": event.read_point,
        "biz_location": event.biz_location,
        "transformation": event.transformation,
        "member": capture.member,
        "declares": event.key if event.error else "",
        "number": capture.number,
        "height": capture.height,
        "time_ms": event.time_ms,
        "recorded_ms": capture.recorded_ms,
        "declared_ms": event.error.time_ms if event.error else None,
    }


def list_event_terms(capture: Capture) -> list[Row]:
    """One row per source, destination, business transaction, persistent disposition of an event."""
    event = _read(capture.document)
    parties = (
        ("source", event.sources),
        ("destination", event.destinations),
        ("transaction", event.transactions),
    )
    rows: list[Row] = [
        {"term": term, "type": each.type, "value": each.value}
        for term, found in parties
        for each in found
    ]
    states = (("set", event.persistent_set), ("unset", event.persistent_unset))
    rows += [{"term": term, "type": "", "value": each} for term, found in states for each in found]
    if event.error:
        rows.append({"term": "reason", "type": "", "value": event.error.reason})
        rows += [{"term": "corrective", "type": "", "value": e} for e in event.error.corrective]
    return rows


def list_readings(capture: Capture) -> list[Row]:
    """One row per sensor report; its amounts / 10**scale."""
    return [_project_reading(each) for each in _read(capture.document).readings]


def _project_reading(reading: Reading) -> Row:
    numbers = {
        "value": reading.value,
        "least": reading.min,
        "greatest": reading.max,
        "mean": reading.mean,
    }
    scale = max((each[1] for each in numbers.values() if each), default=0)
    amounts = {name: _rescale(each, scale) for name, each in numbers.items()}
    return {
        "type": reading.type,
        "uom": reading.uom,
        "component": reading.component,
        "device": reading.device,
        "time_ms": reading.time_ms,
        "scale": scale,
        **amounts,
    }


def _rescale(number: Number | None, scale: int) -> int | None:
    """The amount at a greater scale; None where no database holds it."""
    if number is None:
        return None
    amount = number[0] * 10 ** (scale - number[1])
    return amount if -_CELL_MAX <= amount <= _CELL_MAX else None


def list_step_items(step: Step) -> list[Row]:
    """One row per item of an event and its role there: epc, parent, child, input or output."""
    return [
        {
            "item": item,
            "role": role,
            "level": find_level(item),
            "member": step.member,
            "place": step.place,
            "biz_step": step.biz_step,
            "number": step.number,
            "time_ms": step.time_ms,
        }
        for role, item in _list_roles(step)
    ]


def _list_roles(step: Step) -> Iterator[tuple[str, str]]:
    """(role, item), each once."""
    yield from (("epc", each) for each in step.items)
    if step.parent:
        yield "parent", step.parent
    for role, items in (("child", step.children), ("input", step.inputs), ("output", step.outputs)):
        yield from ((role, each) for each in items)


@lru_cache(maxsize=4_096)
def find_level(item: str) -> str:
    """instance, lot or class by the form of an identifier; "" for what is no GS1 key."""
    ais = [ai for ai, _value in split_element(item)]
    if not ais:
        return ""
    if "10" in ais[1:]:
        return "lot"
    return "class" if ais == ["01"] else "instance"


def list_links(made: Transformation) -> list[Row]:
    """One row per input, to the transformation, and per output, from it."""
    node = MAKING + made.id
    inputs = dict.fromkeys(each.item for each in made.inputs)
    outputs = dict.fromkeys(each.item for each in made.outputs)
    into: list[Row] = [{"source": item, "target": node} for item in inputs]
    out: list[Row] = [{"source": node, "target": item} for item in outputs]
    return into + out


def project_stay(stay: Stay) -> Row:
    """One row per item and what it is, or was, in."""
    return {
        "source": stay.parent,
        "target": stay.item,
        "since_ms": stay.since_ms,
        "until_ms": stay.until_ms,
    }


def project_item(item: Item) -> Row:
    """One row per object, lot or class."""
    return {
        "id": item.id,
        "level": item.level,
        "product": item.product,
        "disposition": item.disposition,
        "place": item.place,
        "member": item.member,
        "parent": item.parent,
        "made_by": item.made_by,
        "made_at": item.made_at,
        "commissioned": item.commissioned,
        "ended": item.ended,
        "accounts": " ".join(
            f"{each.made}/{each.used}e-{each.scale}{each.uom}" for each in item.accounts
        ),
        "made_ms": item.made_ms or None,
        "ended_ms": item.ended_ms or None,
        "seen_ms": item.seen_ms or None,
        "flags": len(item.flags),
        "cleared": item.cleared,
        "steps": item.steps,
    }


def project_flag(flag: Flag) -> Row:
    """One row per flag, also closed ones."""
    return {
        "item": flag.item,
        "kind": flag.kind,
        "status": "CLOSED" if flag.closed else "OPEN",
        "source": flag.source,
        "product": flag.product,
        "jurisdiction": flag.jurisdiction,
        "reason": flag.reason,
        "number": flag.number,
        "since_ms": flag.since_ms,
        "until_ms": flag.until_ms,
        "opened_ms": flag.opened_ms,
        "closed_ms": flag.closed_ms or None,
    }


def project_recall(recall: Recall) -> Row:
    """One row per recall."""
    return {
        "id": recall.id,
        "status": recall.status,
        "reason": recall.reason,
        "outcome": recall.outcome,
        "member": recall.member,
        "jurisdiction": recall.jurisdiction,
        "items": " ".join(recall.items),
        "count": len(recall.items),
        "opened_ms": recall.opened_ms,
        "closed_ms": recall.closed_ms or None,
    }


def project_shipment(shipment: Shipment) -> Row:
    """One row per shipment."""
    return {
        "id": shipment.id,
        "status": shipment.status,
        "member": shipment.member,
        "place": shipment.place,
        "sent": len(shipment.portions),
        "left": len(shipment.left),
        "sent_ms": shipment.sent_ms,
        "due_ms": shipment.due_ms,
    }


def project_result(result: LabResult) -> Row:
    """One row per laboratory result."""
    return {
        "id": result.id,
        "item": result.item,
        "test": result.test,
        "verdict": result.verdict,
        "laboratory": result.laboratory,
        "commitment": result.commitment,
        "sampled_ms": result.sampled_ms,
        "reported_ms": result.reported_ms,
    }


def project_site(site: Site) -> Row:
    """One row per registered place."""
    return {
        "gln": site.gln,
        "name": site.name,
        "town": site.town,
        "jurisdiction": site.jurisdiction,
        "member": site.member,
    }


def project_trader(trader: Trader) -> Row:
    """One row per registered company prefix."""
    return {
        "prefix": trader.prefix,
        "member": trader.member,
        "jurisdiction": trader.jurisdiction,
    }


def project_limits(limits: Limits) -> Row:
    """One row per limit, as it holds now."""
    now = limits.versions[-1]
    return {
        "jurisdiction": limits.jurisdiction,
        "product": limits.product,
        "sensor": limits.sensor,
        "uom": now.uom,
        "scale": now.scale,
        "low": now.low,
        "high": now.high,
    }


def project_yield(declared: Yield) -> Row:
    """One row per declared yield, as it holds now."""
    return {
        "member": declared.member,
        "product": declared.product,
        "ppm": declared.versions[-1].ppm,
    }


def _columns(indexed: str, texts: str, integers: str = "", ordered: str = "") -> list[Column]:
    """Texts with an index and without, integers without and with one."""
    return [
        *(Column(name, indexed=True) for name in indexed.split()),
        *(Column(name, indexed=False) for name in texts.split()),
        *(Column(name, "integer") for name in integers.split()),
        *(Column(name, "integer", indexed=True) for name in ordered.split()),
    ]


def _table(
    name: str,
    record: Any,
    columns: Sequence[Column],
    project: Callable[[Any], Row | Sequence[Row]],
) -> Table:
    return Table(name, record, tuple(columns), project)


TABLES = (
    _table(
        "events",
        Capture,
        _columns(
            "type biz_step disposition read_point biz_location",
            "event action transformation member declares",
            "height declared_ms",
            "number time_ms recorded_ms",
        ),
        project_capture,
    ),
    _table("event_terms", Capture, _columns("value", "term type"), list_event_terms),
    _table(
        "event_items",
        Step,
        _columns("item", "role level member place biz_step", "number time_ms"),
        list_step_items,
    ),
    _table(
        "readings",
        Capture,
        _columns("", "type uom component device", "time_ms scale value least greatest mean"),
        list_readings,
    ),
    _table("links", Transformation, _columns("source target", ""), list_links),
    _table("stays", Stay, _columns("source target", "", "since_ms until_ms"), project_stay),
    _table(
        "items",
        Item,
        _columns(
            "product member",
            "id level disposition place parent made_by made_at commissioned ended accounts",
            "made_ms ended_ms seen_ms flags cleared steps",
        ),
        project_item,
    ),
    _table(
        "flags",
        Flag,
        _columns(
            "item status",
            "kind source product jurisdiction reason",
            "number since_ms until_ms opened_ms closed_ms",
        ),
        project_flag,
    ),
    _table(
        "recalls",
        Recall,
        _columns(
            "status", "id reason outcome member jurisdiction items", "count opened_ms closed_ms"
        ),
        project_recall,
    ),
    _table(
        "shipments",
        Shipment,
        _columns("status member", "id place", "sent left sent_ms due_ms"),
        project_shipment,
    ),
    _table(
        "lab_results",
        LabResult,
        _columns("item", "id test verdict laboratory commitment", "sampled_ms reported_ms"),
        project_result,
    ),
    _table("sites", Site, _columns("member", "gln name town jurisdiction"), project_site),
    _table("traders", Trader, _columns("member", "prefix jurisdiction"), project_trader),
    _table(
        "limits",
        Limits,
        _columns("product", "jurisdiction sensor uom", "scale low high"),
        project_limits,
    ),
    _table("yields", Yield, _columns("member", "product", "ppm"), project_yield),
)
