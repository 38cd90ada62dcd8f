"""A plan: all that happens in a simulated run, drawn from its seed before anything runs. Pure.

A plan is JSON and made of lists, so that whatever is not needed can be left out of it.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

# Simulated milliseconds of a block as they usually come, and so of the storm: `blocks` of them.
BLOCK_MS: Final = 250
# How long a network has to be well again after the storm.
CALM_MS: Final = 60_000
START_MS: Final = 1_780_000_000_000
CHAIN: Final = "simulated-1"

PROFILES: Final = (
    "calm",
    "crash",
    "disk",
    "network",
    "upgrade",
    "sync",
    "mixed",
    "real-limits",
)

VARIANTS: Final = ("dropped", "kept", "torn")
FAMILIES: Final = ("records", "buckets", "blocks")
# What a bad proposal adds to an honest one, or does to it; a foreign one is right all the same.
BAD_PROPOSALS: Final = ("bytes", "double", "spoilt", "too_many", "past", "spent")
FOREIGN_PROPOSALS: Final = ("empty", "part", "reversed")
_ANY: Final = range(2**31)
_HOUR_MS: Final = 3_600_000
_TEN_YEARS_MS: Final = 315_360_000_000


class Kind(msgspec.Struct, frozen=True):
    """A kind of fault: its group in docs/simulation.md, the profiles that draw it, and what its
    `value` and `text` may be. `rotten`: it makes a node's word worthless, so that never more than a
    third of the votes have it. `votes`: it is a validator's.
    """

    group: str
    profiles: tuple[str, ...]
    values: Sequence[int] = (0,)
    texts: Sequence[str] = ("",)
    rotten: bool = False
    votes: bool = False


_CRASH: Final = ("crash", "mixed")
_DISK: Final = ("disk", "mixed")
_LINKS: Final = ("network", "mixed")
_SYNC: Final = ("sync", "mixed")
KINDS: Final[dict[str, Kind]] = {
    "crash": Kind("F1", (*_CRASH, "sync"), texts=VARIANTS),
    "crash_at_commit": Kind("F1", _CRASH, range(9), VARIANTS),
    "crash_at_sync": Kind("F1", _SYNC, range(3), VARIANTS),
    "crash_finalized": Kind("F1", _CRASH, texts=VARIANTS),
    "crash_following": Kind("F1", _CRASH, texts=VARIANTS),
    "restart": Kind("F1", (*_CRASH, "network")),
    "rot_seen": Kind("F3", _DISK, _ANY, FAMILIES, rotten=True),
    "rot_unseen": Kind("F3", ("disk",), _ANY, FAMILIES, rotten=True),
    "disk_full": Kind("F4", _DISK),
    "disk_breaks": Kind("F4", _DISK, texts=VARIANTS),
    "disk_slow": Kind("F4", _DISK, (5, 50, 500)),
    "clock_jump": Kind("F5", (*_LINKS, "crash"), (-_HOUR_MS, -1_000, 1_000, _HOUR_MS)),
    "clock_years": Kind("F5", _LINKS, (_TEN_YEARS_MS,), rotten=True),
    "cut": Kind("F6", (*_LINKS, "sync"), range(1, 2**10)),
    "cut_one_way": Kind("F6", _LINKS, range(1, 2**10)),
    "loss": Kind("F6", _LINKS, (10, 30, 60)),
    "twice": Kind("F6", _LINKS, (10, 30, 60)),
    "late": Kind("F6", _LINKS, (10, 30, 60)),
    "pool_emptied": Kind("F6", _LINKS),
    "pool_full": Kind("F6", _LINKS),
    "rpc_away": Kind("F6", _LINKS),
    "rounds": Kind("F7", (*_LINKS, "crash"), (1, 2, 3, 4)),
    "foreign_proposal": Kind("F7", _LINKS, texts=FOREIGN_PROPOSALS, votes=True),
    "bad_proposal": Kind("F7", _LINKS, texts=BAD_PROPOSALS, rotten=True, votes=True),
    "nil_votes": Kind("F7", _LINKS, votes=True),
    "absent_votes": Kind("F7", _LINKS, votes=True),
    "evidence": Kind("F7", _LINKS, rotten=True, votes=True),
    "join": Kind("F10", _SYNC, _ANY),
    "lying_chunks": Kind("F10", _SYNC, _ANY, rotten=True),
    "index_older": Kind("F11", (*_DISK, "crash")),
    "index_newer": Kind("F11", ("disk",)),
    "backup": Kind("F12", _DISK),
}
# Profiles that have changes of the league now and then, and numbers of the acts that make them.
_OFTEN: Final = ("network", "mixed", "real-limits")
_CHANGES: Final = 9_000
# By this digest governance names the code of the later version: that of the name "tally2".
UPGRADED: Final = hashlib.sha256(b"tally2").hexdigest()
LENGTHS_MS: Final = (100, 300, 1_000, 3_000)


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody does: a transaction at the door of `node` (from 1), at `at_ms` of the run.

    `number` is unique and stays when others are left out. What `kind` and `args` mean is the
    workload's.
    """

    number: int
    kind: str
    at_ms: int
    node: int
    args: dict[str, int | str] = {}


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes wrong at `at_ms`, for `for_ms`; `node` 0: not one node's. See `faults.py`."""

    kind: str
    at_ms: int
    node: int = 0
    for_ms: int = 0
    value: int = 0
    text: str = ""


class Upgrade(msgspec.Struct, frozen=True, omit_defaults=True):
    """A later version of an application begins at `height`; the nodes `old` have the release that
    lacks it until `replaced_ms`. `text`: "digest" when theirs is not the code that was agreed.
    """

    application: str
    version: int
    height: int
    old: tuple[int, ...] = ()
    replaced_ms: int = 0
    text: str = ""


class Plan(msgspec.Struct, frozen=True):
    """All that happens. `nodes` of which the first `validators` vote at the beginning."""

    seed: int
    profile: str
    nodes: int
    validators: int
    blocks: int
    workload: tuple[Act, ...] = ()
    faults: tuple[Fault, ...] = ()
    release: tuple[Upgrade, ...] = ()

    @property
    def storm_ms(self) -> int:
        """How long faults come."""
        return max(self.blocks * BLOCK_MS, *(each.at_ms for each in self.faults), 0)

    @property
    def rotten(self) -> frozenset[int]:
        """Nodes whose word is worth nothing in this run."""
        return frozenset(each.node for each in self.faults if KINDS[each.kind].rotten)


def encode_plan(plan: Plan) -> bytes:
    """As JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1)


def decode_plan(data: bytes) -> Plan:
    """From JSON. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=Plan)


def chance(seed: int, *what: object) -> int:
    """A number of 64 bits that depends on nothing but the seed and what it is for."""
    text = "/".join(str(each) for each in (seed, *what))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def pick(choices: Sequence[T], seed: int, *what: object) -> T:
    """One of them, by `chance`."""
    return choices[chance(seed, *what) % len(choices)]


def list_kinds(profile: str) -> tuple[str, ...]:
    """Kinds of faults that a profile draws."""
    wanted = "mixed" if profile == "real-limits" else profile
    return tuple(kind for kind, each in KINDS.items() if wanted in each.profiles)


def draw_faults(seed: int, profile: str, nodes: int, validators: int, blocks: int) -> list[Fault]:
    """The faults of a storm, in order: one in three blocks."""
    kinds = list_kinds(profile)
    first_rotten = validators - (validators - 1) // 3 + 1
    faults = []
    for number in range(blocks // 3 if kinds else 0):
        name = pick(kinds, seed, number, "kind")
        kind = KINDS[name]
        last = validators if kind.votes else nodes
        among = range(first_rotten if kind.rotten else 1, last + 1)
        if among:
            fault = Fault(
                kind=name,
                at_ms=pick(range(BLOCK_MS, blocks * BLOCK_MS), seed, number, "at"),
                node=pick(among, seed, number, "node"),
                for_ms=pick(LENGTHS_MS, seed, number, "for"),
                value=pick(kind.values, seed, number, "value"),
                text=pick(kind.texts, seed, number, "text"),
            )
            faults.append(fault)
    return sorted(faults, key=lambda each: each.at_ms)


def spare_newcomers(faults: Sequence[Fault], acts: Sequence[Act], validators: int) -> list[Fault]:
    """The faults without those that make a node's word worthless which comes to vote later."""
    newcomers = {each.args.get("validator") for each in acts if each.kind == "activate"}
    newcomers -= set(range(1, validators + 1))
    return [each for each in faults if not (KINDS[each.kind].rotten and each.node in newcomers)]


def draw_release(seed: int, profile: str, nodes: int, blocks: int) -> tuple[Upgrade, ...]:
    """A later version of `tally`, which about half of the nodes lack at first."""
    if profile != "upgrade" and (profile not in _OFTEN or chance(seed, "upgrade") % 3):
        return ()
    height = max(15, blocks // 2)  # ten heights of notice
    late_ms = (height + pick(range(1, 12), seed, "upgrade", "late")) * BLOCK_MS
    old = [each for each in range(1, nodes + 1) if chance(seed, "upgrade", "old", each) % 2]
    text = pick(("", "", "digest"), seed, "upgrade", "text")
    return (Upgrade("tally", 2, height, tuple(old), late_ms, text),)


def draw_changes(
    seed: int,
    profile: str,
    nodes: int,
    validators: int,
    blocks: int,
    release: tuple[Upgrade, ...],
) -> tuple[Act, ...]:
    """What governance does: the upgrades, and in some runs a change of who votes.

    The last validator leaves, whose word may be worth nothing: were it another, that one's share of
    the votes would grow beyond a third.
    """
    acts = [
        Act(
            number=_CHANGES + index,
            kind="propose",
            at_ms=1,
            node=1,
            args={
                "what": "activate",
                "version": each.version,
                "height": each.height,
                "digest": UPGRADED,
            },
        )
        for index, each in enumerate(release)
    ]
    if profile in ("upgrade", *_OFTEN) and not chance(seed, "changes") % 2:
        steps = [("propose", what) for what in ("remove_node", "admit_node", "approve")]
        steps += [("activate", ""), ("propose", "power"), ("resign", "")]
        of = (nodes, nodes, nodes, nodes, 2, validators)
        for index, (kind, what) in enumerate(steps, 10):
            args: dict[str, int | str] = {"validator": of[index - 10]}
            if what:
                args["what"] = what
            at_ms = blocks * BLOCK_MS * (index - 9) // 8
            acts.append(Act(_CHANGES + index, kind, at_ms, 1, args))
    return tuple(acts)
