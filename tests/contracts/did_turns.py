"""Turns of the big machine: promised keys, services, agreement keys, recovery; and their judge."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from hansa.contracts.accounts.did_model import (
    ApproveRecovery,
    CommitNextKey,
    RemoveAgreementKey,
    RemoveService,
    SetAgreementKey,
    SetRecovery,
    SetService,
    UseNextKey,
    VetoRecovery,
)
from hansa.contracts.accounts.keys import compute_key_digest, compute_next_key_statement
from hansa.contracts.accounts.model import CloseAccount, SuspendAccount
from hansa.contracts.accounts.profile import DidProfile, PastProfile, Recovery, RecoveryPlan
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, EventOut, MessageResult
from hansa.ledger.state import scan_records
from hansa.ledger.system import Account, find_key
from hansa.testing.chain import CHAIN, Actor, Chain, make_key
from tests.contracts.cast import ACTORS, ALMA, EVERYONE, KEY_NUMBERS, SERVICE, name_key
from tests.contracts.judge import ALL, Judge, Past, forbid
from tests.contracts.league import get_account, possess

BOX = encode_base64url(b"\x09" + bytes(31))
SMALL_BOX = encode_base64url(bytes(32))
DAY_MS = 86_400_000
DELAY_MS = 3 * DAY_MS
WINDOW_MS = 7 * DAY_MS


def digest(actor: Actor, number: int) -> str:
    """Thumbprint of an actor's n-th key."""
    return compute_key_digest(make_key(name_key(actor, number)).public)


class DidTurns:
    """What people do with their DIDs. Mixed into the machine of the league."""

    chain: Chain
    judge: Judge
    random: Random

    def act(
        self, signers: Sequence[Actor], *messages: tuple[str, Message]
    ) -> tuple[Past, list[MessageResult]]:
        """One transaction in a block of its own, judged."""
        raise NotImplementedError

    def pick_actor(self) -> Actor:
        """Mostly one who can sign now."""
        raise NotImplementedError

    def promise(self) -> None:
        sender = self.pick_actor()
        account = self.random.choice((sender, sender, sender, ALMA, SERVICE))
        if self.random.random() < 0.2 and self.chain.get("", Account, SERVICE.did) is not None:
            account = SERVICE
        number = self.random.choice(KEY_NUMBERS)
        message = CommitNextKey(account=account.did, next_key=digest(account, number))
        _past, results = self.act([sender], ("accounts", message))
        if results[0].code == OK:
            forbid(sender.did != account.did, "A10", f"{sender} promised for {account}")

    def use_promise(self) -> None:
        account = self.pick_actor()
        promised = [each for each in self.list_profiles() if each.next_key]
        if promised and self.random.random() < 0.9:
            account = ACTORS[self.random.choice(promised).account]
        profile = self.chain.get("accounts", DidProfile, account.did)
        fitting = [n for n in KEY_NUMBERS if profile and digest(account, n) == profile.next_key]
        number = self.random.choice([*fitting * 9, *KEY_NUMBERS])
        after = self.random.choice(("", "", digest(account, self.random.choice(KEY_NUMBERS))))
        key = make_key(name_key(account, number))
        found = self.chain.get("", Account, account.did)
        statement = compute_next_key_statement(
            chain=CHAIN,
            account=account.did,
            member=found.member if found else ALMA.did,
            key_id=f"k{number}",
            key=key.public,
            next_key=after,
        )
        message = UseNextKey(
            account=account.did,
            key_id=f"k{number}",
            key=key.public,
            next_key=after,
            possession=encode_base64url(key.sign(statement)),
        )
        self.act([self.random.choice((account, self.pick_actor()))], ("accounts", message))

    def say(self) -> None:
        """A service or an agreement key, mostly of one's own; now and then too many."""
        sender = self.pick_actor()
        account = self.random.choice((sender, sender, self.random.choice(EVERYONE)))
        name = self.random.choice("ab")
        box: Any = {"account": account.did, "alg": "X25519"}
        place: Any = {"account": account.did, "type": "LinkedDomains"}
        turns: tuple[tuple[Message, ...], ...] = (
            (SetService(id=name, endpoint="https://a.example/", **place),),
            (RemoveService(account=account.did, id=name),),
            (SetAgreementKey(id=name, public=BOX, **box),),
            (SetAgreementKey(id=name, public=SMALL_BOX, **box),),
            (RemoveAgreementKey(account=account.did, id=name),),
            tuple(SetService(id=f"s{n}", endpoint="https://a.example/", **place) for n in range(9)),
        )
        messages = self.random.choice(turns)
        said = [each for each in self.list_profiles() if each.agreements or each.services]
        if said and self.random.random() < 0.3:
            profile = self.random.choice(said)
            account = ACTORS[profile.account]
            sender = self.random.choice((account, account, account, sender))
            removing: list[Message] = [
                *(RemoveService(account=account.did, id=each.id) for each in profile.services[:1]),
                *(RemoveAgreementKey(account=account.did, id=e.id) for e in profile.agreements[:1]),
            ]
            messages = (self.random.choice(removing),)
        past, results = self.act([sender], *(("accounts", each) for each in messages))
        if any(each.code == OK for each in results):
            known = past.get(Account, account.did)
            is_admin = past.is_admin(sender.did, known.member) and known.kind != "citizen"
            forbid(sender.did != account.did and not is_admin, "A12", f"{sender}: {account}")

    def plan_recovery(self) -> None:
        sender = self.pick_actor()
        account = self.random.choice((sender, sender, sender, sender, ALMA, SERVICE))
        promised = [each.account for each in self.list_profiles() if each.next_key]
        known = scan_records(self.chain.state, "accounts", Account, limit=ALL)
        people = [each.did for each in known if each.kind != "member"]
        if people and self.random.random() < 0.4:
            sender = account = ACTORS[self.random.choice(people)]
        if promised and self.random.random() < 0.2:
            sender = account = ACTORS[self.random.choice(promised)]
        able = [each.did for each in known if each.standing[-1].standing == "good"]
        choices = able if self.random.random() < 0.8 else [each.did for each in EVERYONE]
        if self.random.random() < 0.9:
            choices = [each for each in choices if each != account.did]
        agents = self.random.sample(choices, self.random.choice((0, 2, 3, 3)))
        message = SetRecovery(
            account=account.did,
            agents=tuple(sorted(agents)),
            threshold=min(len(agents), self.random.choice((1, 1, 2, 2, 3))),
        )
        past, results = self.act([sender], ("accounts", message))
        if results[0].code == OK:
            forbid(sender.did != account.did, "A11", f"{sender} planned for {account}")
            forbid(any(past.get(Account, each) is None for each in agents), "A11", "no such agent")
            forbid(account.did in agents, "A11", f"{account} is its own agent")

    def approve_recovery(self) -> None:
        plans = scan_records(self.chain.state, "accounts", RecoveryPlan, limit=ALL)
        waiting = scan_records(self.chain.state, "accounts", Recovery, limit=ALL)
        account, agent = self.pick_actor(), self.pick_actor()
        number = self.random.choice(KEY_NUMBERS)
        if waiting and self.random.random() < 0.6:
            chosen = self.random.choice(waiting)
            account, agent = ACTORS[chosen.account], ACTORS[self.random.choice(chosen.agents)]
            number = int(chosen.key_id.removeprefix("k"))
            if self.random.random() < 0.2:
                agent = ACTORS[chosen.approvals[0].agent]
                number = self.random.choice(KEY_NUMBERS)
        elif plans and self.random.random() < 0.9:
            plan = self.random.choice(plans)
            account, agent = ACTORS[plan.account], ACTORS[self.random.choice(plan.agents)]
        found = self.chain.get("", Account, account.did)
        if not waiting and found is not None and self.random.random() < 0.8:
            had = {key.id for key in found.keys}
            number = self.random.choice([n for n in KEY_NUMBERS if f"k{n}" not in had] or [number])
        key = make_key(name_key(account, number))
        message = ApproveRecovery(
            account=account.did,
            key_id=f"k{number}",
            key=key.public,
            possession=possess(
                key,
                found.member if found else ALMA.did,
                account=account.did,
                key_id=f"k{number}",
            ),
        )
        past, results = self.act([agent], ("accounts", message))
        if results[0].code == OK:
            planned = past.get(RecoveryPlan, account.did, app="accounts")
            forbid(planned is None or agent.did not in planned.agents, "A11", f"{agent} approved")

    def veto_recovery(self) -> None:
        waiting = scan_records(self.chain.state, "accounts", Recovery, limit=ALL)
        account = self.pick_actor()
        if waiting and self.random.random() < 0.5:
            account = ACTORS[self.random.choice(waiting).account]
        sender = self.random.choice((account, self.pick_actor()))
        _past, results = self.act([sender], ("accounts", VetoRecovery(account=account.did)))
        if results[0].code == OK:
            forbid(sender.did != account.did, "A11", f"{sender} vetoed for {account}")

    def wait_for_recovery(self) -> None:
        """As long as the owner has to veto, and cannot when it is suspended meanwhile."""
        waiting = scan_records(self.chain.state, "accounts", Recovery, limit=ALL)
        people = [e for e in waiting if e.account != e.member]
        agreed = [e for e in people if e.state == "agreed"]
        if agreed and self.random.random() < 0.5:
            chosen = self.random.choice(agreed)
            message: Message = SuspendAccount(account=chosen.account, reason="leave")
            self.act([ACTORS[chosen.member]], ("accounts", message))
        elif people and self.random.random() < 0.2:
            chosen = self.random.choice(people)
            message = CloseAccount(account=chosen.account, reason="left")
            self.act([ACTORS[chosen.member]], ("accounts", message))
        past = Past(self.chain)
        is_open = any(each.state == "open" for each in waiting)
        self.judge.observe(past, self.chain.advance(WINDOW_MS if is_open else DELAY_MS))

    def list_profiles(self) -> list[DidProfile]:
        return scan_records(self.chain.state, "accounts", DidProfile, limit=ALL)


class DidJudge(Judge):
    """What no step may do to a DID, told independently of the handlers."""

    def observe(self, past: Past, block: Any) -> None:
        """As the judge of the league, and A10 to A12."""
        results = [each for result in block.results for each in result.messages]
        events = [event for each in (*results, *block.deadlines) for event in each.events]
        bodies = [(each.type, msgspec.json.decode(bytes(each.body))) for each in events]
        completed = {
            body["account"]: body["mark"]
            for name, body in bodies
            if name == "RecoveryEnded" and body["outcome"] == "completed"
        }
        governed = any(b'"state":"EXECUTED"' in bytes(each.body) for each in events)
        self._check_recoveries(past, events, completed)
        self._check_entries(past, completed, governed=governed)
        self._check_filed(past)
        super().observe(past, block)

    def _check_recoveries(
        self, past: Past, events: list[EventOut], completed: dict[str, str]
    ) -> None:
        """A11: agreed by enough agents, waited for, and whoever vetoed was the account."""
        for event in events:
            body = msgspec.json.decode(bytes(event.body))
            if event.type == "RecoveryApproved" and body["state"] == "agreed":
                left = body["due_ms"] - self.chain.time_ms
                was = past.get(Recovery, body["account"], body["mark"], app="accounts")
                first = was is None or was.state == "open"
                forbid(first and left != DELAY_MS, "A11", f"{left} ms to veto")
            if event.type == "RecoveryEnded":
                self.reached[f"recovery {body['outcome']}"] += 1
                is_own = body["by"] == body["account"]
                forbid(body["outcome"] == "vetoed" and not is_own, "A11", body)
        for did, mark in completed.items():
            recovery = past.get(Recovery, did, mark, app="accounts")
            plan = past.get(RecoveryPlan, did, app="accounts")
            enough = recovery is not None and len(recovery.approvals) >= plan.threshold
            forbid(not enough, "A11", f"{did} was recovered by too few")
            forbid(recovery.due_ms > self.chain.time_ms, "A11", f"{did} was recovered too soon")
            account = get_account(self.chain, did)
            live = [
                key.id for key in account.keys if find_key(account, key.id, self.chain.height + 1)
            ]
            forbid(live != [recovery.key_id], "A11", f"{did} keeps {live}")
            forbid(past.get(Account, did).standing[-1].standing != "good", "A11", f"{did} is down")

    def _check_entries(self, past: Past, completed: dict[str, str], *, governed: bool) -> None:
        """A10: while a promise stands only its key enters, and the account says nothing else of
        who may speak for it."""
        for profile in past.list_all(DidProfile, "accounts"):
            before = past.get(Account, profile.account)
            account = get_account(self.chain, profile.account)
            if not profile.next_key or governed or profile.account in completed:
                continue
            had = {compute_key_digest(key.public) for key in before.keys}
            new = {compute_key_digest(key.public) for key in account.keys} - had
            forbid(not new <= {profile.next_key}, "A10", f"a key entered {account.did}")
            said = self.chain.get("accounts", DidProfile, account.did)
            changed = said is None or said.next_key != profile.next_key
            closed = account.standing[-1].standing == "closed"
            forbid(changed and not new and not closed, "A10", f"{account.did} promised anew")
            boxes = set(said.agreements if said is not None else ())
            forbid(not boxes <= set(profile.agreements), "A10", f"{account.did} has a new box")
            plan = past.get(RecoveryPlan, account.did, app="accounts")
            now = self.chain.get("accounts", RecoveryPlan, account.did)
            forbid(plan != now, "A10", f"the plan of {account.did} changed")
            signing = [
                key.id
                for key in account.keys
                if "sign" in key.purposes and find_key(account, key.id, self.chain.height + 1)
            ]
            forbid(bool(new) and len(signing) != 1, "A10", f"{account.did} signs with {signing}")

    def _check_filed(self, past: Past) -> None:
        """A12: what was filed stays as it was."""
        for filed in past.list_all(PastProfile, "accounts"):
            now = self.chain.get("accounts", PastProfile, *filed.key())
            forbid(now != filed, "A12", f"version {filed.version} of {filed.account}")
