"""Write what derives from the applications: `docs/reference`, `schemas`, and what the browser's
verifier must know of identifiers; `--check` only says whether they drifted.
"""

import sys
from pathlib import Path

import msgspec

from hansa.appkit.key_shapes import build_shapes
from hansa.appkit.reference import render_reference
from hansa.appkit.schema import build_schema
from hansa.catalog import load_applications
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Event, Message, Record

ROOT = Path(__file__).resolve().parent.parent
SHAPES = ROOT / "src" / "hansa" / "console" / "static" / "js" / "verify" / "shapes.json"


def list_files() -> dict[Path, str]:
    """Every derived file with its text."""
    files = {SHAPES: format_json(build_shapes(load_applications()))}
    for application in load_applications():
        page = ROOT / "docs" / "reference" / f"{application.name}.md"
        files[page] = render_reference(application)
        kinds: list[type[Message] | type[Record] | type[Event]] = [
            *application.messages,
            *application.records,
            *application.events,
        ]
        for kind in kinds:
            name = f"{kind.__name__}.{get_version(kind)}.json"
            files[ROOT / "schemas" / application.name / name] = format_json(build_schema(kind))
    return files


def format_json(value: object) -> str:
    """A value as JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"


def main() -> int:
    """Write, or check: 1 when something drifted."""
    files = list_files()
    stale = {
        path
        for folder in ("docs/reference", "schemas")
        for path in (ROOT / folder).rglob("*.*")
        if path not in files
    }
    changed = {
        path
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    if "--check" in sys.argv:
        for path in sorted(stale | changed):
            print(f"{path.relative_to(ROOT)} has drifted: run make reference")
        return 1 if stale or changed else 0
    for path in stale:
        path.unlink()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    print(f"{len(changed)} written, {len(stale)} removed, {len(files)} in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
