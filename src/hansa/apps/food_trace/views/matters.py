"""Flags, recalls, shipments, results, places, limits to rows: one row for each record. Pure."""

from hansa.appkit.application import Row
from hansa.apps.food_trace.model import (
    Flag,
    LabResult,
    Limits,
    Recall,
    Shipment,
    Site,
    Trader,
    Yield,
)


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
