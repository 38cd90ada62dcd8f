"""Nothing personal of identities leaves vaults and wallets (D8): credentials, consents, evidence,
mandates and vault contents full of planted names, searched for in all that a node keeps.

Real commands do it, as `test_canaries` does for invoices; the same disguises are looked for.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.processes import Shell
from tests.privacy.test_canaries import CANARIES, disguise, dump

pytestmark = pytest.mark.slow

NAME = CANARIES["name of a person"]
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("name", "street", "telephone", "degree")},
}
CLAIMS = {
    "name": NAME,
    "street": CANARIES["street"],
    "telephone": CANARIES["telephone"],
    "degree": CANARIES["name in Chinese"],
}


class Left(NamedTuple):
    """What the league keeps, and the papers that were used."""

    league: Path
    papers: dict[str, bytes]


class Story:
    """A graduate of seller-a, known to all, in a league of five members."""

    def __init__(self, shell: Shell, private: Path) -> None:
        self.shell, self.private = shell, private
        self.papers: dict[str, bytes] = {}

    def ask(self, line: str, *more: str | Path) -> Any:
        done = self.shell.run(*line.split(), *more, "--json")
        assert done.exit == 0, (line, more, done)
        return done.json

    def write(self, name: str, text: str) -> Path:
        """A paper outside the league's folder, under a name that is personal too."""
        path = self.private / f"{name} of {NAME}.txt"
        path.write_text(text, encoding="utf-8")
        self.papers[name] = path.read_bytes()
        return path

    def issue_credentials(self) -> None:
        schema = self.write("schema", json.dumps(SCHEMA))
        self.ask("schema publish --name degree --version 1.0.0 --as auditor", schema)
        self.ask(
            "permissions grant-role --application credentials --role issuer"
            " --holder seller-a --as seller-a"
        )
        self.ask("credential open-status-list --issuer seller-a --list d --size 99 --as seller-a")
        claims = self.write("claims", json.dumps(CLAIMS, ensure_ascii=False))
        for form in ("vc", "sd-jwt"):
            made, shown = self.private / form, self.private / f"shown.{form}"
            self.ask(
                f"credential issue --schema degree --holder buyer --list d --as seller-a"
                f" --form {form}",
                *(claims, "-o", made),
            )
            self.ask("credential present --audience bank --nonce n --as buyer", made, "-o", shown)
            more = ("--nonce", "n", "--no-accreditation", "--as", "buyer")
            done = self.shell.run("credential", "verify", str(shown), "--audience", "bank", *more)
            assert done.exit == 0 and NAME in done.out, done
            self.ask("credential bundle --as buyer", made, "-o", self.private / f"{form}.bundle")
        self.ask("credential revoke --as seller-a", self.private / "vc")

    def give_and_take(self) -> None:
        income = self.write("income", f"{NAME}, {CANARIES['account']}: 120,000")
        self.ask("vault declare --of buyer --field income --as seller-a", income)
        allergies = self.write("allergies", f"{NAME}: {CANARIES['item']}")
        self.ask("vault declare --of buyer --field allergies --as seller-a", allergies)
        notice = f"https://a.example/{NAME.replace(' ', '%20')}?{CANARIES['mail address']}"
        for reader in ("seller-b", "employer"):
            said = self.ask(
                f"grant give seller-a {reader} --field income --purpose account --as buyer",
                *("--notice", notice),
            )
            grant = said["events"][0]["body"]["grant"]
            if reader == "seller-b":
                self.ask(f"grant take {grant} --as seller-b -o", self.private / "taken")
        self.ask(f"grant withdraw {grant} --as buyer")

    def keep_evidence(self) -> None:
        papers = [self.write(f"deed {n}", f"{CANARIES['note']} {n}") for n in range(3)]
        self.ask("evidence add --as seller-a", *papers, "-o", self.private / "deeds.json")
        self.ask("evidence add --as seller-a", papers[0], "-o", self.private / "deed.json")
        deed = self.write("mandate", f"I, {NAME}, let my lawyer act.")
        self.ask("mandate give employer --scope credentials --purpose law --as buyer --deed", deed)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A league in which all that was done."""
    folder = tmp_path_factory.mktemp("identities")
    outside = Shell(folder / "home", folder)
    outside.ask("init", "bay")
    private = folder / "private"
    private.mkdir()
    story = Story(Shell(folder / "home", folder / "bay"), private)
    with outside.started(folder / "bay"):
        story.issue_credentials()
        story.give_and_take()
        story.keep_evidence()
    return Left(folder / "bay", story.papers)


def test_names_are_nowhere_but_in_vaults_and_wallets(left: Left) -> None:
    places = dict.fromkeys(place for place, _bytes in dump(left.league))
    assert places.keys() >= {"state", "block", "transaction"}
    everything = b"\n".join(data for _place, data in dump(left.league))
    for type_ in (b"SetStatus", b"GiveGrant", b"RecordAccess", b"CreateEvidence", b"GiveMandate"):
        assert type_ in everything
    words = {**CANARIES, "a file's name": f"deed 0 of {NAME}", "an encoded name": "Kanaria%20"}
    found = [
        (what, form)
        for what, text in words.items()
        for form, needle in disguise(text)
        if needle in everything
    ]
    assert found == []


def test_no_paper_is_on_the_ledger_by_its_plain_digest(left: Left) -> None:
    """Who guesses a paper whole cannot tell that it is the one behind a commitment."""
    public = {"schema"}
    everything = b"\n".join(data for _place, data in dump(left.league))
    found = [
        (name, form)
        for name, paper in left.papers.items()
        if name not in public
        for form, needle in disguise(paper.decode())
        if needle in everything
    ]
    assert found == []
