"""A machine that gives, withdraws, reads, breaks glass, erases and lets time pass, at random.

After each step the contract's invariants hold; what each accepted act was is judged here again.
"""

from collections import Counter
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hansa.contracts.consents.model import (
    DAY_MS,
    REVIEW_MS,
    Access,
    DataGrant,
    DeclareErasure,
    ReceiveContent,
    ReviewBreakGlass,
    WithdrawGrant,
    is_open,
)
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.testing.chain import Actor
from tests.contracts.clinic import (
    BANK,
    BLOOD,
    CITY,
    CLINIC,
    MEDIC,
    NAME,
    NURSE,
    PAT,
    QUINN,
    TELLER,
    WATCH,
    break_in,
    build_clinic,
    commit_to,
    declare,
    find_violations,
    give,
    list_accesses,
    list_emergencies,
    list_grants,
    read,
)

EVERYONE = st.sampled_from((PAT, QUINN, CLINIC, NURSE, BANK, TELLER, CITY, MEDIC, WATCH))
LIKELY = {"give": (PAT, QUINN, NURSE), "read": (BANK, BANK, TELLER, QUINN), "review": (WATCH, CITY)}
FIELDS = st.sampled_from(((NAME,), (BLOOD,), (NAME, BLOOD), (NAME, NAME), ("income",)))
SUBJECTS = st.sampled_from((PAT, PAT, QUINN, Actor("nobody")))
TEXTS = st.sampled_from((NAME, BLOOD, "one", "two"))
NUMBERS = st.integers(0, 3)
# Which member each account speaks for.
SPEAKS = {
    NURSE.did: CLINIC.did,
    TELLER.did: BANK.did,
}


class Violation(AssertionError):
    """A rule was broken."""


class ConsentsMachine(RuleBasedStateMachine):
    """One league a run."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.chain = build_clinic()
        self.kept: dict[str, bytes] = {}

    def act(self, actor: Actor, message: Message) -> None:
        """Send, note what it came to, and judge the state."""
        before = {grant.id: grant for grant in list_grants(self.chain)}
        result = self.chain.send(actor, "consents", message)
        self.reached[f"code {result.code}"] += 1
        self.reached.update(f"event {event.type}" for event in result.events)
        if result.code == OK:
            self.judge_act(actor, message, before)
        self.judge()

    def judge_act(self, actor: Actor, message: Message, before: dict[str, DataGrant]) -> None:
        """What the accepted act shows of C3, C5: told from the grant as it stood before."""
        name = type(message).__name__
        grant = before.get(getattr(message, "grant", ""))
        if name == "RecordAccess":
            access = list_accesses(self.chain)
            own = [each for each in access if grant is not None and each.grant == grant.id]
            if grant is None or not own or not self.may_read(actor, grant):
                raise Violation("C5: read without a live grant of one's own")
            if grant.uses_max is not None and len(own) > grant.uses_max:
                raise Violation("C5: read more often than was given")
        if name == "WithdrawGrant" and grant is not None:
            speaks = {actor.did, SPEAKS.get(actor.did, "")}
            giver = grant.subject if grant.legal_basis == "consent" else grant.controller
            if not speaks & {giver, grant.receiver} and actor is not WATCH:
                raise Violation("C3: ended by a stranger")
        if name == "GiveGrant":
            giver = message.subject if message.legal_basis == "consent" else message.controller  # type: ignore[attr-defined]
            if giver not in {actor.did, SPEAKS.get(actor.did, "")}:
                raise Violation("C1: given by a stranger")

    def may_read(self, actor: Actor, grant: DataGrant) -> bool:
        """The receiver, in the grant's time, while it stands."""
        speaks = {actor.did, SPEAKS.get(actor.did, "")}
        return grant.receiver in speaks and is_open(grant, self.chain.time_ms)

    def judge(self) -> None:
        """Invariants, and what must never change again."""
        found = find_violations(self.chain)
        if found:
            raise Violation("; ".join(found))
        kept = {"/".join(each.key()): encode_canonical(each) for each in list_accesses(self.chain)}
        for grant in list_grants(self.chain):
            if grant.state in ("withdrawn", "expired"):
                kept[grant.id] = encode_canonical(grant)
        for key, value in self.kept.items():
            if kept.get(key) != value:
                raise Violation(f"C3, C6: what is past changed: {key}")
        self.kept = kept

    @rule(
        actor=st.one_of(st.sampled_from(LIKELY["give"]), EVERYONE),
        subject=SUBJECTS,
        receiver=st.sampled_from((BANK, QUINN)),
        fields=st.sampled_from(((NAME, BLOOD), (NAME,), (NAME, NAME), (NAME, "income"))),
        uses=st.sampled_from((1, 2, None)),
        lasts=st.sampled_from((0, 1, 5, 9_000)),
        begins=st.sampled_from((None, None, None, 0, 2)),
        basis=st.sampled_from(("consent", "consent", "legal_obligation")),
        grounded=st.sampled_from((True, True, True, False)),
    )
    def give(self, **chosen: Any) -> None:
        """Somebody gives a grant."""
        is_consent = chosen["basis"] == "consent"
        begins = chosen["begins"]
        now = self.chain.time_ms
        message = give(
            subject=chosen["subject"].did,
            receiver=chosen["receiver"].did,
            fields=chosen["fields"],
            uses_max=chosen["uses"],
            since_ms=None if begins is None else now + begins * DAY_MS,
            until_ms=now + chosen["lasts"] * DAY_MS,
            legal_basis=chosen["basis"],
            record=commit_to("record") if is_consent and chosen["grounded"] else "",
            document="ab" * 32 if not is_consent and chosen["grounded"] else "",
        )
        self.act(chosen["actor"], message)

    @rule(
        uses=st.sampled_from((1, 2, None)),
        days=st.sampled_from((3, 30)),
        begins=st.sampled_from((None, None, 1)),
    )
    def give_rightly(self, uses: int | None, days: int, begins: int | None) -> None:
        """Pat gives the bank a grant that stands, or soon will."""
        now = self.chain.time_ms
        since_ms = None if begins is None else now + begins * DAY_MS
        self.act(PAT, give(uses_max=uses, since_ms=since_ms, until_ms=now + days * DAY_MS))

    @rule(number=st.sampled_from((0, 0, 0, 1, 2)), actor=st.sampled_from((BANK, TELLER, MEDIC)))
    def take_rightly(self, number: int, actor: Actor) -> None:
        """The bank reads as a grant allows it, if it still stands; the medic as nobody does."""
        self.act(actor, read(self.pick_grant(number), fields=(BLOOD,)))

    @rule(number=NUMBERS, actor=st.sampled_from((PAT, BANK, NURSE, CITY)))
    def end_rightly(self, number: int, actor: Actor) -> None:
        """Pat or the bank ends a grant; the nurse what the clinic gave, the city nothing."""
        self.act(actor, WithdrawGrant(grant=self.pick_grant(number), reason="changed_mind"))

    @rule(actor=st.sampled_from((BANK, TELLER)), number=st.integers(1, 2))
    def receive_rightly(self, actor: Actor, number: int) -> None:
        """The bank signs for one of Pat's first accesses, if it took it."""
        message = ReceiveContent(subject=PAT.did, number=number, package=commit_to("sealed"))
        self.act(actor, message)

    @rule(text=st.sampled_from((NAME, "one")))
    def erase_rightly(self, text: str) -> None:
        """The nurse erases."""
        message = DeclareErasure(subject=PAT.did, commitment=commit_to(text), reason="asked_for")
        self.act(NURSE, message)

    @rule(fields=st.sampled_from(((BLOOD,), (BLOOD, BLOOD))))
    def break_rightly(self, fields: Any) -> None:
        """The medic breaks glass."""
        self.act(MEDIC, break_in(fields=fields))

    @rule(actor=EVERYONE, number=NUMBERS)
    def withdraw(self, actor: Actor, number: int) -> None:
        """Somebody ends a grant."""
        self.act(actor, WithdrawGrant(grant=self.pick_grant(number), reason="changed_mind"))

    @rule(
        actor=st.sampled_from(LIKELY["read"]),
        number=st.sampled_from((0, 0, 1)),
        fields=FIELDS,
        purpose=st.sampled_from(("open_account", "open_account", "marketing")),
        alg=st.sampled_from(("X25519", "X25519", "SM2")),
    )
    def take(self, actor: Actor, number: int, fields: Any, purpose: str, alg: Any) -> None:
        """Somebody takes up a grant."""
        message = read(self.pick_grant(number), fields=fields, purpose=purpose, seal_alg=alg)
        self.act(actor, message)

    @rule(actor=EVERYONE, number=st.integers(1, 4))
    def receive(self, actor: Actor, number: int) -> None:
        """Somebody signs for what it took."""
        accesses: list[Access] = list_accesses(self.chain)
        subject = accesses[-1].subject if accesses else PAT.did
        message = ReceiveContent(subject=subject, number=number, package=commit_to("sealed"))
        self.act(actor, message)

    @rule(actor=st.one_of(st.sampled_from((NURSE, CLINIC)), EVERYONE), subject=SUBJECTS, text=TEXTS)
    def hold(self, actor: Actor, subject: Actor, text: str) -> None:
        """Somebody declares a content."""
        self.act(actor, declare(NAME, text, subject))

    @rule(actor=st.one_of(st.just(NURSE), EVERYONE), text=TEXTS)
    def erase(self, actor: Actor, text: str) -> None:
        """Somebody declares an erasure."""
        message = DeclareErasure(
            subject=PAT.did, commitment=commit_to(text), reason="retention_over"
        )
        self.act(actor, message)

    @rule(actor=st.one_of(st.just(MEDIC), EVERYONE), subject=SUBJECTS, fields=FIELDS)
    def break_glass(self, actor: Actor, subject: Actor, fields: Any) -> None:
        """Somebody breaks glass."""
        self.act(actor, break_in(subject=subject.did, fields=fields))

    @rule(number=NUMBERS)
    def review_rightly(self, number: int) -> None:
        """The regulator judges one of the first uses of break-glass, perhaps once more."""
        found = list_emergencies(self.chain)[:2]
        chosen = found[number % len(found)].id if found else "nothing"
        self.act(WATCH, ReviewBreakGlass(emergency=chosen, verdict="justified"))

    @rule(actor=st.one_of(st.sampled_from(LIKELY["review"]), EVERYONE), number=NUMBERS)
    def review(self, actor: Actor, number: int) -> None:
        """Somebody judges a break-glass."""
        found = list_emergencies(self.chain)
        chosen = found[number % len(found)].id if found else "nothing"
        self.act(actor, ReviewBreakGlass(emergency=chosen, verdict="justified"))

    @rule(days=st.sampled_from((1, 1, REVIEW_MS // DAY_MS, 6)))
    def wait(self, days: int) -> None:
        """Time passes."""
        result = self.chain.advance(days * DAY_MS)
        for each in result.deadlines:
            self.reached.update(f"event {event.type}" for event in each.events)
        self.judge()

    def pick_grant(self, number: int) -> str:
        """One of the newest grants."""
        found = sorted(list_grants(self.chain), key=lambda grant: grant.since_ms)
        return found[-1 - number].id if number < len(found) else "nothing"
