"""`hansa food-trace trace` and `recall`: what the node answers, as tables, JSON and CSV."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hansa.appkit.command import Door
from hansa.apps.food_trace.commands.words import Names, format_time

CUT: Final = "✗ not all of it: more is reached than one answer holds ({}); ask for fewer items"
CSV_COLUMNS: Final = (
    "member", "name", "place", "site", "town", "item", "status", "contents",
    "first", "last", "events",
)  # fmt: skip


def trace_items(door: Door, items: Sequence[str]) -> int:
    """What items were made of. 0 found, 1 the ledger knows none of them, or not all is told."""
    found = door.ask("/trace/back", [("item", item) for item in items])
    names, trace = Names(found), found["trace"]
    door.output.document(found)
    rows = [
        (
            "·" * each["steps"] + each["item"],
            "outside" if each["is_outside"] else "origin" if each["is_origin"] else "",
            format_time(each["made_ms"]),
            names.member(each["made_by"]),
            names.place(each["made_at"]),
        )
        for each in trace["ancestors"]
    ]
    door.output.table(("item", "", "made", "by", "at"), rows)
    door.output.line(f"{len(rows)} items, height {trace['height']}, digest {trace['digest']}")
    return _end(door, trace, any(each["level"] for each in trace["ancestors"]))


def recall_items(
    door: Door,
    items: Sequence[str],
    recall: str | None = None,
    csv: str | None = None,
) -> int:
    """What a recall reaches, by holder. 0 found, 1 nothing is known of it, or not all is told."""
    query = [("item", item) for item in items] + ([("recall", recall)] if recall else [])
    found = door.ask("/trace/recall", query)
    names, told = Names(found), found["recall"]
    if csv is not None:
        _write_csv(door, csv, format_csv(found))
    if csv != "-":
        door.output.document(found)
        _show_recall(door, names, told)
    return _end(door, told, bool(told["holdings"]))


def _show_recall(door: Door, names: Names, told: dict[str, Any]) -> None:
    rows = [
        (
            names.member(each["member"]),
            names.place(each["place"]),
            each["item"],
            each["status"],
            format_time(each["last_ms"]),
        )
        for each in told["holdings"]
    ]
    door.output.table(("holder", "place", "item", "", "last seen"), rows)
    holders = len({each["member"] for each in told["holdings"]})
    door.output.line(
        f"{len(told['affected'])} items affected, {holders} holders, height {told['height']}, "
        f"digest {told['digest']}"
    )


def format_csv(found: dict[str, Any]) -> str:
    """The recall list for a spreadsheet. A cell that would be a formula there begins with '."""
    names = Names(found)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for each in found["recall"]["holdings"]:
        site = names.places.get(each["place"], {})
        row = (
            each["member"],
            names.member(each["member"]),
            each["place"],
            site.get("name", ""),
            site.get("town", ""),
            each["item"],
            each["status"],
            " ".join(each["contents"]),
            format_time(each["first_ms"]),
            format_time(each["last_ms"]),
            str(each["events"]),
        )
        writer.writerow([_defuse(cell) for cell in row])
    return out.getvalue()


def _defuse(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _write_csv(door: Door, file: str, text: str) -> None:
    if file == "-":
        print(text, end="")  # the answer itself
        return
    temporary = Path(f"{file}.{os.getpid()}.new")
    temporary.write_text(text, encoding="utf-8-sig", newline="")
    temporary.replace(file)
    door.output.hint(f"{file} written")


def _end(door: Door, told: dict[str, Any], is_known: bool) -> int:
    if told["cut"]:
        door.output.hint(CUT.format(told["cut"]))
        return 1
    if not is_known:
        door.output.hint("✗ the ledger knows nothing of it")
        return 1
    return 0
