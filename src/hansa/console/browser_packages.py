"""Other people's scripts, fetched at set-up by `tools/bootstrap.py`. Reads its folder only.

They are never part of the repository: whoever sets up without the npm registry lacks them, and the
pages that would use them say so.
"""

import sys
from pathlib import Path
from typing import Final

# Names of files in the folder; tools/bootstrap.py pins version and digest of each.
JSQR: Final = "jsqr-1.4.0.js"
_NAMES: Final = frozenset({JSQR})


def find_package(name: str, prefix: Path | None = None) -> Path | None:
    """The file of a package, None when it was not fetched or is not one of ours.

    prefix: the Python environment in which Hansa runs.
    """
    if name not in _NAMES:
        return None
    path = (prefix or Path(sys.prefix)) / "share" / "hansa" / "browser" / name
    return path if path.is_file() else None


def describe_address(name: str) -> str:
    """Where this console serves it, "" when it is absent."""
    return f"/verify/packages/{name}" if find_package(name) is not None else ""
