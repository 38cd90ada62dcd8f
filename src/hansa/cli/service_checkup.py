"""What `hansa doctor` looks at of a gateway: service keys, clients' tokens, the notebook. Reads
these files, changes nothing; a home that serves no standard's door has none of them.
"""

import shlex
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from hansa.api.notebook import FILE as NOTEBOOK
from hansa.cli.answers import count_of
from hansa.client.faults import ClientError
from hansa.client.service import CLIENTS, SERVICE, WALLETS, ServiceFolder

if TYPE_CHECKING:
    from hansa.node.doctor import Finding

_PRIVATE = 0o077


def look_at_gateway(home: Path) -> "list[Finding]":
    """All of it; nothing where there is nothing."""
    found = []
    if (home / SERVICE).is_dir():
        found += [look_at_service_keys(home), look_at_clients(home)]
    if (home / NOTEBOOK).exists():
        found.append(look_at_notebook(home / NOTEBOOK))
    return found


def look_at_service_keys(home: Path) -> "Finding":
    """Each can be read, is private, and is for an application of this release."""
    from hansa.catalog import CIVIC, SYSTEM
    from hansa.node.doctor import Finding

    folder = ServiceFolder(home)
    names = folder.ring.names()
    for name in names:
        try:
            folder.key(name)
        except ClientError as error:
            return Finding("service keys", False, error.text, error.remedy)
        if name not in SYSTEM | CIVIC and name != WALLETS:
            text = f"there is a service key for {name}, and no such application in this release"
            cure = f"hansa service revoke {shlex.quote(name)} --as NAME"
            return Finding("service keys", False, text, cure)
    return Finding("service keys", True, f"{count_of(len(names), 'service key')} in use")


def look_at_clients(home: Path) -> "Finding":
    """Each file counts for something, and who may capture has a key that signs."""
    from hansa.node.doctor import Finding

    folder = ServiceFolder(home)
    files = sorted((home / SERVICE / CLIENTS).glob("*.json"))
    clients = list(folder.clients())
    dead = [file for file in files if file.stem not in {each.id for each in clients}]
    if dead:
        file = dead[0]
        if stat.S_IMODE(file.stat().st_mode) & _PRIVATE:
            cure = f"chmod 600 {shlex.quote(str(file))}"
            return Finding("clients", False, f"others may read {file}: it counts for nothing", cure)
        cure = f"rm {shlex.quote(str(file))}, and issue another: hansa service client LABEL APP"
        return Finding("clients", False, f"{file} is damaged: it counts for nothing", cure)
    for each in clients:
        if each.may == "capture" and not folder.ring.path(each.application).exists():
            text = f"{each.label} may capture, but no service key of {each.application} signs"
            cure = f"hansa service make {each.application.replace('_', '-')} --as NAME"
            return Finding("clients", False, text, cure)
    now_ms = time.time_ns() // 1_000_000
    over = sum(each.ends_ms <= now_ms for each in clients)
    text = f"{count_of(len(clients), 'client')}, {over} of them over"
    return Finding("clients", True, text)


def look_at_notebook(file: Path) -> "Finding":
    """The file of jobs, named queries and subscriptions is whole and private."""
    from hansa.node.doctor import Finding

    if stat.S_IMODE(file.stat().st_mode) & _PRIVATE:
        cure = f"chmod 600 {shlex.quote(str(file))}"
        return Finding("notebook", False, f"others may read {file}", cure)
    # Without a log beside it nobody has it open: then not even SQLite's own files are made.
    is_open = file.with_name(f"{file.name}-wal").exists()
    how = "mode=ro" if is_open else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            (count,) = database.execute("SELECT count(*) FROM notes").fetchone()
    except sqlite3.Error as error:
        return Finding("notebook", False, f"{file} cannot be read: {error}", _cure(file))
    if verdict != "ok":
        return Finding("notebook", False, f"{file} is damaged: {verdict}", _cure(file))
    return Finding("notebook", True, f"{count_of(count, 'note')}: jobs, queries, subscriptions")


def _cure(file: Path) -> str:
    return (
        f"stop the league; put {file} back from a backup, or move it away: named queries, "
        "subscriptions and jobs are lost, the ledger is not"
    )
