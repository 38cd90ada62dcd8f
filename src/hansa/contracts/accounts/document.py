"""What an account's DID stands for, as a document and as keys in time: projections, never stored.

Pure: from the records of the contract `accounts` alone, so a bundle resolves without a network.
"""

from collections.abc import Iterable

from hansa.contracts.accounts.model import RetiredKey
from hansa.contracts.accounts.profile import AgreementKey, DidProfile, PastProfile
from hansa.crypto.signatures import PublicKey
from hansa.identity.did import RELATIONSHIPS, VerificationMethod, build_did_document
from hansa.identity.resolved import Method, Resolved
from hansa.ledger.system import Account, Key, compute_standing


def resolved_of_records(
    account: Account,
    profile: DidProfile | None = None,
    retired: Iterable[RetiredKey] = (),
    *,
    height: int,
    source: str = "ledger",
) -> Resolved:
    """All keys that the DID has had, each with the block times (ms) in which it counted.

    `account` alone suffices for its last KEYS_KEPT_MAX keys; `retired` brings those filed before,
    `profile` the agreement keys of now. `height`: of the state that held the records. A key whose
    end was set in advance (never one that signs or asserts, A4) ends without a block time: after
    `height` it counts, once past nobody can tell from these records when it ended, and it does not.
    """
    filed = [each.retired for each in retired if each.account == account.did]
    keys = {key.id: key for key in (*filed, *account.keys)}
    methods = [_describe_key(account.did, key, height) for key in keys.values()]
    agreements = (
        profile.agreements if profile is not None and profile.account == account.did else ()
    )
    return Resolved(
        did=account.did,
        methods=(*methods, *(_describe_agreement(account.did, each) for each in agreements)),
        deactivated_ms=find_closing_ms(account),
        source=source,
    )


def find_closing_ms(account: Account) -> int | None:
    """Block time (ms) of the decision that closed the account; None while it is open.

    An open account always has a live key (A7), and all of them end with it.
    """
    last = account.standing[-1]
    if last.standing != "closed":
        return None
    return max((key.until_ms or 0 for key in account.keys if key.until == last.since), default=0)


def build_account_document(account: Account, height: int) -> dict[str, object]:
    """DID document (W3C DID 1.0) with the keys valid as at `height`; its member controls it."""
    return build_document(account, height)


def build_document(
    account: Account,
    height: int,
    said: DidProfile | PastProfile | None = None,
    retired: Iterable[RetiredKey] = (),
) -> dict[str, object]:
    """As `build_account_document`, with what a version of the profile says beyond the keys."""
    keys = (*(each.retired for each in retired), *account.keys)
    methods = [
        VerificationMethod(key.id, key.public, key.purposes, key.scope)
        for key in keys
        if key.since <= height and (key.until is None or height < key.until)
    ]
    return build_did_document(
        account.did,
        methods,
        controller=account.member,
        closed=compute_standing(account.standing, height) == "closed",
        agreements=[(f"agree.{each.id}", _tell_jwk(each)) for each in said.agreements]
        if said
        else (),
        services=[(f"service.{each.id}", each.type, each.endpoint) for each in said.services]
        if said
        else (),
    )


def _tell_jwk(agreement: AgreementKey) -> dict[str, str]:
    if agreement.alg == "X25519":
        return {"crv": "X25519", "kty": "OKP", "x": agreement.public}
    return PublicKey(alg=agreement.alg, public=agreement.public).jwk()


def _describe_key(did: str, key: Key, height: int) -> Method:
    until_ms = key.until_ms
    if key.until is not None and until_ms is None and key.until <= height + 1:
        until_ms = key.since_ms
    meant = {name for purpose in key.purposes for name in RELATIONSHIPS[purpose]}
    return Method(
        id=f"{did}#{key.id}",
        key=key.public,
        relationships=tuple(sorted(meant)),
        since_ms=key.since_ms,
        until_ms=until_ms,
    )


def _describe_agreement(did: str, agreement: AgreementKey) -> Method:
    return Method(
        id=f"{did}#agree.{agreement.id}",
        key=PublicKey(alg=agreement.alg, public=agreement.public),
        relationships=("keyAgreement",),
        since_ms=agreement.since_ms,
    )
