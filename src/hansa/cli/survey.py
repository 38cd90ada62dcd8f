"""A league of several nodes, asked all at once: who runs, how far, who is missing. Asks the nodes.

What this machine alone knows (folders, disk) is added for the nodes whose homes are here.
"""

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from hansa.cli.network import NodeFolder, list_nodes
from hansa.client.faults import ClientError
from hansa.client.health import (
    EvidenceReport,
    Health,
    NetworkReport,
    ValidatorReport,
    ask_health,
    ask_network,
)

# Younger than this, what a league grew says nothing about a day.
AGE_MIN_S: Final = 3_600
DAY_S: Final = 86_400
ASKED_AT_ONCE: Final = 16
# States of a node that runs and takes no part.
SILENT: Final = frozenset({"no answer", "failing", "engine down"})


class NodeSight(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the league's folder. `state`: ok, catching up, engine down, failing, no answer,
    stopped. `used_bytes`: its folder.
    """

    number: int
    member: str
    kind: str
    node: str
    state: str
    url: str = ""
    p2p: str = ""
    pid: int = 0
    height: int = 0
    lag: int = 0
    peers: int = 0
    power: int = 0
    vote: str = ""
    signed: int = 0
    engine: str = ""
    restarts: int = 0
    last_exit: str = ""
    index_behind: int = 0
    used_bytes: int = 0


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """The disk of the league's folder. `bytes_per_day`: what all its nodes here grew on average
    since the league began `age_days` ago; None when that was less than an hour ago.
    """

    free_bytes: int
    used_bytes: int
    age_days: float
    bytes_per_day: int | None
    days_left: int | None


class QuorumSight(msgspec.Struct, frozen=True, kw_only=True):
    """Power needed for a block, and that of the validators whom some node here reaches or is."""

    total: int
    needed: int
    connected: int
    missing: tuple[str, ...]

    @property
    def is_lost(self) -> bool:
        """Whether no block can be made."""
        return self.total > 0 and self.connected < self.needed


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """The whole league. Members are by the names of their keys here, else by their DIDs."""

    chain: str
    height: int
    time_ms: int
    window: int
    nodes: tuple[NodeSight, ...]
    validators: tuple[ValidatorReport, ...]
    quorum: QuorumSight | None
    evidence: tuple[EvidenceReport, ...]
    disk: Disk


class _Heard(msgspec.Struct, frozen=True):
    """What one node answered."""

    number: int
    is_held: bool
    health: Health | None = None
    network: NetworkReport | None = None


def survey_league(league: Path) -> Survey:
    """Ask all nodes of a league's folder."""
    from hansa.cli.portrait import describe_nodes, name_members

    names = name_members(league)
    described = {each["number"]: each for each in describe_nodes(league, names)}
    nodes = list_nodes(league)
    with ThreadPoolExecutor(max_workers=min(len(nodes), ASKED_AT_ONCE) or 1) as pool:
        heard = {each.number: each for each in pool.map(_ask_node, nodes)}
    answers = [each.network for each in heard.values() if each.network is not None]
    best = max(answers, key=lambda each: each.height, default=None)
    sights = []
    for node in nodes:
        whose = described.get(node.number, {})
        sights.append(_see(node, whose, heard[node.number], best, names))
    return Survey(
        chain=best.chain if best else "",
        height=best.height if best else 0,
        time_ms=best.time_ms if best else 0,
        window=best.window if best else 0,
        nodes=tuple(sights),
        validators=tuple(_name_validator(each, names) for each in best.validators) if best else (),
        quorum=judge_quorum(answers, names, list_silent(sights)) if best else None,
        evidence=tuple(_name_evidence(each, names) for each in best.evidence) if best else (),
        disk=measure_disk(league, [node.folder for node in nodes]),
    )


def _ask_node(node: NodeFolder) -> _Heard:
    running = node.running()
    if node.holder() is None:
        return _Heard(node.number, is_held=False)
    if running is None:
        return _Heard(node.number, is_held=True)
    health = network = None
    try:
        health = ask_health(running.url)
        network = ask_network(running.url)
    except ClientError:
        pass  # said by the node's state
    return _Heard(node.number, True, health, network)


def judge_state(is_held: bool, health: Health | None, network: NetworkReport | None) -> str:
    """One word for how a node fares."""
    if not is_held:
        return "stopped"
    if health is None:
        return "no answer"
    if health.is_failing:
        return "failing"
    if network is None:
        return "no answer"
    if network.engine is not None and not (
        network.engine.is_running and network.engine.is_reachable
    ):
        return "engine down"
    if network.engine is not None and network.engine.catching_up:
        return "catching up"
    return "ok"


def _see(
    node: NodeFolder,
    whose: dict[str, str],
    heard: _Heard,
    best: NetworkReport | None,
    names: dict[str, str],
) -> NodeSight:
    running = node.running() if heard.is_held else None
    network = heard.network
    identity = (running.node if running else "") or whose.get("node", "")
    record = next((each for each in best.nodes if each.node == identity), None) if best else None
    member = record.member if record else ""
    own = find_vote(best, member) if best and record and record.kind == "validator" else None
    engine = network.engine if network else None
    return NodeSight(
        number=node.number,
        member=names.get(member, member) or whose.get("member", ""),
        kind=record.kind if record else whose.get("kind", ""),
        node=identity,
        state=judge_state(heard.is_held, heard.health, network),
        url=running.url if running else "",
        p2p=running.p2p if running else "",
        pid=running.pid if running else 0,
        height=network.height if network else 0,
        lag=best.height - network.height if best and network else 0,
        peers=len(network.peers) if network else 0,
        power=own.power if own else 0,
        vote=own.state if own else "",
        signed=own.signed if own else 0,
        engine=engine.version if engine else "",
        restarts=engine.restarts if engine else 0,
        last_exit=engine.last_exit if engine else "",
        index_behind=heard.health.index_behind if heard.health else 0,
        used_bytes=measure_folder(node.folder),
    )


def find_vote(network: NetworkReport, member: str) -> ValidatorReport | None:
    """The validator of a member."""
    return next((each for each in network.validators if member and each.member == member), None)


def list_silent(sights: Sequence[NodeSight]) -> set[str]:
    """Members whose node here lives and yet does not vote: others may still be connected to it."""
    return {each.member for each in sights if each.state in SILENT and each.kind == "validator"}


def judge_quorum(
    answers: Sequence[NetworkReport], names: dict[str, str], silent: set[str]
) -> QuorumSight:
    """Missing, sorted, is who is missing for every node that answers; the newest's set counts."""
    best = max(answers, key=lambda each: each.height)
    voting = [each for each in best.validators if each.is_voting]
    seen = {
        validator.address
        for answer in answers
        for validator in answer.validators
        if validator.connected
    }
    missing = {
        each: names.get(each.member, each.member) or each.address
        for each in voting
        if each.address not in seen or names.get(each.member, each.member) in silent
    }
    total = sum(each.power for each in voting)
    return QuorumSight(
        total=total,
        needed=total * 2 // 3 + 1,
        connected=total - sum(each.power for each in missing),
        missing=tuple(sorted(missing.values())),
    )


def _name_validator(each: ValidatorReport, names: dict[str, str]) -> ValidatorReport:
    return msgspec.structs.replace(each, member=names.get(each.member, each.member))


def _name_evidence(each: EvidenceReport, names: dict[str, str]) -> EvidenceReport:
    return msgspec.structs.replace(each, member=names.get(each.member, each.member))


def measure_folder(folder: Path) -> int:
    """Bytes of all files in a folder; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def measure_disk(league: Path, homes: Sequence[Path]) -> Disk:
    """Free space, and how long it lasts if the nodes here grow as they did on average."""
    free = shutil.disk_usage(league).free
    used = sum(measure_folder(home) for home in homes)
    age_s = max(0.0, time.time() - _read_birth_s(league))
    rate = round(used * DAY_S / age_s) if age_s >= AGE_MIN_S else None
    return Disk(
        free_bytes=free,
        used_bytes=used,
        age_days=round(age_s / DAY_S, 2),
        bytes_per_day=rate,
        days_left=free // rate if rate else None,
    )


def _read_birth_s(league: Path) -> float:
    """When the league began: the time of its genesis."""
    from hansa.cli.network import GENESIS
    from hansa.ledger.genesis import GENESIS_BYTES_MAX, InvalidGenesis, decode_genesis

    try:
        with (league / GENESIS).open("rb") as file:
            return decode_genesis(file.read(GENESIS_BYTES_MAX)).time_ms / 1000
    except (OSError, InvalidGenesis):
        return time.time()
