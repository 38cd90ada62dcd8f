"""A running league with registered sellers, quotas and the published examples as its paper."""

from typing import Any

from tests.cli.processes import EXAMPLES, Shell

CURRENCIES = ("EUR", "NOK", "SEK", "DKK")


class Trade:
    """What tests of a running league share."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        made = shell.ask("init", shell.folder)
        self.dids = {each["name"]: each["did"] for each in made["members"]}
        self.numbers = {
            each["name"]: each["identifiers"][0] for each in made["members"] if each["identifiers"]
        }
        self.count = 0

    def open(self) -> None:
        """Register the organisations and let the sellers issue."""
        registrations = [
            {
                "scheme": number.partition(":")[0],
                "value": number.partition(":")[2],
                "member": self.dids[name],
                "since": "2010-01-01",
            }
            for name, number in self.numbers.items()
            if name != "tax-bureau"
        ]
        quotas = [
            {"seller": self.numbers[seller], "currency": each, "amount": 10**12, "count": 10**6}
            for seller in ("seller-a", "seller-b")
            for each in CURRENCIES
        ]
        self.send("register-taxpayer", registrations, "tax-bureau")
        self.send("grant-quota", quotas, "tax-bureau")

    def send(self, message: str, body: Any, signer: str, *, expect: int = 0) -> Any:
        """Send messages of e_invoice; gives the transaction's document."""
        import json

        return self.shell.ask(
            "e-invoice", message, "--body", json.dumps(body), "--as", signer, expect=expect
        )

    def paper(self, number: str | None = None) -> str:
        """A published invoice under a number of its own (the examples reuse theirs)."""
        self.count += 1
        text = (EXAMPLES / "guide-example3.xml").read_text(encoding="utf-8")
        text += f"<!-- paper {self.count} -->"
        number = number or f"N-{self.count}"
        file = self.shell.folder / f"paper-{self.count}.xml"
        file.write_text(text.replace(">TOSL108<", f">{number}<", 1), encoding="utf-8")
        return file.name

    def issue(self, *options: str) -> dict[str, Any]:
        """A fresh invoice of seller-a to buyer; gives its line of the answer."""
        answer = self.shell.ask(
            "e-invoice", "issue", self.paper(), "--seller", "seller-a", "--buyer", "buyer",
            "--as", "seller-a", *options,
        )  # fmt: skip
        line: dict[str, Any] = answer[0]
        return line
