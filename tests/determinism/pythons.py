"""Other Pythons of this machine, each with an environment of the locked packages in the cache.

Found in the folder of pyenv, on the PATH and where uv keeps its own; one of each minor version that
Hansa runs on. An environment is made once for a lock, by uv, and kept: seconds with warm caches.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hansa.comet.install import locate_cache

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)
UV = [sys.executable, "-m", "uv"]
ASK = "import sys, platform; print(platform.python_implementation(), *sys.version_info[:3])"
MAKE_S = 120


class Other(NamedTuple):
    """Another Python: its version, and its interpreter with the locked packages; or why not."""

    version: str
    python: Path | None
    problem: str = ""


def list_candidates() -> Iterator[Path]:
    """Interpreters that may be there, in no order of worth."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob("versions/3.*/bin/python3"))
    for minor in range(OLDEST[1], OLDEST[1] + 9):
        found = shutil.which(f"python3.{minor}")
        if found:
            yield Path(found)
    kept = subprocess.run([*UV, "python", "dir"], capture_output=True, text=True, check=False)
    if kept.returncode == 0:
        yield from sorted(Path(kept.stdout.strip()).glob("*/bin/python3"))


def ask_version(python: Path) -> tuple[int, ...]:
    """(3, 12, 1); () for what does not start, is too old or no CPython."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", ASK], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    kind, *version = done.stdout.split() or [""]
    numbers = tuple(map(int, version))
    return numbers if kind == "CPython" and numbers >= OLDEST else ()


def find_others() -> list[Other]:
    """The newest of each minor version but this interpreter's own, ready to run."""
    found: dict[tuple[int, ...], tuple[tuple[int, ...], Path]] = {}
    for python in list_candidates():
        version = ask_version(python)
        if version and version[:2] != sys.version_info[:2]:
            found[version[:2]] = max(found.get(version[:2], ((), python)), (version, python))
    return [prepare(version, python) for version, python in sorted(found.values())]


def prepare(version: tuple[int, ...], python: Path) -> Other:
    """An environment of the lock for that interpreter, from the cache or made now."""
    shown = ".".join(map(str, version))
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = locate_cache() / "pythons" / f"{shown}-{lock}"
    own, done = folder / "bin" / "python", folder / "done"
    if done.exists():
        return Other(shown, own)
    shutil.rmtree(folder, ignore_errors=True)
    for step in (
        [*UV, "venv", "-q", "--python", str(python), str(folder)],
        [*UV, "pip", "install", "-q", "--python", str(own), "--require-hashes", "-r", str(LOCK)],
    ):
        try:
            made = subprocess.run(step, capture_output=True, text=True, timeout=MAKE_S, check=False)
        except subprocess.TimeoutExpired:
            return Other(shown, None, f"not made within {MAKE_S} s")
        if made.returncode:
            return Other(shown, None, made.stderr.strip()[-300:])
    done.touch()
    return Other(shown, own)
