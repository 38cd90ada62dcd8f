"""`hansa status`: does the league answer, how far is it, who is missing. Asks the nodes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hansa.cli.answers import UNJUDGED, YES, answer, hint, json_option
from hansa.cli.network import is_network
from hansa.cli.place import Place, place_options
from hansa.client.faults import ClientError
from hansa.client.health import ask_health, ask_network

if TYPE_CHECKING:
    from hansa.client.health import NetworkReport

# The read model follows within a block or two.
BEHIND_MAX = 5


class LeagueStopped(ClientError):
    """The gateway answers, but nothing is taken any more."""

    CODE = "node.stopped"


@click.command()
@place_options
@json_option
def command(place: Place, as_json: bool) -> int:
    """Say whether the league answers, and how far it is.

    In a league of several nodes: how each of them fares, who signed lately, who is missing for a
    quorum, whose vote was suspended, and how long the disk lasts. With --node one of them alone.

    Exit code: 0 it answers and its ledger runs, 2 it does not.

    \b
    Examples:
      hansa status
      hansa status --node 2
      hansa status --node http://127.0.0.1:8480 --json
    """
    if place.league is not None and not place.node and is_network(place.league):
        return tell_league(place.league, as_json=as_json)
    return tell_node(place, as_json=as_json)


def tell_league(league: Path, *, as_json: bool) -> int:
    """All nodes of a league in one table."""
    from hansa.cli.panorama import format_survey, list_hints
    from hansa.cli.survey import survey_league

    survey = survey_league(league)
    answer(msgspec.to_builtins(survey), format_survey(survey), as_json=as_json)
    for text in list_hints(league, survey):
        hint(text)
    runs = survey.quorum is not None and not survey.quorum.is_lost
    return YES if runs else UNJUDGED


def tell_node(place: Place, *, as_json: bool) -> int:
    """One node, and the network as it sees it. Raises LeagueStopped."""
    url = place.url()
    health = ask_health(url)
    if health.is_failing:
        raise LeagueStopped(
            f"the node at {url} answers, but its ledger has stopped ({health.ledger})",
            "see why: hansa doctor DIR and DIR/node.log; mend that, then: hansa start DIR",
        )
    with place.gateway() as gateway:
        league = gateway.league()
    network = find_network(url)
    when = datetime.fromtimestamp(league.time_ms / 1000, UTC).isoformat(timespec="seconds")
    lines = [
        f"{league.chain} answers at {url}",
        f"  height   {league.height}, {when}",
        f"  genesis  {league.genesis}",
        f"  release  {league.release}",
    ]
    document: dict[str, Any] = {"url": url, "health": msgspec.to_builtins(health)}
    document |= msgspec.to_builtins(league)
    if network is not None:
        from hansa.cli.panorama import format_network

        lines += format_network(network, place.league)
        document["network"] = msgspec.to_builtins(network)
    answer(document, "\n".join(lines), as_json=as_json)
    if health.index not in ("ok", "index.behind", "index.absent"):
        hint(f"the read model does not follow ({health.index}): hansa doctor DIR names the cure")
    behind = league.height - league.index_height
    if behind > BEHIND_MAX:
        hint(f"the read model is {behind} blocks behind: lists are not up to date")
    return YES if league.height >= 0 else UNJUDGED


def find_network(url: str) -> "NetworkReport | None":
    """What a node says of its network; None where there is none, or for an earlier release."""
    try:
        network = ask_network(url)
    except ClientError:
        return None
    return network if network.engine is not None else None
