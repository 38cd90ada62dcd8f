"""`node.toml`: what an operator may set. Unknown names and impossible values are refused. Pure."""

import tomllib
from typing import Annotated, Literal

import msgspec

from hansa.node.faults import ConfigurationError

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
# Where another node can be found: `<40 hex of its id>@<host>:<port>`. A hint, never a proof.
PeerHint = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-f]{40}@[A-Za-z0-9_.:\[\]-]{1,255}:\d{1,5}$(?!\n)")
]
# Address of a gateway.
Server = Annotated[str, msgspec.Meta(pattern=r"^https?://[A-Za-z0-9_.:\[\]/~-]{1,255}$(?!\n)")]
Address = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_.:\[\]-]{1,255}:\d{1,5})?$(?!\n)")]

# A host by name or address, with or without its port.
Host = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:\[\]-]{1,255}$(?!\n)")]

# Origin of a gateway as others see it.
Public = Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9_.:\[\]-]{1,255})?$(?!\n)")]


class ApiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the gateway listens. `port` 0: any free one.

    `deliver_to`: the only hosts (`erp.example`, `10.0.0.7:8443`) to which subscriptions of users
    deliver, private ones too; none: any public address. `fetch_from`: likewise, the only hosts from
    which documents of did:web are fetched. `public`: `https://host`, the address by which wallets
    and the world know it, where a proxy stands in front; "": the one they ask.
    """

    host: str = "127.0.0.1"
    port: Port = 8480
    deliver_to: tuple[Host, ...] = ()
    fetch_from: tuple[Host, ...] = ()
    public: Public = ""


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How blocks are made and kept. Under `embedded` only `heartbeat_s` matters.

    `heartbeat_s`: longest time without a block; `block_pause_ms`: between two blocks, equal on all
    nodes; `snapshot_interval`: heights (0: none); `keep_blocks`: newest ones kept (0: all).
    """

    kind: Literal["embedded", "comet"] = "embedded"
    heartbeat_s: Annotated[int, msgspec.Meta(ge=1, le=60)] = 60
    block_pause_ms: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 200
    snapshot_interval: Annotated[int, msgspec.Meta(ge=0)] = 1_000
    keep_blocks: Annotated[int, msgspec.Meta(ge=0)] = 0


class IndexSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The read model. `follow`: whether this node keeps one; without it lists, tables and totals
    are asked of other nodes, and this one has a third less to do for each transaction.
    """

    follow: bool = True


class PeerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where this node listens for the others, and where they may be found (`comet` only).

    `port` 0: any free one at each start. `address`: what others are told, when they do not reach it
    under `host` and `port`. `gateways` are asked where the others are.
    """

    host: str = "127.0.0.1"
    port: Port = 0
    address: Address = ""
    peers: tuple[PeerHint, ...] = ()
    gateways: tuple[Server, ...] = ()


class SyncSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a node without a block begins: from a snapshot of others (`comet` only).

    `servers`: two or more URLs of RPC that give headers; what they say is checked from the trusted
    height and hash (hex) on. No servers: from the genesis, block by block.
    """

    servers: tuple[str, ...] = ()
    trust_height: Annotated[int, msgspec.Meta(ge=0)] = 0
    trust_hash: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{64})?$(?!\n)")] = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    api: ApiSettings = ApiSettings()
    engine: EngineSettings = EngineSettings()
    index: IndexSettings = IndexSettings()
    p2p: PeerSettings = PeerSettings()
    sync: SyncSettings = SyncSettings()


def decode_settings(text: str) -> Settings:
    """Parse `node.toml`. Raises ConfigurationError."""
    try:
        return msgspec.convert(tomllib.loads(text), Settings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"node.toml: {error}",
            "Mend that line, or delete the file's content: every setting has a default.",
        ) from error


def encode_settings(settings: Settings) -> str:
    """The file, with a comment for each setting."""
    api, engine = settings.api, settings.engine
    text = f"""\
# Settings of this node. Delete a line to get its default.

[api]
# 127.0.0.1: this machine only. Put a TLS proxy in front before naming another address.
host = {_quote(api.host)}
# 0: any free port.
port = {api.port}
# The only hosts to which subscriptions deliver, as "host" or "host:port", also in your own network.
# None: any public address, and nothing in a private network.
deliver_to = [{", ".join(_quote(host) for host in api.deliver_to)}]
# The only hosts whose did:web is resolved, in the same way.
fetch_from = [{", ".join(_quote(host) for host in api.fetch_from)}]
# Where a proxy with TLS stands in front: "https://host", as wallets know this gateway.
public = {_quote(api.public)}

[index]
# Whether this node keeps the read model: false for one that only votes, and answers no lists.
follow = {"true" if settings.index.follow else "false"}

[engine]
# embedded: one process, one validator. comet: a node of a league of several (CometBFT).
kind = "{engine.kind}"
# Longest time without a block, in seconds, 1 to 60.
heartbeat_s = {engine.heartbeat_s}
"""
    return text if engine.kind == "embedded" else text + _encode_network(settings)


def _encode_network(settings: Settings) -> str:
    engine, p2p, sync = settings.engine, settings.p2p, settings.sync
    peers = "".join(f"\n  {_quote(peer)}," for peer in p2p.peers)
    return f"""\
# Pause between two blocks, in milliseconds; the same on every node of the league.
block_pause_ms = {engine.block_pause_ms}
# A snapshot every so many blocks, for nodes that join (0: none).
snapshot_interval = {engine.snapshot_interval}
# How many of the newest blocks to keep (0: all).
keep_blocks = {engine.keep_blocks}

[p2p]
# Where the other nodes reach this one.
host = {_quote(p2p.host)}
# 0: any free port at each start.
port = {p2p.port}
# What the others are told, as "host:port", when they do not reach it under host and port.
address = {_quote(p2p.address)}
# Where other nodes may be found, as "id@host:port". Hints only: a node is known by its key.
peers = [{peers}{chr(10) if peers else ""}]
# Gateways that are asked where the other nodes are.
gateways = [{", ".join(_quote(gateway) for gateway in p2p.gateways)}]

[sync]
# A node without a block begins from a snapshot of others: two or more URLs that give headers, and
# a header that you trust, by height and hash. Without servers it begins from the genesis.
servers = [{", ".join(_quote(server) for server in sync.servers)}]
trust_height = {sync.trust_height}
trust_hash = {_quote(sync.trust_hash)}
"""


def _quote(text: str) -> str:
    """A TOML basic string; JSON's form is one."""
    return msgspec.json.encode(text).decode()
