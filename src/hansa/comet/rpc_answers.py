"""Answers of CometBFT's RPC, written as its own nodes write them: for its light clients. Pure.

The counterpart of `rpc_json.py`. Integers of 64 bits are texts, hashes upper-case hex.
Source: CometBFT v0.39.4 rpc/core/types/responses.go, libs/json, types/block.go.
"""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hansa.comet.commit import Commit, CommitSig
from hansa.comet.header import BlockID, Header
from hansa.comet.rpc_json import ED25519
from hansa.comet.validators import Validator, ValidatorSet
from hansa.comet.wire import Timestamp

Document = dict[str, Any]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def write_commit(header: Header, commit: Commit) -> Document:
    """Result of `commit`."""
    return {
        "signed_header": {"header": _write_header(header), "commit": _write_votes(commit)},
        "canonical": True,
    }


def write_header(header: Header) -> Document:
    """Result of `header`."""
    return {"header": _write_header(header)}


def write_validators(
    height: int, validators: ValidatorSet, *, page: int, per_page: int
) -> Document:
    """Result of `validators`: one page, counted from 1. Whose turn it is to propose is not told."""
    start = (page - 1) * per_page
    shown = validators[start : start + per_page]
    return {
        "block_height": str(height),
        "validators": [_write_validator(each) for each in shown],
        "count": str(len(shown)),
        "total": str(len(validators)),
    }


def write_consensus_params(
    height: int, *, block_max_bytes: int, block_max_gas: int, app: int
) -> Document:
    """Result of `consensus_params`: what `consensus_hash` covers; the rest are defaults."""
    return {
        "block_height": str(height),
        "consensus_params": {
            "block": {"max_bytes": str(block_max_bytes), "max_gas": str(block_max_gas)},
            "evidence": {
                "max_age_num_blocks": "100000",
                "max_age_duration": "172800000000000",
                "max_bytes": "1048576",
            },
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": str(app)},
            "abci": {"vote_extensions_enable_height": "0"},
        },
    }


def write_status(newest: Header, earliest: Header, *, moniker: str, release: str) -> Document:
    """Result of `status`: where the chain stands. Nothing of addresses, ids or keys of the node."""
    return {
        "node_info": {
            "protocol_version": {"p2p": "8", "block": "11", "app": str(newest.version.app)},
            "id": "",
            "listen_addr": "",
            "network": newest.chain_id,
            "version": release,
            "channels": "",
            "moniker": moniker,
            "other": {"tx_index": "off", "rpc_address": ""},
        },
        "sync_info": {
            "latest_block_hash": _hex(newest.hash()),
            "latest_app_hash": _hex(newest.app_hash),
            "latest_block_height": str(newest.height),
            "latest_block_time": write_time(newest.time),
            "earliest_block_hash": _hex(earliest.hash()),
            "earliest_app_hash": _hex(earliest.app_hash),
            "earliest_block_height": str(earliest.height),
            "earliest_block_time": write_time(earliest.time),
            "catching_up": False,
        },
        "validator_info": {"address": "", "pub_key": None, "voting_power": "0"},
    }


def write_time(time: Timestamp) -> str:
    """A time as Go writes it: RFC 3339 in UTC, trailing zeros of the fraction left out."""
    whole = (_EPOCH + timedelta(seconds=time.seconds)).replace(tzinfo=None).isoformat()
    fraction = f".{time.nanos:09d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}Z"


def _write_header(header: Header) -> Document:
    return {
        "version": {"block": str(header.version.block), "app": str(header.version.app)},
        "chain_id": header.chain_id,
        "height": str(header.height),
        "time": write_time(header.time),
        "last_block_id": _write_block_id(header.last_block_id),
        "last_commit_hash": _hex(header.last_commit_hash),
        "data_hash": _hex(header.data_hash),
        "validators_hash": _hex(header.validators_hash),
        "next_validators_hash": _hex(header.next_validators_hash),
        "consensus_hash": _hex(header.consensus_hash),
        "app_hash": _hex(header.app_hash),
        "last_results_hash": _hex(header.last_results_hash),
        "evidence_hash": _hex(header.evidence_hash),
        "proposer_address": _hex(header.proposer_address),
    }


def _write_votes(commit: Commit) -> Document:
    return {
        "height": str(commit.height),
        "round": commit.round,
        "block_id": _write_block_id(commit.block_id),
        "signatures": [_write_vote(each) for each in commit.signatures],
    }


def _write_vote(vote: CommitSig) -> Document:
    return {
        "block_id_flag": vote.flag,
        "validator_address": _hex(vote.address),
        "timestamp": write_time(vote.time),
        "signature": b64encode(vote.signature).decode() if vote.signature else None,
    }


def _write_block_id(block_id: BlockID) -> Document:
    parts = {"total": block_id.parts.total, "hash": _hex(block_id.parts.hash)}
    return {"hash": _hex(block_id.hash), "parts": parts}


def _write_validator(validator: Validator) -> Document:
    return {
        "address": _hex(validator.address),
        "pub_key": {"type": ED25519, "value": b64encode(validator.public_key).decode()},
        "voting_power": str(validator.power),
        "proposer_priority": "0",
    }


def _hex(data: bytes) -> str:
    return data.hex().upper()
