"""CometBFT's folder and configuration, from a node's home and its `node.toml`, before each start.

Touches `engine/` of the home, and binds a port for a moment to find a free one.
"""

import re
import socket
from typing import Final

from hansa.comet.files import DATA, EngineConfig, StateSync, compute_node_id, write_engine_home
from hansa.comet.sign_state import raise_sign_state
from hansa.comet.sockets import Sockets
from hansa.crypto.keys import PrivateKey
from hansa.node.abci_snapshots import has_blocks
from hansa.node.faults import ConfigurationError, ForeignChainError
from hansa.node.home import ENGINE, KEYS, SETTINGS, VALIDATOR, Home
from hansa.node.sealer import APPLICATION_PROTOCOL
from hansa.node.storage import Storage

# What CometBFT keeps of its blocks.
BLOCKS: Final = "blockstore.db"
_MONIKER: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MONIKER_MAX: Final = 60


def prepare_engine(home: Home, storage: Storage, sockets: Sockets, listen: str) -> None:
    """Write what the engine reads. Raises a NodeError, CometError.

    Also forbids it every vote at heights that the ledger already has: whatever became of the
    engine's own files, this validator signs no height twice.
    """
    folder = home.folder / ENGINE
    is_new = not has_blocks(storage)
    is_joining = is_new and bool(home.settings.sync.servers)
    if storage.height and not is_joining and not (folder / DATA / BLOCKS).exists():
        raise ForeignChainError(
            f"the ledger in {home.folder} is at block {storage.height}, but its engine has no"
            " blocks: its folder engine/ was lost",
            "Put engine/ back from the backup that this ledger is from, or have the node join anew"
            " from a snapshot of the others.",
        )
    write_engine_home(
        folder,
        home.genesis,
        b"",  # InitChain says it: the state of height 0 need not be known for ever
        read_vote(home),
        home.node_key(),
        build_config(home, sockets, listen, is_new=is_new),
        application_protocol=APPLICATION_PROTOCOL,
    )
    raise_sign_state(folder, max(storage.height, storage.sealed))


def read_vote(home: Home) -> PrivateKey | None:
    """The validator's key; None for a home that has none."""
    return home.validator_key() if (home.folder / KEYS / VALIDATOR).exists() else None


def find_node_id(home: Home) -> str:
    """By which the other nodes know this one, hex."""
    return compute_node_id(home.node_key().public.raw)


def choose_listen(home: Home) -> str:
    """Where to listen for other nodes, `host:port`. Raises ConfigurationError."""
    p2p = home.settings.p2p
    family = socket.AF_INET6 if ":" in p2p.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((p2p.host.strip("[]"), p2p.port))
            port = probe.getsockname()[1]
    except OSError as error:
        raise ConfigurationError(
            f"this node cannot listen for others on {p2p.host}:{p2p.port}: {error.strerror}",
            f"Stop what listens there, or set another [p2p] host and port in {SETTINGS}.",
        ) from error
    host = f"[{p2p.host.strip('[]')}]" if ":" in p2p.host else p2p.host
    return f"{host}:{port}"


def build_config(home: Home, sockets: Sockets, listen: str, *, is_new: bool) -> EngineConfig:
    """The engine's configuration. `is_new`: no block yet, so that a snapshot may begin it."""
    engine, p2p, sync = home.settings.engine, home.settings.p2p, home.settings.sync
    moniker = _MONIKER.sub("-", f"{home.genesis.chain}-{home.folder.name}")[:_MONIKER_MAX]
    state_sync = None
    if is_new and sync.servers:
        state_sync = StateSync(
            servers=sync.servers, trust_height=sync.trust_height, trust_hash=sync.trust_hash
        )
    return EngineConfig(
        abci=sockets.abci,
        rpc=sockets.rpc,
        listen=listen,
        external=p2p.address,
        peers=p2p.peers,
        moniker=moniker,
        commit_ms=engine.block_pause_ms,
        heartbeat_ms=engine.heartbeat_s * 1000,
        state_sync=state_sync,
    )
