"""`hansa index`: build the read model anew from the blocks. Touches the league's index database."""

import shlex
from pathlib import Path

import click

from hansa.cli.answers import YES, Screen, json_option
from hansa.cli.logfile import open_log
from hansa.cli.network import NetworkError, is_network
from hansa.node.running import NODES


@click.group()
def command() -> None:
    """Build the read model anew, or compare it.

    The read model (lists, tables, totals) is made from the blocks and can always be made again.
    """


@command.command("rebuild")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@json_option
def rebuild_(folder: Path, as_json: bool) -> int:
    """Drop the read model of DIR, damaged or not, and build it anew from its blocks.

    Stop the league first. The blocks are only read. Prints a digest of each table: two rebuilds
    give the same ones.

    \b
    Examples:
      hansa index rebuild bay
      hansa index rebuild bay/nodes/2
    """
    from hansa.catalog import build_registry, load_applications
    from hansa.cli.start import locate_index
    from hansa.index.digest import compute_digests
    from hansa.index.follower import rebuild
    from hansa.index.renewal import renew
    from hansa.index.shape import Shape
    from hansa.ledger.genesis import compute_genesis_changes
    from hansa.node.archive import Archive

    if is_network(folder):
        raise NetworkError(
            f"{folder} is a league of several nodes, each with a read model of its own",
            f"name a node: hansa index rebuild {shlex.quote(str(folder / NODES))}/1",
        )
    screen = Screen(as_json=as_json)
    registry = build_registry()
    shape = Shape(load_applications())
    with open_log(folder), Archive(folder, exclusive=True) as archive:
        index = renew(locate_index(archive.home), shape, archive.chain)
        genesis = archive.home.genesis
        try:
            rebuild(index, archive, lambda: compute_genesis_changes(genesis, registry))
            digests = compute_digests(index)
        finally:
            index.close()
        height = index.height
    screen.document({"height": height, "tables": digests})
    screen.line(f"rebuilt to height {height}")
    screen.table(["table", "digest"], sorted(digests.items()))
    return YES
