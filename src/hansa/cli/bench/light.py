"""One transaction at a time on an idle network: how long until it is applied, and where that goes.

The same for every network: talks to the engines' RPC sockets only.
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from hansa.cli.bench.load import STILL_S, Chain, Door, Seen, Stalled
from hansa.comet.commit import COMMIT
from hansa.comet.rpc import RpcClient

# How often the chain is looked at.
LIGHT_POLL_S: Final = 0.002
IDLE_POLL_S: Final = 0.02
# After the network has come to rest: longer and shorter, so that no timer beats in step with us.
REST_S: Final = 0.1
# CometBFT's steps of a round: it waits for transactions in the first, has judged a proposal in the
# second.
NEW_ROUND, PREVOTE = 2, 4
# Parts of the time, one after the other.
DOOR, PROPOSE, VOTE, APPLY = "door", "propose", "vote", "apply"
PARTS: Final = (DOOR, PROPOSE, VOTE, APPLY)
_NANO: Final = 1e9


class Committed(NamedTuple):
    """Seconds from sending to the applied block at that node, and its parts.

    `door`: until the node has taken it; `propose`: until its engine votes on a proposal (gossip,
    PrepareProposal, ProcessProposal); `vote`: until more than two thirds have signed a precommit;
    `apply`: until the block is applied here (their way, FinalizeBlock, Commit).
    """

    seconds: float
    parts: dict[str, float]


def commit_one(chain: "LightChain", door: Door, transaction: bytes) -> Committed:
    """Send one and wait until its block is applied at that node. Raises Stalled."""
    chain.follow()
    began_ns = time.time_ns()
    begin = time.monotonic()
    (answer,) = door.give([transaction])
    taken = time.monotonic()
    if not answer.taken:
        raise Stalled(f"refused: {answer.code} {answer.log}{answer.error}")
    # When the vote on each height was first seen.
    voted: dict[int, float] = {}
    while time.monotonic() < begin + STILL_S:
        time.sleep(LIGHT_POLL_S)
        state = chain.look()
        if state.step >= PREVOTE:
            voted.setdefault(state.height, time.monotonic())
        if state.height - 1 <= chain.height:
            continue
        for seen in chain.follow():
            if seen.transactions:
                signed = begin + (chain.read_signed_ns(seen.height) - began_ns) / _NANO
                return divide_time(begin, taken, voted.get(seen.height, signed), signed, seen)
    raise Stalled("a transaction was taken and not committed")


def divide_time(begin: float, taken: float, voted: float, signed: float, seen: Seen) -> Committed:
    """Cut the time at these moments; each is within what its neighbours leave."""
    signed = min(max(signed, taken), seen.at)
    voted = min(max(voted, taken), signed)
    moments = (begin, taken, voted, signed, seen.at)
    lengths = (b - a for a, b in pairwise(moments))
    return Committed(seen.at - begin, dict(zip(PARTS, lengths, strict=True)))


def find_deciding_ns(times: Sequence[int]) -> int:
    """When more than two thirds of equal voters had signed; of fewer signatures, the last."""
    ordered = sorted(times)
    return ordered[min(2 * len(ordered) // 3, len(ordered) - 1)]


class LightChain(Chain):
    """A chain that also says how its votes go."""

    def __init__(self, client: RpcClient) -> None:
        super().__init__(client)
        self._rpc = client

    def read_signed_ns(self, height: int) -> int:
        """When the block of `height` had its votes: nanoseconds since 1970, by their own words."""
        _header, commit = self._rpc.signed_header(height)
        times = [each.time for each in commit.signatures if each.flag == COMMIT]
        return find_deciding_ns([each.seconds * 1_000_000_000 + each.nanos for each in times])

    def rest(self, height: int, number: int) -> None:
        """Wait until the block of `height` is applied here and the engine waits for transactions,
        and a little longer.
        """
        end = time.monotonic() + STILL_S
        while time.monotonic() < end:
            state = self.look()
            if state.height > height and state.step == NEW_ROUND:
                break
            time.sleep(IDLE_POLL_S)
        time.sleep(REST_S * (0.5 + (number * 7 % 10) / 10))


def run_light(clients: Sequence[RpcClient], transactions: Sequence[bytes]) -> list[Committed]:
    """One transaction at a time, at each node in turn. All nodes are at rest afterwards."""
    chains = [LightChain(client) for client in clients]
    found, height = [], 0
    for number, transaction in enumerate(transactions):
        chain = chains[number % len(chains)]
        chain.rest(height, number)
        found.append(commit_one(chain, clients[number % len(clients)], transaction))
        height = chain.height
    for chain in chains:
        chain.rest(height, 0)
    return found
