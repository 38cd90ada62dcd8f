"""Capture of events beside the issue of invoices, 100 in a transaction, in one run on one node.

Works in the folder that it is given: one league with the firms of both, one node, no engine.
"""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.model import CaptureEvent
from hansa.cli.bench.food_records import APP
from hansa.cli.bench.food_report import CaptureFigures
from hansa.cli.bench.signing import measure_check, read_signers
from hansa.cli.bench.stages import Clock, LoneNode, measure_blocks
from hansa.cli.bench.subject import make_league
from hansa.cli.bench.workload import EXPIRY, Workload, build_plan
from hansa.cli.demo.food.chain import Captured, FoodChain
from hansa.cli.demo.food.firms import Firm, Scale
from hansa.cli.demo.food.members import list_members
from hansa.cli.demo.food.writing import write_document
from hansa.cli.network import list_nodes
from hansa.cli.place import KEYS
from hansa.client.keys import KeyRing, Signer, open_key_file
from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.node.home import open_home

CHAIN: Final = "bench-food"
MESSAGES: Final = 100
BLOCK_TRANSACTIONS: Final = 24
# One maker, so that what a firm writes never waits for what a firm after it writes.
MARKET: Final = Scale(farm=2, processor=1, retailer=2)
STEP_MS: Final = 1_000


class Prepared(msgspec.Struct, frozen=True):
    """Transactions of both kinds in blocks, and what reading a document took per event."""

    invoices: list[list[bytes]]
    events: list[list[bytes]]
    read_us: float


def measure_capture(folder: Path, blocks: int) -> CaptureFigures:
    """So many blocks of each kind after one for warming up."""
    (folder / "user").mkdir(exist_ok=True)
    plan = build_plan()
    members, league = folder / "members.json", folder / "league"
    plan = msgspec.structs.replace(plan, members=(*plan.members, *list_members(MARKET)))
    members.write_bytes(msgspec.json.encode(plan))
    make_league(league, members, 1, CHAIN)
    home = list_nodes(league)[0].folder
    signers = read_signers(league)
    workload = Workload(CHAIN, signers[0], signers[1:])
    opening = workload.open()
    prepared = _prepare(workload, league, open_home(home).genesis.time_ms, blocks)
    with ExitStack() as stack:
        node = LoneNode(home, folder / "index.sqlite", stack)
        node.check(Clock(), [opening])
        node.decide(Clock(), [opening])
        keys = {each.kid: each.private.public for each in signers}
        check_s = measure_check(prepared.invoices[0], keys)
        invoices = measure_blocks(node, MESSAGES, prepared.invoices, check_s)
        events = measure_blocks(node, MESSAGES, prepared.events, check_s)
    return CaptureFigures(invoices=invoices, events=events, read_us=prepared.read_us)


def _prepare(workload: Workload, league: Path, time_ms: int, blocks: int) -> Prepared:
    ring = KeyRing(league / KEYS)
    wanted = (blocks + 1) * BLOCK_TRANSACTIONS
    invoices = [workload.issue(BLOCK_TRANSACTIONS, MESSAGES) for _ in range(blocks + 1)]
    count = wanted * MESSAGES + MESSAGES * 20
    food = FoodChain(1, MARKET, step_ms=STEP_MS, start_ms=time_ms - (count + 1) * STEP_MS)
    signed, read_s = [], 0.0
    for firm, captured in _collect(food, count):
        signer = open_key_file(ring.read(firm.name), None)
        document = write_document([each.event for each in captured], captured[-1].time_ms)
        data = json.dumps(document).encode()
        began = time.process_time()
        read = read_document(data)
        read_s += time.process_time() - began
        signed.append(_sign(signer, [each.document for each in read.events]))
    events = [
        signed[start : start + BLOCK_TRANSACTIONS] for start in range(0, wanted, BLOCK_TRANSACTIONS)
    ]
    return Prepared(invoices, events, read_s / (len(signed) * MESSAGES) * 1e6)


def _collect(food: FoodChain, count: int) -> list[tuple[Firm, Sequence[Captured]]]:
    """Documents of exactly 100 events, firm after firm as goods go. The last few events of each are
    left over: what would have come of them comes from outside.
    """
    by_firm: dict[str, list[Captured]] = {}
    for each in food.run(count):
        by_firm.setdefault(each.firm.name, []).append(each)
    found: list[tuple[Firm, Sequence[Captured]]] = []
    for firm in food.firms:
        captured = by_firm.get(firm.name, [])
        whole = len(captured) // MESSAGES * MESSAGES
        found += [(firm, captured[start : start + MESSAGES]) for start in range(0, whole, MESSAGES)]
    return found


def _sign(signer: Signer, documents: Sequence[str]) -> bytes:
    payload = build_payload(
        chain=CHAIN,
        expiry=EXPIRY,
        drafts=[Draft(APP, CaptureEvent(document=each)) for each in documents],
        signers=[signer.kid],
        mode="independent",
    )
    return sign_payload(payload, [(signer.kid, signer.private)])
