"""A throw-away PostgreSQL: prints its SQLAlchemy URL, lives until its standard input closes.

Installs Debian's `postgresql` when it is missing. Listens on a unix socket in its own temporary
folder only (no port to collide with), as an unprivileged user when started by root.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

USER = "hansa"
# Debian keeps the server's programs out of PATH, one folder per major version.
DEBIAN_FOLDERS = "/usr/lib/postgresql/*/bin/initdb"
# Durability is of no use to a server that lives as long as a test.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "40",
}
READY_WITHIN_S = 60


def find_programs() -> Path:
    """Folder of the server's programs; installs them when missing, or exits with the cure."""
    folder = _look_for_programs()
    if folder is None and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", "-qq", *command], env=environment, check=True, stdout=2)
        folder = _look_for_programs()
    if folder is None:
        sys.exit("PostgreSQL is missing; install it with: sudo apt-get install postgresql")
    return folder


def _look_for_programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    debian = sorted(Path("/").glob(DEBIAN_FOLDERS[1:]), key=lambda path: int(path.parts[4]))
    return debian[-1].parent if debian else None


def _choose_owner() -> str | None:
    """Name of the user who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def start_server(programs: Path, folder: Path, owner: str | None) -> subprocess.Popen[bytes]:
    """Start the server as a child and return when it takes connections, or exit with its log."""
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    data, log = folder / "data", folder / "log"
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), *settings]
    with log.open("wb") as output:
        server = subprocess.Popen(command, user=owner, cwd=folder, stderr=output, stdout=output)
    give_up = time.monotonic() + READY_WITHIN_S
    state = data / "postmaster.pid"
    while not (state.exists() and "ready" in state.read_text()):
        if server.poll() is not None or time.monotonic() > give_up:
            server.kill()
            sys.exit(f"PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.02)
    return server


def main() -> None:
    """Start, print the URL, wait for the end of standard input, stop, and leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    programs = find_programs()
    owner = _choose_owner()
    password = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="hansa-pg-") as name:
        folder = Path(name)
        secret = folder / "password"
        secret.write_text(password)
        if owner is not None:
            for path in (folder, secret):
                shutil.chown(path, owner)
        initdb = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "--no-sync"]
        initdb += ["-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(initdb, user=owner, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        server = start_server(programs, folder, owner)
        try:
            socket = quote(str(folder / ".s.PGSQL.5432"), safe="")
            url = f"postgresql+pg8000://{USER}:{password}@/postgres?unix_sock={socket}"
            print(url, flush=True)
            sys.stdin.read()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(READY_WITHIN_S)


if __name__ == "__main__":
    main()
