"""Master data of an account: kept beside its named queries, and what queries ask of it (EPCIS 2.0
clauses 6.5, 8.2.7.1). Through the desk only.

It is what a firm says of its own places and goods, for its own questions at this gateway: it is not
on the ledger, and nobody else is shown it.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from hansa.appkit.route import AnyOf, Condition, Desk, Wanted
from hansa.apps.food_trace.documents.master_data import Element
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.routes.epcis.plan import (
    COLUMNS,
    PLACES,
    Attribute,
    Plan,
    build_word,
    relate_classes,
)
from hansa.apps.food_trace.routes.epcis.problems import refuse
from hansa.crypto.hashing import sha256
from hansa.ledger.rejections import Rejection

NOTE: Final = "vocabulary/"
# Elements of one account: each question of attributes looks at all of them.
ELEMENTS_MAX: Final = 5_000
# Steps down from a place to what is in it.
_DEPTH_MAX: Final = 20


def keep(desk: Desk, elements: Iterable[Element]) -> None:
    """Keep elements in the place of those of the same type and id. Raises Trouble."""
    prefix = f"{NOTE}{desk.viewer.account}/"
    puts = {
        prefix + sha256(f"{each.type}\n{each.id}".encode()).hex()[:40]: msgspec.json.encode(each)
        for each in elements
    }
    if not puts:
        return
    known = {name for name, _value in desk.notebook.list(prefix, "", ELEMENTS_MAX)}
    if len(known | set(puts)) > ELEMENTS_MAX:
        raise refuse(
            413,
            "too_much_master_data",
            f"This gateway keeps at most {ELEMENTS_MAX} vocabulary elements of an account.",
            remedy="Send what events are asked by, or ask for the places and classes themselves.",
        )
    desk.notebook.change(puts)


def list_elements(desk: Desk) -> list[Element]:
    """All that the asker's account has given."""
    found = desk.notebook.list(f"{NOTE}{desk.viewer.account}/", "", ELEMENTS_MAX)
    return [msgspec.json.decode(value, type=Element) for _name, value in found]


def resolve(desk: Desk, plan: Plan) -> Plan:
    """The plan with its questions of master data answered by what is known now."""
    if not plan.attributes and not plan.within:
        return plan
    elements = list_elements(desk)
    wanted = [
        *plan.wanted,
        *(_match(elements, each) for each in plan.attributes),
        *(
            AnyOf((each.condition, Condition(each.column, "in", _descend(elements, each.ids))))
            for each in plan.within
        ),
    ]
    return msgspec.structs.replace(plan, wanted=tuple(wanted), attributes=(), within=())


def _match(elements: Iterable[Element], asked: Attribute) -> Wanted:
    """Events whose field names an element with such an attribute."""
    ids = [each.id for each in elements if _has(each, asked)]
    if asked.field in PLACES:
        return Condition(PLACES[asked.field], "in", _to_elements(ids))
    if asked.field in COLUMNS:
        return Condition(
            COLUMNS[asked.field], "in", tuple(build_word(asked.field, each) for each in ids)
        )
    return relate_classes(ids)


def _has(element: Element, asked: Attribute) -> bool:
    if asked.values is None:
        return any(name in element.attributes for name in asked.names)
    found = element.attributes.get(asked.names[0], ())
    return any(text in asked.values for text in found)


def _descend(elements: Iterable[Element], ids: Collection[str]) -> tuple[str, ...]:
    """Element forms of all that is in these places, directly or not."""
    children: dict[str, set[str]] = {}
    for each in elements:
        for parent in _to_elements([each.id]):
            children.setdefault(parent, set()).update(_to_elements(each.children))
    found, front = set(ids), set(ids)
    for _step in range(_DEPTH_MAX):
        front = {child for each in front for child in children.get(each, ())} - found
        if not front:
            break
        found |= front
    return tuple(sorted(found))


def _to_elements(uris: Iterable[str]) -> tuple[str, ...]:
    """Element forms; what is no place that a rule knows is no place of an event."""
    found = []
    for uri in uris:
        try:
            found.append(element_of(uri))
        except Rejection:
            continue
    return tuple(found)
