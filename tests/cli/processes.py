"""The command `hansa` as people run it: a process of its own, with a home of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hansa.comet.install import locate_cache

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "en16931"
HANSA = str(Path(sys.executable).with_name("hansa"))
TRACES = ("Traceback", 'File "', "Error:\n")


class Done(NamedTuple):
    """What a command left behind."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class Shell:
    """Runs `hansa` in a folder; never lets a stack trace pass."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder = folder
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment |= {"HOME": str(home), "HANSA_HOME": str(home)}
        # The engine is built once for the user who runs the tests, not for each test.
        self.environment["HANSA_CACHE"] = str(locate_cache())

    def run(self, *arguments: str | Path, given: str = "", **environment: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [HANSA, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def ask(self, *arguments: str | Path, expect: int = 0) -> Any:
        """Run with --json and give the document; fails unless the exit code is `expect`."""
        done = self.run(*arguments, "--json")
        assert done.exit == expect, (arguments, done)
        return done.json

    def begin(self, *arguments: str | Path, **environment: str) -> "subprocess.Popen[str]":
        """Start a command and give the process."""
        return subprocess.Popen(
            [HANSA, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever started the tests in the background had Ctrl-C ignored, and that is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    @contextmanager
    def started(self, league: Path, *options: str) -> Iterator[str]:
        """Run a league; gives its address. Stops it as Ctrl-C does."""
        process = self.begin("start", league, "--port", "0", "--json", *options)
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield str(json.loads(line)["url"])
        finally:
            process.send_signal(signal.SIGINT)
            _out, err = process.communicate(timeout=60)
            assert "Traceback" not in err, err
        assert process.returncode == 0, err
