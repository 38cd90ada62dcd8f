"""A record's page: what it says, where it is in its life, who did what, what may be done now, and
the files that prove it.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import segno

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import Described, describe, need
from hansa.console.forms.shape import Shape
from hansa.console.pages.steps import list_possible
from hansa.console.people import Act, describe_act, name_all, read_history
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.states import Cycle, draw_cycle, list_ways, read_cycles
from hansa.console.values import Reader, Shown
from hansa.console.visit import Visit

# Changes that are told in full; older ones are behind a link.
_HISTORY_SHOWN: Final = 30
_RELATED_MAX: Final = 20
_QR_BORDER: Final = 2


@dataclass(frozen=True, slots=True)
class Version:
    """One change of the record: what it was, and which of its fields it changed."""

    act: Act
    changed: list[tuple[Shown, Shown]]
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """Records of another kind that hang on this one; none: its absence can be proved."""

    kind: str
    keys: list[str] = field(default_factory=list)
    absent: str = ""


@page("GET", "/apps/{app}/records/{kind}/{key...}")
async def show_record(visit: Visit) -> Answer:
    """The record."""
    about = await describe(visit, visit.parts["app"])
    kind, key = visit.parts["kind"], visit.parts["key"]
    shape = need(about.record(kind))
    owner = about.records[kind]["owner"]
    record = await visit.api.get(join_path("v1", "apps", owner, kind, key))
    versions, related, steps = await asyncio.gather(
        read_history(visit, owner, kind, key),
        _find_related(visit, about, kind, key),
        list_possible(visit, about, kind, key, record),
    )
    names = await name_all(visit, record, [each["record"] for each in versions])
    reader = Reader(about.name, visit.words, visit.writing, names)
    cycles = read_cycles(about.raw, kind, record)
    return visit.render(
        "applications/record.html",
        about=about,
        kind=kind,
        key=key,
        record=record,
        parts=[each for each in reader.show(shape, record).parts if each.text != key],
        marks=[each for each in cycles if each.is_mark],
        cycles=[
            (each, _draw(visit, about, each), list_ways(each))
            for each in cycles
            if not each.is_mark
        ],
        versions=await _tell_history(visit, shape, reader, versions),
        count=len(versions),
        related=related,
        proof_link=_proof_link,
        steps=steps,
        verify=_verify_link(about, kind, key),
        qr=_draw_qr(visit.origin + _verify_link(about, kind, key)),
        file=_name_file(about.name, kind, key),
    )


@page("GET", "/apps/{app}/proofs/{kind}/{key...}")
async def get_proof(visit: Visit) -> Answer:
    """The file that proves that a record is there, or that it is not."""
    about = await describe(visit, visit.parts["app"])
    kind, key = visit.parts["kind"], visit.parts["key"]
    if kind not in about.records:
        raise refuse_address()
    owner = about.records[kind]["owner"]
    data = await visit.api.raw(join_path("v1", "proofs", owner, kind, key))
    return visit.file(f"proof-{_name_file(owner, kind, key)}.json", "application/json", data)


def _name_file(*parts: str) -> str:
    """A file's name of any identifier: what is plain of it, and a digest that tells it apart."""
    text = "-".join(parts)
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in text)[:60]
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _verify_link(about: Described, kind: str, key: str) -> str:
    """Where the record is verified: the page takes its proof and judges it in the browser."""
    place = f"{about.records[kind]['owner']}/{kind}/{key}"
    return f"/verify?{urlencode({'record': place})}"


def _proof_link(app: str, kind: str, key: str) -> str:
    return join_path("apps", app, "proofs", kind, key)


def _draw_qr(address: str) -> str:
    """A QR code as a data address: black on white, whatever the page's colours."""
    code = segno.make(address, error="m", micro=False)
    return str(code.svg_data_uri(border=_QR_BORDER, dark="#000", light="#fff", scale=4))


def _draw(visit: Visit, about: Described, cycle: Cycle) -> str:
    words = visit.words

    def state(name: str) -> str:
        return words.of("state", name, app=about.name) if name else words("none")

    def message(name: str) -> str:
        return words.of("message", f"{about.name}.{name}")

    title = words(
        "States of {field}; at present: {state}",
        field=words.of("field", cycle.field, app=about.name),
        state=state(cycle.present),
    )
    return draw_cycle(cycle, state=state, message=message, title=title)


async def _tell_history(
    visit: Visit, shape: Shape, reader: Reader, versions: list[dict[str, Any]]
) -> list[Version]:
    """The last changes, newest first, each with the fields that it changed."""
    first = 0 if visit.query.get("history") == "all" else max(0, len(versions) - _HISTORY_SHOWN)
    acts = await asyncio.gather(
        *(describe_act(visit, each["height"], each["transaction"]) for each in versions[first:])
    )
    told = []
    for index, act in enumerate(acts, first):
        before = versions[index - 1]["record"] if index else None
        after = versions[index]["record"]
        told.append(Version(act, _compare(shape, reader, before, after), is_end=after is None))
    return told[::-1]


def _compare(
    shape: Shape,
    reader: Reader,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> list[tuple[Shown, Shown]]:
    """Fields whose value changed: as it was, as it is. Of a first version none."""
    if before is None or after is None:
        return []
    return [
        (
            reader.show(each, before.get(each.name), (before,)),
            reader.show(each, after.get(each.name), (after,)),
        )
        for each in shape.fields
        if each.kind != "constant" and before.get(each.name) != after.get(each.name)
    ]


async def _find_related(visit: Visit, about: Described, kind: str, key: str) -> list[Related]:
    """Records of the application whose identifiers begin with this one's."""
    if "/" in key:
        return []
    kinds = [
        name
        for name, each in about.records.items()
        if name != kind and each["key"] and each["key"][0] == kind
    ]
    found = await asyncio.gather(*(_find_kind(visit, about, each, key) for each in kinds))
    return [each for each in found if each is not None]


async def _find_kind(visit: Visit, about: Described, kind: str, key: str) -> Related | None:
    parts = about.records[kind]["key"]
    owner = about.records[kind]["owner"]
    try:
        if len(parts) == 1:
            await visit.api.get(join_path("v1", "apps", owner, kind, key))
            return Related(kind, [key])
        page = await visit.api.get(
            join_path("v1", "apps", owner, kind), prefix=key, limit=_RELATED_MAX
        )
    except ApiProblem as problem:
        return Related(kind, absent=key) if problem.status == 404 else None
    if page["items"]:
        return Related(kind, [str(each) for each in page["keys"]])
    is_numbered = len(parts) == 2 and parts[1] == "number"
    return Related(kind, absent=f"{key}/1" if is_numbered else "")
