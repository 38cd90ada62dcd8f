"""A copy of databases that a process may be writing: as of one moment, and nobody waits for it.

RocksDB (`data/`) and LevelDB (CometBFT's) alike: sorted files never change, logs only grow, and a
manifest that only grows says what is in force. While it stays as it was, every file that it names
is there. Reads a home, writes into the folder it is given, on the same disk where that can be.
"""

import os
import shutil
import time
from pathlib import Path
from typing import Final, NamedTuple

from hansa.comet.files import DATA as ENGINE_DATA
from hansa.comet.files import GENESIS_MARK
from hansa.node.faults import HalfMadeFolderError, StorageError
from hansa.node.folder import BACKUP
from hansa.node.home import DATA, ENGINE

# Of CometBFT: its blocks, then what it knows of the last of them.
ENGINE_STORES: Final = ("blockstore.db", "state.db")
_NEVER_CHANGE: Final = (".sst", ".blob", ".ldb")
_LOG: Final = ".log"
_CURRENT: Final = "CURRENT"
_ALSO: Final = ("IDENTITY",)
ATTEMPTS: Final = 200
PAUSE_S: Final = 0.02


class _Mark(NamedTuple):
    """What is in force in a database: its folder, its manifest's name and length."""

    inode: int
    manifest: str
    size: int


def copy_database(source: Path, target: Path) -> None:
    """Copy the database at `source` into the new folder `target`, as a kill now would leave it.

    Files that never change are linked. Raises StorageError, HalfMadeFolderError.
    """
    for _attempt in range(ATTEMPTS):
        shutil.rmtree(target, ignore_errors=True)
        try:
            before = _read_mark(source)
            target.mkdir(mode=0o700)
            _copy_files(source, target, before.manifest)
            if _read_mark(source) == before:
                return
        except FileNotFoundError:  # dropped or renamed meanwhile
            if not source.is_dir():
                raise HalfMadeFolderError(f"there is no {source}", BACKUP) from None
        time.sleep(PAUSE_S)
    raise StorageError(
        f"{source} changes faster than it can be copied",
        "Make the back-up when less is sent, or stop the node for it.",
    )


def copy_engine(home: Path, target: Path) -> bool:
    """Copy CometBFT's blocks and state of `home` into `target`; False where there are none.

    Both are of one height: no block was committed from the first file to the last. The ledger's own
    copy is made before: the engine gives it what is missing at the next start. What this validator
    signed last is not copied. Raises as `copy_database`.
    """
    engine = home / ENGINE / ENGINE_DATA
    if not all((engine / name).is_dir() for name in ENGINE_STORES):
        return False
    for _attempt in range(ATTEMPTS):
        before = _measure(home / DATA)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700, parents=True)
        for name in ENGINE_STORES:
            copy_database(engine / name, target / name)
        if _measure(home / DATA) == before:
            shutil.copyfile(engine / GENESIS_MARK, target / GENESIS_MARK)
            return True
        time.sleep(PAUSE_S)
    raise StorageError(
        f"blocks come faster than {engine} can be copied",
        "Make the back-up when less is sent, or stop the node for it.",
    )


def _read_mark(folder: Path) -> _Mark:
    manifest = (folder / _CURRENT).read_text(encoding="utf-8").strip()
    return _Mark(folder.stat().st_ino, manifest, (folder / manifest).stat().st_size)


def _measure(folder: Path) -> tuple[_Mark, tuple[tuple[str, int], ...]]:
    """Changes with each block that the ledger commits."""
    logs = sorted(folder.glob(f"*{_LOG}"))
    return _read_mark(folder), tuple((each.name, each.stat().st_size) for each in logs)


def _copy_files(source: Path, target: Path, manifest: str) -> None:
    """Logs last, the oldest first: they are a prefix of what was written."""
    names = sorted(entry.name for entry in source.iterdir())
    for name in (_CURRENT, manifest, *(each for each in _ALSO if each in names)):
        shutil.copyfile(source / name, target / name)
    for name in names:
        if name.endswith(_NEVER_CHANGE):
            _link(source / name, target / name)
    for name in names:
        if name.endswith(_LOG):
            shutil.copyfile(source / name, target / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
