"""Keys of validators: their form, possession, and that none is used twice (V1)."""

from hansa.contracts.validators.model import FormerKey
from hansa.contracts.validators.rejections import (
    KeyOfValidator,
    WrongValidatorKey,
    WrongValidatorPossession,
)
from hansa.crypto.addresses import compute_address
from hansa.crypto.signatures import (
    InvalidKey,
    InvalidSignature,
    PublicKey,
    check_public_key,
    verify_signature,
)
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import TextError, decode_base64url
from hansa.ledger.context import Context
from hansa.ledger.system import Validator


def compute_validator_statement(*, chain: str, member: str, key: PublicKey) -> bytes:
    """What a validator's key signs: canonical JSON that names the chain and the member.

    It begins with `{`, so it is never a vote, which begins with its length and the byte 8.
    """
    return encode_canonical(
        {
            "chain": chain,
            "key": key.jwk(),
            "kind": "hansa.validator-possession/1",
            "member": member,
        }
    )


def derive_address(key: PublicKey) -> str:
    """Address of a key that may be a validator's, in hex. Raises WrongValidatorKey."""
    try:
        check_public_key(key)
    except InvalidKey as error:
        raise WrongValidatorKey(problem=str(error)) from error
    if key.alg != "EdDSA":
        raise WrongValidatorKey(problem="votes are signed with Ed25519")
    return compute_address(key.raw).hex()


def check_entering(ctx: Context, member: str, key: PublicKey, possession: str) -> str:
    """The address of a key that enters for `member`. Raises WrongValidatorKey, KeyOfValidator,
    WrongValidatorPossession.
    """
    address = derive_address(key)
    check_unused(ctx, address, member)
    check_possession(ctx.chain, member=member, key=key, possession=possession)
    return address


def check_unused(ctx: Context, address: str, member: str) -> None:
    """Raise KeyOfValidator if the key votes, voted for another member, or was replaced."""
    former = ctx.get(FormerKey, address)
    is_spent = former is not None and (former.replaced or former.member != member)
    if is_spent or ctx.get(Validator, address) is not None:
        raise KeyOfValidator(validator=address)


def check_possession(chain: str, *, member: str, key: PublicKey, possession: str) -> None:
    """Raise WrongValidatorPossession unless `possession` is the key's signature of its
    statement.
    """
    statement = compute_validator_statement(chain=chain, member=member, key=key)
    try:
        verify_signature(key, statement, decode_base64url(possession))
    except (InvalidSignature, TextError) as error:
        raise WrongValidatorPossession(member=member) from error
