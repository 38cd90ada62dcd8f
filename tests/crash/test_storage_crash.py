"""Kill -9 at any change of the disk while seals, pruning and a restore write: never half of it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crash.disk import Disk, Variant
from tests.crash.hunt import Driver
from tests.crash.storage_runs import (
    OLD,
    check_blocks,
    check_restore,
    compute_roots,
    make_source,
)
from tests.crash.test_crash import driver, folder
from tests.node.states import make_records, make_storage

__all__ = ["driver", "folder"]

Check = Callable[[Path, dict[str, int]], None]


class StorageHunt:
    """One storage, one kind of run, as many kills as wanted."""

    def __init__(self, folder: Path, driver: Driver, order: dict[str, Any], check: Check) -> None:
        self.folder, self.driver, self.order, self.check = folder, driver, order, check
        self.home, self.start = folder / "home", folder / "start"

    def run(self, kill_at: int, variants: tuple[Variant, ...]) -> int:
        """One run from `start`; changes of the disk when it came to its end, 0 when it was killed.

        What each kind of stop leaves is looked at, and gone on from.
        """
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.start, self.home)
        journal = self.folder / "journal"
        report = self.driver.run(
            home=self.home,
            root=self.home,
            journal=journal,
            kill_at=kill_at,
            fault="",
            create=False,
            **self.order,
        )
        disk = Disk(self.home, self.start)
        assert disk.play(journal.read_bytes()) == report.was_killed
        for variant in variants:
            shutil.rmtree(self.home)
            disk.write_out(self.home, variant)
            self.check(self.home, report.said)
        return 0 if report.was_killed else report.changes

    def kill_at_each(self, places: range) -> int:
        """How many runs were killed."""
        others: tuple[Variant, ...] = ("torn", "kept")
        return sum(not self.run(place, ("dropped", others[place % 2])) for place in places)


def hunt_blocks(folder: Path, driver: Driver) -> StorageHunt:
    (folder / "calm").mkdir()
    roots = compute_roots(folder / "calm" / "data")
    (folder / "start").mkdir()
    make_storage(folder / "start" / "data", make_records(60)).close()
    order = {"roots": [root.hex() for root in roots]}
    return StorageHunt(folder, driver, order, lambda home, said: check_blocks(home, said, roots))


def hunt_restore(folder: Path, driver: Driver) -> StorageHunt:
    (folder / "source").mkdir()
    file = folder / "snapshot"
    make_source(folder / "source", file)
    (folder / "start").mkdir()
    make_storage(folder / "start" / "data", OLD).close()
    order = {"restore": str(file)}
    return StorageHunt(folder, driver, order, lambda home, said: check_restore(home, said, file))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [hunt_blocks, hunt_restore])
def test_storage_is_whole_after_some_kills(
    folder: Path, driver: Driver, kind: Callable[[Path, Driver], StorageHunt]
) -> None:
    hunt = kind(folder, driver)
    changes = hunt.run(0, ("dropped",))
    assert changes > 60
    assert hunt.kill_at_each(range(2, changes, max(1, changes // 12))) >= 11


@pytest.mark.slow
@pytest.mark.parametrize("kind", [hunt_blocks, hunt_restore])
def test_storage_is_whole_after_a_kill_at_every_change(
    folder: Path, driver: Driver, kind: Callable[[Path, Driver], StorageHunt]
) -> None:
    hunt = kind(folder, driver)
    changes = hunt.run(0, ("dropped",))
    killed = hunt.kill_at_each(range(1, changes + 1))
    print(f"{changes} changes of the disk in a calm run, {killed} kills")
    assert killed > changes * 0.9
