"""Two votes of one validator for two blocks of one height: evidence as CometBFT's RPC takes it."""

from base64 import b64encode
from typing import Any

from hansa.comet.commit import encode_vote_sign_bytes
from hansa.comet.header import BlockID, Header, PartSetHeader
from hansa.comet.rpc import RpcClient
from hansa.comet.validators import ValidatorSet, compute_address, compute_total_power
from hansa.comet.wire import Timestamp
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey

PRECOMMIT = 2


def submit_double_vote(rpc: RpcClient, key: PrivateKey, header: Header) -> None:
    """Sign a second and a third block at the height of `header`, and tell the engine."""
    validators = rpc.validators(header.height)
    address = compute_address(key.public.raw)
    ids = sorted((_make_block_id(b"one"), _make_block_id(b"two")), key=lambda each: each.hash)
    votes = [_vote(key, header, validators, each) for each in ids]
    own = next(each for each in validators if each.address == address)
    evidence = {
        "type": "tendermint/DuplicateVoteEvidence",
        "value": {
            "vote_a": votes[0],
            "vote_b": votes[1],
            "TotalVotingPower": str(compute_total_power(validators)),
            "ValidatorPower": str(own.power),
            "Timestamp": format_ns(header.time),
        },
    }
    rpc.call("broadcast_evidence", {"evidence": evidence})


def _make_block_id(text: bytes) -> BlockID:
    return BlockID(sha256(text), PartSetHeader(1, sha256(b"parts" + text)))


def _vote(
    key: PrivateKey, header: Header, validators: ValidatorSet, block_id: BlockID
) -> dict[str, Any]:
    address = compute_address(key.public.raw)
    signed = encode_vote_sign_bytes(
        header.chain_id, height=header.height, round_=0, block_id=block_id, time=header.time
    )
    return {
        "type": PRECOMMIT,
        "height": str(header.height),
        "round": 0,
        "block_id": {
            "hash": block_id.hash.hex().upper(),
            "parts": {"total": 1, "hash": block_id.parts.hash.hex().upper()},
        },
        "timestamp": format_ns(header.time),
        "validator_address": address.hex().upper(),
        "validator_index": [each.address for each in validators].index(address),
        "signature": b64encode(key.sign(signed)).decode(),
    }


def format_ns(time: Timestamp) -> str:
    """RFC 3339 with nanoseconds."""
    import datetime

    whole = datetime.datetime.fromtimestamp(time.seconds, datetime.UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time.nanos:09d}Z"
