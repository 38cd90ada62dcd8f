"""Installs what the slow tests need beside Python: a C compiler (crash shim) and PostgreSQL.

By Debian's packages when run as root; otherwise says what to install. Does nothing when all is
there.
"""

import os
import shutil
import subprocess
import sys

import postgres


def install_compiler() -> None:
    """A C compiler named cc, or exit with the cure."""
    if shutil.which("cc") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ["install", "-y", "--no-install-recommends", "gcc", "libc6-dev"]
        for command in (["update"], packages):
            subprocess.run(["apt-get", "-qq", *command], env=environment, check=True, stdout=2)
    if shutil.which("cc") is None:
        sys.exit("A C compiler is missing; install it with: sudo apt-get install gcc libc6-dev")


def main() -> None:
    """Both, once."""
    install_compiler()
    postgres.find_programs()


if __name__ == "__main__":
    main()
