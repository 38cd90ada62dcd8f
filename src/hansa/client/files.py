"""Files of a user, written whole or not at all, and synced. Touches only the path it is given."""

import os
import secrets
from pathlib import Path

from hansa.client.faults import ClientError


class FileError(ClientError):
    """A file of the user cannot be read or written."""

    CODE = "client.file"


def read_file(path: Path, size_max: int) -> bytes:
    """Bytes of a file. Raises FileError when it cannot be read or is larger."""
    try:
        with path.open("rb") as stream:
            data = stream.read(size_max + 1)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}", "check the path") from error
    if len(data) > size_max:
        raise FileError(f"{path} is larger than {size_max} bytes", "is it the right file?")
    return data


def store_file(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file whole. Raises FileError, also when it is there and not to be replaced."""
    try:
        store_new(path, data, mode=0o644, replace=replace)
    except FileExistsError as error:
        raise FileError(f"{path} is there already", "choose another name, or --force") from error
    except OSError as error:
        raise FileError(
            f"cannot write {path}: {error.strerror}", "choose another folder, or make room"
        ) from error


def store_new(path: Path, data: bytes, *, mode: int = 0o600, replace: bool = False) -> None:
    """Write a file whole and durable; nothing of it is seen before. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
