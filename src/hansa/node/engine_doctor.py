"""Looks at a node's engine, its keys and its place in the network, for the doctor. Changes nothing.

For homes under CometBFT. Each look stands alone and takes the home and its height (None: a node
runs on it, its data was not opened).
"""

import errno
import json
import os
import socket
from pathlib import Path
from typing import Final

from hansa.comet.faults import CometError
from hansa.comet.files import DATA, GENESIS_MARK, encode_engine_genesis
from hansa.comet.install import ENGINE as ENGINE_VERSION
from hansa.comet.install import find_engine
from hansa.comet.sign_state import SIGN_STATE, read_sign_state
from hansa.crypto.hashing import sha256
from hansa.node.doctor import Finding, Look, describe_os_error
from hansa.node.engine_home import BLOCKS, find_node_id
from hansa.node.faults import NodeError
from hansa.node.folder import RESTORING
from hansa.node.home import DATA as LEDGER_DATA
from hansa.node.home import ENGINE, KEYS, NODE, SETTINGS, Home
from hansa.node.neighbours import BOOK
from hansa.node.running import NODES, list_siblings
from hansa.node.sealer import APPLICATION_PROTOCOL

LOG: Final = "node.log"
# Of the log, what is read to find how the node last began or ended.
TAIL_BYTES: Final = 256_000
ENDED: Final = frozenset({"node_stopped", "start_failed"})
BEGAN: Final = "node_started"
_JOIN: Final = (
    "Have the node begin anew from a snapshot of the others: hansa join INVITE DIR --anew. Only an"
    f" observer's {ENGINE}/ may be put back from a backup."
)


def look_at_program(_home: Home, _height: int | None) -> Finding:
    """The engine is installed and is the program that was built."""
    try:
        program = find_engine()
    except CometError as error:
        return Finding("engine", False, error.text, error.cure)
    if program is None:
        text = f"CometBFT {ENGINE_VERSION} is not installed for this user"
        return Finding("engine", False, text, "hansa engine install")
    return Finding("engine", True, f"CometBFT {ENGINE_VERSION} is installed and whole")


def look_at_node_key(home: Home, _height: int | None) -> Finding:
    """The key by which others know this node."""
    try:
        identity = find_node_id(home)
    except NodeError as error:
        return Finding("node key", False, error.text, error.cure)
    return Finding("node key", True, f"{KEYS}/{NODE} is whole: this is node {identity}")


def look_at_p2p_port(home: Home, height: int | None) -> Finding:
    """The port for the other nodes can be had, and the others can be told of it."""
    p2p = home.settings.p2p
    place = f"{p2p.host}:{p2p.port}"
    if not p2p.address and p2p.host.strip("[]") in ("0.0.0.0", "::"):  # noqa: S104  (compared)
        text = f"the node listens on {place}, and has no address to tell the others"
        return Finding("p2p port", False, text, f'Set [p2p] address = "HOST:PORT" in {SETTINGS}.')
    if height is None:
        return Finding("p2p port", True, f"{place} is this node's own")
    try:
        family = socket.AF_INET6 if ":" in p2p.host else socket.AF_INET
        with socket.create_server((p2p.host.strip("[]"), p2p.port), family=family):
            pass
    except OSError as error:
        reason = "is taken" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
        cure = f"Stop what listens there, or set another [p2p] port in {SETTINGS}."
        return Finding("p2p port", False, f"{place} {reason}", cure)
    return Finding("p2p port", True, f"{place} is free" if p2p.port else "any free one")


def look_at_engine_folder(home: Home, height: int | None) -> Finding:
    """The engine's blocks are there, and of this genesis."""
    folder = home.folder / ENGINE
    has_blocks = (folder / DATA / BLOCKS).exists()
    if height and not has_blocks:
        text = f"the ledger is at block {height}, but its engine has no blocks: they were lost"
        return Finding("engine folder", False, text, _JOIN)
    if not has_blocks:
        return Finding("engine folder", True, "no block yet")
    document = encode_engine_genesis(home.genesis, b"", APPLICATION_PROTOCOL)
    mark = folder / DATA / GENESIS_MARK
    try:
        is_same = mark.read_bytes().strip() == sha256(document).hex().encode()
    except FileNotFoundError:
        is_same = False
    except OSError as error:
        return describe_os_error("engine folder", error)
    if not is_same:
        text = f"{folder} holds blocks of another genesis"
        cure = f"Put the right genesis.json back; or move {folder} away, it is not this chain's."
        return Finding("engine folder", False, text, cure)
    return Finding("engine folder", True, "its blocks are of this genesis")


def look_at_sign_state(home: Home, height: int | None) -> Finding:
    """What the validator signed last is known, and not behind what the ledger shows."""
    folder = home.folder / ENGINE
    path = folder / SIGN_STATE
    if height and not path.exists():
        text = f"{path} is missing: it says what this validator signed last"
        cure = (
            "Make sure that no other copy of this node runs; then start it: nothing is signed at"
            f" height {height} and below. Never put this file back from a backup."
        )
        return Finding("sign state", False, text, cure)
    try:
        signed, _round, _step = read_sign_state(folder)
    except CometError as error:
        return Finding("sign state", False, error.text, error.cure)
    except OSError as error:
        return describe_os_error("sign state", error)
    if height is not None and signed < height:
        text = f"the last signature was at height {signed}, the ledger is at {height}: "
        more = "the next start forbids all votes up to there"
        return Finding("sign state", True, text + more)
    return Finding("sign state", True, f"the last signature was at height {signed}")


def look_at_restoring(home: Home, height: int | None) -> Finding:
    """No restore from a snapshot was cut off."""
    sync = home.settings.sync
    if (home.folder / f"{LEDGER_DATA}{RESTORING}").exists():
        if height is None:
            return Finding("snapshot", True, "the node restores a snapshot of the others now")
        cure = "Start the node: it begins again. If it ends the same way, see engine.log."
        return Finding("snapshot", False, "a restore from a snapshot was cut off", cure)
    if sync.servers and height == 0:
        text = f"the node has no block yet and will begin from a snapshot ({len(sync.servers)} URL)"
        return Finding("snapshot", True, text)
    return Finding("snapshot", True, "none is under way")


def look_at_neighbours(home: Home, _height: int | None) -> Finding:
    """A node of a league of several has somebody to ask where the others are."""
    if len(home.genesis.validators) < 2 and not home.settings.sync.servers:
        return Finding("neighbours", True, "one validator decides alone")
    hints = len(home.settings.p2p.peers) + len(home.settings.p2p.gateways)
    book = (home.folder / BOOK).exists()
    siblings = len(list_siblings(home.folder))
    is_beside = home.folder.parent.name == NODES and any(
        each != home.folder and each.is_dir() for each in home.folder.parent.iterdir()
    )
    if not (hints or book or siblings or is_beside):
        text = "this node knows no other: nobody can tell it where the league is"
        cure = f'Name another gateway in {SETTINGS}: [p2p] gateways = ["https://HOST"].'
        return Finding("neighbours", False, text, cure)
    return Finding("neighbours", True, "there is somebody to ask where the others are")


def look_at_last_end(home: Home, _height: int | None) -> Finding:
    """Whether the node last ended by itself, or could not start, by its own log."""
    last = read_last_end(home.folder / LOG)
    if last is None:
        return Finding("last stop", True, "it did not stop by itself")
    return Finding("last stop", False, f"it could not go on: {last[0]}", last[1])


def read_last_end(path: Path) -> tuple[str, str] | None:
    """Reason and cure of the last line about the node's life, when that is an end by itself."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            said = json.loads(line)
            event = said.get("event", "")
        except (ValueError, AttributeError):
            continue
        if event == BEGAN:
            return None
        if event in ENDED:
            return str(said.get("reason", "")), str(said.get("cure", "See node.log."))
    return None


ENGINE_LOOKS: Final[tuple[Look, ...]] = (
    look_at_program,
    look_at_node_key,
    look_at_p2p_port,
    look_at_engine_folder,
    look_at_sign_state,
    look_at_restoring,
    look_at_neighbours,
    look_at_last_end,
)
