"""A small league on the real system contracts, and the words with which its tests act."""

from typing import Any

import msgspec

from hansa.catalog import SYSTEM, load_application
from hansa.contracts.accounts.keys import compute_possession_statement
from hansa.contracts.accounts.model import AddKey, OpenAccount, ReplaceKey
from hansa.contracts.governance.model import (
    Action,
    Counter,
    Proposal,
    Propose,
    Vote,
    format_proposal_id,
)
from hansa.contracts.members.model import AdmitMember
from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.identity.did import compute_did
from hansa.ledger.contracts import Contract, Invariant, Registry
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.state import Reader
from hansa.ledger.system import Account, Identifier, Purpose
from hansa.testing.chain import CHAIN, Actor, Chain, make_key

INVARIANTS: dict[str, tuple[Invariant, ...]] = {
    name: load_application(name).invariants for name in SYSTEM
}
USCC = ("CN-USCC", "91440101231245152Y")
LEI = ("0199", "5493000IBP32UQZ0KL24")
WEEK_MS = 7 * 86_400_000


def build_registry(*contracts: Contract) -> Registry:
    """The system contracts in genesis order, and further ones."""
    return Registry([*(load_application(name).contract for name in SYSTEM), *contracts])


def build_genesis(
    members: tuple[Actor, ...], parts: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Each actor a member with its first account; `parts` are merged in by contract."""
    document: dict[str, Any] = {
        "members": {
            "members": [
                {"did": actor.did, "name": actor.name, "jurisdiction": "CN"} for actor in members
            ]
        },
        "accounts": {
            "accounts": [
                {
                    "did": actor.did,
                    "member": actor.did,
                    "key": msgspec.to_builtins(actor.key.public),
                }
                for actor in members
            ]
        },
    }
    return {**document, **(parts or {})}


def build_chain(
    *members: Actor, parts: dict[str, Any] | None = None, contracts: tuple[Contract, ...] = ()
) -> Chain:
    """A running league of these members."""
    return Chain(build_registry(*contracts), build_genesis(members, parts))


def possess(
    key: PrivateKey, member: str, *, account: str = "", key_id: str = "k1", chain: str = CHAIN
) -> str:
    """The signature with which a key proves that its holder has it."""
    statement = compute_possession_statement(
        chain=chain,
        account=account or compute_did(key.public),
        member=member,
        key_id=key_id,
        key=key.public,
    )
    return encode_base64url(key.sign(statement))


def build_open_account(
    actor: Actor,
    member: Actor,
    *,
    kind: Any = "staff",
    admin: bool = False,
    purposes: tuple[Purpose, ...] = ("authenticate", "sign"),
    scope: tuple[str, ...] = (),
) -> OpenAccount:
    """The message that opens `actor`'s account at `member`."""
    return OpenAccount(
        kind=kind,
        admin=admin,
        key_id="k1",
        key=actor.key.public,
        purposes=purposes,
        scope=scope,
        possession=possess(actor.key, member.did),
    )


def build_add_key(
    account: str,
    member: str,
    name: str,
    key_id: str = "k2",
    *,
    purposes: tuple[Purpose, ...] = ("sign",),
    scope: tuple[str, ...] = (),
    until: int | None = None,
) -> AddKey:
    """The message that adds the key of this test name."""
    key = make_key(name)
    return AddKey(
        account=account,
        key_id=key_id,
        key=key.public,
        purposes=purposes,
        scope=scope,
        until=until,
        possession=possess(key, member, account=account, key_id=key_id),
    )


def build_replace_key(
    account: str, member: str, name: str, old_key_id: str = "k1", key_id: str = "k2"
) -> ReplaceKey:
    """The message that rotates to the key of this test name."""
    key = make_key(name)
    return ReplaceKey(
        account=account,
        old_key_id=old_key_id,
        key_id=key_id,
        key=key.public,
        possession=possess(key, member, account=account, key_id=key_id),
        reason="rotation",
    )


def build_admit(
    actor: Actor, identifiers: tuple[tuple[str, str], ...] = (), *, chain: str = CHAIN
) -> AdmitMember:
    """The action that admits this candidate."""
    return AdmitMember(
        name=actor.name,
        jurisdiction="HK",
        identifiers=tuple(Identifier(*each) for each in identifiers),
        key_id="k1",
        key=actor.key.public,
        possession=possess(actor.key, actor.did, chain=chain),
    )


def build_action(application: str, message: Message) -> Action:
    """A message as an action of a proposal."""
    return Action(
        application=application, type=type(message).__name__, body=msgspec.to_builtins(message)
    )


def build_propose(*actions: tuple[str, Message]) -> Propose:
    """A proposal of these actions."""
    return Propose(
        topic="test", actions=tuple(build_action(name, message) for name, message in actions)
    )


def govern(chain: Chain, members: tuple[Actor, ...], *actions: tuple[str, Message]) -> Proposal:
    """Have the members, the first as proposer, pass the actions; the proposal as it ends."""
    opened = chain.send(members[0], "governance", build_propose(*actions))
    assert opened.code == OK, (opened.code, opened.params)
    number = get_last_proposal(chain).id
    for actor in members[1:]:
        if get_proposal(chain, number).state == "OPEN":
            result = chain.send(actor, "governance", Vote(proposal=number, choice="yes"))
            assert result.code == OK, (result.code, result.params)
    return get_proposal(chain, number)


def get_proposal(chain: Chain, number: int) -> Proposal:
    """A proposal by its number."""
    found = chain.get("governance", Proposal, format_proposal_id(number))
    assert found is not None
    return found


def get_last_proposal(chain: Chain) -> Proposal:
    """The proposal opened last."""
    counter = chain.get("governance", Counter, "proposals")
    assert counter is not None
    return get_proposal(chain, counter.last)


def get_account(chain: Chain, did: str) -> Account:
    """An account that is there."""
    found = chain.get("", Account, did)
    assert found is not None
    return found


def find_violations(reader: Reader, *names: str) -> list[str]:
    """What the invariants of these contracts (all: none named) find."""
    return [
        f"{invariant.id}: {violation}"
        for name in names or tuple(INVARIANTS)
        for invariant in INVARIANTS[name]
        for violation in invariant.check(reader)
    ]
