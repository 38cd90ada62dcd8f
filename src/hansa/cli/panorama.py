"""How a network is shown: the table of nodes, quorum, misbehaviour, disk, and what to do. Pure."""

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hansa.cli.answers import count_of, format_table

if TYPE_CHECKING:
    from hansa.cli.survey import Disk, NodeSight, QuorumSight, Survey
    from hansa.client.health import EvidenceReport, NetworkReport, ValidatorReport

COLUMNS: Final = (
    "node", "member", "state", "height", "lag", "peers", "vote", "signed", "folder", "gateway",
)  # fmt: skip
# Fewer of the last blocks signed than this share, and it is worth a word.
SIGNED_SHARE_MIN: Final = 0.5
DAYS_LEFT_MIN: Final = 14
FREE_BYTES_MIN: Final = 2 * 2**30
KINDS: Final = {
    "duplicate_vote": "signed two blocks of one height",
    "light_client_attack": "signed a false header",
}
OUTCOMES: Final = {
    "suspended": "its vote was suspended",
    "kept_for_quorum": "its vote was kept, since without it there would be no quorum",
    "kept_by_parameter": "its vote was kept, as the league has decided (suspend_double_signers)",
    "not_voting": "it had no vote any more",
}


def format_survey(survey: "Survey") -> str:
    """The whole league for people."""
    lines = []
    if survey.chain:
        lines.append(f"{survey.chain}  height {survey.height}, {format_time(survey.time_ms)}")
    rows = [_list_cells(node, survey.window) for node in survey.nodes]
    lines.append(format_table(COLUMNS, rows))
    if survey.quorum is not None:
        lines.append(format_quorum(survey.quorum))
    lines += [format_evidence(each) for each in survey.evidence]
    lines += format_suspended(survey.validators)
    lines.append(format_disk(survey.disk))
    versions = sorted({node.engine for node in survey.nodes if node.engine})
    if versions:
        lines.append(f"engine  CometBFT {', '.join(versions)}")
    return "\n".join(lines)


def _list_cells(node: "NodeSight", window: int) -> list[str]:
    answers = node.height > 0 or node.state == "ok"
    vote = {"": "-", "active": str(node.power)}.get(node.vote, node.vote)
    return [
        str(node.number),
        node.member or node.node[:12],
        node.state,
        str(node.height) if answers else "-",
        str(node.lag) if answers else "-",
        str(node.peers) if answers else "-",
        vote if node.kind != "observer" else "observer",
        f"{node.signed}/{window}" if node.vote == "active" else "-",
        format_bytes(node.used_bytes),
        node.url or "-",
    ]


def list_hints(league: Path, survey: "Survey") -> list[str]:
    """What is worth knowing beside the table, with the next step."""
    place = shlex.quote(str(league))
    if survey.nodes and all(node.state == "stopped" for node in survey.nodes):
        return [f"no node runs: hansa start {place}"]
    hints = []
    for node in survey.nodes:
        text = explain_node(node, survey, place)
        if text:
            hints.append(text)
    if survey.quorum is not None and survey.quorum.is_lost:
        hints.append("no block is made until the missing members' nodes run and reach the others")
    disk = survey.disk
    is_short = disk.days_left is not None and disk.days_left < DAYS_LEFT_MIN
    if is_short or disk.free_bytes < FREE_BYTES_MIN:
        hints.append("the disk is nearly full: free space, or move the league to a larger one")
    return hints


def explain_node(node: "NodeSight", survey: "Survey", place: str) -> str:
    """What ails a node and the next step; "" when it is well."""
    home = f"{place}/nodes/{node.number}"
    name = f"node {node.number} ({node.member})" if node.member else f"node {node.number}"
    told = {
        "stopped": f"{name} does not run: hansa start {home}",
        "no answer": f"{name} runs, but does not answer: see {home}/node.log",
        "failing": f"{name} has stopped taking anything: hansa doctor {home}",
        "engine down": f"{name}: its engine does not answer ({node.last_exit or 'it starts'}): "
        f"see {home}/engine.log",
    }.get(node.state, "")
    if told or node.state != "ok":
        return told
    if node.vote == "active" and node.signed < survey.window * SIGNED_SHARE_MIN:
        return f"{name} signed {node.signed} of the last {survey.window} blocks"
    if node.index_behind > 100:
        return f"{name}: its lists are {node.index_behind} blocks behind"
    return ""


def format_quorum(quorum: "QuorumSight") -> str:
    """Power there, needed and missing, in one line."""
    missing = f"; missing: {', '.join(quorum.missing)}" if quorum.missing else ""
    state = "NO QUORUM" if quorum.is_lost else "quorum"
    share = f"power {quorum.connected} of {quorum.total} is there, {quorum.needed} needed"
    return f"{state}  {share}{missing}"


def format_evidence(each: "EvidenceReport") -> str:
    """A proved misbehaviour and what followed."""
    who = each.member or each.address
    what = KINDS.get(each.kind, each.kind)
    then = OUTCOMES.get(each.outcome, each.outcome)
    return f"MISBEHAVIOUR  {who} {what} ({each.height}), {format_time(each.time_ms)}: {then}"


def format_suspended(validators: "tuple[ValidatorReport, ...]") -> list[str]:
    """Validators whose vote does not count until governance decides."""
    return [
        f"SUSPENDED  the vote of {each.member or each.address} does not count; governance gives it "
        "back (ReinstateValidator) or takes it (RemoveValidator)"
        for each in validators
        if each.state == "suspended"
    ]


def format_disk(disk: "Disk") -> str:
    """Free space and what the growth so far means for it."""
    text = f"disk  {format_bytes(disk.free_bytes)} free, {format_bytes(disk.used_bytes)} used here"
    if disk.bytes_per_day is None:
        return f"{text}; too young for a forecast (an hour at least)"
    grown = f"{format_bytes(disk.bytes_per_day)} a day on average of {disk.age_days:g} days"
    if disk.days_left is None:
        return f"{text}, {grown}"
    return f"{text}, {grown}: room for {count_of(disk.days_left, 'day')} at that rate"


def format_network(network: "NetworkReport", league: Path | None) -> list[str]:
    """Lines of one node's status: its engine, peers, votes, misbehaviour."""
    names = _read_names(league)
    engine = network.engine
    lines = []
    if engine is not None:
        state = "catching up" if engine.catching_up else "in step"
        if not (engine.is_running and engine.is_reachable):
            state = f"down ({engine.last_exit or 'it starts'})"
        lines.append(f"  engine   CometBFT {engine.version}, {state}, height {engine.height}")
        lines.append(f"  node     {engine.node}, {count_of(len(network.peers), 'peer')}")
    for each in network.validators:
        who = names.get(each.member, each.member) or each.address
        here = "" if each.connected else "  not connected"
        lines.append(
            f"  vote     {who}  power {each.power}  {each.state}  "
            f"signed {each.signed}/{network.window}{here}"
        )
    return lines + [f"  {format_evidence(each)}" for each in network.evidence]


def _read_names(league: Path | None) -> dict[str, str]:
    from hansa.cli.portrait import name_members

    return name_members(league) if league is not None else {}


def format_time(time_ms: int) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")


def format_bytes(size: int) -> str:
    """`512 B`, `3.4 MiB`."""
    if size < 1024:
        return f"{size} B"
    amount = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1024:.1f} TiB"
