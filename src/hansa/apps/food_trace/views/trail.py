"""The public trail to rows: items of events, links for closures, what is in what, items. Pure."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from hansa.appkit.application import Row
from hansa.apps.food_trace.identifiers import level_of
from hansa.apps.food_trace.model import Item, Stay, Step, Transformation

# A transformation stands between items in the links under this mark and its record's id, so that m
# inputs and n outputs are m + n links. No element form begins with it.
MAKING: Final = "="


def list_step_items(step: Step) -> list[Row]:
    """One row per item of an event and its role there: epc, parent, child, input or output."""
    return [
        {
            "item": item,
            "role": role,
            "level": find_level(item),
            "member": step.member,
            "place": step.place,
            "biz_step": step.biz_step,
            "number": step.number,
            "time_ms": step.time_ms,
        }
        for role, item in _list_roles(step)
    ]


def _list_roles(step: Step) -> Iterator[tuple[str, str]]:
    """(role, item), each once."""
    yield from (("epc", each) for each in step.items)
    if step.parent:
        yield "parent", step.parent
    for role, items in (("child", step.children), ("input", step.inputs), ("output", step.outputs)):
        yield from ((role, each) for each in items)


@lru_cache(maxsize=4_096)
def find_level(item: str) -> str:
    """instance, lot or class by the form of an identifier; "" for what is no GS1 key."""
    level = level_of(item)
    return level if level in ("lot", "class", "") else "instance"


def list_links(made: Transformation) -> list[Row]:
    """One row per input, to the transformation, and per output, from it.

    A class without a lot is an input like any other; as an output it leads nowhere: what was made
    of some of it, was not made of this.
    """
    node = MAKING + made.id
    inputs = dict.fromkeys(each.item for each in made.inputs)
    outputs = dict.fromkeys(each.item for each in made.outputs)
    into: list[Row] = [{"source": item, "target": node} for item in inputs]
    out: list[Row] = [
        {"source": node, "target": item} for item in outputs if find_level(item) != "class"
    ]
    return into + out


def project_stay(stay: Stay) -> Row:
    """One row per item and what it is, or was, in."""
    return {
        "source": stay.parent,
        "target": stay.item,
        "since_ms": stay.since_ms,
        "until_ms": stay.until_ms,
    }


def project_item(item: Item) -> Row:
    """One row per object, lot or class."""
    return {
        "id": item.id,
        "level": item.level,
        "product": item.product,
        "disposition": item.disposition,
        "place": item.place,
        "member": item.member,
        "parent": item.parent,
        "made_by": item.made_by,
        "made_at": item.made_at,
        "commissioned": item.commissioned,
        "ended": item.ended,
        "accounts": " ".join(
            f"{each.made}/{each.used}e-{each.scale}{each.uom}" for each in item.accounts
        ),
        "made_ms": item.made_ms or None,
        "ended_ms": item.ended_ms or None,
        "seen_ms": item.seen_ms or None,
        "flags": len(item.flags),
        "cleared": item.cleared,
        "steps": item.steps,
    }
