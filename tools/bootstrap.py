"""Make the project's own environment in `.venv` from a hash-locked file. Standard library only.

`bootstrap.py runtime` installs what the product needs, `dev` also what the tests need. Safe to run
twice.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}


def run(*command: str | Path) -> None:
    """Run one step; on failure say which, without a stack trace."""
    done = subprocess.run([str(part) for part in command], check=False)
    if done.returncode:
        sys.exit(f"hansa: this step failed: {' '.join(str(part) for part in command)}")


def make_environment() -> Path:
    """The environment's Python; made when it is missing."""
    python = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if python.exists():
        return python
    print("hansa: making .venv", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], check=False, capture_output=True
    )
    if done.returncode:
        sys.exit(
            "hansa: this Python cannot make an environment (its venv module is missing).\n"
            "Install it (Debian: apt install python3-venv) or say make PYTHON=/path/to/python3."
        )
    return python


def main() -> None:
    """Install the lock named on the command line, then the project itself."""
    kind = sys.argv[1] if len(sys.argv) == 2 and sys.argv[1] in LOCKS else sys.exit(__doc__)
    python = make_environment()
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--no-input")
    print(f"hansa: installing {LOCKS[kind]} (once; a minute on a slow line)", flush=True)
    run(*pip, "install", "-q", "--require-hashes", "-r", ROOT / LOCKS[kind])
    run(*pip, "install", "-q", "--no-deps", "--no-build-isolation", "-e", ROOT)
    (VENV / ".runtime").touch()
    if kind == "dev":
        (VENV / ".dev").touch()


if __name__ == "__main__":
    main()
