"""Both verifiers judge bundles alike: Python as written, and the browser never beyond it."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from hansa.client.trust import build_trust_root
from hansa.client.verify import verify_receipt
from hansa.comet.wire import Timestamp
from tests.console.bench import open_bench, run
from tests.console.bundle_vectors import join_steps, read_bundles

# What no browser judges.
OPEN = {"format", "schema"}
CASES = read_bundles()["cases"]
JUDGE = """
const { verifyFile } = await load("verify/verifier");
const { buildRoot } = await load("verify/roots");
const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
const root = await buildRoot(new TextEncoder().encode(given.genesis));
const options = { findRoots: () => [root], now: given.now_ms };
const all = [];
for (const file of given.files) {
  const { outcome, steps } = await verifyFile(bytes(file), options);
  all.push({ outcome, steps: steps.map(({ name, ok }) => [name, ok]) });
}
return all;
"""


@pytest.fixture(scope="module")
def bench(chromium: Browser) -> Iterator[Page]:
    """A page without a server, whose network is off."""
    with open_bench(chromium) as page:
        yield page


@pytest.mark.slow
def test_python_says_what_is_written() -> None:
    document = read_bundles()
    root = build_trust_root(document["genesis"].encode())
    now = Timestamp.from_ms(document["now_ms"])
    for case in CASES:
        verdict = verify_receipt(case["file"], root, now=now)
        assert verdict.outcome == case["outcome"], case["name"]
        assert [[each.name, each.ok] for each in verdict.steps] == case["steps"], case["name"]


@pytest.mark.slow
def test_chromium_says_what_is_written(bench: Page) -> None:
    document = read_bundles()
    files = [base64.b64encode(case["file"]).decode() for case in CASES]
    given = {"genesis": document["genesis"], "now_ms": document["now_ms"], "files": files}
    for case, said in zip(CASES, run(bench, JUDGE, given), strict=True):
        assert said == case["browser"], case["name"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_browser_says_nothing_that_python_does_not(case: dict[str, Any]) -> None:
    """Never yes; no exactly when Python says no; and each check that both make is the same."""
    ours, browsers = join_steps(case["steps"]), join_steps(case["browser"]["steps"])
    assert case["browser"]["outcome"] != "yes"
    assert (case["browser"]["outcome"] == "no") == (case["outcome"] == "no")
    is_unread = ours.get("format") is False
    for name, ok in browsers.items():
        if name in OPEN or is_unread:
            continue
        assert ok == ours.get(name), name
