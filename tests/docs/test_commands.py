"""Every command that a document shows is run as it stands there, in order, in one league."""

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest

from hansa.cli.status import find_network
from hansa.node.settings import Settings
from tests.cli.processes import EXAMPLES, HANSA, ROOT, Shell
from tests.cli.test_network import WITHIN_S
from tests.cli.test_supervisor import await_true
from tests.cli.trade import Trade

NETWORK = "docs/runbook/network.md"
PAGES = (
    "README.md",
    "docs/runbook/README.md",
    NETWORK,
    "docs/identity.md",
    "docs/runbook/issuers.md",
    "docs/openid.md",
)
# The reader stands in the checkout; the test elsewhere.
PLACES = {"examples/en16931": str(EXAMPLES), "examples/identity": str(ROOT / "examples/identity")}
# What stands for ID in the next commands: a transaction, or what a transaction made.
IDENTITY = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{32}-[0-9]+\b")
# `make test` runs this very test; `make demo` and the demo are tests/cli/test_demo.py.
ELSEWHERE = ("make ",)
# Addresses as the documents have them: of the embedded node, and of the first one of a network.
ADDRESSES = ("http://127.0.0.1:8480", "http://127.0.0.1:8481")
# What is done with the league at rest.
AT_REST = ("hansa index rebuild", "tar ")


def read_page(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def list_commands(page: str) -> list[str]:
    """The lines of every ```sh block, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", read_page(page), flags=re.S)
    lines = [
        line.split("  #")[0].split(" # ")[0].strip()
        for each in blocks
        for line in each.splitlines()
    ]
    return [line for line in lines if line and not line.startswith("#")]


def test_documents_show_commands() -> None:
    assert all(len(list_commands(page)) >= 5 for page in PAGES)


def test_commands_outside_of_blocks_and_in_units_exist() -> None:
    """What is named in passing (`hansa start bay --only 1,3`) has that command and that option."""
    for page in PAGES:
        shown = re.findall(r"`(hansa [^`]+)`", read_page(page))
        shown += re.findall(r"ExecStart=\S*/(hansa .+)", read_page(page))
        for line in shown:
            words = shlex.split(line)[1:]
            group = [word for word in words[:2] if re.fullmatch(r"[a-z][a-z-]+", word)]
            helped = find_help(tuple(group))
            for option in (word for word in words if word.startswith("--") and word != "--"):
                assert option.partition("=")[0] in helped, (page, line)


def find_help(group: tuple[str, ...]) -> str:
    """Help of a command, or of the first word alone when the second is an argument."""
    from click.testing import CliRunner

    from hansa.cli.main import root

    for words in (group, group[:1]):
        done = CliRunner().invoke(root, [*words, "--help"])
        if done.exit_code == 0:
            return done.output
    raise AssertionError(f"there is no command hansa {' '.join(group)}")


def test_settings_that_documents_show_are_settings() -> None:
    shown = [
        each
        for page in PAGES
        for each in re.findall(r"```toml\n(.*?)```", read_page(page), flags=re.S)
    ]
    assert shown
    for text in shown:
        settings = msgspec.convert(tomllib.loads(text), Settings)
        assert settings.p2p.address


def test_links_between_documents_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", read_page(page)):
            if "://" not in target:
                assert (ROOT / page).parent.joinpath(target).exists(), (page, target)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home", tmp_path)


def make_receipt(here: Path) -> None:
    """A receipt.json in `here`, of a league in its folder `bay`."""
    trade = Trade(Shell(here / "home", here / "bay"))
    trade.open()
    identity = trade.issue()["transaction"]
    trade.shell.run("receipt", identity, "-o", str(here / "receipt.json"))


class Reader:
    """Somebody who types what a document shows, in an empty folder."""

    def __init__(self, page: str, shell: Shell) -> None:
        self.shell = shell
        self.is_network = page == NETWORK
        self.needs_receipt = any("receipt.json" in line for line in list_commands(page))
        self.environment = dict(shell.environment)
        self.url = self.identity = ""
        self._server: subprocess.Popen[str] | None = None
        self._joined: list[subprocess.Popen[str]] = []

    def do(self, line: str) -> None:
        """One line."""
        if line.startswith("export "):
            assert line.endswith(" HANSA_LEAGUE=bay")
            self.environment["HANSA_LEAGUE"] = "bay"
            return
        if line == "hansa doctor bay" and not (self.shell.folder / "bay").exists():
            # The first question is asked of a league that is there.
            self.shell.run("init", "bay", *(NODES if self.is_network else ()))
        if line == "hansa start bay":
            self.start()
            return
        if line.startswith("hansa start "):
            self._joined.append(self.shell.begin(*shlex.split(line)[1:]))
            return
        if line.startswith(AT_REST):
            self.stop()
        self.run(self.translate(line))

    def translate(self, line: str) -> str:
        """The line with what differs on this machine: addresses, ports, ids, places."""
        if line.startswith("hansa init bay --engine comet"):
            line += " --ports any"
        for address in ADDRESSES:
            line = line.replace(address, self.url)
        line = line.replace(" ID ", f" {self.identity} ")
        for place, value in PLACES.items():
            line = line.replace(place, value)
        return line.replace("hansa ", shlex.quote(HANSA) + " ")

    def start(self) -> None:
        """`hansa start bay`, until it answers; a network until all have found each other."""
        options = () if self.is_network else ("--port", "0")
        self._server = self.shell.begin("start", "bay", *options, "--json")
        assert self._server.stdout is not None
        self.url = json.loads(self._server.stdout.readline())["url"]
        if self.is_network:
            await_true(lambda: has_peers(self.url), WITHIN_S)
        if self.needs_receipt:
            make_receipt(self.shell.folder)  # the runbook verifies one that somebody gave

    def run(self, line: str) -> None:
        """Any other line: exit code 0, or 2 of a join that others have to go on with."""
        done = subprocess.run(
            line,
            shell=True,
            cwd=self.shell.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        is_asking = " join " in line and "--wait" not in line
        assert done.returncode == (2 if is_asking else 0), (line, done.stdout, done.stderr)
        self.identity = next(iter(IDENTITY.findall(done.stdout)), self.identity)

    def stop(self) -> None:
        """Ctrl-C."""
        ended = [*self._joined, self._server]
        self._joined, self._server = [], None
        for server in ended:
            if server is not None:
                server.terminate()
                server.communicate(timeout=60)


NODES = ("--engine", "comet", "--validators", "4", "--ports", "any")


def has_peers(url: str) -> bool:
    """Whether the node there is connected to three others and follows."""
    found = find_network(url)
    return (
        found is not None
        and found.engine is not None
        and len(found.peers) == 3
        and not found.engine.catching_up
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_document_do_what_it_says(page: str, shell: Shell) -> None:
    reader = Reader(page, shell)
    try:
        for line in list_commands(page):
            if not line.startswith(ELSEWHERE):
                reader.do(line)
    finally:
        reader.stop()
