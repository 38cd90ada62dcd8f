"""A back-up becomes a home where there is none: checked before anything is written, then whole or
not at all.

Touches the new folder, and a draft beside it.
"""

import os
import shutil
from pathlib import Path
from typing import Final, NamedTuple

from hansa.cli.backups.faults import (
    BackupError,
    NoRoom,
    NotTheState,
    TargetTaken,
    WrongHeight,
)
from hansa.cli.backups.form import VAULTS, Entry, Listing
from hansa.cli.backups.making import VAULT, hold_staging
from hansa.cli.backups.reading import Backup, Tell
from hansa.comet.sign_state import SIGN_STATE, raise_sign_state
from hansa.node.folder import sync_folder
from hansa.node.home import DATA, ENGINE, KEYS, VALIDATOR, open_home
from hansa.node.storage import Storage, make_identity
from hansa.vault.backups import restore
from hansa.vault.faults import VaultMissingError, WrongKeyError

# Where a validator's key waits until it may vote again.
RESTING: Final = "validator.resting.json"
_SPARE_BYTES: Final = 16 << 20


class Vote(NamedTuple):
    """What is known of the league, so that no height is signed twice. Of CometBFT's nodes only.

    `height`: where the league is, None when it was not said; `is_last`: nothing else is left of it.
    """

    height: int | None = None
    is_last: bool = False


class Restored(NamedTuple):
    """A home that was brought back. `closed_vaults` have no key here; `votes`: "now", "later",
    "resting" (its key is put aside), "no key".
    """

    listing: Listing
    vaults: tuple[str, ...]
    closed_vaults: tuple[str, ...]
    votes: str


def restore_backup(backup: Backup, target: Path, vote: Vote, tell: Tell) -> Restored:
    """Bring a home back at `target`, where nothing is. `unlock` it first, or its keys stay out.

    Every byte is checked before the first is written, and the state that came out of it again.
    Raises BackupError, a NodeError, a VaultError, OSError; then nothing is at `target`.
    """
    target = target.absolute()
    check_target(target)
    check_vote(backup.listing, vote)
    backup.check(tell)
    check_room(backup.listing, target.parent)
    with hold_staging(target.with_name(f".{target.name}.restoring")) as staging:
        for entry, offset in backup.entries():
            if not entry.sealed or backup.seal is not None:
                write_entry(backup, entry, offset, staging)
        vaults, closed = restore_vaults(staging)
        check_state(staging, backup.listing)
        votes = settle_vote(staging, backup.listing, vote)
        sync_tree(staging)
        check_target(target)
        staging.rename(target)
        sync_folder(target.parent)
    return Restored(backup.listing, vaults, closed, votes)


def check_target(target: Path) -> None:
    """Raise TargetTaken when anything is there but an empty folder, BackupError for no parent."""
    if not target.parent.is_dir():
        raise BackupError(f"there is no folder {target.parent}", "make it first")
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir() or any(target.iterdir()):
        raise TargetTaken(f"there is something at {target}", "name a folder that is not there")


def check_vote(listing: Listing, vote: Vote) -> None:
    """Raise WrongHeight when what was said of the league cannot be."""
    if listing.engine != "comet" and vote != Vote():
        raise BackupError(
            "the league has one validator: nobody else is where it was",
            "leave --league-height and --last-of-league out",
        )
    if vote.height is not None and vote.height < listing.height:
        raise WrongHeight(
            f"the back-up is of height {listing.height}, the league cannot be at {vote.height}",
            "ask another node: hansa status",
        )


def check_room(listing: Listing, parent: Path) -> None:
    """Raise NoRoom when the disk takes less than what is in it."""
    free = shutil.disk_usage(parent).free
    need = listing.bytes_of_files + _SPARE_BYTES
    if free < need:
        raise NoRoom(f"{parent} has {free} bytes free, {need} are needed", "make room")


def write_entry(backup: Backup, entry: Entry, offset: int, staging: Path) -> None:
    """One file, for its owner's eyes only. Raises Altered, OSError."""
    path = staging / entry.path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        if entry.sealed:
            stream.write(backup.open_sealed(entry, offset))
        else:
            for chunk in backup.read(entry, offset):
                stream.write(chunk)


def restore_vaults(staging: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Each vault in its place, its erasures applied; their names, and of those without a key."""
    names, closed = [], []
    for folder in sorted((staging / VAULTS).glob("*")):
        names.append(folder.name)
        try:
            restore(folder, staging / VAULT / folder.name)
        except (VaultMissingError, WrongKeyError):
            if not (staging / VAULT / folder.name / "vault.json").is_file():
                raise
            closed.append(folder.name)  # whole; only whoever has its key can open it
    shutil.rmtree(staging / VAULTS, ignore_errors=True)
    return tuple(names), tuple(closed)


def check_state(staging: Path, listing: Listing) -> None:
    """The home is the chain's, its state the one of the list, each record. Raises NotTheState, a
    NodeError.
    """
    home = open_home(staging)
    if (home.genesis.chain, home.genesis_digest.hex()) != (listing.chain, listing.genesis):
        raise NotTheState("its genesis is not the one of its list", "use another back-up")
    if home.settings.engine.kind != listing.engine:
        raise NotTheState("its settings name another engine", "use another back-up")
    identity = make_identity(home.genesis.chain, home.genesis_digest)
    with Storage(staging / DATA, identity, read_only=True) as storage:
        if (storage.height, storage.root.hex()) != (listing.height, listing.root):
            raise NotTheState(
                f"its state is of height {storage.height}, root {storage.root.hex()[:16]};"
                f" its list says {listing.height}, {listing.root[:16]}",
                "use another back-up",
            )
        storage.check_records()


def settle_vote(staging: Path, listing: Listing, vote: Vote) -> str:
    """See that this validator signs no height twice; when it votes. `Restored.votes`.

    What it signed last is in no back-up: after this height it may have signed anything up to the
    height after the league's.
    """
    key = staging / KEYS / VALIDATOR
    if not key.exists():
        return "no key"
    if listing.engine != "comet":
        return "now"
    if vote.height is None and not vote.is_last:
        key.rename(key.with_name(RESTING))
        return "resting"
    engine = staging / ENGINE
    (engine / SIGN_STATE).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    silent = listing.height if vote.is_last else max(vote.height or 0, listing.height) + 1
    raise_sign_state(engine, silent)
    return "now" if vote.is_last else "later"


def sync_tree(folder: Path) -> None:
    """Make all that was written durable, names too."""
    for path, _folders, files in os.walk(folder):
        for name in files:
            sync_folder(Path(path) / name)
        sync_folder(Path(path))
