"""Where a vault's master key comes from: the environment, or a file beside the vault.

HANSA_VAULT_KEY holds it (32 bytes, base64url): then no file is read or made. Else NAME.key holds it
plainly, or wrapped under a passphrase (scrypt, AES-256-GCM) that HANSA_VAULT_PASSPHRASE gives.
Touches the key file and reads these two variables.
"""

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.vault.faults import VaultMissingError, WrongKeyError
from hansa.vault.files import load_file, map_faults, store_file

KEY: Final = "HANSA_VAULT_KEY"
UNLOCK: Final = "HANSA_VAULT_PASSPHRASE"
KEY_BYTES: Final = 32
_KIND: Final = "hansa.vault.key/1"
_FILE_BYTES_MAX: Final = 4096
_NONCE_BYTES: Final = 12
# scrypt: 32 MiB and about 0.1 s, as key files of people have it.
_N, _R, _P = 2**15, 8, 1
# A hostile file may not ask for more work than this.
_N_MAX: Final = 2**20


class WrappedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A master key under a passphrase: scrypt parameters; salt, nonce and box in base64url."""

    kind: str
    n: int
    r: int
    p: int
    salt: str
    nonce: str
    box: str


def find_key_path(folder: Path) -> Path:
    """The key file of the vault at `folder`: beside it, so that a copy of one is not the other."""
    return folder.with_name(folder.name + ".key")


def make_master(folder: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """The master key for a new vault: that of the environment, of the file, or a new one in a file.

    With HANSA_VAULT_PASSPHRASE the new file is wrapped. Raises as `load_master`.
    """
    if not environ.get(KEY) and not find_key_path(folder).exists():
        store_master(folder, secrets.token_bytes(KEY_BYTES), environ.get(UNLOCK, ""))
    return load_master(folder, environ)


def load_master(folder: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """The master key. Raises VaultMissingError, WrongKeyError, VaultStorageError.

    A key file that others may read is refused.
    """
    if given := environ.get(KEY):
        return _decode_plain(given.encode(), f"the environment variable {KEY}")
    path = find_key_path(folder)
    data = load_file(path, _FILE_BYTES_MAX)
    if data is None:
        raise VaultMissingError(
            f"the vault's key file {path} is not there",
            f"put it back from where you keep it, or set {KEY}; "
            "without it nothing in the vault can be read",
        )
    with map_faults(f"read {path.name}"):
        mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise WrongKeyError(f"{path} can be read by others", f"chmod 600 {path}")
    if data.startswith(b"{"):
        return _unwrap(path, data, environ.get(UNLOCK, ""))
    return _decode_plain(data, str(path))


def store_master(folder: Path, master: bytes, passphrase: str = "") -> None:
    """Write the key file whole (0600): wrapped when there is a passphrase, else plain.

    Raises VaultStorageError.
    """
    if len(master) != KEY_BYTES:
        raise ValueError(f"a master key has {KEY_BYTES} bytes")
    data = _wrap(master, passphrase) if passphrase else encode_base64url(master).encode()
    store_file(find_key_path(folder), data + b"\n")


def _decode_plain(data: bytes, where: str) -> bytes:
    try:
        master = decode_base64url(data.strip())
    except TextError:
        master = b""
    if len(master) != KEY_BYTES:
        raise WrongKeyError(f"{where} is not a vault's key", "put the right one back")
    return master


def _wrap(master: bytes, passphrase: str) -> bytes:
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(_NONCE_BYTES)
    key = _stretch(passphrase, salt, _N, _R, _P)
    box = AESGCM(key).encrypt(nonce, master, _KIND.encode())
    parts = (encode_base64url(part) for part in (salt, nonce, box))
    return msgspec.json.encode(WrappedKey(_KIND, _N, _R, _P, *parts))


def _unwrap(path: Path, data: bytes, passphrase: str) -> bytes:
    try:
        file = msgspec.json.decode(data, type=WrappedKey)
        salt, nonce, box = (decode_base64url(part) for part in (file.salt, file.nonce, file.box))
    except (*NOT_JSON, TextError):
        raise WrongKeyError(
            f"{path} is not a vault's key file", "put the right file back"
        ) from None
    in_range = 1 < file.n <= _N_MAX and 0 < file.r <= 16 and 0 < file.p <= 4
    is_power = file.n & (file.n - 1) == 0
    if file.kind != _KIND or not in_range or not is_power or len(nonce) != _NONCE_BYTES:
        raise WrongKeyError(f"{path} was written by a later release", "use that release")
    if not passphrase:
        raise WrongKeyError(f"{path} is wrapped under a passphrase", f"set {UNLOCK}")
    try:
        master = AESGCM(_stretch(passphrase, salt, file.n, file.r, file.p)).decrypt(
            nonce, box, _KIND.encode()
        )
    except InvalidTag:
        raise WrongKeyError(
            f"the passphrase does not open {path}, or the file was changed", "try again"
        ) from None
    if len(master) != KEY_BYTES:
        raise _refuse_file(path)
    return master


def _refuse_file(path: Path) -> WrongKeyError:
    return WrongKeyError(f"{path} is not a vault's key file", "put the right file back")


def _stretch(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(passphrase.encode())
