"""`hansa food-trace label`: a label in words, and the Digital Link of an item as a QR code."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hansa.appkit.command import Door
from hansa.apps.food_trace.commands.words import Names, format_time
from hansa.apps.food_trace.documents.qr import UnprintableLink, build_link, render_link_qr


def show_label(door: Door, item: str, base: str | None, svg: str | None) -> int:
    """Show the label. 0; 1 when the ledger does not know the item; 2 for what has no link."""
    found = door.ask(f"/trace/label/{quote(item, safe='')}", [])
    names, label = Names(found), found["label"]
    try:
        link = build_link(label["item"], base)
        code = render_link_qr(link, "svg" if svg else "terminal")
    except UnprintableLink as error:
        door.output.document({"error": {"code": "food_trace.link", "text": str(error)}})
        door.output.hint(f"✗ {error}")
        return 2
    if svg is not None:
        temporary = Path(f"{svg}.{os.getpid()}.new")
        temporary.write_text(code, encoding="utf-8")
        temporary.replace(svg)
    door.output.document({**found, "link": link, "file": svg})
    for line in format_label(label, names):
        door.output.line(line)
    door.output.line(link if svg else f"{code}\n{link}")
    return 0 if label["state"] != "unknown" else 1


def format_label(label: dict[str, Any], names: Names) -> list[str]:
    """State, origins, the way, results."""
    lines = [f"{label['item']}: {label['state']}"]
    for each in label["notices"]:
        lines.append(
            f"  ⚑ {each['kind']} {each['status'].lower()}: {each['item']} {each['source']}"
        )
    for each in label["origins"]:
        where = names.place(each["made_at"]) or "outside the league"
        lines.append(f"  from {where}, {format_time(each['made_ms'])}")
    for each in label["path"]:
        steps = ", ".join(each["biz_steps"])
        lines.append(f"  {format_time(each['first_ms'])}  {names.place(each['place'])}  {steps}")
    for each in label["results"]:
        sign = "✓" if each["verdict"] == "pass" else "✗"
        lines.append(f"  {sign} {each['test']}, {names.member(each['laboratory'])}")
    return lines
