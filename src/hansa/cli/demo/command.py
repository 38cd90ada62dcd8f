"""`hansa demo`: makes a league in its own folder, tells the story, leaves the league running."""

import json
import os
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Final

import click

from hansa.cli.answers import NO, YES, answer, json_option
from hansa.cli.demo.food.story import FOOD_STEPS, FoodStory, build_plan
from hansa.cli.demo.identity.story import IDENTITY_STEPS, IdentityStory
from hansa.cli.demo.network_story import NETWORK_STEPS, NetworkStory
from hansa.cli.demo.sign_ins import show_console
from hansa.cli.demo.stage import Stage
from hansa.cli.demo.story import STEPS, Story
from hansa.cli.network import list_nodes
from hansa.cli.signals import stoppable
from hansa.client.faults import ClientError
from hansa.client.trust import default_home

FOLDER: Final = "demo-league"
NETWORK_FOLDER: Final = "demo-network"
IDENTITY_FOLDER: Final = "demo-identity"
IDENTITY: Final = "identity"
# Stands in a folder that a demo made: only such a folder is ever removed.
MARK: Final = "demo.json"
# Where a league answers unless told otherwise (node.toml).
PORT: Final = 8480
EXAMPLES: Final = Path("examples") / "en16931"


@click.command()
@click.argument("story", required=False, metavar="[identity]", type=click.Choice([IDENTITY]))
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Default: {FOLDER}, with --network {NETWORK_FOLDER}, with identity {IDENTITY_FOLDER}.",
)
@click.option("--network", is_flag=True, help="A league of four validators, one of them killed.")
@click.option("--examples", type=click.Path(path_type=Path), metavar="DIR", help="UBL invoices.")
@click.option("--once", is_flag=True, help="End when the story ends (as with CI=true).")
@json_option
def command(
    story: str | None,
    folder: Path | None,
    network: bool,
    examples: Path | None,
    once: bool,
    as_json: bool,
) -> int:
    """Show it all with real invoices, in a minute.

    Makes a league of model organisations in DIR, starts it, checks the published EN 16931
    examples against the full rule set and issues them, shows what a ledger refuses and why, and
    verifies a receipt offline. Then food: EPCIS events from farm to shop, a pallet that became too
    warm, a recall. In a terminal the league then keeps running until Ctrl-C, with its console: the
    last lines say where, and give each role a link to sign in.

    With --network the league has four validators, each run by another institution: invoices are
    issued through different nodes, one node is killed, invoices go on, receipts are verified, the
    node comes back. The engine is fetched and built at the first use.

    `hansa demo identity`: seen once in person, then a business in two cities, a doctor, and no form
    twice; consent and its withdrawal, a mandate, an emergency, a revocation seen offline.

    Safe to run again: DIR is made anew. Exit code 1: something did not go as the story says.

    \b
    Examples:
      hansa demo
      hansa demo --once
      hansa demo --network
      hansa demo identity
    """
    if story and (network or examples):
        raise click.UsageError("the story of identities has one node and no invoices")
    name, steps = FOLDER, STEPS + FOOD_STEPS + 1
    if network:
        name, steps = NETWORK_FOLDER, NETWORK_STEPS
    if story:
        name, steps = IDENTITY_FOLDER, IDENTITY_STEPS
    papers = [] if story else find_examples(examples)
    folder = (folder or Path(name)).absolute()
    clear(folder)
    stage = Stage(folder, steps, as_json=as_json)
    stays = sys.stdout.isatty() and not once and os.environ.get("CI", "").lower() != "true"
    with stoppable():
        try:
            if story:
                tell_identity(stage, stays=stays)
            else:
                (tell_network if network else tell)(stage, papers, stays=stays)
        finally:
            stage.stop()
    answer({"folder": str(folder), "expectations": stage.expectations}, "", as_json=as_json)
    return NO if stage.failures else YES


def tell(stage: Stage, papers: list[Path], *, stays: bool) -> None:
    """The whole story, from an empty folder to a league that runs."""
    began = time.monotonic()
    story = Story(stage, papers)
    story.make_league(build_plan())
    put_mark(stage, story.chain)
    # Who does not stay needs no port that is known.
    url = stage.start(None if stays and is_free(PORT) else 0)
    story.tell(url)
    food = FoodStory(story)
    food.tell()
    story.tell_next(url)
    show_console(stage, url, food.list_pages(url))
    end(stage, time.monotonic() - began, url, stays=stays)


def tell_network(stage: Stage, papers: list[Path], *, stays: bool) -> None:
    """The story of four validators."""
    from hansa.cli.neighbourhood import bring_engine

    bring_engine()
    began = time.monotonic()
    story = NetworkStory(stage, papers)
    story.make_network()
    put_mark(stage, story.chain)
    url = story.start_network()
    story.tell_network(url)
    end(stage, time.monotonic() - began, url, stays=stays)


def tell_identity(stage: Stage, *, stays: bool) -> None:
    """The story of identities; it ends with the league off, and on again for who looks on."""
    began = time.monotonic()
    story = IdentityStory(stage)
    chain = story.make_league()
    put_mark(stage, chain)
    url = stage.start(None if stays and is_free(PORT) else 0)
    story.tell(url)
    seconds = time.monotonic() - began
    if stays and not stage.failures:
        url = stage.start(None if is_free(PORT) else 0)
        story.tell_next(url)
    end(stage, seconds, url, stays=stays)


def put_mark(stage: Stage, chain: str) -> None:
    """From now on the folder is a demo's."""
    (stage.folder / MARK).write_text(json.dumps({"chain": chain}), encoding="utf-8")


def end(stage: Stage, seconds: float, url: str, *, stays: bool) -> None:
    """The last words; the league stays when somebody looks on."""
    stage.say("")
    stage.say(f"told in {seconds:.0f} s; {len(stage.failures)} not as expected")
    if stays and not stage.failures:
        wait_for_stop(stage, url)


def find_examples(given: Path | None) -> list[Path]:
    """The UBL examples: as given, of the current folder, or of the source tree of this package."""
    candidates = [given] if given else [EXAMPLES, Path(__file__).resolve().parents[4] / EXAMPLES]
    for folder in candidates:
        files = sorted(folder.glob("*.xml"))
        if files:
            return [file.resolve() for file in files]
    raise ClientError(
        "the example invoices are not here", "run it in the project's folder, or give --examples"
    )


def clear(folder: Path) -> None:
    """Remove what an earlier demo made. Raises ClientError for a folder that is not a demo's."""
    from hansa.client.trust import TrustStore
    from hansa.node.lock import find_holder

    for left in (f".{folder.name}.keys", f".{folder.name}.making"):
        shutil.rmtree(folder.with_name(left), ignore_errors=True)
    if not folder.exists():
        return
    try:
        chain = str(json.loads((folder / MARK).read_text(encoding="utf-8"))["chain"])
    except (OSError, ValueError, KeyError, TypeError):
        if any(folder.iterdir()):
            raise ClientError(
                f"{folder} was not made by a demo", "move it away, or give --folder DIR"
            ) from None
        return
    homes = [folder, *(node.folder for node in list_nodes(folder))]
    holder = next((pid for pid in map(find_holder, homes) if pid is not None), None)
    if holder is not None:
        raise ClientError(
            f"a demo's league is running in {folder}", f"stop it first: kill {holder}"
        )
    TrustStore().remove(chain)
    shutil.rmtree(default_home() / "journals" / chain, ignore_errors=True)
    shutil.rmtree(folder)


def is_free(port: int) -> bool:
    """Whether the league's usual port is free."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


def wait_for_stop(stage: Stage, url: str) -> None:
    """Keep the league until Ctrl-C."""
    click.secho(f"\n  The league is running at {url}. Ctrl-C stops it.", bold=True)
    try:
        while stage.is_running():
            time.sleep(0.5)
    except KeyboardInterrupt:
        click.echo("\n  stopping the league; its folder stays")
