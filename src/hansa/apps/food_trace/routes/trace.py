"""`GET /food-trace/trace/…`: recall, trace-back, lineage, label, complete trail, readings as JSON.

Answers are of one height; all but readings are made of public records, so strangers may ask.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.appkit.route import Asking, Desk, Reply, Route, Trouble
from hansa.appkit.walk import ITEMS_MAX, Snapshot
from hansa.apps.food_trace.identifiers import to_digital_link
from hansa.apps.food_trace.model import Item, Recall, Step
from hansa.apps.food_trace.trace.completeness import check_trail
from hansa.apps.food_trace.trace.label import build_label
from hansa.apps.food_trace.trace.lineage import NODES_MAX, STEPS_DEFAULT, build_lineage
from hansa.apps.food_trace.trace.naming import NoSuchName, read_item
from hansa.apps.food_trace.trace.origins import build_trace_back
from hansa.apps.food_trace.trace.readings import build_readings
from hansa.apps.food_trace.trace.recall import build_recall
from hansa.apps.food_trace.trace.ways import find_gln
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Member

# Items that one question names; a recall record has as many at most.
ROOTS_MAX: Final = 100
# Steps of one item in one answer; an answer of fewer says where the earlier ones begin.
TRAIL_MAX: Final = 2_000
_NUMBER_MAX: Final = 2**53 - 1
STEPS_MAX: Final = 50
_LABEL: Final = "/trace/label/"
_encoder = msgspec.json.Encoder()

Build = Callable[[Desk, Asking, Snapshot], dict[str, Any]]


def _serve(build: Build) -> Callable[[Desk, Asking], Reply]:
    """A route that answers what `build` says, with the names of members and places in it."""

    def run(desk: Desk, asking: Asking) -> Reply:
        try:
            with desk.snapshot() as snapshot:
                found = build(desk, asking, snapshot)
                found["places"] = _name_places(snapshot, found.pop("_places"))
        except NoSuchName as error:
            raise _refuse(400, "food_trace.no_item", f"{str(error)!r} names no item.") from error
        except Rejection as rejection:
            raise Trouble(
                400,
                rejection.code,
                rejection.text,
                remedy=rejection.remedy,
                rule=rejection.RULE,
                params=rejection.params,
            ) from rejection
        found["members"] = _name_members(desk, found.pop("_members"))
        return Reply(body=_encoder.encode(found))

    return run


def _answer(key: str, value: Any, rows: Iterable[Any]) -> dict[str, Any]:
    """An answer; `rows` are what names members and places."""
    members, places = set(), set()
    for row in rows:
        for name in ("member", "made_by", "laboratory"):
            members.add(getattr(row, name, ""))
        for name in ("place", "made_at"):
            places.add(getattr(row, name, ""))
    return {key: value, "_members": members - {""}, "_places": places - {""}}


def _recall(desk: Desk, asking: Asking, snapshot: Snapshot) -> dict[str, Any]:
    found = build_recall(snapshot, _read_roots(desk, asking), items_max=_read_limit(asking))
    return _answer("recall", found, [*found.holdings, *found.affected])


def _trace_back(desk: Desk, asking: Asking, snapshot: Snapshot) -> dict[str, Any]:
    found = build_trace_back(snapshot, _read_roots(desk, asking), items_max=_read_limit(asking))
    return _answer("trace", found, found.ancestors)


def _lineage(_desk: Desk, asking: Asking, snapshot: Snapshot) -> dict[str, Any]:
    found = build_lineage(
        snapshot,
        _read_one(asking),
        up=_read_number(asking, "up", STEPS_DEFAULT, STEPS_MAX),
        down=_read_number(asking, "down", STEPS_DEFAULT, STEPS_MAX),
        nodes_max=_read_number(asking, "limit", NODES_MAX, NODES_MAX),
    )
    return _answer("lineage", found, found.nodes)


def _label(_desk: Desk, asking: Asking, snapshot: Snapshot) -> dict[str, Any]:
    # A path of several segments as it came, as a value in it may hold an escaped slash.
    raw = asking.path.partition(_LABEL)[2]
    item = read_item(raw if "/" in raw.strip("/") else asking.parts["item"])
    found = build_label(snapshot, item)
    answer = _answer("label", found, [*found.path, *found.origins, *found.results, found])
    return {**answer, "link": to_digital_link(item)}


def _trail(desk: Desk, asking: Asking, snapshot: Snapshot) -> dict[str, Any]:
    """Item and its last `limit` steps, or those before the step number `before`; `next`: what to
    ask before for the steps still earlier, 0 for none. Item and steps as two reads may see them
    apart: then the check fails, and one asks again.
    """
    item = desk.record(Item, _read_one(asking))
    if item is None:
        raise _refuse(404, "food_trace.no_item", "There is no such item on the ledger.")
    before = _read_number(asking, "before", _NUMBER_MAX, _NUMBER_MAX)
    limit = max(1, _read_number(asking, "limit", TRAIL_MAX, TRAIL_MAX))
    rows = snapshot.pick("event_items", "item", [item.id])
    numbers = {str(row["key"]): int(str(row["number"])) for row in rows}
    found = sorted((number, key) for key, number in numbers.items() if number < before)
    steps = desk.records(Step, [key for _number, key in found[-limit:]])
    ordered = sorted(steps.values(), key=lambda step: step.number)
    answer = _answer("item", item, [item, *ordered])
    return {
        **answer,
        "steps": ordered,
        "check": check_trail(item, ordered),
        "next": found[-limit][0] if len(found) > limit else 0,
        "cut": "steps" if len(numbers) > len(found[-limit:]) else "",
        "height": snapshot.height,
    }


def _readings(_desk: Desk, asking: Asking, snapshot: Snapshot) -> dict[str, Any]:
    found = build_readings(snapshot, _read_one(asking))
    return _answer("readings", found, found.readings)


def _read_roots(desk: Desk, asking: Asking) -> list[str]:
    """Items of the question, and those of a recall that it names."""
    roots = [read_item(text) for text in _list(asking, "item")]
    for identity in _list(asking, "recall"):
        recall = desk.record(Recall, identity)
        if recall is None:
            raise _refuse(404, "food_trace.no_recall", "There is no such recall.")
        roots += recall.items
    if not roots or len(roots) > ROOTS_MAX:
        raise _refuse(400, "food_trace.no_item", f"Name 1 to {ROOTS_MAX} items.")
    return roots


def _read_one(asking: Asking) -> str:
    found = _list(asking, "item")
    if len(found) != 1:
        raise _refuse(400, "food_trace.no_item", "Name one item.")
    return read_item(found[0])


def _read_limit(asking: Asking) -> int:
    return _read_number(asking, "limit", ITEMS_MAX, ITEMS_MAX)


def _read_number(asking: Asking, name: str, default: int, most: int) -> int:
    given = _list(asking, name)
    if not given:
        return default
    text = given[-1]
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and int(text) <= most):
        raise _refuse(400, "api.invalid_parameter", f"{name} is a number up to {most}.")
    return int(text)


def _list(asking: Asking, name: str) -> list[str]:
    return [value for key, value in asking.query if key == name and value]


def _refuse(status: int, code: str, text: str) -> Trouble:
    return Trouble(
        status,
        code,
        text,
        remedy="Give an EPC, a GS1 Digital Link or the form 01.<gtin>.10.<lot>.",
    )


def _name_members(desk: Desk, dids: Iterable[str]) -> dict[str, dict[str, str]]:
    found = {did: desk.record(Member, did) for did in sorted(dids)}
    return {
        did: {"name": member.name, "jurisdiction": member.jurisdiction}
        for did, member in found.items()
        if member is not None
    }


def _name_places(snapshot: Snapshot, places: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    glns = {place: find_gln(place) for place in sorted(places)}
    rows = snapshot.pick("sites", "key", [gln for gln in glns.values() if gln])
    sites: dict[str, Mapping[str, Any]] = {str(row["gln"]): row for row in rows}
    shown: Sequence[str] = ("gln", "name", "town", "jurisdiction")
    return {
        place: {name: sites[gln][name] for name in shown}
        for place, gln in glns.items()
        if gln in sites
    }


ROUTES: Final = (
    Route("GET", "/trace/recall", _serve(_recall), "What a recall reaches, and who has it"),
    Route("GET", "/trace/back", _serve(_trace_back), "What items were made of"),
    Route("GET", "/trace/lineage", _serve(_lineage), "The graph around an item"),
    Route("GET", _LABEL + "{item*}", _serve(_label), "What a consumer reads of an item"),
    Route("GET", "/trace/trail", _serve(_trail), "Steps of an item, with the check of them"),
    Route("GET", "/trace/readings", _serve(_readings), "What sensors read of an item"),
)
