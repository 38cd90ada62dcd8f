"""The pictures of an item: where it is from and what became of it, its steps, its temperatures.

Pure: from answers of the application's own addresses (`/food-trace/trace/…`) to charts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from markupsafe import Markup

from hansa.console.charts import (
    Limits,
    LineageView,
    Link,
    Node,
    Point,
    Step,
    draw_curve,
    draw_lineage,
    draw_timeline,
)
from hansa.console.charts.curve import Decimal
from hansa.console.charts.lineage import NODES_SHOWN
from hansa.console.charts.pruning import Mark, NodeKind
from hansa.console.charts.timeline import StepMark
from hansa.console.food_names import name_item, name_place, tell_step, write_unit
from hansa.console.looking import make_frame, make_time_format
from hansa.console.visit import Visit

_ANY: Final = "-"
Answer = Mapping[str, Any]


def draw_graph(visit: Visit, answer: Answer, marks: Mapping[str, Mark]) -> Markup:
    """The lineage of `/trace/lineage`. `marks`: items that are stopped or reached by a recall."""
    graph = answer["lineage"]
    _ = visit.words
    frame = make_frame(
        visit,
        "lineage",
        _("Where it comes from, and what became of it"),
        _("To the left what it was made of, to the right what was made of it or holds it."),
    )
    shown = visit.query.get("shown", "")
    limit = int(shown) if shown.isdigit() and len(shown) <= 4 else NODES_SHOWN
    opened = frozenset(filter(None, visit.query.get("open", "").split(",")))

    def expand(node: Node) -> str:
        if node.kind == "group":
            return visit.here(open=",".join(sorted({*opened, node.id}))) + "#lineage"
        return visit.here(shown=str(limit * 2)) + "#lineage"

    nodes = [_build_node(visit, each, answer, marks) for each in graph["nodes"]]
    links = [Link(each["source"], each["target"], each["kind"]) for each in graph["edges"]]
    view = LineageView(
        focus=graph["root"],
        limit=limit,
        opened=opened,
        expand=expand,
        format_value=visit.writing.number,
    )
    return draw_lineage(frame, nodes, links, view)


def _build_node(visit: Visit, node: Answer, answer: Answer, marks: Mapping[str, Mark]) -> Node:
    when = visit.writing.date(node["time_ms"]) if node["time_ms"] is not None else ""
    where = name_place(visit.words, node["place"], answer["places"])
    who = answer["members"].get(node["member"], {}).get("name", "")
    if node["kind"] == "making":
        event = node["id"].removeprefix("=")
        return Node(
            id=node["id"],
            title=where or who or visit.words("Made"),
            subtitle=when,
            kind="making",
            count=0,
            href=visit.record_link("food_trace", "transformation", event),
            note="\n".join(filter(None, (visit.words("Made"), where, who, when))),
        )
    name = name_item(visit.words, node["id"])
    mark = marks.get(node["id"], "")
    kind: NodeKind = "lot" if node["level"] == "lot" else "item"
    if node["id"].startswith("00."):
        kind = "container"
    said = {"recalled": visit.words("Recalled"), "flagged": visit.words("Stopped")}.get(mark, "")
    return Node(
        id=node["id"],
        title=name.title,
        subtitle=" · ".join(filter(None, (when, who or name.subtitle))),
        kind=kind,
        mark=mark,
        href=name.href,
        note="\n".join(filter(None, (said, name.title, name.subtitle, where, who, when))),
    )


def draw_steps(visit: Visit, answer: Answer) -> Markup:
    """The steps of `/trace/trail`."""
    words = visit.words
    frame = make_frame(
        visit, "steps", words("Its steps"), words("Each step at its time and place.")
    )
    return draw_timeline(
        frame,
        [_build_step(visit, each, answer) for each in answer["steps"]],
        format_time=make_time_format(visit),
    )


def _build_step(visit: Visit, step: Answer, answer: Answer) -> Step:
    words = visit.words
    who = answer["members"].get(step["member"], {}).get("name", "")
    place = name_place(words, step["place"], answer["places"]) or who
    mark: StepMark = "flagged" if step["excursion"] else ""
    detail = words("outside the limits") if step["excursion"] else ""
    if step["withdrawn"]:
        mark, detail = "withdrawn", words("declared to be wrong")
    if step["declares"]:
        detail = words("says that an earlier event is wrong")
    return Step(
        time_ms=step["time_ms"],
        lane=step["place"] or step["member"],
        place=place,
        title=tell_step(words, step["biz_step"]) if step["biz_step"] else words("Seen"),
        detail=detail,
        mark=mark,
        href=visit.record_link("food_trace", "step", step["event"]),
    )


def draw_readings(visit: Visit, answer: Answer, *, width: float = 720.0) -> list[Markup]:
    """The readings of `/trace/readings`: a picture for each kind of sensor and pair of limits."""
    found = answer["readings"]
    groups: dict[tuple[str, str, Limits], list[Point]] = defaultdict(list)
    for reading in found["readings"]:
        point = _build_point(visit, reading, answer)
        if point is not None:
            limits = _find_limits(found["limits"], reading, answer["members"])
            groups[(reading["type"], reading["uom"], limits)].append(point)
    ordered = sorted(groups.items(), key=lambda each: (each[0][:2], each[1][0].time_ms))
    return [
        _draw_curve(visit, at, sensor, unit, points, limits, width)
        for at, ((sensor, unit, limits), points) in enumerate(ordered)
    ]


def _draw_curve(
    visit: Visit,
    at: int,
    sensor: str,
    unit: str,
    points: Sequence[Point],
    limits: Limits,
    width: float,
) -> Markup:
    words = visit.words
    title = words.of("option", sensor)
    frame = make_frame(
        visit, f"readings-{at}", title, words("{sensor} as it was measured.", sensor=title)
    )
    return draw_curve(
        frame,
        points,
        limits,
        unit=write_unit(unit),
        width=width,
        format_time=make_time_format(visit),
    )


def _build_point(visit: Visit, reading: Answer, answer: Answer) -> Point | None:
    """A reading as a span; None when it gives no number."""
    amounts = [reading[name] for name in ("least", "value", "mean", "greatest")]
    numbers = [amount for amount in amounts if amount is not None]
    if not numbers or not 0 <= reading["scale"] <= 30:
        return None
    scale = reading["scale"]
    low: Decimal = (min(numbers), scale)
    high: Decimal = (max(numbers), scale)
    place = name_place(visit.words, reading["place"], answer["places"])
    return Point(time_ms=reading["time_ms"], low=low, high=high, sensor=place)


def _find_limits(known: Sequence[Answer], reading: Answer, members: Mapping[str, Answer]) -> Limits:
    """Those of the jurisdiction of who captured it: for the product, else for any."""
    place = members.get(reading["member"], {}).get("jurisdiction", "")
    fitting = [
        each
        for each in known
        if each["jurisdiction"] == place
        and each["sensor"] == reading["type"]
        and each["uom"] == reading["uom"]
    ]
    if not fitting:
        return Limits()
    chosen = min(fitting, key=lambda each: each["product"] == _ANY)
    scale = chosen["scale"]
    return Limits(
        None if chosen["low"] is None else (chosen["low"], scale),
        None if chosen["high"] is None else (chosen["high"], scale),
    )


class Holder(msgspec.Struct, frozen=True):
    """Whoever has, or had, something of what a recall reaches."""

    member: str
    name: str
    places: tuple[tuple[str, tuple[Answer, ...]], ...]
    count: int


def group_holders(visit: Visit, answer: Answer) -> list[Holder]:
    """The holdings of `/trace/recall` by member, then by place."""
    found: dict[str, dict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for holding in answer["recall"]["holdings"]:
        found[holding["member"]][holding["place"]].append(holding)
    holders = []
    for member, places in found.items():
        known = answer["members"].get(member, {})
        named = tuple(
            (name_place(visit.words, place, answer["places"]), tuple(rows))
            for place, rows in sorted(places.items())
        )
        count = sum(len(rows) for _place, rows in named)
        holders.append(Holder(member, known.get("name", member), named, count))
    return sorted(holders, key=lambda each: (each.name, each.member))
