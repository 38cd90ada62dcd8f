"""Every command that a document shows is run as it stands there, in order, in one league."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import EXAMPLES, HANSA, ROOT, Shell
from tests.cli.trade import Trade

PAGES = ("README.md", "docs/runbook/README.md")
# The reader stands in the checkout; the test elsewhere.
PLACES = {"examples/en16931": str(EXAMPLES)}
# `make test` runs this very test; `make demo` and the demo are tests/cli/test_demo.py.
ELSEWHERE = ("make ",)


def list_commands(page: str) -> list[str]:
    """The lines of every ```sh block, without comments."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.S)
    lines = [
        line.split("  #")[0].split(" # ")[0].strip()
        for each in blocks
        for line in each.splitlines()
    ]
    return [line for line in lines if line and not line.startswith("#")]


def test_documents_show_commands() -> None:
    assert all(len(list_commands(page)) >= 5 for page in PAGES)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    yield Shell(tmp_path / "home", tmp_path)


def make_receipt(here: Path) -> None:
    """A receipt.json in `here`, of a league in its folder `bay`."""
    trade = Trade(Shell(here / "home", here / "bay"))
    trade.open()
    identity = trade.issue()["transaction"]
    trade.shell.run("receipt", identity, "-o", str(here / "receipt.json"))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_document_do_what_it_says(page: str, shell: Shell) -> None:
    here = shell.folder
    server: subprocess.Popen[str] | None = None
    environment = dict(shell.environment)
    url = identity = ""
    try:
        for line in list_commands(page):
            if line.startswith(ELSEWHERE):
                continue
            if line.startswith("export "):
                assert line.endswith(" HANSA_LEAGUE=bay")
                environment["HANSA_LEAGUE"] = "bay"
                continue
            line = line.replace("http://127.0.0.1:8480", url).replace(" ID ", f" {identity} ")
            for place, value in PLACES.items():
                line = line.replace(place, value)
            if line == "hansa doctor bay" and not (here / "bay").exists():
                shell.run("init", "bay")
            if line == "hansa start bay":
                server = shell.begin("start", "bay", "--port", "0", "--json")
                assert server.stdout is not None
                url = re.findall(r'"(http[^"]+)"', server.stdout.readline())[0]
                if "receipt.json" in " ".join(list_commands(page)):
                    make_receipt(here)  # the runbook verifies one that somebody gave
                continue
            if line.startswith("hansa index rebuild") and server is not None:
                server.terminate()
                server.communicate(timeout=60)
                server = None
            done = subprocess.run(
                line.replace("hansa ", shlex.quote(HANSA) + " "),
                shell=True,
                cwd=here,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            identity = next(iter(re.findall(r"\b[0-9a-f]{64}\b", done.stdout)), identity)
    finally:
        if server is not None:
            server.terminate()
            server.communicate(timeout=60)
