"""Installs what the slow tests need beside Python: a C compiler (crash shim), OpenSSL's command
(an independent judge of time-stamps) and PostgreSQL.

By Debian's packages when run as root; otherwise says what to install. `--engine` installs the
consensus engine into the user's cache, `--engines` every version of it that is supported;
`--browser` Chromium and a font with the characters of Chinese. Does nothing when all is there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import postgres

CHROMIUM = os.environ.get("HANSA_CHROMIUM", "/usr/bin/chromium")


def install_packages(*packages: str) -> None:
    """Debian's packages, when this user may and has apt; otherwise nothing."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", "-qq", *command], env=environment, check=True, stdout=2)


def install_compiler() -> None:
    """A C compiler named cc, or exit with the cure."""
    if shutil.which("cc") is None:
        install_packages("gcc", "libc6-dev")
    if shutil.which("cc") is None:
        sys.exit("A C compiler is missing; install it with: sudo apt-get install gcc libc6-dev")


def install_openssl() -> None:
    """OpenSSL's command, or exit with the cure."""
    if shutil.which("openssl") is None:
        install_packages("openssl")
    if shutil.which("openssl") is None:
        sys.exit("OpenSSL's command is missing; install it with: sudo apt-get install openssl")


def has_chinese() -> bool:
    """Whether some font here has the characters of Chinese."""
    if shutil.which("fc-list") is None:
        return False
    done = subprocess.run(
        ["fc-list", ":lang=zh-hk", "family"], capture_output=True, text=True, check=False
    )
    return bool(done.stdout.strip())


def install_browser() -> None:
    """Chromium for the tests of the console, and fonts; exits with the cure."""
    if not Path(CHROMIUM).exists() or not has_chinese():
        install_packages("chromium", "fonts-noto-cjk", "fontconfig")
    if not Path(CHROMIUM).exists() or not has_chinese():
        sys.exit(
            "The console's tests need Chromium and a Chinese font; install them with: "
            "sudo apt-get install chromium fonts-noto-cjk fontconfig. A Chromium that is elsewhere "
            "is named by HANSA_CHROMIUM."
        )


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
    if "--browser" in sys.argv[1:]:
        install_browser()
        return
    install_compiler()
    install_openssl()
    postgres.find_programs()


if __name__ == "__main__":
    main()
