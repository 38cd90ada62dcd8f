"""Back-ups of toy leagues, and files that somebody made up."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from hansa.cli.backups.form import END, HEAD, KIND, TRAILER, Entry, Listing, compute_digest
from hansa.cli.backups.making import Made, make_backup
from hansa.cli.backups.reading import Backup
from hansa.cli.backups.restoring import Restored, Vote, restore_backup
from hansa.cli.start import find_vaults
from hansa.node.home import open_home

WORDS = "correct horse"
NOW_MS = 1_700_000_000_000


def tell(_done: int, _total: int, _what: str) -> None:
    """Nobody looks."""


def back_up(home: Path, output: Path, words: str = "") -> Made:
    return make_backup(open_home(home), find_vaults(home), output, words, NOW_MS, tell)


def bring_back(file: Path, target: Path, words: str = "", vote: Vote = Vote()) -> Restored:  # noqa: B008
    with Backup(file) as opened:
        if words:
            opened.unlock(words)
        return restore_backup(opened, target, vote, tell)


def make_up(file: Path, entries: Iterable[tuple[str, bytes]], **changed: Any) -> Path:
    """A file whose list and digests are in order, with any paths."""
    listed, content = [], b""
    for path, data in entries:
        listed.append(Entry(path, len(data), compute_digest(data).hex()))
        content += data
    listing = Listing(
        kind=KIND,
        release="0",
        chain="toy",
        genesis="00" * 32,
        engine="embedded",
        height=0,
        root="00" * 32,
        time_ms=0,
        made_ms=0,
        keys="left out",
        has_engine=False,
        lock=None,
        files=tuple(listed),
    )
    data = msgspec.json.encode(msgspec.structs.replace(listing, **changed))
    trailer = TRAILER.pack(len(data), compute_digest(data), bytes(32), END)
    file.write_bytes(HEAD + content + data + trailer)
    return file
