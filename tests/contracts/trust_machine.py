"""One stateful machine over accreditations: anybody tries anything, and asks who is entitled.

After each step the walk's answers are compared with those of `trust_judge`, which has learnt only
from accepted messages; the contract's invariants are checked, and that history never changes.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hansa.contracts.accreditations import INVARIANTS, contract
from hansa.contracts.accreditations.model import (
    Accredit,
    Accreditation,
    Attest,
    AuthoriseRoot,
    ReinstateRecognition,
    RevokeRecognition,
    SuspendRecognition,
)
from hansa.contracts.permissions.model import GrantRole
from hansa.identity.links import SchemaPair, Scope
from hansa.ledger.context import ReadContext
from hansa.ledger.context import Scope as At
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.testing.chain import Actor
from tests.contracts.judge import Violation, forbid
from tests.contracts.league import build_propose
from tests.contracts.trust import (
    ALMA,
    BODY,
    BRANCH,
    CLERK,
    DAY_MS,
    FRAMEWORK,
    ISSUER,
    OTHER,
    ROOT,
    build_child,
    build_recognise,
    build_standing,
    build_trust_chain,
    judge,
    list_links,
)
from tests.contracts.trust_judge import PLACES, SCHEMAS, World

T = TypeVar("T")
ACTORS = (ROOT, BODY, ISSUER, OTHER, CLERK, BRANCH, ALMA)
SUBJECTS = (BODY, BODY, ISSUER, ISSUER, OTHER, BRANCH)
STRANGER = Actor("stranger")
BY_DID = {actor.did: actor for actor in (*ACTORS, STRANGER)}


class TrustMachine(RuleBasedStateMachine):
    """A governor, a root, a body with an officer and a branch, an issuer and another member."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.chain = build_trust_chain()
        officer = GrantRole(application="accreditations", role="officer", holder=CLERK.did)
        assert self.chain.send(BODY, "permissions", officer).code == OK
        self.world = World()
        self.records: dict[str, Accreditation] = {}
        self.random = random.Random(0)
        self.salt: list[int] = []
        self.turns = [getattr(self, name) for name, often in TURNS.items() for _ in range(often)]

    @initialize(salt=st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8))
    def begin(self, salt: list[int]) -> None:
        """What makes this example unlike others; a root, so that there is something to do."""
        self.salt = salt
        self.random = random.Random(f"{salt}")
        self.authorise()

    @rule(seed=st.integers(0, 2**32 - 1))
    def step(self, seed: int) -> None:
        """One turn of somebody, then questions."""
        root = self.chain.state.tree.root.hex()
        self.random = random.Random(f"{self.salt}/{seed}/{root}")
        self.random.choice(self.turns)()
        for _ in range(4):
            self.ask()

    # drawing

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def is_rare(self, chance: float = 0.15) -> bool:
        return self.random.random() < chance

    def pick_link(self) -> str:
        """Mostly a recent one: chains grow deep."""
        names = list(self.world.links)
        return self.pick(names[-4:] if self.is_rare(0.5) else names)

    def pick_scope(self, parent: str = "") -> tuple[Scope, ...]:
        """Mostly within the parent's."""
        pairs = self.world.links[parent].pairs if parent else frozenset()
        if pairs and not self.is_rare(0.2):
            chosen = self.random.sample(sorted(pairs), self.random.randint(1, min(3, len(pairs))))
            return tuple(Scope(schemas=(name,), jurisdictions=(place,)) for name, place in chosen)
        names = ("*",) if self.is_rare(0.3) else self.pick_some(SCHEMAS)
        if self.is_rare(0.05):
            names = ("nothing:7",)
        return (Scope(schemas=names, jurisdictions=self.pick_some(PLACES)),)

    def pick_some(self, choices: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(self.random.sample(choices, self.random.randint(1, len(choices)))))

    def pick_times(self, parent: str = "") -> dict[str, Any]:
        """Mostly at once, and no longer than the parent."""
        now_ms = self.chain.time_ms + 1_000
        since_ms = self.pick((None, None, None, now_ms + DAY_MS, now_ms - 2_000))
        until_ms = self.world.links[parent].until_ms if parent else None
        if self.is_rare(0.3):
            until_ms = self.pick((None, now_ms + 3 * DAY_MS, now_ms + 30 * DAY_MS, now_ms))
        return {"since_ms": since_ms, "until_ms": until_ms}

    # acting

    def act(self, *sent: tuple[Sequence[Actor], str, Message], step_ms: int = 1_000) -> list[str]:
        """Transactions in one block, judged; the codes."""
        data = [self.chain.sign(list(actors), [(app, body)]) for actors, app, body in sent]
        before = {link: record.standing for link, record in self.records.items()}
        block = self.chain.block(data, step_ms=step_ms)
        codes = []
        for result in block.results:
            message = result.messages[0]
            codes.append(message.code)
            self.reached[f"code {message.code}"] += 1
            for event in message.events:
                if event.app == "accreditations":
                    self.reached[f"event {event.type}"] += 1
                    self.world.take(event, msgspec.json.decode(event.body), self.chain.time_ms)
                if event.type == "ProposalClosed":
                    self.note_proposal()
        self.records = list_links(self.chain)
        self.judge_state(before)
        return codes

    def note_proposal(self) -> None:
        from tests.contracts.league import get_last_proposal

        self.reached[f"code {get_last_proposal(self.chain).code or OK}"] += 1

    def judge_state(self, before: dict[str, Any]) -> None:
        """Invariants; what is past stays; what is recorded is what was told."""
        for invariant in INVARIANTS:
            found = invariant.check(self.chain.state)
            forbid(bool(found), invariant.id, "; ".join(found))
        forbid(set(self.records) != set(self.world.links), "R1", "links nobody told of")
        for link, standing in before.items():
            kept = tuple(e for e in standing if e.since_ms <= self.chain.time_ms)
            forbid(self.records[link].standing[: len(kept)] != kept, "R4", "history was changed")

    def govern(self, message: Message) -> None:
        self.act(([ALMA], "governance", build_propose(("accreditations", message))))

    # turns

    def authorise(self) -> None:
        scope = self.pick_scope()
        if self.is_rare(0.7):
            scope = (Scope(schemas=("*",), jurisdictions=PLACES),)
        message = AuthoriseRoot(
            framework=self.pick((FRAMEWORK, FRAMEWORK, "health")),
            subject=self.pick((ROOT, ROOT, OTHER, STRANGER)).did,
            scope=scope,
            basis="law",
            **self.pick_times(),
        )
        self.govern(message)

    def give(self) -> None:
        if not self.world.links:
            return
        parent = "nothing" if self.is_rare(0.03) else self.pick_link()
        told = self.world.links.get(parent)
        actor = (
            self.pick(ACTORS) if told is None or self.is_rare() else self.find_actor(told.subject)
        )
        known = parent if told is not None else ""
        subject = STRANGER if self.is_rare(0.05) else self.pick(SUBJECTS)
        message = build_child(
            self.pick((Accredit, Attest, Attest)),
            parent,
            subject,
            self.pick_scope(known),
            **self.pick_times(known),
        )
        self.give_as(actor, message)

    def give_as(self, actor: Actor, message: Any) -> None:
        codes = self.act(([actor], "accreditations", message))
        if codes[0] == OK:
            self.judge_giver(actor, self.world.links[message.parent].subject)

    def judge_giver(self, actor: Actor, did: str) -> None:
        forbid(not speaks_for(actor, did), "R1", f"{actor} gave a link of {did}")

    def find_actor(self, did: str) -> Actor:
        """Who signs for a subject: itself, or its officer."""
        return CLERK if did == BODY.did and self.is_rare() else BY_DID[did]

    def deepen(self) -> None:
        """A long chain of one body's own links."""
        now_ms = self.chain.time_ms
        able = [
            name
            for name, told in self.world.links.items()
            if told.level != "attest"
            and told.subject in BY_DID
            and self.world.is_in_force(name, now_ms)
        ]
        if not able:
            return
        parent = max(able, key=lambda each: len(self.world.climb(each)))
        told = self.world.links[parent]
        scope = tuple(Scope((name,), (place,)) for name, place in sorted(told.pairs)[:2])
        for _ in range(4):
            message = build_child(
                Accredit, parent, BY_DID[told.subject], scope, until_ms=told.until_ms
            )
            self.give_as(BY_DID[told.subject], message)
            parent = list(self.world.links)[-1]

    def change(self) -> None:
        if not self.world.links:
            return
        link = "nothing" if self.is_rare(0.03) else self.pick_link()
        what = self.pick(WHAT)
        down = [
            name for name, told in self.world.links.items() if told.changes[-1][1] == "suspended"
        ]
        if down and self.is_rare(0.4):
            link, what = self.pick(down), self.pick(("suspend", "reinstate", "reinstate"))
        message = build_standing(what, link)
        if self.is_rare():
            self.govern(message)
            return
        above = self.world.list_above(link) if link in self.world.links else []
        known = [BY_DID[did] for did in above if did in BY_DID]
        actor = self.pick(known) if known and not self.is_rare(0.25) else self.pick(ACTORS)
        before = self.describe_power(link, actor)
        codes = self.act(([actor], "accreditations", message))
        if codes[0] == OK:
            self.judge_change(type(message).__name__, before, actor)

    def describe_power(self, link: str, actor: Actor) -> dict[str, Any]:
        """What an actor may do to a link, by what was told so far."""
        if link not in self.world.links:
            return {}
        above = self.world.list_above(link)
        climbed = [link]
        while self.world.links[climbed[-1]].parent:
            climbed.append(self.world.links[climbed[-1]].parent)
        at_ms = self.chain.time_ms + 1_001
        ranks = [
            index
            for index, did in enumerate(above[:-1])
            if speaks_for(actor, did) and self.world.is_in_force(climbed[index + 1], at_ms)
        ]
        by = self.world.links[link].changes[-1][2]
        placed = [index for index, did in enumerate(above) if did == by]
        return {
            "rank": max(ranks, default=-1),
            "placed": max(placed, default=-1),
            "is_subject": speaks_for(actor, self.world.links[link].subject),
        }

    def judge_change(self, what: str, power: dict[str, Any], actor: Actor) -> None:
        is_given_back = what.startswith("Revoke") and power["is_subject"]
        forbid(power["rank"] < 0 and not is_given_back, "R5", f"{actor}: {what} from below")
        if what.startswith("Reinstate"):
            forbid(power["rank"] < power["placed"], "R5", f"{actor} lifted what stands higher")

    def change_within_one_block(self) -> None:
        """A body is suspended in the block in which it accredits."""
        able = [
            name
            for name, told in self.world.links.items()
            if told.level == "accredit" and self.world.is_in_force(name, self.chain.time_ms)
        ]
        if not able:
            return
        link = self.pick(able)
        told = self.world.links[link]
        child = build_child(Attest, link, ISSUER, self.pick_scope(link), until_ms=told.until_ms)
        actors = [BY_DID[told.accreditor], BY_DID[told.subject]]
        messages = [build_standing(self.pick(("suspend", "revoke")), link), child]
        self.act(
            *(([actor], "accreditations", m) for actor, m in zip(actors, messages, strict=True))
        )

    def recognise(self) -> None:
        source, relying = self.pick(PLACES), self.pick(PLACES)
        pairs = tuple(
            SchemaPair(name, self.pick(SCHEMAS))
            for name in self.random.sample(SCHEMAS, self.random.randint(1, 2))
        )
        if self.is_rare(0.05):
            pairs = (*pairs, pairs[0])
        message = build_recognise(source, relying, schemas=pairs, **self.pick_times())
        self.govern(message)

    def change_recognition(self) -> None:
        known = list(self.world.bridges)
        name = self.pick(known) if known and not self.is_rare(0.1) else "nothing"
        relying = self.world.bridges[name].relying if name in self.world.bridges else "CN"
        kinds: tuple[Any, ...] = (SuspendRecognition, ReinstateRecognition, RevokeRecognition)
        kind = self.random.choices(kinds, (3, 3, 1))[0]
        self.govern(kind(relying=relying, recognition=name, reason="review"))

    def advance(self) -> None:
        self.act(step_ms=self.pick((1, 1_000, DAY_MS, 10 * DAY_MS)))

    # asking

    def ask(self) -> None:
        """Who is entitled, now or then: the walk must say what was told."""
        if not self.world.links:
            return
        leaves = [name for name, told in self.world.links.items() if told.level == "attest"]
        link = self.pick(leaves) if leaves and not self.is_rare() else self.pick_link()
        told = self.world.links[link]
        issuer = BY_DID[told.subject] if not self.is_rare() else self.pick(ACTORS)
        schema, place = self.pick(SCHEMAS), self.pick(PLACES)
        if told.pairs and self.is_rare(0.6):
            schema, place = self.pick(sorted(told.pairs))
        if self.world.bridges and self.is_rare(0.4):
            link, schema, place = self.aim(link, schema, place)
            issuer = BY_DID[self.world.links[link].subject]
        at_ms = self.pick(self.world.list_times(link, self.chain.time_ms + 1))
        finding = judge(self.chain, link, issuer, schema, place, at_ms=at_ms)
        right = self.world.is_entitled(link, issuer.did, schema, place, at_ms)
        self.reached[f"answer {finding.outcome} {finding.code}"] += 1
        if finding.entitled and not right:
            is_dead = not self.world.is_in_force(link, at_ms)
            rule_ = "R6" if is_dead else "R7" if finding.recognition else "R2"
            raise Violation(rule_, f"{link} says yes for {schema} in {place} at {at_ms}")
        forbid(right and not finding.entitled, "R6", f"{link} was not restored: {finding.code}")
        self.ask_contract(issuer, schema, place)

    def aim(self, link: str, schema: str, place: str) -> tuple[str, str, str]:
        """What a recognition makes of some link, if there is one that it speaks of."""
        bridge = self.pick(list(self.world.bridges.values()))
        source, target = self.pick(bridge.pairs)
        able = [
            name
            for name, told in self.world.links.items()
            if told.level == "attest"
            and told.framework == bridge.framework
            and (source, bridge.source) in told.pairs
        ]
        return (self.pick(able), target, bridge.relying) if able else (link, schema, place)

    def ask_contract(self, issuer: Actor, schema: str, place: str) -> None:
        """The view that other contracts have, as at now."""
        now = At(self.chain.chain, self.chain.height, self.chain.time_ms, "t", 0)
        ctx = ReadContext(self.chain.state, "accreditations", now)
        answer = contract.views["is_entitled"](ctx, issuer.did, (schema,), place)
        right = any(
            self.world.is_entitled(link, issuer.did, schema, place, self.chain.time_ms)
            for link, told in self.world.links.items()
            if told.subject == issuer.did
        )
        forbid(answer and not right, "R6", "the view lets somebody in")
        forbid(right and not answer, "R8", "the view does not find a link")


def speaks_for(actor: Actor, did: str) -> bool:
    """In this cast: each for itself, CLERK as officer of BODY."""
    return actor.did == did or (actor is CLERK and did == BODY.did)


WHAT = ("suspend", "suspend", "reinstate", "reinstate", "revoke")
TURNS = {
    "authorise": 1,
    "give": 8,
    "deepen": 2,
    "change": 6,
    "change_within_one_block": 1,
    "recognise": 2,
    "change_recognition": 2,
    "advance": 2,
}
