"""`hansa trust`: pin, list and remove trust roots. Touches only this user's trust folder."""

from pathlib import Path

import click

from hansa.cli.answers import NO, YES, answer, json_option


@click.group()
def command() -> None:
    """Pin, list and remove trust roots.

    A verifier says yes only against a league that you pinned: otherwise anyone's own league would
    verify. `hansa init` pins the league that it makes; another's genesis you get from one of its
    members, over a channel that you trust.
    """


@command.command("add")
@click.argument("genesis", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace another genesis pinned for that chain id.")
@json_option
def add(genesis: Path, replace: bool, as_json: bool) -> int:
    """Pin the league of a GENESIS file (or of a league's folder).

    \b
    Examples:
      hansa trust add genesis.json
      hansa trust add bay/
    """
    from hansa.client.trust import TrustStore

    store = TrustStore()
    root = store.pin(read_genesis(genesis), replace=replace)
    document = {"chain": root.chain, "genesis": root.genesis, "file": str(store.path(root.chain))}
    text = f"pinned {root.chain}\n  genesis {root.genesis}"
    answer(document, text, as_json=as_json)
    return YES


@command.command("list")
@json_option
def list_(as_json: bool) -> int:
    """List the pinned leagues."""
    from hansa.client.trust import TrustStore

    roots = TrustStore().list_roots()
    document = [{"chain": root.chain, "genesis": root.genesis} for root in roots]
    lines = [f"{root.chain:<30} {root.genesis}" for root in roots]
    answer(document, "\n".join(lines) or "nothing is pinned", as_json=as_json)
    return YES


@command.command("remove")
@click.argument("chain")
@json_option
def remove(chain: str, as_json: bool) -> int:
    """Forget the pin of CHAIN: its receipts can then no longer be judged."""
    from hansa.client.trust import TrustStore

    removed = TrustStore().remove(chain)
    text = f"{chain} is no longer trusted" if removed else f"{chain} was not pinned"
    answer({"chain": chain, "removed": removed}, text, as_json=as_json)
    return YES if removed else NO


def read_genesis(path: Path) -> bytes:
    """Bytes of a genesis file, or of the one in a league's folder. Raises OSError."""
    file = path / "genesis.json" if path.is_dir() else path
    with file.open("rb") as stream:
        # Just over the largest genesis (ledger.genesis): the decoder refuses what is longer.
        return stream.read(4_000_001)
