"""The demo tells its whole story, twice in the same folder, and never in a folder of others."""

import pytest

from tests.cli.processes import ROOT, Shell

pytestmark = pytest.mark.slow


def test_demo_goes_as_told_and_is_safe_to_run_twice(shell: Shell) -> None:
    chains = set()
    for _ in range(2):
        done = shell.run("demo", "--once", "--examples", ROOT / "examples" / "en16931")
        assert done.exit == 0, done.out
        assert "0 not as expected" in done.out
        for code in (
            "ledger.missing_role",
            "e_invoice.number_used",
            "e_invoice.quota_spent",
            "e_invoice.br_co_15",
            "e_invoice.already_submitted",
            "e_invoice.credit_above_original",
        ):
            assert code in done.out, code
        league = shell.folder / "demo-league"
        for name in ("receipt.json", "trust-root.json", "genesis.json"):
            assert (league / name).is_file()
        assert not (league / "running.json").exists()
        verdict = shell.ask("verify", league / "receipt.json")[0]
        assert verdict["outcome"] == "yes"
        chains.add(verdict["chain"])
    assert len(chains) == 2
    assert len(shell.ask("trust", "list")) == 1


def test_demo_runs_in_ci_without_a_terminal(shell: Shell) -> None:
    examples = ROOT / "examples" / "en16931"
    done = shell.run("demo", "--folder", "other", "--examples", examples, "--json", CI="true")
    assert done.exit == 0, done.err
    assert all(each["ok"] for each in done.json["expectations"])
    assert len(done.json["expectations"]) > 20


def test_demo_leaves_folders_of_others_alone(shell: Shell) -> None:
    shell.ask("init", "demo-league")
    done = shell.run("demo", "--once", "--examples", ROOT / "examples" / "en16931")
    assert done.exit == 2
    assert "was not made by a demo" in done.err
    assert (shell.folder / "demo-league" / "genesis.json").is_file()


def test_demo_without_examples_says_where_to_get_them(shell: Shell) -> None:
    (shell.folder / "none").mkdir()
    done = shell.run("demo", "--once", "--examples", "none")
    assert done.exit == 2
    assert "--examples" in done.err
