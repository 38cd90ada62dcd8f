"""`diagnose`: what is wrong with a home folder, and what to do. Reads; changes nothing.

The data is opened for reading, and only when no node runs on it. Each finding stands alone: one
that fails, be it by a full disk, does not hide the others.
"""

import errno
import os
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from hansa.crypto.keys import PrivateKey
from hansa.node.archive import Archive
from hansa.node.audit import CURE, check_chain
from hansa.node.faults import CorruptFolderError, NodeError
from hansa.node.home import GENESIS, KEYS, SETTINGS, VALIDATOR, Home, open_home
from hansa.node.lock import find_holder
from hansa.node.sealer import Sealer, build_validators
from hansa.node.storage import Storage

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


# Looks that others add, given the home and its height (None: the data was not opened).
Look = Callable[[Home, int | None], Finding]


def diagnose(folder: Path, *, deep: bool = False, further: Sequence[Look] = ()) -> list[Finding]:
    """Look at a home folder. `deep` also checks every record and every block: minutes."""
    try:
        home = open_home(folder)
    except NodeError as error:
        return [Finding("home", False, error.text, error.cure)]
    found, height = _look_at_home(home, deep)
    for look in further:
        found.append(look(home, height))
    return found


def _look_at_home(home: Home, deep: bool) -> tuple[list[Finding], int | None]:
    found = [
        Finding("home", True, f"{GENESIS} and {SETTINGS} of {home.genesis.chain} are in order"),
        _attempt("validator key", lambda: _look_at_key(home)),
        _attempt_finding("disk", lambda: _look_at_disk(home)),
    ]
    try:
        holder = find_holder(home.folder)
    except OSError as error:
        return [*found, describe_os_error("lock", error)], None
    if holder is not None:
        who = f"process {holder}" if holder else "another process"
        text = f"a node runs on it ({who}); its data was not opened"
        return [*found, Finding("lock", True, text)], None
    found.append(Finding("lock", True, "no node runs on it"))
    found.append(_look_at_port(home))
    further, height = _look_at_data(home, deep)
    return [*found, *further], height


def _attempt(name: str, look: Callable[[], str]) -> Finding:
    return _attempt_finding(name, lambda: Finding(name, True, look()))


def _attempt_finding(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except NodeError as error:
        return Finding(name, False, error.text, error.cure)
    except OSError as error:
        return describe_os_error(name, error)


def describe_os_error(name: str, error: OSError) -> Finding:
    """What the system refused while something was looked at."""
    place = f"{error.filename}: " if error.filename else ""
    cure = "See that the disk is there, has space, and lets this user read; then look again."
    return Finding(name, False, f"{place}{error.strerror or error}", cure)


def _look_at_key(home: Home) -> str:
    home.validator_key()
    return f"{KEYS}/{VALIDATOR} is whole and private to its owner"


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


def _look_at_data(home: Home, deep: bool) -> tuple[list[Finding], int | None]:
    try:
        with Archive(home.folder) as archive:
            storage = archive.storage
            text = f"height {storage.height}, root {storage.root.hex()[:16]} as committed"
            found = [
                Finding("data", True, text),
                _look_at_clock(storage),
                _attempt("last block", lambda: _check_last(storage)),
                *_look_at_vote(home, storage),
            ]
            if deep:
                found.append(_attempt("records", lambda: _check_records(storage)))
                found.append(_attempt("blocks", lambda: _check_blocks(home, storage)))
            return found, storage.height
    except NodeError as error:
        return [Finding("data", False, error.text, error.cure)], None
    except OSError as error:
        return [describe_os_error("data", error)], None


def _look_at_vote(home: Home, storage: Storage) -> list[Finding]:
    """An embedded engine's key decides its blocks: nothing to say when it is a validator's."""
    if home.settings.engine.kind != "embedded":
        return []
    try:
        key = home.validator_key()
    except NodeError:  # said already, of the file
        return []
    finding = _attempt_finding("validator key", lambda: _compare_key(home, key, storage))
    return [] if finding.ok else [finding]


def _compare_key(home: Home, key: PrivateKey, storage: Storage) -> Finding:
    Sealer.open(home.genesis, key, storage).check_power()
    return Finding("validator key", True, "")


def _look_at_clock(storage: Storage) -> Finding:
    behind = storage.time_ms - time.time_ns() // 1_000_000
    if behind > CLOCK_BEHIND_MAX:
        cure = "Set this machine's clock (NTP); deadlines do not fall due until it has caught up."
        return Finding("clock", False, f"{behind // 1000} s behind the last block", cure)
    return Finding("clock", True, "not behind the last block")


def _check_last(storage: Storage) -> str:
    """The newest block can be read: the cheap part of what `deep` does with each."""
    block = storage.block(storage.height)
    if block is None:
        if storage.height < storage.base:  # genesis, or a snapshot that nothing follows yet
            return "there is none yet"
        raise CorruptFolderError(f"block {storage.height}, the last one, is missing", CURE)
    return f"block {block.height} is whole"


def _check_blocks(home: Home, storage: Storage) -> str:
    count = check_chain(storage, home.genesis.chain, build_validators(home.genesis))
    return f"all {count} blocks, their results and signatures are as committed"


def _check_records(storage: Storage) -> str:
    return f"all {storage.check_records()} records are those of the tree"
