"""What food firms and their authorities do: the model food chain, event by event. Pure.

More acts, as in `workload_acts`.
"""

import json
from functools import lru_cache
from typing import Final, NamedTuple

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.model import CaptureEvent
from hansa.apps.food_trace.model import messages as m
from hansa.cli.demo.food.chain import FoodChain
from hansa.cli.demo.food.firms import VILLAGE
from hansa.cli.demo.food.members import APP, AUTHORITIES, LABORATORY
from hansa.cli.demo.food.writing import write_document
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.testing.simulation.workload_acts import Cue, Sent, register, send

# More than a run of 200 acts captures; one after the other of a firm go into one transaction.
EVENTS: Final = 400
TOGETHER_MAX: Final = 4
REGULATOR: Final = AUTHORITIES["CN"][0]
# Of what a recall or a test is: among so many lots that were made last.
RECENT: Final = 6


class Batch(NamedTuple):
    """Events of one firm in order, as normal documents; `made`: lots that come into being."""

    firm: str
    documents: tuple[str, ...]
    made: tuple[str, ...]


@lru_cache(1)
def list_batches() -> tuple[Batch, ...]:
    """All that the model food chain captures, from its first event on."""
    chain, batches = FoodChain(1, VILLAGE), list[Batch]()
    known: set[str] = set()
    for firm, event, time_ms in chain.run(EVENTS):
        data = json.dumps(write_document([event], time_ms)).encode()
        documents = tuple(each.document for each in read_document(data).events)
        made = tuple(each for each in _list_lots(event) if each not in known)
        known.update(made)
        last = batches[-1] if batches else None
        if last is not None and last.firm == firm.name and len(last.documents) < TOGETHER_MAX:
            batches[-1] = Batch(firm.name, last.documents + documents, last.made + made)
        else:
            batches.append(Batch(firm.name, documents, made))
    return tuple(batches)


def _list_lots(event: dict[str, object]) -> list[str]:
    """Lots of which an event names an amount."""
    found: list[str] = []
    for name in ("quantityList", "outputQuantityList"):
        amounts = event.get(name, ())
        if isinstance(amounts, list):
            found += [each["epcClass"] for each in amounts]
    return found


def find_batch(cue: Cue) -> Batch:
    """The batch with the act's number; those of a longer run begin anew, and are refused."""
    batches = list_batches()
    return batches[cue.get("batch") % len(batches)]


def find_lot(cue: Cue) -> str:
    """A lot that the chain made lately, in element form."""
    batches = list_batches()
    end = cue.get("batch") % len(batches) + 1
    made = [lot for batch in batches[:end] for lot in batch.made][-RECENT:]
    return element_of(made[cue.number % len(made)]) if made else "01.none"


@register
def do_capture(cue: Cue) -> Sent:
    """A firm captures what it did next."""
    batch = find_batch(cue)
    return send(batch.firm, APP, *(CaptureEvent(document=each) for each in batch.documents))


@register
def do_test(cue: Cue) -> Sent:
    """The laboratory tests a lot; a failed one is flagged."""
    name = f"result-{cue.number}"
    result = m.ReportResult(
        result=name,
        item=find_lot(cue),
        test="salmonella",
        verdict="fail" if cue.number % 2 else "pass",
        sampled_ms=cue.time_ms,
        commitment=encode_base64url(sha256(name.encode())),
    )
    return send(LABORATORY, APP, result)


@register
def do_recall(cue: Cue) -> Sent:
    """The authority recalls a lot and what was made of it, or closes an earlier recall."""
    name = f"recall-{cue.get('slot')}"
    if cue.get("withdraw"):
        return send(REGULATOR, APP, m.CloseRecall(recall=name, outcome="completed"))
    opened = m.OpenRecall(recall=name, items=(find_lot(cue),), reason="microbiological")
    return send(REGULATOR, APP, opened)
