"""The duty that delivers to webhooks: in order, signed, again until the subscriber has it.

At least once: who was told and did not say so in time is told again, with the same delivery id.
Through the backroom's desk only.
"""

import hashlib
import hmac
from typing import Final, Literal

import msgspec

from hansa.appkit.route import Backroom, Desk, Trouble
from hansa.apps.food_trace.model.records import Capture
from hansa.apps.food_trace.routes.epcis.answers import write_results
from hansa.apps.food_trace.routes.epcis.finding import iterate_new
from hansa.apps.food_trace.routes.epcis.plan import Plan
from hansa.apps.food_trace.routes.epcis.queries import find_query
from hansa.apps.food_trace.routes.epcis.schedule import find_next, read_schedule
from hansa.apps.food_trace.routes.epcis.subscriptions import (
    MESSAGE_EVENTS_MAX,
    SUBSCRIPTION,
    Subscription,
    find_last,
    list_since,
)

# A subscriber that is away is asked again after this long, doubled each time, up to an hour.
RETRY_MS: Final = 5_000
RETRY_MAX_MS: Final = 3_600_000
# After so many hours without a single delivery nobody is there any more.
GIVE_UP: Final = 24 * 14
IDLE_S: Final = 60.0
# Captures that were looked at and were none of the query's, after which that is written down.
PASSED_MIN: Final = 200
_PAGE: Final = 100
# Messages to one subscriber in one turn: the others wait for it.
_MESSAGES_MAX: Final = 5
GONE: Final = 410


def deliver_all(room: Backroom) -> float:
    """Deliver what is due to every webhook; after how many seconds something is due again."""
    after, wait_ms = "", int(IDLE_S * 1000)
    while not room.is_ending:
        found = room.notebook.list(SUBSCRIPTION, after, _PAGE)
        for name, value in found:
            wait_ms = min(wait_ms, _attend(room, name, value))
            after = name
        if len(found) < _PAGE:
            break
    return wait_ms / 1000


def _attend(room: Backroom, name: str, value: bytes) -> int:
    """Deliver to one webhook if it is time; after how many milliseconds it will be again."""
    subscription = msgspec.json.decode(value, type=Subscription)
    if subscription.next_ms <= room.now_ms and not room.is_ending:
        if _deliver(room, name, subscription):
            return 0
    left = subscription.next_ms - room.now_ms
    return left if left > 0 else int(IDLE_S * 1000)


def _deliver(room: Backroom, name: str, subscription: Subscription) -> bool:
    """One webhook: what it has not had, as its owner may see it now. Whether there is more."""
    desk = room.desk_of(subscription.mark)
    try:
        plan = _make_plan(desk, subscription)
    except Trouble as trouble:
        _note_failure(room, name, subscription, trouble.text)
        return False
    if desk is None or plan is None:
        why = "its owner may not read here any more, or its query is gone"
        _note_failure(room, name, subscription, why)
        return False
    told = _tell(room, desk, plan, name, subscription)
    if told == "all" and subscription.schedule:
        subscription.next_ms = find_next(read_schedule(subscription.schedule), room.now_ms)
        _keep(room, name, subscription)
    return told == "some"


def _tell(
    room: Backroom, desk: Desk, plan: Plan, name: str, subscription: Subscription
) -> Literal["all", "some", "failed"]:
    """Message after message, while the subscriber takes them, for one turn."""
    count = 0
    newest = find_last(desk)
    since = list_since(subscription.since_ms)
    for found in iterate_new(desk, plan, since, subscription.number, MESSAGE_EVENTS_MAX):
        if found.captures:
            count += 1
            if not _post(room, name, subscription, found.captures):
                return "failed"
        if found.after is not None and (count >= _MESSAGES_MAX or room.is_ending):
            return "some"
    if not count and subscription.schedule and subscription.report_if_empty:
        if not _post(room, name, subscription, ()):
            return "failed"
    if newest - subscription.number >= PASSED_MIN:
        subscription.number = newest
        _keep(room, name, subscription)
    return "all"


def _make_plan(desk: Desk | None, subscription: Subscription) -> Plan | None:
    query = None if desk is None else find_query(desk, subscription.query)
    return None if query is None else query.plan()


def _post(
    room: Backroom, name: str, subscription: Subscription, captures: tuple[Capture, ...]
) -> bool:
    """One message; whether the subscriber has it."""
    last = captures[-1].number if captures else subscription.number
    now = room.now_ms
    body = write_results(captures, subscription.form, now, subscription.query, subscription.id)
    headers = {
        "content-type": subscription.form.media,
        "gs1-epcis-version": "2.0.0",
        "gs1-cbv-version": "2.0.0",
        "hansa-delivery": f"{subscription.id}-{subscription.number}-{last}",
    }
    if subscription.secret:
        headers["gs1-signature"] = sign(subscription.secret, body)
    answer = room.post(subscription.dest, body, headers)
    if answer.status == GONE:
        room.notebook.change({}, (name,))
        return False
    if not 200 <= answer.status < 300:
        said = f"{answer.status} {answer.text}".strip() if answer.status else answer.text
        _note_failure(room, name, subscription, said)
        return False
    subscription.number, subscription.delivered_ms = last, now
    subscription.fails, subscription.next_ms, subscription.trouble = 0, 0, ""
    _keep(room, name, subscription)
    return True


def sign(secret: str, body: bytes) -> str:
    """`GS1-Signature`: HMAC-SHA256 of the body under the subscriber's token, in hex."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _note_failure(room: Backroom, name: str, subscription: Subscription, why: str) -> None:
    """Try again later; one that nobody has answered for two weeks ends."""
    subscription.fails += 1
    subscription.trouble = why[:200]
    if subscription.fails > GIVE_UP:
        room.notebook.change({}, (name,))
        return
    delay = min(RETRY_MS * 2 ** min(subscription.fails - 1, 20), RETRY_MAX_MS)
    subscription.next_ms = room.now_ms + delay
    _keep(room, name, subscription)


def _keep(room: Backroom, name: str, subscription: Subscription) -> None:
    """Write what changed, unless it was ended meanwhile."""
    room.notebook.update(name, msgspec.json.encode(subscription))
