"""Records of a small food chain written straight into a read model, without a contract.

What the contract would write, by hand: so that each answer of tracing can be checked for itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from hansa.appkit.application import Application
from hansa.appkit.walk import Snapshot
from hansa.apps.food_trace.model import (
    RECORDS,
    Flag,
    Item,
    LabResult,
    Portion,
    Stay,
    Step,
    Transformation,
    compute_head,
    compute_step_digest,
)
from hansa.apps.food_trace.views import TABLES
from hansa.encoding.canonical import encode_canonical
from hansa.index.shape import Shape
from hansa.index.sight import STRANGER
from hansa.index.store import Index
from hansa.index.walk import open_snapshot
from hansa.ledger.contracts import Contract
from hansa.ledger.model import Record, compute_state_key

APP = "food_trace"
HOUR = 3_600_000


def lot(product: int, name: str) -> str:
    return f"01.{product:014d}.10.{name}"


def unit(number: int) -> str:
    return f"00.{number:018d}"


def place(number: int) -> str:
    return f"414.{number:013d}.254.0"


class Shelf:
    """Records by key; `open` gives the read model that they make."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._records: dict[bytes, Record] = {}
        self._items: dict[str, Item] = {}
        self._stays: dict[tuple[str, str], Stay] = {}
        self.steps: dict[str, list[Step]] = {}
        self._number = 0
        self._opened = 0

    def put(self, record: Record) -> None:
        self._records[compute_state_key(APP, record.KIND, record.key())] = record

    def step(self, hour: int, member: str, *, type_: str = "ObjectEvent", **fields: object) -> Step:
        self._number += 1
        step = Step(
            event=f"{self._number:064x}",
            number=self._number,
            height=1,
            recorded_ms=hour * HOUR,
            time_ms=hour * HOUR,
            offset="+08:00",
            member=f"did:hansa:{member}",
            type=type_,  # type: ignore[arg-type]
            **{"action": "OBSERVE", "biz_step": "", "disposition": "", **fields},  # type: ignore[arg-type]
        )
        self.put(step)
        named = (*step.items, step.parent, *step.children, *step.inputs, *step.outputs)
        for item in dict.fromkeys(each for each in named if each):
            self._note(item, step)
        return step

    def _note(self, name: str, step: Step) -> None:
        self.steps.setdefault(name, []).append(step)
        item = self.item(name)
        changes: dict[str, object] = {
            "place": step.place,
            "member": step.member,
            "seen_ms": step.time_ms,
            "disposition": step.disposition,
            "steps": item.steps + 1,
            "head": compute_head(item.head, compute_step_digest(step)),
        }
        if name in step.outputs or (step.action == "ADD" and name in step.items):
            changes |= {"commissioned": step.event, "made_ms": step.time_ms}
            changes |= {"made_by": step.member, "made_at": step.place}
        if step.action == "DELETE" and name in step.items:
            changes["ended"] = step.event
        self.change(name, **changes)

    def item(self, name: str) -> Item:
        level = "lot" if ".10." in name else "instance"
        product = name[:17] if name.startswith("01.") else ""
        return self._items.get(name) or Item(id=name, level=level, product=product)  # type: ignore[arg-type]

    def change(self, name: str, **changes: object) -> None:
        self._items[name] = msgspec.structs.replace(self.item(name), **changes)
        self.put(self._items[name])

    def make(
        self, hour: int, member: str, where: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
    ) -> Step:
        step = self.step(
            hour,
            member,
            type_="TransformationEvent",
            action="",
            biz_step="creating_class_instance",
            place=where,
            inputs=inputs,
            outputs=outputs,
        )
        self.put(
            Transformation(
                id=step.event,
                name="",
                member=step.member,
                events=(step.event,),
                inputs=tuple(Portion(item=each) for each in inputs),
                outputs=tuple(Portion(item=each) for each in outputs),
            )
        )
        return step

    def pack(self, hour: int, member: str, where: str, parent: str, *items: str) -> None:
        step = self._pack("ADD", hour, member, where, parent, items)
        for item in items:
            self._stay(item, parent, step, since_ms=step.time_ms, entered_ms=step.time_ms)
            if ".10." not in item:
                self.change(item, parent=parent)

    def unpack(self, hour: int, member: str, where: str, parent: str, *items: str) -> None:
        step = self._pack("DELETE", hour, member, where, parent, items)
        for item in items:
            self._stay(item, parent, step, until_ms=step.time_ms)
            if ".10." not in item:
                self.change(item, parent="")

    def _pack(
        self, action: str, hour: int, member: str, where: str, parent: str, items: tuple[str, ...]
    ) -> Step:
        return self.step(
            hour,
            member,
            type_="AggregationEvent",
            action=action,
            biz_step="packing" if action == "ADD" else "unpacking",
            place=where,
            parent=parent,
            children=items,
        )

    def _stay(self, item: str, parent: str, step: Step, **times: int) -> None:
        fields = {"since_ms": 0, "entered_ms": 0, **times, "by": step.event}
        known = self._stays.get((item, parent))
        if known is None:
            stay = Stay(item=item, parent=parent, **fields)  # type: ignore[arg-type]
        else:
            stay = msgspec.structs.replace(known, by=step.event, **times)
        self._stays[(item, parent)] = stay
        self.put(stay)

    def flag(self, item: str, number: int, kind: str = "recall", **fields: object) -> None:
        values = {
            "product": "",
            "since_ms": 0,
            "until_ms": 0,
            "opened": 0,
            "opened_ms": 0,
            "jurisdiction": "CN",
            "source": "R1",
            **fields,
        }
        self.put(Flag(item=item, number=number, kind=kind, **values))  # type: ignore[arg-type]
        self.change(item, flags=(*self.item(item).flags, number))

    def result(self, item: str, verdict: str) -> None:
        self.put(
            LabResult(
                id=f"T-{item[-3:]}",
                laboratory="did:hansa:lab",
                item=item,
                test="salmonella",
                verdict=verdict,  # type: ignore[arg-type]
                sampled_ms=HOUR,
                reported_ms=2 * HOUR,
                commitment="x" * 43,
            )
        )

    @contextmanager
    def open(self) -> Iterator[Snapshot]:
        application = Application(
            name=APP, title="Food", contract=Contract(APP), records=RECORDS, tables=TABLES
        )
        self._opened += 1
        index = Index.open(f"{self._url}{self._opened}", Shape([application]), "shelf")
        changes = [(key, encode_canonical(each)) for key, each in sorted(self._records.items())]
        index.apply((), changes)
        with open_snapshot(index, APP, STRANGER) as snapshot:
            yield snapshot
        index.close()
