"""Rules of promised keys, services and agreement keys (A10, A12). Messages: `did_model`."""

from msgspec.structs import replace

from hansa.contracts.accounts.agreement import check_agreement_key
from hansa.contracts.accounts.authority import (
    check_not_promised,
    need_open,
    require_itself,
    require_speaker,
)
from hansa.contracts.accounts.did_model import (
    CommitNextKey,
    NoSuchEntry,
    NotForCitizen,
    NotForService,
    RemoveAgreementKey,
    RemoveService,
    SetAgreementKey,
    SetService,
    TooManyEntries,
    UseNextKey,
    WrongNextKey,
)
from hansa.contracts.accounts.handlers import (
    FIRST_PURPOSES,
    contract,
    emit_added,
    emit_ended,
)
from hansa.contracts.accounts.keys import (
    add_key,
    check_key,
    check_next_key_possession,
    check_unused,
    compute_key_digest,
    end_key,
    list_live_keys,
)
from hansa.contracts.accounts.model import KeyUsedBefore, RetiredKey
from hansa.contracts.accounts.profile import (
    AgreementKey,
    DidService,
)
from hansa.contracts.accounts.versions import begin_version, emit_promise, need_profile
from hansa.crypto.signatures import PublicKey
from hansa.ledger.context import Context
from hansa.ledger.system import Account, Key

SERVICES_MAX = 8
AGREEMENTS_MAX = 4


@contract.handles(CommitNextKey)
def commit_next_key(ctx: Context, message: CommitNextKey) -> None:
    """A10."""
    # READ
    account = need_open(ctx, message.account)
    profile = need_profile(ctx, account)

    # CHECK
    check_not_service(account)
    require_itself(ctx, account)
    check_not_promised(ctx, account)
    _check_promise(ctx, account, message.next_key)

    # WRITE
    ctx.put(replace(profile, next_key=message.next_key))

    # EMIT
    emit_promise(ctx, account.did, message.next_key)


@contract.handles(UseNextKey)
def use_next_key(ctx: Context, message: UseNextKey) -> None:
    """A2, A3, A10: the promised key enters, whoever sends it; it ends the other signing keys."""
    # READ
    account = need_open(ctx, message.account)
    promised = need_profile(ctx, account).next_key
    digest = compute_key_digest(message.key)

    # CHECK
    check_key(message.key)
    if digest != promised:
        raise WrongNextKey(account=account.did)
    check_unused(ctx, account, message.key_id, message.key)
    check_next_key_possession(ctx.chain, account, message)
    if message.next_key == digest:
        raise KeyUsedBefore(account=account.did, key_id=message.key_id)
    if message.next_key:
        _check_promise(ctx, account, message.next_key)

    # WRITE, EMIT
    old = [key for key in list_live_keys(account, ctx.height + 1) if "sign" in key.purposes]
    begin_version(ctx, account, next_key=message.next_key)
    enter_in_place_of(ctx, account, old, message.key_id, message.key, "next_key")


@contract.handles(SetService)
def set_service(ctx: Context, message: SetService) -> None:
    """A12."""
    # READ
    account = need_open(ctx, message.account)
    services = need_profile(ctx, account).services
    service = DidService(id=message.id, type=message.type, endpoint=message.endpoint)
    others = [each for each in services if each.id != service.id]

    # CHECK
    if account.kind == "citizen":
        raise NotForCitizen(account=account.did)
    require_speaker(ctx, account)
    if len(others) >= SERVICES_MAX:
        raise TooManyEntries(account=account.did, limit=SERVICES_MAX)

    # WRITE, EMIT
    begin_version(ctx, account, services=(*others, service))


@contract.handles(RemoveService)
def remove_service(ctx: Context, message: RemoveService) -> None:
    """A12."""
    # READ
    account = need_open(ctx, message.account)
    services = need_profile(ctx, account).services
    kept = tuple(each for each in services if each.id != message.id)

    # CHECK
    require_speaker(ctx, account)
    if len(kept) == len(services):
        raise NoSuchEntry(account=account.did, id=message.id)

    # WRITE, EMIT
    begin_version(ctx, account, services=kept)


@contract.handles(SetAgreementKey)
def set_agreement_key(ctx: Context, message: SetAgreementKey) -> None:
    """A10, A12."""
    # READ
    account = need_open(ctx, message.account)
    agreements = need_profile(ctx, account).agreements
    agreement = AgreementKey(
        id=message.id, alg=message.alg, public=message.public, since_ms=ctx.time_ms
    )
    others = [each for each in agreements if each.id != agreement.id]

    # CHECK
    require_speaker(ctx, account)
    check_not_promised(ctx, account)
    check_agreement_key(message.alg, message.public)
    if len(others) >= AGREEMENTS_MAX:
        raise TooManyEntries(account=account.did, limit=AGREEMENTS_MAX)

    # WRITE, EMIT
    begin_version(ctx, account, agreements=(*others, agreement))


@contract.handles(RemoveAgreementKey)
def remove_agreement_key(ctx: Context, message: RemoveAgreementKey) -> None:
    """A12."""
    # READ
    account = need_open(ctx, message.account)
    agreements = need_profile(ctx, account).agreements
    kept = tuple(each for each in agreements if each.id != message.id)

    # CHECK
    require_speaker(ctx, account)
    if len(kept) == len(agreements):
        raise NoSuchEntry(account=account.did, id=message.id)

    # WRITE, EMIT
    begin_version(ctx, account, agreements=kept)


def enter_in_place_of(
    ctx: Context, account: Account, old: list[Key], key_id: str, key: PublicKey, reason: str
) -> None:
    """The key enters and the old ones end, at the next height."""
    for each in old:
        account = end_key(account, each.id, ctx.height, ctx.time_ms)
    entering = Key(
        id=key_id,
        public=key,
        purposes=FIRST_PURPOSES,
        since=ctx.height + 1,
        since_ms=ctx.time_ms,
    )
    ctx.put(add_key(ctx, account, entering))
    emit_added(ctx, account.did, entering)
    for each in old:
        emit_ended(ctx, account.did, each.id, reason)


def check_not_service(account: Account) -> None:
    """Raise NotForService for an account that only administrators hold."""
    if account.kind == "service":
        raise NotForService(account=account.did)


def _check_promise(ctx: Context, account: Account, digest: str) -> None:
    """A key that the account has had can never enter: to promise it would end all rotation (A3)."""
    listed = {compute_key_digest(each.public) for each in account.keys}
    if digest in listed or ctx.get(RetiredKey, account.did, digest) is not None:
        raise KeyUsedBefore(account=account.did, key_id=digest)
