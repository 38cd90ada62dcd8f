"""Records to rows (`captures`, `trail`, `matters`), and the tables that they make. Pure.

Captures, shipments and what is in them are for their parties; the rest is public. Only columns by
which one asks or lists have an index: rows are many.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hansa.appkit.application import Column, Row, Table
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
from hansa.apps.food_trace.views.captures import list_event_terms, list_readings, project_capture
from hansa.apps.food_trace.views.matters import (
    project_flag,
    project_limits,
    project_recall,
    project_result,
    project_shipment,
    project_site,
    project_trader,
    project_yield,
)
from hansa.apps.food_trace.views.trail import (
    list_links,
    list_step_items,
    project_item,
    project_stay,
)


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
    main: str = "",
    indexes: tuple[tuple[str, ...], ...] = (),
) -> Table:
    """`main`: what lists for people show first."""
    return Table(name, record, tuple(columns), project, main=tuple(main.split()), indexes=indexes)


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
        "time_ms biz_step type disposition biz_location member declares",
    ),
    _table("event_terms", Capture, _columns("value", "term type"), list_event_terms),
    _table(
        "event_items",
        Step,
        _columns("", "item role level member place biz_step", "number time_ms"),
        list_step_items,
        # Who had which lot, and when, is answered from here alone.
        indexes=(("item", "member", "place", "time_ms"),),
    ),
    _table(
        "readings",
        Capture,
        _columns("", "type uom component device", "time_ms scale value least greatest mean"),
        list_readings,
    ),
    # Closures go over these from either end, and find all that they ask for in the index itself.
    _table(
        "links",
        Transformation,
        _columns("", "source target"),
        list_links,
        indexes=(("source", "key", "line", "target"), ("target", "key", "line", "source")),
    ),
    _table(
        "stays",
        Stay,
        _columns("", "source target", "since_ms until_ms"),
        project_stay,
        indexes=(
            ("source", "key", "line", "target"),
            ("target", "until_ms", "key", "line", "source"),
        ),
    ),
    _table(
        "items",
        Item,
        _columns(
            "product member",
            "id level disposition place parent made_by made_at commissioned ended accounts",
            "made_ms ended_ms seen_ms flags cleared steps",
        ),
        project_item,
        "id made_ms made_by disposition member ended_ms flags",
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
        "item kind status reason jurisdiction opened_ms closed_ms",
    ),
    _table(
        "recalls",
        Recall,
        _columns(
            "status", "id reason outcome member jurisdiction items", "count opened_ms closed_ms"
        ),
        project_recall,
        "id status reason member jurisdiction count opened_ms",
    ),
    _table(
        "shipments",
        Shipment,
        _columns("status member", "id place", "sent left sent_ms due_ms"),
        project_shipment,
        "id status member sent left sent_ms due_ms",
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
