"""Lock the dependencies anew, universally (every Python >= 3.11) and with hashes, by `uv`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"requirements.lock": ("build",), "requirements-dev.lock": ("build", "dev")}


def main() -> None:
    """Write both lock files; the package index's address is not recorded in them."""
    for name, groups in LOCKS.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "-q"]
        command += ["--universal", "--generate-hashes", "--python-version", "3.11"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "-o", name]
        for group in groups:
            command += ["--group", group]
        subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
