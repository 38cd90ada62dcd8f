"""`hansa status`: does the league answer, and how far is it. Asks the node."""

from datetime import UTC, datetime

import click
import msgspec

from hansa.cli.answers import UNJUDGED, YES, answer, hint, json_option
from hansa.cli.place import Place, place_options


@click.command()
@place_options
@json_option
def command(place: Place, as_json: bool) -> int:
    """Say whether the league answers, and how far it is.

    Exit code: 0 it answers, 2 it does not.

    \b
    Examples:
      hansa status
      hansa status --node http://127.0.0.1:8480 --json
    """
    url = place.url()
    with place.gateway() as gateway:
        league = gateway.league()
    when = datetime.fromtimestamp(league.time_ms / 1000, UTC).isoformat(timespec="seconds")
    lines = [
        f"{league.chain} answers at {url}",
        f"  height   {league.height}, {when}",
        f"  genesis  {league.genesis}",
        f"  release  {league.release}",
    ]
    answer({"url": url, **msgspec.to_builtins(league)}, "\n".join(lines), as_json=as_json)
    behind = league.height - league.index_height
    if behind > BEHIND_MAX:
        hint(f"the read model is {behind} blocks behind: lists are not up to date")
    return YES if league.height >= 0 else UNJUDGED


# The read model follows within a block or two.
BEHIND_MAX = 5
