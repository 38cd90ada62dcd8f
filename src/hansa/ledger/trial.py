"""What a transaction would result in, were it signed and alone in the next block. Pure: nothing
that it writes is kept.

It takes the same path as execution, so a form can know the rules before anything is signed.
"""

from hansa.ledger.admission import SignatureCache
from hansa.ledger.blocks import Block
from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_bytes
from hansa.ledger.receipts import TransactionResult
from hansa.ledger.state import Overlay, StateReader, get_system
from hansa.ledger.system import Account, find_key
from hansa.ledger.transactions import compute_signing_input, decode_transaction, encode_jws

# No signature: of the length of one, so that the size counts as it will.
_UNSIGNED = bytes(64)


def try_payload(
    state: StateReader, registry: Registry, payload: bytes, kid: str, alg: str, time_ms: int
) -> TransactionResult:
    """The result of `payload` with the one signer `kid` on committed `state`, as of `time_ms`.

    Who asks must be that signer: a refusal says what its sender may know. Raises Malformed.
    """
    protected, _signing_input = compute_signing_input(kid, alg, payload)
    data = encode_jws(payload, ((protected, _UNSIGNED),))
    transaction = decode_transaction(data)
    height = state.height + 1
    trusted = SignatureCache()
    account = get_system(state, Account, kid.partition("#")[0])
    key = find_key(account, kid.partition("#")[2], height) if account is not None else None
    if key is not None:
        trusted.add(transaction, (f"{key.public.alg} {key.public.public}",))
    block = Block(
        chain=transaction.payload.chain,
        height=height,
        time_ms=max(time_ms, state.time_ms + 1),
        hash=bytes(32),
    )
    return execute_bytes(state, Overlay(state), block, registry, data, {}, trusted)
