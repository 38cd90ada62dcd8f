"""`diagnose`: what is wrong with a home folder, and what to do. Reads; changes nothing.

The data is opened only when no node runs on it. Each finding stands alone: one that fails does not
hide the others.
"""

import errno
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from hansa.node.faults import NodeError
from hansa.node.home import GENESIS, KEYS, SETTINGS, VALIDATOR, Home, open_home
from hansa.node.lock import FolderLock, find_holder
from hansa.node.storage import Storage, make_identity

# Less free than this, and a busy league fills the disk within hours.
DISK_FREE_MIN: Final = 2 * 2**30
DISK_SHARE_MIN: Final = 0.05
# A clock may be this much behind the last block before blocks pile up their times (ms).
CLOCK_BEHIND_MAX: Final = 2_000


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `cure` says what to do when it is not `ok`."""

    name: str
    ok: bool
    text: str
    cure: str = ""


def diagnose(folder: Path, *, deep: bool = False) -> list[Finding]:
    """Look at a home folder. `deep` also compares every record with the tree: minutes."""
    try:
        home = open_home(folder)
    except NodeError as error:
        return [Finding("home", False, error.text, error.cure)]
    found = [
        Finding("home", True, f"{GENESIS} and {SETTINGS} of {home.genesis.chain} are in order"),
        _attempt("validator key", lambda: _look_at_key(home)),
        _look_at_disk(home),
    ]
    holder = find_holder(home.folder)
    if holder is not None:
        who = f"process {holder}" if holder else "another process"
        text = f"a node runs on it ({who}); its data was not opened"
        return [*found, Finding("lock", True, text)]
    found.append(Finding("lock", True, "no node runs on it"))
    found.append(_look_at_port(home))
    found += _look_at_data(home, deep)
    return found


def _attempt(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except NodeError as error:
        return Finding(name, False, error.text, error.cure)


def _look_at_key(home: Home) -> str:
    home.validator_key()
    return f"{KEYS}/{VALIDATOR} is this genesis's validator and private to its owner"


def _look_at_disk(home: Home) -> Finding:
    usage = shutil.disk_usage(home.folder)
    text = f"{usage.free // 2**20} MiB free of {usage.total // 2**20} MiB"
    if usage.free < DISK_FREE_MIN or usage.free < usage.total * DISK_SHARE_MIN:
        cure = "Free some space, or move the home to a larger disk, before blocks find no room."
        return Finding("disk", False, f"nearly full: {text}", cure)
    return Finding("disk", True, text)


def _look_at_port(home: Home) -> Finding:
    host, port = home.settings.api.host, home.settings.api.port
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        reason = "is taken" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
        cure = f"Stop what listens there, or set another [api] port in {SETTINGS}."
        return Finding("port", False, f"{host}:{port} {reason}", cure)
    return Finding("port", True, f"{host}:{port} is free")


def _look_at_data(home: Home, deep: bool) -> list[Finding]:
    try:
        lock = FolderLock(home.folder)
    except NodeError as error:
        return [Finding("data", False, error.text, error.cure)]
    try:
        storage = Storage(home.data, make_identity(home.genesis.chain, home.genesis_digest))
    except NodeError as error:
        return [Finding("data", False, error.text, error.cure)]
    finally:
        lock.release()
    try:
        text = f"height {storage.height}, root {storage.root.hex()[:16]} as committed"
        found = [Finding("data", True, text), _look_at_clock(storage)]
        if deep:
            found.append(_attempt("records", lambda: _check_records(storage)))
        return found
    finally:
        storage.close()


def _look_at_clock(storage: Storage) -> Finding:
    behind = storage.time_ms - time.time_ns() // 1_000_000
    if behind > CLOCK_BEHIND_MAX:
        cure = "Set this machine's clock (NTP); deadlines do not fall due until it has caught up."
        return Finding("clock", False, f"{behind // 1000} s behind the last block", cure)
    return Finding("clock", True, "not behind the last block")


def _check_records(storage: Storage) -> str:
    return f"all {storage.check_records()} records are those of the tree"
