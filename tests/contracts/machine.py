"""One stateful machine over all system contracts: anybody tries anything, a judge watches.

Hypothesis draws a salt for each example and a seed for each step; with the state's root they decide
what it does. So steps differ even where Hypothesis repeats itself, and a failing run is replayed.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec.structs import replace

from hansa.contracts.accounts.model import (
    CloseAccount,
    ReinstateAccount,
    RevokeKey,
    SetAdministrator,
    SuspendAccount,
)
from hansa.contracts.governance.model import Ballot, Proposal, Vote, format_proposal_id
from hansa.contracts.holds.model import HOLDS_MAX, PlaceHold, ReleaseHold
from hansa.contracts.members.model import SetContact, SuspendMember
from hansa.contracts.permissions.model import GrantRole, WithdrawRole
from hansa.crypto.signatures import PublicKey
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, MessageResult
from hansa.ledger.state import scan_records
from hansa.ledger.system import Account, Grant, Hold, Member
from hansa.testing.chain import Actor
from tests.contracts.agenda import AGENDA
from tests.contracts.cast import (
    ACTORS,
    ALMA,
    BANK,
    BRUNO,
    CANDIDATES,
    CITIZENS,
    COURT,
    EVERYONE,
    FOUNDERS,
    KEY_NUMBERS,
    MEMBERS,
    PEOPLE,
    STAFF,
    build_cast_chain,
    forge,
    name_key,
    sign,
)
from tests.contracts.did_turns import DidJudge, DidTurns
from tests.contracts.judge import (
    OFFICES,
    Judge,
    Past,
    forbid,
    judge_grant,
    judge_hold,
    judge_release,
    judge_withdrawal,
)
from tests.contracts.land import RegisterParcel, TransferParcel
from tests.contracts.league import (
    WEEK_MS,
    build_add_key,
    build_open_account,
    build_propose,
    build_replace_key,
)

T = TypeVar("T")
DAY_MS = 86_400_000
ROLES = (
    ("land", "registry"),
    ("land", "clerk"),
    ("land", "clerk"),
    ("land", "porter"),
    ("land", "king"),
    ("accounts", "registrar"),
    ("governance", "delegate"),
    ("holds", "pledgor"),
    ("holds", "bank"),
)
SHAPES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"purposes": ("authenticate",), "until": 400},
    {"purposes": ("service",), "scope": ("land",)},
    {"purposes": ("service",), "scope": ("accounts",)},
    {"until": 400},
)
SMALL_ORDER = PublicKey.from_raw("EdDSA", bytes(32))
# A signature that holds for every message under a key of small order (ZIP-215).
ANY_MESSAGE = encode_base64url(b"\x01" + bytes(63))
INSIDERS = (*FOUNDERS, STAFF[0], CITIZENS[0], BANK, COURT)


def count_signing(account: Account) -> int:
    """Keys that sign and have no end."""
    return sum("sign" in key.purposes and key.until is None for key in account.keys)


class LeagueMachine(DidTurns, RuleBasedStateMachine):
    """A league of five members, two candidates and six people."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.chain = build_cast_chain()
        self.judge: Judge = DidJudge(self.chain, self.reached)
        self.random = random.Random(0)
        self.salt: list[int] = []
        self.turns = [getattr(self, name) for name, often in TURNS.items() for _ in range(often)]

    @initialize(salt=st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8))
    def begin(self, salt: list[int]) -> None:
        """What makes this example unlike others that begin with the same steps."""
        self.salt = salt

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
        return self.random.random() < 0.15

    def pick_actor(self) -> Actor:
        """Mostly one who can sign now."""
        if self.is_rare():
            return self.pick(EVERYONE)
        choices = INSIDERS if self.random.random() < 0.6 else EVERYONE
        able = [each for each in choices if self.can_sign(each)]
        return self.pick(able or EVERYONE)

    def can_sign(self, actor: Actor) -> bool:
        account = self.chain.get("", Account, actor.did)
        member = self.chain.get("", Member, account.member) if account is not None else None
        is_good = account is not None and account.standing[-1].standing == "good"
        return is_good and member is not None and member.standing[-1].standing == "good"

    def pick_sender_and_account(self) -> tuple[Actor, Actor]:
        sender = self.pick_actor()
        return sender, sender if self.random.random() < 0.5 else self.pick(EVERYONE)

    # acting

    def act(
        self, signers: Sequence[Actor], *messages: tuple[str, Message]
    ) -> tuple[Past, list[MessageResult]]:
        """One transaction in a block of its own, judged."""
        past = Past(self.chain)
        data = sign(self.chain, signers, messages)
        block = self.chain.block([data])
        self.judge.observe(past, block)
        return past, list(block.results[0].messages)

    def list_holds(self) -> list[Hold]:
        return scan_records(self.chain.state, "holds", Hold, limit=1_000)

    def list_proposals(self) -> list[Proposal]:
        return scan_records(self.chain.state, "governance", Proposal, limit=10_000)

    def get_member(self, actor: Actor) -> str:
        account = self.chain.get("", Account, actor.did)
        return account.member if account is not None else ALMA.did

    # accounts

    def open_account(self) -> None:
        sender = self.pick((*FOUNDERS, *STAFF))
        home = self.get_member(sender)
        member = next(each for each in (*MEMBERS, *CANDIDATES) if each.did == home)
        kind = self.pick(("staff", "citizen", "service"))
        fitting = SHAPES[3] if kind == "service" else SHAPES[0]
        chosen = self.pick(SHAPES) if self.is_rare() else fitting
        shape = {key: value for key, value in chosen.items() if key != "until"}
        forged = self.is_rare()
        message = build_open_account(
            self.pick(PEOPLE), member, kind=kind, admin=self.is_rare(), **shape
        )
        past, results = self.act([sender], ("accounts", forge(message) if forged else message))
        if results[0].code == OK:
            forbid(forged, "A2", "a forged possession opened an account")
            by_registrar = past.has_role(sender.did, "accounts.registrar", "-", self.chain.time_ms)
            allowed = past.is_admin(sender.did, member.did) or (kind == "citizen" and by_registrar)
            forbid(not allowed, "A5", f"{sender} opened an account")

    def add_key(self) -> None:
        sender, account = self.pick_sender_and_account()
        number = self.pick(KEY_NUMBERS)
        message = build_add_key(
            account.did,
            self.get_member(account),
            name_key(account, number),
            f"k{self.pick(KEY_NUMBERS)}" if self.is_rare() else f"k{number}",
            **self.pick(SHAPES),
        )
        bad = self.pick(("", "", "", "", "forged", "small"))
        if bad == "small":
            message = replace(message, key=SMALL_ORDER, possession=ANY_MESSAGE)
        self.change_key(sender, account, forge(message) if bad == "forged" else message, bad)

    def replace_key(self) -> None:
        sender, account = self.pick_sender_and_account()
        old, new = self.pick(KEY_NUMBERS), self.pick(KEY_NUMBERS)
        message = build_replace_key(
            account.did, self.get_member(account), name_key(account, new), f"k{old}", f"k{new}"
        )
        bad = "forged" if self.is_rare() else ""
        self.change_key(sender, account, forge(message) if bad else message, bad)

    def revoke_key(self) -> None:
        sender, account = self.pick_sender_and_account()
        accounts = scan_records(self.chain.state, "accounts", Account, limit=1_000)
        rich = [each.did for each in accounts if count_signing(each) > 1]
        if rich and not self.is_rare():
            account = ACTORS[self.pick(rich)]
            sender = self.pick((account, account, sender))
        found = self.chain.get("", Account, account.did)
        names = [key.id for key in found.keys] if found is not None else ["k1"]
        ends = names[-1:] if self.random.random() < 0.5 else names
        name = f"k{self.pick(KEY_NUMBERS)}" if self.is_rare() else self.pick(ends)
        message = RevokeKey(account=account.did, key_id=name, reason="lost")
        self.change_key(sender, account, message, "")

    def change_key(self, sender: Actor, account: Actor, message: Any, bad: str) -> None:
        past, results = self.act([sender], ("accounts", message))
        if results[0].code == OK:
            forbid(bool(bad), "A2", f"a {bad} key was taken")
            is_admin = past.is_admin(sender.did, past.get_member(account.did))
            is_own = sender.did == account.did
            forbid(not is_own and not is_admin, "A5", f"{sender} changed {account}")

    def change_account(self) -> None:
        sender = self.pick((ALMA, ALMA, STAFF[0], self.pick_actor()))
        account = self.pick((ALMA, *STAFF, *CITIZENS, self.pick_actor()))
        accounts = scan_records(self.chain.state, "accounts", Account, limit=1_000)
        down = [each.did for each in accounts if each.standing[-1].standing == "suspended"]
        if down and self.random.random() < 0.6:
            account = ACTORS[self.pick(down)]
        messages: dict[str, Message] = {
            "close": CloseAccount(account=account.did, reason="left"),
            "suspend": SuspendAccount(account=account.did, reason="leave"),
            "reinstate": ReinstateAccount(account=account.did, reason="back"),
            "admin": SetAdministrator(account=account.did, admin=True),
            "no admin": SetAdministrator(account=account.did, admin=False),
        }
        what = self.pick(("suspend", "suspend", "reinstate", *messages))
        past, results = self.act([sender], ("accounts", messages[what]))
        if results[0].code == OK:
            is_admin = past.is_admin(sender.did, past.get_member(account.did))
            allowed = is_admin or (what == "close" and sender.did == account.did)
            forbid(not allowed, "A5", f"{sender}: {what} {account}")

    def add_many_keys(self) -> None:
        owner = self.pick(FOUNDERS)
        shape: Any = {"purposes": ("authenticate",)}
        adding = [
            ("accounts", build_add_key(owner.did, owner.did, f"m{n}", f"m{n}", **shape))
            for n in range(17)
        ]
        self.act([owner], *adding)

    # permissions

    def grant(self) -> None:
        application, role = self.pick(ROLES)
        holder, scope = self.pick_actor().did, self.pick(("-", "north", "land"))
        end = self.pick((None, None, -1, DAY_MS, 30 * DAY_MS))
        if self.random.random() < 0.4:
            application, role, holder, scope = self.pick(self.list_grants())
        message = GrantRole(
            application=application,
            role=role,
            holder=holder,
            scope=scope,
            until_ms=None if end is None else self.chain.time_ms + end,
        )
        self.grant_as(self.pick((BRUNO, ALMA, self.pick_actor())), message)

    def grant_as(self, sender: Actor, message: GrantRole) -> None:
        past, results = self.act([sender], ("permissions", message))
        if results[0].code == OK:
            judge_grant(past, sender.did, message, self.chain.time_ms)

    def withdraw(self) -> None:
        sender = self.pick((BRUNO, ALMA, self.pick_actor()))
        application, role, holder, scope = self.pick(self.list_grants())
        if self.is_rare():
            scope = "south"
        message = WithdrawRole(
            application=application, role=role, holder=holder, scope=scope, reason="moved"
        )
        past, results = self.act([sender], ("permissions", message))
        if results[0].code == OK:
            judge_withdrawal(past, sender.did, message, self.chain.time_ms)

    def list_grants(self) -> list[tuple[str, str, str, str]]:
        found = scan_records(self.chain.state, "permissions", Grant, limit=1_000)
        return [(each.application, each.role, each.holder, each.scope) for each in found]

    # governance

    def decide(self) -> None:
        """A proposal on which all who can vote yes."""
        names = [self.pick(tuple(AGENDA)) for _ in range(self.pick((1, 1, 1, 1, 2)))]
        who = self.pick((*MEMBERS, *CANDIDATES, *CANDIDATES, BANK, BANK))
        voters = (*FOUNDERS, *CANDIDATES)
        proposer = next((each for each in voters if self.propose_as(each, names, who)), None)
        for voter in voters if proposer is not None else ():
            if voter is not proposer and self.list_proposals()[-1].state == "OPEN":
                self.vote_as(voter, len(self.list_proposals()), "yes")

    def propose(self) -> None:
        name = self.pick(tuple(AGENDA))
        self.propose_as(self.pick_actor(), [name], self.pick((*MEMBERS, *CANDIDATES)))

    def propose_as(self, sender: Actor, names: list[str], who: Actor) -> bool:
        number = self.random.randrange(6)
        hold = next(iter(self.list_holds()), None)
        built = [AGENDA[name](self.chain, hold, who, number) for name in names]
        past, results = self.act([sender], ("governance", build_propose(*built)))
        if results[0].code == OK:
            self.check_delegate(past, sender)
        return results[0].code == OK

    def vote(self) -> None:
        number = max(1, len(self.list_proposals()) - self.random.randrange(3))
        voter = self.pick((*FOUNDERS, self.pick_actor()))
        self.vote_as(voter, number, self.pick(("yes", "no")))

    def refuse(self) -> None:
        """All founders vote no on an open proposal."""
        for proposal in self.list_proposals():
            for voter in FOUNDERS if proposal.state == "OPEN" else ():
                self.vote_as(voter, proposal.id, "no")

    def vote_as(self, sender: Actor, number: int, choice: Any) -> None:
        past, results = self.act([sender], ("governance", Vote(proposal=number, choice=choice)))
        if results[0].code == OK:
            parts = (format_proposal_id(number), past.get_member(sender.did))
            forbid(past.get(Ballot, *parts, app="governance") is not None, "G3", "voted twice")
            self.check_delegate(past, sender)

    def check_delegate(self, past: Past, sender: Actor) -> None:
        is_admin = past.is_admin(sender.did, past.get_member(sender.did))
        is_delegate = past.has_role(sender.did, "governance.delegate", "-", self.chain.time_ms)
        forbid(not is_admin and not is_delegate, "G3", f"{sender} acted for its member")

    # holds

    def place_hold(self) -> None:
        sender = self.pick((BANK, BANK, COURT, ALMA))
        others = [self.pick_actor() for _ in range(self.pick((0, 1, 2)))]
        owner = (ALMA,) if self.random.random() < 0.7 else ()
        signers = list(dict.fromkeys((sender, *owner, *others)))
        fitting = ("pledge", "assignment") if sender is BANK else ("freeze", "seizure", "seizure")
        end = self.pick((None, None, -1, 5_000, DAY_MS))
        message = PlaceHold(
            application="land",
            record_kind="parcel",
            record_key=(self.pick(("p0", "p0", "p0", "p1", "p2", "none")),),
            kind=self.pick(fitting if self.random.random() < 0.7 else tuple(OFFICES)),
            until_ms=None if end is None else self.chain.time_ms + end,
        )
        past, results = self.act(signers, ("holds", message))
        if results[0].code == OK:
            dids = tuple(actor.did for actor in signers)
            judge_hold(past, dids, message, self.chain.time_ms)

    def release_hold(self) -> None:
        holds = self.list_holds()
        hold = self.pick(holds) if holds and not self.is_rare() else None
        placer = ACTORS[hold.placed_by] if hold is not None else COURT
        sender = placer if self.random.random() < 0.5 else self.pick_actor()
        message = ReleaseHold(
            application="land",
            record_kind="parcel",
            record_key=hold.record_key if hold is not None else ("p0",),
            hold=hold.id if hold is not None else "none",
            reason="settled",
        )
        past, results = self.act([sender], ("holds", message))
        if results[0].code == OK and hold is not None:
            judge_release(past, (sender.did,), hold, self.chain.time_ms)

    def place_many_holds(self) -> None:
        message = PlaceHold(
            application="land", record_kind="parcel", record_key=("p1",), kind="freeze"
        )
        standing = sum(hold.record_key == ("p1",) for hold in self.list_holds())
        self.act([COURT], *[("holds", message)] * max(1, HOLDS_MAX + 1 - standing))

    def transfer(self) -> None:
        signers = list(dict.fromkeys((self.pick_actor(), self.pick_actor())))
        self.act(signers, ("land", TransferParcel(id="p0", owner=ALMA.did)))

    def register(self) -> None:
        self.act([ALMA], ("land", RegisterParcel(id="p2", owner=self.pick_actor().did)))

    # the rest

    def set_contact(self) -> None:
        sender = self.pick_actor()
        past, results = self.act([sender], ("members", SetContact(address="https://a.example/")))
        if results[0].code == OK:
            is_admin = past.is_admin(sender.did, past.get_member(sender.did))
            forbid(not is_admin, "M5", f"{sender} set a contact")

    def spend(self) -> None:
        """The court has the smallest allowance: large messages spend it."""
        message = RegisterParcel(id="x" * 240_000, owner=COURT.did)
        for _turn in range(3):
            self.act([COURT], *[("land", message)] * 3)

    def stray(self) -> None:
        """What only governance may send."""
        message = SuspendMember(member=self.pick(MEMBERS).did, reason="coup")
        self.act([self.pick_actor()], ("members", message))

    def advance(self) -> None:
        past = Past(self.chain)
        step_ms = self.pick((1, 60_000, DAY_MS, WEEK_MS))
        self.judge.observe(past, self.chain.advance(step_ms))


# What happens how often.
TURNS = {
    "open_account": 8,
    "add_key": 6,
    "replace_key": 5,
    "revoke_key": 5,
    "change_account": 10,
    "add_many_keys": 1,
    "promise": 3,
    "use_promise": 3,
    "say": 5,
    "plan_recovery": 4,
    "approve_recovery": 8,
    "veto_recovery": 2,
    "wait_for_recovery": 3,
    "grant": 10,
    "withdraw": 5,
    "decide": 20,
    "propose": 4,
    "vote": 4,
    "refuse": 1,
    "place_hold": 14,
    "release_hold": 4,
    "place_many_holds": 1,
    "transfer": 3,
    "register": 1,
    "set_contact": 2,
    "spend": 1,
    "stray": 1,
    "advance": 4,
}
