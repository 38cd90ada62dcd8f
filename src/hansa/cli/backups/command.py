"""`hansa backup` and `hansa restore`: a node's home in one file, and back. Touches what they are
given; the passphrase is HANSA_BACKUP_PASSPHRASE, or asked at the terminal.
"""

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hansa.cli.answers import YES, Screen, answer, count_of, hint, json_option
from hansa.cli.network import is_network, list_nodes
from hansa.client.faults import ClientError

if TYPE_CHECKING:
    from hansa.cli.backups.form import Listing
    from hansa.cli.backups.restoring import Restored

# The name of the variable, not what it holds.
PASSPHRASE: Final = "HANSA_BACKUP_PASSPHRASE"  # noqa: S105
_PATH = click.Path(path_type=Path)


class BackupGroup(click.Group):
    """`hansa backup DIR` makes one: `make` need not be said."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return super().resolve_command(ctx, ["make", *args])
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=BackupGroup)
def backup() -> None:
    """Copy a node's home into one file, also while the node runs; check such a file.

    \b
    Examples:
      hansa backup bay -o bay.hansa-backup
      hansa backup verify bay.hansa-backup
      hansa restore bay.hansa-backup bay-again
    """


@backup.command("make")
@click.argument("folder", type=_PATH, metavar="DIR")
@click.option("-o", "--output", type=_PATH, required=True, metavar="FILE|DIR", help="Where to.")
@click.option("--without-keys", is_flag=True, help="Leave keys and secrets out, ask nothing.")
@click.option("--without-vaults", is_flag=True, help="Leave the members' vaults out.")
@json_option
def make(
    folder: Path, output: Path, without_keys: bool, without_vaults: bool, as_json: bool
) -> int:
    """Back up the node whose home is DIR, as of one height; nobody waits for it.

    Ledger, settings, service keys, notebook, vaults, and under CometBFT the engine's blocks. Keys
    and secrets go in under a passphrase only (HANSA_BACKUP_PASSPHRASE, or asked for); without one
    they are left out, and it says so. The read model is made anew from the blocks.

    \b
    Examples:
      hansa backup bay -o /media/safe
      hansa backup bay/nodes/1 -o node-1.hansa-backup
    """
    from hansa.cli.backups.making import make_backup
    from hansa.cli.start import find_vaults
    from hansa.node.home import open_home

    if is_network(folder):
        nodes = ", ".join(str(node.folder) for node in list_nodes(folder))
        raise ClientError(f"{folder} has a node for each of several members", f"name one: {nodes}")
    home = open_home(folder)
    passphrase = "" if without_keys else ask_passphrase(confirm=True)
    vaults = None if without_vaults else find_vaults(home.folder)
    screen = Screen(as_json=as_json)
    now_ms = time.time_ns() // 1_000_000
    made = make_backup(home, vaults, output, passphrase, now_ms, screen.progress)
    document = describe(made.listing) | {"file": str(made.file), "not_in_it": list(made.others)}
    answer(document, f"{made.file}\n{format_listing(made.listing)}", as_json=as_json)
    if not passphrase:
        hint(
            "keys, service keys and the notebook were left out: no passphrase was given. Keep "
            "them apart, or nothing can sign where this is restored"
        )
    if made.others:
        hint(f"not in it, since it is not the node's: {', '.join(made.others)}")
    return YES


@backup.command("verify")
@click.argument("file", type=_PATH, metavar="FILE")
@json_option
def verify(file: Path, as_json: bool) -> int:
    """Check every byte of a back-up; with the passphrase also its keys and who wrote its list.

    \b
    Example:
      hansa backup verify bay.hansa-backup
    """
    from hansa.cli.backups.reading import Backup

    with Backup(file) as opened:
        if words := os.environ.get(PASSPHRASE):
            opened.unlock(words)
        opened.check(Screen(as_json=as_json).progress)
        is_closed = opened.need_passphrase()
        document = describe(opened.listing) | {"file": str(file), "keys_opened": not is_closed}
        answer(document, f"whole\n{format_listing(opened.listing)}", as_json=as_json)
    if is_closed:
        hint(f"its keys were not opened: set {PASSPHRASE} to try the passphrase")
    return YES


@click.command("restore")
@click.argument("file", type=_PATH, metavar="FILE")
@click.argument("target", type=_PATH, metavar="DIR")
@click.option("--without-keys", is_flag=True, help="Leave its keys and secrets out.")
@click.option(
    "--league-height",
    type=click.IntRange(1),
    metavar="N",
    help="Where the other nodes are: this validator votes again from N + 2 on.",
)
@click.option(
    "--last-of-league",
    is_flag=True,
    help="No node of the league is left but what is restored from this height: vote at once.",
)
@json_option
def restore(
    file: Path,
    target: Path,
    without_keys: bool,
    league_height: int | None,
    last_of_league: bool,
    as_json: bool,
) -> int:
    """Make the home DIR, where nothing is, from a back-up. All is checked before it is written.

    What a validator signed after the back-up is not in it. Under CometBFT its key is therefore put
    aside and the node follows without a vote, unless you say where the league is.

    \b
    Examples:
      hansa restore bay.hansa-backup bay
      hansa restore node-1.hansa-backup home --league-height 52210
    """
    from hansa.cli.backups.reading import Backup
    from hansa.cli.backups.restoring import Vote, restore_backup

    if league_height is not None and last_of_league:
        raise click.UsageError("give --league-height or --last-of-league, not both")
    with Backup(file) as opened:
        if not without_keys and (opened.listing.lock is not None or os.environ.get(PASSPHRASE)):
            opened.unlock(ask_needed())
        screen = Screen(as_json=as_json)
        done = restore_backup(opened, target, Vote(league_height, last_of_league), screen.progress)
    document = describe(done.listing) | {
        "folder": str(target),
        "vaults": list(done.vaults),
        "vaults_without_key": list(done.closed_vaults),
        "votes": done.votes,
    }
    answer(document, f"{target}\n{format_listing(done.listing)}", as_json=as_json)
    for line in list_hints(done, target):
        hint(line)
    return YES


def ask_passphrase(*, confirm: bool) -> str:
    """From HANSA_BACKUP_PASSPHRASE, else asked at a terminal; "" is none."""
    given = os.environ.get(PASSPHRASE)
    if given is not None or not sys.stdin.isatty():
        return given or ""
    prompt = "Passphrase for keys and secrets (empty: they are left out)"
    return click.prompt(
        prompt,
        default="",
        show_default=False,
        hide_input=True,
        confirmation_prompt=confirm,
        err=True,
    )


def ask_needed() -> str:
    """The passphrase of a sealed back-up. Raises PassphraseNeeded."""
    from hansa.cli.backups.faults import PassphraseNeeded

    if words := ask_passphrase(confirm=False):
        return words
    raise PassphraseNeeded(
        "its keys are under a passphrase", f"set {PASSPHRASE}, or give --without-keys"
    )


def describe(listing: "Listing") -> dict[str, object]:
    """A back-up for programs."""
    return {
        "chain": listing.chain,
        "height": listing.height,
        "app_hash": listing.root,
        "engine": listing.engine,
        "engine_blocks": listing.has_engine,
        "keys": listing.keys,
        "files": len(listing.files),
        "bytes": listing.bytes_of_files,
        "made_ms": listing.made_ms,
        "release": listing.release,
    }


def format_listing(listing: "Listing") -> str:
    """A back-up for people."""
    size = f"{listing.bytes_of_files / 2**20:.1f} MiB"
    return (
        f"  {listing.chain} at height {listing.height}, app hash {listing.root}\n"
        f"  {count_of(len(listing.files), 'file')}, {size}; keys and secrets: {listing.keys}"
    )


def list_hints(done: "Restored", target: Path) -> list[str]:
    """What must be known before the node is started."""
    from hansa.cli.backups.restoring import RESTING

    listing, place = done.listing, shlex.quote(str(target))
    hints = [
        f"it goes on after height {listing.height}. The node it was made of must never run again "
        "beside this one: two with the same key sign two stories"
    ]
    if done.votes == "now":
        hints.append(f"blocks after {listing.height} that were lost stay lost, with their receipts")
    if done.votes == "later":
        hints.append("it votes again two heights after the one you gave")
    if done.votes == "resting":
        hints.append(
            f"it follows without a vote: its validator's key is {place}/keys/{RESTING}. When it "
            "has caught up and the league has gone on, stop it, rename that to validator.json, "
            "start it"
        )
    if done.votes == "no key":
        hints.append(f"there is no key in it: put keys/ into {place} before you start it")
    if listing.engine == "comet" and not listing.has_engine:
        hints.append("the engine's blocks are not in it: have the node join anew (hansa join)")
    hints += [f"put the key of vault {name} into {place}/vault" for name in done.closed_vaults]
    if done.vaults:
        hints.append("erased since? hansa vault restore --from-ledger erases it again")
    return [*hints, f"next: hansa doctor {place} --deep; hansa start {place}"]
