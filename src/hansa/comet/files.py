"""The engine's folder, written from Hansa's own files at each start: config, genesis, keys.

Touches that folder only. CometBFT takes what we do not write from its own defaults, so config.toml
holds what differs from them. Source: CometBFT v0.39.4 config/config.go, types/genesis.go,
p2p/key.go, privval/file.go.
"""

import json
import os
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.comet.faults import EngineHomeError
from hansa.comet.rpc_json import ED25519, format_time
from hansa.comet.sign_state import create_sign_state
from hansa.comet.validators import compute_address
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.ledger.genesis import Genesis, encode_genesis
from hansa.primitives.limits import BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX

CONFIG: Final = "config"
DATA: Final = "data"
CONFIG_FILE: Final = "config.toml"
GENESIS_FILE: Final = "genesis.json"
VALIDATOR_KEY_FILE: Final = "priv_validator_key.json"
NODE_KEY_FILE: Final = "node_key.json"
# Beside the blocks: CometBFT keeps the genesis that it saw first and asks no further.
GENESIS_MARK: Final = "genesis.sha256"
PRIVATE: Final = 0o600
_PRIVATE_KEY_TYPE: Final = "tendermint/PrivKeyEd25519"
# Evidence of double signing is taken for two weeks: the light client's trust period is shorter.
EVIDENCE_AGE_S: Final = 14 * 86_400
# Blocks of two weeks at ten a second.
EVIDENCE_AGE_BLOCKS: Final = 12_096_000
EVIDENCE_BYTES_MAX: Final = 100_000
# The engine's RPC takes a batch of transactions in base64 (rpc.BATCH_BYTES_MAX) and a margin.
RPC_BODY_BYTES_MAX: Final = 16_000_000
# An answer to a batch waits for as many CheckTx.
RPC_WRITE_TIMEOUT_S: Final = 60


class StateSync(msgspec.Struct, frozen=True):
    """Begin from a snapshot of others. `servers`: two or more `host:port` or URLs of RPC that give
    headers; what they say is checked from the trusted height and hash (hex) on.
    """

    servers: tuple[str, ...]
    trust_height: int
    trust_hash: str
    trust_period_s: int = 7 * 86_400
    discovery_ms: int = 5_000
    chunk_timeout_ms: int = 10_000


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from node to node or may be tuned. Sizes in bytes, times in ms.

    `abci` and `rpc` are the unix sockets of `sockets.py`. `listen` is `host:port`, `external` what
    others dial ("": as listened on), `peers` are `id@host:port`.
    """

    abci: Path | str
    rpc: Path
    listen: str = "127.0.0.1:0"
    external: str = ""
    peers: tuple[str, ...] = ()
    moniker: str = "hansa"
    log_level: str = "error"
    filter_peers: bool = True
    # Consensus. A block's execution must fit into `propose_ms`, or its round is lost (no more).
    propose_ms: int = 3_000
    propose_delta_ms: int = 1_000
    vote_ms: int = 1_000
    vote_delta_ms: int = 500
    commit_ms: int = 100
    heartbeat_ms: int = 60_000
    gossip_sleep_ms: int = 20
    skip_timeout_commit: bool = False
    double_sign_check_blocks: int = 0
    # Pool of the engine.
    pool_transactions: int = 20_000
    pool_bytes: int = 128_000_000
    recheck: bool = True
    recheck_ms: int = 10_000
    # Peer to peer.
    rate_bytes: int = 50_000_000
    packet_bytes: int = 16_384
    inbound_max: int = 100
    outbound_max: int = 100
    redial_ms: int = 2_000
    state_sync: StateSync | None = None
    # Tests only: drop and delay what goes over the wire.
    test_fuzz: bool = False


def compute_node_id(public: bytes) -> str:
    """Name of a node on the wire: 40 hex digits of its Ed25519 key (32 bytes)."""
    return compute_address(public).hex()


def write_engine_home(
    folder: Path,
    genesis: Genesis,
    state_root: bytes,
    validator: PrivateKey | None,
    node: PrivateKey,
    config: EngineConfig,
    *,
    application_protocol: int,
) -> None:
    """Write `folder/config` and, where there is none yet, the sign state in `folder/data`.

    `validator` None: a node without a vote. `application_protocol`: `version.app` of each header.
    Safe to repeat. Raises EngineHomeError when the folder's blocks are of another genesis.
    """
    document = encode_engine_genesis(genesis, state_root, application_protocol)
    files = {
        GENESIS_FILE: (document, 0o644),
        CONFIG_FILE: (encode_config(config).encode(), 0o644),
        NODE_KEY_FILE: (_encode_json({"priv_key": _describe_private(node)}), PRIVATE),
        VALIDATOR_KEY_FILE: (_encode_validator_key(validator or _derive_voteless(node)), PRIVATE),
    }
    try:
        for name in (CONFIG, DATA):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_same_chain(folder, document)
        for name, (data, mode) in files.items():
            _write_whole(folder / CONFIG / name, data, mode)
        create_sign_state(folder)
    except OSError as error:
        raise EngineHomeError(
            f"the engine's folder {folder} cannot be written: {error.strerror}",
            "See that the disk has space and that the folder belongs to this user.",
        ) from error


def encode_engine_genesis(genesis: Genesis, state_root: bytes, application_protocol: int) -> bytes:
    """CometBFT's genesis.json of a chain: the same bytes on every node."""
    return _encode_json(
        {
            "app_hash": state_root.hex().upper(),
            "app_state": {"genesis": sha256(encode_genesis(genesis)).hex()},
            "chain_id": genesis.chain,
            "consensus_params": {
                "abci": {"vote_extensions_enable_height": "0"},
                "block": {"max_bytes": str(BLOCK_BYTES_MAX), "max_gas": "-1"},
                "evidence": {
                    "max_age_duration": str(EVIDENCE_AGE_S * 1_000_000_000),
                    "max_age_num_blocks": str(EVIDENCE_AGE_BLOCKS),
                    "max_bytes": str(EVIDENCE_BYTES_MAX),
                },
                "validator": {"pub_key_types": ["ed25519"]},
                "version": {"app": str(application_protocol)},
            },
            "genesis_time": format_time(genesis.time_ms),
            "initial_height": "1",
            "validators": [
                {
                    "address": compute_address(each.key.raw).hex().upper(),
                    "name": each.member,
                    "power": str(each.power),
                    "pub_key": _describe_public(each.key.raw),
                }
                for each in genesis.validators
            ],
        }
    )


def encode_config(config: EngineConfig) -> str:
    """config.toml: only what differs from CometBFT's defaults."""
    abci = f"unix://{config.abci}" if isinstance(config.abci, Path) else config.abci
    sections: dict[str, dict[str, Any]] = {
        "": {
            "proxy_app": abci,
            "moniker": config.moniker,
            "log_level": config.log_level,
            "filter_peers": config.filter_peers,
        },
        "rpc": {
            "laddr": f"unix://{config.rpc}",
            "unsafe": True,
            # 0: no bound, and each body is parsed once instead of twice.
            "max_request_batch_size": 0,
            "max_body_bytes": RPC_BODY_BYTES_MAX,
            "timeout_broadcast_tx_commit": f"{RPC_WRITE_TIMEOUT_S}s",
        },
        "p2p": _describe_p2p(config),
        "mempool": {
            "recheck": config.recheck,
            "recheck_timeout": f"{config.recheck_ms}ms",
            "size": config.pool_transactions,
            "max_txs_bytes": config.pool_bytes,
            "cache_size": 2 * config.pool_transactions,
            "max_tx_bytes": TRANSACTION_BYTES_MAX,
        },
        "consensus": _describe_consensus(config),
        "storage": {"discard_abci_responses": True},
        "tx_index": {"indexer": "null"},
        "instrumentation": {"prometheus": False},
    }
    if config.state_sync is not None:
        sections["statesync"] = _describe_state_sync(config.state_sync)
    return "# Written by Hansa at each start; change node.toml instead.\n" + "\n".join(
        _format_section(name, values) for name, values in sections.items()
    )


def _describe_p2p(config: EngineConfig) -> dict[str, Any]:
    return {
        "laddr": f"tcp://{config.listen}",
        "external_address": config.external,
        "persistent_peers": ",".join(config.peers),
        "persistent_peers_max_dial_period": f"{config.redial_ms}ms",
        "addr_book_strict": False,
        "allow_duplicate_ip": True,
        "pex": False,
        "max_num_inbound_peers": config.inbound_max,
        "max_num_outbound_peers": config.outbound_max,
        "flush_throttle_timeout": "10ms",
        "max_packet_msg_payload_size": config.packet_bytes,
        "send_rate": config.rate_bytes,
        "recv_rate": config.rate_bytes,
        **({"test_fuzz": True} if config.test_fuzz else {}),
    }


def _describe_consensus(config: EngineConfig) -> dict[str, Any]:
    return {
        "timeout_propose": f"{config.propose_ms}ms",
        "timeout_propose_delta": f"{config.propose_delta_ms}ms",
        "timeout_prevote": f"{config.vote_ms}ms",
        "timeout_prevote_delta": f"{config.vote_delta_ms}ms",
        "timeout_precommit": f"{config.vote_ms}ms",
        "timeout_precommit_delta": f"{config.vote_delta_ms}ms",
        "timeout_commit": f"{config.commit_ms}ms",
        "skip_timeout_commit": config.skip_timeout_commit,
        "create_empty_blocks": False,
        "create_empty_blocks_interval": f"{config.heartbeat_ms}ms",
        "peer_gossip_sleep_duration": f"{config.gossip_sleep_ms}ms",
        "double_sign_check_height": config.double_sign_check_blocks,
    }


def _describe_state_sync(sync: StateSync) -> dict[str, Any]:
    return {
        "enable": True,
        "rpc_servers": ",".join(sync.servers),
        "trust_height": sync.trust_height,
        "trust_hash": sync.trust_hash,
        "trust_period": f"{sync.trust_period_s}s",
        "discovery_time": f"{sync.discovery_ms}ms",
        "chunk_request_timeout": f"{sync.chunk_timeout_ms}ms",
    }


def _format_section(name: str, values: dict[str, Any]) -> str:
    """One table of TOML. Texts, integers and booleans are written in TOML as in JSON."""
    head = f"[{name}]\n" if name else ""
    lines = (f"{key} = {json.dumps(value)}\n" for key, value in values.items())
    return head + "".join(lines)


def _check_same_chain(folder: Path, document: bytes) -> None:
    """Blocks that are there were made under this genesis: its digest lies beside them."""
    digest = sha256(document).hex().encode() + b"\n"
    mark = folder / DATA / GENESIS_MARK
    if any((folder / DATA / name).exists() for name in ("state.db", "blockstore.db")) and (
        not mark.exists() or mark.read_bytes() != digest
    ):
        raise EngineHomeError(
            f"the engine's folder {folder} holds blocks of another genesis",
            "Name the right genesis.json, or move that folder away: it is not this chain's.",
        )
    _write_whole(mark, digest, 0o644)


def _describe_public(raw: bytes) -> dict[str, str]:
    return {"type": ED25519, "value": b64encode(raw).decode()}


def _describe_private(key: PrivateKey) -> dict[str, str]:
    value = b64encode(key.to_bytes() + key.public.raw).decode()
    return {"type": _PRIVATE_KEY_TYPE, "value": value}


def _encode_validator_key(key: PrivateKey) -> bytes:
    return _encode_json(
        {
            "address": compute_address(key.public.raw).hex().upper(),
            "priv_key": _describe_private(key),
            "pub_key": _describe_public(key.public.raw),
        }
    )


def _derive_voteless(node: PrivateKey) -> PrivateKey:
    """CometBFT wants a validator's key of every node: one that is in no set."""
    return PrivateKey.from_seed("EdDSA", sha256(b"hansa: no vote: " + node.to_bytes()))


def _encode_json(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def _write_whole(path: Path, data: bytes, mode: int) -> None:
    """Write durably beside it and rename; nothing when it is the same already."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == data and path.stat().st_mode & 0o777 == mode:
            return
    fresh = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    fresh.rename(path)
