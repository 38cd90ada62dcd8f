"""The first grants of a chain: the roles at the top, which only governance could grant later."""

from typing import Any

import msgspec

from hansa.contracts.genesis import WrongGenesis, decode_part
from hansa.contracts.permissions.handlers import check_holder, contract
from hansa.contracts.permissions.model import ANY_SCOPE
from hansa.ledger.context import GENESIS, Context
from hansa.ledger.system import Grant
from hansa.primitives.values import Did, Name, TimeMs


class GenesisGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grant of the genesis document."""

    application: Name
    role: Name
    holder: Did
    scope: Name = ANY_SCOPE
    until_ms: TimeMs | None = None


class GenesisGrants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"grants": […]}`."""

    grants: tuple[GenesisGrant, ...] = ()


@contract.genesis
def put_first_grants(ctx: Context, document: dict[str, Any]) -> None:
    """P3."""
    for given in decode_part("permissions", document, GenesisGrants).grants:
        check_holder(ctx, given.holder)
        if ctx.role(given.application, given.role) is None:
            problem = f"{given.application} has no role {given.role}"
            raise WrongGenesis(part="permissions", problem=problem)
        ctx.put(
            Grant(
                application=given.application,
                role=given.role,
                holder=given.holder,
                scope=given.scope,
                since_ms=ctx.time_ms,
                until_ms=given.until_ms,
                granted_by=GENESIS,
            )
        )
