"""One stateful machine over members, governance and validators: nodes fall and rise, keys are
changed, forged and used twice, members come and go; the judge of the set watches.

The engine's side is played too: only validators that CometBFT would count vote, and never too few.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec.structs import replace

from hansa.contracts.members.model import ExpelMember, ReinstateMember, SuspendMember
from hansa.contracts.validators.model import (
    ActivateValidator,
    ReinstateValidator,
    RemoveNode,
    RemoveValidator,
    ResignValidator,
    RetireNode,
    SetValidatorPower,
)
from hansa.crypto.addresses import compute_address
from hansa.crypto.signatures import PublicKey
from hansa.encoding.text import encode_base64url
from hansa.ledger.blocks import Misbehaviour
from hansa.ledger.genesis import GenesisValidator
from hansa.ledger.model import Message
from hansa.ledger.system import Validator
from hansa.primitives.limits import VALIDATORS_MAX
from hansa.testing.chain import Actor, Chain, make_key
from hansa.testing.league import build_validator
from tests.contracts.league import build_admit, build_genesis, build_propose, build_registry
from tests.contracts.votes import (
    APP,
    build_admit_node,
    build_approve,
    build_node,
    build_rekey,
    get_address,
    get_node_id,
    list_validators,
    possess,
    set_parameter,
)
from tests.contracts.votes_judge import Act, VoteJudge

T = TypeVar("T")
# She decides alone and has no validator, so that what a turn proposes is done or refused at once.
CHAIR = Actor("chair")
ALMA, BRUNO, CHEN, DORA = Actor("alma"), Actor("bruno"), Actor("chen"), Actor("dora")
EMIL, FARA, GINA = Actor("emil"), Actor("fara"), Actor("gina")
VOTERS = (ALMA, BRUNO, CHEN, DORA)
MEMBERS = (CHAIR, *VOTERS, EMIL, FARA)
PLAYERS = (*VOTERS, EMIL, FARA, GINA)
POWERS = (1, 3, 5, 10, 10, 10, 15, 30)
KEYS = ("", "", "", "a", "b", "c")
# A key of small order, and a signature that holds for every message under it (ZIP-215).
SMALL_ORDER = PublicKey.from_raw("EdDSA", bytes(32))
ANY_MESSAGE = encode_base64url(b"\x01" + bytes(63))


def name_key(actor: Actor, suffix: str) -> str:
    """Test name of one of an actor's validator keys."""
    return f"{actor.name}/validator{suffix}"


def build_machine_chain(crowd: int) -> Chain:
    """Four vote with 10 each; `crowd` further validators, nobody's, with 1 each."""
    contracts = {
        APP: {"nodes": [build_node(actor) for actor in VOTERS]},
        "governance": {"weights": {CHAIR.did: 1}},
    }
    return Chain(
        build_registry(),
        build_genesis(MEMBERS, contracts),
        validators=(
            *(build_validator(actor, 10) for actor in VOTERS),
            *(
                GenesisValidator(key=make_key(f"crowd {number}").public, power=1)
                for number in range(crowd)
            ),
        ),
    )


class VotesMachine(RuleBasedStateMachine):
    """Four members vote; two more and a candidate might."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(0)
        self.salt: list[int] = []
        self.down: set[str] = set()
        self.turns = [getattr(self, name) for name, often in TURNS.items() for _ in range(often)]

    @initialize(salt=st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8))
    def begin(self, salt: list[int]) -> None:
        """What makes this example unlike others; one in eight has a crowd of validators."""
        self.salt = salt
        self.chain = build_machine_chain(VALIDATORS_MAX - 5 if sum(salt) % 8 == 0 else 0)
        self.judge = VoteJudge(self.chain, self.reached)
        self.sets = [dict(self.judge.engine.powers)] * 3  # by height; 0 is not used
        self.make_block(Act("begin"))

    @rule(seed=st.integers(0, 2**32 - 1))
    def step(self, seed: int) -> None:
        """One turn of somebody, whatever the seed says."""
        root = self.chain.state.tree.root.hex()
        self.random = random.Random(f"{self.salt}/{seed}/{root}")
        self.random.choice(self.turns)()

    # drawing

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def is_rare(self) -> bool:
        return self.random.random() < 0.12

    def pick_validator(self) -> str:
        """An address: mostly one of a validator, now or before."""
        known = list_validators(self.chain)[:20]
        if self.is_rare() or not known:
            return self.pick([*self.judge.owners, get_address(GINA)])
        return self.pick(known).address

    def find_owner(self, address: str) -> Actor:
        """Whose validator it is, of the players."""
        member = self.judge.owners.get(address, "")
        return next((actor for actor in PLAYERS if actor.did == member), self.pick(PLAYERS))

    # acting

    def make_block(
        self,
        act: Act,
        transactions: Sequence[bytes] = (),
        misbehaviours: Sequence[Misbehaviour] = (),
        step_ms: int = 1_000,
    ) -> None:
        """Execute a block, judged; who votes for it is what CometBFT could have counted."""
        self.chain.signers = self.list_voting()
        block = self.chain.block(transactions, misbehaviours=misbehaviours, step_ms=step_ms)
        self.judge.observe(act)
        changed = {each.public_key: each.power for each in block.validator_updates}
        powers = self.sets[-1] | changed
        self.sets.append({key: power for key, power in powers.items() if power})

    def list_voting(self) -> tuple[bytes, ...]:
        """Who voted for the last height and runs; all rise when those are too few."""
        powers = self.sets[self.chain.height] if self.chain.height else {}
        addresses = {compute_address(key): power for key, power in powers.items()}
        up = {each: power for each, power in addresses.items() if each.hex() not in self.down}
        if 3 * sum(up.values()) <= 2 * sum(addresses.values()):
            self.down.clear()
            up = addresses
        return tuple(sorted(up))

    def send(self, act: Act, sender: Actor, message: tuple[str, Message]) -> None:
        self.make_block(act, [self.chain.sign(sender, [message])])

    def govern(self, *actions: tuple[str, Message], forged: bool = False) -> None:
        """A proposal that its proposer passes at once."""
        proposal = ("governance", build_propose(*actions))
        self.send(Act("decide", CHAIR.did, forged), CHAIR, proposal)

    # the actions of proposals

    def approve(self) -> None:
        actor, owner = self.pick(PLAYERS), self.pick(PLAYERS)
        name = name_key(owner if self.is_rare() else actor, self.pick(KEYS))
        app, message = build_approve(actor, self.pick(POWERS), name)
        bad = self.pick(("", "", "", "", "", "", "forged", "small"))
        if bad == "forged":
            message = replace(message, possession=possess(make_key("mallory"), actor.did))
        if bad == "small":
            message = replace(message, key=SMALL_ORDER, possession=ANY_MESSAGE)
        self.govern((app, message), forged=bad == "forged")

    def rekey(self) -> None:
        address = self.pick_validator()
        actor, other = self.find_owner(address), self.pick(PLAYERS)
        name = name_key(other if self.is_rare() else actor, self.pick(KEYS))
        signer = "mallory" if self.is_rare() else name
        app, message = build_rekey(actor, name, address)
        message = replace(message, possession=possess(make_key(signer), actor.did))
        self.govern((app, message), forged=signer != name)

    def set_power(self) -> None:
        power = SetValidatorPower(validator=self.pick_validator(), power=self.pick(POWERS))
        self.govern((APP, power))

    def remove(self) -> None:
        removal = RemoveValidator(validator=self.pick_validator(), reason="leaves")
        self.govern((APP, removal))

    def renew(self) -> None:
        """Removed and approved again by one proposal."""
        address = self.pick_validator()
        actor = self.find_owner(address)
        removal = RemoveValidator(validator=address, reason="renewal")
        self.govern((APP, removal), build_approve(actor, self.pick(POWERS)))

    def reinstate(self) -> None:
        suspended = [each for each in list_validators(self.chain) if each.state == "suspended"]
        address = self.pick(suspended).address if suspended else self.pick_validator()
        if self.is_rare():
            address = self.pick_validator()
        self.govern((APP, ReinstateValidator(validator=address, reason="explained")))

    def admit_node(self) -> None:
        kind = self.pick(("validator", "validator", "observer"))
        number = self.pick((1, 2, 3, 4, 5))
        app, message = build_admit_node(self.pick(PLAYERS), number, kind)
        if self.is_rare():
            message = replace(message, member=self.pick(PLAYERS).did)
        self.govern((app, message))

    def admit_many_nodes(self) -> None:
        actor = self.pick(PLAYERS)
        for number in range(1, 6):
            self.govern(build_admit_node(actor, number, "observer"))

    def remove_node(self) -> None:
        node = get_node_id(self.pick(PLAYERS), self.pick((1, 1, 2, 3)))
        self.govern((APP, RemoveNode(id=node, reason="old")))

    def change_member(self) -> None:
        member = self.pick(PLAYERS).did
        kind = self.pick((SuspendMember, SuspendMember, ReinstateMember, ReinstateMember))
        self.govern(("members", kind(member=member, reason="audit")))

    def expel(self) -> None:
        member = self.pick((FARA, GINA, EMIL, *VOTERS))
        fall = ("members", ExpelMember(member=member.did, reason="fraud"))
        own = [each for each in list_validators(self.chain) if each.member == member.did]
        removals = [(APP, RemoveValidator(validator=each.address, reason="fraud")) for each in own]
        self.govern(*(removals if self.is_rare() else ()), fall)

    def admit(self) -> None:
        """The candidate, with its node and its validator."""
        parts = [("members", build_admit(GINA)), build_admit_node(GINA), build_approve(GINA, 3)]
        self.govern(*parts)

    def set_live(self) -> None:
        self.govern(set_parameter("live_ms", self.pick((1_000, 30_000, 120_000, 120_000))))

    def set_suspends(self) -> None:
        self.govern(set_parameter("suspend_double_signers", self.pick((0, 1, 1))))

    # members' own

    def pick_own(self, state: str) -> Validator | None:
        found = [
            each for each in list_validators(self.chain) if each.state == state and each.member
        ]
        return self.pick(found) if found else None

    def activate(self) -> None:
        candidate = self.pick_own("candidate")
        rare = self.is_rare() or candidate is None
        address = self.pick_validator() if rare or candidate is None else candidate.address
        sender = self.pick(PLAYERS) if self.is_rare() else self.find_owner(address)
        message = (APP, ActivateValidator(validator=address))
        self.send(Act("activate", sender.did), sender, message)

    def resign(self) -> None:
        address = self.pick_validator()
        sender = self.pick(PLAYERS) if self.is_rare() else self.find_owner(address)
        message = (APP, ResignValidator(validator=address, reason="leaves"))
        self.send(Act("resign", sender.did), sender, message)

    def retire_node(self) -> None:
        owner = self.pick(PLAYERS)
        sender = self.pick(PLAYERS) if self.is_rare() else owner
        node = get_node_id(owner, self.pick((1, 1, 2, 3)))
        self.send(Act("retire", sender.did), sender, (APP, RetireNode(id=node, reason="old")))

    def stray(self) -> None:
        """What only governance may send."""
        sender = self.pick(PLAYERS)
        message = self.pick((build_approve(sender, 5), build_admit_node(sender, 5)))
        self.send(Act("stray", sender.did), sender, message)

    # the engine's own

    def misbehave(self) -> None:
        self.make_block(Act("evidence"), misbehaviours=[self.build_evidence()])

    def misbehave_together(self) -> None:
        evidence = [self.build_evidence(), self.build_evidence()]
        self.make_block(Act("evidence"), misbehaviours=evidence)

    def build_evidence(self) -> Misbehaviour:
        active = self.pick_own("active")
        rare = self.is_rare() or active is None
        address = self.pick_validator() if rare or active is None else active.address
        return Misbehaviour(
            kind=self.pick(("duplicate_vote", "light_client_attack")),
            address=bytes.fromhex(address),
            power=10,
            height=self.pick((1, max(1, self.chain.height - 1))),
            time_ms=self.chain.time_ms,
            total_power=40,
        )

    def fall(self) -> None:
        """A node stops voting."""
        self.down.add(self.pick_validator())

    def rise(self) -> None:
        self.down.clear()

    def advance(self) -> None:
        self.make_block(Act("wait"), step_ms=self.pick((1_000, 60_000, 200_000)))


# What happens how often.
TURNS = {
    "approve": 8,
    "rekey": 5,
    "set_power": 6,
    "remove": 3,
    "renew": 2,
    "reinstate": 4,
    "admit_node": 7,
    "admit_many_nodes": 1,
    "remove_node": 3,
    "change_member": 5,
    "expel": 1,
    "admit": 1,
    "set_live": 2,
    "set_suspends": 2,
    "activate": 12,
    "resign": 3,
    "retire_node": 4,
    "stray": 1,
    "misbehave": 5,
    "misbehave_together": 1,
    "fall": 4,
    "rise": 3,
    "advance": 5,
}
