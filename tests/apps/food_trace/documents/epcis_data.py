"""Where the EPCIS documents of others are; GS1's are read there and never copied."""

import os
from collections.abc import Iterator
from pathlib import Path

SHARED = Path(
    os.environ.get("HANSA_SHARED", str(Path(__file__).parents[4] / "../shared"))
).resolve()
FOOD = SHARED / "data/food-trace"
GS1 = FOOD / "gs1-epcis"
OPENEPCIS = FOOD / "openepcis"


def list_documents() -> list[Path]:
    """Every document, but for the schemas."""
    found = [path for path in FOOD.rglob("*.*") if path.parent.name != "schema"]
    return sorted(path for path in found if path.is_file())


def list_valid() -> list[Path]:
    return [path for path in list_documents() if "Invalid" not in path.parts]


def list_twins() -> Iterator[tuple[Path, Path]]:
    """The JSON and the XML of the same document."""
    for path in sorted((OPENEPCIS / "JSON").rglob("*.json")):
        twin = Path(str(path).replace("/JSON/", "/XML/")).with_suffix(".xml")
        if twin.exists() and not {"Queries", "Invalid"} & set(path.parts):
            yield path, twin


def name(path: object) -> str:
    """A file's name in test ids."""
    return str(path.relative_to(FOOD)) if isinstance(path, Path) else str(path)
