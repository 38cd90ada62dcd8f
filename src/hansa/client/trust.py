"""Trust roots: what this user has pinned of each chain. Touches only the trust folder.

A verifier says yes only against one of them (D22): otherwise anyone's own league would verify.
"""

import contextlib
import os
from pathlib import Path
from typing import ClassVar, Final, Literal

import msgspec

from hansa.client.checkpoints import (
    CHECKPOINT_BYTES_MAX,
    CheckpointFile,
    InvalidCheckpoint,
    decode_checkpoint,
)
from hansa.client.faults import ClientError
from hansa.comet.header import CHAIN_ID_SIZE_MAX
from hansa.comet.light import Trusted, trust_genesis
from hansa.comet.validators import (
    InvalidValidators,
    Validator,
    ValidatorSet,
    check_validators,
    sort_validators,
)
from hansa.comet.wire import Timestamp
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import (
    CanonicalError,
    decode_canonical,
    decode_typed,
    encode_canonical,
)
from hansa.encoding.protobuf import FormatError

# A thousand validators and their powers; a pin is usually below 1 kB.
PIN_BYTES_MAX: Final = 200_000
_CHAIN_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class TrustError(ClientError):
    """A genesis or a pin is missing, damaged, or contradicts what is pinned."""

    CODE: ClassVar[str] = "client.trust"


class TrustRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pinned genesis: chain id, SHA-256 of the document (hex), its time, its first validators."""

    chain: str
    genesis: str
    kind: Literal["hansa.trust/2"]
    time: Timestamp
    validators: ValidatorSet

    @property
    def height(self) -> int:
        """Before the first block."""
        return 0

    def trusted(self) -> Trusted:
        """Where light verification begins."""
        return trust_genesis(self.chain, self.time, self.validators)


Root = TrustRoot | CheckpointFile


def build_trust_root(genesis: bytes) -> TrustRoot:
    """Trust root of a genesis document. Raises TrustError when it is none."""
    from hansa.ledger.genesis import InvalidGenesis, decode_genesis  # the kernel: only to pin

    try:
        document = decode_genesis(genesis)
        validators = sort_validators(
            Validator(public_key=each.key.raw, power=each.power) for each in document.validators
        )
        check_validators(validators)
        time = Timestamp.from_ms(document.time_ms)
    except (InvalidGenesis, InvalidValidators, FormatError) as error:
        raise TrustError(
            f"this is no genesis to trust: {error}",
            "ask an operator of the league for its genesis.json",
        ) from error
    return TrustRoot(
        chain=document.chain,
        genesis=sha256(genesis).hex(),
        kind="hansa.trust/2",
        time=time,
        validators=validators,
    )


def default_home() -> Path:
    """This user's own folder: `$HANSA_HOME`, else `~/.hansa` (keys and pinned trust roots)."""
    return Path(os.environ.get("HANSA_HOME") or Path.home() / ".hansa")


def find_trust_folder() -> Path:
    """This user's trust folder: `trust` in `$HANSA_HOME`, else in `~/.hansa`."""
    return default_home() / "trust"


class TrustStore:
    """The pinned trust roots: of each chain a genesis, a checkpoint, or both, in a file each.

    A pin is never overwritten in silence.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = find_trust_folder() if folder is None else folder

    def path(self, chain: str) -> Path:
        """Where the genesis of `chain` is pinned. Raises TrustError for what is no chain id."""
        return self.folder / _name_file(chain)

    def checkpoint_path(self, chain: str) -> Path:
        """Where the checkpoint of `chain` is pinned. Raises TrustError for what is no chain id."""
        return self.folder / "checkpoints" / _name_file(chain)

    def load(self, chain: str) -> TrustRoot | None:
        """The genesis pinned for `chain`, or None. Raises TrustError when its pin is damaged."""
        path = self.path(chain)
        data = _read_pin(path, PIN_BYTES_MAX)
        return None if data is None else _decode_pin(data, chain, path)

    def load_checkpoint(self, chain: str) -> CheckpointFile | None:
        """The checkpoint pinned for `chain`, or None. Raises TrustError when it is damaged."""
        path = self.checkpoint_path(chain)
        data = _read_pin(path, CHECKPOINT_BYTES_MAX)
        if data is None:
            return None
        try:
            checkpoint = decode_checkpoint(data)
        except InvalidCheckpoint as error:
            raise TrustError(f"the pin {path} is damaged", f"hansa trust remove {chain}") from error
        if checkpoint.chain != chain:
            raise TrustError(f"the pin {path} is of another chain", f"hansa trust remove {chain}")
        return checkpoint

    def load_roots(self, chain: str) -> tuple[Root, ...]:
        """What is pinned for `chain`, newest first. Raises TrustError when a pin is damaged."""
        return tuple(
            root for root in (self.load_checkpoint(chain), self.load(chain)) if root is not None
        )

    def list_roots(self) -> list[Root]:
        """All that is pinned, by chain, oldest first. Raises TrustError when a pin is damaged."""
        found = (*self.folder.glob("*.json"), *self.folder.glob("checkpoints/*.json"))
        chains = sorted({path.name.removesuffix(".json") for path in found})
        return [root for chain in chains for root in reversed(self.load_roots(chain))]

    def pin(self, genesis: bytes, *, replace: bool = False) -> TrustRoot:
        """Pin a chain by its genesis. Pinning the same again is fine.

        Raises TrustError: another genesis is pinned for that chain id (and not `replace`), or the
        document is no genesis. Replacing it forgets the checkpoint: it may be of the other league.
        """
        root = build_trust_root(genesis)
        pinned = None if replace else self.load(root.chain)
        if pinned is not None and pinned != root:
            raise TrustError(
                f"another genesis is pinned for chain {root.chain}: {pinned.genesis}",
                f"compare it with this one, {root.genesis}, over a channel you trust; "
                f"then: hansa trust remove {root.chain}",
            )
        if replace:
            self.remove(root.chain)
        if pinned is None:
            _store(self.path(root.chain), encode_canonical(root))
        return root

    def pin_checkpoint(self, checkpoint: CheckpointFile) -> None:
        """Pin a checkpoint in place of the one before. `client.pinning` says when that is right."""
        kept = msgspec.structs.replace(checkpoint, headers=())
        _store(self.checkpoint_path(checkpoint.chain), encode_canonical(kept))

    def remove(self, chain: str) -> bool:
        """Forget what is pinned for `chain`; False when there was nothing."""
        removed = False
        for path in (self.path(chain), self.checkpoint_path(chain)):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
                removed = True
        return removed


def _name_file(chain: str) -> str:
    if not 0 < len(chain) <= CHAIN_ID_SIZE_MAX or not _CHAIN_CHARACTERS.issuperset(chain):
        raise TrustError(f"{chain!r} is no chain id", "a chain id has 1 to 50 of a-z 0-9 - .")
    return f"{chain}.json"


def _read_pin(path: Path, size_max: int) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(size_max + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrustError(f"cannot read {path}: {error.strerror}") from error


def _store(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with draft.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise TrustError(
            f"cannot write {path}: {error.strerror}", "set HANSA_HOME to a folder of yours"
        ) from error


def _decode_pin(data: bytes, chain: str, path: Path) -> TrustRoot:
    try:
        decode_canonical(data, size_max=PIN_BYTES_MAX)
        root = decode_typed(data, TrustRoot)
        check_validators(root.validators)
    except (CanonicalError, InvalidValidators) as error:
        raise TrustError(
            f"the pin {path} is damaged, or of an older release",
            f"hansa trust remove {chain}; hansa trust add GENESIS",
        ) from error
    if root.chain != chain:
        raise TrustError(f"the pin {path} is of another chain", f"hansa trust remove {chain}")
    return root
