"""EBSI's acceptance script (its conformance reports), step by step, at the command line of a real
league. The names of the tests are the script's: TI is an issuer, TAO an accrediting body.

One league for all; steps are in the script's order, and each stands on what the ones before made.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.identity.moments import format_moment
from tests.cli.processes import Shell

pytestmark = pytest.mark.slow
ROOT, TAO, TI, VERIFIER = "auditor", "employer", "harbour", "buyer"
VOTERS = ("auditor", "buyer", "employer")
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}


class Script:
    """A league with a root authority and a schema; `links` are what the steps have made."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.folder = shell.folder.parent
        self.links: dict[str, str] = {}
        self.proposals = 0

    def write(self, name: str, value: Any) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(value))
        return path

    def ask(self, words: str, *more: str | Path, expect: int = 0) -> Any:
        return self.shell.ask(*words.split(), *more, expect=expect)

    def decide(self, words: str, *more: str | Path) -> None:
        """A proposal of tax-bureau that the others pass."""
        self.ask(words, *more, "--as", "tax-bureau")
        self.proposals += 1
        for voter in VOTERS:
            self.ask(f"governance vote --proposal {self.proposals} --choice yes --as {voter}")

    def give(self, level: str, to: str, under: str, by: str, expect: int = 0) -> Any:
        """Accredit or attest for degrees in CN; remembers the link."""
        made = self.ask(
            f"accredit {level} {to} --under {under} --schema degree:1 --jurisdiction CN",
            *f"--basis education-law-3 --as {by}".split(),
            expect=expect,
        )
        if expect == 0:
            event = next(each for each in made["events"] if each["type"] == "Accredited")
            self.links[f"{level} {to}"] = event["body"]["accreditation"]
        return made

    def check(self, issuer: str, *options: str, expect: int = 0) -> Any:
        return self.ask(
            f"accredit check {issuer} --schema degree --jurisdiction CN --as nobody",
            *options,
            expect=expect,
        )


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script]:
    base = tmp_path_factory.mktemp("script")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay")
    with outside.started(base / "bay"):
        script = Script(Shell(base / "home", base / "bay"))
        schema = script.write("degree.json", SCHEMA)
        named = "--name degree --version 1.0.0 --as auditor".split()
        script.ask("schema publish", schema, *named)
        assert script.ask("schema publish", schema, *named)["state"] == "already"
        script.decide(
            f"accredit authorise {ROOT} --framework education --jurisdiction CN --basis law-3"
        )
        script.links[ROOT] = script.ask("accredit tree")["roots"][0]["link"]["id"]
        yield script


def get_code(answer: Any) -> str:
    return str(answer["messages"][0]["code"])


def test_ti_request_verifiable_authorisation_to_onboard(script: Script) -> None:
    """A stranger is nobody's subject; governance admits it by the key that it made itself."""
    script.ask(f"keys new {TI}")
    refused = script.give("attest", TI, script.links[ROOT], ROOT, expect=1)
    assert get_code(refused) == "accreditations.wrong_subject"
    request = script.ask(f"keys request {TI} --jurisdiction CN --admit", "Harbour University")
    actions = script.write("harbour.json", request)
    script.decide(f"governance propose --topic admission --actions @{actions}")


def test_ti_register_did(script: Script) -> None:
    """Its DID is there for everybody, with its key; nobody had to register it a second time."""
    document = script.ask(f"did resolve {TI}")["didDocument"]
    assert document["assertionMethod"] == [f"{document['id']}#k1"]


def test_tao_request_verifiable_accreditation_to_accredit(script: Script) -> None:
    """It asks the root: whoever is no root, or asks for more than the root has, is refused."""
    root = script.links[ROOT]
    assert get_code(script.give("accredit", TAO, root, TAO, expect=1)) == "accreditations.not_yours"
    wider = script.ask(
        f"accredit accredit {TAO} --under {root} --schema degree:1 --jurisdiction HK",
        *f"--basis law-3 --as {ROOT}".split(),
        expect=1,
    )
    assert get_code(wider) == "accreditations.exceeds_parent"
    assert wider["messages"][0]["params"]["what"] == "jurisdiction"


def test_tao_register_verifiable_accreditation_to_accredit(script: Script) -> None:
    """It stands in the tree under its root, and does not make an issuer of its subject."""
    script.give("accredit", TAO, script.links[ROOT], ROOT)
    tree = script.ask("accredit tree --as nobody")
    (branch,) = tree["roots"][0]["children"]
    assert (branch["link"]["id"], branch["state"]) == (
        script.links[f"accredit {TAO}"],
        "in_force",
    )
    assert script.check(TAO, expect=1)["code"] == "wrong_level"


def test_ti_request_verifiable_accreditation_to_attest(script: Script) -> None:
    body = script.links[f"accredit {TAO}"]
    assert script.check(TI, expect=1)["code"] == "no_accreditation"
    assert get_code(script.give("attest", TI, body, TI, expect=1)) == "accreditations.not_yours"
    script.give("attest", TI, body, TAO)
    again = script.ask(
        f"accredit attest {TI} --under {body} --schema degree:1 --jurisdiction CN",
        *f"--basis education-law-3 --as {TAO}".split(),
    )
    assert again == {"state": "already", "accreditation": script.links[f"attest {TI}"]}


def test_ti_register_verifiable_accreditation_to_attest(script: Script) -> None:
    """Anybody sees it, with a proof that holds offline; the issuer may not accredit in turn."""
    link = script.links[f"attest {TI}"]
    found = script.check(TI)
    assert [each["outcome"] for each in found["findings"][0]["steps"]] == ["passed"] * 3
    proof = script.folder / "link.json"
    script.ask(f"prove accreditations/accreditation/{link} --as nobody -o", proof)
    assert script.shell.run("verify", proof).exit == 0
    refused = script.give("attest", VERIFIER, link, TI, expect=1)
    assert get_code(refused) == "accreditations.parent_may_not_accredit"


def test_ti_request_ct_revocable(script: Script) -> None:
    """A revocable credential of a kind it is entitled to."""
    script.ask(
        f"permissions grant-role --application credentials --role issuer --holder {TI} --as {TI}"
    )
    script.ask(
        f"credential open-status-list --issuer {TI} --list degrees --size 1000 --as {TI}",
    )
    claims = script.write("claims.json", {"name": "Ada"})
    script.ask(
        "credential issue", claims, *f"--schema degree --holder {VERIFIER} --as {TI} -o".split(),
        script.folder / "degree.vc",
    )  # fmt: skip


def test_ti_validate_ct_revocable(script: Script) -> None:
    found = script.ask("credential verify", script.folder / "degree.vc", "--as", VERIFIER)
    passed = {each["name"] for each in found["checks"] if each["outcome"] == "passed"}
    assert {"proof", "schema", "status", "accreditation"} <= passed


def test_ti_revoke_ct_revocable(script: Script) -> None:
    file = script.folder / "degree.vc"
    script.ask("credential revoke", file, "--as", TI)
    found = script.ask("credential verify", file, "--as", VERIFIER, expect=1)
    assert "revoked" in {each["code"] for each in found["checks"]}


def test_tao_request_verifiable_authorisation_to_onboard_subaccount(script: Script) -> None:
    """An account of its own organisation, opened by its administrator alone."""
    script.ask("keys new branch")
    request = script.ask(f"keys request branch --member {TAO}")
    body = script.write("branch.json", request)
    script.ask(f"accounts open-account --body @{body} --as {VERIFIER}", expect=1)
    script.ask(f"accounts open-account --body @{body} --as {TAO}")


def test_tao_register_did_subaccount(script: Script) -> None:
    assert script.ask("did resolve branch")["didDocument"]["assertionMethod"]


def test_tao_request_verifiable_accreditation_to_attest_subaccount(script: Script) -> None:
    """The branch acts by a link of its own, never by that of its organisation."""
    body = script.links[f"accredit {TAO}"]
    refused = script.give("attest", VERIFIER, body, "branch", expect=1)
    assert get_code(refused) == "accreditations.not_yours"
    script.give("accredit", "branch", body, TAO)
    script.give("attest", VERIFIER, script.links["accredit branch"], "branch")
    assert script.check(VERIFIER)["outcome"] == "yes"


def test_tao_revoke_rights_subaccount(script: Script) -> None:
    """Suspended, the branch's issuers may not; reinstated they may; revoked, never again: but what
    they did in time stays good.
    """
    branch = script.links["accredit branch"]
    held_ms = script.check(VERIFIER)["findings"][0]["at_ms"]
    script.ask(f"accredit suspend {branch} --reason audit --as {TAO}")
    assert script.check(VERIFIER, expect=1)["code"] == "suspended"
    assert get_code(script.give("attest", TI, branch, "branch", expect=1)) == (
        "accreditations.parent_not_in_force"
    )
    script.ask(f"accredit reinstate {branch} --reason audit-passed --as {TAO}")
    script.check(VERIFIER)
    script.ask(f"accredit revoke {branch} --reason closed --as {TAO}")
    assert script.check(VERIFIER, expect=1)["code"] == "revoked"
    then = script.check(VERIFIER, "--at", format_moment(held_ms))["findings"][0]
    assert (then["outcome"], then["now"]["outcome"]) == ("yes", "no")
    tree = script.ask("accredit tree --as nobody")["roots"][0]["children"][0]
    states = {
        each["link"]["subject"]: [each["state"], *(below["state"] for below in each["children"])]
        for each in tree["children"]
    }
    assert sorted(states.values()) == [["in_force"], ["revoked", "revoked"]]


def test_recognition_across_a_border(script: Script) -> None:
    """What counts in MO is what the league says counts there, and no more."""
    asked = f"accredit check {TI} --schema degree --jurisdiction MO --as nobody"
    assert script.ask(asked, expect=1)["code"] == "jurisdiction_out_of_scope"
    script.decide(
        "accredit recognise --framework education --from CN --in MO --schema degree:1"
        " --level high --basis treaty-4"
    )
    found = script.ask(asked)["findings"][0]
    assert (found["outcome"], found["level"]) == ("yes", "high")
    script.decide(f"accredit suspend {found['recognition']} --recognition-in MO --reason review")
    assert script.ask(asked, expect=1)["code"] == "recognition_suspended"
