"""Toy contracts without rules: any account sets powers, removes nodes, activates versions."""

from typing import Any

from hansa.comet.validators import compute_address
from hansa.crypto.signatures import PublicKey
from hansa.ledger.context import Context
from hansa.ledger.contracts import Contract
from hansa.ledger.model import Message
from hansa.ledger.system import Activation, ActiveVersion, Node, Validator


class SetPower(Message, kw_only=True):
    """A validator's power; 0 removes it."""

    key: PublicKey
    power: int


class RemoveNode(Message, kw_only=True):
    """A node may no longer connect."""

    id: str


class Activate(Message, kw_only=True):
    """Another version of a contract begins."""

    application: str
    version: int
    digest: str
    height: int


def build_governance() -> Contract:
    """One object for each registry."""
    contract = Contract("governance")

    @contract.handles(Activate)
    def activate(ctx: Context, message: Activate) -> None:
        found = ctx.get(Activation, message.application)
        assert found is not None
        entry = ActiveVersion(version=message.version, digest=message.digest, height=message.height)
        versions = (*found.versions, entry)
        ctx.put(Activation(application=message.application, versions=versions))

    return contract


def build_contract() -> Contract:
    """One object for each registry."""
    contract = Contract("validators")

    @contract.genesis
    def put_all(ctx: Context, document: dict[str, Any]) -> None:
        for record in document.get("records", []):
            ctx.put(record)

    @contract.handles(SetPower)
    def set_power(ctx: Context, message: SetPower) -> None:
        address = compute_address(message.key.raw).hex()
        if not message.power:
            ctx.delete(Validator, address)
            return
        ctx.put(
            Validator(
                address=address,
                public_key=message.key,
                member="",
                power=message.power,
                state="active",
                since=ctx.height,
            )
        )

    @contract.handles(RemoveNode)
    def remove_node(ctx: Context, message: RemoveNode) -> None:
        ctx.delete(Node, message.id)

    return contract
