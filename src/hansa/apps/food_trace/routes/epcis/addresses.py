"""Every address of the EPCIS 2.0 REST binding, read top to bottom."""

from collections.abc import Callable
from typing import Final, cast

from hansa.appkit.route import Asking, Desk, Duty, Method, Reply, Route
from hansa.apps.food_trace.routes.epcis import capture, events, queries, subscriptions
from hansa.apps.food_trace.routes.epcis.answers import guarded, tolerant
from hansa.apps.food_trace.routes.epcis.delivering import deliver_all
from hansa.apps.food_trace.routes.epcis.negotiation import (
    CAPTURE_BYTES_MAX,
    JSON_TYPES,
    XML_TYPES,
    answer_headers,
    check_versions,
    discovery_headers,
)
from hansa.apps.food_trace.routes.epcis.paging import TOKEN_CHARACTERS_MAX
from hansa.apps.food_trace.routes.epcis.problems import refuse
from hansa.apps.food_trace.routes.epcis.settling import settle_jobs

BASE: Final = "/epcis"
BOTH: Final = (*JSON_TYPES, *XML_TYPES)
RESOURCES: Final[dict[str, str]] = {
    "eventTypes": "eventType",
    "epcs": "epc",
    "bizSteps": "bizStep",
    "bizLocations": "bizLocation",
    "readPoints": "readPoint",
    "dispositions": "disposition",
}
_QUERY: Final = "/queries/{queryName}"
_SUBSCRIPTIONS: Final = _QUERY + "/subscriptions"


def release_token(_desk: Desk, asking: Asking) -> Reply:
    """204 for whatever is a token: it holds its question itself, so nothing has to be released,
    and it goes on to work until its events do not.
    """
    if len(asking.parts["token"]) > TOKEN_CHARACTERS_MAX:
        raise refuse(400, "next_page_token", "That is longer than a nextPageToken.")
    check_versions(asking.headers)
    return Reply(204, headers=answer_headers())


Run = Callable[[Desk, Asking], Reply]


def _address(path: str, summary: str, *more: Route, **methods: Run) -> list[Route]:
    """The routes of one address, and what OPTIONS says of them. `more` are routes made already."""
    routes = [*more]
    for method, run in methods.items():
        routes.append(Route(cast("Method", method.upper()), BASE + path, run, summary))
    names = ("OPTIONS", *(route.method for route in routes))
    is_capture = path == "/capture"

    def discover(_desk: Desk, asking: Asking) -> Reply:
        check_versions(asking.headers)
        return Reply(204, headers=discovery_headers(names, is_capture=is_capture))

    routes.append(Route("OPTIONS", BASE + path, tolerant(discover), f"Settings: {summary}"))
    return routes


def _list_resources() -> list[Route]:
    found: list[Route] = []
    for name, part in RESOURCES.items():
        show = events.list_types if name == "eventTypes" else events.list_resource(name)
        found += _address(f"/{name}", f"List {name}", get=show)
        below = f"/{name}/{{{part}}}"
        found += _address(below, f"What stands below one of {name}", get=events.show_resource(name))
        run = events.list_resource_events(name)
        found += _address(f"{below}/events", f"Events of one of {name}", get=run)
    return found


ROUTES: Final = (
    *_address("", "The top-level resources", get=tolerant(events.list_top_level)),
    *_address(
        "/capture",
        "Capture documents; capture jobs",
        Route(
            "POST",
            BASE + "/capture",
            capture.post_capture,
            "Capture an EPCIS document",
            media=BOTH,
            body_max=CAPTURE_BYTES_MAX,
        ),
        get=capture.list_jobs,
    ),
    *_address("/capture/{captureID}", "One capture job", get=capture.get_job),
    *_address(
        "/events",
        "Events",
        Route("POST", BASE + "/events", capture.post_event, "Capture one event", media=BOTH),
        get=events.list_events,
    ),
    *_address("/events/{eventID}", "One event", get=events.get_event),
    *_list_resources(),
    *_address(
        "/queries",
        "Named queries",
        Route(
            "POST",
            BASE + "/queries",
            queries.post_query,
            "Keep a query",
            media=JSON_TYPES,
            body_max=queries.BODY_MAX,
        ),
        get=queries.list_queries,
    ),
    *_address(_QUERY, "One named query", get=queries.get_query, delete=subscriptions.delete_query),
    *_address(
        _QUERY + "/events",
        "Events of a named query; as a websocket: as they are captured",
        Route(
            "GET",
            BASE + _QUERY + "/events",
            queries.list_query_events,
            "Events of a named query",
            feed=subscriptions.open_feed,
        ),
    ),
    *_address(
        _SUBSCRIPTIONS,
        "Subscriptions to a query",
        Route(
            "POST",
            BASE + _SUBSCRIPTIONS,
            subscriptions.post_subscription,
            "Subscribe a webhook",
            media=JSON_TYPES,
            body_max=queries.BODY_MAX,
        ),
        get=subscriptions.list_subscriptions,
    ),
    *_address(
        _SUBSCRIPTIONS + "/{subscriptionID}",
        "One subscription",
        get=subscriptions.get_subscription,
        delete=subscriptions.delete_subscription,
    ),
    *_address("/nextPageToken/{token}", "One token of a list", delete=guarded(release_token)),
)
DUTIES: Final = (Duty("capture", settle_jobs), Duty("deliver", deliver_all))
