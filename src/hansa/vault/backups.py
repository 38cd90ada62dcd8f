"""Back-up of a vault into a folder, and restore from one: no erasure is undone by either.

    TARGET/vault/        content, wrapped keys, shelf, vault.json, as they were at one moment
    TARGET/erasures      the journal of erasures
    TARGET/erased/       which commitment each erased entry had
    TARGET/backup.json   SHA-256 of every file

The master key is not in it: keep that apart. Touches the two folders.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from hansa.encoding.json_faults import NOT_JSON
from hansa.vault.erasures import Erasures
from hansa.vault.faults import CorruptVaultError, VaultExistsError, VaultMissingError
from hansa.vault.files import TEMPORARY, hold_lock, load_file, map_faults, store_file, sync_folder
from hansa.vault.vault import Vault

_KIND: Final = "hansa.vault.backup/1"
_LIST: Final = "backup.json"
_LIST_BYTES_MAX: Final = 1 << 30
_LOCK: Final = ".lock"


class BackupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`files`: SHA-256 in hex by path below the back-up."""

    kind: str
    vault: str
    files: dict[str, str]


def back_up(vault: Vault, target: Path) -> int:
    """Copy a vault into a new folder while nothing changes it; how many files.

    Cut off, the folder lacks `backup.json` and is no back-up. Raises VaultExistsError,
    VaultStorageError.
    """
    source = vault.folder
    with map_faults(f"make a back-up in {target}"):
        if target.exists() and any(target.iterdir()):
            raise VaultExistsError(f"there is something in {target}", "give a new folder")
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        with hold_lock(source / _LOCK, shared=False):
            erased = vault.erased
            shutil.copytree(source, target / "vault", ignore=_ignore)
            for name in ("erasures", "erased"):
                _copy(source.with_name(f"{source.name}.{name}"), target / name)
        for identity in erased:  # a power cut may have left what the journal already names
            for part in ("keys", "content"):
                (target / "vault" / part / identity).unlink(missing_ok=True)
        files = {path: _digest(target / path) for path in _list(target)}
    store_file(target / _LIST, msgspec.json.encode(BackupFile(_KIND, vault.identity, files)))
    return len(files)


def restore(source: Path, folder: Path) -> Vault:
    """Put a back-up back at `folder`, where there is no vault, and open it.

    A journal that lies beside `folder` stays, with what the back-up's own adds: what was erased
    after the back-up was made is erased again by the opening. Raises CorruptVaultError,
    VaultExistsError, VaultMissingError, WrongKeyError, VaultStorageError.
    """
    _check(source)
    if folder.exists() and any(folder.iterdir()):
        raise VaultExistsError(f"there is something at {folder}", "move it away first")
    journal = Erasures(folder.with_name(folder.name + ".erasures"))
    with map_faults(f"restore {folder}"):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for identity in sorted(Erasures(source / "erasures").ids()):
            journal.add(identity)
        records = folder.with_name(folder.name + ".erased")
        _copy(source / "erased", records)
        draft = folder.with_name(f"{folder.name}{TEMPORARY}restored")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(source / "vault", draft)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
        sync_folder(folder.parent)
    return Vault.open(folder)


def _check(source: Path) -> None:
    data = load_file(source / _LIST, _LIST_BYTES_MAX)
    if data is None:
        raise VaultMissingError(f"there is no whole back-up in {source}", "give another folder")
    try:
        file = msgspec.json.decode(data, type=BackupFile)
    except NOT_JSON:
        raise CorruptVaultError(f"{source / _LIST} can't be read", "use another back-up") from None
    with map_faults(f"read {source}"):
        found = {path: _digest(source / path) for path in _list(source)}
    wrong = sorted(path for path in found | file.files if found.get(path) != file.files.get(path))
    if file.kind != _KIND or wrong:
        raise CorruptVaultError(
            f"the back-up in {source} is not what was written: {', '.join(wrong[:3]) or file.kind}",
            "use another back-up",
        )


def _list(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != _LIST:
            yield path.relative_to(folder).as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copy2(source, target)


def _ignore(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == _LOCK or name.startswith(TEMPORARY)}
