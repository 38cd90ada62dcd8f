"""The vectors of the offline verifiers, read: what Python and the browser must both say."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "vectors"
NAMES = (
    "absence",
    "checkpoints",
    "forged",
    "malformed_proofs",
    "malformed_results",
    "malformed_seals",
    "proofs",
    "receipts",
)
# Of a file that is no JSON of ours each parser says in its own words what it stumbled on.
OWN_WORDS = "not a receipt, proof or checkpoint file: "
# Python judges bundles too.
_PYTHON_WORDS = "not a receipt, proof, checkpoint or bundle: "


@cache
def read_vectors(name: str) -> dict[str, Any]:
    """`roots` and `cases` of one file (tests/vectors/receipts/README.md)."""
    document: dict[str, Any] = json.loads((FOLDER / "receipts" / f"{name}.json").read_text("utf-8"))
    return document


def read_file(case: dict[str, Any]) -> bytes:
    """Bytes of the file that a case judges."""
    file = case["file"]
    return file["text"].encode() if "text" in file else base64.b64decode(file["base64"])


def list_roots(document: dict[str, Any], case: dict[str, Any]) -> list[bytes]:
    """What is pinned, newest first."""
    return [document["roots"][name].encode() for name in case["roots"]]


def cut_own_words(verdict: dict[str, Any]) -> dict[str, Any]:
    """The verdict without the words that each parser has of its own."""
    steps = [
        step | {"text": OWN_WORDS} if step["text"].startswith((OWN_WORDS, _PYTHON_WORDS)) else step
        for step in verdict["steps"]
    ]
    return verdict | {"steps": steps}
