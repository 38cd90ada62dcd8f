"""The workload of a simulated run: acts drawn from the seed, and the signed bytes of each. Pure.

What people do stands in `workload_acts`, what bad senders do in `workload_bad`.
"""

from types import MappingProxyType
from typing import Final

import msgspec

from hansa.client.transactions import build_payload, compute_transaction_id
from hansa.crypto.hashing import sha256
from hansa.testing.simulation import workload_food, workload_members, workload_trust
from hansa.testing.simulation.plan import BLOCK_MS, Act, chance, pick
from hansa.testing.simulation.workload_acts import ACTS, STEPS, Cue, Sent, label
from hansa.testing.simulation.workload_bad import (
    BLOCK_SAYS,
    BYTES,
    COPIES,
    DOOR_SAYS,
    LIFE,
    MESSAGES,
    Carried,
    build_plain,
    join,
    sign,
)
from hansa.testing.simulation.workload_league import build_genesis, build_registry

# Importing a room of acts adds them to ACTS.
ROOMS: Final = (workload_members, workload_food, workload_trust)
# Of what is drawn, one in so many is bad.
BAD_ONE_IN: Final = 6
# In one run of so many the league's validators change.
NEWCOMER_ONE_IN: Final = 3
# From a spoilt copy to the same bytes again.
AGAIN_MS: Final = 60
# Words and numbers (1 to so many) that an argument may be.
_WORDS: Final = MappingProxyType(
    {
        "what": ("parameter", "freeze", "unfreeze", "power", "unfreeze", "root"),
        "step": (*STEPS, "submit", "submit", "submit", "pay", "pay", "deliver", "use", "ask_red"),
        "then": ("", "", "", "", "pay", "pay post"),
        "who": ("chair", "chair", "deputy"),
        "choice": ("yes", "no"),
    }
)
_NUMBERS: Final = MappingProxyType(
    {
        "tally": 7,
        "by": 50,
        "count": 4,
        "for_ms": 4_000,
        "validator": 4,
        "proposal": 6,
        "slot": 2,
    }
)
# Kind, how often it is drawn, and the arguments that it needs.
_DRAWN: Final[tuple[tuple[str, int, str], ...]] = (
    ("issue", 10, "invoice twice"),
    ("step", 16, "old step then"),
    ("credit", 3, "old"),
    ("hold", 2, "old for_ms"),
    ("add", 8, "tally by count"),
    ("add_and_refuse", 3, "tally atomic"),
    ("take", 4, "tally anew"),
    ("add_later", 4, "tally by for_ms"),
    ("break", 1, ""),
    ("contact", 2, ""),
    ("grant", 2, "withdraw"),
    ("propose", 3, "what who validator"),
    ("vote", 2, "proposal who choice"),
    ("rotate", 1, "generation"),
    ("rotated", 2, "generation"),
    ("spend", 1, ""),
    ("capture", 8, "batch"),
    ("test", 1, "batch"),
    ("recall", 1, "batch slot withdraw"),
    ("mandate", 2, "slot for_ms withdraw"),
    ("use", 3, "slot by"),
    ("holding", 1, "slot withdraw"),
    ("consent", 2, "slot for_ms withdraw"),
    ("access", 2, "slot"),
    ("evidence", 1, "slot"),
    ("witness", 2, "slot"),
    ("status", 3, "slot by"),
    ("schema", 1, "slot withdraw"),
    ("accredit", 1, "slot withdraw"),
)
_KINDS: Final = tuple(kind for kind, often, _args in _DRAWN for _ in range(often))
_NEEDS: Final = MappingProxyType({kind: args.split() for kind, _often, args in _DRAWN})
_BAD: Final = (*DOOR_SAYS, "spoilt", "spoilt", "twin", "twin", "again", "again", *BLOCK_SAYS)


class Workload:
    """Signs the acts of one run. `genesis` and `registry` are those of the league that they need.

    It remembers what it signed: some acts are copies of earlier ones.
    """

    def __init__(self, chain: str, time_ms: int, validators: int, nodes: int) -> None:
        self.chain = chain
        self.registry = build_registry()
        self.genesis = build_genesis(chain, time_ms, validators, nodes, self.registry)
        self._carried: dict[int, Carried] = {}
        self._ids: dict[str, str] = {}

    def sign(self, act: Act, height: int, time_ms: int) -> bytes:
        """The bytes of an act. `height`: the last block of the node whose door it goes to;
        `time_ms`: block time there.
        """
        cue = Cue(act, height, time_ms, self._ids)
        if act.kind in BYTES:
            return BYTES[act.kind](self, cue)
        build = ACTS.get(act.kind) or MESSAGES[act.kind]
        return self.carry(cue, build(cue), height + (cue.get("life") or LIFE)).data

    def carry(self, cue: Cue, sent: Sent, expiry: int, chain: str = "") -> Carried:
        """Sign under an id that belongs to the act's number, and remember."""
        payload = build_payload(
            chain=chain or self.chain,
            expiry=expiry,
            drafts=sent.drafts,
            signers=[each.kid for each in sent.signers],
            mode=sent.mode,
            unique=sha256(f"{self.chain}/{cue.number}".encode())[:16],
        )
        signatures = sign(sent.signers, payload)
        carried = Carried(payload, sent.signers, join(sent.signers, payload, signatures))
        self._carried[cue.number] = carried
        self._ids[label(cue.act)] = compute_transaction_id(payload)
        return carried

    def find(self, cue: Cue) -> Carried:
        """What the act copies; something of its own when that was left out of the plan."""
        found = self._carried.get(cue.get("of"))
        return found or self.carry(cue, build_plain(cue), cue.height + LIFE)


def draw_acts(seed: int, count: int, blocks: int, nodes: int) -> tuple[Act, ...]:
    """So many acts and their copies, in order of time, over `blocks` blocks, at `nodes` doors."""
    times = sorted(chance(seed, "act", n, "at") % (blocks * BLOCK_MS) for n in range(1, count))
    acts = [Act(number=1, kind="open", at_ms=0, node=1)]
    copies: list[Act] = []
    issued = captured = 0
    for number, at_ms in enumerate(times, 2):
        kind = _draw_kind(seed, number)
        args = _draw_args(seed, number, kind, issued, captured)
        issued, captured = issued + (kind == "issue"), captured + (kind == "capture")
        node = 1 + chance(seed, "act", number, "node") % nodes
        acts.append(Act(number=number, kind=kind, at_ms=at_ms, node=node, args=args))
        if kind in COPIES:
            acts[-1] = _follow(acts[-1], acts[int(args.get("of", 1)) - 1])
        if kind == "spoilt":  # whoever refused it is asked once more
            copies.append(_ask_again(acts[-1], count))
        elif kind == "forged":  # the copy of what was never right is as wrong
            spoilt = msgspec.structs.replace(acts[-1], kind="spoilt", args={"of": number})
            copies.append(_ask_again(spoilt, count))
    if not chance(seed, "newcomer") % NEWCOMER_ONE_IN:
        copies += _draw_newcomer(seed, 4 * count, blocks, nodes)
    return tuple(sorted((*acts, *copies), key=lambda act: (act.at_ms, act.number)))


def _draw_newcomer(seed: int, first: int, blocks: int, nodes: int) -> list[Act]:
    """The last node becomes a validator, or is one already; later it leaves."""
    steps = [("propose", what) for what in ("remove_node", "admit_node", "approve")]
    steps += [("activate", ""), ("resign", "")]
    at_ms, acts = chance(seed, "newcomer", "at") % (blocks * BLOCK_MS // 3), []
    for place, (kind, what) in enumerate(steps):
        args: dict[str, int | str] = {"validator": nodes}
        if what:
            args["what"] = what
        at_ms += BLOCK_MS * (2 + chance(seed, "newcomer", place) % 4)
        acts.append(Act(number=first + place, kind=kind, at_ms=at_ms, node=1, args=args))
    return acts


def _ask_again(act: Act, count: int) -> Act:
    """The same bytes at the same door, a little later."""
    return msgspec.structs.replace(act, number=act.number + 2 * count, at_ms=act.at_ms + AGAIN_MS)


def _follow(act: Act, of: Act) -> Act:
    """A copy comes while the original waits: half of them where it waits, half elsewhere."""
    if act.kind == "again":
        return act
    node = of.node if act.number % 4 < 2 else act.node
    return msgspec.structs.replace(act, at_ms=of.at_ms + 10 + act.number % 60, node=node)


def _draw_kind(seed: int, number: int) -> str:
    is_bad = not chance(seed, "act", number, "bad") % BAD_ONE_IN
    return pick(_BAD if is_bad else _KINDS, seed, "act", number, "kind")


def _draw_args(
    seed: int, number: int, kind: str, issued: int, captured: int
) -> dict[str, int | str]:
    names = _NEEDS.get(kind, ("of",) if kind in COPIES else ())
    args = {name: _draw_arg(seed, number, name, issued) for name in names}
    if "batch" in args:
        args["batch"] = captured
    if "old" in args:
        args["invoice"] = args.pop("old")
    if not chance(seed, "act", number, "short") % 8:
        args["life"] = 1 + chance(seed, "act", number, "life") % 3
    return {name: value for name, value in args.items() if value not in (0, "")}


def _draw_arg(seed: int, number: int, name: str, issued: int) -> int | str:
    """An argument by its name. `old`: one of the last invoices; `of`: one of the last acts."""
    drawn = chance(seed, "act", number, name)
    if name in _WORDS:
        return _WORDS[name][drawn % len(_WORDS[name])]
    if name in _NUMBERS:
        return 1 + drawn % _NUMBERS[name]
    found = {
        "invoice": issued,
        "old": max(0, issued - 1 - drawn % 4),
        "of": max(1, number - 1 - drawn // 3 % (60 if drawn % 3 == 0 else 5)),
        "generation": 1 + drawn % 2 + number // 80,
    }
    return found.get(name, int(drawn % 6 == 0))


__all__ = ["BLOCK_SAYS", "COPIES", "DOOR_SAYS", "Workload", "draw_acts"]
