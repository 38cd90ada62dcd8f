"""The member's service keys at this gateway (D12): who may sign by them, and whether they count.

Every use reads the key's file and the ledger's present state: what is revoked counts no more.
"""

from typing import Final

from hansa.api.door import Ledger
from hansa.api.problems import Refusal
from hansa.client.keys import KeyFileError, Signer
from hansa.client.service import ClientFile, ServiceFolder
from hansa.ledger.state import StateReader, get_system
from hansa.ledger.system import Account, Freeze, Member, compute_standing, find_key

_SERVICE: Final = "service"
_ISSUING: Final = frozenset(("sign", "assert"))


class ServiceKeys:
    """Service keys and clients' tokens of one node. `folder` None: it has none."""

    def __init__(self, folder: ServiceFolder | None, ledger: Ledger) -> None:
        self._folder, self._ledger = folder, ledger

    def account(self, application: str) -> Account | None:
        """The account of the application's service key, None when no valid one is here."""
        try:
            kid = self._folder.account(application) if self._folder is not None else ""
        except KeyFileError:
            return None
        return find_service_account(self._ledger.state, kid, application) if kid else None

    def signer(self, application: str) -> Signer:
        """The key itself. Raises Refusal when there is none that counts."""
        try:
            found = self._folder.key(application) if self._folder is not None else None
        except KeyFileError as error:
            raise refuse_service(application) from error
        if found is None or self.account(application) is None:
            raise refuse_service(application)
        return found

    def issuing_signer(self, name: str) -> Signer | None:
        """A key put here to sign what the gateway says itself; None when none counts now."""
        try:
            found = self._folder.key(name) if self._folder is not None else None
        except KeyFileError:
            return None
        if found is None:
            return None
        state = self._ledger.state
        account = get_system(state, Account, found.account)
        key = find_key(account, found.kid.partition("#")[2], state.height) if account else None
        if account is None or key is None or _ISSUING.isdisjoint(key.purposes):
            return None
        return found if is_in_good_standing(state, account) else None

    def client(self, token: str, now_ms: int) -> ClientFile | None:
        """The client of a token, None when it counts for nothing."""
        return self._folder.open(token, now_ms) if self._folder is not None else None

    def find_client(self, identity: str, now_ms: int) -> ClientFile | None:
        """The client of an id, None when it counts for nothing (any more)."""
        return self._folder.look(identity, now_ms) if self._folder is not None else None


def find_service_account(state: StateReader, kid: str, application: str) -> Account | None:
    """The account whose service key `kid` is valid for the application, and in good standing."""
    did, _sep, key_id = kid.partition("#")
    account = get_system(state, Account, did)
    key = find_key(account, key_id, state.height) if account is not None else None
    if account is None or key is None or _SERVICE not in key.purposes:
        return None
    if application not in key.scope or not is_in_good_standing(state, account):
        return None
    return account


def is_in_good_standing(state: StateReader, account: Account) -> bool:
    """Whether the account and its member are in good standing, and it is not frozen."""
    member = get_system(state, Member, account.member)
    standings = [account.standing, member.standing if member else ()]
    if any(compute_standing(each, state.height) != "good" for each in standings):
        return False
    return get_system(state, Freeze, f"account:{account.did}") is None


def may_use_service(service: Account | None, account: Account | None) -> bool:
    """Whether an account may have the service key sign for it: itself, the member's own account, or
    an administrator of the member. Others sign with their own keys.
    """
    if service is None or account is None:
        return False
    if account.did == service.did:
        return True
    return account.member == service.member and (account.kind == "member" or account.admin)


def refuse_service(application: str) -> Refusal:
    """Nobody signs at this gateway for the application."""
    return Refusal(
        403,
        "api.no_service_key",
        f"This gateway holds no service key that counts for {application}.",
        remedy=f"Its operator makes one: hansa service make {application.replace('_', '-')}",
    )


def refuse_signing(application: str) -> Refusal:
    """The asker may not have the service key sign."""
    return Refusal(
        403,
        "api.service_key_not_yours",
        f"The service key for {application} does not sign for you.",
        remedy=(
            "Use a client's token that may capture, or a session of an administrator of the "
            "member; or sign the messages with your own key."
        ),
    )
