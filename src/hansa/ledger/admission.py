"""`check_transaction`: one function for door, proposer, every validator and execution. Pure.

It reads committed (or overlaid) state and raises an InvalidTransaction; it changes nothing.
"""

from collections import OrderedDict

import msgspec

from hansa.crypto.hashing import sha256
from hansa.crypto.signatures import InvalidSignature, PublicKey, verify_signature
from hansa.ledger.contracts import Contract, Registry, decode_body, get_version
from hansa.ledger.model import Message
from hansa.ledger.state import Reader, get_system
from hansa.ledger.system import (
    Account,
    Allowance,
    Freeze,
    Key,
    Member,
    Parameter,
    Usage,
    compute_standing,
    find_key,
)
from hansa.ledger.transactions import (
    InvalidTransaction,
    SignedTransaction,
    decode_transaction,
)
from hansa.primitives.limits import EXPIRY_WINDOW

# Cost units a member may spend in one window, unless governance set another allowance (D19).
ALLOWANCE_DEFAULT = 20_000_000
WINDOW_MS_DEFAULT = 60_000
# One more unit for each started KiB of a transaction.
COST_BYTES = 1024
# Bytes of transactions whose decoded forms a node keeps between door and block.
CACHE_BYTES_MAX = 64_000_000


class WrongChain(InvalidTransaction):
    """Signed for another chain."""

    CODE = "wrong_chain"
    RULE = "D1"
    TEXT = "The transaction is for chain {chain}, not for this one."
    REMEDY = "Sign it again for this chain, or send it to the other."


class Expired(InvalidTransaction):
    """Its expiry height has passed."""

    CODE = "expired"
    RULE = "D3"
    TEXT = "The transaction could enter up to height {expiry}; the next is {height}."
    REMEDY = "Sign it again with a later expiry height."


class ExpiryTooFar(InvalidTransaction):
    """Its expiry height is beyond the replay window."""

    CODE = "expiry_too_far"
    RULE = "D3"
    TEXT = "The expiry height {expiry} is more than {window} above the next height {height}."
    REMEDY = "Sign it again with an expiry height within the window."


class AlreadySeen(InvalidTransaction):
    """The same transaction is already in a block."""

    CODE = "already_seen"
    RULE = "D3"
    TEXT = "This transaction is already in the ledger."
    REMEDY = "Ask for its receipt by its id; nothing needs to be sent again."


class UnknownSigner(InvalidTransaction):
    """No valid key of that name as at this height."""

    CODE = "unknown_signer"
    RULE = "D2"
    TEXT = "The key {kid} is not a valid signing key at this height."
    REMEDY = "Use a current key of the account, or have the account registered by a member."


class WrongSignature(InvalidTransaction):
    """A signature that does not hold."""

    CODE = "wrong_signature"
    RULE = "D2"
    TEXT = "The signature of {kid} does not hold."
    REMEDY = "Sign the exact payload bytes with the named key."


class NotInGoodStanding(InvalidTransaction):
    """The account or its member is suspended, expelled or closed."""

    CODE = "not_in_good_standing"
    RULE = "D2"
    TEXT = "{who} is not in good standing at this height."
    REMEDY = "Ask the league's governance about its standing."


class Frozen(InvalidTransaction):
    """Governance or a contract fault stopped the contract, the message type or the account."""

    CODE = "frozen"
    RULE = "D21"
    TEXT = "{target} is frozen ({reason})."
    REMEDY = "Ask the league's governance to lift the freeze."


class InternalMessage(InvalidTransaction):
    """Only the ledger itself sends this message."""

    CODE = "internal_message"
    RULE = "D17"
    TEXT = "{type} is sent by deadlines or governance only."
    REMEDY = "Propose it through governance."


class QuotaSpent(InvalidTransaction):
    """The member's cost units of this window are spent."""

    CODE = "quota_spent"
    RULE = "D19"
    TEXT = "The member's {allowance} cost units of this window are spent."
    REMEDY = "Wait for the next window, or ask governance for a larger allowance."


class AdmittedMessage(msgspec.Struct, frozen=True):
    """A decoded message with the contract that will handle it."""

    contract: Contract
    body: Message
    type: str
    digest: bytes
    sender: int


class AdmittedTransaction(msgspec.Struct, frozen=True):
    """A transaction that may enter a block, with what the check read; `usage`: after its cost."""

    transaction: SignedTransaction
    accounts: tuple[Account, ...]
    messages: tuple[AdmittedMessage, ...]
    cost: int
    usage: Usage


Keys = tuple[PublicKey, ...]
_Held = tuple[SignedTransaction, Keys, tuple[AdmittedMessage, ...]]


class SignatureCache:
    """Bounded memory of transactions whose signatures held, by the digest of the bytes carried,
    and of their messages as the contracts of then decoded them.

    The door's work serves the proposal and execution. It changes speed, never results.
    """

    def __init__(self, bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._bytes_max = bytes_max * 2 // 3  # decoded bodies take half as much again
        self._bytes = 0
        self._held: OrderedDict[bytes, _Held] = OrderedDict()

    def decode(self, data: bytes) -> SignedTransaction:
        """The decoded transaction, remembered if its bytes are known. Raises Malformed."""
        known = self._held.get(sha256(data))
        return decode_transaction(data) if known is None else known[0]

    def holds(self, transaction: SignedTransaction, keys: Keys) -> bool:
        """Whether these very bytes held under these very keys."""
        known = self._held.get(transaction.digest)
        return known is not None and known[1] == keys

    def messages(self, transaction: SignedTransaction) -> tuple[AdmittedMessage, ...]:
        """Its messages, each good under the contract that it names; () when they are not known."""
        known = self._held.get(transaction.digest)
        return () if known is None else known[2]

    def add(
        self, transaction: SignedTransaction, keys: Keys, messages: tuple[AdmittedMessage, ...] = ()
    ) -> None:
        """Remember; the oldest are forgotten."""
        if transaction.digest not in self._held:
            self._bytes += transaction.size
        self._held[transaction.digest] = (transaction, keys, messages)
        while self._bytes > self._bytes_max:
            _digest, (oldest, *_rest) = self._held.popitem(last=False)
            self._bytes -= oldest.size


def check_transaction(
    reader: Reader,
    data: bytes,
    registry: Registry,
    *,
    chain: str,
    height: int,
    time_ms: int,
    has_seen: bool,
    verified: SignatureCache | None = None,
    decoded: SignedTransaction | None = None,
) -> AdmittedTransaction:
    """Check that `data` may enter the block at `height`. Raises a Rejection that says why not."""
    if decoded is None:
        decoded = decode_transaction(data) if verified is None else verified.decode(data)
    transaction = decoded
    _check_replay(transaction, chain, height, has_seen)
    signers = [_check_signer(reader, kid, height) for kid in transaction.payload.signers]
    known = () if verified is None else verified.messages(transaction)
    messages = _admit_messages(reader, registry, transaction, height, known)
    _check_scopes(messages, signers, transaction)
    cost = sum(message.body.COST for message in messages) + transaction.size // COST_BYTES
    usage = check_quota(reader, signers[0][0].member, cost, time_ms)
    _check_signatures(transaction, signers, messages, verified)
    return AdmittedTransaction(
        transaction=transaction,
        accounts=tuple(account for account, _key in signers),
        messages=messages,
        cost=cost,
        usage=usage,
    )


def compute_window(reader: Reader, time_ms: int) -> int:
    """Number of the quota window that `time_ms` falls into."""
    found = get_system(reader, Parameter, "quotas", "window_ms")
    return time_ms // (found.value if found else WINDOW_MS_DEFAULT)


def check_quota(reader: Reader, member: str, cost: int, time_ms: int) -> Usage:
    """The member's usage after `cost` units. Raises QuotaSpent (D19)."""
    window = compute_window(reader, time_ms)
    usage = get_system(reader, Usage, member)
    spent = usage.units if usage is not None and usage.window == window else 0
    found = get_system(reader, Allowance, member)
    allowance = found.units if found else ALLOWANCE_DEFAULT
    if spent + cost > allowance:
        raise QuotaSpent(allowance=allowance)
    return Usage(member=member, window=window, units=spent + cost)


def check_not_frozen(reader: Reader, target: str) -> None:
    """Raise Frozen when `target` (`contract:a`, `message:a.M`, `account:did`) is frozen."""
    freeze = get_system(reader, Freeze, target)
    if freeze is not None:
        raise Frozen(target=target, reason=freeze.reason)


def _check_replay(transaction: SignedTransaction, chain: str, height: int, has_seen: bool) -> None:
    payload = transaction.payload
    if payload.chain != chain:
        raise WrongChain(chain=payload.chain)
    if payload.expiry < height:
        raise Expired(expiry=payload.expiry, height=height)
    if payload.expiry > height + EXPIRY_WINDOW:
        raise ExpiryTooFar(expiry=payload.expiry, window=EXPIRY_WINDOW, height=height)
    if has_seen:
        raise AlreadySeen()


def _check_signer(reader: Reader, kid: str, height: int) -> tuple[Account, Key]:
    did, _sep, key_id = kid.partition("#")
    if not did.startswith("did:") or not key_id:
        raise UnknownSigner(kid=kid)
    account = get_system(reader, Account, did)
    key = find_key(account, key_id, height) if account is not None else None
    if account is None or key is None or not {"sign", "service"} & set(key.purposes):
        raise UnknownSigner(kid=kid)
    if compute_standing(account.standing, height) != "good":
        raise NotInGoodStanding(who=did)
    member = get_system(reader, Member, account.member)
    if member is None or compute_standing(member.standing, height) != "good":
        raise NotInGoodStanding(who=account.member)
    check_not_frozen(reader, f"account:{did}")
    return account, key


def _admit_messages(
    reader: Reader,
    registry: Registry,
    transaction: SignedTransaction,
    height: int,
    known: tuple[AdmittedMessage, ...],
) -> tuple[AdmittedMessage, ...]:
    """Each under the contract that is active; each contract and type is asked for once.

    A body is a function of its bytes and the contract: one that is `known` is not decoded again.
    """
    contracts: dict[str, Contract] = {}
    types: set[tuple[str, str]] = set()
    admitted = []
    for index, signed in enumerate(transaction.messages):
        contract = contracts.get(signed.app)
        if contract is None:
            contract = contracts[signed.app] = registry.active(reader, signed.app, height)
            check_not_frozen(reader, f"contract:{contract.name}")
        if known and known[index].contract is contract:
            message = known[index]
        else:
            message = _decode_message(contract, transaction, index)
        if (signed.app, signed.type) not in types:
            check_not_frozen(reader, f"message:{contract.name}.{signed.type}")
            types.add((signed.app, signed.type))
        admitted.append(message)
    return tuple(admitted)


def _decode_message(
    contract: Contract, transaction: SignedTransaction, index: int
) -> AdmittedMessage:
    signed = transaction.messages[index]
    body = decode_body(contract, signed.type, signed.body)
    if body.INTERNAL:
        raise InternalMessage(type=f"{signed.app}.{signed.type}")
    return AdmittedMessage(
        contract=contract,
        body=body,
        type=f"{signed.app}/{signed.type}/{get_version(type(body))}",
        digest=transaction.message_digests[index],
        sender=signed.sender,
    )


def _check_scopes(
    messages: tuple[AdmittedMessage, ...],
    signers: list[tuple[Account, Key]],
    transaction: SignedTransaction,
) -> None:
    """A service key signs only for the applications of its scope (D12)."""
    for message in messages:
        _account, key = signers[message.sender]
        if "sign" not in key.purposes and message.contract.name not in key.scope:
            raise UnknownSigner(kid=transaction.payload.signers[message.sender])


def _check_signatures(
    transaction: SignedTransaction,
    signers: list[tuple[Account, Key]],
    messages: tuple[AdmittedMessage, ...],
    verified: SignatureCache | None,
) -> None:
    keys = tuple(key.public for _account, key in signers)
    if verified is not None and verified.holds(transaction, keys):
        return
    for (_account, key), signature in zip(signers, transaction.signatures, strict=True):
        kid = signature.header.kid
        if signature.header.alg != key.public.alg:
            raise WrongSignature(kid=kid)
        try:
            verify_signature(key.public, signature.signing_input, signature.signature)
        except InvalidSignature as error:
            raise WrongSignature(kid=kid) from error
    if verified is not None:
        verified.add(transaction, keys, messages)
