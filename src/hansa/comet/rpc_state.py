"""What the engine says of itself: where it is, whom it is connected to, how the vote goes. Pure.

Source: CometBFT v0.39.4 rpc/core/status.go, net.go, consensus.go, libs/bits/bit_array.go.
"""

from typing import NamedTuple

import msgspec

from hansa.comet.rpc_json import parse_time
from hansa.comet.wire import Timestamp


class Status(NamedTuple):
    """Where the engine is. `height` 0: no block yet."""

    node_id: str
    chain: str
    height: int
    earliest: int
    block_hash: bytes
    app_hash: bytes
    time: Timestamp
    catching_up: bool
    address: bytes
    power: int


class Peer(NamedTuple):
    """One connected node. `address` is where it can be dialled, `host:port`."""

    node_id: str
    moniker: str
    address: str
    outbound: bool


class ConsensusState(NamedTuple):
    """The vote that goes on. `prevotes`, `precommits`: who voted in this round, in set order."""

    height: int
    round: int
    step: int
    prevotes: tuple[bool, ...]
    precommits: tuple[bool, ...]


class _SyncInfo(msgspec.Struct):
    latest_block_hash: str
    latest_app_hash: str
    latest_block_height: str
    latest_block_time: str
    earliest_block_height: str
    catching_up: bool


class _ValidatorInfo(msgspec.Struct):
    address: str
    voting_power: str


class _NodeInfo(msgspec.Struct):
    id: str
    network: str
    moniker: str
    listen_addr: str


class _StatusResult(msgspec.Struct):
    node_info: _NodeInfo
    sync_info: _SyncInfo
    validator_info: _ValidatorInfo


class _PeerResult(msgspec.Struct):
    node_info: _NodeInfo
    is_outbound: bool
    remote_ip: str


class _NetInfoResult(msgspec.Struct):
    peers: list[_PeerResult]


class _VoteSet(msgspec.Struct):
    round: int
    prevotes_bit_array: str
    precommits_bit_array: str


class _RoundState(msgspec.Struct):
    where: str = msgspec.field(name="height/round/step")
    height_vote_set: list[_VoteSet]


class _ConsensusResult(msgspec.Struct):
    round_state: _RoundState


def parse_status(data: bytes) -> Status:
    """The result of `status`. Raises ValueError or MsgspecError, as the two below."""
    result = msgspec.json.decode(data, type=_StatusResult)
    sync, validator = result.sync_info, result.validator_info
    return Status(
        node_id=result.node_info.id,
        chain=result.node_info.network,
        height=int(sync.latest_block_height),
        earliest=int(sync.earliest_block_height),
        block_hash=bytes.fromhex(sync.latest_block_hash),
        app_hash=bytes.fromhex(sync.latest_app_hash),
        time=parse_time(sync.latest_block_time),
        catching_up=sync.catching_up,
        address=bytes.fromhex(validator.address),
        power=int(validator.voting_power),
    )


def parse_peers(data: bytes) -> tuple[Peer, ...]:
    """The result of `net_info`, sorted by id."""
    result = msgspec.json.decode(data, type=_NetInfoResult)
    return tuple(sorted(_convert_peer(peer) for peer in result.peers))


def parse_consensus_state(data: bytes) -> ConsensusState:
    """The result of `consensus_state`: the votes of the round that goes on."""
    result = msgspec.json.decode(data, type=_ConsensusResult).round_state
    height, round_, step = (int(part) for part in result.where.split("/"))
    for votes in result.height_vote_set:
        if votes.round == round_:
            prevotes = parse_bits(votes.prevotes_bit_array)
            precommits = parse_bits(votes.precommits_bit_array)
            return ConsensusState(height, round_, step, prevotes, precommits)
    return ConsensusState(height, round_, step, (), ())


def _convert_peer(peer: _PeerResult) -> Peer:
    port = peer.node_info.listen_addr.rpartition(":")[2]
    host = f"[{peer.remote_ip}]" if ":" in peer.remote_ip else peer.remote_ip
    return Peer(peer.node_info.id, peer.node_info.moniker, f"{host}:{port}", peer.is_outbound)


def parse_bits(text: str) -> tuple[bool, ...]:
    """`BA{4:xx_x} 30/40 = 0.75` to who voted."""
    bits = text.partition(":")[2].partition("}")[0]
    return tuple(bit == "x" for bit in bits if bit in "x_")
