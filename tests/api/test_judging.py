"""Judging at the gateway: the one verifier over its ledger, for anybody, and nothing is kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.league import League

BUNDLES = Path(__file__).parents[1] / "vectors" / "bundles" / "bundles.json"


def judge(league: League, **asked: Any) -> Any:
    with league.client() as client:
        answer = client.post("/v1/credentials/judge", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_stranger_is_told_each_check_by_its_name(league: League) -> None:
    cases = json.loads(BUNDLES.read_text("utf-8"))["cases"]
    document = next(each for each in cases if each["name"] == "a credential that holds")["document"]
    found = judge(league, document=document)
    assert found["outcome"] == "no"  # its issuer is of another league
    assert found["source"] == "ledger"
    checks = {each["name"]: (each["outcome"], each["code"]) for each in found["checks"]}
    assert checks["format"] == ("passed", "")
    assert checks["proof"] == ("failed", "unknown_did")
    assert checks["accreditation"][0] != "passed"
    assert found["claims"] == []


@pytest.mark.parametrize("document", ["", "hello", "{", "[]", "~", "\u0000"])
def test_what_is_no_credential_is_a_no_and_no_fault(league: League, document: str) -> None:
    found = judge(league, document=document)
    assert found["outcome"] == "no"
    assert found["checks"][0]["name"] == "format"


def test_a_bundle_is_judged_by_its_own_facts(league: League) -> None:
    vectors = json.loads(BUNDLES.read_text("utf-8"))
    case = vectors["cases"][0]
    bundle = {**case["bundle"], "document": case["document"]}
    text = json.dumps(bundle, separators=(",", ":"), sort_keys=True)
    found = judge(league, document=text, at_ms=vectors["now_ms"])
    assert (found["outcome"], found["source"]) == ("yes", "bundle")
    assert found["chain"] == bundle["chain"]
    late = judge(league, document=text, at_ms=vectors["now_ms"] + 7 * 86_400_000)
    assert late["outcome"] == "could_not_judge"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"document":1}', b'{"document":"x","more":1}', b"\xff"]
)
def test_what_is_no_question_is_refused(league: League, body: bytes) -> None:
    with league.client() as client:
        headers = {"content-type": "application/json"}
        answer = client.post("/v1/credentials/judge", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "api.invalid_parameter"
