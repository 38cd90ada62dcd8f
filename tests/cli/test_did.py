"""`hansa did` on a running league: made, promised, rotated, recovered, closed, resolved."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import Shell


@pytest.fixture(scope="module")
def bay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in the folder of a running league."""
    base = tmp_path_factory.mktemp("did")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay")
    with outside.started(base / "bay"):
        yield Shell(base / "home", base / "bay")


def fragments(result: dict[str, Any]) -> list[str]:
    methods = result["didDocument"].get("verificationMethod", [])
    return [each["id"].partition("#")[2] for each in methods]


@pytest.mark.slow
def test_the_life_of_a_did(bay: Shell) -> None:
    bay.ask("did", "create", "alice", "--kind", "staff", "--as", "employer")
    again = bay.ask("did", "create", "alice", "--as", "employer")
    assert again["didDocument"]["id"] == bay.ask("keys", "show", "alice")["account"]
    first = bay.ask("did", "resolve", "alice")
    did = first["didDocument"]["id"]
    assert fragments(first) == ["k1"]

    set_service = ("did", "service", "set", "files", "LinkedDomains", "https://a.example/")
    bay.ask(*set_service, "--as", "alice")
    bay.ask("did", "agreement", "new", "inbox", "--as", "alice")
    (box,) = bay.folder.rglob("alice.agree.inbox.jwk")
    assert stat.S_IMODE(box.stat().st_mode) == 0o600
    told = bay.ask("did", "resolve", "alice")
    assert fragments(told) == ["k1", "agree.inbox"]
    assert told["didDocument"]["service"][0]["serviceEndpoint"] == "https://a.example/"

    promised = bay.ask("did", "next", "alice")
    assert bay.ask("did", "next", "alice") == promised
    assert stat.S_IMODE(Path(promised["file"]).stat().st_mode) == 0o600
    refused = bay.run("keys", "rotate", "alice")
    assert (refused.exit, "next_key_only" in refused.err + refused.out) == (1, True)
    rotated = bay.ask("did", "rotate", "alice", "--again")
    now = bay.ask("did", "resolve", "alice")
    assert fragments(now) == [rotated["kid"].partition("#")[2], "agree.inbox"]
    assert now["didDocumentMetadata"]["hansa:nextKey"]
    bay.ask("did", "service", "remove", "files", "--as", "alice")
    bay.ask("did", "rotate", "alice")
    assert "hansa:nextKey" not in bay.ask("did", "resolve", "alice")["didDocumentMetadata"]

    versions = bay.ask("did", "history", "alice")
    assert [each["version"] for each in versions] == [*range(1, 7)]
    assert fragments(bay.ask("did", "resolve", did, "--version", "1")) == ["k1"]
    assert fragments(bay.ask("did", "resolve", did, "--time", versions[0]["updated"])) == ["k1"]
    proofs = bay.ask("did", "resolve", did, "--proof")["hansa:proofs"]
    assert {each["key"].split("/")[1] for each in proofs} >= {"account", "did_profile"}
    for number, proof in enumerate(proofs):
        file = bay.folder / f"proof-{number}.json"
        # canonical, as the gateway gives it
        text = json.dumps(proof, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        file.write_text(text, encoding="utf-8")
        assert bay.run("verify", file.name).exit == 0
    assert bay.run("did", "show", "alice").exit == 0

    assert bay.run("did", "deactivate", "--as", "alice").exit == 2
    bay.ask("did", "deactivate", "--as", "alice", "--yes")
    gone = bay.ask("did", "resolve", did, expect=1)
    assert gone["didResolutionMetadata"]["error"] == "deactivated"


@pytest.mark.slow
def test_recovery_is_planned_approved_seen_and_vetoed(bay: Shell) -> None:
    for name in ("owner", "bob", "carol"):
        bay.ask("did", "create", name, "--as", "employer")
    planned = ("did", "recover", "plan", "--agent", "bob", "--agent", "carol", "--threshold", "2")
    bay.ask(*planned, "--as", "owner")
    request = bay.ask("did", "recover", "request", "owner-new", "owner")
    assert bay.ask("did", "recover", "request", "owner-new", "owner") == request
    (bay.folder / "new.json").write_text(json.dumps(request))
    bay.ask("did", "recover", "approve", "new.json", "--as", "bob")
    bay.ask("did", "recover", "approve", "new.json", "--as", "carol")
    status = bay.ask("did", "recover", "status", "owner", "--as", "bob")
    assert status["plan"]["threshold"] == 2
    assert [each["state"] for each in status["waiting"]] == ["agreed"]
    assert "RECOVERY agreed" in bay.run("did", "show", "owner").out
    bay.ask("did", "recover", "veto", "--as", "owner")
    assert bay.ask("did", "recover", "status", "owner", "--as", "owner")["waiting"] == []


@pytest.mark.slow
def test_what_no_did_is_and_whose_key_is_elsewhere(bay: Shell) -> None:
    assert bay.run("did", "resolve", "did:hansa:short").exit == 2
    assert bay.run("did", "resolve", "did:hansa:" + "a" * 32).exit == 1
    assert bay.run("did", "resolve", "did:foo:bar").exit == 2
    bay.ask("keys", "new", "dora")
    request = bay.ask("keys", "request", "dora", "--member", "employer", "--kind", "citizen")
    (bay.folder / "dora.json").write_text(json.dumps(request))
    bay.ask("did", "create", "--request", "dora.json", "--as", "employer")
    assert fragments(bay.ask("did", "resolve", "dora")) == ["k1"]
    assert bay.run("did", "create", "--as", "employer").exit == 2


def test_pairwise_dids_are_the_same_again_and_unlike_each_other(shell: Shell) -> None:
    clinic = shell.ask("did", "pairwise", "clinic.example", "--out", "clinic.jwk")
    assert clinic["did"].startswith("did:key:z6Mk")
    assert shell.ask("did", "pairwise", "clinic.example")["did"] == clinic["did"]
    assert shell.ask("did", "pairwise", "bank.example")["did"] != clinic["did"]
    file = shell.folder / "clinic.jwk"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["kid"] == clinic["method"]
    seed = shell.folder.parent / "home" / "keys" / "pairwise.seed"
    assert stat.S_IMODE(seed.stat().st_mode) == 0o600
    seed.chmod(0o644)
    assert shell.run("did", "pairwise", "clinic.example").exit == 2
