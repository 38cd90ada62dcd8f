"""Vectors of bundles, for both verifiers (tests/vectors/bundles)."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from hansa.encoding.canonical import encode_canonical

FILE: Final = Path(__file__).parents[1] / "vectors" / "bundles" / "bundles.json"
Steps = list[list[Any]]


@cache
def read_bundles() -> dict[str, Any]:
    """`genesis`, `now_ms` and `cases`, each with its `file` in bytes."""
    document: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    cases = {case["name"]: case for case in document["cases"]}
    for case in cases.values():
        bundle = case.get("bundle") or cases[case["facts_of"]]["bundle"]
        said = {"document": case["document"]} if case["document"] else {}
        case["file"] = encode_canonical({**bundle, **said})
    return document


def join_steps(steps: Steps) -> dict[str, bool | None]:
    """The answer of each name: no when one of it is no, else open when one is."""
    found: dict[str, bool | None] = {}
    for name, ok in steps:
        known = found.get(name, True)
        found[name] = False if False in (known, ok) else None if None in (known, ok) else True
    return found
