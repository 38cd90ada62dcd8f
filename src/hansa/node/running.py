"""`running.json`: where the node of a home answers while it runs. Reads only; imports little.

`hansa start` writes it; commands and the nodes beside it read it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# Folder of a league's nodes, and the file in each of their homes.
NODES: Final = "nodes"
RUNNING: Final = "running.json"
RUNNING_BYTES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Running:
    """`running.json`: where a node answers; its p2p id and its engine's `host:port`."""

    url: str
    pid: int
    node: str = ""
    p2p: str = ""
    chain: str = ""


def read_running(path: Path) -> Running | None:
    """A `running.json`; None when it is not there, damaged or of another form."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(RUNNING_BYTES_MAX))
        return Running(
            url=_take(found, "url", str),
            pid=_take(found, "pid", int),
            node=_take(found, "node", str, ""),
            p2p=_take(found, "p2p", str, ""),
            chain=_take(found, "chain", str, ""),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def list_siblings(folder: Path) -> list[Running]:
    """What nodes whose homes lie beside this one said when they were started."""
    if folder.parent.name != NODES:
        return []
    files = sorted(folder.parent.glob(f"*/{RUNNING}"))
    found = (read_running(path) for path in files if path.parent != folder)
    return [each for each in found if each is not None]


def _take(document: Any, name: str, kind: type[Any], default: Any = None) -> Any:
    value = document[name] if default is None else document.get(name, default)
    if not isinstance(value, kind):
        raise TypeError(name)
    return value
