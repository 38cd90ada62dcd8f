"""Whose nodes may connect. Messages and rule V7: `model`."""

from hansa.contracts.accounts.authority import require_administrator
from hansa.contracts.validators.events import NodeAdmitted, NodeRemoved
from hansa.contracts.validators.handlers import check_member, contract
from hansa.contracts.validators.model import NODES_MAX, AdmitNode, RemoveNode, RetireNode
from hansa.contracts.validators.quorum import find_validator
from hansa.contracts.validators.rejections import (
    NodeOfValidator,
    NodeTaken,
    NoSuchNode,
    TooManyNodes,
)
from hansa.ledger.context import Context
from hansa.ledger.system import Node, NodeKind


@contract.handles(AdmitNode)
def admit_node(ctx: Context, message: AdmitNode) -> None:
    """V7."""
    # CHECK
    check_member(ctx, message.member)
    check_free(ctx, message.id, message.member)

    # WRITE
    put_node(ctx, message.id, message.member, message.kind)

    # EMIT
    ctx.emit(NodeAdmitted(node=message.id, member=message.member, kind=message.kind))


@contract.handles(RemoveNode)
def remove_node(ctx: Context, message: RemoveNode) -> None:
    """V7."""
    # READ
    node = _need_node(ctx, message.id)

    # CHECK
    _check_not_last(ctx, node)

    # WRITE, EMIT
    _remove(ctx, node, message.reason)


@contract.handles(RetireNode)
def retire_node(ctx: Context, message: RetireNode) -> None:
    """V7."""
    # READ
    node = _need_node(ctx, message.id)

    # CHECK
    require_administrator(ctx, node.member)
    _check_not_last(ctx, node)

    # WRITE, EMIT
    _remove(ctx, node, message.reason)


def check_free(ctx: Context, node_id: str, member: str) -> None:
    """Raise NodeTaken, TooManyNodes unless the member may have this further node."""
    taken = ctx.get(Node, node_id)
    if taken is not None:
        raise NodeTaken(node=node_id, member=taken.member)
    if len(_list_nodes(ctx, member)) >= NODES_MAX:
        raise TooManyNodes(member=member, limit=NODES_MAX)


def put_node(ctx: Context, node_id: str, member: str, kind: NodeKind) -> None:
    """Write a node that may connect from now on."""
    ctx.put(Node(id=node_id, member=member, kind=kind, since=ctx.height))


def _list_nodes(ctx: Context, member: str) -> list[Node]:
    return [node for node in ctx.scan(Node) if node.member == member]


def _need_node(ctx: Context, node_id: str) -> Node:
    node = ctx.get(Node, node_id)
    if node is None:
        raise NoSuchNode(node=node_id)
    return node


def _check_not_last(ctx: Context, node: Node) -> None:
    """Raise NodeOfValidator when an active validator would be cut off with this node."""
    validator = find_validator(ctx, node.member)
    if validator is None or validator.state != "active" or node.kind != "validator":
        return
    if sum(each.kind == "validator" for each in _list_nodes(ctx, node.member)) == 1:
        raise NodeOfValidator(node=node.id, validator=validator.address)


def _remove(ctx: Context, node: Node, reason: str) -> None:
    ctx.delete(Node, node.id)
    ctx.emit(NodeRemoved(node=node.id, member=node.member, by=ctx.sender, reason=reason))
