"""`hansa join`: a home for a new node, the question to the members, the way in. Safe to run again.

Each run does what can be done now and says what comes next. Touches the new home, this user's
pinned trust roots, and asks the gateways that the invitation names.
"""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli.answers import UNJUDGED, YES, answer, hint, json_option
from hansa.cli.contact import find_gateway
from hansa.cli.joining import Joining, Report, Wish, read_own
from hansa.cli.newcomer import JoinError, Listen, clear_home, find_home, renew_settings
from hansa.cli.place import Place
from hansa.client.faults import Unreachable
from hansa.client.gateway import Gateway

if TYPE_CHECKING:
    from hansa.client.invites import Invite
    from hansa.node.home import Home

POWER: Final = 10
TICK_S: Final = 1.0
_PORT: Final = click.IntRange(0, 65535)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@click.command()
@click.argument("invite", type=click.Path(path_type=Path), metavar="INVITE")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--as", "signer_name", metavar="NAME|FILE", help="The member's key (or HANSA_AS).")
@click.option("--genesis", "digest", metavar="DIGEST", help="The genesis you were told.")
@click.option("--observer", is_flag=True, help="Follow without a vote.")
@click.option(
    "--power", type=click.IntRange(min=1), default=POWER, show_default=True, help="Of its vote."
)
@click.option("--admit", default="", metavar="TITLE", help="The organisation is not yet a member.")
@click.option("--jurisdiction", default="CN", show_default=True, help="With --admit.")
@click.option(
    "--identifier", "identifiers", multiple=True, metavar="SCHEME:VALUE", help="With --admit."
)
@click.option("--host", help="Where the others reach it.  [default: 127.0.0.1]")
@click.option("--port", type=_PORT, help="For other nodes; 0: any free one.  [default: 0]")
@click.option("--api-port", type=_PORT, help="For its gateway; 0: any free one.  [default: 0]")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="Go on by itself.",
)
@click.option("--anew", is_flag=True, help="Remove its blocks and begin from a snapshot again.")
@json_option
def command(
    invite: Path,
    folder: Path,
    signer_name: str | None,
    digest: str | None,
    host: str | None,
    port: int | None,
    api_port: int | None,
    wait_s: float,
    anew: bool,
    as_json: bool,
    **wishes: Any,
) -> int:
    """Join a league: make a node's home in DIR and ask the members to admit it.

    Run it again at any time: it does the next step and says what is missing; with --wait it goes
    on by itself for so long. First a home with new keys, and a proposal: members vote. Then you
    start the node: it begins from a snapshot of the others, which need not be told of it. Once it
    follows, a validator votes. Exit code 0: the node takes part, 2: something is still to come.

    --anew is for a node whose data is lost or damaged: stop it first. Its keys and what it signed
    last are kept.

    \b
    Examples:
      hansa join invite.json mynode --as employer --observer
      hansa join invite.json mynode --as employer --wait 600
      hansa join invite.json mynode --as harbour --admit 'Harbour Office' --jurisdiction HK
    """
    wish = Wish(
        is_observer=wishes["observer"],
        power=wishes["power"],
        admit=wishes["admit"],
        jurisdiction=wishes["jurisdiction"],
        identifiers=wishes["identifiers"],
    )
    invitation = open_invite(invite, digest)
    listen = Listen(host, port, api_port)
    home = find_home(folder, invitation, listen)
    url = find_gateway(
        (*invitation.gateways, *home.settings.p2p.gateways),
        invitation.digest,
        "ask a member for a new invitation (hansa invite), then: hansa join NEW DIR",
    )
    home = prepare(home, invitation, url, listen, anew=anew)
    place = Place(folder, url)
    report = follow(Joining(home, url, lambda: place.signer(signer_name), wish), wait_s)
    document = {
        "stage": report.stage,
        "folder": str(folder),
        "chain": home.genesis.chain,
        "gateway": url,
        "proposal": report.proposal or None,
        "next": report.next,
    }
    answer(document, report.text, as_json=as_json)
    if report.next:
        hint(f"next: {report.next}")
    return YES if report.is_done else UNJUDGED


def open_invite(path: Path, digest: str | None) -> "Invite":
    """The invitation, its league pinned for this user. Raises InvalidInvite, TrustError.

    `digest`: of the genesis, as its inviter told it; JoinError when it is another.
    """
    from hansa.client.files import read_file
    from hansa.client.invites import INVITE_BYTES_MAX, decode_invite
    from hansa.client.trust import TrustStore

    if digest is not None and not _DIGEST.fullmatch(digest):
        raise click.UsageError("--genesis: 64 hex digits, as hansa invite prints them")
    invite = decode_invite(read_file(path, INVITE_BYTES_MAX))
    if digest not in (None, invite.digest):
        raise JoinError(
            f"the invitation is to another league: its genesis is {invite.digest}",
            "do not use it; ask your inviter for the file and the digest again",
        )
    store = TrustStore()
    chain = invite.read_genesis().chain
    is_new = not store.load_roots(chain)
    store.pin(bytes(invite.genesis))
    if is_new and digest is None:
        hint(f"pinned {chain}: compare its genesis with your inviter's: {invite.digest}")
    return invite


def prepare(home: "Home", invite: "Invite", url: str, listen: Listen, *, anew: bool) -> "Home":
    """Bring the home of a node that rests up to date. Raises JoinError: it runs."""
    if read_own(home) is None:
        with Gateway(url) as gateway:
            if anew:
                clear_home(home, gateway.league().height)
                hint(f"{home.folder}: its blocks are removed, its keys and last votes kept")
            return renew_settings(home, invite, gateway, listen)
    if anew:
        raise JoinError("the node runs: its blocks cannot be removed", "stop it, run this again")
    if listen != Listen():
        hint("the node runs: host and ports stay as they are until it is stopped")
    return home


def follow(joining: Joining, wait_s: float) -> Report:
    """The next step, and with time to wait all that follow; each stage is told once."""
    deadline = time.monotonic() + wait_s
    told = ""
    while True:
        try:
            report = joining.advance()
        except Unreachable as error:
            if time.monotonic() >= deadline:
                raise
            report = Report("unreachable", error.text, error.remedy)
        left = deadline - time.monotonic()
        if report.is_done or not report.waits or left <= 0:
            return report
        if report.stage != told:
            hint(f"{report.text}\n  {report.next.removesuffix('; then run hansa join again')}")
            told = report.stage
        time.sleep(min(TICK_S, left))
