"""The demo tells its whole story, twice in the same folder, and never in a folder of others."""

import json
import re

import pytest

from hansa.cli.demo.sign_ins import PAGE, ROLES
from hansa.encoding.text import decode_base64url
from tests.cli.processes import ROOT, Shell

pytestmark = pytest.mark.slow


def test_demo_goes_as_told_and_is_safe_to_run_twice(shell: Shell) -> None:
    """The second time as in CI: without a terminal, one JSON document."""
    examples = ("--examples", ROOT / "examples" / "en16931")
    league = shell.folder / "demo-league"
    done = shell.run("demo", "--once", *examples)
    assert done.exit == 0, done.out
    assert "0 not as expected" in done.out
    for code in (
        "ledger.missing_role",
        "e_invoice.number_used",
        "e_invoice.quota_spent",
        "e_invoice.br_co_15",
        "e_invoice.already_submitted",
        "e_invoice.credit_above_original",
        "food_trace.stopped",
    ):
        assert code in done.out, code
    first = check_left(shell)
    links = re.findall(r"#key-file=([A-Za-z0-9_-]+)", (league / "demo" / PAGE).read_text())
    names = [json.loads(decode_base64url(each))["name"] for each in links]
    assert names == [name for name, _who in ROLES]
    done = shell.run("demo", *examples, "--json", CI="true")
    assert done.exit == 0, done.err
    assert all(each["ok"] for each in done.json["expectations"])
    assert len(done.json["expectations"]) > 40
    assert check_left(shell) != first
    assert len(shell.ask("trust", "list")) == 1


def check_left(shell: Shell) -> str:
    """What a demo leaves behind holds; the chain's id."""
    league = shell.folder / "demo-league"
    for name in ("receipt.json", "trust-root.json", "genesis.json"):
        assert (league / name).is_file()
    assert not (league / "running.json").exists()
    verdict = shell.ask("verify", league / "receipt.json")[0]
    assert verdict["outcome"] == "yes"
    return str(verdict["chain"])


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
