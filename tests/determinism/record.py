"""A pytest plugin: keeps the blocks of the leagues that other tests ran, as few as show everything.

After each test, a chain is kept if it holds a message type or a result code not seen before.
Written to
the folder `HANSA_RECORD` at the end, with the digest that the run itself computed.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hansa.catalog import build_registry
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import Genesis
from hansa.testing.chain import Chain
from hansa.testing.simulation.reference import compute_digest
from tests.contracts import desk, land

if TYPE_CHECKING:  # replays run where pytest is not
    import pytest


class Recorded(msgspec.Struct):
    """One league: its genesis, its blocks, and the digest of all that executing them gave."""

    genesis: Genesis
    blocks: list[Block]
    digest: str
    covered: list[str]


def list_covered(results: list[BlockResult]) -> set[str]:
    """`type …` and `code …` of every message result, and of every failed proposal's event."""
    covered = set()
    for result in results:
        messages = [message for each in result.results for message in each.messages]
        for message in (*messages, *result.deadlines):
            covered |= {f"type {message.type}", f"code {message.code}"}
            for event in message.events:
                failure = msgspec.json.decode(event.body).get("code")
                if isinstance(failure, str):
                    covered.add(f"code {failure}")
    return covered


def build_known_registry() -> Registry:
    """The catalog's contracts, and those that the tests of system contracts act upon."""
    return Registry([*build_registry().latest.values(), land.contract, desk.contract])


class Recorder:
    """Collects chains of the catalog's own contracts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Chain] = []
        self.kept: list[Recorded] = []
        self.covered: set[str] = set()

    def watch(self) -> None:
        """From now on, remember every chain that a test makes."""
        make = Chain.__init__
        running = self.running
        known = set(map(id, build_known_registry().latest.values()))

        def init(made: Chain, /, *args: Any, **kwargs: Any) -> None:
            make(made, *args, **kwargs)
            if set(map(id, made.registry.latest.values())) <= known:
                running.append(made)

        Chain.__init__ = init  # type: ignore[method-assign]

    def pytest_runtest_teardown(self, item: "pytest.Item") -> None:
        """Keep what is new, forget the rest; and what ran on other code than the replays have."""
        if "monkeypatch" in getattr(item, "fixturenames", ()):
            self.running.clear()
        for chain in self.running:
            covered = list_covered(chain.results)
            if covered - self.covered:
                self.covered |= covered
                self.kept.append(
                    Recorded(
                        genesis=msgspec.convert(
                            msgspec.json.decode(msgspec.json.encode(chain.genesis)), Genesis
                        ),
                        blocks=list(chain.blocks),
                        digest=compute_digest(chain.results),
                        covered=sorted(covered),
                    )
                )
        self.running.clear()

    def pytest_sessionfinish(self) -> None:
        """Write one file for each league that was kept."""
        for number, recorded in enumerate(self.kept):
            path = self.folder / f"{number:04d}.json"
            path.write_bytes(msgspec.json.encode(recorded))


def pytest_configure(config: Any) -> None:
    """Start when the environment says where to."""
    folder = os.environ.get("HANSA_RECORD")
    if folder:
        recorder = Recorder(Path(folder))
        recorder.watch()
        config.pluginmanager.register(recorder, "hansa-recorder")
