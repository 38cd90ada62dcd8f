"""Python's verifier says of every vector what is written there; the browser is held to the same
files (test_vectors_chromium.py).
"""

import json
from typing import Any

import msgspec
import pytest

from hansa.appkit.key_shapes import build_shapes
from hansa.catalog import load_applications
from hansa.client.checkpoints import decode_checkpoint
from hansa.client.trust import Root, build_trust_root
from hansa.client.verify import verify_receipt
from hansa.comet.wire import Timestamp
from hansa.crypto.signatures import SUITES
from tests.console.vectors import (
    FOLDER,
    NAMES,
    cut_own_words,
    list_roots,
    read_file,
    read_vectors,
)
from tests.vectors.receipts.generate.genesis import judge_root

CASES = [(name, case["name"]) for name in NAMES for case in read_vectors(name)["cases"]]


def read_root(data: bytes) -> Root:
    is_genesis = b'"kind":"hansa.genesis/1"' in data
    return build_trust_root(data) if is_genesis else decode_checkpoint(data)


@pytest.mark.parametrize(("name", "case_name"), CASES)
def test_python_says_what_is_written(name: str, case_name: str) -> None:
    document = read_vectors(name)
    case = next(each for each in document["cases"] if each["name"] == case_name)
    roots = [read_root(data) for data in list_roots(document, case)]
    now = Timestamp.from_ms(case["now_ms"])
    verdict: Any = msgspec.to_builtins(verify_receipt(read_file(case), roots, now=now))
    assert cut_own_words(verdict) == cut_own_words(case["verdict"])


def test_python_pins_what_is_written_and_nothing_else() -> None:
    document = json.loads((FOLDER / "receipts" / "roots.json").read_text("utf-8"))
    for case in document["cases"]:
        assert judge_root(case["text"].encode()) == case["root"], case["name"]


def test_the_vectors_have_every_outcome_and_every_step() -> None:
    verdicts = [case["verdict"] for name in NAMES for case in read_vectors(name)["cases"]]
    assert {each["outcome"] for each in verdicts} == {"yes", "no", "could_not_judge"}
    refused = {step["name"] for each in verdicts for step in each["steps"] if step["ok"] is False}
    assert refused >= {
        "file",
        "trust root",
        "validators",
        "header",
        "headers",
        "trust path",
        "inclusion",
        "result",
        "standing",
        "state",
        "identifier",
    }


def test_signatures_at_the_edges_hold_as_is_written() -> None:
    path = FOLDER / "receipts" / "ed25519.json"
    for case in json.loads(path.read_text("utf-8"))["cases"]:
        parts = (bytes.fromhex(case[name]) for name in ("key", "message", "signature"))
        assert SUITES["EdDSA"].verify(*parts) is case["holds"], case["name"]


def test_the_browser_knows_the_identifiers_of_every_kind() -> None:
    """A kind with a rule of its own (`is_key`) says it as data too (appkit/key_rule.py): else the
    browser could never judge that such a record is absent.
    """
    kinds = build_shapes(load_applications())["kinds"]
    for application in load_applications():
        for record in application.records:
            shape = kinds[application.name][record.KIND]
            assert shape.get("rule", "") is not None, f"{record.KIND}: its KeyRule is missing"
