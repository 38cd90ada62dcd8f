"""The first members of a chain, in good standing from height 0."""

from typing import Any

import msgspec

from hansa.contracts.fields import OrganisationName
from hansa.contracts.genesis import WrongGenesis, decode_part
from hansa.contracts.members.handlers import (
    check_identifiers_free,
    contract,
    normalise_identifiers,
    put_identifiers,
)
from hansa.contracts.members.model import Identifiers
from hansa.contracts.standing import extend_standing
from hansa.ledger.context import Context
from hansa.ledger.system import Member
from hansa.primitives.values import Did, Jurisdiction


class GenesisMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of the genesis document; its first account is in the part `accounts`."""

    did: Did
    name: OrganisationName
    jurisdiction: Jurisdiction
    identifiers: Identifiers = ()


class GenesisMembers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"members": […]}`."""

    members: tuple[GenesisMember, ...] = ()


@contract.genesis
def put_first_members(ctx: Context, document: dict[str, Any]) -> None:
    """M1, M2."""
    for given in decode_part("members", document, GenesisMembers).members:
        if ctx.get(Member, given.did) is not None:
            raise WrongGenesis(part="members", problem=f"{given.did} is there twice")
        identifiers = normalise_identifiers(given.identifiers)
        check_identifiers_free(ctx, given.did, identifiers)
        put_identifiers(ctx, given.did, identifiers)
        ctx.put(
            Member(
                did=given.did,
                name=given.name,
                jurisdiction=given.jurisdiction,
                identifiers=identifiers,
                standing=extend_standing((), "good", ctx.height - 1),
            )
        )
