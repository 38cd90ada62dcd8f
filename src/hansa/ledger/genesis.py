"""The genesis document of a chain, and the state that it gives. Pure."""

from typing import Any, Literal

import msgspec

from hansa.crypto.addresses import compute_address
from hansa.crypto.signatures import InvalidKey, PublicKey, check_public_key
from hansa.encoding.canonical import (
    CanonicalError,
    decode_canonical,
    decode_typed,
    encode_canonical,
)
from hansa.ledger.blocks import Change
from hansa.ledger.context import GENESIS, Caller, Context, Scope
from hansa.ledger.contracts import Registry
from hansa.ledger.model import compute_state_key
from hansa.ledger.rejections import Rejection
from hansa.ledger.state import MemoryState, Overlay
from hansa.ledger.system import Activation, ActiveVersion, Validator
from hansa.primitives.limits import VALIDATOR_POWER_MAX, VALIDATORS_MAX

GENESIS_BYTES_MAX = 4_000_000
CHAIN_ID_MAX = 50
_CHAIN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class InvalidGenesis(ValueError):
    """A genesis document that no chain can start from."""


class GenesisValidator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A validator of the first block: Ed25519 key, voting power, DID of its member ("" if none)."""

    key: PublicKey
    power: int
    member: str = ""


class GenesisActivation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract active from height 1, with the digest of its code (D7)."""

    application: str
    version: int
    digest: str


class Genesis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chain's beginning. `contracts` holds what each contract's genesis hook is given, by
    name.
    """

    activations: tuple[GenesisActivation, ...]
    chain: str
    contracts: dict[str, Any]
    kind: Literal["hansa.genesis/1"]
    time_ms: int
    validators: tuple[GenesisValidator, ...]


def encode_genesis(genesis: Genesis) -> bytes:
    """Canonical bytes; their SHA-256 names the genesis."""
    return encode_canonical(genesis)


def decode_genesis(data: bytes) -> Genesis:
    """Decode and check a genesis document. Raises InvalidGenesis."""
    try:
        decode_canonical(data, size_max=GENESIS_BYTES_MAX)
        genesis = decode_typed(data, Genesis)
    except CanonicalError as error:
        raise InvalidGenesis(f"not a genesis document: {error}") from error
    if not 0 < len(genesis.chain) <= CHAIN_ID_MAX or not _CHAIN_CHARACTERS.issuperset(
        genesis.chain
    ):
        raise InvalidGenesis("the chain id has 1 to 50 of a-z 0-9 - .")
    _check_validators(genesis.validators)
    return genesis


def _check_validators(validators: tuple[GenesisValidator, ...]) -> None:
    """Number, powers, keys; a key votes once, a member once."""
    if not validators or any(each.power < 1 for each in validators):
        raise InvalidGenesis("a genesis needs validators with power of 1 or more")
    if len(validators) > VALIDATORS_MAX:
        raise InvalidGenesis(f"a genesis has at most {VALIDATORS_MAX} validators")
    if any(each.power > VALIDATOR_POWER_MAX for each in validators):
        raise InvalidGenesis(f"a validator's power is at most {VALIDATOR_POWER_MAX}")
    for each in validators:
        _check_key(each.key)
    members = [each.member for each in validators if each.member]
    if len(set(members)) < len(members) or len({each.key for each in validators}) < len(validators):
        raise InvalidGenesis("a validator's key, or its member, is there twice")


def _check_key(key: PublicKey) -> None:
    try:
        check_public_key(key)
    except InvalidKey as error:
        raise InvalidGenesis(f"a validator's key cannot be used: {error}") from error
    if key.alg != "EdDSA":
        raise InvalidGenesis("a validator's key is Ed25519")


def _build_validator(given: GenesisValidator) -> Validator:
    return Validator(
        address=compute_address(given.key.raw).hex(),
        public_key=given.key,
        member=given.member,
        power=given.power,
        state="active",
        since=0,
    )


def compute_genesis_changes(genesis: Genesis, registry: Registry) -> tuple[Change, ...]:
    """The records of height 0, sorted by key. Raises InvalidGenesis when a contract refuses its
    part.
    """
    overlay = Overlay(MemoryState())
    for activation in genesis.activations:
        version = ActiveVersion(version=activation.version, digest=activation.digest, height=0)
        record = Activation(application=activation.application, versions=(version,))
        key = compute_state_key(Activation.OWNER, Activation.KIND, record.key())
        overlay.put(key, encode_canonical(record))
    for given in genesis.validators:
        validator = _build_validator(given)
        key = compute_state_key(Validator.OWNER, Validator.KIND, (validator.address,))
        overlay.put(key, encode_canonical(validator))
    scope = Scope(
        chain=genesis.chain, height=0, time_ms=genesis.time_ms, transaction=GENESIS, message_index=0
    )
    for activation in genesis.activations:
        contract = registry.contracts.get((activation.application, activation.version))
        if contract is None:
            raise InvalidGenesis(
                f"this release has no {activation.application} {activation.version}"
            )
        if contract.genesis_hook is None:
            continue
        caller = Caller(account=GENESIS, internal=True)
        context = Context(overlay, contract, registry, scope, caller)
        try:
            contract.genesis_hook(context, genesis.contracts.get(contract.name, {}))
        except Rejection as rejection:
            raise InvalidGenesis(
                f"{contract.name}: {rejection.code} {rejection.text}"
            ) from rejection
    return overlay.sorted_changes()
