"""`hansa trust` and what it means for `hansa verify`: genesis, checkpoints, age, other homes."""

from pathlib import Path

import pytest

from tests.cli.processes import Shell
from tests.cli.trade import Trade


@pytest.fixture
def stranger(tmp_path: Path) -> Shell:
    """Another user's shell, who has pinned nothing."""
    folder = tmp_path / "there"
    folder.mkdir()
    return Shell(tmp_path / "other", folder)


@pytest.mark.slow
def test_a_checkpoint_renews_the_root_and_judges_what_is_newer(
    trade: Trade, stranger: Shell
) -> None:
    trade.issue()
    made = trade.shell.ask("trust", "checkpoint", "-o", "cp.json", "--force")
    genesis, checkpoint = trade.shell.ask("trust", "list")
    assert (genesis["kind"], genesis["height"]) == ("genesis", 0)
    assert (checkpoint["kind"], checkpoint["height"]) == ("checkpoint", made["height"])
    assert checkpoint["digest"] == made["digest"]
    assert 0 <= checkpoint["age_s"] <= genesis["age_s"]
    line = trade.issue()
    trade.shell.ask("receipt", line["transaction"], "-o", "new.json", "--as", "seller-a")
    (verdict,) = trade.shell.ask("verify", "new.json")
    assert verdict["trusted"] == f"checkpoint {made['digest']}"
    assert (verdict["trusted_height"], verdict["followed"]) == (made["height"], 0)

    # Files can be made to lead from there.
    root = ("--trusted", str(made["height"]), "--as", "seller-a")
    trade.shell.ask("receipt", line["transaction"], "-o", "led.json", *root)
    path = f"e-invoice/invoice/{line['invoice']}"
    trade.shell.ask("prove", path, "-o", "proof.json", *root)
    for file in ("led.json", "proof.json"):
        assert trade.shell.run("verify", file, "--trust", "cp.json").exit == 0

    # Whoever gets the file over a channel that he trusts needs no genesis.
    folder = trade.shell.folder
    assert stranger.run("verify", folder / "new.json").exit == 2
    assert stranger.run("verify", folder / "new.json", "--trust", folder / "cp.json").exit == 0
    done = stranger.run("trust", "add", folder / "cp.json")
    assert done.exit == 0
    assert "compare height and header with a member's" in done.err
    assert stranger.run("verify", folder / "new.json").exit == 0
    assert "checkpoint at height" in stranger.run("verify", folder / "new.json").out


@pytest.mark.slow
def test_a_checkpoint_of_a_height_follows_from_the_genesis(trade: Trade, stranger: Shell) -> None:
    stranger.ask("trust", "add", trade.shell.folder / "genesis.json")
    node = trade.shell.ask("status")["url"]
    made = stranger.ask("trust", "checkpoint", "--height", "2", "--node", node)
    assert (made["height"], made["followed"]) == (2, 0)
    later = stranger.ask("trust", "checkpoint", "--node", node)
    assert later["height"] > 2
    # The pinned one is not exchanged for an older one in silence.
    done = stranger.run("trust", "checkpoint", "--height", "1", "--node", node)
    assert done.exit == 2
    assert "is newer" in done.err
    assert stranger.run("trust", "checkpoint", "--height", "999999", "--node", node).exit == 1


@pytest.mark.slow
def test_a_node_of_another_league_gives_no_checkpoint(trade: Trade, stranger: Shell) -> None:
    node = trade.shell.ask("status")["url"]
    done = stranger.run("trust", "checkpoint", "--node", node)
    assert done.exit == 2
    assert "nothing is pinned" in done.err
    chain = trade.shell.ask("status")["chain"]
    stranger.ask("init", "mine", "--chain", chain)
    done = stranger.run("trust", "checkpoint", "--node", node)
    assert done.exit == 2
    assert "does not follow from what is pinned" in done.err
    assert [each["kind"] for each in stranger.ask("trust", "list")] == ["genesis"]


@pytest.mark.slow
def test_a_root_older_than_the_period_could_not_judge(trade: Trade) -> None:
    line = trade.issue()
    trade.shell.ask("receipt", line["transaction"], "-o", "old.json", "--as", "seller-a")
    assert trade.shell.run("verify", "old.json", "--trust-days", "1").exit == 0
    for days in ("0", "-1", "x", "40000"):
        assert trade.shell.run("verify", "old.json", "--trust-days", days).exit == 2


@pytest.mark.parametrize("data", [b"", b"{}", b'{"kind":"hansa.checkpoint/1"}', b"\xff", b"[" * 99])
def test_what_is_neither_genesis_nor_checkpoint_is_not_pinned(shell: Shell, data: bytes) -> None:
    (shell.folder / "x.json").write_bytes(data)
    done = shell.run("trust", "add", "x.json")
    assert done.exit == 2
    assert "this is no" in done.err
    assert shell.ask("trust", "list") == []


def test_a_file_that_is_not_there(shell: Shell) -> None:
    assert shell.run("trust", "add", "x.json").exit == 2
    assert shell.run("verify", "x.json", "--trust", "y.json").exit == 2


def test_removing_forgets_all(shell: Shell) -> None:
    made = shell.ask("init", "bay")
    assert shell.ask("trust", "remove", made["chain"])["removed"] is True
    assert shell.ask("trust", "list") == []
    assert shell.ask("trust", "remove", made["chain"], expect=1)["removed"] is False
