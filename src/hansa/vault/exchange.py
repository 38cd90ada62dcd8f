"""Handing out: which contents may leave a vault, the sealed package they leave in, its opening, and
the erasure that says which.

    NAME/shelf/HEX     the entry behind a commitment that was declared on the ledger
    NAME.erased/ID     which commitment an erased entry had; beside the folder, as the journal is

Who may take what is the ledger's to say: the gateway asks it first (`hansa.api.exchange`).
"""

import threading
from pathlib import Path
from typing import Final

import msgspec

from hansa.contracts.consents.model import Access
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.vault.commitment import open_commitment
from hansa.vault.faults import (
    CommitmentMismatch,
    ContentTooLargeError,
    CorruptVaultError,
    ErasedEntryError,
    NoSuchEntryError,
)
from hansa.vault.files import load_file, map_faults, store_file, sync_folder
from hansa.vault.sealing import Alg, OpeningKey, SealError, open_sealed, seal
from hansa.vault.vault import CONTENT_BYTES_MAX, Vault, VaultEntry

_PACKAGE: Final = "hansa.package/1"
_ERASURE: Final = "hansa.erasure/1"
_SMALL_FILE_MAX: Final = 4096


class HandOver(msgspec.Struct, frozen=True):
    """An access as the ledger has it: `contents` are (field, commitment) in base64url."""

    chain: str
    subject: str
    number: int
    contents: tuple[tuple[str, str], ...]
    alg: Alg
    key: str

    @property
    def context(self) -> bytes:
        """What the seal is bound to: this access and no other."""
        return encode_canonical(
            {
                "chain": self.chain,
                "contents": [list(each) for each in self.contents],
                "kind": _PACKAGE,
                "number": self.number,
                "subject": self.subject,
            }
        )


def describe_access(chain: str, access: Access) -> HandOver:
    """The access as the vault takes it."""
    return HandOver(
        chain=chain,
        subject=access.subject,
        number=access.number,
        contents=tuple((each.field, each.commitment) for each in access.handed),
        alg=access.seal_alg,
        key=access.seal_key,
    )


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One content of a package: `salt` and `content` in base64url open `commitment`."""

    field: str
    commitment: str
    salt: str
    content: str


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands inside the seal."""

    kind: str
    items: tuple[Item, ...]


class ErasureRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which commitment an erased entry had. The ledger says when (DeclareErasure)."""

    kind: str
    vault: str
    entry: str
    commitment: str


class Shelf:
    """What of a vault may be handed out under a grant: only what was placed here."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._folder = vault.folder / "shelf"
        self._erased = vault.folder.with_name(vault.folder.name + ".erased")

    def place(self, entry: VaultEntry) -> str:
        """Let an entry be handed out; its commitment as the ledger takes it. Safe twice."""
        self._make(self._folder)
        store_file(self._folder / entry.commitment.hex(), entry.id.encode() + b"\n")
        return encode_base64url(entry.commitment)

    def find(self, commitment: str) -> str:
        """Id of the entry behind a commitment. Raises NoSuchEntryError, VaultStorageError."""
        try:
            name = decode_base64url(commitment).hex()
        except TextError:
            name = ""
        data = load_file(self._folder / name, _SMALL_FILE_MAX) if len(name) == 64 else None
        if data is None:
            raise NoSuchEntryError(
                "nothing here was declared under that commitment",
                "place it again: hansa vault declare",
            )
        return data.strip().decode(errors="replace")

    def erase(self, identity: str) -> ErasureRecord:
        """Erase an entry and keep which commitment it had. Safe twice, and after a power cut.

        Raises NoSuchEntryError, CorruptVaultError, VaultStorageError.
        """
        record = self._read_erasure(identity)
        if record is None:
            entry, _content = self.vault.read(identity)
            record = ErasureRecord(
                _ERASURE, self.vault.identity, identity, encode_base64url(entry.commitment)
            )
            self._make(self._erased)
            store_file(self._erased / identity, msgspec.json.encode(record) + b"\n")
        self.vault.erase(identity)
        return record

    def apply_erasures(self, commitments: frozenset[str]) -> tuple[str, ...]:
        """Erase what the ledger says was erased and a restored back-up brought; ids erased now."""
        again = []
        for commitment in sorted(commitments):
            try:
                identity = self.find(commitment)
                self.erase(identity)
            except (NoSuchEntryError, ErasedEntryError):
                continue
            again.append(identity)
        return tuple(again)

    def _read_erasure(self, identity: str) -> ErasureRecord | None:
        if len(identity) != 32 or not identity.isalnum():
            return None
        data = load_file(self._erased / identity, _SMALL_FILE_MAX)
        if data is None:
            return None
        try:
            return msgspec.json.decode(data, type=ErasureRecord)
        except NOT_JSON:
            raise CorruptVaultError(
                f"the record of the erasure of {identity} can't be read", "restore it"
            ) from None

    def _make(self, folder: Path) -> None:
        with map_faults(f"make {folder.name}"):
            folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


class Shelves:
    """The shelves of the vaults in one folder, opened when first asked for. For many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Shelf] = {}
        self._lock = threading.Lock()

    def of(self, member: str) -> Shelf | None:
        """A member's shelf, by its DID; None where it has no vault here. Raises as `Vault.open`."""
        name = member.rpartition(":")[2]
        with self._lock:
            if member not in self._open:
                if not name.isalnum() or not (self._folder / name / "vault.json").exists():
                    return None
                self._open[member] = Shelf(Vault.open(self._folder / name))
            return self._open[member]


def pack(shelf: Shelf, access: HandOver) -> bytes:
    """The sealed package of an access: every content that it names, with what opens it.

    Raises NoSuchEntryError, ErasedEntryError, CorruptVaultError, ContentTooLargeError, SealError.
    """
    items, size = [], 0
    for field, commitment in access.contents:
        entry, content = shelf.vault.read(shelf.find(commitment))
        if encode_base64url(entry.commitment) != commitment:
            raise CorruptVaultError(
                "what lies under a commitment is another content", "place the right one again"
            )
        size += len(content)
        if size > CONTENT_BYTES_MAX:
            raise ContentTooLargeError(
                f"together the contents have more than {CONTENT_BYTES_MAX} bytes",
                "read fewer fields at once",
            )
        items.append(
            Item(field, commitment, encode_base64url(entry.salt), encode_base64url(content))
        )
    plain = msgspec.json.encode(Package(_PACKAGE, tuple(items)))
    try:
        public = decode_base64url(access.key)
    except TextError:
        public = b""
    return seal(plain, alg=access.alg, public=public, context=access.context)


def unpack(sealed: bytes, key: OpeningKey, access: HandOver) -> dict[str, bytes]:
    """Contents by field, each shown to be what the ledger's access commits to.

    Raises SealError, CommitmentMismatch.
    """
    plain = open_sealed(sealed, key, access.context)
    try:
        package = msgspec.json.decode(plain, type=Package)
        found = {
            item.field: (
                item.commitment,
                decode_base64url(item.salt),
                decode_base64url(item.content),
            )
            for item in package.items
        }
    except (*NOT_JSON, TextError) as error:
        raise SealError("what was sealed is no package", "ask for it again") from error
    if package.kind != _PACKAGE or [each.field for each in package.items] != [
        field for field, _commitment in access.contents
    ]:
        raise CommitmentMismatch("the package has other contents than the access names")
    contents = {}
    for field, commitment in access.contents:
        named, salt, content = found[field]
        if named != commitment:
            raise CommitmentMismatch(f"{field} is another content than the access names")
        open_commitment(decode_base64url(commitment), salt, content)
        contents[field] = content
    return contents


def compute_package_digest(sealed: bytes) -> str:
    """What a taker signs for (ReceiveContent): SHA-256 of the sealed bytes, base64url."""
    return encode_base64url(sha256(sealed))
