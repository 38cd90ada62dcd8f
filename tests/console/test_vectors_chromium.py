"""The browser's verifier says of every vector what Python says, and yes to nothing changed."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from hansa.console.assets import FOLDER as STATIC
from tests.console.bench import open_bench, run
from tests.console.vectors import FOLDER, NAMES, cut_own_words, list_roots, read_file, read_vectors

pytestmark = pytest.mark.slow

SHAPES = json.loads((STATIC / "js" / "verify" / "shapes.json").read_text("utf-8"))
# Judges {data, roots, now_ms} and gives the verdict in the form of client/verdict.py.
JUDGE = """
const { verifyFile } = await load("verify/verifier");
const { buildRoot } = await load("verify/roots");
const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
const judge = async ({ data, roots, now_ms: now }) => {
  const pinned = await Promise.all(roots.map((each) => buildRoot(bytes(each))));
  const verdict = await verifyFile(bytes(data), {
    findRoots: () => pinned, shapes: given.shapes, now,
  });
  const { trustedHeight: trusted_height, ...same } = verdict;
  const steps = verdict.steps.map(({ name, ok, text }) => ({ name, ok, text }));
  return { ...same, trusted_height, steps };
};
"""
FLIP = """
const file = bytes(given.data);
const pinned = await Promise.all(given.roots.map((each) => buildRoot(bytes(each))));
const options = { findRoots: () => pinned, shapes: given.shapes, now: given.now_ms };
const outcomes = [(await verifyFile(file, options)).outcome];
for (let place = 0; place < file.length; place += given.stride) {
  const changed = file.slice();
  changed[place] ^= 1 << place % 8;
  outcomes.push((await verifyFile(changed, options)).outcome);
}
return outcomes;
"""


@pytest.fixture(scope="module")
def bench(chromium: Browser) -> Iterator[Page]:
    """A page without a server, whose network is off."""
    with open_bench(chromium) as page:
        yield page


def describe(name: str, case_name: str = "") -> list[dict[str, Any]]:
    """Cases of a file of vectors, as the page takes them."""
    document = read_vectors(name)
    return [
        {
            "data": base64.b64encode(read_file(case)).decode(),
            "roots": [base64.b64encode(root).decode() for root in list_roots(document, case)],
            "now_ms": case["now_ms"],
        }
        for case in document["cases"]
        if case_name in ("", case["name"])
    ]


@pytest.mark.parametrize("name", NAMES)
def test_chromium_says_what_is_written(bench: Page, name: str) -> None:
    script = JUDGE + "const all = []; for (const each of given.cases) all.push(await judge(each));"
    said = run(bench, script + "return all;", {"cases": describe(name), "shapes": SHAPES})
    for verdict, case in zip(said, read_vectors(name)["cases"], strict=True):
        assert cut_own_words(verdict) == cut_own_words(case["verdict"]), case["name"]


@pytest.mark.parametrize(
    ("name", "case_name", "stride"),
    [
        ("receipts", "refused, with parameters", 1),
        ("receipts", "validators replaced twice, over two headers", 13),
        ("absence", "e_invoice/reimbursement/0192:923609016:TOSL108/1", 1),
    ],
)
def test_a_flipped_bit_in_any_byte_turns_yes_into_no(
    bench: Page, name: str, case_name: str, stride: int
) -> None:
    [case] = describe(name, case_name)
    first, *others = run(bench, JUDGE + FLIP, case | {"shapes": SHAPES, "stride": stride})
    assert first == "yes"
    assert len(others) > 500
    assert Counter(others) == {"no": len(others)}


def test_chromium_pins_what_is_written_and_nothing_else(bench: Page) -> None:
    cases = json.loads((FOLDER / "receipts" / "roots.json").read_text("utf-8"))["cases"]
    script = """
    const { buildRoot } = await load("verify/roots");
    const { Failed } = await load("verify/reasons");
    const pin = async (text) => {
      try {
        const { chain, digest, height } = await buildRoot(new TextEncoder().encode(text));
        return { chain, digest, height: Number(height) };
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        return null;
      }
    };
    const all = [];
    for (const each of given) all.push(await pin(each));
    return all;
    """
    said = run(bench, script, [case["text"] for case in cases])
    for root, case in zip(said, cases, strict=True):
        assert root == case["root"], case["name"]


def test_signatures_at_the_edges_hold_as_is_written(bench: Page) -> None:
    """Also where the browser has no Ed25519 of its own: `exactly` is what then decides."""
    cases = json.loads((FOLDER / "receipts" / "ed25519.json").read_text("utf-8"))["cases"]
    script = """
    const { verifyEd25519, verifyExactly } = await load("verify/ed25519");
    const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (each) => parseInt(each, 16));
    const said = [];
    for (const { key, message, signature } of given) {
      const parts = [bytes(key), bytes(message), bytes(signature)];
      const isWhole = parts[0].length === 32 && parts[2].length === 64;
      const exactly = isWhole && (await verifyExactly(...parts));
      said.push([await verifyEd25519(...parts), exactly]);
    }
    return said;
    """
    for said, case in zip(run(bench, script, cases), cases, strict=True):
        assert said == [case["holds"]] * 2, case["name"]


def test_an_identifier_is_judged_without_its_rule_as_unknown(bench: Page) -> None:
    """A release without the kind, or without its rule, could not judge; it never says yes."""
    [case] = describe("absence", "e_invoice/reimbursement/0192:923609016:TOSL108/1")
    lacking: list[Any] = [None, {}, {"kinds": {"e_invoice": {}}, "schemes": {}}]
    kinds = json.loads(json.dumps(SHAPES["kinds"]))
    kinds["e_invoice"]["reimbursement"]["rule"] = None
    for shapes in (*lacking, SHAPES | {"kinds": kinds}):
        verdict = run(bench, JUDGE + "return judge(given);", case | {"shapes": shapes})
        assert verdict["outcome"] == "could_not_judge"
        assert verdict["steps"][-1]["name"] == "identifier"
