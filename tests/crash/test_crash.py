"""Kill -9 at any change of the disk, unsynced writes dropped: nothing is lost or doubled."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hansa.node.faults import NodeError
from hansa.node.home import open_home
from tests.crash.disk import Disk, Variant
from tests.crash.hunt import Driver, Hunt, Lost, Report, build_shim
from tests.node.league import ToyLeague

OTHER_VARIANTS: tuple[Variant, ...] = ("torn", "kept")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """The process that forks the runs, under the shim."""
    made = Driver(build_shim(tmp_path_factory.mktemp("shim")))
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a disk: what a power cut leaves comes from the journal."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="hansa-crash-") as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Hundreds of restarts would bury a finding under their logs."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


def kill_and_check(hunt: Hunt, kill_at: int) -> bool:
    """One kill; started on what was synced, at each third place also on more. Whether it fell."""
    report, disk = hunt.run(kill_at)
    hunt.check(report, disk, "dropped")
    if kill_at % 3 == 0:
        hunt.check(report, disk, OTHER_VARIANTS[kill_at % 2])
    return report.was_killed


def test_calm_run_survives_a_power_cut_at_its_end(folder: Path, driver: Driver) -> None:
    hunt = Hunt(folder, driver, transactions=12, group=3)
    report, disk = hunt.run(0)
    assert len(report.committed) == 12 and not report.was_killed
    assert report.changes > 60
    hunt.check(report, disk, "dropped")


@pytest.mark.slow
def test_nothing_reported_is_lost_by_twenty_kills(folder: Path, driver: Driver) -> None:
    hunt = Hunt(folder, driver, transactions=16, group=1)
    changes = hunt.run(0)[0].changes
    places = range(3, changes, max(1, changes // 20))
    killed = [kill_and_check(hunt, place) for place in places]
    assert sum(killed) >= 18


@pytest.mark.slow
@pytest.mark.parametrize(("transactions", "group"), [(32, 1), (70, 7)])
def test_nothing_reported_is_lost_by_a_kill_at_every_change(
    folder: Path, driver: Driver, transactions: int, group: int
) -> None:
    hunt = Hunt(folder, driver, transactions=transactions, group=group)
    changes = hunt.run(0)[0].changes
    killed = sum(kill_and_check(hunt, place) for place in range(1, changes + 1))
    print(f"{changes} changes of the disk in a calm run, {killed} kills")
    assert killed > changes * 0.9


@pytest.mark.slow
def test_nothing_reported_is_lost_by_kills_on_kills(folder: Path, driver: Driver) -> None:
    """Killed again and again while it recovers, opens and runs; what each run said holds."""
    hunt = Hunt(folder, driver, transactions=24, group=2)
    all_said = Report()
    for place in [*range(1, 40), *range(2, 90, 3)]:
        report, disk = hunt.run(place)
        for identity, height in report.committed.items():
            assert all_said.committed.setdefault(identity, height) == height
        hunt.go_on_from(disk, ("dropped", "torn", "kept")[place % 3])
    hunt.check(all_said, disk, "dropped")


def check_creation(league: ToyLeague, report: Report) -> None:
    """After the stop: made and whole, or nothing under its name; making it again always works."""
    if report.created or league.folder.exists():
        home = open_home(league.folder)
        assert home.validator_key()
    league.create()
    with league.open() as node:
        assert node.height == 1
    assert [path.name for path in league.folder.parent.iterdir()] == [league.folder.name]


@pytest.mark.slow
def test_home_is_whole_or_not_there_after_a_kill_while_it_is_made(
    folder: Path, driver: Driver
) -> None:
    place, killed = 0, True
    root = folder / "root"
    league = ToyLeague(root / "home")
    while killed:
        place += 1
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        report = driver.run(
            home=league.folder,
            root=root,
            journal=folder / "journal",
            kill_at=place,
            fault="",
            create=True,
        )
        killed = report.was_killed
        variants: tuple[Variant, ...] = ("dropped", OTHER_VARIANTS[place % 2])
        for variant in variants:
            disk = Disk(root, None)
            disk.play((folder / "journal").read_bytes())
            shutil.rmtree(root)
            disk.write_out(root, variant)
            check_creation(league, report)
    assert place > 60


@pytest.mark.parametrize("fault", ["no_sync", "two_writes"])
def test_hunt_finds_a_planted_fault(folder: Path, driver: Driver, fault: str) -> None:
    """The canary: an engine broken on purpose is found out by the very same checks."""
    hunt = Hunt(folder, driver, transactions=8, group=1)
    changes = hunt.run(0)[0].changes
    found: list[str] = []
    for place in range(changes // 2, changes // 2 + 12):
        report, disk = hunt.run(place, fault)
        try:
            hunt.check(report, disk, "dropped")
        except (Lost, NodeError) as finding:
            found.append(str(finding))
    assert found
