"""The drill: a league at work is backed up by its operator and comes back on an empty machine."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.backups.pieces import WORDS
from tests.cli.processes import Shell
from tests.cli.trade import Trade

pytestmark = pytest.mark.slow
SEALED = {"HANSA_BACKUP_PASSPHRASE": WORDS}


@contextmanager
def at_work(trade: Trade) -> Iterator[None]:
    """Somebody registers organisation after organisation."""
    ended = threading.Event()

    def work() -> None:
        count = 0
        while not ended.is_set():
            count += 1
            body = {
                "scheme": "0088",
                "value": f"{count:013}",
                "member": trade.dids["buyer"],
                "since": "2010-01-01",
            }
            trade.shell.run(
                "e-invoice", "register-taxpayer", "--body", json.dumps([body]),
                "--as", "tax-bureau",
            )  # fmt: skip

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


def test_a_league_at_work_comes_back_elsewhere(tmp_path: Path) -> None:
    outside = Shell(tmp_path / "home", tmp_path)
    outside.ask("init", "bay")
    with outside.started(tmp_path / "bay"):
        trade = Trade(Shell(tmp_path / "home", tmp_path / "bay"))
        trade.open()
        shell = trade.shell
        line = trade.issue()
        kept, gone = shell.ask("vault", "list", "--as", "seller-a")[0]["entry"], ""
        trade.issue()
        entries = [each["entry"] for each in shell.ask("vault", "list", "--as", "seller-a")]
        gone = next(entry for entry in entries if entry != kept)
        shell.ask("vault", "erase", gone, "--yes", "--as", "seller-a")
        shell.ask("service", "make", "food-trace", "--as", "seller-a")
        shell.ask("receipt", line["transaction"], "-o", "before.json", "--as", "seller-a")
        with at_work(trade):
            time.sleep(1)
            made = shell.run("backup", ".", "-o", str(tmp_path), "--json", **SEALED)
        assert made.exit == 0, made.err
        checked = outside.run("backup", "verify", made.json["file"], "--json", **SEALED)
        assert checked.json["keys_opened"] and checked.json["app_hash"] == made.json["app_hash"]
        before = shell.ask("e-invoice", "history", "invoice", line["invoice"], "--as", "seller-a")
    (tmp_path / "bay").rename(tmp_path / "lost")

    elsewhere = Shell(tmp_path / "new-home", tmp_path)
    refused = elsewhere.run("restore", made.json["file"], "again")
    assert refused.exit == 2 and "backup.passphrase_needed" in refused.err
    done = elsewhere.run("restore", made.json["file"], "again", "--json", **SEALED)
    assert done.exit == 0, done.err
    assert (done.json["height"], done.json["app_hash"]) == (
        made.json["height"],
        made.json["app_hash"],
    )
    assert "must never run again" in done.err
    trusted = elsewhere.run("trust", "add", tmp_path / "lost" / "genesis.json")
    assert trusted.exit == 0, trusted.err
    examined = elsewhere.run("doctor", "again", "--deep")
    assert examined.exit == 0, examined.out
    with elsewhere.started(tmp_path / "again"):
        trade.shell = shell = Shell(tmp_path / "new-home", tmp_path / "again")
        assert shell.run("verify", tmp_path / "lost" / "before.json").exit == 0
        shell.ask("receipt", line["transaction"], "-o", "after.json", "--as", "seller-a")
        assert shell.run("verify", "after.json").exit == 0
        after = shell.ask("e-invoice", "history", "invoice", line["invoice"], "--as", "seller-a")
        assert after == before
        shell.ask("vault", "export", kept, "-o", "kept.xml", "--as", "seller-a")
        away = shell.run("vault", "export", gone, "-o", "gone.xml", "--as", "seller-a")
        assert away.exit == 2 and "vault.erased" in away.err
        assert "food_trace" in str(shell.ask("service", "list"))
        fresh = trade.issue()
        shell.ask("receipt", fresh["transaction"], "-o", "fresh.json", "--as", "seller-a")
        assert shell.run("verify", "fresh.json").exit == 0
        assert shell.ask("status")["height"] > made.json["height"]
