"""Make the project's own environment in `.venv` from a hash-locked file. Standard library only.

`bootstrap.py runtime` installs what the product needs, `dev` also what the tests need; `browser`
only the scripts of others that some browsers need. Safe to run twice.
"""

import base64
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}
# Where the console looks for them (src/hansa/console/browser_packages.py).
BROWSER = VENV / "share" / "hansa" / "browser"
REGISTRY = "https://registry.npmjs.org"
PACKAGE_BYTES_MAX = 10_000_000
TIMEOUT_S = 30


class Package(NamedTuple):
    """A package of the npm registry: `integrity` of its archive, the one script taken from it."""

    name: str
    version: str
    integrity: str
    script: str


# Reads QR codes where the browser cannot (Apache-2.0). ADR 4.
PACKAGES = (
    Package(
        "jsqr",
        "1.4.0",
        "sha512-dxLob7q65Xg2DvstYkRpkYtmKm2sPJ9oFhrhmudT1dZvNFFTlroai3AWSpLey/w5vMcLBXRgOJsbXpdN9HzU/A==",
        "package/dist/jsQR.js",
    ),
)


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


def install_packages() -> None:
    """Fetch the scripts that are not there yet; without them pages say what they lack."""
    for package in PACKAGES:
        path = BROWSER / f"{package.name}-{package.version}.js"
        if path.exists():
            continue
        print(f"hansa: fetching {package.name} {package.version} for the console", flush=True)
        try:
            script = fetch_script(package)
        except (OSError, HTTPException) as error:
            print(
                f"hansa: {package.name} could not be fetched ({error}): the console reads no QR\n"
                "codes in browsers that cannot themselves. Later: python tools/bootstrap.py browser"
            )
            continue
        BROWSER.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_bytes(script)
        draft.replace(path)


def fetch_script(package: Package) -> bytes:
    """The package's script. Raises OSError; exits when the archive is not the locked one."""
    registry = os.environ.get("npm_config_registry", REGISTRY).rstrip("/")
    url = f"{registry}/{package.name}/-/{package.name}-{package.version}.tgz"
    if not url.startswith("https://"):
        raise OSError(f"the registry is not asked by https: {registry}")
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310
        archive = answer.read(PACKAGE_BYTES_MAX + 1)
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        sys.exit(
            f"hansa: what {registry} gave as {package.name} is not what is locked: sha512-{digest}"
        )
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        script = files.extractfile(package.script)
        if script is None:
            raise OSError(f"{package.script} is not in it")
        return script.read(PACKAGE_BYTES_MAX)


def main() -> None:
    """Install the lock named on the command line, then the project itself."""
    kind = sys.argv[1] if len(sys.argv) == 2 else ""
    if kind == "browser":
        install_packages()
        return
    if kind not in LOCKS:
        sys.exit(__doc__)
    python = make_environment()
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--no-input")
    print(f"hansa: installing {LOCKS[kind]} (once; a minute on a slow line)", flush=True)
    run(*pip, "install", "-q", "--require-hashes", "-r", ROOT / LOCKS[kind])
    run(*pip, "install", "-q", "--no-deps", "--no-build-isolation", "-e", ROOT)
    install_packages()
    (VENV / ".runtime").touch()
    if kind == "dev":
        (VENV / ".dev").touch()


if __name__ == "__main__":
    main()
