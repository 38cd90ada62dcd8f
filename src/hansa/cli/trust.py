"""`hansa trust`: pin, renew, list and remove trust roots. Touches only this user's trust folder,
and asks a node for checkpoints, which it does not believe.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hansa.cli.answers import NO, YES, answer, count_of, hint, json_option
from hansa.cli.place import Place, place_options

if TYPE_CHECKING:
    from hansa.client.checkpoints import CheckpointFile
    from hansa.client.trust import Root

# Just over the largest genesis or checkpoint: the decoders refuse what is longer.
ROOT_BYTES_MAX = 4_000_001
_DAY_S = 86_400


@click.group()
def command() -> None:
    """Pin, renew, list and remove trust roots.

    A verifier says yes only against a league that you pinned: otherwise anyone's own league would
    verify. `hansa init` pins the league that it makes; another's genesis you get from one of its
    members, over a channel that you trust. A root vouches for later headers for three years: renew
    it with a checkpoint.
    """


@command.command("add")
@click.argument("root", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace what is pinned for that chain, unasked.")
@json_option
def add(root: Path, replace: bool, as_json: bool) -> int:
    """Pin a league by its genesis (file or league's folder) or by a checkpoint file.

    A checkpoint must follow from what is pinned for its chain; where nothing is, compare its height
    and hash with a member's, over a channel that you trust.

    \b
    Examples:
      hansa trust add genesis.json
      hansa trust add bay/
      hansa trust add checkpoint.json
    """
    from hansa.client.trust import TrustStore

    store = TrustStore()
    data = read_genesis(root)
    if is_checkpoint(data):
        from hansa.client.pinning import add_checkpoint

        was_pinned = _load_first(store, data)
        checkpoint = add_checkpoint(store, data, replace=replace)
        _tell_checkpoint(checkpoint, store.checkpoint_path(checkpoint.chain), "pinned", as_json)
        if replace or not was_pinned:
            hint("compare height and header with a member's, over a channel that you trust")
        return YES
    pinned = store.pin(data, replace=replace)
    file = str(store.path(pinned.chain))
    document = {"chain": pinned.chain, "genesis": pinned.genesis, "file": file}
    text = f"pinned {pinned.chain}\n  genesis {pinned.genesis}"
    answer(document, text, as_json=as_json)
    return YES


@command.command("checkpoint")
@click.option("--height", type=click.IntRange(min=1), help="Of this block.  [default: the newest]")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@place_options
@json_option
def checkpoint(
    height: int | None, output: Path | None, force: bool, place: Place, as_json: bool
) -> int:
    """Renew a trust root: take a header from a node, check it against what is pinned, pin it.

    The node is not believed: each header must follow from the pinned root. With -o it is written
    to a file as well, for others to pin.

    \b
    Examples:
      hansa trust checkpoint
      hansa trust checkpoint --height 100000 -o checkpoint.json
    """
    from hansa.client.checkpoints import decode_checkpoint
    from hansa.client.files import store_file
    from hansa.client.pinning import add_checkpoint
    from hansa.client.trust import TrustError, TrustStore

    store = TrustStore()
    with place.gateway() as gateway:
        chain = gateway.league().chain
        roots = store.load_roots(chain)
        if not roots:
            raise TrustError(
                f"nothing is pinned for chain {chain}",
                "get its genesis from a member, over a channel you trust: hansa trust add GENESIS",
            )
        known = next((root for root in roots if height is None or root.height <= height), roots[-1])
        data = gateway.checkpoint(height, trusted=known.height)
    if decode_checkpoint(data).chain != chain:
        raise TrustError(f"the node gave a checkpoint of another chain than {chain}")
    found = add_checkpoint(store, data)
    if output is not None:
        store_file(output, data, replace=force)
    _tell_checkpoint(
        found, output or store.checkpoint_path(chain), "follows, and is pinned", as_json
    )
    return YES


@command.command("list")
@json_option
def list_(as_json: bool) -> int:
    """List what is pinned: kind, height, age."""
    import time

    from hansa.client.trust import TrustStore
    from hansa.comet.light import TRUST_PERIOD_S

    roots = TrustStore().list_roots()
    now_s = int(time.time())
    lines = []
    for root in roots:
        days = (now_s - root.trusted().time.seconds) // _DAY_S
        left = TRUST_PERIOD_S // _DAY_S - days
        vouches = f"vouches {count_of(left, 'day')} more" if left > 0 else "vouches no longer"
        kind, digest = _name(root)
        lines.append(
            f"{root.chain:<30} {kind:<10} height {root.height:<10} "
            f"{count_of(max(days, 0), 'day')} old, {vouches}\n  {digest}"
        )
    answer(
        [_describe(root, now_s) for root in roots],
        "\n".join(lines) or "nothing is pinned",
        as_json=as_json,
    )
    return YES


@command.command("remove")
@click.argument("chain")
@json_option
def remove(chain: str, as_json: bool) -> int:
    """Forget all that is pinned for CHAIN: its receipts can then no longer be judged."""
    from hansa.client.trust import TrustStore

    removed = TrustStore().remove(chain)
    text = f"{chain} is no longer trusted" if removed else f"{chain} was not pinned"
    answer({"chain": chain, "removed": removed}, text, as_json=as_json)
    return YES if removed else NO


def read_genesis(path: Path) -> bytes:
    """Bytes of a genesis or checkpoint, or of the genesis in a league's folder. Raises OSError."""
    file = path / "genesis.json" if path.is_dir() else path
    with file.open("rb") as stream:
        return stream.read(ROOT_BYTES_MAX)


def read_root(path: Path) -> "Root":
    """The trust root in a file, as its owner vouches for it. Raises OSError, ClientError."""
    from hansa.client.checkpoints import decode_checkpoint
    from hansa.client.trust import build_trust_root

    data = read_genesis(path)
    return decode_checkpoint(data) if is_checkpoint(data) else build_trust_root(data)


def is_checkpoint(data: bytes) -> bool:
    """Whether these bytes mean to be a checkpoint; else a genesis."""
    import msgspec

    from hansa.encoding.json_faults import NOT_JSON

    class Named(msgspec.Struct):
        kind: str = ""

    try:
        return msgspec.json.decode(data, type=Named).kind.startswith("hansa.checkpoint/")
    except NOT_JSON:
        return False


def _load_first(store: Any, data: bytes) -> bool:
    """Whether anything is pinned for the chain of a checkpoint."""
    from hansa.client.checkpoints import decode_checkpoint

    return bool(store.load_roots(decode_checkpoint(data).chain))


def _name(root: "Root") -> tuple[str, str]:
    """Kind and digest of a root."""
    from hansa.client.foundation import name_root

    kind, _space, digest = name_root(root).partition(" ")
    return kind, digest


def _describe(root: "Root", now_s: int) -> dict[str, Any]:
    kind, digest = _name(root)
    time_s = root.trusted().time.seconds
    return {
        "chain": root.chain,
        "kind": kind,
        "height": root.height,
        "digest": digest,
        "time_s": time_s,
        "age_s": now_s - time_s,
        "validators": len(root.validators),
    }


def _tell_checkpoint(found: "CheckpointFile", file: Path, done: str, as_json: bool) -> None:
    document = {
        "chain": found.chain,
        "kind": "checkpoint",
        "height": found.height,
        "digest": found.hash,
        "followed": len(found.headers),
        "file": str(file),
    }
    text = f"{found.chain}: checkpoint at height {found.height} {done}\n  header {found.hash}"
    answer(document, text, as_json=as_json)
