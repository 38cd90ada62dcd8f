"""The read model of a simulated node: a real SQLite file in its home, made once and copied.

Touches the home folder that it is given, and one file of the process's own.
"""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, NoReturn

from hansa.appkit.application import Application
from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.node.ledger_node import LedgerNode
from hansa.testing.simulation.workload_league import build_applications

INDEX: Final = "index.sqlite"


class CutSource:
    """A node's blocks, for a reader whose process ends when it reads one."""

    def __init__(self, ledger: LedgerNode, die: Callable[[], NoReturn]) -> None:
        self._die = die
        self.chain = ledger.chain
        self.heights, self.pin, self.subscribe = ledger.heights, ledger.pin, ledger.subscribe

    def block(self, _height: int) -> NoReturn:
        """The end."""
        self._die()


def open_index(home: Path, chain: str) -> Index:
    """The read model of a home; an empty one when there is none."""
    file = home / INDEX
    if not file.exists():
        shutil.copyfile(make_template(chain), file)
    return Index.open(f"sqlite:///{file}", _build_shape(build_applications()), chain)


def make_template(chain: str) -> Path:
    """An empty read model, made once in a process for the same applications."""
    return _make_template(chain, build_applications())


@cache
def _build_shape(applications: tuple[Application, ...]) -> Shape:
    return Shape(applications)


@cache
def _make_template(chain: str, applications: tuple[Application, ...]) -> Path:
    file = Path(mkdtemp(prefix="hansa-simulation-")) / INDEX
    Index.open(f"sqlite:///{file}", _build_shape(applications), chain).close()
    return file
