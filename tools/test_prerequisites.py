"""Installs what the slow tests need beside Python: a C compiler (crash shim) and PostgreSQL.

By Debian's packages when run as root; otherwise says what to install. `--engine` installs the
consensus engine into the user's cache, `--engines` every version of it that is supported. Does
nothing when all is there.
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


def install_engines(every: bool) -> None:
    """CometBFT, built from the Go module proxy; exits with the cure."""
    from hansa.comet.faults import CometError
    from hansa.comet.install import ENGINE, RELEASES, install_engine

    try:
        for version in RELEASES if every else (ENGINE,):
            install_engine(version, lambda text: print(f"hansa: {text}", flush=True))
    except CometError as error:
        sys.exit(f"{error.text}\n{error.cure}")


def main() -> None:
    """Each, once."""
    if "--engine" in sys.argv[1:] or "--engines" in sys.argv[1:]:
        install_engines("--engines" in sys.argv[1:])
        return
    install_compiler()
    postgres.find_programs()


if __name__ == "__main__":
    main()
