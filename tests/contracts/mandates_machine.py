"""A machine that gives, gives on, uses, withdraws, suspends and lets time pass, at random.

A judge that keeps its own books says of each accepted message whether it was right to be: children
within parents, sums within limits, nothing after an end, also within one block.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec.structs import replace

from hansa.contracts.accounts.model import ReinstateAccount, SuspendAccount
from hansa.contracts.mandates.model import (
    ActScope,
    GiveMandate,
    GiveOnBehalf,
    Limit,
    Mandate,
    UseMandate,
    WithdrawMandate,
)
from hansa.contracts.permissions.model import GrantRole
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.state import scan_records
from hansa.testing.chain import Actor, Chain
from tests.contracts import desk
from tests.contracts.judge import Violation
from tests.contracts.league import build_chain, build_open_account, find_violations

T = TypeVar("T")
APP = "mandates"
HOUR_MS = 3_600_000
FIRM, RIVAL, COURT = Actor("firm"), Actor("rival"), Actor("court")
CLERK, MATE, CITIZEN, PARENT = Actor("clerk"), Actor("mate"), Actor("citizen"), Actor("parent")
STRANGER = Actor("stranger")
EVERYONE = (FIRM, RIVAL, COURT, CLERK, MATE, CITIZEN, PARENT)
HOME = {CLERK.did: FIRM.did, MATE.did: FIRM.did}
ACTORS = {actor.did: actor for actor in EVERYONE}
SCOPES = (
    (ActScope("desk"),),
    (ActScope("desk", ("Pay",)),),
    (ActScope("desk", ("Pay", "Refund")),),
    (ActScope("desk", ("Refund",)), ActScope("holds")),
    (ActScope("desk"), ActScope("holds", ("PlaceHold",))),
)
WRONG_SCOPES = ((ActScope("nowhere"),), (ActScope("desk"), ActScope("desk")))
Sent = tuple[str, Message]


def build_office_chain() -> Chain:
    """A firm with two clerks, a rival with two citizens, a court."""
    grants = [{"application": APP, "role": "court", "holder": COURT.did, "scope": "-"}]
    chain = build_chain(
        FIRM,
        RIVAL,
        COURT,
        parts={"permissions": {"grants": grants}},
        contracts=(desk.contract,),
    )
    for actor in (CLERK, MATE):
        chain.send(FIRM, "accounts", build_open_account(actor, FIRM))
    for actor in (CITIZEN, PARENT):
        chain.send(RIVAL, "accounts", build_open_account(actor, RIVAL, kind="citizen"))
    chain.send(FIRM, "permissions", GrantRole(application=APP, role="agent", holder=CLERK.did))
    return chain


class Book(msgspec.Struct):
    """What the judge knows of one mandate."""

    given: Mandate
    ended: bool = False
    spent: int = 0


class MandateJudge:
    """Its own books of mandates, by what was accepted, in order."""

    def __init__(self, chain: Chain, reached: Counter[str]) -> None:
        self.chain = chain
        self.reached = reached
        self.books: dict[str, Book] = {}
        self.suspended: set[str] = set()

    def forbid(self, condition: bool, rule: str, text: str) -> None:
        if condition:
            raise Violation(rule, text)

    def observe(self, sent: Sequence[tuple[Actor, Sequence[Sent]]]) -> None:
        """Judge the last block, which had these transactions in this order."""
        before = frozenset(self.suspended)  # standing changes with the next block
        for (actor, messages), done in zip(sent, self.chain.results[-1].results, strict=True):
            codes = [each.code for each in done.messages]
            for code in codes:
                self.forbid(code == "ledger.contract_fault", "FAULT", str(codes))
                self.reached[f"code {code}"] += 1
            cover: UseMandate | None = None
            # A transaction that never began, such as a suspended account's, has one result.
            for result, (_app, message) in zip(done.messages, messages, strict=False):
                if result.code == OK:
                    for event in result.events:
                        self.reached[f"event {event.type}"] += 1
                        self._take_event(actor, event.type, bytes(event.body), before)
                    self._judge(actor, message, cover, before)
                is_cover = isinstance(message, UseMandate) and result.code == OK
                cover = message if is_cover and isinstance(message, UseMandate) else None
        self._compare()
        found = find_violations(self.chain.state, APP)
        if found:
            name, _colon, text = found[0].partition(": ")
            raise Violation(name, text)

    def _compare(self) -> None:
        """The books agree with the state."""
        for mandate in scan_records(self.chain.state, APP, Mandate, limit=10_000):
            book = self.books[mandate.id]
            self.forbid(book.spent != mandate.used, "M3", "the books disagree")
            self.forbid(book.ended != (mandate.state != "given"), "M4", "ended or not")

    def _judge(
        self, actor: Actor, message: Message, cover: UseMandate | None, suspended: frozenset[str]
    ) -> None:
        if isinstance(message, UseMandate):
            self._judge_use(actor, message, suspended)
        elif isinstance(message, WithdrawMandate):
            self._judge_withdrawal(actor, message)
        elif isinstance(message, SuspendAccount):
            self.suspended.add(message.account)
        elif isinstance(message, ReinstateAccount):
            self.suspended.discard(message.account)
        elif isinstance(message, desk.Pay) and message.payer != actor.did:
            fits = cover is not None and (
                self.books[cover.mandate].given.principal,
                cover.application,
                cover.type,
                cover.amount,
                cover.currency,
            ) == (message.payer, "desk", "Pay", message.amount, message.currency)
            self.forbid(not fits, "M5", f"{actor} paid for {message.payer}")
            self.reached["act under a mandate"] += 1

    def _take_event(self, actor: Actor, type_: str, body: bytes, suspended: frozenset[str]) -> None:
        """A mandate is given: into the books, once it was right to give it."""
        if type_ != "MandateGiven":
            return
        found = self.chain.get(APP, Mandate, msgspec.json.decode(body)["mandate"])
        if found is None:
            raise Violation("M1", "a mandate was given that is not there")
        # As it was given: what this block used or ended of it is the books' own affair.
        given = replace(found, state="given", ended_ms=None, used=0, uses=0)
        parties = {given.principal, given.delegate}
        self.forbid(bool(parties & suspended), "M6", "given by or to one who is suspended")
        self.forbid(given.principal == given.delegate, "M6", "given to oneself")
        now = self.chain.time_ms
        self.forbid(given.since_ms < now, "M7", "a mandate was backdated")
        self.forbid(
            given.until_ms is not None and given.until_ms <= given.since_ms, "M7", "never holds"
        )
        if given.parent:
            self._judge_child(actor, given, suspended)
        elif given.office:
            self.forbid(actor != COURT, "M1", f"{actor} gave on behalf")
        else:
            is_own = actor.did == given.principal
            self.forbid(not is_own, "M1", f"{actor} gave for {given.principal}")
        self.books[given.id] = Book(given)
        pair = (given.principal, given.delegate)
        live = [
            book
            for book in self.books.values()
            if (book.given.principal, book.given.delegate) == pair
            and not book.ended
            and (book.given.until_ms is None or now < book.given.until_ms)
        ]
        self.forbid(len(live) > 16, "M7", f"{len(live)} mandates are live")

    def _judge_child(self, actor: Actor, child: Mandate, suspended: frozenset[str]) -> None:
        """M2, told by what each could do: every act and moment of the child is the parent's."""
        chain = self._climb(child.parent)
        parent = chain[0].given
        self.forbid(not self._speaks(actor, parent.delegate), "M2", f"{actor} gave on")
        self.forbid(child.depth >= parent.depth, "M2", "more levels")
        self.forbid(
            (child.principal, child.purpose) != (parent.principal, parent.purpose), "M2", "other"
        )
        acts = [("desk", "Pay"), ("desk", "Refund"), ("desk", "Ask"), ("holds", "PlaceHold")]
        for act in acts:
            wide = self._allows(child, act) and not self._allows(parent, act)
            self.forbid(wide, "M2", f"the child may {act}")
        for moment in (child.since_ms, (child.until_ms or 2**52) - 1):
            ends = parent.until_ms is not None and moment >= parent.until_ms
            self.forbid(moment < parent.since_ms or ends, "M2", "beyond its time")
        if parent.limit is not None:
            most = child.limit or Limit(currency="any")
            self.forbid(most.currency != parent.limit.currency, "M2", "another currency")
            for name in ("per_act", "total"):
                outer = getattr(parent.limit, name)
                inner = getattr(most, name)
                wide = outer is not None and (inner is None or inner > outer)
                self.forbid(wide, "M2", f"{name} {inner} of {outer}")
        self._judge_live(chain, suspended)

    def _judge_use(self, actor: Actor, use: UseMandate, suspended: frozenset[str]) -> None:
        chain = self._climb(use.mandate)
        self.forbid(not self._speaks(actor, chain[0].given.delegate), "M5", f"{actor} used it")
        self._judge_live(chain, suspended)
        for book in chain:
            given = book.given
            act = (use.application, use.type)
            self.forbid(not self._allows(given, act), "M4", f"used for {act}")
            if given.limit is None or not use.amount:
                continue
            book.spent += use.amount
            self.forbid(use.currency != given.limit.currency, "M3", "another currency")
            per_act, total = given.limit.per_act, given.limit.total
            self.forbid(per_act is not None and use.amount > per_act, "M3", "too much at once")
            self.forbid(total is not None and book.spent > total, "M3", f"{book.spent} in sum")
        self.reached[f"used at level {len(chain)}"] += 1

    def _judge_live(self, chain: list[Book], suspended: frozenset[str]) -> None:
        now = self.chain.time_ms
        for book in chain:
            given = book.given
            self.forbid(book.ended, "M4", f"{given.id} had ended")
            late = given.until_ms is not None and now >= given.until_ms
            self.forbid(now < given.since_ms or late, "M4", f"{given.id} does not hold")
            parties = {given.principal, given.delegate}
            self.forbid(bool(parties & suspended), "M6", "through one who is suspended")

    def _judge_withdrawal(self, actor: Actor, message: WithdrawMandate) -> None:
        book = self.books[message.mandate]
        given = book.given
        self.forbid(book.ended, "M4", "ended twice")
        allowed = self._speaks(actor, given.delegate)
        if not given.office:
            allowed = allowed or actor.did == given.principal
        if given.parent:
            allowed = allowed or self._speaks(actor, given.giver)
        elif given.office:
            allowed = allowed or actor == COURT
        self.forbid(not allowed, "M4", f"{actor} ended {given.id}")
        book.ended = True
        self.reached["withdrawn"] += 1

    def _climb(self, mandate: str) -> list[Book]:
        chain = []
        while mandate:
            chain.append(self.books[mandate])
            mandate = chain[-1].given.parent
        return chain

    def _speaks(self, actor: Actor, party: str) -> bool:
        return actor.did == party or (actor == CLERK and party == FIRM.did)

    def _allows(self, mandate: Mandate, act: tuple[str, str]) -> bool:
        return any(
            each.application == act[0] and (not each.types or act[1] in each.types)
            for each in mandate.scope
        )


class MandateMachine(RuleBasedStateMachine):
    """One league a run; anybody tries anything."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.chain = build_office_chain()
        self.judge = MandateJudge(self.chain, self.reached)
        self.random = random.Random(0)
        self.salt: list[int] = []
        self.turns = [getattr(self, name) for name, often in TURNS.items() for _ in range(often)]

    @initialize(salt=st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8))
    def begin(self, salt: list[int]) -> None:
        """What makes this example unlike others that begin with the same steps."""
        self.salt = salt

    @rule(seed=st.integers(0, 2**32 - 1))
    def step(self, seed: int) -> None:
        """A block of one to three transactions of anybody."""
        root = self.chain.state.tree.root.hex()
        self.random = random.Random(f"{self.salt}/{seed}/{root}")
        sent = [self.pick(self.turns)() for _ in range(self.pick((1, 1, 2, 3)))]
        data = [
            self.chain.sign(actor, messages, mode=self.pick(("atomic", "independent")))
            for actor, messages in sent
        ]
        self.chain.block(data, step_ms=self.pick((1_000, 1_000, HOUR_MS)))
        self.judge.observe(sent)

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def is_rare(self) -> bool:
        return self.random.random() < 0.07

    def list_mandates(self) -> list[Mandate]:
        return scan_records(self.chain.state, APP, Mandate, limit=10_000)

    def pick_mandate(self) -> Mandate | None:
        """Mostly one that was not withdrawn."""
        found = self.list_mandates()
        live = [each for each in found if each.state == "given"]
        deep = [each for each in live if each.parent or each.depth]
        wanted = self.pick((found, live, deep, deep))
        return self.pick(wanted or found) if found else None

    def pick_limit(self) -> Limit | None:
        if self.random.random() < 0.3:
            return None
        currency = "HKD" if self.is_rare() else "CNY"
        per_act, total = self.pick(((50, None), (None, 120), (50, 120), (100, 200)))
        return Limit(currency=currency, per_act=per_act, total=total)

    def pick_times(self) -> tuple[int | None, int | None]:
        now = self.chain.time_ms
        start = self.pick((None,) * 8 + (now + HOUR_MS, now - 1))
        end = self.pick((None, None, now + 20 * HOUR_MS, now + 5 * HOUR_MS))
        return start, end

    # turns

    def give(self) -> tuple[Actor, list[Sent]]:
        principal, delegate = self.pick((FIRM, FIRM, CITIZEN)), self.pick(EVERYONE)
        sender = self.pick(EVERYONE) if self.is_rare() else principal
        since_ms, until_ms = self.pick_times()
        message = GiveMandate(
            principal=principal.did,
            delegate=STRANGER.did if self.is_rare() else delegate.did,
            scope=self.pick(WRONG_SCOPES if self.is_rare() else SCOPES),
            purpose=self.pick(("cash", "claims")),
            limit=self.pick_limit(),
            since_ms=since_ms,
            until_ms=until_ms,
            depth=self.pick((0, 2, 2, 4)),
        )
        return sender, [(APP, message)] * (17 if self.random.random() < 0.03 else 1)

    def give_on_behalf(self) -> tuple[Actor, list[Sent]]:
        since_ms, until_ms = self.pick_times()
        message = GiveOnBehalf(
            principal=CITIZEN.did,
            delegate=self.pick((PARENT, PARENT, MATE)).did,
            scope=self.pick(SCOPES),
            purpose="care",
            basis="guardian",
            limit=self.pick_limit(),
            since_ms=since_ms,
            until_ms=until_ms,
            depth=self.pick((0, 1)),
        )
        return self.pick((COURT, COURT, COURT, PARENT)), [(APP, message)]

    def give_on(self) -> tuple[Actor, list[Sent]]:
        parent = self.pick_mandate()
        if parent is None:
            return self.give()
        since_ms, until_ms = self.pick_times()
        message = GiveMandate(
            principal=parent.principal,
            delegate=self.pick(EVERYONE).did,
            scope=parent.scope if self.random.random() < 0.7 else self.pick(SCOPES),
            purpose="other" if self.is_rare() else parent.purpose,
            limit=parent.limit if self.random.random() < 0.6 else self.pick_limit(),
            since_ms=since_ms if self.is_rare() else None,
            until_ms=parent.until_ms if self.random.random() < 0.7 else until_ms,
            depth=1 if self.is_rare() else max(parent.depth - 1, 0),
            parent="nothing" if self.is_rare() else parent.id,
        )
        return self.pick_holder(parent), [(APP, message)]

    def pick_holder(self, mandate: Mandate) -> Actor:
        if self.is_rare():
            return self.pick(EVERYONE)
        return CLERK if mandate.delegate == FIRM.did else ACTORS[mandate.delegate]

    def pay(self) -> tuple[Actor, list[Sent]]:
        mandate = self.pick_mandate()
        if mandate is None:
            return self.give()
        amount = self.pick((0, 10, 40, 50, 60, 130))
        currency = "CNY" if amount else ""
        use = UseMandate(
            mandate="nothing" if self.is_rare() else mandate.id,
            application="holds" if self.is_rare() else "desk",
            type="Pay",
            amount=amount,
            currency="HKD" if self.is_rare() else currency,
        )
        act = desk.Pay(payer=mandate.principal, amount=amount, currency=currency)
        if self.is_rare():
            act = replace(act, amount=self.pick((0, 10)), payer=self.pick((FIRM, CITIZEN)).did)
        sent: list[Sent] = [(APP, use), ("desk", act)]
        if self.is_rare():
            sent = self.pick(([*sent, sent[1]], sent[::-1], sent[1:]))
        return self.pick_holder(mandate), sent

    def withdraw(self) -> tuple[Actor, list[Sent]]:
        mandate = self.pick_mandate()
        if mandate is None:
            return self.give()
        name = "nothing" if self.is_rare() else mandate.id
        sender = self.pick((*EVERYONE, ACTORS[mandate.principal], ACTORS[mandate.delegate]))
        return sender, [(APP, WithdrawMandate(mandate=name, reason="left"))]

    def change_standing(self) -> tuple[Actor, list[Sent]]:
        who = self.pick((CLERK, MATE))
        message: Message = SuspendAccount(account=who.did, reason="leave")
        if who.did in self.judge.suspended or self.random.random() < 0.5:
            message = ReinstateAccount(account=who.did, reason="back")
        return FIRM, [("accounts", message)]


TURNS: dict[str, int] = {
    "give": 4,
    "give_on_behalf": 1,
    "give_on": 4,
    "pay": 8,
    "withdraw": 1,
    "change_standing": 2,
}
