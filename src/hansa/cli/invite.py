"""`hansa invite`: write what a new node needs to know of a league. Asks the node, writes a file."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.neighbourhood import is_reachable
from hansa.cli.network import GENESIS
from hansa.cli.place import Place, place_options
from hansa.client.faults import ClientError


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("invite.json"),
    metavar="FILE",
    help="Where to write it.",
    show_default=True,
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--gateway", "further", multiple=True, metavar="URL", help="A further gateway.")
@place_options
@json_option
def command(
    output: Path, force: bool, further: tuple[str, ...], place: Place, as_json: bool
) -> int:
    """Write an invitation for a new node of a member, or of a member to be.

    It holds the genesis and where the league's nodes are: nothing secret, and no right: members
    vote on who joins. Tell the invited one the genesis digest over a channel that you both trust.

    \b
    Examples:
      hansa invite -o invite.json
      hansa join invite.json mynode --as employer --observer
    """
    from hansa.client.files import read_file, store_file
    from hansa.client.invites import HINTS_MAX, INVITE_BYTES_MAX, Invite, encode_invite

    if place.league is None:
        raise ClientError("an invitation is written where the genesis is", "give --league DIR")
    genesis = read_file(place.league / GENESIS, INVITE_BYTES_MAX)
    with place.gateway() as gateway:
        nodes = gateway.nodes()
    if not nodes:
        raise ClientError(
            "this league runs in one process: no other node can join it",
            "a league that others can join: hansa init DIR --engine comet --validators 4",
        )
    gateways = choose_gateways({*further, place.url(), *(each.gateway for each in nodes)})
    if not any(map(is_reachable_at, gateways)) and any(is_reachable_p2p(n.p2p) for n in nodes):
        hint("these gateways are of this machine only; name one that others reach: --gateway URL")
    invite = Invite(
        gateways=gateways[:HINTS_MAX],
        genesis=msgspec.Raw(genesis),
        peers=tuple(f"{node.node}@{node.p2p}" for node in nodes)[:HINTS_MAX],
    )
    store_file(output, encode_invite(invite), replace=force)
    chain = invite.read_genesis().chain
    document = {
        "file": str(output),
        "chain": chain,
        "genesis": invite.digest,
        "gateways": list(invite.gateways),
        "peers": list(invite.peers),
    }
    text = f"{output}: invitation to {chain}\n  genesis {invite.digest}"
    answer(document, text, as_json=as_json)
    hint("tell the genesis digest over a channel that you both trust; then: hansa join FILE DIR")
    return YES


def choose_gateways(urls: Iterable[str]) -> tuple[str, ...]:
    """Those that other machines reach; when there is none, those of this machine."""
    found = sorted({url.rstrip("/") for url in urls if url})
    return tuple(filter(is_reachable_at, found)) or tuple(found)


def is_reachable_at(url: str) -> bool:
    """Whether other machines may reach a gateway."""
    return is_reachable(urlsplit(url).hostname or "")


def is_reachable_p2p(address: str) -> bool:
    """Whether other machines may reach an engine, `host:port`."""
    return is_reachable(address.rpartition(":")[0].strip("[]"))
