"""The story of credentials at the command line, on a real league: from the schema to the refusal.

One league for all; each test stands on what the fixture has issued.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from hansa.cli.demo.identity.forms import read_disclosed
from hansa.client.trust import build_trust_root
from hansa.client.verify import verify_receipt
from hansa.identity.bitstring_status import BitstringEntry, read_bitstring_list
from hansa.identity.token_status import REVOKED, parse_status_token
from tests.cli.processes import Shell

pytestmark = pytest.mark.slow
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"name": {"type": "string"}, "degree": {"enum": ["BSc", "MSc"]}},
    "required": ["name", "degree"],
    "additionalProperties": False,
}
CLAIMS = {"name": "Ada", "degree": "MSc"}
ASKED = ("--audience", "bank", "--nonce", "n1", "--need-holder")


class Story:
    """A league in which seller-a is an accredited university, buyer a graduate."""

    def __init__(self, shell: Shell, url: str) -> None:
        self.shell, self.url = shell, url
        self.folder = shell.folder.parent

    def write(self, name: str, value: Any) -> Path:
        path = self.folder / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def open(self) -> None:
        ask = self.shell.ask
        schema = self.write("degree.json", SCHEMA)
        ask("schema", "publish", schema, *"--name degree --version 1.0.0 --as tax-bureau".split())
        ask(
            *"accredit authorise auditor --framework education --jurisdiction CN".split(),
            *"--basis education-law-3 --as tax-bureau".split(),
        )
        for member in ("auditor", "buyer", "employer"):
            ask(*f"governance vote --proposal 1 --choice yes --as {member}".split())
        root = ask("accredit", "tree")["roots"][0]["link"]["id"]
        ask(
            *f"accredit attest seller-a --under {root} --schema degree:1".split(),
            *"--jurisdiction CN --basis education-law-3 --as auditor".split(),
        )
        ask(
            *"permissions grant-role --application credentials --role issuer".split(),
            *"--holder seller-a --as seller-a".split(),
        )
        ask(
            *"credential open-status-list --issuer seller-a --list degrees".split(),
            *"--size 1000000 --as seller-a".split(),
        )

    def issue(self, name: str, *options: str, signer: str = "seller-a") -> Path:
        claims = self.write(f"{name}.claims", CLAIMS)
        made = self.folder / name
        self.shell.ask(
            "credential", "issue", claims, *"--schema degree --holder buyer --as".split(), signer,
            "-o", made, *options,
        )  # fmt: skip
        return made

    def verify(self, file: Path, *options: str, exit_: int = 0) -> list[tuple[str, str]]:
        """(check, code) of all that did not pass and was asked for."""
        asked = ("--as", "employer", *options)
        found = self.shell.ask("credential", "verify", file, *asked, expect=exit_)
        return [
            (each["name"], each["code"])
            for each in found["checks"]
            if each["code"] not in ("", "not_asked")
        ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    base = tmp_path_factory.mktemp("credentials")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay")
    with outside.started(base / "bay") as url:
        story = Story(Shell(base / "home", base / "bay"), url)
        story.open()
        yield story


def test_both_forms_are_issued_presented_and_judged(story: Story) -> None:
    vc, sd_jwt = story.issue("a.json"), story.issue("a.sd-jwt", "--form", "sd-jwt")
    assert story.verify(vc) == story.verify(sd_jwt) == []
    shown = story.folder / "shown.sd-jwt"
    story.shell.ask(
        "credential", "present", sd_jwt, *"--claim degree --audience bank --nonce n1".split(),
        "--as", "buyer", "-o", shown,
    )  # fmt: skip
    assert set(read_disclosed(shown.read_text())) == {"degree"}
    assert story.verify(shown, *ASKED) == []
    wrong = ("--audience", "shop", "--nonce", "n2")
    assert story.verify(shown, *wrong, exit_=1) == [
        ("audience", "wrong_audience"),
        ("nonce", "wrong_nonce"),
    ]
    both = story.folder / "both.json"
    story.shell.ask(
        "credential", "present", vc, sd_jwt, *"--audience bank --nonce n1 --as buyer -o".split(),
        both,
    )  # fmt: skip
    assert story.verify(both, *ASKED) == []
    own = story.shell.ask("did", "pairwise", "bank")["did"]
    hidden = story.issue("p.json", "--holder", own)
    story.shell.ask(
        *"credential present --audience bank --nonce n1 --pairwise bank -o".split(),
        story.folder / "p.shown",
        hidden,
    )
    assert story.verify(story.folder / "p.shown", *ASKED) == []
    refused = ("credential", "issue", story.write("w", {"name": "Ada", "degree": "PhD"}))
    done = story.shell.run(*refused, "--schema", "degree", "-o", story.folder / "never")
    assert done.exit == 2 and "/degree: enum" in done.err


def test_each_wrong_thing_has_its_own_code(story: Story) -> None:
    past = story.issue("past.json", "--since", "2026-01-01", "--until", "2026-02-01")
    assert story.verify(past, exit_=1) == [("validity", "expired")]
    later = story.issue("later.json", "--since", "2100-01-01")
    assert story.verify(later, exit_=1) == [("validity", "not_yet_valid")]
    link = json.loads(past.read_text())["termsOfUse"]["id"].rpartition(":")[2]
    own = ("--no-status", "--accreditation", link)
    stranger = story.issue("stranger.json", *own, signer="seller-b")
    assert ("accreditation", "other_issuer") in story.verify(stranger, exit_=1)
    two = story.issue("two.json", "--with", "auditor")
    text = two.read_text()
    forged = story.write("forged.json", text.replace('"MSc"', '"BSc"'))
    assert ("proof", "bad_signature") in story.verify(forged, exit_=1)
    cut = story.write("cut.json", text[:900])
    assert story.verify(cut, exit_=1) == [("format", "not_json")]
    mixed = story.write("mixed.json", text.replace("eddsa-jcs-2022", "ecdsa-jcs-2019", 1))
    assert ("proof", "mixed_suite") in story.verify(mixed, exit_=1)
    lower = story.write("lower.json", text.replace("eddsa-jcs-2022", "none", 1))
    assert ("proof", "unknown_suite") in story.verify(lower, exit_=2)
    done = story.shell.run("credential", "verify", two, "--as", "nobody")
    assert done.exit == 0, done


def test_a_bundle_is_judged_offline_until_it_is_revoked(story: Story) -> None:
    vc = story.issue("b.json")
    bundle = story.folder / "bundle.json"
    made = story.shell.ask("credential", "bundle", vc, "-o", bundle)
    assert [key.split("/")[1] for key in made["absent"]] == ["status"]
    alone = Shell(story.folder / "elsewhere", story.folder)
    assert alone.run("verify", bundle).exit == 2  # nothing is pinned there
    genesis = story.shell.folder / "genesis.json"
    assert alone.run("verify", bundle, "--trust", genesis).exit == 0
    assert alone.run("credential", "verify", bundle, "--trust", genesis).exit == 0

    root = build_trust_root(genesis.read_bytes())
    data = bundle.read_bytes()
    assert verify_receipt(data, root).outcome == "yes"
    for place in range(0, len(data), 101):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert verify_receipt(changed, root).outcome != "yes", place
    shorter = msgspec.json.decode(data)
    for number in range(len(shorter["facts"])):
        facts = [*shorter["facts"][:number], *shorter["facts"][number + 1 :]]
        less = msgspec.json.encode({**shorter, "facts": facts}, order="sorted")
        assert verify_receipt(less, root).outcome == "could_not_judge", number

    story.shell.ask("credential", "suspend", vc, "--reason", "review", "--as", "seller-a")
    assert ("status", "suspended") in story.verify(vc, exit_=1)
    story.shell.ask("credential", "reinstate", vc, "--as", "seller-a")
    assert story.verify(vc) == []
    story.shell.ask("credential", "revoke", vc, "--as", "seller-a")
    assert ("status", "revoked") in story.verify(vc, exit_=1)
    story.shell.ask("credential", "reinstate", vc, "--as", "seller-a", expect=1)
    assert verify_receipt(data, root).outcome == "yes"  # as at its height it was not revoked


def test_status_lists_say_what_the_ledger_says(story: Story) -> None:
    vc = story.issue("c.json", "--index", "77")
    entries = json.loads(vc.read_text())["credentialStatus"]
    url = next(e["statusListCredential"] for e in entries if e["statusPurpose"] == "revocation")
    plain = url.partition("?")[0]
    token = {"accept": "application/statuslist+jwt"}
    assert httpx.get(plain, headers=token).status_code == 406
    story.shell.ask("credential", "revoke", vc, "--as", "seller-a")
    assert story.shell.run("credential", "sign-lists", "--as", "seller-a").exit == 0
    signed = parse_status_token(httpx.get(plain, headers=token).text, uri=plain)
    assert signed.get(77) == REVOKED
    assert signed.get(78) != REVOKED
    answer = httpx.get(url)
    found = read_bitstring_list(answer.json(), uri=url)
    assert found.get(BitstringEntry(url, 77, "revocation")) == 1
    assert found.get(BitstringEntry(url, 78, "revocation")) == 0
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert story.verify(story.write("list.json", answer.text), "--no-accreditation") == []
    assert httpx.get(plain + "x").status_code == 404
    assert httpx.get(f"{plain}?purpose=message").status_code == 400
