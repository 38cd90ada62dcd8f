"""Looks at a whole league of nodes: the same genesis, keys and ports once each, quorum, clocks.

Reads the league's folder and asks the nodes that run. Changes nothing.
"""

import shlex
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hansa.cli.network import GENESIS, list_nodes
from hansa.client.faults import ClientError
from hansa.node.running import RUNNING, read_running

if TYPE_CHECKING:
    from hansa.node.doctor import Finding
    from hansa.node.home import Home

# CometBFT takes no block that is this far ahead of its own clock (block_time_tolerance).
TOLERANCE_S: Final = 60
CLOCK_OFF_MAX_S: Final = 10
TIMEOUT_S: Final = 3.0


def look_at_league(league: Path) -> "list[Finding]":
    """What can only be seen of all nodes together."""
    homes = open_homes(league)
    return [
        look_at_genesis(league),
        look_at_keys_twice(homes),
        look_at_ports_twice(homes),
        *look_at_network(league),
    ]


def open_homes(league: Path) -> "dict[int, Home]":
    """The homes that can be read; the others are named by their own findings."""
    from hansa.node.faults import NodeError
    from hansa.node.home import open_home

    found = {}
    for node in list_nodes(league):
        try:
            found[node.number] = open_home(node.folder)
        except NodeError:
            continue
    return found


def look_at_genesis(league: Path) -> "Finding":
    """Every node has the league's own genesis."""
    from hansa.crypto.hashing import sha256
    from hansa.node.doctor import Finding

    try:
        own = sha256((league / GENESIS).read_bytes())
    except OSError as error:
        cure = f"copy it from one of the nodes' folders: {league}/nodes/1/{GENESIS}"
        return Finding("genesis", False, f"{league / GENESIS}: {error.strerror}", cure)
    wrong = []
    for node in list_nodes(league):
        path = node.folder / GENESIS
        try:
            is_same = sha256(path.read_bytes()) == own
        except OSError:
            is_same = False
        if not is_same:
            wrong.append(node.number)
    if wrong:
        text = f"node {_join(wrong)} has another genesis than the league's folder"
        cure = f"put the league's own {GENESIS} into its folder; a node of another league goes out"
        return Finding("genesis", False, text, cure)
    return Finding("genesis", True, "all nodes have the same")


def look_at_keys_twice(homes: "dict[int, Home]") -> "Finding":
    """No two homes have one key: a validator that votes twice loses its vote."""
    from hansa.node.doctor import Finding
    from hansa.node.faults import NodeError

    seen: dict[tuple[str, bytes], int] = {}
    for number, home in homes.items():
        for name, read in (("validator", home.validator_key), ("node", home.node_key)):
            try:
                public = read().public.raw
            except NodeError:
                continue
            first = seen.setdefault((name, public), number)
            if first != number:
                text = f"nodes {first} and {number} have the same {name} key"
                cure = (
                    f"stop one of them for good and move its folder away; a new node: hansa join. "
                    f"Never copy keys/{name}.json"
                )
                return Finding("keys twice", False, text, cure)
    return Finding("keys twice", True, "each node has keys of its own")


def look_at_ports_twice(homes: "dict[int, Home]") -> "Finding":
    """No two homes ask for one port."""
    from hansa.node.doctor import Finding

    seen: dict[int, str] = {}
    for number, home in homes.items():
        settings = home.settings
        for name, port in (("[api]", settings.api.port), ("[p2p]", settings.p2p.port)):
            if not port:
                continue
            first = seen.setdefault(port, f"node {number} {name}")
            if first != f"node {number} {name}":
                text = f"port {port} is asked for twice: {first} and node {number} {name}"
                return Finding("ports twice", False, text, "set another one in node.toml (0: any)")
    return Finding("ports twice", True, "each node asks for ports of its own")


def look_at_network(league: Path) -> "list[Finding]":
    """Quorum, misbehaviour and clocks, where nodes run."""
    from hansa.cli.panorama import format_evidence, format_quorum
    from hansa.cli.survey import survey_league
    from hansa.node.doctor import Finding

    survey = survey_league(league)
    place = shlex.quote(str(league))
    if survey.quorum is None:
        return [Finding("quorum", True, "no node answers: hansa start runs them")]
    text = format_quorum(survey.quorum)
    if survey.quorum.is_lost:
        stopped = [each for each in survey.nodes if each.state == "stopped"]
        cure = "; ".join(f"hansa start {place}/nodes/{each.number}" for each in stopped)
        cure = cure or "ask the missing members to start their nodes; see that p2p ports are open"
        found = [Finding("quorum", False, text, cure)]
    else:
        found = [Finding("quorum", True, text)]
    for node in survey.nodes:
        if node.state == "engine down":
            text = f"node {node.number}: its engine does not answer: {node.last_exit or 'no word'}"
            cure = f"see {place}/nodes/{node.number}/engine.log; stop the node and start it again"
            found.append(Finding("engines", False, text, cure))
    for each in survey.evidence:
        if each.outcome == "suspended" and any(
            v.address == each.address and v.state == "suspended" for v in survey.validators
        ):
            cure = (
                "find out how its key came to be used twice, replace it (ReplaceValidatorKey), and "
                "have governance give the vote back (ReinstateValidator)"
            )
            found.append(Finding("misbehaviour", False, format_evidence(each), cure))
    urls = [each.url for each in survey.nodes if each.state in ("ok", "catching up")]
    return [*found, look_at_announcements(urls), look_at_clocks(urls)]


def look_at_surroundings(home: Path) -> "list[Finding]":
    """Quorum and clocks as one node that runs by itself sees them; nothing when it does not."""
    from hansa.cli.panorama import format_quorum
    from hansa.cli.portrait import name_members
    from hansa.cli.survey import judge_quorum
    from hansa.client.health import ask_network
    from hansa.node.doctor import Finding

    running = read_running(home / RUNNING)
    if running is None:
        return []
    try:
        report = ask_network(running.url)
    except ClientError:  # said by the look at its address
        return []
    if report.engine is None:
        return []
    quorum = judge_quorum([report], name_members(home), set())
    cure = "ask the missing members to start their nodes; see that p2p ports are open"
    return [
        Finding("quorum", not quorum.is_lost, format_quorum(quorum), cure),
        look_at_announcements([running.url]),
        look_at_clocks([running.url]),
    ]


def look_at_announcements(urls: list[str]) -> "Finding":
    """No two nodes announce one validator's key."""
    from hansa.node.doctor import Finding

    seen: dict[str, str] = {}
    for entry in fetch_entries(urls):
        validator, node = str(entry.get("validator", "")), str(entry.get("node", ""))
        if not validator:
            continue
        first = seen.setdefault(validator, node)
        if first != node:
            text = f"nodes {first[:12]} and {node[:12]} both announce the validator {validator}"
            cure = "stop one of them now: two that vote with one key accuse each other"
            return Finding("announced twice", False, text, cure)
    return Finding("announced twice", True, "each validator is announced by one node")


def fetch_entries(urls: list[str]) -> list[dict[str, Any]]:
    """Announcements that the first gateway which answers knows."""
    import httpx

    for url in urls:
        try:
            answer = httpx.get(f"{url}/v1/nodes", timeout=TIMEOUT_S)
            found = answer.json()["nodes"]
            return [each for each in found if isinstance(each, dict)]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
            continue
    return []


def look_at_clocks(urls: list[str]) -> "Finding":
    """This machine's clock against those of the gateways of other machines."""
    from hansa.node.doctor import Finding

    others = {str(entry.get("gateway", "")) for entry in fetch_entries(urls)}
    for url in sorted({*urls, *others} - {""}):
        try:
            off_s = measure_clock(url)
        except ClientError:
            continue
        if abs(off_s) > CLOCK_OFF_MAX_S:
            side = "behind" if off_s < 0 else "ahead of"
            text = f"this machine's clock is {abs(off_s):.0f} s {side} that of {url}"
            cure = (
                f"set the clocks (NTP): blocks {TOLERANCE_S} s ahead of a clock are refused by it"
            )
            return Finding("clocks", False, text, cure)
    return Finding("clocks", True, "as those of the nodes that answer")


def measure_clock(url: str) -> float:
    """Seconds that this clock is ahead of a gateway's. Raises ClientError."""
    import httpx

    try:
        answer = httpx.get(f"{url}/v1/health", timeout=TIMEOUT_S)
        told = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        raise ClientError(f"{url} does not say the time", "see the address") from error
    return time.time() - told


def _join(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
