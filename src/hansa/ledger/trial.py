"""What a transaction would result in, were it signed and alone in the next block. Pure: nothing
that it writes is kept.

It takes the same path as execution, so a form can know the rules before anything is signed.
"""

from collections.abc import Set
from typing import Final

from hansa.crypto.signatures import InvalidSignature, verify_signature
from hansa.ledger.admission import Keys, SignatureCache, WrongSignature
from hansa.ledger.blocks import Block
from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_bytes
from hansa.ledger.receipts import TransactionResult
from hansa.ledger.state import Overlay, StateReader, get_system
from hansa.ledger.system import Account, find_key
from hansa.ledger.transactions import SignedTransaction, decode_transaction

# No signature: of the length of one, so that the size counts as it will.
UNSIGNED: Final = bytes(64)


def try_transaction(
    state: StateReader, registry: Registry, data: bytes, unsigned: Set[str], time_ms: int
) -> TransactionResult:
    """The result of `data` on committed `state`, as of `time_ms`, when the signers `unsigned`, who
    have UNSIGNED in it, sign too.

    Who asks must be these signers: a refusal says what its sender may know, and who could send it
    may know all. Raises Malformed, and WrongSignature for a signature of another.
    """
    transaction = decode_transaction(data)
    height = state.height + 1
    trusted = SignatureCache()
    keys = _check_signed(state, transaction, unsigned, height)
    if len(keys) == len(transaction.signatures):
        trusted.add(transaction, keys)
    block = Block(
        chain=transaction.payload.chain,
        height=height,
        time_ms=max(time_ms, state.time_ms + 1),
        hash=bytes(32),
    )
    return execute_bytes(state, Overlay(state), block, registry, data, {}, trusted)


def _check_signed(
    state: StateReader, transaction: SignedTransaction, unsigned: Set[str], height: int
) -> Keys:
    """Keys of the signers that there are, as admission names them. Raises WrongSignature."""
    keys = []
    for each in transaction.signatures:
        kid = each.header.kid
        account = get_system(state, Account, kid.partition("#")[0])
        key = find_key(account, kid.partition("#")[2], height) if account is not None else None
        if key is None:
            continue
        if kid not in unsigned:
            try:
                verify_signature(key.public, each.signing_input, each.signature)
            except InvalidSignature as error:
                raise WrongSignature(kid=kid) from error
        if each.header.alg != key.public.alg:
            raise WrongSignature(kid=kid)
        keys.append(key.public)
    return tuple(keys)
