"""`/queries`: named queries of an account (GS1 EPCIS 2.0 clause 12.7). Through the desk only.

A named query is a view kept in the notebook; SimpleEventQuery is always there and takes the
parameters of the address.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from hansa.appkit.route import Asking, Desk, Reply
from hansa.apps.food_trace.documents.names import Context, InvalidContext
from hansa.apps.food_trace.documents.rulebook import DocumentRefused
from hansa.apps.food_trace.documents.strict_json import load_json
from hansa.apps.food_trace.routes.epcis.answers import SIMPLE, answer_json, guarded
from hansa.apps.food_trace.routes.epcis.capture import refuse_missing, refuse_parameters
from hansa.apps.food_trace.routes.epcis.events import show_page
from hansa.apps.food_trace.routes.epcis.negotiation import (
    answer_headers,
    check_versions,
    read_context,
)
from hansa.apps.food_trace.routes.epcis.paging import Token, build_link, read_paging
from hansa.apps.food_trace.routes.epcis.plan import Plan, make_plan
from hansa.apps.food_trace.routes.epcis.problems import refuse
from hansa.apps.food_trace.timestamps import format_time

QUERY: Final = "query/"
# Names stand in addresses and in the notebook.
NAME_MAX: Final = 100
QUERIES_MAX: Final = 200
BODY_MAX: Final = 100_000


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query as its owner gave it; `prefixes`: what the request's headers defined."""

    name: str
    query: dict[str, Any]
    created_ms: int
    prefixes: dict[str, str] = {}

    def plan(self) -> Plan:
        """What it asks. Raises Trouble."""
        return plan_query(self.query, self.prefixes)


def plan_query(query: Mapping[str, Any], prefixes: Mapping[str, str]) -> Plan:
    """The plan of a query's JSON, with its own @context. Raises Trouble."""
    context = read_context({})
    try:
        if prefixes:
            context = context.extend(dict(prefixes))
        if "@context" in query:
            context = context.extend(query["@context"])
    except InvalidContext as error:
        raise refuse(400, "query_context", "The query's @context cannot be read.") from error
    return make_plan(query, context)


def name_query(account: str, name: str) -> str:
    """Its name in the notebook."""
    return f"{QUERY}{account}/{quote(name, safe='')}"


def find_query(desk: Desk, name: str) -> NamedQuery | None:
    """A named query of the asker's account; SimpleEventQuery without any parameter."""
    if name == SIMPLE:
        return NamedQuery(name=SIMPLE, query={}, created_ms=0)
    if not 0 < len(name) <= NAME_MAX:
        return None
    found = desk.notebook.get(name_query(desk.viewer.account, name))
    return None if found is None else msgspec.json.decode(found, type=NamedQuery)


def need_query(desk: Desk, asking: Asking) -> NamedQuery:
    """The query that the address names. Raises Trouble."""
    found = find_query(desk, asking.parts["queryName"])
    if found is None:
        raise refuse_missing("query")
    return found


def read_object(asking: Asking) -> dict[str, Any]:
    """The JSON object of a request; numbers with a point stay as written. Raises Trouble."""
    try:
        value = load_json(asking.body)
    except DocumentRefused as error:
        raise refuse(400, "not_json", error.text) from error
    if not isinstance(value, dict):
        raise refuse(400, "not_json", "The body is no JSON object.")
    return value


@guarded
def post_query(desk: Desk, asking: Asking) -> Reply:
    """Keep a query under a name: 201; 409 when there is one of that name."""
    check_versions(asking.headers)
    given = read_object(asking)
    name, query = given.get("name"), given.get("query")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise refuse(
            400,
            "query_name",
            f"A query has a name of 1 to {NAME_MAX} printable characters.",
            exception="QueryValidationException",
        )
    if not isinstance(query, dict):
        raise refuse(
            400,
            "query_body",
            "A query has its parameters in `query`, an object.",
            exception="QueryValidationException",
        )
    if find_query(desk, name) is not None:
        raise refuse(409, "query_exists", f"There is a query {name!r} already.")
    context = read_context(asking.headers)
    prefixes = _own_prefixes(context)
    plan_query(query, prefixes)
    account = desk.viewer.account
    if len(desk.notebook.list(f"{QUERY}{account}/", "", QUERIES_MAX)) >= QUERIES_MAX:
        raise refuse(
            403,
            "too_many_queries",
            f"At most {QUERIES_MAX}.",
            remedy="Delete one that is not used.",
        )
    kept = NamedQuery(name=name, query=query, created_ms=desk.now_ms, prefixes=prefixes)
    desk.notebook.change({name_query(account, name): msgspec.json.encode(kept)})
    location = f"{asking.path.rstrip('/')}/{quote(name, safe='')}"
    return Reply(201, headers=(*answer_headers(), ("Location", location)))


def _own_prefixes(context: Context) -> dict[str, str]:
    known = read_context({}).prefixes
    return {name: iri for name, iri in context.prefixes.items() if known.get(name) != iri}


@guarded
def list_queries(desk: Desk, asking: Asking) -> Reply:
    """Named queries of the asker's account, by name."""
    token, size, query = read_paging(asking, "queries")
    refuse_parameters(query)
    prefix = f"{QUERY}{desk.viewer.account}/"
    after = str(token.after[0]) if token is not None else ""
    found = desk.notebook.list(prefix, after, size + 1)
    shown = [msgspec.json.decode(value, type=NamedQuery) for _name, value in found[:size]]
    beyond = Token("queries", (), (found[size - 1][0],), size) if len(found) > size else None
    return answer_json(asking, [describe_query(each) for each in shown], build_link(asking, beyond))


def describe_query(query: NamedQuery) -> dict[str, Any]:
    """A query as EPCIS shows it."""
    told: dict[str, Any] = {"name": query.name, "query": query.query}
    if query.created_ms:
        told["createdAt"] = format_time(query.created_ms)
    return told


@guarded
def get_query(desk: Desk, asking: Asking) -> Reply:
    """One named query."""
    refuse_parameters(asking.query)
    return answer_json(asking, describe_query(need_query(desk, asking)))


@guarded
def list_query_events(desk: Desk, asking: Asking) -> Reply:
    """The events of a named query; SimpleEventQuery takes its parameters from the address."""
    named = need_query(desk, asking)
    context = read_context(asking.headers)

    def build(given: Mapping[str, Any]) -> Plan:
        if named.name == SIMPLE:
            return make_plan(given, context)
        refuse_parameters(tuple(given.items()))
        return named.plan()

    return show_page(desk, asking, f"queries/{named.name}", build, named.name)
