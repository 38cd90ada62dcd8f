"""A node begins anew: its blocks and state go, what it is and what it signed stay.

Touches `data/`, `engine/data/`, `snapshots/` and the read model of a home whose node is stopped.
"""

import shutil
from pathlib import Path
from typing import Final

from hansa.comet.sign_state import SIGN_STATE, raise_sign_state
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import compute_genesis_changes
from hansa.node.abci_snapshots import has_blocks
from hansa.node.faults import NodeError, StorageError
from hansa.node.home import DATA, ENGINE, SNAPSHOTS, Home
from hansa.node.lock import FolderLock
from hansa.node.storage import Storage, create_storage, make_identity

_READ_MODEL: Final = "index.sqlite*"


def begin_anew(home: Home, registry: Registry, *, league_height: int) -> None:
    """Remove all that a snapshot of the others gives back. Safe to repeat after a stop half-way.

    Keys, settings and `priv_validator_state.json` stay. Where that file is lost, this validator
    keeps silent up to the height after `league_height`: it may have voted there. Raises a NodeError
    (the node runs, the disk fails) and EngineHomeError.
    """
    lock = FolderLock(home.folder)
    try:
        _keep_sign_state(home, league_height)
        _remove(home.folder)
        _restore_genesis(home, registry)
    except OSError as error:
        raise StorageError(
            f"{home.folder} cannot be cleared: {error.strerror}",
            "See that the disk has space and lets this user write; then run it again.",
        ) from error
    finally:
        lock.release()


def make_whole(home: Home, registry: Registry) -> None:
    """Make the state of the genesis where a node stands without any. Raises a NodeError."""
    if home.data.exists():
        return
    lock = FolderLock(home.folder)
    try:
        _restore_genesis(home, registry)
    finally:
        lock.release()


def is_fresh(home: Home) -> bool:
    """Whether a stopped node has no block yet, so that it may begin from a snapshot."""
    lock = FolderLock(home.folder)
    try:
        storage = Storage(home.data, make_identity(home.genesis.chain, home.genesis_digest))
        try:
            return not has_blocks(storage)
        finally:
            storage.close()
    finally:
        lock.release()


def _keep_sign_state(home: Home, league_height: int) -> None:
    """Not behind what the ledger shows; and where it is lost, beyond where the league is."""
    engine = home.folder / ENGINE
    height = 0 if (engine / SIGN_STATE).exists() else league_height + 1
    try:
        storage = Storage(home.data, make_identity(home.genesis.chain, home.genesis_digest))
        height = max(height, storage.height, storage.sealed)
        storage.close()
    except NodeError:  # damaged or gone, which is why it begins anew
        pass
    (engine / SIGN_STATE).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    raise_sign_state(engine, height)


def _remove(folder: Path) -> None:
    """The engine's blocks first: a ledger without them is refused at the start, not run."""
    for entry in (folder / ENGINE / SIGN_STATE).parent.iterdir():
        if entry.name != SIGN_STATE.name:
            _drop(entry)
    for entry in (folder / SNAPSHOTS, *folder.glob(_READ_MODEL), *folder.glob(f"{DATA}*")):
        _drop(entry)


def _drop(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def _restore_genesis(home: Home, registry: Registry) -> None:
    changes = compute_genesis_changes(home.genesis, registry)
    identity = make_identity(home.genesis.chain, home.genesis_digest)
    create_storage(home.data, identity, changes, home.genesis.time_ms)
