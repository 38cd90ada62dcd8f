"""The home of a node that joins: made once, and while it rests told anew where the others are.

Touches that home and this user's pinned trust roots; asks gateways for a header to begin from.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from hansa.cli.network import is_network
from hansa.client.faults import ClientError, Refused
from hansa.client.gateway import Gateway
from hansa.client.trust import TrustError, TrustStore

if TYPE_CHECKING:
    from hansa.client.invites import Invite
    from hansa.comet.announcement import Announcement
    from hansa.node.home import Home
    from hansa.node.settings import PeerSettings, Settings, SyncSettings

# Gateways that give headers to the engine while it takes a snapshot; it needs two.
SERVERS_MIN: Final = 2
SERVERS_MAX: Final = 4
TIMEOUT_S: Final = 5.0


class JoinError(ClientError):
    """The node cannot join like this."""

    CODE = "cli.join"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the operator wants the node to listen; None: as it is, at first loopback and 0."""

    host: str | None = None
    port: int | None = None
    api_port: int | None = None

    def put_into(self, settings: "Settings") -> "Settings":
        """The settings with what was said."""
        p2p = {"host": self.host, "port": self.port}
        said = {name: value for name, value in p2p.items() if value is not None}
        settings = msgspec.structs.replace(
            settings, p2p=msgspec.structs.replace(settings.p2p, **said)
        )
        if self.api_port is None:
            return settings
        api = msgspec.structs.replace(settings.api, port=self.api_port)
        return msgspec.structs.replace(settings, api=api)


def find_home(folder: Path, invite: "Invite", listen: Listen) -> "Home":
    """The node's home: the one that is there, or a new one with keys of its own.

    Raises JoinError, a NodeError.
    """
    from hansa.catalog import build_registry
    from hansa.crypto.keys import PrivateKey
    from hansa.node.anew import make_whole
    from hansa.node.home import create_home, open_home
    from hansa.node.settings import ApiSettings, EngineSettings, PeerSettings, Settings

    if (folder / "genesis.json").exists():
        home = open_home(folder)
        if home.genesis_digest.hex() != invite.digest:
            raise JoinError(
                f"{folder} belongs to another league ({home.genesis.chain}, genesis"
                f" {home.genesis_digest.hex()[:16]}…)",
                "name a new folder",
            )
        if is_network(folder) or home.settings.engine.kind != "comet":
            raise JoinError(f"{folder} is a league's folder, no node's home", "name a new folder")
        make_whole(home, build_registry())
        return home
    settings = Settings(
        api=ApiSettings(port=0),
        engine=EngineSettings(kind="comet"),
        p2p=PeerSettings(peers=invite.peers, gateways=invite.gateways),
    )
    genesis = invite.read_genesis()
    registry = build_registry()
    return create_home(folder, genesis, PrivateKey.generate(), registry, listen.put_into(settings))


def renew_settings(home: "Home", invite: "Invite", gateway: Gateway, listen: Listen) -> "Home":
    """Bring `node.toml` of a node that rests up to date: where the others are, from which header.

    A node without a block is told anew each time: snapshots and headers do not wait for it. Raises
    JoinError, TrustError, a NodeError.
    """
    from hansa.node.anew import is_fresh
    from hansa.node.home import rewrite_settings
    from hansa.node.settings import SyncSettings

    known = gateway.nodes()
    settings = listen.put_into(home.settings)
    p2p = _merge_hints(settings.p2p, invite, known)
    sync = SyncSettings()
    if is_fresh(home):
        sync = choose_sync(TrustStore(), gateway, known)
    settings = msgspec.structs.replace(settings, p2p=p2p, sync=sync)
    if settings != home.settings:
        rewrite_settings(home.folder, settings)
    return msgspec.structs.replace(home, settings=settings)


def _merge_hints(
    p2p: "PeerSettings", invite: "Invite", known: Iterable["Announcement"]
) -> "PeerSettings":
    """What nodes say of themselves now, before what the invitation says, before what was noted."""
    from hansa.client.invites import HINTS_MAX

    said = tuple(f"{node.node}@{node.p2p}" for node in known)
    peers: dict[str, str] = {}
    for each in (*said, *invite.peers, *p2p.peers):
        peers.setdefault(each.partition("@")[0], each)
    gateways = (*(node.gateway for node in known if node.gateway), *invite.gateways, *p2p.gateways)
    return msgspec.structs.replace(
        p2p,
        peers=tuple(peers.values())[:HINTS_MAX],
        gateways=tuple(dict.fromkeys(gateways))[:HINTS_MAX],
    )


def choose_sync(
    store: TrustStore, gateway: Gateway, known: Iterable["Announcement"]
) -> "SyncSettings":
    """From which snapshot's header on to trust; nothing when there is no snapshot yet.

    The header follows from what this user has pinned, and is pinned. Raises TrustError when no
    gateway has one that does.
    """
    from hansa.node.settings import SyncSettings

    urls = dict.fromkeys([gateway.url, *(node.gateway for node in known if node.gateway)])
    servers: list[str] = []
    trust: tuple[int, str] | None = None
    fault: TrustError | Refused | None = None
    for url in urls:
        try:
            with Gateway(url, timeout_s=TIMEOUT_S) as each:
                league = each.league()
                if trust is None and league.snapshot:
                    trust = pin_header(store, each, league.chain, league.snapshot)
        except (TrustError, Refused) as error:
            fault = error
            continue
        except ClientError:
            continue
        servers.append(f"{url}/v1/comet")
        if trust is not None and len(servers) == SERVERS_MAX:
            break
    if trust is None:
        if isinstance(fault, TrustError):
            raise fault
        return SyncSettings()
    filled = (servers * SERVERS_MIN)[: max(len(servers), SERVERS_MIN)]
    return SyncSettings(servers=tuple(filled), trust_height=trust[0], trust_hash=trust[1])


def pin_header(store: TrustStore, gateway: Gateway, chain: str, height: int) -> tuple[int, str]:
    """(height, hash) of the snapshot's header, or of the newer one that is pinned already."""
    from hansa.client.pinning import add_checkpoint

    pinned = store.load_checkpoint(chain)
    if pinned is None or pinned.height < height:
        trusted = pinned.height if pinned is not None else 0
        pinned = add_checkpoint(store, gateway.checkpoint(height, trusted=trusted))
    return pinned.height, pinned.hash


def clear_home(home: "Home", league_height: int) -> None:
    """Remove blocks and state, keep keys and what was signed. Raises a NodeError, CometError."""
    from hansa.catalog import build_registry
    from hansa.node.anew import begin_anew

    begin_anew(home, build_registry(), league_height=league_height)


def quote_folder(home: "Home") -> str:
    """The home's folder as a shell takes it."""
    return shlex.quote(str(home.folder))
