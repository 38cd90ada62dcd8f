"""Files written whole and durable, destroyed for good, and a lock between processes.

Touches only the paths it is given. Overwriting is done where the file lies; journaling and
copy-on-write disks may keep older blocks, which is why only wrapped keys are ever at stake.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hansa.vault.faults import CorruptVaultError, VaultMissingError, VaultStorageError

TEMPORARY = ".new-"
_PRIVATE = 0o600


@contextmanager
def map_faults(doing: str) -> Iterator[None]:
    """Operating system errors as VaultStorageError."""
    try:
        yield
    except OSError as error:
        raise VaultStorageError(
            f"cannot {doing}: {error.strerror or error}",
            "check that the disk is there, writable and not full",
        ) from error


def store_file(path: Path, data: bytes) -> None:
    """Write a new or changed file (mode 0600) whole: fsync, rename, fsync of the folder."""
    draft = path.with_name(TEMPORARY + secrets.token_hex(8))
    with map_faults(f"write {path.name}"):
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)


def load_file(path: Path, size_max: int) -> bytes | None:
    """A file's bytes, None when it is not there. Raises CorruptVaultError when it is too large."""
    with map_faults(f"read {path.name}"):
        try:
            with path.open("rb") as stream:
                data = stream.read(size_max + 1)
        except FileNotFoundError:
            return None
    if len(data) > size_max:
        raise CorruptVaultError(
            f"{path.name} is larger than anything a vault writes", "restore it from a back-up"
        )
    return data


def destroy_file(path: Path) -> None:
    """Overwrite a file with random bytes, sync, delete, sync its folder. Safe twice."""
    with map_faults(f"destroy {path.name}"):
        try:
            with path.open("r+b") as stream:
                size = os.fstat(stream.fileno()).st_size
                for start in range(0, size, 65_536):
                    stream.write(secrets.token_bytes(min(65_536, size - start)))
                stream.flush()
                os.fsync(stream.fileno())
            path.unlink()
        except FileNotFoundError:
            return
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def hold_lock(path: Path, *, shared: bool) -> Iterator[None]:
    """Hold a lock file: many at a time share it, or one has it alone. Ends with the process."""
    with map_faults("lock the vault"):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        except FileNotFoundError:
            raise VaultMissingError(
                f"there is no vault at {path.parent}", "make one, or give its folder"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        except OSError:
            os.close(handle)
            raise
    try:
        yield
    finally:
        os.close(handle)
