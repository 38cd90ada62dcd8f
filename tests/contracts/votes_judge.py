"""The judge of the validator set: what no block may do, told independently of the handlers.

It keeps its own count of who was seen to vote, its own memory of keys, and the set as CometBFT
would keep it.
"""

from collections import Counter
from typing import Any

import msgspec

from hansa.ledger.blocks import Misbehaviour
from hansa.ledger.receipts import OK
from hansa.ledger.state import scan_records
from hansa.ledger.system import Evidence, Liveness, Node, Parameter, Validator
from hansa.testing.chain import Chain
from tests.contracts.judge import Violation, forbid
from tests.contracts.league import find_violations
from tests.contracts.votes import APP, EngineSet, list_powers

ALL = 1_000


class Act(msgspec.Struct, frozen=True):
    """What a turn tried: its kind, who signed it, and whether something in it was forged."""

    kind: str
    sender: str = ""
    forged: bool = False


class Sight(msgspec.Struct, frozen=True):
    """Validators, nodes and evidence of one state."""

    validators: dict[str, Validator]
    nodes: dict[str, Node]
    evidence: dict[tuple[str, ...], Evidence]


def look(chain: Chain) -> Sight:
    """What the state says now."""
    state = chain.state
    return Sight(
        validators={each.address: each for each in scan_records(state, APP, Validator, limit=ALL)},
        nodes={each.id: each for each in scan_records(state, APP, Node, limit=ALL)},
        evidence={each.key(): each for each in scan_records(state, APP, Evidence, limit=ALL)},
    )


def get_parameter(chain: Chain, name: str, default: int) -> int:
    """A parameter of the contract."""
    found = chain.get("", Parameter, APP, name)
    return default if found is None else found.value


def list_voting_nodes(sight: Sight, member: str) -> list[Node]:
    """The member's nodes that vote."""
    nodes = sight.nodes.values()
    return [node for node in nodes if node.member == member and node.kind == "validator"]


class VoteJudge:
    """Watches every block of one chain, and remembers what was reached."""

    def __init__(self, chain: Chain, reached: Counter[str]) -> None:
        self.chain = chain
        self.reached = reached
        self.engine = EngineSet(chain)
        self.seen: dict[str, int] = {}
        self.before = look(chain)
        self.owners = {each.address: each.member for each in self.before.validators.values()}
        self.replaced: set[str] = set()
        self.live_ms = 120_000
        self.suspends = True

    def observe(self, act: Act) -> None:
        """Judge the last block. Raises Violation."""
        after = look(self.chain)
        events = self._note()
        executed = any(body.get("state") == "EXECUTED" for _type, body in events)
        self._see(after)
        self._judge_quorum(after)
        self._judge_engine()
        self._judge_keys(after, events, act.forged and executed)
        self._judge_steps(after, act, executed)
        self._judge_evidence(after)
        self._judge_nodes(after, events)
        violations = find_violations(self.chain.state)
        if violations:
            rule, _colon, text = violations[0].partition(": ")
            raise Violation(rule, text)
        self.before = after
        self.live_ms = get_parameter(self.chain, "live_ms", 120_000)
        self.suspends = bool(get_parameter(self.chain, "suspend_double_signers", 1))

    def _is_accepted(self) -> bool:
        results = self.chain.results[-1].results
        return bool(results) and results[0].messages[0].code == OK

    def _note(self) -> list[tuple[str, dict[str, Any]]]:
        """Count what was reached; the block's events by type, with their bodies."""
        block = self.chain.results[-1]
        results = [*(each for one in block.results for each in one.messages), *block.deadlines]
        events = []
        for result in results:
            forbid(result.code == "ledger.contract_fault", "FAULT", result)
            word = f"message {result.type}" if result.code == OK else f"code {result.code}"
            self.reached[word] += 1
            for event in result.events:
                body = msgspec.json.decode(bytes(event.body))
                events.append((event.type, body))
                self.reached[f"event {event.app}.{event.type}"] += 1
                if event.type == "ProposalClosed" and body["code"]:
                    self.reached[f"code {body['code']}"] += 1
                if event.type == "MisbehaviourRecorded":
                    self.reached[f"outcome {body['outcome']}"] += 1
                    self.reached[f"evidence {body['kind']}"] += 1
        return events

    def _see(self, after: Sight) -> None:
        """V8: the ledger's memory of who voted is the judge's."""
        block, result = self.chain.blocks[-1], self.chain.results[-1]
        if result.results or result.deadlines:
            for address in block.signers:
                if address.hex() in self.before.validators:
                    self.seen[address.hex()] = block.time_ms
        for address in set(self.seen) - set(after.validators):
            if address in self.before.validators:
                del self.seen[address]
        found = self.chain.get("", Liveness, "validators")
        signed = {each.address: each.time_ms for each in found.signed} if found else {}
        forbid(signed != self.seen, "V8", f"{signed} is not {self.seen}")

    def _measure(self, validators: list[Validator]) -> tuple[int, int]:
        """Power of those seen lately, and of all."""
        now_ms = self.chain.blocks[-1].time_ms
        active = [each for each in validators if each.state == "active"]
        return sum(
            each.power
            for each in active
            if now_ms - self.seen.get(each.address, -(10**12)) <= self.live_ms
        ), sum(each.power for each in active)

    def _judge_quorum(self, after: Sight) -> None:
        """V3: a change never leaves the set to those who do not vote."""
        powers = [
            {
                each.address: each.power
                for each in sight.validators.values()
                if each.state == "active"
            }
            for sight in (self.before, after)
        ]
        live, total = self._measure(list(after.validators.values()))
        forbid(powers[0] != powers[1] and 3 * live <= 2 * total, "V3", f"{live} of {total} vote")

    def _judge_engine(self) -> None:
        """The updates, folded over time by CometBFT's rules, give the set in state."""
        try:
            self.engine.take(self.chain)
        except AssertionError as error:
            raise Violation("ENGINE", str(error)) from error
        forbid(self.engine.powers != list_powers(self.chain), "ENGINE", "another set than in state")

    def _judge_keys(
        self, after: Sight, events: list[tuple[str, dict[str, Any]]], forged: bool
    ) -> None:
        """V1: no forged key, none of two members, none that was replaced."""
        forbid(forged, "V1", "a key entered without its own signature")
        for address, validator in after.validators.items():
            owner = self.owners.setdefault(address, validator.member)
            forbid(owner != validator.member, "V1", f"{address} votes for two members")
            if address not in self.before.validators:
                forbid(address in self.replaced, "V1", f"{address} is back")
        self.replaced |= {body["old"] for name, body in events if name == "ValidatorKeyReplaced"}

    def _judge_steps(self, after: Sight, act: Act, executed: bool) -> None:
        """V4, V6, V7: who may take which step."""
        old_ones, new_ones = self.before.validators, after.validators
        for address in {*old_ones, *new_ones}:
            old, new = old_ones.get(address), new_ones.get(address)
            if new is not None:
                self.reached[f"validator {new.state}"] += 1
            if old == new:
                continue
            is_own = old is not None and act.sender == old.member and self._is_accepted()
            if old is None:
                forbid(not executed, "V4", f"{address} entered")
            elif new is None:
                forbid(not (executed or (act.kind == "resign" and is_own)), "V4", f"{address} left")
            elif (old.state, new.state) == ("candidate", "active"):
                forbid(not (act.kind == "activate" and is_own), "V4", f"{address} votes")
                voting = list_voting_nodes(after, new.member)
                forbid(not voting, "V7", f"{address} votes without a node")
            elif (old.state, new.state) == ("active", "suspended"):
                forbid(not self.chain.blocks[-1].misbehaviours, "V6", f"{address} is suspended")
            else:
                forbid(not executed, "V4", f"{address} changed")

    def _judge_evidence(self, after: Sight) -> None:
        """V6: evidence stays as it is; it suspends whom it can."""
        for key, evidence in self.before.evidence.items():
            forbid(after.evidence.get(key) != evidence, "V6", f"{key} changed")
        misbehaviours = self.chain.blocks[-1].misbehaviours
        if len(misbehaviours) == 1 and not self.chain.blocks[-1].transactions:
            self._judge_suspension(after, misbehaviours[0])

    def _judge_suspension(self, after: Sight, misbehaviour: Misbehaviour) -> None:
        address = misbehaviour.address.hex()
        key = (address, f"{misbehaviour.height:012d}", misbehaviour.kind)
        forbid(key not in after.evidence, "V6", f"{key} is not recorded")
        old, new = self.before.validators.get(address), after.validators.get(address)
        if old is None or old.state != "active" or key in self.before.evidence:
            forbid(old != new, "V6", f"{address} changed")
            return
        others = [each for each in self.before.validators.values() if each != old]
        live, total = self._measure(others)
        expected = self.suspends and 3 * live > 2 * total
        is_suspended = new is not None and new.state == "suspended"
        forbid(is_suspended != expected, "V6", f"{address}: {live} of {total} would vote")

    def _judge_nodes(self, after: Sight, events: list[tuple[str, dict[str, Any]]]) -> None:
        """V7: a node changes its member only when it is removed; an active validator keeps one."""
        removed = {body["node"] for name, body in events if name == "NodeRemoved"}
        for name, node in self.before.nodes.items():
            changed = after.nodes.get(name) != node
            forbid(changed and name not in removed, "V7", f"{name} changed")
        for validator in after.validators.values():
            had = list_voting_nodes(self.before, validator.member)
            if validator.state == "active" and had:
                has = list_voting_nodes(after, validator.member)
                forbid(not has, "V7", f"{validator.address} lost its last node")
