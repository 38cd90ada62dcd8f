"""What a node of a network does beside its ledger: says where it is, and finds the others.

Touches the engine's installation, `peers.json` of the home, and other nodes' gateways.
"""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hansa.cli.answers import hint

if TYPE_CHECKING:
    from hansa.node.home import Home
    from hansa.node.ledger_node import LedgerNode
    from hansa.node.neighbours import Neighbours

COMET: Final = "comet"


def bring_engine() -> None:
    """Have the consensus engine installed, with a word when that takes time. Raises CometError."""
    from hansa.comet.install import install_engine

    install_engine(progress=hint)


class Neighbourhood:
    """The neighbours of one node: made before its engine starts, busy from when it answers."""

    def __init__(self, folder: Path) -> None:
        """Raises a NodeError: KeyInUseError when its key is in use elsewhere."""
        from hansa.ledger.system import is_admitted
        from hansa.node.embedded import read_clock_ms
        from hansa.node.home import open_home
        from hansa.node.neighbours import AddressBook, check_keys_elsewhere

        self._home = open_home(folder)
        self._node: LedgerNode | None = None
        self._neighbours: Neighbours | None = None
        self._hints = self._home.settings.p2p.gateways
        self.book: AddressBook | None = None
        if self._home.settings.engine.kind != COMET:
            return
        bring_engine()

        def judge(identity: str) -> bool:
            """Before the ledger is open, all that was kept counts: it was admitted then."""
            node = self._node
            return node is None or is_admitted(node.state, identity, node.height)

        self.book = AddressBook(self._home.folder, self._home.genesis.chain, judge, read_clock_ms)
        identity, vote = name_keys(self._home)
        check_keys_elsewhere(self._home.folder, self.book, identity, vote, self._hints)

    def open(self, node: "LedgerNode") -> None:
        """The ledger is open."""
        self._node = node

    def describe(self) -> dict[str, str]:
        """What `running.json` says of a node of a network; nothing for an embedded one."""
        view = self._node.network() if self._node is not None else None
        return {} if view is None else {"node": view.node_id, "p2p": view.address}

    def start(self, url: str) -> None:
        """Announce the node, whose gateway is at `url`, and look for the others."""
        from hansa.node.embedded import read_clock_ms
        from hansa.node.neighbours import Neighbours, build_own

        node = self._node
        view = node.network() if node is not None else None
        if view is None or node is None or self.book is None:
            return
        own = build_own(
            node.chain,
            gateway=choose_gateway(url, view.address),
            p2p=view.address,
            base=node.heights()[0],
            validator=name_keys(self._home)[1],
            instance=self.book.instance,
        )
        self._neighbours = Neighbours(
            self._home.folder,
            self.book,
            node,
            self._home.node_key(),
            own,
            self._hints,
            read_clock_ms,
            lambda: node.heights()[0],
        )
        self._neighbours.start()

    def stop(self) -> None:
        """Look no more."""
        if self._neighbours is not None:
            self._neighbours.stop()


def name_keys(home: "Home") -> tuple[str, str]:
    """The node's p2p id, and the address of the key with which it votes ("" without one)."""
    from hansa.comet.files import compute_node_id
    from hansa.node.home import KEYS, VALIDATOR

    vote = ""
    if (home.folder / KEYS / VALIDATOR).exists():
        vote = compute_node_id(home.validator_key().public.raw)
    return compute_node_id(home.node_key().public.raw), vote


def choose_gateway(url: str, p2p: str) -> str:
    """The gateway's address as others are told: "" when it is of use on this machine only.

    On loopback it is told only where the engine is on loopback too: all nodes are here then.
    """
    host = urlsplit(url).hostname or ""
    if is_reachable(host):
        return url
    return "" if is_reachable(p2p.rpartition(":")[0].strip("[]")) else url


def is_reachable(host: str) -> bool:
    """Whether other machines may reach a node under that name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost"
    return not (address.is_loopback or address.is_unspecified)
