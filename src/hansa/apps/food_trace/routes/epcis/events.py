"""`/events` and the top-level resources with their events (GS1 EPCIS 2.0 clause 12.6).

An event is shown to those who may read its capture; a resource is listed when such an event names
it. Through the desk only.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from hansa.appkit.route import Asking, Condition, Desk, Related, Reply, Wanted
from hansa.apps.food_trace.contract.declaration import compute_declaration_key
from hansa.apps.food_trace.documents import vocabulary
from hansa.apps.food_trace.event import TYPES, event_key
from hansa.apps.food_trace.identifiers import element_of, is_uri, split_element, to_digital_link
from hansa.apps.food_trace.model.records import Capture
from hansa.apps.food_trace.routes.epcis.answers import (
    SIMPLE,
    answer_collection,
    answer_events,
    guarded,
)
from hansa.apps.food_trace.routes.epcis.capture import refuse_missing, refuse_parameters
from hansa.apps.food_trace.routes.epcis.finding import EVENTS, check_count, find_events
from hansa.apps.food_trace.routes.epcis.negotiation import read_context
from hansa.apps.food_trace.routes.epcis.paging import Token, build_link, read_paging
from hansa.apps.food_trace.routes.epcis.plan import ITEMS, Plan, make_plan
from hansa.apps.food_trace.routes.epcis.problems import refuse
from hansa.ledger.rejections import Rejection

TOP_LEVEL: Final = (
    "capture",
    "events",
    "eventTypes",
    "epcs",
    "bizSteps",
    "bizLocations",
    "readPoints",
    "dispositions",
    "queries",
)
# Collection: column of the events' table.
_COLUMNS: Final[dict[str, str]] = {
    "bizSteps": "biz_step",
    "bizLocations": "biz_location",
    "readPoints": "read_point",
    "dispositions": "disposition",
}


def read_query(query: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Parameters of an address by name. Raises Trouble for one that is given twice."""
    given: dict[str, Any] = {}
    for name, value in query:
        if name in given:
            raise refuse(
                400,
                "parameter_twice",
                f"{name[:80]} is given twice; part several values by |.",
                exception="QueryParameterException",
            )
        given[name] = value
    return given


def show_page(
    desk: Desk,
    asking: Asking,
    list_name: str,
    build_plan: Callable[[Mapping[str, Any]], Plan],
    query_name: str = SIMPLE,
) -> Reply:
    """A page of the events of a query, whose parameters stand in the address or in the token."""
    token, size, query = read_paging(asking, list_name)
    plan = build_plan(read_query(query))
    if token is None:
        check_count(desk, plan)
    left = token.left if token is not None else (plan.limit or -1)
    limit = size if left < 0 else min(size, left)
    found = find_events(desk, plan, after=token.after if token else None, limit=limit)
    left = left if left < 0 else left - len(found.captures)
    beyond = None
    if found.after is not None and left != 0:
        beyond = Token(list_name, query, found.after, size, left)
    link = build_link(asking, beyond)
    return answer_events(desk, asking, found.captures, query_name, link)


@guarded
def list_events(desk: Desk, asking: Asking) -> Reply:
    """Events by the parameters of SimpleEventQuery."""
    context = read_context(asking.headers)
    return show_page(desk, asking, "events", lambda given: make_plan(given, context))


@guarded
def get_event(desk: Desk, asking: Asking) -> Reply:
    """One event, with the declaration of its error if there is one."""
    refuse_parameters(asking.query)
    key = event_key(asking.parts["eventID"])
    keys = [key, compute_declaration_key(key)]
    found = desk.records(Capture, keys)
    captures = [found[each] for each in keys if each in found]
    if not captures:
        raise refuse_missing("event")
    return answer_events(desk, asking, captures, SIMPLE)


@guarded
def list_types(_desk: Desk, asking: Asking) -> Reply:
    """The five types of events."""
    _token, _size, query = read_paging(asking, "eventTypes")
    refuse_parameters(query)
    return answer_collection(asking, sorted(TYPES))


def list_top_level(_desk: Desk, asking: Asking) -> Reply:
    """What stands below the root."""
    refuse_parameters(asking.query)
    return answer_collection(asking, TOP_LEVEL)


def list_resource(name: str) -> Callable[[Desk, Asking], Reply]:
    """The route of a collection: different values in the events that the asker may see."""

    @guarded
    def run(desk: Desk, asking: Asking) -> Reply:
        token, size, query = read_paging(asking, name)
        refuse_parameters(query)
        after = str(token.after[0]) if token is not None else ""
        values = _list_values(desk, name, after, size + 1)
        shown = values[:size]
        beyond = Token(name, (), (shown[-1],), size) if len(values) > size else None
        members = [_show(name, each) for each in shown]
        return answer_collection(
            asking, [each for each in members if each], build_link(asking, beyond)
        )

    return run


def _list_values(desk: Desk, name: str, after: str, limit: int) -> list[str]:
    """Values beyond `after`; the empty text, which stands for none, comes first and is not one."""
    if name == "epcs":
        seen = Related(EVENTS, ())
        instance = Condition("level", "in", ("instance", ""))
        found = desk.values(ITEMS, "item", (instance, seen), after=after, limit=limit)
    else:
        found = desk.values(EVENTS, _COLUMNS[name], (), after=after, limit=limit)
    return [str(each) for each in found]


def _show(name: str, value: str) -> str:
    """A value as it stands in an address: words bare, identifiers as GS1 Digital Links."""
    return value if name in ("bizSteps", "dispositions") else to_digital_link(value)


def show_resource(name: str) -> Callable[[Desk, Asking], Reply]:
    """The route of one resource: what stands below it."""

    @guarded
    def run(desk: Desk, asking: Asking) -> Reply:
        refuse_parameters(asking.query)
        wanted = _read_resource(name, asking)
        if name != "eventTypes" and not desk.rows(EVENTS, wanted, limit=1).rows:
            raise refuse_missing("resource")
        return answer_collection(asking, ["events"])

    return run


def list_resource_events(name: str) -> Callable[[Desk, Asking], Reply]:
    """The route of one resource's events, under further parameters."""

    @guarded
    def run(desk: Desk, asking: Asking) -> Reply:
        wanted = _read_resource(name, asking)
        context = read_context(asking.headers)

        def build(given: Mapping[str, Any]) -> Plan:
            plan = make_plan(given, context)
            return msgspec.structs.replace(plan, wanted=(*wanted, *plan.wanted))

        return show_page(desk, asking, f"{name}/{_part(asking)}", build)

    return run


def _part(asking: Asking) -> str:
    return next(iter(asking.parts.values()))


def _read_resource(name: str, asking: Asking) -> tuple[Wanted, ...]:
    """The condition that stands for one resource. Raises Trouble for what cannot be one."""
    text = _part(asking)
    if name == "eventTypes":
        if text not in TYPES:
            raise refuse_missing("event type")
        return (Condition("type", "is", text),)
    if name == "epcs":
        return (Related(ITEMS, (Condition("item", "is", _read_element(text)),)),)
    if name in ("bizLocations", "readPoints"):
        return (Condition(_COLUMNS[name], "is", _read_element(text)),)
    words = vocabulary.BIZ_STEP if name == "bizSteps" else vocabulary.DISPOSITION
    return (Condition(_COLUMNS[name], "is", words.find_word(text) or text),)


def _read_element(text: str) -> str:
    """An identifier in element form: from a URI, or already in that form."""
    try:
        if is_uri(text):
            return element_of(text)
    except Rejection as rejection:
        raise refuse(400, "bad_identifier", rejection.text, remedy=rejection.remedy) from rejection
    if split_element(text):
        return text
    raise refuse(400, "bad_identifier", "This is no URI.", remedy="Give an EPC, percent-encoded.")
