"""The bill of materials: `docs/sbom.cdx.json`, CycloneDX 1.6, of the locks. No network.

Every package that either lock names, with its version, the hashes of its files, its licence (SPDX)
and its purl; and what is fetched beside them. `--check`: is the file what the locks say, and is
every licence one that may be used (ADR 4)?
"""

import json
import re
import sys
import tomllib
import uuid
from base64 import b64decode
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from bootstrap import PACKAGES  # noqa: E402

FILE: Final = ROOT / "docs" / "sbom.cdx.json"
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
NAMESPACE: Final = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of URLs (RFC 9562)
_PINNED: Final = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*([^\\]*?))?\s*\\?$")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")

# Licences of packages whose metadata has no SPDX expression, as their own licence files say.
LICENCES: Final = {
    **dict.fromkeys(
        "asn1crypto axe-playwright-python charset-normalizer faker h11 jsonschema-rs litestar"
        " litestar-htmx markdown-it-py mdurl multipart pluggy polyfactory pyyaml rich rich-click"
        " rocksdict".split(),
        "MIT",
    ),
    **dict.fromkeys(
        "babel colorama httpx jinja2 lxml pg8000 protobuf segno".split(),
        "BSD-3-Clause",
    ),
    **dict.fromkeys(
        "atheris lxml-stubs py-ed25519-zebra-bindings requests rfc3161-client sortedcontainers"
        " tzdata".split(),
        "Apache-2.0",
    ),
    **dict.fromkeys(("grimp", "import-linter"), "BSD-2-Clause"),
    **dict.fromkeys(("certifi", "pathspec"), "MPL-2.0"),
    "lmdb": "OLDAP-2.8",
    "mock-einvoice": "MIT AND EUPL-1.2",
    "sniffio": "MIT OR Apache-2.0",
}
# What may be used (ADR 4): permissive; of copyleft only on the files themselves, MPL and EUPL.
ALLOWED: Final = frozenset(
    "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause EUPL-1.2 ISC MIT MIT-0 MPL-2.0 PSF-2.0".split()
)
# And in development, where nothing of it is shipped.
ALLOWED_IN_DEVELOPMENT: Final = ALLOWED | {"LGPL-3.0-or-later", "OLDAP-2.8"}


class Locked(NamedTuple):
    """A package of a lock: `marker` says where it is installed, "" everywhere."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


class UnknownLicence(Exception):
    """A package of whose licence nothing is known here."""


def read_lock(name: str) -> dict[str, Locked]:
    """The packages of a lock by name."""
    found: dict[str, Locked] = {}
    current = ""
    for line in (ROOT / name).read_text("utf-8").splitlines():
        pinned = _PINNED.match(line)
        if pinned:
            current = pinned[1]
            found[current] = Locked(current, pinned[2], pinned[3] or "", ())
        else:
            hashes = (*found[current].hashes, *_HASH.findall(line))
            found[current] = found[current]._replace(hashes=hashes)
    return found


def find_licence(name: str, known: dict[str, str]) -> str:
    """SPDX expression of a package: from the table, its own metadata, or the file as it is (it may
    not be installed on this platform). Raises UnknownLicence.
    """
    if name in LICENCES:
        return LICENCES[name]
    try:
        told = str((metadata.metadata(name).get_all("License-Expression") or [""])[0])
    except metadata.PackageNotFoundError:
        told = known.get(name, "")
    if not told:
        raise UnknownLicence(f"{name}: see its licence and put it into tools/sbom.py")
    return told


def is_allowed(expression: str, *, is_shipped: bool) -> bool:
    """Whether one of the alternatives of an SPDX expression is all allowed."""
    allowed = ALLOWED if is_shipped else ALLOWED_IN_DEVELOPMENT
    return any(
        all(part.strip("() ") in allowed for part in alternative.split(" AND "))
        for alternative in expression.split(" OR ")
    )


def read_licences() -> dict[str, str]:
    """Licences by name in the file as it is."""
    if not FILE.exists():
        return {}
    components = json.loads(FILE.read_text("utf-8"))["components"]
    return {each["name"]: each["licenses"][0]["expression"] for each in components}


def list_components() -> Iterator[dict[str, Any]]:
    """A component for each package, in the order of their names."""
    shipped, known = read_lock(RUNTIME), read_licences()
    for name, locked in sorted(read_lock(DEVELOPMENT).items()):
        component = {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{locked.version}",
            "name": name,
            "version": locked.version,
            "scope": "required" if name in shipped else "excluded",
            "hashes": [{"alg": "SHA-256", "content": each} for each in sorted(locked.hashes)],
            "licenses": [{"expression": find_licence(name, known)}],
            "purl": f"pkg:pypi/{name}@{locked.version}",
        }
        if locked.marker:
            component["properties"] = [{"name": "hansa:marker", "value": locked.marker}]
        yield component
    for package in PACKAGES:
        alg, _, digest = package.integrity.partition("-")
        purl = f"pkg:npm/{package.name}@{package.version}"
        yield {
            "type": "library",
            "bom-ref": purl,
            "name": package.name,
            "version": package.version,
            "scope": "optional",
            "hashes": [{"alg": alg.replace("sha", "SHA-"), "content": b64decode(digest).hex()}],
            "licenses": [{"expression": "Apache-2.0"}],
            "purl": purl,
        }


def build() -> dict[str, Any]:
    """The whole document; the same locks give the same bytes."""
    components = list(list_components())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    direct = {re.split(r"[^A-Za-z0-9._-]", each)[0].lower() for each in project["dependencies"]}
    root = f"pkg:pypi/hansa@{project['version']}"
    content = json.dumps(components, sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, root + content)}",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "pre-build"}],
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "hansa",
                "version": project["version"],
                "licenses": [{"expression": "Apache-2.0"}],
                "purl": root,
            },
        },
        "components": components,
        "dependencies": [
            {
                "ref": root,
                "dependsOn": [each["bom-ref"] for each in components if each["name"] in direct],
            }
        ],
    }


def _is_shipped(component: dict[str, Any]) -> bool:
    return bool(component["scope"] != "excluded")


def list_refused(document: dict[str, Any]) -> list[str]:
    """Components whose licence may not be used where they are."""
    return [
        f"{each['name']}: {each['licenses'][0]['expression']}"
        for each in document["components"]
        if not is_allowed(each["licenses"][0]["expression"], is_shipped=_is_shipped(each))
    ]


def main() -> None:
    """Write the file, or with `--check` compare it; 1 when it is not right."""
    try:
        document = build()
    except UnknownLicence as error:
        sys.exit(f"sbom: {error}")
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    refused = list_refused(document)
    if refused:
        sys.exit("sbom: licences that may not be used (ADR 4):\n" + "\n".join(refused))
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text, "utf-8")
    elif not FILE.exists() or FILE.read_text("utf-8") != text:
        sys.exit("sbom: docs/sbom.cdx.json is not of these locks: make sbom")


if __name__ == "__main__":
    main()
