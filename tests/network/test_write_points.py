"""Killed at each point where engine or node write, and started again: same hash, nothing lost.

One validator is enough: what it has not stored, nobody gives it back.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.comet.install import install_engine
from hansa.node.archive import Archive
from tests.crash.hunt import Driver, Report, build_shim
from tests.network.history import check_agreement, replay_by_kernel
from tests.network.load import identify
from tests.node.comet_league import CometLeague
from tests.node.league import counter_key

pytestmark = pytest.mark.slow

# More than one height has: its messages, its commit, the state after it.
FAIL_POINTS = 20
# What a life has to commit, and how many lives of the last test end in the midst of it.
SENT = 3
KILLS = 40


class Site:
    """One home that dies again and again; what each of its lives said must hold in the next."""

    def __init__(self, folder: Path, driver: Driver) -> None:
        self.folder, self.driver = folder, driver
        self.league = CometLeague(folder / "homes")
        self.league.create(heartbeat_s=1, snapshot_interval=4)
        self.home = self.league.home(1)
        self.committed: dict[str, int] = {}
        self.sent: dict[str, bytes] = {}

    def run(self, *points: int, together: bool = True, kill_at: int = 0) -> Report:
        """One life: sends again what the last one left open, and more."""
        while len(self.sent) < len(self.committed) + SENT:
            data = self.league.count_up()
            self.sent[identify(data)] = data
        left = [data for identity, data in self.sent.items() if identity not in self.committed]
        file = self.folder / "transactions"
        file.write_bytes(b"\n".join(left))
        report = self.driver.run(
            home=self.home,
            journal=self.folder / "journal",
            kill_at=kill_at,
            points=points,
            together=together,
            transactions=file,
        )
        for identity, height in report.committed.items():
            assert self.committed.setdefault(identity, height) == height
        return report

    def check(self) -> None:
        """A calm life, then: all that was sent is there once, and the kernel agrees."""
        assert not self.run().was_killed
        assert self.committed.keys() == self.sent.keys()
        with Archive(self.home) as archive:
            check_agreement([archive], self.committed)
            replay_by_kernel(archive, self.league.genesis, self.league.registry)
            value = archive.storage.get(counter_key("x"))
            assert value is not None and b'"value":%d' % len(self.sent) in value


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """The process that forks the runs, under the shim."""
    install_engine()
    made = Driver(build_shim(tmp_path_factory.mktemp("shim")), "tests.network.doomed")
    yield made
    made.close()


@pytest.fixture
def site(tmp_path: Path, driver: Driver) -> Site:
    """A fresh home."""
    return Site(tmp_path, driver)


def test_node_and_engine_die_at_each_point_of_the_engine(site: Site) -> None:
    for point in range(FAIL_POINTS):
        assert site.run(point).was_killed, point
    site.check()


def test_the_engine_alone_dies_at_each_point_and_the_node_starts_it_again(site: Site) -> None:
    report = site.run(*range(FAIL_POINTS), together=False)
    assert not report.was_killed and report.committed
    site.check()


def test_the_node_dies_at_each_of_its_own_writes(site: Site) -> None:
    """From the opening of the home to the last of some blocks; the engine dies with it."""
    site.run()  # makes what only a first life makes
    calm = site.run()
    opened = next(int(words.split()[1]) for words in calm.words if words.startswith("opened"))
    step = max(1, (calm.changes - opened) // KILLS)
    places = itertools.chain(range(1, opened, 4), range(opened, calm.changes, step))
    killed = [site.run(kill_at=place).was_killed for place in places]
    print(f"{opened} changes to open, {calm.changes} in all, {sum(killed)} of {len(killed)} killed")
    assert sum(killed) > 0.8 * len(killed)
    site.check()
