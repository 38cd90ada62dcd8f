"""`hansa did issuing-key`: such a key issues for its account, and can do nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Shell

pytestmark = pytest.mark.slow
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"name": {"type": "string"}},
}
ISSUE = "--schema degree --no-status --as seller-a-issuing -o"
VERIFY = "--no-accreditation --as employer"


@pytest.fixture
def league(tmp_path: Path) -> Iterator[Shell]:
    """A running league with a schema."""
    outside = Shell(tmp_path / "home", tmp_path)
    outside.ask("init", "bay")
    with outside.started(tmp_path / "bay"):
        shell = Shell(tmp_path / "home", tmp_path / "bay")
        (shell.folder / "s.json").write_text(json.dumps(SCHEMA))
        (shell.folder / "c.json").write_text(json.dumps({"name": "Model"}))
        shell.ask(*"schema publish s.json --name degree --version 1.0.0 --as seller-a".split())
        yield shell


def test_it_issues_acts_not_and_ends_alone(league: Shell) -> None:
    make = "did issuing-key seller-a-issuing --key-id issuing-1 --as".split()
    league.ask(*make, "seller-a")
    assert (league.folder / "keys" / "seller-a-issuing.key.json").stat().st_mode & 0o077 == 0
    again = league.ask(*make, "seller-a")
    assert again["kid"].endswith("#issuing-1")
    assert league.run(*make, "seller-b").exit == 2  # the name is that of another account's key
    document = league.ask(*"did resolve seller-a --as nobody".split())["didDocument"]
    assert again["kid"] in document["assertionMethod"]
    assert again["kid"] not in document["authentication"]

    league.ask("credential", "issue", "c.json", *ISSUE.split(), "made.json")
    found = league.ask("credential", "verify", "made.json", *VERIFY.split())
    assert found["outcome"] == "yes"

    act = "permissions grant-role --application credentials --role issuer --holder seller-a --as"
    refused = league.run(*act.split(), "seller-a-issuing")
    assert refused.exit != 0
    assert "ledger.unknown_signer" in refused.out + refused.err

    end = "accounts revoke-key --account seller-a --key-id issuing-1 --reason replaced --as"
    league.ask(*end.split(), "seller-a")
    found = league.ask("credential", "verify", "made.json", *VERIFY.split(), expect=2)
    assert "key_ended" in {each["code"] for each in found["checks"]}
    waived = (*VERIFY.split(), "--accept-ended-keys")
    assert league.ask("credential", "verify", "made.json", *waived)["outcome"] == "yes"
