"""A folder of links to a database's files: what the engine writes beside them does not reach them.

rocksdict writes a file of its own at each opening, even one for reading only. Touches a folder of
the system's for temporary files, in memory where there is one: the database's disk may be full.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder for this user alone
_OWN_FILES: Final = frozenset({"rocksdict-config.json", "LOCK"})


@contextmanager
def mirrored(folder: Path) -> Iterator[Path]:
    """A folder whose files are those of `folder`, until the end. Raises OSError."""
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="hansa-", dir=place) as name:
        mirror = Path(name)
        for file in folder.absolute().iterdir():
            if file.name not in _OWN_FILES:
                (mirror / file.name).symlink_to(file)
        yield mirror
