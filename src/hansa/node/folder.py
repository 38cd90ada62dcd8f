"""A data folder's own words: whose it is, where it is; how one is made. Checks before it is used.

Touches the folder that it is given.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from hansa import __version__
from hansa.ledger.blocks import Change
from hansa.ledger.tree import StateTree
from hansa.node.buckets import StoredBuckets, write_state
from hansa.node.faults import (
    CorruptFolderError,
    ForeignFolderError,
    HalfMadeFolderError,
    MissingFolderError,
    NewerFormatError,
    OlderFormatError,
)
from hansa.node.key_value import KeyValueStore, OpenStore, Store, WriteBatch

# Raised when a release can no longer read what an earlier one wrote.
FORMAT: Final = 2
FAMILIES: Final = ("records", "buckets", "blocks", "transactions", "meta")
BACKUP: Final = "Restore the home folder from a backup, or make it anew from another node's data."

_IDENTITY = b"identity"
_POSITION = b"position"
# Names beside a data folder while a restored one takes its place.
RESTORING, _RESTORED = ".restoring", ".restored"


def _ignore(_folder: Path) -> None:
    """Nobody listens."""


# Told of each folder whose names have just become durable: what plays a crash between two names.
on_sync: Callable[[Path], None] = _ignore


class Identity(msgspec.Struct, frozen=True):
    """Whose folder it is. `genesis` is the SHA-256 of the genesis document."""

    format: int
    chain: str
    genesis: bytes
    release: str


class Position(msgspec.Struct, frozen=True):
    """Where the ledger is. Ids of blocks below `seen_floor` are beyond the replay window (D3).

    `base`: the first height whose block is kept.
    """

    height: int
    time_ms: int
    root: bytes
    seen_floor: int = 0
    base: int = 1


def make_identity(chain: str, genesis: bytes) -> Identity:
    """The identity that this release writes."""
    return Identity(format=FORMAT, chain=chain, genesis=genesis, release=__version__)


def create_storage(
    folder: Path,
    identity: Identity,
    changes: tuple[Change, ...],
    time_ms: int,
    *,
    open_store: OpenStore = KeyValueStore,
) -> None:
    """Make `folder` with the state of height 0: it appears whole, or not at all."""
    making = folder.with_name(folder.name + ".making")
    if making.exists():
        shutil.rmtree(making)
    store = open_store(making, FAMILIES, create=True)
    delta = StateTree(StoredBuckets(store)).compute(changes)
    batch = store.batch()
    write_state(batch, changes, delta.buckets)
    write_identity(batch, identity)
    write_position(batch, Position(height=0, time_ms=time_ms, root=delta.root))
    store.commit(batch)
    store.close()
    sync_folder(making)
    making.rename(folder)
    sync_folder(folder.parent)


def write_identity(batch: WriteBatch, identity: Identity) -> None:
    """Put into a write whose folder it is."""
    batch.put("meta", _IDENTITY, msgspec.msgpack.encode(identity))


def write_position(batch: WriteBatch, position: Position) -> None:
    """Put into a write where the ledger is after it."""
    batch.put("meta", _POSITION, msgspec.msgpack.encode(position))


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    on_sync(folder)


def swap_in(folder: Path, made: Path) -> None:
    """Put the whole database folder `made` (on the same disk) in the place of `folder`.

    As soon as it is durable under a name of its own it counts: `settle_swap` ends what a stop cuts
    off.
    """
    sync_folder(made)
    made.rename(folder.with_name(folder.name + _RESTORED))
    sync_folder(folder.parent)
    settle_swap(folder)


def settle_swap(folder: Path) -> None:
    """End a swap that a stop cut off; drop what was still being made. For whoever holds the home's
    lock.
    """
    restored, restoring = (folder.with_name(folder.name + end) for end in (_RESTORED, RESTORING))
    if restored.exists():
        if folder.exists():
            shutil.rmtree(folder)
        restored.rename(folder)
        sync_folder(folder.parent)
    if restoring.exists():
        shutil.rmtree(restoring)


def check_folder(folder: Path) -> None:
    """What can be judged before the database is opened. Raises a NodeError that names the cure."""
    if not folder.is_dir():
        raise MissingFolderError(
            f"there is no data folder {folder}",
            f"{BACKUP} A new league is made with: hansa init DIR.",
        )
    names = {entry.name for entry in folder.iterdir()}
    if "CURRENT" in names and any(name.startswith("MANIFEST-") for name in names):
        return
    if _has_files_of_a_database(names):
        raise HalfMadeFolderError(f"{folder} lacks files of its database", BACKUP)
    raise ForeignFolderError(
        f"{folder} is not the data folder of a node",
        "Point the node at its own home folder; nothing here was touched.",
    )


def _has_files_of_a_database(names: Iterable[str]) -> bool:
    return any(name.endswith((".sst", ".log", ".blob")) or name == "IDENTITY" for name in names)


def load_meta(store: Store, folder: Path) -> tuple[Identity, Position]:
    """Whose folder it is and where. Raises HalfMadeFolderError, CorruptFolderError."""
    identity, position = store.get("meta", _IDENTITY), store.get("meta", _POSITION)
    if identity is None or position is None:
        raise HalfMadeFolderError(f"{folder} has no beginning: its making was cut off", BACKUP)
    try:
        return (
            msgspec.msgpack.decode(identity, type=Identity),
            msgspec.msgpack.decode(position, type=Position),
        )
    except msgspec.MsgspecError as error:
        raise CorruptFolderError(f"{folder} does not say where it is: {error}", BACKUP) from error


def check_identity(found: Identity, wanted: Identity, folder: Path) -> None:
    """The folder is this chain's, in a format that this release reads. Raises a NodeError."""
    if found.format > wanted.format:
        raise NewerFormatError(
            f"{folder} was written by Hansa {found.release} in format {found.format};"
            f" this release reads up to {wanted.format}",
            f"Install Hansa {found.release} or later, and start again.",
        )
    if found.format < wanted.format:
        raise OlderFormatError(
            f"{folder} was written by Hansa {found.release} in format {found.format};"
            f" this release reads format {wanted.format} only",
            f"Go on with Hansa {found.release}, or make the home anew from another node's data.",
        )
    if (found.chain, found.genesis) != (wanted.chain, wanted.genesis):
        raise ForeignFolderError(
            f"{folder} holds chain {found.chain} of genesis {found.genesis.hex()[:16]},"
            f" not {wanted.chain} of genesis {wanted.genesis.hex()[:16]}",
            "Put the genesis.json that belongs to this data back, or point at the right home.",
        )


def load_tree(buckets: StoredBuckets, position: Position, folder: Path) -> StateTree:
    """Rebuild the tree's top and compare its root with the one that was committed."""
    tree = StateTree(buckets, position.height)
    if tree.root != position.root:
        raise CorruptFolderError(
            f"the state in {folder} has root {tree.root.hex()[:16]}, committed at height"
            f" {position.height} was {position.root.hex()[:16]}",
            f"{BACKUP} Keep the damaged folder until then.",
        )
    return tree
