"""Evidence on disk: documents read and committed to, evidence files kept (0600, whole or not).

Touches only the paths that it is given. Salts are drawn here and nowhere else.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from hansa.client.evidence import (
    FILE_BYTES_MAX,
    NAME_MAX,
    EvidenceFile,
    Item,
    decode_evidence,
    encode_evidence,
    take_items,
)
from hansa.client.files import FileError, read_file, store_new
from hansa.crypto.commitments import SALT_BYTES, compute_commitment_of

SUFFIX: Final = ".evidence.json"
CHUNK_BYTES: Final = 1 << 20
_SAY_EVERY: Final = 1_000

Progress = Callable[[int, int, str], None]


def commit_documents(
    paths: Sequence[Path], *, public: bool = False, progress: Progress | None = None
) -> list[Item]:
    """An item for each file, in order, each with a fresh salt unless it is public."""
    items = []
    for number, path in enumerate(paths, 1):
        items.append(_commit(path, None if public else secrets.token_bytes(SALT_BYTES)))
        if progress is not None and number % _SAY_EVERY == 0:
            progress(number, len(paths), "committed to")
    return items


def read_evidence(path: Path) -> EvidenceFile:
    """An evidence file. Raises FileError, WrongEvidence."""
    return decode_evidence(read_file(path, FILE_BYTES_MAX))


def store_evidence(path: Path, file: EvidenceFile) -> None:
    """Write an evidence file whole, for its owner's eyes alone: it has the salts."""
    try:
        store_new(path, encode_evidence(file), replace=True)
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}", "make room, or go on") from error


def write_each(file: EvidenceFile, folder: Path, names: frozenset[str] = frozenset()) -> int:
    """A file for each item (of these names); how many. Two of one name get their number too."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen = [at for at, item in enumerate(file.items) if not names or item.name in names]
    used: set[str] = set()
    for at, alone in zip(chosen, take_items(file, chosen), strict=True):
        name = file.items[at].name
        target = f"{name}{SUFFIX}" if name not in used else f"{name}.{at}{SUFFIX}"
        used.add(name)
        store_evidence(folder / target, alone)
    return len(chosen)


def _commit(path: Path, salt: bytes | None) -> Item:
    size = 0

    def read() -> Iterator[bytes]:
        nonlocal size
        with path.open("rb", buffering=0) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                size += len(chunk)
                yield chunk

    try:
        value = _digest(read()) if salt is None else compute_commitment_of(read(), salt)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}", "check the path") from error
    name = path.name.replace("\\", "_").encode("utf-8", "replace").decode()[:NAME_MAX]
    return Item(name=name, salt=salt, size=size, value=value)


def _digest(chunks: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()
