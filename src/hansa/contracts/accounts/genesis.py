"""The first accounts of a chain: valid from height 0, seen by all who agree to the genesis."""

from typing import Any, Literal

import msgspec

from hansa.contracts.accounts.handlers import FIRST_PURPOSES, contract
from hansa.contracts.accounts.keys import check_can_act, check_purposes, derive_did
from hansa.contracts.fields import KeyId
from hansa.contracts.genesis import WrongGenesis, decode_part
from hansa.contracts.standing import extend_standing
from hansa.crypto.signatures import PublicKey
from hansa.ledger.context import Context
from hansa.ledger.system import Account, Key, Member, Purpose
from hansa.primitives.values import Did, Name


class GenesisAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account of the genesis document: a member's first one, or staff, service, citizen."""

    did: Did
    member: Did
    key: PublicKey
    key_id: KeyId = "k1"
    kind: Literal["member", "staff", "citizen", "service"] = "member"
    admin: bool = False
    purposes: tuple[Purpose, ...] = FIRST_PURPOSES
    scope: tuple[Name, ...] = ()


class GenesisAccounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"accounts": […]}`; each member's first account (its DID is the member's) is among them."""

    accounts: tuple[GenesisAccount, ...] = ()


@contract.genesis
def put_first_accounts(ctx: Context, document: dict[str, Any]) -> None:
    """A1, A2, A4, A9."""
    for given in decode_part("accounts", document, GenesisAccounts).accounts:
        _check_given(ctx, given)
        key = Key(
            id=given.key_id,
            public=given.key,
            purposes=given.purposes,
            since=ctx.height,
            scope=given.scope,
            since_ms=ctx.time_ms,
        )
        account = Account(
            did=given.did,
            member=given.member,
            kind=given.kind,
            admin=given.admin or given.kind == "member",
            keys=(key,),
            standing=extend_standing((), "good", ctx.height - 1),
        )
        check_can_act(account, key.id, ctx.height)
        ctx.put(account)
    for member in ctx.scan(Member):
        if ctx.get(Account, member.did) is None:
            raise WrongGenesis(part="accounts", problem=f"{member.did} has no first account")


def _check_given(ctx: Context, given: GenesisAccount) -> None:
    problem = ""
    if derive_did(given.key) != given.did:
        problem = "the DID is not that of the key"
    elif (given.kind == "member") != (given.did == given.member):
        problem = "a member's first account, and no other, has the DID of the member"
    elif ctx.get(Member, given.member) is None:
        problem = "no such member"
    elif ctx.get(Account, given.did) is not None:
        problem = "the account is there twice"
    elif given.admin and given.kind not in ("member", "staff"):
        problem = "only staff can be administrators"
    if problem:
        raise WrongGenesis(part="accounts", problem=f"{given.did}: {problem}")
    check_purposes(given.kind, given.purposes, given.scope)
