"""A back-up is read: its end, its list, the digest of every file. Nothing of it is believed before.

Reads the one file.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

from hansa.cli.backups.faults import (
    Altered,
    NotABackup,
    NotSealed,
    PassphraseNeeded,
    Torn,
)
from hansa.cli.backups.form import (
    END,
    HEAD,
    LISTING_BYTES_MAX,
    TRAILER,
    Entry,
    Listing,
    compute_digest,
    decode_listing,
)
from hansa.cli.backups.sealing import Seal

Tell = Callable[[int, int, str], None]
_CHUNK_BYTES: Final = 1 << 20
_ANOTHER: Final = "use another back-up; copy it anew if this is a copy"


class Backup:
    """An open back-up whose list was read and judged."""

    def __init__(self, path: Path) -> None:
        """Raises NotABackup, Torn, Altered, UnsafeName, OSError."""
        self._file: BinaryIO = path.open("rb")
        self.seal: Seal | None = None
        try:
            self._data, self._mac = _read_listing(self._file, path)
            self.listing: Listing = decode_listing(self._data)
            size = os.fstat(self._file.fileno()).st_size
            told = len(HEAD) + self.listing.bytes_of_files + len(self._data) + TRAILER.size
            if size != told:
                raise Torn(f"{path} has {size} bytes, its list tells of {told}", _ANOTHER)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def unlock(self, passphrase: str) -> None:
        """Open what is sealed, and judge who wrote the list. Raises WrongPassphrase, NotSealed."""
        lock = self.listing.lock
        if lock is None:
            raise NotSealed(
                "nothing in this back-up is under a passphrase",
                "give none, if you know that it was made without one; else use another back-up",
            )
        seal = Seal(lock, passphrase)
        seal.check(self._data, self._mac)
        self.seal = seal

    def need_passphrase(self) -> bool:
        """Whether keys are in it that are not open yet."""
        return self.listing.lock is not None and self.seal is None

    def check(self, tell: Tell) -> None:
        """Read every file and compare it with the list. Raises Altered."""
        total, done = self.listing.bytes_of_files, 0
        for entry in self.listing.files:
            if entry.sealed and self.seal is not None:
                self.open_sealed(entry, done)
            else:
                for _chunk in self.read(entry, done):
                    pass
            done += entry.size
            tell(done, total, "bytes checked")

    def entries(self) -> Iterator[tuple[Entry, int]]:
        """Every file of the list, and where its bytes begin behind the head."""
        offset = 0
        for entry in self.listing.files:
            yield entry, offset
            offset += entry.size

    def read(self, entry: Entry, offset: int) -> Iterator[bytes]:
        """The bytes of a file as they stand there. Raises Altered after the last of them."""
        digest, left = hashlib.sha256(), entry.size
        self._file.seek(len(HEAD) + offset)
        while left:
            chunk = self._file.read(min(left, _CHUNK_BYTES))
            if not chunk:
                raise Torn("it has become shorter while it was read", _ANOTHER)
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
        if digest.hexdigest() != entry.sha256:
            raise Altered(f"{entry.path} is not what was written", _ANOTHER)

    def open_sealed(self, entry: Entry, offset: int) -> bytes:
        """The content of a sealed file. Raises PassphraseNeeded, Altered."""
        if self.seal is None:
            raise PassphraseNeeded(f"{entry.path} is under a passphrase", "give it")
        return self.seal.open(entry.path, b"".join(self.read(entry, offset)))


def _read_listing(file: BinaryIO, path: Path) -> tuple[bytes, bytes]:
    """The list and its HMAC."""
    size = os.fstat(file.fileno()).st_size
    if file.read(len(HEAD)) != HEAD:
        raise NotABackup(f"{path} is not a back-up of Hansa", "name another file")
    if size < len(HEAD) + TRAILER.size:
        raise Torn(f"{path} ends before its list", _ANOTHER)
    file.seek(size - TRAILER.size)
    length, digest, mac, end = TRAILER.unpack(file.read(TRAILER.size))
    if end != END:
        raise Torn(f"{path} does not end as it was written", _ANOTHER)
    if length > min(LISTING_BYTES_MAX, size - len(HEAD) - TRAILER.size):
        raise Altered(f"{path} tells of a list that cannot be in it", _ANOTHER)
    file.seek(size - TRAILER.size - length)
    data = file.read(length)
    if compute_digest(data) != digest:
        raise Altered(f"the list of {path} is not what was written", _ANOTHER)
    return data, mac
