"""Where the league's nodes are: an address book that nodes pass on to each other, and who calls.

A member is known by its key, an address is a hint: one gateway that is still where it was, or a
sibling's folder on the same machine, is enough to find all. Touches `peers.json` of the home, other
gateways and the own engine's list of peers.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import httpx
import msgspec
import structlog

from hansa.comet.announcement import (
    ANNOUNCEMENT_BYTES_MAX,
    Announcement,
    InvalidAnnouncement,
    check_announcement,
    sign_announcement,
)
from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.json_faults import NOT_JSON
from hansa.ledger.rejections import Rejection
from hansa.node.engine import NetworkView
from hansa.node.faults import KeyInUseError
from hansa.node.running import list_siblings

BOOK: Final = "peers.json"
# Admitted nodes of a large league, with room.
BOOK_ENTRIES_MAX: Final = 1_000
KEEPERS_NAMED_MAX: Final = 3
TIMEOUT_S: Final = 3.0
# Between two rounds: while somebody is missing, and when all are there.
SEARCH_S, REST_S = 2.0, 20.0

_log = structlog.get_logger("hansa.node")


class UnknownNode(Rejection):
    """The node is not one of the league's."""

    CODESPACE = "node"
    CODE = "unknown_node"
    RULE = "V7"
    TEXT = "The node {node} is not admitted to this league."
    REMEDY = "Governance admits a member's node (AdmitNode); hansa join asks for it."


class WrongAnnouncement(Rejection):
    """An announcement that its node did not make."""

    CODESPACE = "node"
    CODE = "wrong_announcement"
    RULE = "V7"
    TEXT = "The announcement does not hold: {problem}."
    REMEDY = "A node announces itself; compare its chain, its key and its clock."


class AddressBook:
    """The newest announcement of each admitted node. Used from any thread; kept in `folder`."""

    def __init__(
        self,
        folder: Path,
        chain: str,
        is_admitted: Callable[[str], bool],
        clock: Callable[[], int],
    ) -> None:
        self.chain = chain
        # Drawn at each start: tells this process from one that ran, or runs, with the same key.
        self.instance = secrets.token_hex(8)
        self._path = folder / BOOK
        self._is_admitted = is_admitted
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, Announcement] = {}
        self._read()

    def take(self, announcement: Announcement) -> bool:
        """Keep it when it is newer. Raises WrongAnnouncement, UnknownNode."""
        try:
            check_announcement(announcement, self.chain, now_ms=self._clock())
        except InvalidAnnouncement as error:
            raise WrongAnnouncement(problem=str(error)) from error
        if not self._is_admitted(announcement.node):
            raise UnknownNode(node=announcement.node)
        with self._lock:
            known = self._entries.get(announcement.node)
            if known is not None and known.sequence >= announcement.sequence:
                return False
            if known is None and len(self._entries) >= BOOK_ENTRIES_MAX:
                return False
            self._entries[announcement.node] = announcement
            self._write()
        return True

    def entries(self) -> tuple[Announcement, ...]:
        """Of nodes that are admitted now, by id."""
        with self._lock:
            entries = sorted(self._entries.items())
        return tuple(entry for node, entry in entries if self._is_admitted(node))

    def find_keepers(self, height: int) -> tuple[str, ...]:
        """Gateways of nodes that say they keep the block at `height`."""
        found = [each.gateway for each in self.entries() if each.base <= max(height, 1)]
        return tuple(url for url in found if url)[:KEEPERS_NAMED_MAX]

    def _read(self) -> None:
        """What was kept; a damaged file is only a lost hint."""
        with suppress(OSError, *NOT_JSON):
            for each in msgspec.json.decode(self._path.read_bytes(), type=list[Announcement]):
                self._entries[each.node] = each

    def _write(self) -> None:
        entries = [self._entries[node] for node in sorted(self._entries)]
        draft = self._path.with_suffix(".draft")
        with suppress(OSError):  # a full disk costs a hint, not the node
            draft.write_bytes(encode_canonical(entries))
            draft.replace(self._path)


class Caller(Protocol):
    """What the neighbours need of the node's engine."""

    def network(self) -> NetworkView | None:
        """The engine and its peers."""
        ...

    def dial(self, peers: Sequence[str]) -> None:
        """Connect to `id@host:port`, and again whenever the connection is lost."""
        ...


class Neighbours:
    """A thread that announces this node, gathers where the others are and has the engine call them.

    `hints`: URLs of gateways that an operator named. `find_base`: first height whose block is kept.
    """

    def __init__(
        self,
        folder: Path,
        book: AddressBook,
        caller: Caller,
        key: PrivateKey,
        own: Announcement,
        hints: Iterable[str],
        clock: Callable[[], int],
        find_base: Callable[[], int],
    ) -> None:
        self._find_base = find_base
        self._folder, self._book, self._caller, self._clock = folder, book, caller, clock
        self._key, self._hints = key, tuple(hints)
        self.own = sign_announcement(own, key)
        self._dialled: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hansa-neighbours", daemon=True)

    def start(self) -> None:
        """Announce and search in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End. Safe to repeat."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        with httpx.Client(timeout=TIMEOUT_S) as client:
            while not self._stopping.is_set():
                missing = self.search(client)
                self._stopping.wait(SEARCH_S if missing else REST_S)

    def search(self, client: httpx.Client) -> int:
        """One round; how many admitted nodes with a known address are not connected."""
        self._renew()
        with suppress(Rejection):
            self._book.take(self.own)
        urls = {entry.gateway for entry in self._book.entries()} | set(self._hints)
        urls |= {each.url for each in list_siblings(self._folder)}
        for url in sorted(urls - {self.own.gateway, ""}):
            if self._stopping.is_set():
                return 0
            self._exchange(client, url)
        return self._dial_missing()

    def _renew(self) -> None:
        """Say anew from where on blocks are here: a snapshot was restored, or old ones went."""
        base = self._find_base()
        if base != self.own.base:
            sequence = max(self._clock(), self.own.sequence + 1)
            newer = msgspec.structs.replace(self.own, base=base, sequence=sequence)
            self.own = sign_announcement(newer, self._key)

    def _exchange(self, client: httpx.Client, url: str) -> None:
        """Take what a gateway knows, and tell it where we are if it does not know."""
        heard = fetch_announcements(client, url)
        if heard is None:
            return
        for entry in heard.nodes:
            with suppress(Rejection):
                self._book.take(entry)
        known = {entry.node: entry for entry in heard.nodes}.get(self.own.node)
        if known is None or known.sequence < self.own.sequence:
            with suppress(httpx.HTTPError):
                client.post(f"{url}/v1/nodes", content=encode_canonical(self.own), headers=_JSON)

    def _dial_missing(self) -> int:
        """Have the engine call whoever is not connected, where it was last heard of."""
        view = self._caller.network()
        if view is None or not view.is_reachable:
            return 1
        connected = {peer.id for peer in view.peers}
        siblings = list_siblings(self._folder)
        places = {each.node: each.p2p for each in siblings if each.node and each.p2p}
        places |= {entry.node: entry.p2p for entry in self._book.entries()}
        places.pop(self.own.node, None)
        missing = {node: p2p for node, p2p in places.items() if node not in connected}
        fresh = sorted({f"{node}@{p2p}" for node, p2p in missing.items()} - self._dialled)
        if fresh:
            self._caller.dial(fresh)
            self._dialled.update(fresh)
            _log.info("peers_called", peers=fresh)
        self._dialled -= {each for each in self._dialled if each.partition("@")[0] in connected}
        return len(missing)


_JSON: Final = {"content-type": "application/json"}


class Heard(msgspec.Struct, frozen=True):
    """What a gateway answers: `own` is the instance of its node, `nodes` what it knows."""

    own: str
    nodes: tuple[Announcement, ...]


def fetch_announcements(client: httpx.Client, url: str) -> Heard | None:
    """What a gateway knows; None when it does not answer as one."""
    size_max = ANNOUNCEMENT_BYTES_MAX * BOOK_ENTRIES_MAX
    try:
        answer = client.get(f"{url}/v1/nodes")
        if answer.status_code != 200 or len(answer.content) > size_max:
            return None
        return msgspec.json.decode(answer.content, type=Heard)
    except (*NOT_JSON, httpx.HTTPError, httpx.InvalidURL):
        return None


def check_keys_elsewhere(
    folder: Path, book: AddressBook, node: str, validator: str, hints: Iterable[str]
) -> None:
    """Raise KeyInUseError when a running node elsewhere has this validator's or this node's key.

    Asks the gateways that are known; what none of them knows is found by the engine as a double
    vote. Two nodes that vote with one key accuse each other (pain 3).
    """
    entries = {entry.node: entry for entry in book.entries()}
    urls = {entry.gateway for entry in entries.values()} | set(hints)
    urls |= {each.url for each in list_siblings(folder)}
    with httpx.Client(timeout=TIMEOUT_S) as client:
        for url in sorted(urls - {""}):
            heard = fetch_announcements(client, url)
            for entry in heard.nodes if heard is not None else ():
                known = entries.get(entry.node)
                if known is None or known.sequence < entry.sequence:
                    entries[entry.node] = entry
        for entry in entries.values():
            is_same_key = entry.node == node or (validator and entry.validator == validator)
            if is_same_key and entry.gateway:
                heard = fetch_announcements(client, entry.gateway)
                if heard is not None and heard.own == entry.instance:
                    raise KeyInUseError(entry.gateway)


def build_own(
    home_chain: str, *, gateway: str, p2p: str, base: int, validator: str, instance: str
) -> Announcement:
    """What this node will say of itself, to be signed."""
    return Announcement(
        base=base,
        chain=home_chain,
        gateway=gateway,
        instance=instance,
        key="",
        node="0" * 40,
        p2p=p2p,
        sequence=time.time_ns() // 1_000_000,
        validator=validator,
    )
