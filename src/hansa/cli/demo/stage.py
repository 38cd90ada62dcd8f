"""Where the demo plays: runs the public commands as processes, shows them, keeps score."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from hansa.client.faults import ClientError

START_WITHIN_S: Final = 120.0
STOP_WITHIN_S: Final = 40.0
COMMAND_WITHIN_S: Final = 180.0


class Ran(NamedTuple):
    """What a command answered."""

    exit: int
    document: Any
    text: str


class Stage:
    """The league's folder, the commands run in it, and whether all went as expected."""

    def __init__(self, folder: Path, steps: int, *, as_json: bool = False) -> None:
        """With `as_json` the story goes to stderr: stdout is for the document."""
        self.folder = folder
        self.expectations: list[dict[str, Any]] = []
        self._err = as_json
        self._servers: list[subprocess.Popen[bytes]] = []
        self._steps = steps
        self._step = 0

    def step(self, title: str) -> None:
        """Begin a part of the story."""
        self._step += 1
        click.secho(f"\n[{self._step}/{self._steps}] {title}", bold=True, err=self._err)

    def say(self, text: str) -> None:
        """A line of the story."""
        click.echo(f"  {text}", err=self._err)

    @property
    def failures(self) -> list[str]:
        """What did not go as expected."""
        return [each["text"] for each in self.expectations if not each["ok"]]

    def run(self, *arguments: str | Path, show: bool = True) -> Ran:
        """Run `hansa ARGUMENTS` in the league's folder; its JSON answer."""
        words = [str(each) for each in arguments]
        if show:
            self._show(words)
        try:
            done = subprocess.run(  # noqa: S603  (our own interpreter)
                [*HANSA, *words, "--json"],
                cwd=self.folder if self.folder.is_dir() else None,
                capture_output=True,
                timeout=COMMAND_WITHIN_S,
                check=False,
                text=True,
            )
        except subprocess.TimeoutExpired as error:
            raise ClientError(f"hansa {words[0]} took too long", "run the demo again") from error
        try:
            document = json.loads(done.stdout) if done.stdout else None
        except ValueError:
            document = None
        return Ran(done.returncode, document, done.stdout + done.stderr)

    def _show(self, words: list[str]) -> None:
        """The command as one would type it in the league's folder."""
        inside, name = f"{self.folder}/", self.folder.name
        shown = [name if w == str(self.folder) else w.removeprefix(inside) for w in words]
        click.secho(f"  $ hansa {shlex.join(shown)}", fg="cyan", err=self._err)

    def expect(self, holds: bool, good: str, bad: str) -> None:
        """Score one expectation."""
        text = good if holds else bad
        sign = click.style("✓", fg="green") if holds else click.style("✗ NOT AS EXPECTED", fg="red")
        self.say(f"{sign} {text}")
        self.expectations.append({"ok": holds, "text": text})

    def expect_yes(self, ran: Ran, text: str) -> None:
        """The command said yes."""
        self.expect(ran.exit == 0, text, f"{text}: exit {ran.exit}: {ran.text.strip()[-300:]}")

    def expect_refused(self, ran: Ran, code: str, what: str) -> None:
        """The ledger refused with this code; shows its rule, words and remedy."""
        refusal = find_refusal(ran.document)
        found = str(refusal.get("code", "nothing"))
        self.say(what)
        self.expect(
            ran.exit == 1 and found == code,
            f"refused: {found} (rule {refusal.get('rule', '')})",
            f"expected {code}, got {found} with exit {ran.exit}: {ran.text.strip()[-300:]}",
        )
        if refusal:
            self.say(f"    {refusal.get('text', '')}")
            self.say(f"    next: {refusal.get('remedy', '')}")

    def start(self, port: int | None = None) -> str:
        """Start the league of the folder; its address once it answers."""
        words = [] if port is None else ["--port", str(port)]
        return str(self.await_ready(self.begin(self.folder, *words))["url"])

    def begin(self, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        """Run `hansa start ARGUMENTS` beside the story; `stop` ends it."""
        words = ["start", *map(str, arguments)]
        self._show(words)
        server = subprocess.Popen(  # noqa: S603  (our own interpreter)
            [*HANSA, *words, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._servers.append(server)
        return server

    def await_ready(self, server: "subprocess.Popen[bytes]") -> dict[str, Any]:
        """What a server says when it is ready. Raises ClientError and stops all when it is not."""
        line = _read_line(server, START_WITHIN_S)
        try:
            said = json.loads(line)
            if not said["url"]:
                raise ValueError("no address")
        except (ValueError, KeyError, TypeError):
            self.stop()
            raise ClientError(
                "the league did not start", f"hansa doctor {self.folder} names the fault"
            ) from None
        found: dict[str, Any] = said
        return found

    def kill(self, server: "subprocess.Popen[bytes]") -> None:
        """End a server as a power cut would."""
        self.say(f"$ kill -9 {server.pid}")
        server.kill()
        server.wait()
        self._servers.remove(server)

    def stop(self) -> None:
        """Stop all servers as Ctrl-C does, the last one first."""
        servers, self._servers = self._servers, []
        for server in reversed(servers):
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
        for server in servers:
            try:
                server.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def is_running(self) -> bool:
        """Whether every server lives."""
        return bool(self._servers) and all(each.poll() is None for each in self._servers)


HANSA: Final = (sys.executable, "-m", "hansa.cli")


def find_refusal(document: Any) -> dict[str, Any]:
    """The first thing in an answer that has a code which is not ok."""
    if isinstance(document, list):
        return next((found for each in document if (found := find_refusal(each))), {})
    if not isinstance(document, dict):
        return {}
    if document.get("code") not in (None, "", "ok"):
        return document
    for name in ("error", "messages", "outcomes", "events"):
        found = find_refusal(document.get(name))
        if found:
            return found
    return {}


def _read_line(server: "subprocess.Popen[bytes]", within_s: float) -> bytes:
    """The first line that a process writes; empty when it ends or takes too long."""
    stream = server.stdout
    if stream is None:
        return b""
    os.set_blocking(stream.fileno(), False)
    data = b""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and b"\n" not in data:
        chunk = stream.read()
        if chunk:
            data += chunk
        elif server.poll() is not None:
            break
        else:
            time.sleep(0.05)
    return data.split(b"\n", 1)[0]
