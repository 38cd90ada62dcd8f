"""Commits: the votes that decided a block, what is signed, and the one check of them. Pure.

Source: CometBFT v0.39.4 types/block.go, types/canonical.go, types/validation.go (VerifyCommit).
"""

from typing import Final

import msgspec

from hansa.comet.header import BlockID
from hansa.comet.validators import (
    InvalidValidators,
    ValidatorSet,
    check_validators,
    compute_total_power,
)
from hansa.comet.wire import ZERO_TIME, Timestamp
from hansa.crypto.addresses import ADDRESS_SIZE
from hansa.crypto.merkle import merkle_root
from hansa.crypto.signatures import SUITES
from hansa.encoding.protobuf import bytes_field, delimit, fixed_field, integer_field, message_field

# BlockIDFlag
ABSENT: Final = 1
COMMIT: Final = 2
NIL: Final = 3
# SignedMsgType
PREVOTE: Final = 1
PRECOMMIT: Final = 2
SIGNATURE_SIZE: Final = 64
ROUND_MAX: Final = 2**31 - 1
NO_BLOCK: Final = BlockID()

_verify_ed25519 = SUITES["EdDSA"].verify


class InvalidCommit(ValueError):
    """A commit that does not decide the block in question."""


class CommitSig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One validator's precommit: for the block (COMMIT), for none (NIL), or not seen (ABSENT)."""

    flag: int
    address: bytes = b""
    time: Timestamp = ZERO_TIME
    signature: bytes = b""

    def encode(self) -> bytes:
        """tendermint.types.CommitSig."""
        return (
            integer_field(1, self.flag)
            + bytes_field(2, self.address)
            + message_field(3, self.time.encode())
            + bytes_field(4, self.signature)
        )


class Commit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The precommits of one height and round, one entry per validator in the set's order."""

    height: int
    round: int
    block_id: BlockID
    signatures: tuple[CommitSig, ...]

    def hash(self) -> bytes:
        """`last_commit_hash` of the next header (of no signatures: the empty tree's)."""
        return merkle_root([signature.encode() for signature in self.signatures])

    def encode(self) -> bytes:
        """tendermint.types.Commit."""
        return (
            integer_field(1, self.height)
            + integer_field(2, self.round)
            + message_field(3, self.block_id.encode())
            + b"".join(message_field(4, signature.encode()) for signature in self.signatures)
        )

    def sign_bytes(self, chain_id: str, index: int) -> bytes:
        """What the validator at `index` signed."""
        signature = self.signatures[index]
        return encode_vote_sign_bytes(
            chain_id,
            height=self.height,
            round_=self.round,
            block_id=self.block_id if signature.flag == COMMIT else NO_BLOCK,
            time=signature.time,
        )


_ABSENT_SIG: Final = CommitSig(ABSENT)
EMPTY_COMMIT: Final = Commit(height=0, round=0, block_id=NO_BLOCK, signatures=())


def encode_vote_sign_bytes(
    chain_id: str,
    *,
    height: int,
    round_: int,
    block_id: BlockID,
    time: Timestamp,
    type_: int = PRECOMMIT,
) -> bytes:
    """Bytes that a validator signs: the length-delimited CanonicalVote. `NO_BLOCK`: a nil vote."""
    return delimit(
        integer_field(1, type_)
        + fixed_field(2, height)
        + fixed_field(3, round_)
        + (b"" if block_id == NO_BLOCK else message_field(4, block_id.encode()))
        + message_field(5, time.encode())
        + bytes_field(6, chain_id.encode())
    )


def verify_commit(
    chain_id: str, validators: ValidatorSet, block_id: BlockID, height: int, commit: Commit
) -> None:
    """Verify that more than two thirds of the power signed `block_id`. Raises InvalidCommit.

    Every signature that is present is verified, needed or not, and must stand at the index of its
    own validator: each validator counts once.
    """
    _check_commit(validators, block_id, height, commit)
    signed = 0
    for index, validator in enumerate(validators):
        signature = commit.signatures[index]
        _check_form(signature, index)
        if signature.flag == ABSENT:
            continue
        if signature.address != validator.address:
            raise InvalidCommit(f"signature {index} is not that of the validator at its index")
        message = commit.sign_bytes(chain_id, index)
        if not _verify_ed25519(validator.public_key, message, signature.signature):
            raise InvalidCommit(f"signature {index} does not hold")
        if signature.flag == COMMIT:
            signed += validator.power
    total = compute_total_power(validators)
    if 3 * signed <= 2 * total:
        raise InvalidCommit(f"signed by {signed} of {total}: not more than two thirds")


def _check_commit(validators: ValidatorSet, block_id: BlockID, height: int, commit: Commit) -> None:
    """What can be judged without signatures."""
    try:
        check_validators(validators)
    except InvalidValidators as error:
        raise InvalidCommit(str(error)) from error
    if commit.height != height or commit.block_id != block_id:
        raise InvalidCommit("the commit is for another block")
    if height < 1 or not 0 <= commit.round <= ROUND_MAX or not block_id.is_complete():
        raise InvalidCommit("the commit's height, round or block id is malformed")
    if len(commit.signatures) != len(validators):
        raise InvalidCommit("the commit has not one entry for each validator")


def _check_form(signature: CommitSig, index: int) -> None:
    """CometBFT CommitSig.ValidateBasic, for Ed25519."""
    if signature.flag == ABSENT:
        if signature != _ABSENT_SIG:
            raise InvalidCommit(f"entry {index} is absent but not empty")
        return
    if signature.flag not in (COMMIT, NIL):
        raise InvalidCommit(f"entry {index} has an unknown flag")
    if len(signature.address) != ADDRESS_SIZE or len(signature.signature) != SIGNATURE_SIZE:
        raise InvalidCommit(f"entry {index} is malformed")
