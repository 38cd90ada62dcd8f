"""The file of a back-up, `hansa.backup/1`: what is where in it, and what its list may say. Pure.

    "hansa.backup/1\\n"
    the files' bytes, one after the other, in the order of the list, nothing between them
    the list (`Listing`, JSON)
    length of the list (8 bytes, big-endian), its SHA-256 (32), its HMAC-SHA-256 under the key of
    the passphrase (32; zeros without one), "hansa.backup.end\\n"

It ends in its end: cut off anywhere, it is none. A file has bytes, no link and no right: all become
0600. Sealed ones are a nonce (12 bytes) and AES-256-GCM's box, for which their path is the label.
"""

import hashlib
import re
from itertools import pairwise
from struct import Struct
from typing import Final, Literal

import msgspec

from hansa.cli.backups.faults import Altered, NotABackup, UnsafeName
from hansa.encoding.json_faults import NOT_JSON

KIND: Final = "hansa.backup/1"
HEAD: Final = b"hansa.backup/1\n"
END: Final = b"hansa.backup.end\n"
TRAILER: Final = Struct(">Q32s32s17s")
LISTING_BYTES_MAX: Final = 256 << 20
PATH_BYTES_MAX: Final = 500
# First part of each path: rooms of a home, and VAULTS, whose copies `vault.backups` reads.
VAULTS: Final = "vaults"
ROOMS: Final = frozenset(
    {
        "genesis.json",
        "node.toml",
        "peers.json",
        "names.json",
        "notebook.sqlite",
        "data",
        "engine",
        "keys",
        "service",
        "vault",
        VAULTS,
    }
)
_HEX: Final = re.compile(r"[0-9a-f]{64}\Z")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\:]")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: path below the home, bytes as they stand here, their SHA-256 in hex."""

    path: str
    size: int
    sha256: str
    sealed: bool = False


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the passphrase becomes a key: scrypt's numbers; the salt in base64url."""

    n: int
    r: int
    p: int
    salt: str


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in a back-up. `root` (hex) is the state's, which the header of `height` + 1 names.

    `keys`: whether keys and secrets are in it under the passphrase, or were left out.
    `has_engine`: CometBFT's blocks and state are in it.
    """

    kind: str
    release: str
    chain: str
    genesis: str
    engine: Literal["embedded", "comet"]
    height: int
    root: str
    time_ms: int
    made_ms: int
    keys: Literal["sealed", "left out"]
    has_engine: bool
    lock: Lock | None
    files: tuple[Entry, ...]

    @property
    def bytes_of_files(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.files)


def decode_listing(data: bytes) -> Listing:
    """Read and judge a list. Raises NotABackup, Altered, UnsafeName."""
    try:
        listing = msgspec.json.decode(data, type=Listing)
    except NOT_JSON as error:
        raise NotABackup(f"its list can't be read: {error}", "use the release that wrote it") from (
            error
        )
    if listing.kind != KIND:
        raise NotABackup(f"it is a {listing.kind[:40]!r}", "use the release that wrote it")
    _check_paths([entry.path for entry in listing.files])
    for entry in listing.files:
        if entry.size < 0 or not _HEX.match(entry.sha256):
            raise Altered(f"its list says what cannot be of {entry.path}", "use another back-up")
    return listing


def _check_paths(paths: list[str]) -> None:
    """Each below the home, in a room that homes have, in order: so none twice."""
    for path in paths:
        if not is_safe(path):
            raise UnsafeName(f"its list names {path[:80]!r}", "do not use it: it was made to harm")
    for before, after in pairwise(paths):
        if before >= after:
            raise UnsafeName(f"its list names {after[:80]!r} twice or out of order", "use another")
    known = set(paths)
    for path in paths:
        parts = path.split("/")
        inside = next((p for n in range(1, len(parts)) if (p := "/".join(parts[:n])) in known), "")
        if inside:
            raise UnsafeName(f"its list has {inside!r} as file and folder", "use another")


def is_safe(path: str) -> bool:
    """Whether a back-up may have a file of that path."""
    parts = path.split("/")
    if len(path.encode("utf-8", "replace")) > PATH_BYTES_MAX or _UNSAFE.search(path):
        return False
    if any(part in ("", ".", "..") or len(part) > 200 for part in parts):
        return False
    return parts[0] in ROOMS


def compute_digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()
