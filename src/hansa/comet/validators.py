"""Validators and their sets: address, order, hash. Ed25519 keys only. Pure.

A set is a tuple in CometBFT's order. Source: CometBFT v0.39.4 types/validator.go, validator_set.go.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from hansa.crypto.addresses import compute_address as compute_address
from hansa.crypto.merkle import merkle_root
from hansa.encoding.protobuf import bytes_field, integer_field, message_field

PUBLIC_KEY_SIZE: Final = 32
# CometBFT MaxTotalVotingPower: sums and products of powers never overflow 64 bits.
TOTAL_POWER_MAX: Final = (2**63 - 1) // 8


class Validator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One voter: Ed25519 public key (32 bytes) and voting power (1 or more)."""

    public_key: bytes
    power: int

    @property
    def address(self) -> bytes:
        """First 20 bytes of the key's SHA-256."""
        return compute_address(self.public_key)

    def encode_simple(self) -> bytes:
        """tendermint.types.SimpleValidator: the leaf of `validators_hash`."""
        key = bytes_field(1, self.public_key)
        return message_field(1, key) + integer_field(2, self.power)


ValidatorSet = tuple[Validator, ...]


class InvalidValidators(ValueError):
    """A list of validators that is no validator set."""


def sort_validators(validators: Iterable[Validator]) -> ValidatorSet:
    """The set's order: highest power first, then address."""
    return tuple(sorted(validators, key=lambda validator: (-validator.power, validator.address)))


def check_validators(validators: ValidatorSet) -> None:
    """Check sizes, powers, uniqueness and order. Raises InvalidValidators."""
    if not validators:
        raise InvalidValidators("there are no validators")
    if any(len(validator.public_key) != PUBLIC_KEY_SIZE for validator in validators):
        raise InvalidValidators("a validator's key is not an Ed25519 key")
    if any(validator.power < 1 for validator in validators):
        raise InvalidValidators("a validator has no power")
    if compute_total_power(validators) > TOTAL_POWER_MAX:
        raise InvalidValidators("the validators have too much power in all")
    if len({validator.public_key for validator in validators}) != len(validators):
        raise InvalidValidators("a validator is listed twice")
    if validators != sort_validators(validators):
        raise InvalidValidators("the validators are not in order")


def compute_total_power(validators: Iterable[Validator]) -> int:
    """Sum of the voting powers."""
    return sum(validator.power for validator in validators)


def compute_validators_hash(validators: ValidatorSet) -> bytes:
    """`validators_hash` of a set in its order, 32 bytes."""
    return merkle_root([validator.encode_simple() for validator in validators])
