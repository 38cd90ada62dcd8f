"""The first nodes of a chain; its first validators are put by the kernel (`ledger.genesis`)."""

from typing import Any

import msgspec

from hansa.contracts.genesis import WrongGenesis, decode_part
from hansa.contracts.validators.handlers import contract
from hansa.contracts.validators.nodes import check_free, put_node
from hansa.contracts.validators.quorum import list_validators
from hansa.ledger.context import Context
from hansa.ledger.system import Member, NodeKind
from hansa.primitives.values import Did, HexAddress


class GenesisNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node of the genesis document: the id of its p2p key, its member, whether it votes."""

    id: HexAddress
    member: Did
    kind: NodeKind


class GenesisValidators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"nodes": […]}`."""

    nodes: tuple[GenesisNode, ...] = ()


@contract.genesis
def put_first_nodes(ctx: Context, document: dict[str, Any]) -> None:
    """V5, V7."""
    for validator in list_validators(ctx):
        if validator.member:
            _check_member(ctx, validator.member)
    for given in decode_part("validators", document, GenesisValidators).nodes:
        _check_member(ctx, given.member)
        check_free(ctx, given.id, given.member)
        put_node(ctx, given.id, given.member, given.kind)


def _check_member(ctx: Context, did: str) -> None:
    if ctx.get(Member, did) is None:
        raise WrongGenesis(part="validators", problem=f"{did} is no member")
