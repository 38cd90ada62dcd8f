"""`hansa status`: does the league answer, and how far is it. Asks the node."""

from datetime import UTC, datetime

import click
import msgspec

from hansa.cli.answers import UNJUDGED, YES, answer, hint, json_option
from hansa.cli.place import Place, place_options
from hansa.client.faults import ClientError
from hansa.client.health import ask_health


class LeagueStopped(ClientError):
    """The gateway answers, but nothing is taken any more."""

    CODE = "node.stopped"


@click.command()
@place_options
@json_option
def command(place: Place, as_json: bool) -> int:
    """Say whether the league answers, and how far it is.

    Exit code: 0 it answers and its ledger runs, 2 it does not.

    \b
    Examples:
      hansa status
      hansa status --node http://127.0.0.1:8480 --json
    """
    url = place.url()
    health = ask_health(url)
    if health.is_failing:
        raise LeagueStopped(
            f"the node at {url} answers, but its ledger has stopped ({health.ledger})",
            "see why: hansa doctor DIR and DIR/node.log; mend that, then: hansa start DIR",
        )
    with place.gateway() as gateway:
        league = gateway.league()
    when = datetime.fromtimestamp(league.time_ms / 1000, UTC).isoformat(timespec="seconds")
    lines = [
        f"{league.chain} answers at {url}",
        f"  height   {league.height}, {when}",
        f"  genesis  {league.genesis}",
        f"  release  {league.release}",
    ]
    document = {"url": url, "health": msgspec.to_builtins(health)}
    answer({**document, **msgspec.to_builtins(league)}, "\n".join(lines), as_json=as_json)
    if health.index not in ("ok", "index.behind"):
        hint(f"the read model does not follow ({health.index}): hansa doctor DIR names the cure")
    behind = league.height - league.index_height
    if behind > BEHIND_MAX:
        hint(f"the read model is {behind} blocks behind: lists are not up to date")
    return YES if league.height >= 0 else UNJUDGED


# The read model follows within a block or two.
BEHIND_MAX = 5
