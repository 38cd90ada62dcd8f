"""The machine's judge: what no step may do, told independently of the handlers.

`Violation` names the rule. State invariants are the contracts' own; here are the acts (who did
what) and what must never change again (history).
"""

from collections import Counter
from typing import Any, TypeVar

import msgspec

from hansa.contracts.governance.model import Proposal, Weight
from hansa.contracts.permissions.model import PastGrant
from hansa.ledger.blocks import BlockResult
from hansa.ledger.receipts import OK, EventOut, MessageResult
from hansa.ledger.state import MemoryState, Overlay, scan_records
from hansa.ledger.system import (
    Account,
    Allowance,
    Grant,
    Hold,
    Member,
    Parameter,
    Usage,
    compute_standing,
    find_key,
)
from hansa.testing.chain import Chain
from tests.contracts.league import find_violations

R = TypeVar("R")
ALL = 1_000_000
GRANTORS = {
    "land.registry": ("governance",),
    "land.clerk": ("land.registry",),
    "land.porter": ("member_admin",),
    "accounts.registrar": ("member_admin",),
    "governance.delegate": ("member_admin",),
    "holds.pledgor": ("member_admin",),
    "holds.bank": ("governance",),
    "holds.court": ("governance",),
}
OFFICES = {
    "freeze": ("court", "authority"),
    "seizure": ("court",),
    "pledge": ("bank",),
    "assignment": ("bank",),
}
BOUNDS = {"land/fee": (1, 100), "quotas/window_ms": (1_000, 86_400_000)}
# What the vote that fails a proposal may touch.
OF_THE_VOTE = (
    b"governance/proposal/",
    b"governance/ballot/",
    b"governance/counter/",
    b"ledger/",
    b"quotas/usage/",
)


class Violation(AssertionError):
    """A rule was broken."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule


def forbid(condition: bool, rule: str, text: object) -> None:
    """Raise Violation when the condition holds."""
    if condition:
        raise Violation(rule, str(text))


class Past:
    """State before a step: the judge's independent sight of who may do what."""

    def __init__(self, chain: Chain) -> None:
        self.state = MemoryState()
        self.state.values = dict(chain.state.values)
        self.state._sorted = sorted(self.state.values)
        self.height = chain.height
        self.time_ms = chain.time_ms

    def get(self, kind: type[Any], *parts: str, app: str = "") -> Any:
        """A record of then."""
        from hansa.ledger.state import get_record

        return get_record(self.state, kind.OWNER or app, kind, *parts)

    def list_all(self, kind: type[Any], app: str = "") -> Any:
        """All records of a kind of then."""
        return scan_records(self.state, kind.OWNER or app, kind, limit=ALL)

    def is_admin(self, sender: str, member: str) -> bool:
        """Whether the account was an administrator of the member."""
        account = self.get(Account, sender)
        return account is not None and account.admin and account.member == member

    def get_member(self, did: str) -> str:
        """The member behind an account's or a member's DID."""
        account = self.get(Account, did)
        return str(account.member) if account is not None else did

    def list_holders(self, sender: str) -> tuple[str, ...]:
        """Whose roles the account could use."""
        account = self.get(Account, sender)
        if account is None:
            return ()
        return (sender,) if account.kind == "citizen" else (sender, account.member)

    def list_grants(self, sender: str, role: str, now_ms: int) -> list[Grant]:
        """The account's grants of `app.role` that hold at a block time."""
        return [
            grant
            for grant in self.list_all(Grant)
            if f"{grant.application}.{grant.role}" == role
            and grant.holder in self.list_holders(sender)
            and grant.since_ms <= now_ms
            and (grant.until_ms is None or now_ms < grant.until_ms)
        ]

    def has_role(self, sender: str, role: str, scope: str, now_ms: int) -> bool:
        """Whether the account held the role for the scope."""
        return any(grant.scope in ("-", scope) for grant in self.list_grants(sender, role, now_ms))


def judge_grant(past: Past, sender: str, grant: Any, now_ms: int) -> None:
    """An accepted GrantRole of an account (P1, P2)."""
    role = f"{grant.application}.{grant.role}"
    forbid(role not in GRANTORS, "P3", f"{role} was granted")
    if "member_admin" in GRANTORS[role] and past.is_admin(sender, past.get_member(grant.holder)):
        return
    own = [each for grantor in GRANTORS[role] for each in past.list_grants(sender, grantor, now_ms)]
    forbid(not own, "P1", f"{sender} granted {role}")
    forbid(
        not any(
            each.scope in ("-", grant.scope)
            and (
                each.until_ms is None
                or (grant.until_ms is not None and grant.until_ms <= each.until_ms)
            )
            for each in own
        ),
        "P2",
        f"{sender} granted {role} beyond its own",
    )


def judge_withdrawal(past: Past, sender: str, message: Any, now_ms: int) -> None:
    """An accepted WithdrawRole of an account (P5)."""
    holder = past.get(Account, message.holder)
    is_citizen = holder is not None and holder.kind == "citizen"
    if sender == message.holder:
        return
    if not is_citizen and past.is_admin(sender, past.get_member(message.holder)):
        return
    grantors = GRANTORS[f"{message.application}.{message.role}"]
    if "member_admin" in grantors and past.is_admin(sender, past.get_member(message.holder)):
        return
    is_entitled = any(past.has_role(sender, each, message.scope, now_ms) for each in grantors)
    forbid(not is_entitled, "P5", f"{sender} withdrew a role of {message.holder}")


def judge_hold(past: Past, signers: tuple[str, ...], message: Any, now_ms: int) -> None:
    """An accepted PlaceHold; the first signer sent it (H1, H2, H3)."""
    roles = [f"holds.{office}" for office in OFFICES[message.kind]]
    scope = message.application
    is_office = any(past.has_role(signers[0], role, scope, now_ms) for role in roles)
    forbid(not is_office, "H1", f"{signers[0]} placed a {message.kind}")
    parcel = past.state.get(b"land/parcel/" + "/".join(message.record_key).encode())
    forbid(parcel is None, "H2", f"a hold on nothing: {message.record_key}")
    if message.kind in ("freeze", "seizure") or parcel is None:
        return
    owner = msgspec.json.decode(parcel)["owner"]
    speaks = any(
        each == owner
        or (
            past.get_member(each) == owner
            and each in past.list_holders(each)
            and len(past.list_holders(each)) == 2
            and (past.is_admin(each, owner) or past.has_role(each, "holds.pledgor", "-", now_ms))
        )
        for each in signers
    )
    forbid(not speaks, "H3", f"{owner} did not sign the {message.kind}")
    for hold in past.list_all(Hold):
        stands = hold.until_ms is None or now_ms < hold.until_ms
        if hold.record_key == message.record_key and stands:
            agreed = any(_acts_for(past, each, hold, now_ms) for each in signers)
            forbid(not agreed, "H3", f"{hold.placed_by} did not sign the {message.kind}")


def judge_release(past: Past, signers: tuple[str, ...], hold: Hold, now_ms: int) -> None:
    """An accepted ReleaseHold of an account (H4)."""
    agreed = any(_acts_for(past, each, hold, now_ms) for each in signers)
    forbid(not agreed, "H4", f"{signers[0]} released a hold of {hold.placed_by}")


def _acts_for(past: Past, account: str, hold: Hold, now_ms: int) -> bool:
    return hold.placed_by in past.list_holders(account) and past.has_role(
        account, f"holds.{hold.role}", hold.application, now_ms
    )


class Judge:
    """Watches every block of one chain, and remembers what was reached."""

    def __init__(self, chain: Chain, reached: Counter[str]) -> None:
        self.chain = chain
        self.reached = reached
        self.intervals: set[tuple[str, ...]] = set()

    def observe(self, past: Past, block: BlockResult) -> None:
        """Judge one executed block. Raises Violation."""
        results = [each for result in block.results for each in result.messages]
        events = [event for each in (*results, *block.deadlines) for event in each.events]
        for result in (*results, *block.deadlines):
            self._note(result)
        for event in events:
            self._note_event(event)
        self._check_failures(events, block)
        self._check_membership(past, events)
        self._check_history(past)
        self._check_electorates(past, events)
        self._check_numbers(past)
        self._check_intervals()
        violations = find_violations(self.chain.state)
        if violations:
            rule, _colon, text = violations[0].partition(": ")
            raise Violation(rule, text)

    def _note(self, result: MessageResult) -> None:
        forbid(result.code == "ledger.contract_fault", "FAULT", result)
        if result.code == OK:
            self.reached[f"message {result.type}"] += 1
        else:
            self.reached[f"code {result.code}"] += 1

    def _note_event(self, event: EventOut) -> None:
        self.reached[f"event {event.app}.{event.type}"] += 1
        body = msgspec.json.decode(bytes(event.body))
        for field in ("state", "standing"):
            if field in body:
                self.reached[f"{event.app} {body[field]}"] += 1
        if event.type == "ProposalClosed" and body["code"]:
            self.reached[f"code {body['code']}"] += 1
        if event.type == "ProposalOpened":
            self.reached["governance OPEN"] += 1
        if event.type == "HoldPlaced":
            self.reached[f"hold {body['kind']}"] += 1

    def _check_failures(self, events: list[EventOut], block: BlockResult) -> None:
        """G4: a failed proposal left nothing but its own word."""
        closed = [each for each in events if each.type == "ProposalClosed"]
        states = [msgspec.json.decode(bytes(each.body))["state"] for each in closed]
        if states == ["FAILED"] and not block.deadlines:
            stray = [key for key, _value in block.changes if not key.startswith(OF_THE_VOTE)]
            forbid(bool(stray), "G4", stray)

    def _check_membership(self, past: Past, events: list[EventOut]) -> None:
        """M5: members change only when a proposal is executed."""
        executed = any(b'"state":"EXECUTED"' in bytes(each.body) for each in events)
        before = {member.did: member for member in past.list_all(Member)}
        for member in scan_records(self.chain.state, "members", Member, limit=ALL):
            changed = before.get(member.did) != member
            forbid(changed and not executed, "M5", f"{member.did} changed")

    def _check_history(self, past: Past) -> None:
        """M4, A8, A3: what was so as at an earlier height stays so; nothing vanishes."""
        state, now = self.chain.state, self.chain.height
        members = {each.did: each for each in scan_records(state, "members", Member, limit=ALL)}
        for member in past.list_all(Member):
            for height in {0, now // 2, now}:
                was = compute_standing(member.standing, height)
                after = members[member.did] if member.did in members else None
                same = after is not None and compute_standing(after.standing, height) == was
                forbid(not same, "M4", f"{member.did} as at {height}")
        accounts = {each.did: each for each in scan_records(state, "accounts", Account, limit=ALL)}
        for account in past.list_all(Account):
            current = accounts.get(account.did)
            for height in {0, now // 2, now}:
                was = compute_standing(account.standing, height)
                same = current is not None and compute_standing(current.standing, height) == was
                forbid(not same, "A8", f"{account.did} as at {height}")
            for key in account.keys:
                valid = find_key(account, key.id, now) is not None
                still = current is not None and find_key(current, key.id, now) is not None
                forbid(valid != still, "A7", f"{account.did}#{key.id} as at {now}")

    def _check_electorates(self, past: Past, events: list[EventOut]) -> None:
        """G2: a proposal's electorate is that of the state in which it was opened."""
        opened = [each for each in events if each.type == "ProposalOpened"]
        for event in opened[:1]:
            number = msgspec.json.decode(bytes(event.body))["proposal"]
            found = scan_records(self.chain.state, "governance", Proposal, limit=ALL)
            proposal = next(each for each in found if each.id == number)
            good = {
                member.did
                for member in past.list_all(Member)
                if member.standing[-1].standing == "good"
            }
            expected = {
                each.member: each.weight
                for each in past.list_all(Weight, "governance")
                if each.member in good
            }
            named = {voter.member: voter.weight for voter in proposal.voters}
            forbid(named != expected, "G2", f"electorate of proposal {number}")

    def _check_numbers(self, past: Past) -> None:
        """G7: parameters stay in bounds. Q1: nobody spends more than its allowance."""
        for each in scan_records(self.chain.state, "governance", Parameter, limit=ALL):
            low, high = BOUNDS.get(f"{each.application}/{each.name}", (each.value, each.value))
            forbid(not low <= each.value <= high, "G7", each)
        for usage in scan_records(self.chain.state, "quotas", Usage, limit=ALL):
            allowance = past.get(Allowance, usage.member)
            changed = past.get(Usage, usage.member) != usage
            if allowance is not None and changed:
                forbid(usage.units > allowance.units, "Q1", usage)

    def _check_intervals(self) -> None:
        """P4: no interval of a grant is ever forgotten."""
        state = self.chain.state
        now = {
            (each.application, each.role, each.holder, each.scope, str(each.since_ms))
            for kind in (Grant, PastGrant)
            for each in scan_records(state, "permissions", kind, limit=ALL)  # type: ignore[type-var]
        }
        forbid(not self.intervals <= now, "P4", self.intervals - now)
        self.intervals = now


__all__ = ["Judge", "Overlay", "Past", "Violation", "forbid"]
