"""The vault: one encrypted file per record, a key per record, erasing destroys the key (D8).

    NAME/content/ID   the content under its own key (AES-256-GCM)
    NAME/keys/ID      that key, wrapped under the master key
    NAME/vault.json   the vault's id, and a proof that a master key is the right one
    NAME/shelf/HEX    which entry may be handed out under a grant (`exchange`)
    NAME.key          the master key (0600), beside the folder: a back-up of one is not the other;
                      or it is in the environment (`master_keys`)
    NAME.erasures     ids whose keys were destroyed; applied again at every opening

Touches these paths only. Two processes may use one vault at once.
"""

import os
import secrets
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.vault.commitment import SALT_BYTES, compute_commitment
from hansa.vault.erasures import Erasures
from hansa.vault.faults import (
    ContentTooLargeError,
    CorruptVaultError,
    ErasedEntryError,
    NoSuchEntryError,
    VaultExistsError,
    VaultMissingError,
    WrongKeyError,
)
from hansa.vault.files import (
    TEMPORARY,
    destroy_file,
    hold_lock,
    load_file,
    map_faults,
    store_file,
    sync_folder,
)
from hansa.vault.master_keys import KEY, find_key_path, load_master, make_master

# A document with its attachments; larger files belong to a document store.
CONTENT_BYTES_MAX = 32 * 1024 * 1024
PSEUDONYM_BYTES = 16
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_ID_BYTES = 16
_VERSION = b"\x01"
_SEALED_EXTRA = _NONCE_BYTES + _TAG_BYTES
_HEADER_BYTES = len(_VERSION) + SALT_BYTES + PSEUDONYM_BYTES
_NO_PSEUDONYM = bytes(PSEUDONYM_BYTES)
_SMALL_FILE_MAX = 4096


class VaultEntry(msgspec.Struct, frozen=True):
    """What the vault knows of a content: its id here, the commitment for the chain, the salt.

    `pseudonym` is "" or the one-time name of a person in it. Salt and pseudonym are private: they
    are stored inside the encrypted part only and are destroyed with it.
    """

    id: str
    commitment: bytes
    salt: bytes
    pseudonym: str = ""


class _VaultFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    id: str
    proof: str


_KIND = "hansa.vault/1"


def one_time_pseudonym() -> str:
    """A name for a person in one record: 128 random bits as base64url, never used again."""
    return encode_base64url(secrets.token_bytes(PSEUDONYM_BYTES))


class Vault:
    """An open vault, made by `create` or `open`. Holds the master key, but no file handles."""

    def __init__(self, folder: Path, identity: str, master: bytes, erasures: Erasures) -> None:
        self._folder = folder
        self._identity = identity.encode()
        self._master = AESGCM(master)
        self._erasures = erasures

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder

    @property
    def identity(self) -> str:
        """Its id, in hex."""
        return self._identity.decode()

    @classmethod
    def create(cls, folder: Path) -> "Vault":
        """Make a vault at `folder`, its key beside it. Raises VaultExistsError, VaultStorageError.

        Cut off at any point, a second call ends what the first began, as long as there is no entry.
        """
        settings = folder / "vault.json"
        with map_faults(f"make a vault at {folder}"):
            if settings.exists():
                raise VaultExistsError(f"there is a vault at {folder} already", "open it instead")
            if (folder / "content").exists() and any((folder / "content").iterdir()):
                raise VaultExistsError(
                    f"{folder} holds entries but no vault.json", "restore the whole folder"
                )
            for part in (folder, folder / "content", folder / "keys"):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_folder(part.parent)
        with hold_lock(_lock_path(folder), shared=False):
            if settings.exists():
                raise VaultExistsError(f"there is a vault at {folder} already", "open it instead")
            master = make_master(folder)
            identity = secrets.token_hex(_ID_BYTES)
            proof = _seal(AESGCM(master), b"", f"proof {identity}".encode())
            file = _VaultFile(_KIND, identity, encode_base64url(proof))
            store_file(settings, msgspec.json.encode(file) + b"\n")
        return cls.open(folder)

    @classmethod
    def open_or_create(cls, folder: Path) -> "Vault":
        """Open the vault at `folder`, made if there is none. Raises as `open` and `create`."""
        if not (folder / "vault.json").exists():
            try:
                return cls.create(folder)
            except VaultExistsError:
                if not (folder / "vault.json").exists():
                    raise
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> "Vault":
        """Open a vault and apply its erasures again, so that a restored back-up has none back.

        Raises VaultMissingError, WrongKeyError, CorruptVaultError, VaultStorageError.
        """
        file = _load_settings(folder)
        master = load_master(folder)
        try:
            _unseal(AESGCM(master), decode_base64url(file.proof), f"proof {file.id}".encode())
        except (InvalidTag, TextError):
            raise WrongKeyError(
                f"the master key is not that of the vault at {folder}",
                f"put the key that was made with this vault back: {find_key_path(folder)} or {KEY}",
            ) from None
        vault = cls(folder, file.id, master, Erasures(folder.with_name(folder.name + ".erasures")))
        vault._recover()
        return vault

    def put(self, content: bytes, *, pseudonym: str = "") -> VaultEntry:
        """Encrypt and store content under a fresh key; durable when it returns.

        `pseudonym` is from `one_time_pseudonym`. Raises ContentTooLargeError, VaultStorageError.
        """
        if len(content) > CONTENT_BYTES_MAX:
            raise ContentTooLargeError(
                f"the content is larger than {CONTENT_BYTES_MAX} bytes",
                "keep large attachments in a document store and commit to their digest",
            )
        identity, salt = secrets.token_hex(_ID_BYTES), secrets.token_bytes(SALT_BYTES)
        name = decode_base64url(pseudonym) if pseudonym else _NO_PSEUDONYM
        if len(name) != PSEUDONYM_BYTES:
            raise ValueError("a pseudonym has 16 bytes as base64url")
        key = secrets.token_bytes(_KEY_BYTES)
        wrapped = _seal(self._master, key, self._label(b"key", identity))
        sealed = _seal(
            AESGCM(key), _VERSION + salt + name + content, self._label(b"content", identity)
        )
        with hold_lock(_lock_path(self._folder), shared=True):
            # the key first: content without its key would look like a loss
            store_file(self._folder / "keys" / identity, wrapped)
            store_file(self._folder / "content" / identity, sealed)
        return VaultEntry(identity, compute_commitment(content, salt), salt, pseudonym)

    def get(self, identity: str) -> bytes:
        """The content of an entry. Raises as `read`."""
        return self.read(identity)[1]

    def read(self, identity: str) -> tuple[VaultEntry, bytes]:
        """An entry with its content.

        Raises NoSuchEntryError, ErasedEntryError, CorruptVaultError, VaultStorageError.
        """
        wrapped, sealed = self._load(identity)
        try:
            key = _unseal(self._master, wrapped, self._label(b"key", identity))
            plain = _unseal(AESGCM(key), sealed, self._label(b"content", identity))
        except (InvalidTag, ValueError):
            raise CorruptVaultError(
                f"the entry {identity} is not what was written",
                "restore its two files from a back-up",
            ) from None
        if plain[:1] != _VERSION or len(plain) < _HEADER_BYTES:
            raise CorruptVaultError(
                f"the entry {identity} was written by a later release", "use that release"
            )
        salt = plain[1 : 1 + SALT_BYTES]
        name = plain[1 + SALT_BYTES : _HEADER_BYTES]
        content = plain[_HEADER_BYTES:]
        pseudonym = "" if name == _NO_PSEUDONYM else encode_base64url(name)
        return VaultEntry(identity, compute_commitment(content, salt), salt, pseudonym), content

    def list(self) -> tuple[str, ...]:
        """Ids of all entries that are not erased, sorted. Raises VaultStorageError."""
        with map_faults("list the vault"):
            names = {entry.name for entry in os.scandir(self._folder / "content")}
        return tuple(sorted(name for name in names - self._erasures.ids() if _is_id(name)))

    @property
    def erased(self) -> frozenset[str]:
        """Ids of all entries whose keys were destroyed. Raises CorruptVaultError."""
        return self._erasures.ids()

    def is_erased(self, identity: str) -> bool:
        """Whether the entry's key was destroyed."""
        return identity in self._erasures.ids()

    def erase(self, identity: str) -> None:
        """Destroy an entry's key, then its content, for good. Safe twice; survives a power cut.

        The commitment on chain stays and can't be linked to any guess: the salt is gone too.
        Raises NoSuchEntryError, VaultStorageError.
        """
        with hold_lock(_lock_path(self._folder), shared=False):
            if not self.is_erased(identity):
                if not _is_id(identity) or not self._exists(identity):
                    raise _no_such_entry(identity)
                self._erasures.add(identity)
            self._destroy(identity)

    def _recover(self) -> None:
        """Apply erasures that a back-up or a power cut undid; sweep unfinished files."""
        with hold_lock(_lock_path(self._folder), shared=False):
            erased = self._erasures.ids()
            for part in ("keys", "content"):
                with map_faults("list the vault"):
                    names = [entry.name for entry in os.scandir(self._folder / part)]
                for name in names:
                    if name in erased or name.startswith(TEMPORARY):
                        destroy_file(self._folder / part / name)

    def _destroy(self, identity: str) -> None:
        destroy_file(self._folder / "keys" / identity)
        destroy_file(self._folder / "content" / identity)

    def _exists(self, identity: str) -> bool:
        return any((self._folder / part / identity).exists() for part in ("keys", "content"))

    def _load(self, identity: str) -> tuple[bytes, bytes]:
        if not _is_id(identity):
            raise _no_such_entry(identity)
        size = CONTENT_BYTES_MAX + _HEADER_BYTES + _SEALED_EXTRA
        sealed = load_file(self._folder / "content" / identity, size)
        wrapped = load_file(self._folder / "keys" / identity, _SMALL_FILE_MAX)
        if self.is_erased(identity):
            raise ErasedEntryError(
                f"the entry {identity} was erased", "its content is gone; the chain keeps the proof"
            )
        if sealed is None and wrapped is None:
            raise _no_such_entry(identity)
        if sealed is None or wrapped is None:
            raise CorruptVaultError(
                f"the entry {identity} has lost its {'content' if wrapped else 'key'}",
                "restore its two files from a back-up",
            )
        return wrapped, sealed

    def _label(self, part: bytes, identity: str) -> bytes:
        """What a file is, so that no file can stand in another's place."""
        return b" ".join((_KIND.encode(), part, self._identity, identity.encode()))


def _lock_path(folder: Path) -> Path:
    return folder / ".lock"


def _is_id(text: str) -> bool:
    return len(text) == 2 * _ID_BYTES and frozenset("0123456789abcdef").issuperset(text)


def _no_such_entry(identity: str) -> NoSuchEntryError:
    return NoSuchEntryError(
        f"the vault has no entry {identity[:64]!r}", "list the vault's entries, or look in another"
    )


def _seal(cipher: AESGCM, plain: bytes, label: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, label)


def _unseal(cipher: AESGCM, sealed: bytes, label: bytes) -> bytes:
    """Raises InvalidTag, also for what is too short to be sealed."""
    if len(sealed) < _SEALED_EXTRA:
        raise InvalidTag
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label)


def _load_settings(folder: Path) -> _VaultFile:
    data = load_file(folder / "vault.json", _SMALL_FILE_MAX) if folder.is_dir() else None
    if data is None:
        raise VaultMissingError(f"there is no vault at {folder}", "make one, or give its folder")
    try:
        file = msgspec.json.decode(data, type=_VaultFile)
    except NOT_JSON as error:
        raise CorruptVaultError(
            f"{folder / 'vault.json'} can't be read: {error}", "restore it from a back-up"
        ) from None
    if file.kind != _KIND:
        raise CorruptVaultError(
            f"the vault at {folder} was written by a later release", "use that release"
        )
    return file
