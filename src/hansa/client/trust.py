"""Trust roots: the geneses that this user has pinned. Touches only the trust folder.

A verifier says yes only against one of them (D22): otherwise anyone's own league would verify.
"""

import contextlib
import os
from pathlib import Path
from typing import ClassVar, Final, Literal

import msgspec

from hansa.client.faults import ClientError
from hansa.comet.header import CHAIN_ID_SIZE_MAX
from hansa.comet.validators import (
    InvalidValidators,
    Validator,
    ValidatorSet,
    check_validators,
    sort_validators,
)
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import (
    CanonicalError,
    decode_canonical,
    decode_typed,
    encode_canonical,
)

# A thousand validators and their powers; a pin is usually below 1 kB.
PIN_BYTES_MAX: Final = 200_000
_CHAIN_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class TrustError(ClientError):
    """A genesis or a pin is missing, damaged, or contradicts what is pinned."""

    CODE: ClassVar[str] = "client.trust"


class TrustRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one trusts of a chain: its id, SHA-256 of its genesis (hex), its first validators."""

    chain: str
    genesis: str
    kind: Literal["hansa.trust/1"]
    validators: ValidatorSet


def build_trust_root(genesis: bytes) -> TrustRoot:
    """Trust root of a genesis document. Raises TrustError when it is none."""
    from hansa.ledger.genesis import InvalidGenesis, decode_genesis  # the kernel: only to pin

    try:
        document = decode_genesis(genesis)
        validators = sort_validators(
            Validator(public_key=each.key.raw, power=each.power) for each in document.validators
        )
        check_validators(validators)
    except (InvalidGenesis, InvalidValidators) as error:
        raise TrustError(
            f"this is no genesis to trust: {error}",
            "ask an operator of the league for its genesis.json",
        ) from error
    return TrustRoot(
        chain=document.chain,
        genesis=sha256(genesis).hex(),
        kind="hansa.trust/1",
        validators=validators,
    )


def default_home() -> Path:
    """This user's own folder: `$HANSA_HOME`, else `~/.hansa` (keys and pinned trust roots)."""
    return Path(os.environ.get("HANSA_HOME") or Path.home() / ".hansa")


def find_trust_folder() -> Path:
    """This user's trust folder: `trust` in `$HANSA_HOME`, else in `~/.hansa`."""
    return default_home() / "trust"


class TrustStore:
    """The pinned trust roots, one file for each chain. A pin is never overwritten in silence."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = find_trust_folder() if folder is None else folder

    def path(self, chain: str) -> Path:
        """Where the pin of `chain` is kept. Raises TrustError for what is no chain id."""
        if not 0 < len(chain) <= CHAIN_ID_SIZE_MAX or not _CHAIN_CHARACTERS.issuperset(chain):
            raise TrustError(f"{chain!r} is no chain id", "a chain id has 1 to 50 of a-z 0-9 - .")
        return self.folder / f"{chain}.json"

    def load(self, chain: str) -> TrustRoot | None:
        """The trust root pinned for `chain`, or None. Raises TrustError when its pin is damaged."""
        path = self.path(chain)
        try:
            with path.open("rb") as stream:
                data = stream.read(PIN_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TrustError(f"cannot read {path}: {error.strerror}") from error
        return _decode_pin(data, chain, path)

    def list_roots(self) -> list[TrustRoot]:
        """All pinned trust roots, by chain. Raises TrustError when a pin is damaged."""
        if not self.folder.is_dir():
            return []
        chains = sorted(path.name.removesuffix(".json") for path in self.folder.glob("*.json"))
        return [root for chain in chains if (root := self.load(chain)) is not None]

    def pin(self, genesis: bytes, *, replace: bool = False) -> TrustRoot:
        """Pin a chain by its genesis. Pinning the same again is fine.

        Raises TrustError: another genesis is pinned for that chain id (and not `replace`), or the
        document is no genesis.
        """
        root = build_trust_root(genesis)
        pinned = None if replace else self.load(root.chain)
        if pinned is not None and pinned != root:
            raise TrustError(
                f"another genesis is pinned for chain {root.chain}: {pinned.genesis}",
                f"compare it with this one, {root.genesis}, over a channel you trust; "
                f"then: hansa trust remove {root.chain}",
            )
        if pinned is None:
            self._store(root)
        return root

    def remove(self, chain: str) -> bool:
        """Forget the pin of `chain`; False when there was none."""
        try:
            self.path(chain).unlink()
        except FileNotFoundError:
            return False
        return True

    def _store(self, root: TrustRoot) -> None:
        path = self.path(root.chain)
        draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with draft.open("xb") as stream:
                stream.write(encode_canonical(root))
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
        raise TrustError(f"the pin {path} is damaged", f"hansa trust remove {chain}") from error
    if root.chain != chain:
        raise TrustError(f"the pin {path} is of another chain", f"hansa trust remove {chain}")
    return root
