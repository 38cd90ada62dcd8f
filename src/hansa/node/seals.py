"""Headers and commits of blocks, and validator sets by their hash, in the node's store.

A seal may come with its block (embedded engine) or after it (CometBFT). Touches the store that it
is given.
"""

import threading
from functools import lru_cache
from typing import Final

import msgspec

from hansa.comet.validators import ValidatorSet, compute_validators_hash
from hansa.ledger.rejections import invariant
from hansa.node.blocks import HEAD, SEAL, Seal, decode_head, decode_seal, encode_key, encode_seal
from hansa.node.key_value import Store, WriteBatch

_SEALED: Final = b"sealed"
_VALIDATORS: Final = b"validators/"
_HEIGHT_BYTES: Final = 8
_SETS_CACHED: Final = 16

_decode_validators = msgspec.msgpack.Decoder(ValidatorSet).decode


class SealStore:
    """The seals of one store. Reads from any thread; `put` from one, beside the one of blocks."""

    def __init__(self, store: Store, base: int) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._find_validators = lru_cache(_SETS_CACHED)(self._load_validators)
        found = store.get("meta", _SEALED)
        self._sealed = max(base - 1, 0 if found is None else int.from_bytes(found, "big"))
        self._sealed = self._find_end(self._sealed)

    @property
    def sealed(self) -> int:
        """The newest height such that all blocks from the first kept one to it are sealed."""
        return self._sealed

    def get(self, height: int) -> Seal | None:
        """Header and commit at `height`."""
        data = self._store.get("blocks", encode_key(height, SEAL))
        return None if data is None else decode_seal(data)

    def validators(self, digest: bytes) -> ValidatorSet | None:
        """The set with this `validators_hash`."""
        try:
            return self._find_validators(digest)
        except LookupError:
            return None

    def put(self, seal: Seal, validators: ValidatorSet | None) -> None:
        """Make a seal durable. The same again changes nothing. Raises InvariantViolation when it
        is not the seal of the stored block, or its validators are neither known nor given.
        """
        with self._lock:
            batch = self._store.batch()
            sealed = self.write(batch, seal, validators)
            self._store.commit(batch)
            self.advance(sealed)

    def write(self, batch: WriteBatch, seal: Seal, validators: ValidatorSet | None) -> int:
        """Put a seal into a write; what `sealed` is after it (to be given to `advance`)."""
        header, height = seal.header, seal.header.height
        self._check(seal)
        if self.validators(header.validators_hash) is None:
            invariant(validators is not None, "the validators of a seal are known or given")
            self._write_validators(batch, header.validators_hash, validators or ())
        batch.put("blocks", encode_key(height, SEAL), encode_seal(seal))
        sealed = self._sealed
        if height == sealed + 1:
            sealed = self._find_end(height)
            batch.put("meta", _SEALED, sealed.to_bytes(_HEIGHT_BYTES, "big"))
        return sealed

    def advance(self, sealed: int) -> None:
        """What `write` gave is durable."""
        self._sealed = max(self._sealed, sealed)

    def _find_end(self, height: int) -> int:
        """The last of the seals that follow `height` without a gap."""
        while self._store.get("blocks", encode_key(height + 1, SEAL)) is not None:
            height += 1
        return height

    def _check(self, seal: Seal) -> None:
        """The blocks that are stored are those that the seal names."""
        header = seal.header
        data = self._store.get("blocks", encode_key(header.height, HEAD))
        if data is not None:
            invariant(decode_head(data).hash == header.hash(), "a seal is that of its block")
        before = self._store.get("blocks", encode_key(header.height - 1, HEAD))
        if before is not None:
            root = decode_head(before).state_root
            invariant(root == header.app_hash, "a header names the state of the block before")

    def _write_validators(self, batch: WriteBatch, digest: bytes, validators: ValidatorSet) -> None:
        known = compute_validators_hash(validators)
        invariant(known == digest, "the validators of a seal are those that its header names")
        batch.put("meta", _VALIDATORS + digest, msgspec.msgpack.encode(validators))

    def _load_validators(self, digest: bytes) -> ValidatorSet:
        """Raises LookupError, so that only what is there is remembered."""
        data = self._store.get("meta", _VALIDATORS + digest)
        if data is None:
            raise LookupError(digest)
        return _decode_validators(data)
