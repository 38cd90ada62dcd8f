"""The first allowances of a chain."""

from typing import Any

import msgspec

from hansa.contracts.genesis import decode_part
from hansa.contracts.quotas.handlers import check_allowance, contract
from hansa.ledger.context import Context
from hansa.ledger.system import Allowance
from hansa.primitives.values import Did


class GenesisAllowances(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"allowances": {DID of the member: cost units in one window}}`."""

    allowances: dict[Did, int] = {}


@contract.genesis
def put_first_allowances(ctx: Context, document: dict[str, Any]) -> None:
    """Q2."""
    given = decode_part("quotas", document, GenesisAllowances).allowances
    for member in sorted(given):
        check_allowance(ctx, member, given[member])
        ctx.put(Allowance(member=member, units=given[member]))
