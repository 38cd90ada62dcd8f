"""`hansa doctor DIR`: what is wrong with a folder, and the cure. Reads, changes nothing.

The looks at one home are the node's own (`hansa.node.doctor`), those at a league `checkup.py`.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hansa.cli.answers import NO, YES, answer, count_of, hint, json_option
from hansa.cli.logfile import LOG
from hansa.cli.network import GENESIS, find_league_of, find_node, is_network, list_nodes
from hansa.cli.place import KEYS, Place, find_place, is_number
from hansa.client.faults import ClientError
from hansa.client.health import ask_health
from hansa.node.running import RUNNING, read_running

if TYPE_CHECKING:
    from hansa.node.doctor import Finding, Look
    from hansa.node.home import Home


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR", required=False)
@click.option("--deep", is_flag=True, help="Check every record, block and table: minutes.")
@json_option
def command(folder: Path | None, deep: bool, as_json: bool) -> int:
    """Name what is wrong with a league's folder, and the cure.

    Looks at the home, the keys, the disk, the port, the data, the read model, the trust root and
    what a gateway keeps (service keys, clients' tokens, the notebook of jobs and queries);
    in a league of several nodes at each of them (engine, ports, clock, sign state) and at all of
    them together (genesis, keys in use twice, quorum). Changes nothing.
    Exit code: 0 all is well, 1 something is not.

    \b
    Examples:
      hansa doctor bay
      hansa doctor bay/nodes/2
      hansa doctor bay --deep --json
    """
    place = folder or find_home(find_place(None, None))
    if place is None:
        raise ClientError("there is no league here", "name its folder: hansa doctor DIR")
    if is_network(place):
        findings = examine_league(place, deep=deep)
        lines = format_league_findings(findings)
    else:
        findings = examine_home(place, deep=deep)
        lines = [format_finding(finding) for finding in findings]
    answer(msgspec.to_builtins(findings), "\n".join(lines), as_json=as_json)
    wrong = sum(not finding.ok for finding in findings)
    hint(f"{wrong} to mend" if wrong else "all is well")
    return NO if wrong else YES


def find_home(place: Place) -> Path | None:
    """The folder to look at: of a league, or of the one node in whose home one stands."""
    if place.league is None or not place.node or not is_number(place.node):
        return place.league
    return find_node(place.league, int(place.node)).folder


def examine_home(folder: Path, *, deep: bool) -> "list[Finding]":
    """All looks at one home folder."""
    from hansa.cli.checkup import look_at_surroundings
    from hansa.cli.service_checkup import look_at_gateway
    from hansa.node.doctor import diagnose

    further = [*list_engine_looks(folder), build_index_look(deep=deep)]
    findings = diagnose(folder, deep=deep, further=further)
    if (folder / GENESIS).is_file():
        is_node = find_league_of(folder) is not None
        own = [] if is_node else [look_at_keys(folder)]
        findings += [*own, *look_at_gateway(folder), look_at_running(folder)]
        findings += [] if is_node else [look_at_trust(folder), *look_at_surroundings(folder)]
    return findings


def examine_league(league: Path, *, deep: bool) -> "list[Finding]":
    """All looks at each node of a league, and at the league as a whole."""
    from hansa.cli.checkup import look_at_league

    found = []
    for node in list_nodes(league):
        for finding in examine_home(node.folder, deep=deep):
            named = f"node {node.number}: {finding.name}"
            found.append(msgspec.structs.replace(finding, name=named))
    if not found:
        text = f"{league} has a folder for nodes, and none is in it"
        found = [_build_missing(text)]
    return [*found, look_at_keys(league), *look_at_league(league), look_at_trust(league)]


def _build_missing(text: str) -> "Finding":
    from hansa.node.doctor import Finding

    return Finding("nodes", False, text, "put the nodes' folders back from a backup")


def list_engine_looks(folder: Path) -> "tuple[Look, ...]":
    """What to look at besides in a home under CometBFT."""
    from hansa.node.faults import NodeError
    from hansa.node.home import open_home

    try:
        kind = open_home(folder).settings.engine.kind
    except NodeError:  # said by the first finding
        return ()
    if kind == "embedded":
        return ()
    from hansa.node.engine_doctor import ENGINE_LOOKS

    return ENGINE_LOOKS


def format_finding(finding: "Finding") -> str:
    """One finding for people."""
    cure = f"\n    cure: {finding.cure}" if finding.cure and not finding.ok else ""
    return f"{'✓' if finding.ok else '✗'} {finding.name}: {finding.text}{cure}"


def format_league_findings(findings: "list[Finding]") -> list[str]:
    """All of a league for people: of each node what is wrong, the rest in one line."""
    lines: list[str] = []
    well: Counter[str] = Counter()
    for finding in findings:
        node, mark, _name = finding.name.partition(": ")
        if finding.ok and mark:
            well[node] += 1
        else:
            lines.append(format_finding(finding))
    told = [f"✓ {node}: {count_of(count, 'look')}, nothing to mend" for node, count in well.items()]
    return [*told, *lines]


def look_at_keys(folder: Path) -> "Finding":
    """Key files are readable, whole, and private to their owner."""
    from hansa.client.keys import KeyRing
    from hansa.node.doctor import Finding

    ring = KeyRing(folder / KEYS)
    for name in ring.names():
        try:
            ring.read(name)
        except ClientError as error:
            return Finding("keys", False, error.text, error.remedy)
    return Finding("keys", True, f"{len(ring.names())} key files, private to their owner")


def look_at_running(folder: Path) -> "Finding":
    """What `hansa start` left behind says the truth."""
    from hansa.node.doctor import Finding
    from hansa.node.lock import find_holder

    file = folder / RUNNING
    if not file.exists():
        return Finding("address", True, "the league is not started")
    running = read_running(file)
    if running is None:
        return Finding("address", False, f"{file} cannot be read", f"rm {file}")
    url = running.url
    if find_holder(folder) is None:
        text = f"{RUNNING} says {url}, but no node runs: it was killed"
        return Finding("address", True, f"{text}; the next start mends it")
    try:
        health = ask_health(url)
    except ClientError as error:
        return Finding("address", False, error.text, f"see {folder / LOG}, then start it again")
    if health.is_failing:
        text = f"the node that runs at {url} has stopped ({health.ledger}): it takes nothing more"
        cure = f"see why in {folder / LOG}; stop it, mend that, then: hansa start {folder}"
        return Finding("address", False, text, cure)
    if health.index not in ("ok", "index.behind", "index.absent"):
        text = f"the league answers at {url}, its read model does not follow ({health.index})"
        return Finding("address", False, text, f"stop it, then: hansa index rebuild {folder}")
    return Finding("address", True, f"the league answers at {url}")


def build_index_look(*, deep: bool) -> "Look":
    """A look at the read model of a home, for the node's doctor."""

    def look(home: "Home", height: int | None) -> "Finding":
        from hansa.catalog import load_applications
        from hansa.cli.start import locate_index
        from hansa.index.checkup import check_index
        from hansa.index.faults import DAMAGED, IndexFault
        from hansa.index.shape import Shape
        from hansa.node.doctor import Finding

        if not home.settings.index.follow:
            return Finding("read model", True, "this node keeps none ([index] in node.toml)")
        rebuild = f"hansa index rebuild {home.folder}"
        shape = Shape(load_applications())
        try:
            followed = check_index(locate_index(home), shape, home.genesis.chain, deep=deep)
        except IndexFault as fault:
            cure = f"stop the league and run: {rebuild}" if fault.code == DAMAGED else fault.hint
            return Finding("read model", False, str(fault), cure)
        if followed is None:
            return Finding("read model", True, "there is none yet: the next start makes it")
        if height is not None and followed > height:
            text = f"it is at height {followed}, the ledger at {height}: it is of other blocks"
            return Finding("read model", False, text, rebuild)
        return Finding("read model", True, f"in order, at height {followed}")

    return look


def look_at_trust(folder: Path) -> "Finding":
    """The league's genesis is the one pinned for this user."""
    from hansa.client.trust import TrustError, TrustStore, build_trust_root
    from hansa.node.doctor import Finding

    try:
        root = build_trust_root((folder / GENESIS).read_bytes())
        pinned = TrustStore().load(root.chain)
    except (TrustError, OSError) as error:
        remedy = error.remedy if isinstance(error, TrustError) else "see that you may read it"
        return Finding("trust", False, str(error), remedy)
    cure = f"hansa trust add {folder / GENESIS}"
    if pinned is None:
        return Finding("trust", False, f"{root.chain} is not pinned for you", cure)
    if pinned != root:
        text = f"another genesis is pinned for {root.chain}"
        return Finding("trust", False, text, f"hansa trust remove {root.chain}; {cure}")
    return Finding("trust", True, f"{root.chain} is pinned for you")
