"""A league with a few invoices, run by `hansa start`: API and console on one port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hansa.client.keys import KeyRing, Signer, open_key_file
from hansa.client.sessions import sign_session_statement
from tests.cli.processes import Shell
from tests.cli.trade import Trade

# Members of the league that `hansa init` makes, each with a key file of that name.
MEMBERS = ("auditor", "buyer", "employer", "seller-a", "seller-b", "tax-bureau")


class ConsoleLeague:
    """`url` is where API and console answer; `trade` sends messages by the command line."""

    def __init__(self, url: str, trade: Trade) -> None:
        self.url = url
        self.trade = trade
        self.shell = trade.shell
        self.dids = trade.dids
        self.numbers = trade.numbers
        self.invoices: list[str] = []
        self._ring = KeyRing(trade.shell.folder / "keys")

    def key_file(self, member: str) -> Path:
        """Key file of a member, as one gives it to the sign-in page."""
        return self._ring.path(member)

    def signer(self, member: str) -> Signer:
        """A member's key, open."""
        return open_key_file(self._ring.read(member), None)

    def sign_statement(self, member: str, challenge: str, chain: str) -> str:
        """What a member signs to sign in."""
        signer = self.signer(member)
        return sign_session_statement(
            account=signer.account,
            chain=chain,
            challenge=challenge,
            kid=signer.kid,
            key=signer.private,
        ).decode()

    def open_session(self, member: str) -> str:
        """Token of a new session of a member."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            asked = client.post(
                "/v1/sessions/challenge", json={"account": self.signer(member).account}
            ).json()
            statement = self.sign_statement(member, asked["challenge"], asked["chain"])
            answer = client.post("/v1/sessions", content=statement.encode())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def api(self, member: str = "") -> httpx.Client:
        """A client of the API, signed in when a member is named."""
        client = httpx.Client(base_url=self.url, timeout=60)
        if member:
            client.headers["authorization"] = f"Bearer {self.open_session(member)}"
        return client


@contextmanager
def run_league(folder: Path) -> Iterator[ConsoleLeague]:
    """A league in `folder` whose sellers have issued two invoices."""
    outside = Shell(folder / "home", folder)
    outside.ask("init", "bay")
    with outside.started(folder / "bay") as url:
        trade = Trade(Shell(folder / "home", folder / "bay"))
        trade.open()
        league = ConsoleLeague(url, trade)
        league.invoices = [str(trade.issue()["invoice"]) for _ in range(2)]
        yield league
