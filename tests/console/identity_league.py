"""A league with a tree of accreditations, credentials, consents, accesses and a mandate: what the
pages of identities show.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.processes import Shell
from tests.console.league import ConsoleLeague

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Full name"},
        "degree": {"enum": ["BSc", "MSc"], "description": "What was awarded"},
        "year": {"type": "integer", "minimum": 1900},
        "honours": {"type": "boolean"},
        "awarded": {"type": "string", "format": "date"},
    },
    "required": ["name", "degree"],
    "additionalProperties": False,
}
ATTACK = "<img src=x onerror=alert(1)>"
CLAIMS = {"name": f"Ada {ATTACK}", "degree": "MSc", "year": 2026}
ROLES = (
    ("consents", "emergency", "seller-b"),
    ("consents", "regulator", "tax-bureau"),
)


class Names:
    """DIDs of the members, as `ConsoleLeague` asks for them of a trade."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        made = shell.ask("init", shell.folder)
        self.dids = {each["name"]: each["did"] for each in made["members"]}
        self.numbers: dict[str, str] = {}


class IdentityLeague(ConsoleLeague):
    """auditor is a root authority, employer accredits under it, seller-a is a university that it
    accredited, seller-b one that was suspended; buyer is a graduate whom all of them know.
    """

    grant: str = ""
    emergency: str = ""

    def ask(self, line: str, *more: str | Path) -> Any:
        """A command; its document."""
        return self.shell.ask(*line.split(), *more)

    def write(self, name: str, value: Any) -> Path:
        """A file in the league's folder."""
        path = self.shell.folder / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def decide(self, actions: list[dict[str, Any]]) -> None:
        """A proposal of tax-bureau that the others pass."""
        said = self.ask(
            "governance propose --topic identities --as tax-bureau",
            "--actions",
            json.dumps(actions),
        )
        number = said["events"][0]["body"]["proposal"]
        for voter in ("auditor", "buyer", "employer"):
            self.ask(f"governance vote --proposal {number} --choice yes --as {voter}")

    def give(self, level: str, to: str, under: str, by: str) -> str:
        """Accredit or attest for degrees in CN; the new link."""
        made = self.ask(
            f"accredit {level} {to} --under {under} --schema degree:1 --jurisdiction CN"
            f" --basis education-law-3 --as {by}"
        )
        event = next(each for each in made["events"] if each["type"] == "Accredited")
        return str(event["body"]["accreditation"])

    def open(self) -> None:
        """Schema, tree, issuer's role and list."""
        schema = self.write("degree.json", SCHEMA)
        self.ask("schema publish", schema, *"--name degree --version 1.0.0 --as auditor".split())
        scope = [{"schemas": ["*"], "jurisdictions": ["CN"]}]
        root = {
            "framework": "education",
            "subject": self.dids["auditor"],
            "scope": scope,
            "basis": "education-law-3",
        }
        self.decide(
            [
                {"application": "accreditations", "type": "AuthoriseRoot", "body": root},
                *(
                    {
                        "application": "permissions",
                        "type": "GrantRole",
                        "body": {
                            "application": app,
                            "role": role,
                            "holder": self.dids[holder],
                            "scope": "CN",
                        },
                    }
                    for app, role, holder in ROLES
                ),
            ]
        )
        self.root = self.ask("accredit tree")["roots"][0]["link"]["id"]
        body = self.give("accredit", "employer", self.root, "auditor")
        self.links = {"seller-a": self.give("attest", "seller-a", body, "employer")}
        self.links["seller-b"] = self.give("attest", "seller-b", self.root, "auditor")
        self.ask(f"accredit suspend {self.links['seller-b']} --reason audit --as auditor")
        self.ask(
            "permissions grant-role --application credentials --role issuer"
            " --holder seller-a --as seller-a"
        )
        self.ask(
            "credential open-status-list --issuer seller-a --list degrees --size 1000 --as seller-a"
        )

    def look_around(self) -> None:
        """Consent, an access under it, its withdrawal, a break-glass and a mandate."""
        paper = self.write("income.txt", "income 120,000")
        for field in ("income", "allergies"):
            self.ask("vault declare", paper, *f"--of buyer --field {field} --as seller-a".split())
        give = "--field income --purpose open_account --notice https://a.example/privacy"
        said = self.ask(f"grant give seller-a seller-b {give} --uses 3 --as buyer")
        self.grant = said["events"][0]["body"]["grant"]
        out = self.shell.folder / "taken"
        self.ask(f"grant take {self.grant} -o {out} --as seller-b")
        said = self.ask(f"grant give seller-a employer {give} --as buyer")
        self.ask(f"grant withdraw {said['events'][0]['body']['grant']} --as buyer")
        self.ask(
            "grant break-glass buyer seller-a --field allergies --reason unconscious"
            f" -o {self.shell.folder / 'urgent'} --as seller-b"
        )
        self.ask("mandate give employer --scope credentials --purpose clerk --as seller-a")

    def issue(self, name: str, *options: str) -> Path:
        """A degree of the graduate by the university."""
        claims = self.write(f"{name}.claims", CLAIMS)
        made = self.shell.folder / name
        self.ask(
            "credential issue", claims, *"--schema degree --holder buyer --as seller-a".split(),
            "-o", made, *options,
        )  # fmt: skip
        return made


@contextmanager
def run_identity_league(folder: Path) -> Iterator[IdentityLeague]:
    """The league, running, with everything that happened in it."""
    outside = Shell(folder / "home", folder)
    outside.ask("init", "bay")
    outside.ask("trust", "add", "bay/genesis.json")
    with outside.started(folder / "bay") as url:
        league = IdentityLeague(url, Names(Shell(folder / "home", folder / "bay")))  # type: ignore[arg-type]
        league.open()
        league.look_around()
        yield league
