"""`hansa leave`: a member takes back its vote, then its node. Safe to run again; asks gateways."""

from pathlib import Path
from typing import Final

import click

from hansa.cli.answers import UNJUDGED, YES, answer, hint, json_option
from hansa.cli.contact import find_gateway
from hansa.cli.joining import submit
from hansa.cli.neighbourhood import COMET
from hansa.cli.network import is_network
from hansa.cli.newcomer import JoinError
from hansa.cli.place import Place
from hansa.client.gateway import Gateway

REASON: Final = "leaves"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True), metavar="DIR")
@click.option("--as", "signer_name", metavar="NAME|FILE", help="The member's key (or HANSA_AS).")
@click.option("--keep-node", is_flag=True, help="Give back the vote only: go on as an observer.")
@json_option
def command(folder: Path, signer_name: str | None, keep_node: bool, as_json: bool) -> int:
    """Leave with the node of DIR: its validator resigns, you stop it, the node is taken back.

    Run it while the node runs: its vote is taken back. Stop the node and run it again: the node is
    taken back, and nobody else is disturbed. The ledger refuses what would leave the league without
    a quorum, and says by how much. What was signed stays provable; the member stays a member. Exit
    code 0: all is taken back, 2: the node still runs.

    \b
    Examples:
      hansa leave mynode --as employer
      hansa leave mynode --as employer --keep-node
    """
    from hansa.cli.neighbourhood import name_keys
    from hansa.contracts.validators.model import ResignValidator, RetireNode
    from hansa.node.home import open_home
    from hansa.node.lock import find_holder

    home = open_home(folder)
    if is_network(folder) or home.settings.engine.kind != COMET:
        raise JoinError(
            f"{folder} is a league's folder, no node's home",
            "name the home of the node that leaves, such as bay/nodes/2",
        )
    node, address = name_keys(home)
    url = find_gateway(
        list_gateways(folder, home.settings.p2p.gateways),
        home.genesis_digest.hex(),
        "name a gateway of the league under [p2p] gateways in node.toml, then run this again",
    )
    signer = Place(folder, url).signer(signer_name)
    done: list[str] = []
    with Gateway(url, signer) as gateway:
        if gateway.record("validators", "validator", address) is not None:
            resign = ResignValidator(validator=address, reason=REASON)
            submit(gateway, signer, "validators", resign)
            done.append("vote")
        is_admitted = gateway.record("validators", "node", node) is not None
        is_running = find_holder(folder) is not None
        if is_admitted and not keep_node and not is_running:
            submit(gateway, signer, "validators", RetireNode(id=node, reason=REASON))
            done.append("node")
    text = f"taken back: {' and '.join(done)}" if done else "there was nothing to take back"
    is_whole = keep_node or not is_admitted or not is_running
    answer({"folder": str(folder), "node": node, "taken_back": done}, text, as_json=as_json)
    if not is_whole:
        hint("next: stop the node, then run this again: the node itself is taken back")
    return YES if is_whole else UNJUDGED


def list_gateways(folder: Path, hints: tuple[str, ...]) -> tuple[str, ...]:
    """Gateways to ask: others first, then the node's own."""
    from hansa.node.running import RUNNING, list_siblings, read_running

    own = read_running(folder / RUNNING)
    siblings = [each.url for each in list_siblings(folder.absolute()) if each.url]
    return (*hints, *siblings, *([own.url] if own is not None else []))
