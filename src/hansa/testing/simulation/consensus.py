"""The consensus of a simulated league: what was decided, by whose votes, and what each header says.

The engines' common books, kept from their own side: real headers, real Ed25519 votes of every
validator, block times by the voters' clocks. One history by construction: whether nodes agree with
it is what is tested. Pure but for the keys that it holds.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

import msgspec

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci import validator_pb2
from hansa.comet.block import compute_block_id, compute_data_hash
from hansa.comet.commit import (
    ABSENT,
    COMMIT,
    EMPTY_COMMIT,
    NIL,
    NO_BLOCK,
    Commit,
    CommitSig,
    encode_vote_sign_bytes,
)
from hansa.comet.header import BlockID, Header, Version
from hansa.comet.validators import ValidatorSet, compute_total_power, compute_validators_hash
from hansa.comet.wire import Timestamp
from hansa.crypto.keys import PrivateKey
from hansa.crypto.merkle import EMPTY_ROOT, merkle_root
from hansa.ledger.blocks import Block, Misbehaviour, ValidatorUpdate
from hansa.ledger.genesis import Genesis
from hansa.node.sealer import (
    APPLICATION_PROTOCOL,
    CONSENSUS_HASH,
    apply_updates,
    build_validators,
)
from hansa.testing.simulation.plan import chance

_MS: Final = 1_000_000
Votes = dict[bytes, CommitSig]


class Executed(msgspec.Struct, frozen=True):
    """What an engine keeps of a block's execution: for the next header, and for the sets."""

    app_hash: bytes
    results_hash: bytes
    updates: tuple[ValidatorUpdate, ...] = ()


class EngineBooks(msgspec.Struct):
    """What an engine has on its disk. Blocks from `base` to `stored`; its own state is of `height`,
    which is `stored` or one less; `executed`: the answers to FinalizeBlock, by height.
    """

    base: int = 1
    stored: int = 0
    height: int = 0
    executed: dict[int, Executed] = {}

    def copy(self) -> "EngineBooks":
        """As of now."""
        return EngineBooks(self.base, self.stored, self.height, dict(self.executed))


class Proposal(msgspec.Struct, frozen=True):
    """A block that is voted on. `honest`: an honest node prepared just these transactions."""

    proposer: str
    round: int
    header: Header
    block_id: BlockID
    last_commit: Commit
    transactions: tuple[bytes, ...]
    misbehaviours: tuple[Misbehaviour, ...] = ()
    honest: bool = True

    @property
    def height(self) -> int:
        """Of the block."""
        return self.header.height

    def describe_misbehaviours(self) -> list[abci.Misbehavior]:
        """The evidence as the engine tells it."""
        return [encode_misbehaviour(each) for each in self.misbehaviours]


class DecidedBlock:
    """A decided block. More votes may still come, until the next block names its commit."""

    def __init__(
        self, proposal: Proposal, sets: tuple[ValidatorSet, ValidatorSet], votes: Votes
    ) -> None:
        """`sets`: who voted on the block before, and on this one."""
        self.proposal, self.votes = proposal, votes
        self.validators_before, self.validators = sets
        self.final: Commit | None = None

    @property
    def height(self) -> int:
        """Of the block."""
        return self.proposal.height

    @property
    def header(self) -> Header:
        """Its header."""
        return self.proposal.header

    @property
    def commit(self) -> Commit:
        """The commit that the next header names; while there is none, of the votes that came."""
        return self.final or self.build_commit(self.votes)

    @property
    def block(self) -> Block:
        """The block as the ledger is to execute it."""
        proposal = self.proposal
        signed = zip(proposal.last_commit.signatures, self.validators_before, strict=True)
        return Block(
            chain=proposal.header.chain_id,
            height=proposal.height,
            time_ms=proposal.header.time.ms,
            hash=proposal.header.hash(),
            transactions=proposal.transactions,
            signers=tuple(each.address for vote, each in signed if vote.flag == COMMIT),
            misbehaviours=proposal.misbehaviours,
        )

    @cached_property
    def request(self) -> abci.RequestFinalizeBlock:
        """The block as the engine has the application execute it. For reading only."""
        proposal = self.proposal
        signed = zip(proposal.last_commit.signatures, self.validators_before, strict=True)
        votes = [
            abci.VoteInfo(
                validator=abci.Validator(address=each.address, power=each.power),
                block_id_flag=validator_pb2.BlockIDFlag.Name(vote.flag),
            )
            for vote, each in signed
        ]
        request = abci.RequestFinalizeBlock(
            txs=proposal.transactions,
            decided_last_commit=abci.CommitInfo(round=proposal.last_commit.round, votes=votes),
            misbehavior=proposal.describe_misbehaviours(),
            hash=proposal.header.hash(),
            height=proposal.height,
            next_validators_hash=proposal.header.next_validators_hash,
            proposer_address=proposal.header.proposer_address,
        )
        request.time.FromNanoseconds(proposal.header.time.ns)
        return request

    def build_commit(self, votes: Votes) -> Commit:
        """A commit of these votes."""
        absent = CommitSig(ABSENT)
        signatures = tuple(votes.get(each.address, absent) for each in self.validators)
        return Commit(self.height, self.proposal.round, self.proposal.block_id, signatures)

    def build_seen_commit(self, seed: int, node: str) -> Commit:
        """What one node saw first: votes that decide, now and then fewer than came in the end."""
        votes, commit = dict(self.votes), self.commit
        if self.final is not None:
            votes = {each.address: each for each in commit.signatures if each.flag != ABSENT}
        for address in sorted(votes):
            fewer = {key: vote for key, vote in votes.items() if key != address}
            if chance(seed, "unseen", self.height, node, address.hex()) % 4 == 0:
                votes = fewer if is_decided(self.validators, fewer) else votes
        return self.build_commit(votes)


def is_decided(validators: ValidatorSet, votes: Votes) -> bool:
    """Whether more than two thirds of the power voted for the block."""
    signed = sum(
        each.power
        for each in validators
        if (vote := votes.get(each.address)) is not None and vote.flag == COMMIT
    )
    return 3 * signed > 2 * compute_total_power(validators)


class SimulatedConsensus:
    """The books of one chain."""

    def __init__(self, genesis: Genesis, keys: Iterable[PrivateKey], seed: int) -> None:
        """`keys`: of all who may ever vote."""
        self.chain, self.seed = genesis.chain, seed
        self._genesis_ns = genesis.time_ms * _MS
        self._keys = {each.public.raw: each for each in keys}
        self.blocks: list[DecidedBlock] = []
        first = build_validators(genesis)
        self._sets: dict[int, ValidatorSet] = {1: first, 2: first}

    @property
    def height(self) -> int:
        """Of the last decided block."""
        return len(self.blocks)

    def decided(self, height: int) -> DecidedBlock:
        """The block at `height`, from 1."""
        return self.blocks[height - 1]

    def validators(self, height: int) -> ValidatorSet:
        """Who votes on the block at `height`: known up to two above the last executed one."""
        return self._sets[height]

    def knows_validators(self, height: int) -> bool:
        """Whether it is settled who votes on the block at `height`."""
        return height in self._sets

    def note_executed(self, height: int, executed: Executed) -> None:
        """A node has executed the block: the first to say so makes the set of two heights later.

        Whether the others say the same is the checkers' question; the next header asks it too.
        """
        if height + 2 not in self._sets:
            self._sets[height + 2] = apply_updates(self._sets[height + 1], executed.updates)

    def settle_commit(self) -> Commit:
        """The commit that the next block names: from now on no vote is added."""
        if not self.blocks:
            return EMPTY_COMMIT
        last = self.blocks[-1]
        last.final = last.commit
        return last.final

    def build_proposal(
        self,
        proposer: str,
        address: bytes,
        round_: int,
        transactions: Sequence[bytes],
        before: Executed,
        misbehaviours: tuple[Misbehaviour, ...] = (),
        *,
        honest: bool,
    ) -> Proposal:
        """The next block as a proposer puts it together, whose state is `before`."""
        height, last_commit = self.height + 1, self.settle_commit()
        evidence = [encode_misbehaviour(each).SerializeToString() for each in misbehaviours]
        header = Header(
            version=Version(app=APPLICATION_PROTOCOL),
            chain_id=self.chain,
            height=height,
            time=Timestamp.from_ns(self.next_time_ns()),
            last_block_id=last_commit.block_id if height > 1 else NO_BLOCK,
            last_commit_hash=last_commit.hash(),
            data_hash=compute_data_hash(transactions),
            validators_hash=compute_validators_hash(self.validators(height)),
            next_validators_hash=compute_validators_hash(self.validators(height + 1)),
            consensus_hash=CONSENSUS_HASH,
            app_hash=before.app_hash,
            last_results_hash=before.results_hash,
            evidence_hash=merkle_root(evidence) if evidence else EMPTY_ROOT,
            proposer_address=address,
        )
        block_id = compute_block_id(header, tuple(transactions), last_commit)
        return Proposal(
            proposer,
            round_,
            header,
            block_id,
            last_commit,
            tuple(transactions),
            misbehaviours,
            honest,
        )

    def next_time_ns(self) -> int:
        """BFT time: the weighted median of the times of the last commit (state.MedianTime)."""
        if not self.blocks:
            return self._genesis_ns
        last = self.blocks[-1]
        signed = zip(last.commit.signatures, last.validators, strict=True)
        times = sorted((vote.time.ns, each.power) for vote, each in signed if vote.flag != ABSENT)
        rest = sum(power for _ns, power in times) // 2
        for ns, power in times:
            if rest <= power:
                return ns
            rest -= power
        raise AssertionError("a commit has votes")

    def vote(self, proposal: Proposal, public_key: bytes, wall_ms: int, *, nil: bool) -> CommitSig:
        """A validator's precommit, at its own clock's time but after the block's (voteTime)."""
        key, height = self._keys[public_key], proposal.height
        address = next(
            each.address for each in self.validators(height) if each.public_key == public_key
        )
        nanos = chance(self.seed, "nanos", height, proposal.round, address.hex()) % _MS
        time = Timestamp.from_ns(max(wall_ms * _MS + nanos, proposal.header.time.ns + _MS))
        signed = encode_vote_sign_bytes(
            self.chain,
            height=height,
            round_=proposal.round,
            block_id=NO_BLOCK if nil else proposal.block_id,
            time=time,
        )
        return CommitSig(NIL if nil else COMMIT, address, time, key.sign(signed))

    def decide(self, proposal: Proposal, votes: Votes) -> DecidedBlock:
        """More than two thirds voted for it: it is the next block, for ever."""
        before = self.blocks[-1].validators if self.blocks else ()
        block = DecidedBlock(proposal, (before, self.validators(proposal.height)), votes)
        self.blocks.append(block)
        return block


def encode_misbehaviour(each: Misbehaviour) -> abci.Misbehavior:
    """As the engine tells it to the application."""
    kind = abci.DUPLICATE_VOTE if each.kind == "duplicate_vote" else abci.LIGHT_CLIENT_ATTACK
    found = abci.Misbehavior(
        type=kind,
        validator=abci.Validator(address=each.address, power=each.power),
        height=each.height,
        total_voting_power=each.total_power,
    )
    found.time.FromMilliseconds(each.time_ms)
    return found
