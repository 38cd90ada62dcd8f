"""Rows of the explorer's lists in the visitor's words: the same for a page and for what comes live.

Asks the visitor's API for names only.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hansa.console.asking import join_path
from hansa.console.describing import find_described
from hansa.console.forms.shape import Shape
from hansa.console.people import name_all, name_who, read_params
from hansa.console.templates import shorten
from hansa.console.values import Reader
from hansa.console.visit import Visit
from hansa.locales.words import mark

# Codes of a transaction in a list (api/views.py): all messages, none, some, invalid.
_CODES: Final = {
    0: (mark("Done"), "good"),
    1: (mark("Refused"), "bad"),
    2: (mark("In part"), "busy"),
}
_INVALID: Final = (mark("Invalid"), "bad")
_DIGITS: Final = 12


def tell_block(visit: Visit, block: Mapping[str, Any]) -> dict[str, Any]:
    """A row of blocks: texts by cell, its page, and what tells it from others (`key`)."""
    write = visit.writing
    return {
        "key": str(block["height"]),
        "href": join_path("explorer", "blocks", str(block["height"])),
        "cells": {
            "height": write.number(block["height"]),
            "time": write.when(block["time_ms"]),
            "transactions": write.number(block["transactions"]),
            "messages": write.number(block["messages"]),
            "deadlines": write.number(block["deadlines"]),
            "hash": str(block["hash"])[:_DIGITS] + "…",
        },
        "is_empty": not (block["transactions"] or block["deadlines"]),
    }


def tell_transaction(visit: Visit, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A row of transactions."""
    text, tone = _CODES.get(entry["code"], _INVALID)
    return {
        **entry,
        "href": join_path("transactions", entry["id"]),
        "short": shorten(entry["id"]),
        "result": visit.words(text),
        "tone": tone,
    }


async def tell_messages(visit: Visit, entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of messages: who sent what, and why it was refused."""
    names: dict[str, str] = {}
    rows = []
    for entry in entries:
        sender = str(entry["sender"])
        if sender and sender not in names:
            names[sender] = await name_who(visit, sender)
        code, words = entry["code"], visit.words
        params = await read_params(visit, entry["params"])
        is_deadline = str(entry["transaction"]).startswith("deadline/")
        rows.append(
            {
                **entry,
                "what": words.of("message", f"{entry['app']}.{entry['type']}"),
                "who": words("a deadline") if is_deadline else names.get(sender, ""),
                "is_refused": code != "ok",
                "why": words.of("rejection", code, default=entry["text"] or code, params=params),
                "cure": words.of("remedy", code, default=entry["remedy"], params=params),
                "href": "" if is_deadline else join_path("transactions", entry["transaction"]),
            }
        )
    return rows


async def tell_events(visit: Visit, entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of events: their words, and what they say in a line."""
    return [await tell_event(visit, each) for each in entries]


async def tell_event(visit: Visit, event: Mapping[str, Any]) -> dict[str, Any]:
    """A row of events."""
    app = str(event["app"])
    about = await find_described(visit, app)
    shape = about.event(event["type"]) if about else None
    reader = Reader(app, visit.words, visit.writing, await name_all(visit, event["body"]))
    said = reader.show(shape or Shape(str(event["type"]), "json"), event["body"])
    transaction = str(event["transaction"])
    is_deadline = not transaction or transaction.startswith("deadline")
    height = str(event["height"])
    return {
        "key": event["id"],
        "href": join_path("explorer", "blocks", height)
        if is_deadline
        else join_path("transactions", transaction),
        "block": join_path("explorer", "blocks", height),
        "said": [part for part in said.parts if part.kind != "none"],
        "cells": {
            "what": visit.words.of("event", f"{app}.{event['type']}"),
            "app": visit.words.application(app, about.title if about else app),
            "height": visit.writing.number(event["height"]),
            "said": " · ".join(
                f"{part.label}: {part.text}"
                for part in said.parts
                if part.text and part.text != "–"
            ),
        },
    }
