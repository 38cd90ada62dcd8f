"""Events that a query finds, as its asker may see them. Through the desk only.

The tables answer what they can, in order; what only a document can tell is judged page by page, so
an answer may hold fewer events than asked for: only the link says whether there is more.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from hansa.appkit.route import Desk, Place, Wanted
from hansa.apps.food_trace.documents.normal import load_normal
from hansa.apps.food_trace.model.records import Capture
from hansa.apps.food_trace.routes.epcis.master_data import resolve
from hansa.apps.food_trace.routes.epcis.plan import COUNT_MAX, Plan
from hansa.apps.food_trace.routes.epcis.problems import refuse

EVENTS: Final = "events"
# Documents that one question may look into: bounds the work that one asker can ask for.
SCANNED_MAX: Final = 2_000
# Bytes of documents in one answer; what is beyond comes with the next page.
BYTES_MAX: Final = 4_000_000
_CHUNK: Final = 200


class Found(msgspec.Struct, frozen=True):
    """A page of captures; `after`: the place where the next one begins, None at the end."""

    captures: tuple[Capture, ...]
    after: Place | None = None


def find_events(desk: Desk, plan: Plan, *, after: Place | None, limit: int) -> Found:
    """The next events of a query, at most `limit`."""
    plan = resolve(desk, plan)
    kept: list[Capture] = []
    scanned = size = 0
    while True:
        page = desk.rows(
            EVENTS,
            plan.wanted,
            order=plan.order,
            descending=plan.descending,
            after=after,
            limit=min(_CHUNK, limit - len(kept)) if not plan.tests else _CHUNK,
        )
        captures = desk.records(Capture, [str(row["key"]) for row in page.rows])
        for row, place in zip(page.rows, page.places, strict=True):
            capture = captures.get(str(row["key"]))
            scanned += 1
            if capture is not None and passes(plan, capture):
                kept.append(capture)
                size += len(capture.document)
            if len(kept) >= limit or size >= BYTES_MAX or scanned >= SCANNED_MAX:
                is_last = page.next is None and place == page.places[-1]
                return Found(tuple(kept), None if is_last else place)
        if page.next is None:
            return Found(tuple(kept))
        after = page.next


def passes(plan: Plan, capture: Capture) -> bool:
    """Whether a captured event passes what only its document can tell."""
    if not plan.tests:
        return True
    fields = load_normal(capture.document)
    return all(test(fields) for test in plan.tests)


def check_count(desk: Desk, plan: Plan) -> None:
    """Refuse a query that finds more than maxEventCount says (GS1 EPCIS 2.0 clause 8.2.7.1)."""
    if not plan.most:
        return
    bound = min(plan.most, COUNT_MAX)
    count = 0
    after: Place | None = None
    while True:
        found = find_events(desk, plan, after=after, limit=_CHUNK)
        count += len(found.captures)
        if count > bound:
            raise refuse(
                413,
                "query_too_large",
                f"The query finds more than {bound} events.",
                exception="QueryTooLargeException",
                title="Query result is too large",
                remedy="Ask for less, or page with perPage and without maxEventCount.",
            )
        if found.after is None:
            return
        after = found.after


def iterate_new(
    desk: Desk, plan: Plan, more: tuple[Wanted, ...], number: int, limit: int
) -> Iterator[Found]:
    """Events captured after `number`, page by page, in the order of capture."""
    standing = msgspec.structs.replace(
        plan, wanted=(*plan.wanted, *more), order="number", descending=False
    )
    after: Place | None = (number, "\U0010ffff", 0)
    while after is not None:
        found = find_events(desk, standing, after=after, limit=limit)
        yield found
        after = found.after
