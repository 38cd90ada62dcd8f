"""What the demo shows, in order; each part says what it expects and checks it."""

import json
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.cli.demo.papers import (
    BUYER,
    PARTIES,
    PERSONS_FILE,
    TAMPERED_FILE,
    credit,
    flip_byte,
    raise_total,
    tamper_total,
)
from hansa.cli.demo.stage import Ran, Stage
from hansa.cli.template import LeaguePlan
from hansa.client.faults import ClientError

STEPS: Final = 9
SELLERS: Final = ("seller-a", "seller-b")
# The sellers' first day on this ledger: before the oldest example.
SINCE: Final = "2010-01-01"
QUOTAS: Final = {
    "seller-a": ("EUR", "NOK", "SEK"),
    "seller-b": ("EUR", "DKK"),
}
PLENTY: Final = {"amount": 100_000_000, "count": 1_000}
# Seller B may issue one krona in SEK, until the bureau says otherwise.
SMALL: Final = {"amount": 100, "count": 10}


class Story:
    """The league's folder on a stage, the example files, and what was learnt on the way."""

    def __init__(self, stage: Stage, papers: list[Path]) -> None:
        self.stage = stage
        self.papers = papers
        self.chain = ""
        self.identifiers: dict[str, str] = {}
        self.issued: dict[str, dict[str, Any]] = {}

    @property
    def work(self) -> Path:
        """Where the demo writes its own files."""
        return self.stage.folder / "demo"

    def make_league(self, plan: LeaguePlan) -> None:
        """Keys, genesis, home; the genesis is pinned as this user's trust root."""
        places = {member.jurisdiction for member in plan.members}
        self.stage.step(
            f"Make a league: {len(plan.members)} institutions in {len(places)} jurisdictions"
        )
        with tempfile.TemporaryDirectory() as folder:
            members = Path(folder) / "members.json"
            members.write_bytes(msgspec.json.encode(plan))
            self.make("--members", str(members))

    def make(self, *options: str) -> dict[str, Any]:
        """The league as `hansa init` makes it; what it said."""
        stage = self.stage
        made = stage.run("init", stage.folder, *options)
        if made.exit != 0 or not isinstance(made.document, dict):
            raise ClientError("the league could not be made", made.text.strip())
        self.chain = made.document["chain"]
        for member in made.document["members"]:
            numbers = ", ".join(member["identifiers"])
            words = f"{member['name']:<13} {member['jurisdiction']}  {member['title']}  {numbers}"
            stage.say(words.rstrip())
            if member["identifiers"]:
                self.identifiers[member["name"]] = member["identifiers"][0]
        self.work.mkdir()
        document: dict[str, Any] = made.document
        return document

    def tell(self, url: str) -> None:
        """Everything after the start."""
        self.stage.say(f"the league {self.chain} answers at {url}")
        self.prepare_sellers()
        self.check_examples()
        self.issue_examples()
        self.refuse_tampered()
        self.spend_quota()
        self.reimburse_once()
        self.credit_within()
        self.prove()

    def prepare_sellers(self) -> None:
        """The bureau registers and grants; somebody without the right may not."""
        stage = self.stage
        stage.step("The tax bureau registers taxpayers and grants quotas")
        registrations = self.list_registrations()
        ran = self.send("register-taxpayer", registrations, "tax-bureau")
        stage.expect_yes(ran, f"{len(registrations)} taxpayers registered in one transaction")
        quotas = [
            {"seller": self.identifiers[seller], "currency": currency, **PLENTY}
            for seller, currencies in QUOTAS.items()
            for currency in currencies
        ]
        quotas.append({"seller": self.identifiers["seller-b"], "currency": "SEK", **SMALL})
        stage.expect_yes(
            self.send("grant-quota", quotas, "tax-bureau"), f"{len(quotas)} quotas granted"
        )
        ran = self.send("grant-quota", quotas[:1], "seller-a")
        stage.expect_refused(
            ran, "ledger.missing_role", "Seller A grants itself a quota: a sender without the right"
        )

    def list_registrations(self) -> list[dict[str, Any]]:
        """Everybody who has an identifier, but the bureau itself."""
        found = []
        for name, identifier in self.identifiers.items():
            scheme, _mark, value = identifier.partition(":")
            if name != "tax-bureau":
                found.append(
                    {"scheme": scheme, "value": value, "member": self.did(name), "since": SINCE}
                )
        return found

    def check_examples(self) -> None:
        """All published examples against all published rules."""
        stage = self.stage
        stage.step(
            f"Check {len(self.papers)} published EN 16931 invoices, unchanged, by every rule"
        )
        ran = stage.run("e-invoice", "check", *self.papers, show=False)
        stage.say(f"$ hansa e-invoice check {self.papers[0].parent.name}/*.xml")
        verdicts = [report["verdict"] for report in ran.document or []]
        valid = verdicts.count("valid")
        stage.expect(
            ran.exit == 0 and valid == len(self.papers) > 0,
            f"{valid} of {len(self.papers)} valid",
            f"{valid} of {len(self.papers)} valid: {ran.text.strip()[-300:]}",
        )

    def issue_examples(self) -> None:
        """Issue them for the members who stand for their sellers."""
        stage = self.stage
        stage.step("Issue them: their sellers are no members of ours, so each is mapped to one")
        for name, member in PARTIES.items():
            stage.say(f"  {name:<32} -> {member}  {self.identifiers[member]}")
        stage.say(f"  {'every buyer':<32} -> {BUYER}  {self.identifiers[BUYER]}")
        stage.say(f"  {'the household of ' + PERSONS_FILE:<32} -> a one-time pseudonym, no name")
        mapping = self.write("parties.json", PARTIES)
        pseudonym = stage.run("e-invoice", "pseudonym", self.work / "person.key.json")
        stage.expect_yes(pseudonym, "the person made a one-time key for this purchase")
        person = (pseudonym.document or {}).get("buyer", "")
        for seller, files in self.sort_papers().items():
            self.issue(files, seller, mapping, BUYER)
        persons = [file for file in self.papers if file.name == PERSONS_FILE]
        self.issue(persons, "seller-a", mapping, person)
        codes = {each["code"] for each in self.issued.values()}
        stage.expect(
            "e_invoice.number_used" in codes,
            "refused: the examples use some numbers twice, a ledger does not (rule I1)",
            f"no number was refused as used twice: {sorted(codes)}",
        )

    def issue(self, files: list[Path], seller: str, mapping: Path, buyer: str) -> Ran:
        """Issue files as a seller, note and show what became of each."""
        stage = self.stage
        ran = stage.run(
            "e-invoice", "issue", *files, "--map", mapping, "--buyer", buyer, "--as", seller,
            show=False,
        )  # fmt: skip
        names = " ".join(file.name for file in files[:2]) + (" …" if len(files) > 2 else "")
        stage.say(f"$ hansa e-invoice issue {names} --map parties.json --as {seller}")
        for each in ran.document if isinstance(ran.document, list) else []:
            file = Path(each["file"]).name
            self.issued[file] = {"code": "", **each}
            sign = "✓" if each["state"] == "issued" else "✗" if each["state"] == "refused" else "·"
            why = (
                ""
                if each["state"] == "issued"
                else f"{each.get('code', '')} {each.get('text', '')}"
            )
            stage.say(f"  {sign} {file:<28} {each['number']:<18} {each['state']} {why}".rstrip())
        stage.expect(
            any(each.get("code") == "ok" for each in self.issued.values()) and ran.exit in (0, 1),
            f"each has the ledger's own answer, with a receipt ({seller})",
            f"issuing for {seller}: exit {ran.exit}: {ran.text.strip()[-300:]}",
        )
        return ran

    def refuse_tampered(self) -> None:
        """A wrong total: refused at the door, and by the ledger for who goes round the door."""
        stage = self.stage
        stage.step("Refused: a tampered total")
        source = next(file for file in self.papers if file.name == TAMPERED_FILE)
        tampered = self.work / "tampered.xml"
        tampered.write_bytes(tamper_total(source.read_bytes()))
        ran = stage.run("e-invoice", "check", tampered)
        rules = [each["rule"] for report in ran.document or [] for each in report["failures"]]
        stage.expect(
            ran.exit == 1 and any(rule.startswith("BR-CO-") for rule in rules),
            f"the document breaks {', '.join(rules)}",
            f"the tampered document was not refused: {ran.text.strip()[-300:]}",
        )
        content = self.content(TAMPERED_FILE, "seller-b")
        ran = self.send("issue-invoice", [{"content": raise_total(content)}], "seller-b")
        stage.expect_refused(
            ran,
            "e_invoice.br_co_15",
            "Past the door, straight to the ledger, it does its own sums:",
        )

    def spend_quota(self) -> None:
        """Quota spent; the bureau grants more; the same command again issues what was refused."""
        stage = self.stage
        stage.step("Refused: a quota that is spent; then the bureau grants more")
        spent = {name: each for name, each in self.issued.items() if _is(each, "quota_spent")}
        stage.expect(
            len(spent) == 1,
            f"refused above: {', '.join(spent)}: e_invoice.quota_spent (rule I6)",
            f"expected one invoice over the quota, got {sorted(spent)}",
        )
        quota = {"seller": self.identifiers["seller-b"], "currency": "SEK", **PLENTY}
        stage.expect_yes(self.send("grant-quota", [quota], "tax-bureau"), "a larger quota granted")
        files = [file for file in self.papers if file.name in spent]
        self.issue(files, "seller-b", self.work / "parties.json", BUYER)
        stage.expect(
            all(self.issued[name]["state"] == "issued" for name in spent),
            "the same command again issues what was refused, and nothing twice",
            "the invoice was not issued after the grant",
        )

    def reimburse_once(self) -> None:
        """One purchase of a person, two employers."""
        stage = self.stage
        stage.step("Refused: a second reimbursement, by another employer")
        invoice = self.issued.get(PERSONS_FILE, {}).get("invoice", "")
        step = [{"invoice": invoice}]
        stage.expect_yes(self.send("deliver-invoice", step, "seller-a"), "delivered to the person")
        key = self.work / "person.key.json"
        for employer in ("employer", "buyer"):
            ran = stage.run(
                "e-invoice", "claim", invoice, "--employer", employer, "--key", key,
                "--as", employer,
            )  # fmt: skip
            stage.expect_yes(ran, f"the person hands it to {employer}")
        ran = self.send("submit-invoice", step, "employer")
        stage.expect_yes(ran, "the employer takes it in")
        stage.expect_yes(self.send("reimburse-invoice", step, "employer"), "and pays it out")
        ran = self.send("submit-invoice", step, "buyer")
        stage.expect_refused(
            ran, "e_invoice.already_submitted", "The other employer, in the other jurisdiction:"
        )

    def credit_within(self) -> None:
        """A credit above its original is refused, one within it is taken."""
        stage = self.stage
        stage.step("Refused: a credit above the original")
        content = self.content(TAMPERED_FILE, "seller-b")
        ran = self.send("issue-invoice", [{"content": credit(content, "CN-1", 2)}], "seller-b")
        stage.expect_refused(
            ran, "e_invoice.credit_above_original", f"Twice what {content['number']} came to:"
        )
        ran = self.send("issue-invoice", [{"content": credit(content, "CN-1", 1)}], "seller-b")
        stage.expect_yes(ran, "a credit of what it came to is issued")

    def prove(self) -> None:
        """One receipt, checked without any node; one byte flipped."""
        stage = self.stage
        stage.step("Prove it: one file, checked offline by anyone")
        answer = next(each for each in self.issued.values() if each["code"] == "ok")
        receipt = stage.folder / "receipt.json"
        index = str(answer["index"])
        ran = stage.run(
            "receipt", answer["transaction"], "--message", index, "-o", receipt, "--as", "seller-a"
        )
        stage.expect_yes(ran, f"wrote {receipt.name}")
        trust = stage.folder / "trust-root.json"
        shutil.copyfile(stage.folder / "genesis.json", trust)
        stage.say(f"the trust root, for anyone who verifies elsewhere: {trust.name}")
        ran = stage.run("verify", receipt.name, "--trust", trust.name)
        for step in ran.document[0]["steps"] if isinstance(ran.document, list) else []:
            stage.say(f"  {'✓' if step['ok'] else '✗'} {step['name']}: {step['text']}")
        stage.expect_yes(ran, "the verifier says yes")
        forged = stage.folder / "receipt-flipped.json"
        forged.write_bytes(flip_byte(receipt.read_bytes()))
        ran = stage.run("verify", forged.name, "--trust", trust.name)
        stage.expect(
            ran.exit == 1,
            "one bit of it flipped: the verifier says no",
            f"the flipped file got exit {ran.exit}",
        )

    def tell_next(self, url: str) -> None:
        """What to try next."""
        folder = self.stage.folder.name
        self.stage.say("")
        self.stage.say("Try next, in another terminal:")
        programs = Path(sys.executable).parent
        if shutil.which("hansa") != str(programs / "hansa"):
            self.stage.say(f"  export PATH={shlex.quote(str(programs))}:$PATH")
        for line in (f"cd {shlex.quote(folder)}", *self.list_next(url)):
            self.stage.say(f"  {line}")

    def list_next(self, url: str) -> tuple[str, ...]:
        """Commands to try in the league's folder."""
        return (
            "hansa e-invoice totals invoices --by currency --by status --as auditor",
            "hansa tx list --refused --as auditor",
            "hansa e-invoice issue --help",
            "hansa verify receipt.json",
            f"curl {url}/v1/status",
        )

    def send(
        self,
        message: str,
        bodies: list[dict[str, Any]],
        signer: str,
        *,
        application: str = "e-invoice",
    ) -> Ran:
        """Send messages of an application, all or none."""
        body = json.dumps(bodies if len(bodies) > 1 else bodies[0], ensure_ascii=False)
        if len(body) > 200:
            file = self.write(f"{message}.json", bodies if len(bodies) > 1 else bodies[0])
            body = f"@{file.relative_to(self.stage.folder)}"
        return self.stage.run(application, message, "--body", body, "--as", signer)

    def content(self, file: str, reader: str) -> dict[str, Any]:
        """What the ledger has of an issued example."""
        ran = self.stage.run(
            "e-invoice", "show", "invoice", self.issued[file]["invoice"], "--as", reader, show=False
        )
        if ran.exit != 0:
            raise ClientError(f"the invoice of {file} cannot be read", ran.text.strip())
        content: dict[str, Any] = ran.document["content"]
        return content

    def did(self, name: str) -> str:
        """DID of a member by the name of its key."""
        file = msgspec.json.decode((self.stage.folder / "keys" / f"{name}.key.json").read_bytes())
        return str(file["kid"]).partition("#")[0]

    def sort_papers(self) -> dict[str, list[Path]]:
        """The example files by the member who stands for their seller."""
        from hansa.apps.e_invoice.documents.importers import import_document

        found: dict[str, list[Path]] = {seller: [] for seller in SELLERS}
        for file in self.papers:
            seller = PARTIES.get(import_document(file.read_bytes()).seller.name)
            if seller is not None and file.name != PERSONS_FILE:
                found[seller].append(file)
        return {seller: files for seller, files in found.items() if files}

    def write(self, name: str, value: object) -> Path:
        """A JSON file of the demo."""
        path = self.work / name
        path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
        return path


def _is(answer: dict[str, Any], code: str) -> bool:
    return bool(answer.get("code") == f"e_invoice.{code}")
