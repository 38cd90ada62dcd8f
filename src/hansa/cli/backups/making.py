"""A back-up is made: a copy of the home as of one height, then one file, whole or not at all.

Reads the home and its members' vaults; touches `.backup` in the home while it works, and the file.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from hansa import __version__
from hansa.cli.backups.faults import BackupError, Busy, TargetTaken
from hansa.cli.backups.form import (
    END,
    HEAD,
    KIND,
    TRAILER,
    VAULTS,
    Entry,
    Listing,
    compute_digest,
    is_safe,
)
from hansa.cli.backups.sealing import Seal, make_lock
from hansa.node.copying import copy_database, copy_engine
from hansa.node.folder import sync_folder
from hansa.node.home import DATA, ENGINE, GENESIS, KEYS, SETTINGS, Home
from hansa.node.neighbours import BOOK
from hansa.node.storage import Storage, make_identity
from hansa.vault.backups import back_up
from hansa.vault.vault import Vault

Tell = Callable[[int, int, str], None]
SUFFIX: Final = ".hansa-backup"
STAGING: Final = ".backup"
NOTEBOOK: Final = "notebook.sqlite"
NAMES: Final = "names.json"
SERVICE: Final = "service"
VAULT: Final = "vault"
PLAIN: Final = (GENESIS, SETTINGS, BOOK, NAMES)
SECRET: Final = (KEYS, SERVICE)
# Made anew by whoever needs it, or of no use elsewhere.
DISPOSABLE: Final = ("index.sqlite", "node.log", "engine.log", "running.json", "node.lock")
ALSO_DISPOSABLE: Final = ("snapshots", "data.", "api.sock")
CHUNK_BYTES: Final = 1 << 20
_NO_MAC: Final = bytes(32)


class Source(NamedTuple):
    """A file on its way: its path in the back-up, where it is, whether it goes in sealed only."""

    path: str
    file: Path
    is_secret: bool


class Made(NamedTuple):
    """A back-up that was made; `others` in the home are not in it."""

    file: Path
    listing: Listing
    others: tuple[str, ...]


def make_backup(
    home: Home, vaults: Path | None, output: Path, passphrase: str, now_ms: int, tell: Tell
) -> Made:
    """Back up a home, whether its node runs or not. `output`: a new file, or a folder for it.

    `passphrase` "": keys and secrets are left out. `vaults` None: no vault. Raises BackupError,
    a NodeError, a VaultError, OSError.
    """
    if not output.is_dir() and os.path.lexists(output):
        raise TargetTaken(f"{output} is there already", "name another file")
    with hold_staging(home.folder / STAGING) as staging:
        state = copy_home(home, staging)
        for name in copy_vaults(vaults, staging / VAULTS):
            tell(0, 1, f"vault {name}")
        sources = sorted(list_sources(home, staging, vaults))
        lock = make_lock() if passphrase else None
        seal = Seal(lock, passphrase) if lock is not None else None
        name = f"{home.genesis.chain}-{state.height}{SUFFIX}"
        file = output / name if output.is_dir() else output
        if os.path.lexists(file):
            raise TargetTaken(f"{file} is there already", "name another file")
        listing = Listing(
            kind=KIND,
            release=__version__,
            chain=home.genesis.chain,
            genesis=home.genesis_digest.hex(),
            engine=home.settings.engine.kind,
            height=state.height,
            root=state.root.hex(),
            time_ms=state.time_ms,
            made_ms=now_ms,
            keys="sealed" if seal is not None else "left out",
            has_engine=(staging / ENGINE).exists(),
            lock=lock,
            files=(),
        )
        written = write_archive(file, listing, sources, seal, tell)
    return Made(file, written, tuple(list_others(home.folder)))


@contextmanager
def hold_staging(folder: Path) -> Iterator[Path]:
    """An empty folder for one back-up at a time; what an earlier one left is dropped. Raises Busy,
    OSError.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another process works in {folder}", "wait until it has ended") from None
        clear_folder(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def clear_folder(folder: Path) -> None:
    """Remove what is in a folder, not the folder."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


class State(NamedTuple):
    """Which state was copied."""

    height: int
    root: bytes
    time_ms: int


def copy_home(home: Home, staging: Path) -> State:
    """The ledger as of one height, the engine's part of it, the notebook. Raises a NodeError."""
    copy_database(home.data, staging / DATA)
    if home.settings.engine.kind == "comet":
        copy_engine(home.folder, staging / ENGINE / DATA)
    if (home.folder / NOTEBOOK).exists():
        copy_notebook(home.folder / NOTEBOOK, staging / NOTEBOOK)
    identity = make_identity(home.genesis.chain, home.genesis_digest)
    with Storage(staging / DATA, identity, read_only=True) as storage:
        return State(storage.height, storage.root, storage.time_ms)


def copy_notebook(source: Path, target: Path) -> None:
    """SQLite's own copy of a database in use. Raises BackupError."""
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}", "hansa doctor DIR") from error


def copy_vaults(vaults: Path | None, target: Path) -> Iterator[str]:
    """Each vault in a folder of members' vaults, as it is at one moment; their names."""
    if vaults is None or not vaults.is_dir():
        return
    for folder in sorted(vaults.iterdir()):
        if (folder / "vault.json").is_file():
            back_up(Vault.open(folder), target / folder.name)
            yield folder.name


def list_sources(home: Home, staging: Path, vaults: Path | None) -> Iterator[Source]:
    """Every file that goes in. Raises BackupError for a name that no back-up may have."""
    folder = home.folder
    yield from (Source(name, folder / name, False) for name in PLAIN if (folder / name).exists())
    for part in SECRET:
        yield from _walk(folder / part, part, is_secret=True)
    for part in (DATA, ENGINE, VAULTS):
        yield from _walk(staging / part, part, is_secret=False)
    if (staging / NOTEBOOK).exists():
        yield Source(NOTEBOOK, staging / NOTEBOOK, True)
    if vaults is not None and vaults.is_dir():
        for file in vaults.glob("*.key"):
            yield Source(f"{VAULT}/{file.name}", file, True)


def _walk(folder: Path, path: str, *, is_secret: bool) -> Iterator[Source]:
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        if file.is_symlink() or not file.is_file() or _is_draft(inside):
            continue
        name = f"{path}/{inside.as_posix()}"
        if not is_safe(name):
            raise BackupError(f"{file} has a name that no back-up takes", "rename it")
        yield Source(name, file, is_secret)


def _is_draft(inside: Path) -> bool:
    return any(part.startswith(".") for part in inside.parts)


def list_others(folder: Path) -> Iterator[str]:
    """What lies in a home and is in no back-up, though nobody makes it anew."""
    known = {*PLAIN, *SECRET, DATA, ENGINE, NOTEBOOK, VAULT, "nodes"}
    for name in sorted(entry.name for entry in folder.iterdir()):
        is_ours = name in known or name.startswith((*DISPOSABLE, *ALSO_DISPOSABLE, NOTEBOOK, "."))
        if not is_ours:
            yield name


def write_archive(
    file: Path, listing: Listing, sources: list[Source], seal: Seal | None, tell: Tell
) -> Listing:
    """Write the file beside its place, then give it its name. Raises OSError."""
    draft = file.with_name(f".{file.name}.part")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(HEAD)
            entries = tuple(_write_entries(stream, sources, seal, tell))
            written = msgspec.structs.replace(listing, files=entries)
            data = msgspec.json.encode(written)
            mac = seal.sign(data) if seal is not None else _NO_MAC
            stream.write(data + TRAILER.pack(len(data), compute_digest(data), mac, END))
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(file)
        sync_folder(file.parent)
    finally:
        draft.unlink(missing_ok=True)
    return written


def _write_entries(
    stream: BinaryIO, sources: list[Source], seal: Seal | None, tell: Tell
) -> Iterator[Entry]:
    """Secrets go in under the seal, or not at all."""
    total = sum(source.file.stat().st_size for source in sources)
    done = 0
    for source in sources:
        size = source.file.stat().st_size
        if source.is_secret and seal is not None:
            box = seal.seal(source.path, source.file.read_bytes())
            stream.write(box)
            yield Entry(source.path, len(box), compute_digest(box).hex(), sealed=True)
        elif not source.is_secret:
            yield _write_plain(stream, source)
        done += size
        tell(done, total, "bytes")


def _write_plain(stream: BinaryIO, source: Source) -> Entry:
    digest, size = hashlib.sha256(), 0
    with source.file.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            stream.write(chunk)
            size += len(chunk)
    return Entry(source.path, size, digest.hexdigest())
