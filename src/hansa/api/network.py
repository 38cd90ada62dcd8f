"""Route of the network: engine, peers, validators, who signed lately, who is missing for a quorum.

Addresses of peers are not given out: who may connect is a matter of the members.
"""

from collections import Counter
from typing import Final

from litestar import get

from hansa.api.door import Ledger
from hansa.api.gate import TheGate
from hansa.api.threads import threaded
from hansa.api.views import (
    EngineView,
    EvidenceEntry,
    Network,
    NodeEntry,
    PeerEntry,
    Quorum,
    ValidatorEntry,
)
from hansa.comet.commit import COMMIT
from hansa.ledger.state import Reader, get_system, scan_records
from hansa.ledger.system import Evidence, Liveness, Node, Validator
from hansa.node.engine import NetworkView

# Blocks that "signed lately" looks back.
WINDOW: Final = 20
# More validators, nodes or evidence than this are not listed.
LISTED_MAX: Final = 1_000


@get("/v1/network", tags=["service"], summary="Validators, peers and quorum")
@threaded
def get_network(gate: TheGate) -> Network:
    """The network as this node sees it."""
    return describe_network(gate.ledger)


def describe_network(ledger: Ledger) -> Network:
    """What the ledger records of validators and nodes, and what the engine says of its peers."""
    state, view = ledger.state, ledger.network()
    nodes = {each.id: each for each in scan_records(state, Node.OWNER, Node, limit=LISTED_MAX)}
    validators = scan_records(state, Validator.OWNER, Validator, limit=LISTED_MAX)
    present = find_present(view, nodes)
    signed, window = count_signed(ledger)
    return Network(
        chain=ledger.chain,
        height=ledger.height,
        sealed_height=ledger.sealed_height,
        time_ms=state.time_ms,
        window=window,
        engine=None if view is None else _describe_engine(view),
        peers=[] if view is None else _list_peers(view, nodes),
        validators=_list_validators(state, validators, signed, present),
        nodes=[
            NodeEntry(node=each.id, member=each.member, kind=each.kind) for each in nodes.values()
        ],
        quorum=judge_quorum(validators, present),
        evidence=[
            EvidenceEntry(
                address=each.address,
                member=each.member,
                kind=each.kind,
                height=each.height,
                time_ms=each.time_ms,
                outcome=each.outcome,
            )
            for each in scan_records(state, Evidence.OWNER, Evidence, limit=LISTED_MAX)
        ],
    )


def find_present(view: NetworkView | None, nodes: dict[str, Node]) -> set[str] | None:
    """Members who have a node among this one and its peers; None where there is no network."""
    if view is None:
        return None
    here = {peer.id for peer in view.peers} | ({view.node_id} if view.is_reachable else set())
    return {nodes[each].member for each in here if each in nodes}


def count_signed(ledger: Ledger) -> tuple[Counter[str], int]:
    """How many of the last blocks each address signed, and of how many."""
    newest = ledger.sealed_height
    first = max(ledger.heights()[0], newest - WINDOW + 1)
    signed: Counter[str] = Counter()
    window = 0
    for height in range(first, newest + 1):
        try:
            commit = ledger.commit(height)
        except LookupError:  # pruned this very moment
            continue
        window += 1
        signed.update(each.address.hex() for each in commit.signatures if each.flag == COMMIT)
    return signed, window


def judge_quorum(validators: list[Validator], present: set[str] | None) -> Quorum:
    """More than two thirds of the power decide; whose is not here."""
    total = sum(each.effective_power for each in validators)
    voting = [each for each in validators if each.effective_power]
    missing = [each for each in voting if not _is_present(each, present)]
    return Quorum(
        total=total,
        needed=total * 2 // 3 + 1,
        connected=total - sum(each.effective_power for each in missing),
        missing=[each.member or each.address for each in missing],
    )


def _is_present(validator: Validator, present: set[str] | None) -> bool:
    return present is None or validator.member in present


def _describe_engine(view: NetworkView) -> EngineView:
    return EngineView(
        version=view.version,
        node=view.node_id,
        is_running=view.is_running,
        is_reachable=view.is_reachable,
        catching_up=view.catching_up,
        height=view.height,
        restarts=view.restarts,
        last_exit=view.last_exit,
        outstanding=view.outstanding,
    )


def _list_peers(view: NetworkView, nodes: dict[str, Node]) -> list[PeerEntry]:
    found = []
    for peer in view.peers:
        known = nodes.get(peer.id)
        found.append(
            PeerEntry(
                node=peer.id,
                member=known.member if known else "",
                kind=known.kind if known else "",
                direction=peer.direction,
            )
        )
    return found


def _list_validators(
    state: Reader, validators: list[Validator], signed: Counter[str], present: set[str] | None
) -> list[ValidatorEntry]:
    liveness = get_system(state, Liveness, *Liveness().key())
    last = {each.address: each for each in liveness.signed} if liveness else {}
    found = []
    for each in validators:
        seen = last.get(each.address)
        found.append(
            ValidatorEntry(
                address=each.address,
                member=each.member,
                power=each.power,
                state=each.state,
                since=each.since,
                signed=signed[each.address],
                last_height=seen.height if seen else 0,
                last_time_ms=seen.time_ms if seen else 0,
                connected=_is_present(each, present),
            )
        )
    return found
