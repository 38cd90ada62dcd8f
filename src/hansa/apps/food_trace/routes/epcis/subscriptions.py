"""Subscriptions to named queries: webhooks and websockets (GS1 EPCIS 2.0 clauses 12.7.3, 8.2.5).

A subscription keeps the number of the last capture that was delivered: what comes after it is
delivered until the subscriber has it, also after a restart. Through the desk only.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.appkit.route import Asking, Condition, Desk, Feed, Reply, Wanted
from hansa.apps.food_trace.routes.epcis.answers import (
    SIMPLE,
    answer_json,
    guarded,
    refuse_form,
    write_results,
)
from hansa.apps.food_trace.routes.epcis.capture import refuse_missing, refuse_parameters
from hansa.apps.food_trace.routes.epcis.finding import EVENTS, iterate_new
from hansa.apps.food_trace.routes.epcis.negotiation import (
    Form,
    NotAcceptable,
    answer_headers,
    check_versions,
    read_form,
)
from hansa.apps.food_trace.routes.epcis.paging import Token, build_link, read_paging
from hansa.apps.food_trace.routes.epcis.plan import Plan
from hansa.apps.food_trace.routes.epcis.problems import refuse
from hansa.apps.food_trace.routes.epcis.queries import (
    NamedQuery,
    name_query,
    need_query,
    read_object,
)
from hansa.apps.food_trace.routes.epcis.schedule import (
    FIELDS,
    InvalidSchedule,
    find_next,
    read_schedule,
)
from hansa.apps.food_trace.timestamps import InvalidTime, format_time, parse_time

SUBSCRIPTION: Final = "sub/"
# Who stands in front of which query: to be found by the account, by the query, and by the duty.
SUBSCRIPTIONS_MAX: Final = 50
SECRET_MAX: Final = 1_000
# Events of one message.
MESSAGE_EVENTS_MAX: Final = 100
# Messages that a websocket is given at once: the rest when these are said.
MESSAGES_MAX: Final = 5
_CONTROLS: Final = ("stream", "reportIfEmpty", "initialRecordTime", *FIELDS)


class Subscription(msgspec.Struct, kw_only=True):
    """A webhook. `number`: no capture up to it is still to be delivered; `since_ms`:
    initialRecordTime.

    `next_ms`: when to try next (a schedule's time, or after a failure); `fails`: in a row.
    """

    id: str
    account: str
    mark: str
    query: str
    dest: str
    secret: str
    created_ms: int
    number: int
    since_ms: int = 0
    schedule: dict[str, str] = {}
    report_if_empty: bool = False
    form: Form = Form()
    next_ms: int = 0
    delivered_ms: int = 0
    fails: int = 0
    trouble: str = ""

    @property
    def name(self) -> str:
        """Its name in the notebook."""
        return f"{SUBSCRIPTION}{name_query(self.account, self.query)}/{self.id}"


class Controls(msgspec.Struct, frozen=True):
    """When a subscriber hears: at once (no schedule), or at times; also when there is nothing."""

    schedule: dict[str, str] = {}
    report_if_empty: bool = False
    since_ms: int = 0


def read_controls(given: Mapping[str, Any]) -> Controls:
    """`stream: true` or a schedule, not both and not none (SubscriptionControlsException)."""
    schedule = given.get("schedule")
    stream = given.get("stream")
    if schedule is not None and not isinstance(schedule, dict):
        raise _refuse_controls("schedule is an object")
    if stream not in (None, True, False, "true", "false"):
        raise _refuse_controls("stream is true")
    is_stream = stream in (True, "true")
    if is_stream == (schedule is not None):
        raise _refuse_controls("say either stream: true or a schedule")
    empty = given.get("reportIfEmpty", False)
    if empty not in (True, False, "true", "false"):
        raise _refuse_controls("reportIfEmpty is true or false")
    since = given.get("initialRecordTime")
    try:
        if schedule is not None:
            read_schedule(schedule)
        since_ms = parse_time(since) if isinstance(since, str) else 0
    except (InvalidSchedule, InvalidTime) as error:
        raise _refuse_controls(str(error)) from error
    if since is not None and not isinstance(since, str):
        raise _refuse_controls("initialRecordTime is a time")
    fields = {name: str(value) for name, value in (schedule or {}).items()}
    return Controls(fields, empty in (True, "true"), since_ms)


def _refuse_controls(text: str) -> Exception:
    return refuse(
        400,
        "subscription_controls",
        f"{text}.",
        exception="SubscriptionControlsException",
        title="Subscription error",
        remedy='Send "stream": true, or "schedule": {"hour": "1", "minute": "5"} (UTC).',
    )


@guarded
def post_subscription(desk: Desk, asking: Asking) -> Reply:
    """Subscribe a webhook to a query: 201."""
    form = read_form({**asking.headers, "accept": ""})
    query = need_query(desk, asking)
    if query.name == SIMPLE:
        raise refuse(
            403,
            "not_subscribable",
            "SimpleEventQuery has no parameters of its own.",
            exception="SubscribeNotPermittedException",
            remedy="Make a named query and subscribe to it.",
        )
    given = read_object(asking)
    controls = read_controls(given)
    dest, secret = _read_dest(desk, given), given.get("signatureToken", "")
    if not isinstance(secret, str) or len(secret) > SECRET_MAX or not secret.isascii():
        raise refuse(400, "signature_token", "signatureToken is a plain text.")
    prefix = f"{SUBSCRIPTION}{name_query(desk.viewer.account, query.name)}/"
    if len(desk.notebook.list(prefix, "", SUBSCRIPTIONS_MAX)) >= SUBSCRIPTIONS_MAX:
        raise refuse(403, "too_many_subscriptions", f"At most {SUBSCRIPTIONS_MAX} for one query.")
    now = desk.now_ms
    made = Subscription(
        id=desk.draw(),
        account=desk.viewer.account,
        mark=desk.mark,
        query=query.name,
        dest=dest,
        secret=secret,
        created_ms=now,
        number=0 if controls.since_ms else find_last(desk),
        since_ms=controls.since_ms,
        schedule=controls.schedule,
        report_if_empty=controls.report_if_empty,
        form=form,
        next_ms=find_next(read_schedule(controls.schedule), now) if controls.schedule else 0,
    )
    desk.notebook.change({made.name: msgspec.json.encode(made)})
    desk.wake()
    location = f"{asking.path.rstrip('/')}/{made.id}"
    return answer_json(asking, describe(made), (("Location", location),), 201)


def _read_dest(desk: Desk, given: Mapping[str, Any]) -> str:
    """Where to deliver, as the operator allows."""
    dest = given.get("dest")
    if not isinstance(dest, str):
        raise refuse(400, "subscription_dest", "A subscription has its URL in `dest`.")
    why = desk.check_url(dest)
    if why:
        raise refuse(
            400,
            "subscription_dest",
            f"Nothing is delivered to that URL: {why}.",
            exception="InvalidURIException",
            remedy="Give a public http or https URL, or one whose host the operator has allowed.",
        )
    return dest


def find_last(desk: Desk) -> int:
    """The number of the newest capture that the asker may see."""
    found = desk.rows(EVENTS, (), order="number", descending=True, limit=1).rows
    return int(found[0]["number"] or 0) if found else 0


@guarded
def list_subscriptions(desk: Desk, asking: Asking) -> Reply:
    """Webhooks of a query."""
    token, size, query = read_paging(asking, "subscriptions")
    refuse_parameters(query)
    named = need_query(desk, asking)
    prefix = f"{SUBSCRIPTION}{name_query(desk.viewer.account, named.name)}/"
    found = desk.notebook.list(prefix, str(token.after[0]) if token else "", size + 1)
    shown = [msgspec.json.decode(value, type=Subscription) for _name, value in found[:size]]
    beyond = Token("subscriptions", (), (found[size - 1][0],), size) if len(found) > size else None
    return answer_json(asking, [describe(each) for each in shown], build_link(asking, beyond))


@guarded
def get_subscription(desk: Desk, asking: Asking) -> Reply:
    """One webhook; its secret is not told."""
    refuse_parameters(asking.query)
    return answer_json(asking, describe(_need(desk, asking)))


@guarded
def delete_subscription(desk: Desk, asking: Asking) -> Reply:
    """End one webhook."""
    check_versions(asking.headers)
    desk.notebook.change({}, (_need(desk, asking).name,))
    return Reply(204, headers=answer_headers())


@guarded
def delete_query(desk: Desk, asking: Asking) -> Reply:
    """Forget a query, and with it its subscriptions."""
    check_versions(asking.headers)
    query = need_query(desk, asking)
    if query.name == SIMPLE:
        raise refuse(403, "standard_query", "SimpleEventQuery is always there.")
    name = name_query(desk.viewer.account, query.name)
    found = desk.notebook.list(f"{SUBSCRIPTION}{name}/", "", SUBSCRIPTIONS_MAX)
    desk.notebook.change({}, (name, *(each for each, _value in found)))
    return Reply(204, headers=answer_headers())


def _need(desk: Desk, asking: Asking) -> Subscription:
    query = need_query(desk, asking)
    identity = asking.parts["subscriptionID"]
    name = f"{SUBSCRIPTION}{name_query(desk.viewer.account, query.name)}/{identity}"
    found = desk.notebook.get(name) if 0 < len(identity) <= 64 else None
    if found is None:
        raise refuse_missing("subscription")
    return msgspec.json.decode(found, type=Subscription)


def describe(subscription: Subscription) -> dict[str, Any]:
    """A subscription as EPCIS shows it, and why the last delivery failed."""
    told: dict[str, Any] = {
        "subscriptionID": subscription.id,
        "queryName": subscription.query,
        "dest": subscription.dest,
        "createdAt": format_time(subscription.created_ms),
        "epcFormat": subscription.form.epc_format,
    }
    if subscription.schedule:
        told["schedule"] = subscription.schedule
        told["reportIfEmpty"] = subscription.report_if_empty
    else:
        told["stream"] = True
    if subscription.since_ms:
        told["initialRecordTime"] = format_time(subscription.since_ms)
    if subscription.delivered_ms:
        told["lastNotifiedAt"] = format_time(subscription.delivered_ms)
        told["minRecordTime"] = format_time(subscription.delivered_ms)
    if subscription.trouble:
        told["hansa:trouble"] = subscription.trouble
    return told


def list_since(since_ms: int) -> tuple[Wanted, ...]:
    """The condition of initialRecordTime."""
    return (Condition("recorded_ms", "min", since_ms),) if since_ms else ()


class QueryFeed:
    """What a websocket of a query is told (`appkit.route.Feed`): documents, at once or at times."""

    def __init__(self, desk: Desk, named: NamedQuery, plan: Plan, controls: Controls, form: Form):
        self._desk, self._named, self._plan = desk, named, plan
        self._controls, self._form = controls, form
        self._number = 0 if controls.since_ms else find_last(desk)
        self._schedule = read_schedule(controls.schedule) if controls.schedule else None
        self._due_ms = find_next(self._schedule, desk.now_ms) if self._schedule else 0

    def take(self) -> tuple[Sequence[str | bytes], float]:
        """Documents that are due, and when to ask again."""
        now = self._desk.now_ms
        if self._schedule is not None:
            if now < self._due_ms:
                return (), (self._due_ms - now) / 1000
            self._due_ms = find_next(self._schedule, now)
        said: list[str | bytes] = []
        newest = find_last(self._desk)
        since = list_since(self._controls.since_ms)
        for found in iterate_new(self._desk, self._plan, since, self._number, MESSAGE_EVENTS_MAX):
            if found.captures:
                said.append(self._write(found.captures))
                self._number = found.captures[-1].number
            if found.after is not None and len(said) >= MESSAGES_MAX:
                self._due_ms = now
                return said, 0.0
        self._number = max(self._number, newest)
        if not said and self._schedule is not None and self._controls.report_if_empty:
            said.append(self._write(()))
        wait_s = (self._due_ms - now) / 1000 if self._schedule is not None else 60.0
        return said, wait_s

    def _write(self, captures: Sequence[Any]) -> str:
        now = self._desk.now_ms
        return write_results(captures, self._form, now, self._named.name).decode()


def open_feed(desk: Desk, asking: Asking) -> Feed:
    """A websocket on the events of a query: `stream=true`, or a schedule's fields."""
    if desk.viewer.is_stranger:
        raise refuse(401, "sign_in_first", "Events are shown to members whom they concern.")
    named = need_query(desk, asking)
    given: dict[str, Any] = {}
    for name, value in asking.query:
        if name not in _CONTROLS:
            raise refuse(400, "unknown_parameter", f"{name[:80]} is no parameter of a websocket.")
        if name in FIELDS:
            given.setdefault("schedule", {})[name] = value
        else:
            given[name] = value
    try:
        form = read_form({**asking.headers, "accept": ""})
    except NotAcceptable as error:
        raise refuse_form(error) from error
    return QueryFeed(desk, named, named.plan(), read_controls(given), form)
