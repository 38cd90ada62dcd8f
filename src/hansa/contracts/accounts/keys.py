"""Keys of accounts: possession, purposes, adding, ending (A1 to A7)."""

from msgspec.structs import replace

from hansa.contracts.accounts.did_model import UseNextKey
from hansa.contracts.accounts.model import (
    KeyUsedBefore,
    LastKey,
    NoSuchKey,
    RetiredKey,
    TooManyKeys,
    WrongKey,
    WrongPossession,
    WrongPurposes,
)
from hansa.crypto.hashing import sha256
from hansa.crypto.signatures import (
    InvalidKey,
    InvalidSignature,
    PublicKey,
    check_public_key,
    verify_signature,
)
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.identity.did import compute_did
from hansa.ledger.context import Context
from hansa.ledger.system import Account, Key, Purpose

# Devices of one person or systems of one office; more is a sign of keys that nobody revokes.
KEYS_LIVE_MAX = 16
# Keys, ended ones too, that the account's record lists; older ended ones become RetiredKey records.
KEYS_KEPT_MAX = 64
# Applications of a service key.
SCOPE_MAX = 16
# No service key may act here: it could make itself a signing key, or give authority away.
SYSTEM = frozenset(
    (
        *("members", "accounts", "permissions", "governance", "holds", "quotas", "validators"),
        *("schemas", "accreditations", "credentials", "evidence", "mandates", "consents"),
    )
)


def compute_possession_statement(
    *, chain: str, account: str, member: str, key_id: str, key: PublicKey
) -> bytes:
    """What a new key signs: canonical JSON that names the chain, the account and its member."""
    return encode_canonical(
        {
            "account": account,
            "chain": chain,
            "key": key.jwk(),
            "key_id": key_id,
            "kind": "hansa.possession/1",
            "member": member,
        }
    )


def compute_next_key_statement(
    *, chain: str, account: str, member: str, key_id: str, key: PublicKey, next_key: str
) -> bytes:
    """What a promised key signs when it enters: it also says which key comes after it."""
    return encode_canonical(
        {
            "account": account,
            "chain": chain,
            "key": key.jwk(),
            "key_id": key_id,
            "kind": "hansa.next_key/1",
            "member": member,
            "next_key": next_key,
        }
    )


def derive_did(key: PublicKey) -> str:
    """DID of the account that `key` opens. Raises WrongKey (A1, A2)."""
    check_key(key)
    return compute_did(key)


def check_key(key: PublicKey) -> None:
    """Raise WrongKey when no account may use the key: suite, size, small order (D2)."""
    try:
        check_public_key(key)
    except InvalidKey as error:
        raise WrongKey(problem=str(error)) from error


def check_possession(
    chain: str, *, account: str, member: str, key_id: str, key: PublicKey, possession: str
) -> None:
    """Raise WrongPossession unless `possession` is the key's signature of its statement (A2)."""
    statement = compute_possession_statement(
        chain=chain, account=account, member=member, key_id=key_id, key=key
    )
    _check_statement(account, key, statement, possession)


def check_next_key_possession(chain: str, account: Account, message: UseNextKey) -> None:
    """Raise WrongPossession unless the promised key signed its statement (A2, A10)."""
    statement = compute_next_key_statement(
        chain=chain,
        account=account.did,
        member=account.member,
        key_id=message.key_id,
        key=message.key,
        next_key=message.next_key,
    )
    _check_statement(account.did, message.key, statement, message.possession)


def _check_statement(account: str, key: PublicKey, statement: bytes, signature: str) -> None:
    try:
        verify_signature(key, statement, decode_base64url(signature))
    except (InvalidSignature, TextError) as error:
        raise WrongPossession(account=account) from error


def check_purposes(kind: str, purposes: tuple[Purpose, ...], scope: tuple[str, ...]) -> None:
    """Raise WrongPurposes unless purposes and scope fit an account of this kind (A4)."""
    problem = ""
    if not purposes or list(purposes) != sorted(set(purposes)):
        problem = "name each purpose once, in alphabetical order"
    elif "service" in purposes and len(purposes) > 1:
        problem = "a service key has no other purpose"
    elif kind == "service" and "service" not in purposes:
        problem = "a service account has service keys only"
    elif "service" in purposes and not 0 < len(scope) <= SCOPE_MAX:
        problem = f"a service key names 1 to {SCOPE_MAX} applications"
    elif "service" not in purposes and scope:
        problem = "only a service key has a scope"
    elif list(scope) != sorted(set(scope)) or SYSTEM & set(scope):
        problem = "name each application once, in order, and no system contract"
    if problem:
        raise WrongPurposes(problem=problem)


def check_end(purposes: tuple[Purpose, ...], until: int | None, height: int) -> None:
    """Raise WrongPurposes unless `until` may be the end of a key that enters at `height` (A4)."""
    if until is None:
        return
    if {"sign", "assert"} & set(purposes):
        raise WrongPurposes(problem="a signing key has no end set in advance; revoke it in time")
    if until <= height + 1:
        raise WrongPurposes(problem="the key would end before it is valid")


def list_live_keys(account: Account, height: int) -> tuple[Key, ...]:
    """Keys that are or will be valid at `height` or later."""
    return tuple(key for key in account.keys if key.until is None or key.until > height)


def find_live_key(ctx: Context, account: Account, key_id: str) -> Key:
    """The key of that name if it has not ended by the next height. Raises NoSuchKey."""
    for key in list_live_keys(account, ctx.height + 1):
        if key.id == key_id:
            return key
    raise NoSuchKey(account=account.did, key_id=key_id)


def check_unused(ctx: Context, account: Account, key_id: str, key: PublicKey) -> None:
    """Raise KeyUsedBefore if the account ever had the key or the name (A3)."""
    is_listed = any(each.id == key_id or each.public == key for each in account.keys)
    is_retired = any(
        ctx.get(RetiredKey, account.did, mark) for mark in (key_id, compute_key_digest(key))
    )
    if is_listed or is_retired:
        raise KeyUsedBefore(account=account.did, key_id=key_id)


def compute_key_digest(key: PublicKey) -> str:
    """RFC 7638 thumbprint of the key, 43 base64url characters: longer than any name of a key."""
    return encode_base64url(sha256(encode_canonical(key.jwk())))


def add_key(ctx: Context, account: Account, key: Key) -> Account:
    """The account with `key`; ended keys that no longer fit are filed first. Raises TooManyKeys."""
    keys = list(account.keys)
    if len(list_live_keys(account, ctx.height + 1)) >= KEYS_LIVE_MAX:
        raise TooManyKeys(account=account.did, limit=KEYS_LIVE_MAX)
    ended = [each for each in keys if each.until is not None and each.until <= ctx.height]
    for old in ended[: max(0, len(keys) + 1 - KEYS_KEPT_MAX)]:
        for mark in (old.id, compute_key_digest(old.public)):
            ctx.put(RetiredKey(account=account.did, mark=mark, retired=old))
        keys.remove(old)
    if len(keys) >= KEYS_KEPT_MAX:
        raise TooManyKeys(account=account.did, limit=KEYS_KEPT_MAX)
    return replace(account, keys=(*keys, key))


def end_key(account: Account, key_id: str, height: int, time_ms: int) -> Account:
    """The account with the live key `key_id` ending at height + 1, decided at block time."""
    keys = tuple(
        replace(key, until=height + 1, until_ms=time_ms)
        if key.id == key_id and (key.until is None or key.until > height + 1)
        else key
        for key in account.keys
    )
    return replace(account, keys=keys)


def check_can_act(account: Account, key_id: str, height: int) -> None:
    """Raise LastKey when no key is left with which an open account could act (A7)."""
    acting: Purpose = "service" if account.kind == "service" else "sign"
    if not any(acting in key.purposes for key in list_live_keys(account, height + 1)):
        raise LastKey(account=account.did, key_id=key_id)
