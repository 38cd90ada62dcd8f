"""A league whose members vote on blocks, and the words with which its tests act."""

from typing import Any

from hansa.contracts.governance.model import SetParameter, Vote
from hansa.contracts.validators.keys import compute_validator_statement
from hansa.contracts.validators.model import (
    ActivateValidator,
    AdmitNode,
    ApproveValidator,
    ReinstateValidator,
    RemoveValidator,
    ReplaceValidatorKey,
    ResignValidator,
    SetValidatorPower,
)
from hansa.crypto.addresses import compute_address
from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.ledger.blocks import Misbehaviour
from hansa.ledger.contracts import Contract
from hansa.ledger.model import Message
from hansa.ledger.receipts import MessageResult
from hansa.ledger.state import scan_records
from hansa.ledger.system import NodeKind, Validator
from hansa.testing.chain import CHAIN, Actor, Chain, make_key
from hansa.testing.league import build_validator, make_validator_key
from tests.contracts.league import build_genesis, build_registry, find_violations, govern

APP = "validators"


def get_address(actor: Actor, name: str = "") -> str:
    """Address of an actor's validator, or of the key of this test name."""
    key = make_key(name) if name else make_validator_key(actor)
    return compute_address(key.public.raw).hex()


def get_node_id(actor: Actor, number: int = 1) -> str:
    """Id of an actor's n-th node."""
    return compute_address(make_key(f"{actor.name}/node {number}").public.raw).hex()


def build_node(actor: Actor, number: int = 1, kind: NodeKind = "validator") -> dict[str, Any]:
    """An actor's node in a genesis document."""
    return {"id": get_node_id(actor, number), "member": actor.did, "kind": kind}


def build_vote_chain(
    members: tuple[Actor, ...],
    powers: dict[Actor, int],
    contracts: tuple[Contract, ...] = (),
    parts: dict[str, Any] | None = None,
) -> Chain:
    """A league of these members; those with a power vote, each with a node."""
    nodes = {"validators": {"nodes": [build_node(actor) for actor in powers]}}
    return Chain(
        build_registry(*contracts),
        build_genesis(members, {**nodes, **(parts or {})}),
        validators=tuple(build_validator(actor, power) for actor, power in powers.items()),
    )


def possess(key: PrivateKey, member: str, chain: str = CHAIN) -> str:
    """The signature with which a validator's key proves that its holder has it."""
    statement = compute_validator_statement(chain=chain, member=member, key=key.public)
    return encode_base64url(key.sign(statement))


def build_approve(actor: Actor, power: int = 10, name: str = "") -> tuple[str, ApproveValidator]:
    """The action that approves an actor's validator, with its own or another key."""
    key = make_key(name) if name else make_validator_key(actor)
    return (
        APP,
        ApproveValidator(
            member=actor.did,
            key=key.public,
            power=power,
            possession=possess(key, actor.did),
        ),
    )


def build_rekey(
    actor: Actor, name: str, validator: str = "", member: str | None = None
) -> tuple[str, ReplaceValidatorKey]:
    """The action that gives an actor's validator the key of this test name."""
    key = make_key(name)
    return (
        APP,
        ReplaceValidatorKey(
            validator=validator or get_address(actor),
            key=key.public,
            possession=possess(key, actor.did if member is None else member),
            reason="rotation",
        ),
    )


def build_remove(actor: Actor, validator: str = "") -> tuple[str, RemoveValidator]:
    """The action that removes an actor's validator."""
    return (APP, RemoveValidator(validator=validator or get_address(actor), reason="leaves"))


def build_admit_node(
    actor: Actor, number: int = 1, kind: NodeKind = "validator"
) -> tuple[str, AdmitNode]:
    """The action that admits an actor's node."""
    return (APP, AdmitNode(id=get_node_id(actor, number), member=actor.did, kind=kind))


def get_validator(chain: Chain, actor: Actor) -> Validator:
    """The actor's validator, which is there."""
    found = find_validator(chain, actor.did)
    assert found is not None
    return found


def find_validator(chain: Chain, member: str) -> Validator | None:
    """The member's validator."""
    return next((each for each in list_validators(chain) if each.member == member), None)


def list_validators(chain: Chain) -> list[Validator]:
    """All validators, in order of address."""
    return scan_records(chain.state, APP, Validator, limit=1_000)


def set_signers(chain: Chain, *actors: Actor) -> None:
    """From now on only these actors' validators vote."""
    chain.signers = tuple(bytes.fromhex(get_address(actor)) for actor in actors)


def build_misbehaviour(actor: Actor, height: int = 1, kind: Any = "duplicate_vote") -> Misbehaviour:
    """What the engine says of an actor that signed twice."""
    return Misbehaviour(
        kind=kind,
        address=bytes.fromhex(get_address(actor)),
        power=10,
        height=height,
        time_ms=1_780_000_000_000,
        total_power=40,
    )


class EngineSet:
    """The validator set as CometBFT would keep it: updates folded over time, by its own rules.

    Source: CometBFT v0.39.4 types/validator_set.go (updateWithChangeSet).
    """

    def __init__(self, chain: Chain) -> None:
        self.powers = {each.key.raw: each.power for each in chain.genesis.validators}

    def take(self, chain: Chain) -> None:
        """Apply the last block's updates. Raises AssertionError where CometBFT would stop."""
        updates = chain.results[-1].validator_updates
        keys = [update.public_key for update in updates]
        assert len(set(keys)) == len(keys), "a key twice in one block"
        assert keys == sorted(keys)
        for update in updates:
            assert update.power >= 0
            assert update.power or update.public_key in self.powers, "removes who is not there"
            assert self.powers.get(update.public_key) != update.power, "changes nothing"
        changed = self.powers | {update.public_key: update.power for update in updates}
        self.powers = {key: power for key, power in changed.items() if power}
        assert self.powers, "an empty set"
        assert sum(self.powers.values()) <= (2**63 - 1) // 8


def list_powers(chain: Chain) -> dict[bytes, int]:
    """Key and power of the active validators in state."""
    return {
        each.public_key.raw: each.power for each in list_validators(chain) if each.state == "active"
    }


ALMA, BRUNO, CHEN, DORA = Actor("alma"), Actor("bruno"), Actor("chen"), Actor("dora")
EMIL, FARA, STAFF = Actor("emil"), Actor("fara"), Actor("staff")
VOTERS = (ALMA, BRUNO, CHEN, DORA)
MEMBERS = (*VOTERS, EMIL, FARA)


def build_four() -> Chain:
    """Four vote with 10 each; two members do not."""
    made = build_vote_chain(MEMBERS, dict.fromkeys(VOTERS, 10))
    made.block()
    made.advance(1_000)
    return made


def decide(chain: Chain, *actions: tuple[str, Message]) -> tuple[str, dict[str, str | int]]:
    """Pass the actions; ("", {}) when they were executed, else code and params of the failure."""
    proposal = govern(chain, VOTERS, *actions)
    assert (proposal.state == "EXECUTED") == (proposal.code == "")
    assert find_violations(chain.state) == []
    return proposal.code, proposal.params


def activate(chain: Chain, actor: Actor, address: str = "") -> MessageResult:
    return chain.send(actor, APP, ActivateValidator(validator=address or get_address(actor)))


def resign(chain: Chain, actor: Actor, address: str = "") -> MessageResult:
    message = ResignValidator(validator=address or get_address(actor), reason="leaves")
    return chain.send(actor, APP, message)


def set_power(actor: Actor, power: int) -> tuple[str, SetValidatorPower]:
    return (APP, SetValidatorPower(validator=get_address(actor), power=power))


def reinstate(actor: Actor) -> tuple[str, ReinstateValidator]:
    return (APP, ReinstateValidator(validator=get_address(actor), reason="explained"))


def set_parameter(name: str, value: int) -> tuple[str, SetParameter]:
    return ("governance", SetParameter(application=APP, name=name, value=value))


def vote(number: int) -> Vote:
    return Vote(proposal=number, choice="yes")


def get_updates(chain: Chain) -> dict[bytes, int]:
    """The validator updates of the last block."""
    return {each.public_key: each.power for each in chain.results[-1].validator_updates}


def get_raw(actor: Actor) -> bytes:
    return make_validator_key(actor).public.raw


def misbehave(chain: Chain, actor: Actor, height: int = 1) -> MessageResult:
    block = chain.block(misbehaviours=[build_misbehaviour(actor, height)])
    assert find_violations(chain.state) == []
    return block.deadlines[0]
