"""The home folder of a node: genesis, settings, validator's key, data. Made whole or not at all.

Layout: genesis.json, node.toml, keys/validator.json and keys/node.json (0600), data/ (this
package's), engine/ (CometBFT's, written anew at each start), index.sqlite and vault/ (their
packages'). Others may keep further files here.
"""

import os
import shutil
import stat
from pathlib import Path
from typing import Final, Literal

import msgspec

from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import InvalidKey
from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import (
    GENESIS_BYTES_MAX,
    Genesis,
    InvalidGenesis,
    compute_genesis_changes,
    decode_genesis,
    encode_genesis,
)
from hansa.node.faults import (
    ConfigurationError,
    CorruptFolderError,
    ForeignFolderError,
    HalfMadeFolderError,
    MissingFolderError,
    NodeError,
    StorageError,
)
from hansa.node.key_value import KeyValueStore, OpenStore
from hansa.node.settings import Settings, decode_settings, encode_settings
from hansa.node.storage import create_storage, make_identity, sync_folder

GENESIS: Final = "genesis.json"
SETTINGS: Final = "node.toml"
KEYS: Final = "keys"
VALIDATOR: Final = "validator.json"
NODE: Final = "node.json"
ENGINE: Final = "engine"
ENGINE_LOG: Final = "engine.log"
SNAPSHOTS: Final = "snapshots"
DATA: Final = "data"
PRIVATE: Final = 0o600
_SMALL_FILE_MAX: Final = 64_000


class ValidatorFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keys/validator.json`. Both keys base64url."""

    kind: Literal["hansa.validator-key/1"]
    private: str
    public: str


class NodeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keys/node.json`: by which the other nodes know this one. Both keys base64url."""

    kind: Literal["hansa.node-key/1"]
    private: str
    public: str


class Home(msgspec.Struct, frozen=True):
    """A home folder that has been read. Keys are read when they are needed."""

    folder: Path
    genesis: Genesis
    genesis_digest: bytes
    settings: Settings

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / DATA

    def validator_key(self) -> PrivateKey:
        """The key that signs blocks, once governance has made it a validator's.

        Raises a NodeError: missing, open to others, damaged.
        """
        return read_validator_key(self.folder / KEYS / VALIDATOR)

    def node_key(self) -> PrivateKey:
        """The key by which other nodes know this one. Raises a NodeError as `validator_key`."""
        return read_node_key(self.folder / KEYS / NODE)


def create_home(
    folder: Path,
    genesis: Genesis,
    validator: PrivateKey,
    registry: Registry,
    settings: Settings | None = None,
    *,
    node: PrivateKey | None = None,
    open_store: OpenStore = KeyValueStore,
) -> Home:
    """Make a home, or find the same one already made. Raises a NodeError for anything else there.

    `validator` need not be in the genesis under CometBFT: an observer's signs nothing, a later
    validator's is approved by governance. `node`: by default one is drawn where it is needed. Built
    beside `folder` and renamed: a crash leaves nothing under its name. Raises InvalidGenesis.
    """
    data = encode_genesis(genesis)
    changes = compute_genesis_changes(genesis, registry)
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()):
        return _find_same(folder, data)
    making = folder.with_name(f".{folder.name}.making")
    if making.exists():
        shutil.rmtree(making)
    try:
        (making / KEYS).mkdir(parents=True, mode=0o700)
        making.chmod(0o700)
        write_file(making / GENESIS, data)
        write_file(making / SETTINGS, encode_settings(settings or Settings()).encode())
        write_validator_key(making / KEYS / VALIDATOR, validator)
        if node is not None or (settings is not None and settings.engine.kind == "comet"):
            write_node_key(making / KEYS / NODE, node or PrivateKey.generate())
        identity = make_identity(genesis.chain, sha256(data))
        create_storage(making / DATA, identity, changes, genesis.time_ms, open_store=open_store)
        sync_folder(making / KEYS)
        sync_folder(making)
        making.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be made: {error.strerror}",
            "Name a folder that this user may write, on a disk with free space.",
        ) from error
    return open_home(folder)


def open_home(folder: Path) -> Home:
    """Read a home's own files. Raises a NodeError that names the cure."""
    if not folder.is_dir():
        raise MissingFolderError(f"there is no folder {folder}", "Make one with: hansa init DIR.")
    if not (folder / GENESIS).exists():
        raise HalfMadeFolderError(
            f"{folder} has no {GENESIS}: it is not a node's home, or it was thinned out",
            "Name the right folder, put the file back from a backup, or make a home with:"
            " hansa init DIR.",
        )
    data = read_file(folder / GENESIS, GENESIS_BYTES_MAX)
    try:
        genesis = decode_genesis(data)
    except InvalidGenesis as error:
        raise CorruptFolderError(
            f"{folder / GENESIS} cannot be read: {error}",
            "Put the file back as it was; every node of the chain has the same one.",
        ) from error
    settings = Settings()
    if (folder / SETTINGS).exists():
        text = read_file(folder / SETTINGS, _SMALL_FILE_MAX).decode("utf-8", "replace")
        settings = decode_settings(text)
    return Home(folder.absolute(), genesis, sha256(data), settings)


def read_validator_key(path: Path) -> PrivateKey:
    """The key in `path`. Raises a NodeError when it is missing, damaged or open to others."""
    return _read_key(path, ValidatorFile, "a validator's key")


def read_node_key(path: Path) -> PrivateKey:
    """As `read_validator_key`, for the node's own key."""
    return _read_key(path, NodeFile, "a node's key")


def _read_key(path: Path, form: type[ValidatorFile] | type[NodeFile], what: str) -> PrivateKey:
    if not path.exists():
        raise HalfMadeFolderError(f"{what} is missing: {path}", "Put it back from your backup.")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"{path} can be read by other users of this machine", f"Run: chmod 600 {path}"
        )
    try:
        file = msgspec.json.decode(read_file(path, _SMALL_FILE_MAX), type=form)
        key = PrivateKey("EdDSA", decode_base64url(file.private))
    except (*NOT_JSON, TextError, InvalidKey) as error:
        raise CorruptFolderError(
            f"{path} does not hold {what}", "Put it back from your backup of it."
        ) from error
    if key.public.public != file.public:
        raise CorruptFolderError(
            f"the two halves of the key in {path} do not belong together",
            "Put it back from your backup of it.",
        )
    return key


def write_validator_key(path: Path, key: PrivateKey) -> None:
    """Write a validator's key for its owner's eyes only."""
    file = ValidatorFile(
        kind="hansa.validator-key/1",
        private=encode_base64url(key.to_bytes()),
        public=key.public.public,
    )
    write_file(path, msgspec.json.encode(file), PRIVATE)


def write_node_key(path: Path, key: PrivateKey) -> None:
    """Write a node's own key for its owner's eyes only."""
    file = NodeFile(
        kind="hansa.node-key/1",
        private=encode_base64url(key.to_bytes()),
        public=key.public.public,
    )
    write_file(path, msgspec.json.encode(file), PRIVATE)


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a new file durably."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def read_file(path: Path, size_max: int) -> bytes:
    """A whole file. Raises a NodeError when it cannot be read or is too long."""
    try:
        with path.open("rb") as file:
            data = file.read(size_max + 1)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read: {error.strerror}", "See that this user may read it."
        ) from error
    if len(data) > size_max:
        raise CorruptFolderError(f"{path} is too long", "Put it back from a backup.")
    return data


def _find_same(folder: Path, genesis: bytes) -> Home:
    """The home that is there already, when it is this very one."""
    try:
        home = open_home(folder)
    except NodeError as error:
        raise ForeignFolderError(
            f"{folder} is not empty and not a node's home", "Name an empty or a new folder."
        ) from error
    if home.genesis_digest != sha256(genesis):
        raise ForeignFolderError(
            f"{folder} is already the home of chain {home.genesis.chain} with another genesis",
            "Name another folder; one home is one node of one chain.",
        )
    return home


def rewrite_settings(folder: Path, settings: Settings) -> None:
    """Replace `node.toml` in one step. Raises StorageError."""
    draft = folder / f".{SETTINGS}.draft"
    try:
        draft.unlink(missing_ok=True)
        write_file(draft, encode_settings(settings).encode())
        draft.replace(folder / SETTINGS)
        sync_folder(folder)
    except OSError as error:
        raise StorageError(
            f"{folder / SETTINGS} cannot be written: {error.strerror}",
            "See that the disk has space and lets this user write; then run it again.",
        ) from error
