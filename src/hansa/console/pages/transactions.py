"""What became of a transaction: each message's result with its words, events, receipts."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import Described, find_described
from hansa.console.forms.shape import Shape
from hansa.console.people import Change, list_changes, list_records, name_all, name_who, read_params
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.values import Reader, Shown
from hansa.console.visit import Visit

_ID: Final = re.compile(r"[0-9a-f]{64}")
# Messages that are shown with what they say and brought about; of a bulk the others are a table.
_TOLD_MAX: Final = 3
_ROWS_MAX: Final = 500
_RECORDS_MAX: Final = 2
# So long a page waits for the block of what was just sent.
_WAIT_S: Final = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """One message: its result in words; what it said and brought about, where one sees it."""

    index: int
    app: str
    message: str
    code: str
    text: str
    remedy: str
    rule: str
    receipt: str
    who: str
    body: Shown | None = None
    events: tuple[tuple[str, Shown], ...] = ()
    changes: tuple[Change, ...] = ()
    records: tuple[tuple[str, str, str], ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether it passed."""
        return self.code == "ok"


@page("GET", "/transactions/{id}")
async def show_transaction(visit: Visit) -> Answer:
    """A transaction by its id."""
    identity = visit.parts["id"]
    if _ID.fullmatch(identity) is None:
        raise refuse_address()
    found = await visit.api.get(join_path("v1", "transactions", identity), wait=_WAIT_S)
    messages = found["messages"]
    told = _choose(visit, messages)
    outcomes = await asyncio.gather(
        *(_tell(visit, identity, messages[index]) for index in sorted(told))
    )
    refused = sum(each["code"] != "ok" for each in messages)
    return visit.render(
        "applications/transaction.html",
        transaction=found,
        outcomes=outcomes,
        rows=[_describe_row(visit, each) for each in messages[:_ROWS_MAX]],
        is_bulk=len(messages) > _TOLD_MAX,
        refused=refused,
        told=told,
    )


@page("GET", "/transactions/{id}/receipts/{number}")
async def get_receipt(visit: Visit) -> Answer:
    """The receipt file of one message, byte for byte."""
    identity, number = visit.parts["id"], visit.parts["number"]
    if _ID.fullmatch(identity) is None or not re.fullmatch(r"[0-9]{1,4}", number):
        raise refuse_address()
    path = join_path("v1", "transactions", identity, "messages", number, "receipt")
    data = await visit.api.raw(path)
    return visit.file(f"receipt-{identity[:16]}-{number}.json", "application/json", data)


@page("GET", "/refusals/{code}")
async def show_refusal(visit: Visit) -> Answer:
    """The words of a refusal for our scripts, which got it from the API itself."""
    params = {
        name.removeprefix("p."): value
        for name, value in visit.query.items()
        if name.startswith("p.")
    }
    code = visit.parts["code"]
    text, remedy = visit.query.get("detail", code), visit.query.get("remedy", "")
    words = visit.words
    return visit.json(
        {
            "text": words.of("rejection", code, default=text, params=params),
            "remedy": words.of("remedy", code, default=remedy, params=params),
        }
    )


def _choose(visit: Visit, messages: list[dict[str, Any]]) -> set[int]:
    """Which messages are told in full: all of a few, of a bulk the one that is asked for."""
    if len(messages) <= _TOLD_MAX:
        return set(range(len(messages)))
    asked = visit.query.get("message", "")
    return {int(asked)} & set(range(len(messages))) if re.fullmatch("[0-9]{1,4}", asked) else set()


def _describe_row(visit: Visit, message: Mapping[str, Any]) -> dict[str, Any]:
    app, _sep, rest = message["type"].partition("/")
    return {**message, "app": app, "name": rest.partition("/")[0], **_words(visit, message)}


def _words(visit: Visit, message: Mapping[str, Any]) -> dict[str, str]:
    code, params, words = message["code"], message.get("params", {}), visit.words
    if code == "ok":
        return {"text": "", "remedy": ""}
    return {
        "text": words.of("rejection", code, default=message["text"] or code, params=params),
        "remedy": words.of("remedy", code, default=message["remedy"], params=params),
    }


async def _tell(visit: Visit, identity: str, message: Mapping[str, Any]) -> Outcome:
    params = await read_params(visit, message.get("params", {}))
    row = _describe_row(visit, {**message, "params": params})
    outcome = Outcome(
        index=row["index"],
        app=row["app"],
        message=row["name"],
        code=row["code"],
        text=row["text"],
        remedy=row["remedy"],
        rule=row["rule"],
        receipt=join_path("transactions", identity, "receipts", str(row["index"]))
        if row["receipt"]
        else "",
        who=await name_who(visit, row["sender"]) if row["sender"] else "",
    )
    receipt = await _read_receipt(visit, row)
    about = await find_described(visit, row["app"]) if row["app"] else None
    if receipt is None or about is None:
        return outcome
    return await _add_content(visit, outcome, about, receipt)


async def _read_receipt(visit: Visit, row: Mapping[str, Any]) -> dict[str, Any] | None:
    if not row["receipt"]:
        return None
    try:
        receipt: dict[str, Any] = await visit.api.get(row["receipt"])
    except ApiProblem:
        return None
    return receipt


async def _add_content(
    visit: Visit, outcome: Outcome, about: Described, receipt: Mapping[str, Any]
) -> Outcome:
    """What the message said, its events, and of a refusal who changed the record last."""
    body = (receipt.get("message") or {}).get("body")
    events = receipt.get("events") or []
    reader = Reader(about.name, visit.words, visit.writing, await name_all(visit, body, events))
    shape = about.message(outcome.message)
    changes: list[Change] = []
    if body is not None and shape is not None and not outcome.is_done:
        changes = await list_changes(visit, about, shape, body)
    return replace(
        outcome,
        body=reader.show(shape, body) if body is not None and shape else None,
        events=tuple([await _tell_event(visit, each) for each in events]),
        changes=tuple(changes),
        records=await _find_records(visit, about, shape, body, events),
    )


async def _find_records(
    visit: Visit,
    about: Described,
    shape: Shape | None,
    body: Mapping[str, Any] | None,
    events: Sequence[Mapping[str, Any]],
) -> tuple[tuple[str, str, str], ...]:
    """(application, kind, key) of the records that events and message name, a few."""
    found = []
    for event in events:
        told = await find_described(visit, str(event["app"]))
        its = told.event(event["type"]) if told else None
        found += list(list_records(told.name, its, event["body"])) if told and its else []
    if body is not None and shape is not None:
        found += list(list_records(about.name, shape, body))
    return tuple(dict.fromkeys(found))[:_RECORDS_MAX]


async def _tell_event(visit: Visit, event: Mapping[str, Any]) -> tuple[str, Shown]:
    about = await find_described(visit, str(event["app"]))
    shape = about.event(event["type"]) if about else None
    names = await name_all(visit, event["body"])
    reader = Reader(str(event["app"]), visit.words, visit.writing, names)
    found = shape or Shape(str(event["type"]), "json")
    return f"{event['app']}.{event['type']}", reader.show(found, event["body"])
