"""Rounds of the simulated consensus: who proposes, who votes, when a block is decided.

Each step is an act of one node, carried by the links. `Whims` is what the plan does to rounds.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from hansa.comet.commit import CommitSig
from hansa.comet.validators import compute_address, compute_total_power
from hansa.ledger.blocks import Misbehaviour
from hansa.testing.simulation import checkers
from hansa.testing.simulation.consensus import DecidedBlock, Proposal, Votes, is_decided
from hansa.testing.simulation.network import Stage
from hansa.testing.simulation.node import SimulatedNode
from hansa.testing.simulation.plan import BLOCK_MS

# How long a round is waited for, and how much longer each further one.
ROUND_MS: Final = 300
ROUND_MORE_MS: Final = 100
# From a decided block to the next round (with the round itself about BLOCK_MS).
PAUSE_MS: Final = BLOCK_MS - 60
TOO_MANY: Final = 5_001


class Whims(msgspec.Struct):
    """What the plan does to rounds: so many fail; these nodes vote nil, or not at all; these
    propose what no honest node would (`bad`), or what another honest node might (`foreign`).
    `spent`: transactions that together pass a quota.
    """

    failing: int = 0
    nil: set[int] = msgspec.field(default_factory=set)
    absent: set[int] = msgspec.field(default_factory=set)
    bad: dict[int, str] = msgspec.field(default_factory=dict)
    foreign: dict[int, str] = msgspec.field(default_factory=dict)
    evidence: list[Misbehaviour] = msgspec.field(default_factory=list)
    spent: list[bytes] = msgspec.field(default_factory=list)

    def clear(self) -> None:
        """No whims any more; what was spent is still known."""
        self.failing = 0
        for each in (self.nil, self.absent, self.bad, self.foreign, self.evidence):
            each.clear()


class Rounds:
    """One round after the other, until `stop`."""

    def __init__(self, stage: Stage, nodes: Sequence[SimulatedNode]) -> None:
        self.whims = Whims()
        self._stage, self._nodes = stage, nodes
        self._round, self._token = 0, 0
        self._votes: Votes = {}
        self._stopped = False

    def begin(self) -> None:
        """The first round of the next height."""
        self._round = 0
        self._start_round()

    def stop(self) -> None:
        """No further round; what is decided is still carried about."""
        self._stopped, self._token = True, self._token + 1

    def _start_round(self) -> None:
        if self._stopped:
            return
        stage, number = self._stage, self._round
        self._token += 1
        self._votes = {}
        stage.events.after(ROUND_MS + number * ROUND_MORE_MS, partial(self._end_round, self._token))
        if self.whims.failing:
            self.whims.failing -= 1
            return
        height = stage.consensus.height + 1
        if not stage.consensus.knows_validators(height + 1):
            return  # nobody whose word counts has executed the last block yet
        voters = stage.consensus.validators(height)
        proposer = voters[(height + number) % len(voters)]
        node = next((n for n in self._nodes if n.public_key == proposer.public_key), None)
        if node is not None and node.is_ready:
            node.act(partial(self._propose, node, proposer.address))

    def _end_round(self, token: int) -> None:
        if token == self._token:
            self._round += 1
            self._start_round()

    def _propose(self, node: SimulatedNode, address: bytes) -> None:
        """The node's own choice, or what the plan makes of it, told to all."""
        stage, engine = self._stage, node.engine
        assert engine is not None
        stage.consensus.settle_commit()
        chosen = engine.prepare(stage.consensus.next_time_ns())
        transactions, is_honest = self._twist(node, chosen)
        evidence, self.whims.evidence = tuple(self.whims.evidence), []
        proposal = stage.consensus.build_proposal(
            node.name,
            address,
            self._round,
            transactions,
            engine.state,
            evidence,
            honest=is_honest,
        )
        what = f"proposal {proposal.height}/{proposal.round}"
        stage.note("propose", node.name, proposal.height, proposal.round, len(transactions))
        for other in self._nodes:
            hear = partial(self._judge, other, proposal, self._token)
            stage.links.deliver(node.number, other.number, what, hear)

    def _twist(self, node: SimulatedNode, chosen: list[bytes]) -> tuple[list[bytes], bool]:
        """What is proposed, and whether an honest node might have."""
        foreign = self.whims.foreign.pop(node.number, "")
        if foreign:
            self._stage.tally["foreign_proposal"] += 1
        if foreign == "empty":
            chosen = []
        elif foreign == "part":
            chosen = chosen[::2]
        elif foreign == "reversed":
            chosen = chosen[::-1]
        bad = self.whims.bad.pop(node.number, "")
        if not bad:
            return chosen, True
        self._stage.tally["bad_proposal"] += 1
        return self._spoil(bad, chosen), False

    def _spoil(self, bad: str, chosen: list[bytes]) -> list[bytes]:
        """What no honest node proposes."""
        past = self._find_past()
        spent = [each for each in self.whims.spent if each not in chosen]
        made = {
            "double": [*chosen, *chosen[:1]],
            "spoilt": [*chosen[1:], *(each[:-8] + b'AAAA"}]}' for each in chosen[:1])],
            "too_many": chosen[:1] * TOO_MANY,
            "past": [*chosen, past] if past else chosen,
            "spent": [*chosen, *spent],
        }.get(bad, chosen)
        return made if made != chosen else [*chosen, b"no transaction"]

    def _find_past(self) -> bytes:
        """A transaction that is in a block already."""
        consensus = self._stage.consensus
        for height in range(consensus.height, max(0, consensus.height - 10), -1):
            for data in consensus.decided(height).proposal.transactions:
                return data
        return b""

    def _judge(self, node: SimulatedNode, proposal: Proposal, token: int) -> None:
        if token == self._token and node.is_ready:
            node.act(partial(self._process, node, proposal))

    def _process(self, node: SimulatedNode, proposal: Proposal) -> None:
        """One node's verdict, and its vote when it has one."""
        stage, engine = self._stage, node.engine
        assert engine is not None
        if not engine.follows(proposal):
            return
        accepted = engine.process(proposal)
        stage.note("judge", node.name, proposal.height, proposal.round, accepted)
        stage.tell(
            checkers.Judged(
                node.name,
                proposal.height,
                proposal.proposer,
                proposal.round,
                accepted,
                proposal.honest,
            )
        )
        key = node.public_key
        voters = stage.consensus.validators(proposal.height)
        if node.number in self.whims.absent or all(each.public_key != key for each in voters):
            return
        is_nil = not accepted or node.number in self.whims.nil
        vote = stage.consensus.vote(proposal, key, stage.clock.wall_ms(node.number), nil=is_nil)
        what = f"vote {proposal.height}/{proposal.round}"
        count = partial(self._count, vote, proposal, self._token)
        stage.links.deliver(node.number, int(proposal.proposer), what, count)

    def _count(self, vote: CommitSig, proposal: Proposal, token: int) -> None:
        """A vote has come; late ones still enter the last block's commit."""
        consensus = self._stage.consensus
        if consensus.height >= proposal.height:
            last = consensus.decided(proposal.height)
            if last.final is None and last.proposal is proposal:
                last.votes[vote.address] = vote
            return
        if token != self._token:
            return
        self._votes[vote.address] = vote
        if is_decided(consensus.validators(proposal.height), self._votes):
            self._decide(proposal)

    def _decide(self, proposal: Proposal) -> None:
        stage = self._stage
        block = stage.consensus.decide(proposal, self._votes)
        self._token += 1
        header = proposal.header.hash().hex()
        stage.note("decide", "", block.height, proposal.round, header)
        stage.tell(checkers.Decided(block.height))
        for node in self._nodes:
            hear = partial(node.receive, block)
            stage.links.deliver(int(proposal.proposer), node.number, f"block {block.height}", hear)
        stage.events.after(PAUSE_MS, self.begin)


def accuse(public_key: bytes, block: DecidedBlock) -> Misbehaviour:
    """Evidence that the validator with this key voted twice on a block."""
    power = next(each.power for each in block.validators if each.public_key == public_key)
    return Misbehaviour(
        kind="duplicate_vote",
        address=compute_address(public_key),
        power=power,
        height=block.height,
        time_ms=block.header.time.ms,
        total_power=compute_total_power(block.validators),
    )
