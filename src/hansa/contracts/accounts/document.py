"""The DID document of an account as at a height: a projection of its record, never stored. Pure."""

from hansa.identity.did import VerificationMethod, build_did_document
from hansa.ledger.system import Account, compute_standing, find_key


def build_account_document(account: Account, height: int) -> dict[str, object]:
    """DID document (W3C DID 1.0) with the keys valid as at `height`; its member controls it."""
    methods = [
        VerificationMethod(key.id, key.public, key.purposes, key.scope)
        for key in account.keys
        if find_key(account, key.id, height) is not None
    ]
    is_closed = compute_standing(account.standing, height) == "closed"
    return build_did_document(account.did, methods, controller=account.member, closed=is_closed)
