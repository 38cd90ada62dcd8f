"""DCQL: the specification's own queries, what fits them, what does not, what is no query."""

import json
from pathlib import Path
from typing import Any

import pytest

from hansa.identity.dcql import (
    LDP_FORMAT,
    SD_JWT_FORMAT,
    Candidate,
    Query,
    list_query_faults,
    match_query,
    read_query,
    select_claims,
)
from hansa.identity.faults import Malformed

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "dcql" / "openid4vp.json").read_text()
)
IDENTITY = "https://credentials.example.com/identity_credential"
PERSON = {
    "vct": IDENTITY,
    "given_name": "Jane",
    "family_name": "Doe",
    "last_name": "Doe",
    "address": {"street_address": "Main 1", "locality": "X"},
    "postal_code": "90211",
    "date_of_birth": "1990-01-01",
}


def held(claims: dict[str, Any], vct: str = IDENTITY, **change: Any) -> Candidate:
    return Candidate(**{"format": SD_JWT_FORMAT, "types": (vct,), "claims": claims, **change})


def query(**change: Any) -> Query:
    wanted = {"id": "a", "format": SD_JWT_FORMAT, "meta": {}, **change}
    return read_query({"credentials": [wanted]})


def test_simple_query_of_the_specification() -> None:
    matched = match_query(read_query(VECTORS["simple"]), [held({}), held(PERSON)])
    (match,) = matched.by_query["my_credential"]
    assert match.candidate == 1
    assert match.paths == (("family_name",), ("given_name",), ("address", "street_address"))
    assert matched.is_satisfiable


def test_values_of_the_specification() -> None:
    asked = read_query(VECTORS["value_matching_simple"])
    assert match_query(asked, [held(PERSON)]).is_satisfiable
    assert not match_query(asked, [held({**PERSON, "postal_code": "1000"})]).is_satisfiable
    assert not match_query(asked, [held({**PERSON, "postal_code": 90211})]).is_satisfiable


def test_claim_sets_of_the_specification_prefer_the_first() -> None:
    asked = read_query(VECTORS["claims_alternatives"])
    (match,) = match_query(asked, [held(PERSON)]).by_query["pid"]
    assert match.paths == (("last_name",), ("postal_code",), ("date_of_birth",))
    whole = {**PERSON, "locality": "X", "region": "Y"}
    (match,) = match_query(asked, [held(whole)]).by_query["pid"]
    assert match.paths == (("last_name",), ("locality",), ("region",), ("date_of_birth",))


def test_credential_sets_of_the_specification() -> None:
    asked = read_query(VECTORS["credentials_alternatives"])
    reduced = held(PERSON, "https://credentials.example.com/reduced_identity_credential")
    place = {"postal_code": "1", "locality": "X", "region": "Y"}
    residence = held(place, "https://cred.example/residence_credential")
    assert match_query(asked, [held(PERSON)]).sets == ((("pid",),), ())
    assert not match_query(asked, [reduced]).is_satisfiable
    both = match_query(asked, [reduced, residence])
    assert both.sets[0] == (("pid_reduced_cred_1", "pid_reduced_cred_2"),)
    assert both.is_satisfiable
    answer = {"pid_reduced_cred_1": [reduced], "pid_reduced_cred_2": [residence]}
    assert list_query_faults(asked, answer) == []
    assert list_query_faults(asked, {"pid_reduced_cred_1": [reduced]}) == [
        ("set 0", "missing_credential")
    ]


def test_formats_that_are_not_spoken_here_are_refused() -> None:
    with pytest.raises(Malformed, match="mso_mdoc"):
        read_query(VECTORS["multi_credentials"])


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        (["name"], [("name",)]),
        (["address"], [("address",)]),
        (["address", "street_address"], [("address", "street_address")]),
        (["degrees", None, "type"], [("degrees", 0, "type"), ("degrees", 1, "type")]),
        (["nationalities", 1], [("nationalities", 1)]),
        (["nationalities", 2], []),
        (["nationalities", "x"], []),
        (["address", 0], []),
        (["address", None], []),
        (["name", "first"], []),
        (["missing", None], []),
    ],
)
def test_claims_path_pointers_of_the_specification(path: list[Any], paths: list[Any]) -> None:
    selected = select_claims(VECTORS["claims_path_pointer"], path)
    assert [way for way, _ in selected] == paths


def test_one_element_of_the_wrong_kind_spoils_a_path() -> None:
    """Section 7.1.1: abort, when any selected element is not an object."""
    assert select_claims({"a": [{"b": 1}, 2]}, ["a", None, "b"]) == []
    assert select_claims({"a": [{"b": 1}, {}]}, ["a", None, "b"]) == [(("a", 0, "b"), 1)]


def test_one_is_not_true() -> None:
    asked = query(claims=[{"path": ["adult"], "values": [True]}])
    assert match_query(asked, [held({"adult": True})]).is_satisfiable
    assert not match_query(asked, [held({"adult": 1})]).is_satisfiable


def test_a_query_without_claims_asks_for_none() -> None:
    (match,) = match_query(query(), [held(PERSON)]).by_query["a"]
    assert match.paths == ()


def test_types_formats_authorities_and_holders_are_heeded() -> None:
    asked = query(
        meta={"vct_values": [IDENTITY]},
        trusted_authorities=[{"type": "hansa", "values": ["did:hansa:r", "did:hansa:s"]}],
    )
    good = {"authorities": frozenset([("hansa", "did:hansa:s")])}
    assert match_query(asked, [held(PERSON, **good)]).is_satisfiable
    assert not match_query(asked, [held(PERSON)]).is_satisfiable
    assert not match_query(asked, [held(PERSON, "other", **good)]).is_satisfiable
    assert not match_query(asked, [held(PERSON, format=LDP_FORMAT, **good)]).is_satisfiable
    assert not match_query(asked, [held(PERSON, has_holder=False, **good)]).is_satisfiable
    bearer = query(require_cryptographic_holder_binding=False)
    assert match_query(bearer, [held(PERSON, has_holder=False)]).is_satisfiable


def test_w3c_credentials_have_all_types_of_one_set() -> None:
    base = "https://www.w3.org/2018/credentials#VerifiableCredential"
    asked = query(format=LDP_FORMAT, meta={"type_values": [[base, "Licence", "Food"], ["Pass"]]})
    claims = {"credentialSubject": {"id": "did:example:1"}}
    licence = held(claims, format=LDP_FORMAT, types=("VerifiableCredential", "Licence"))
    assert not match_query(asked, [licence]).is_satisfiable
    food = held(claims, format=LDP_FORMAT, types=("VerifiableCredential", "Licence", "Food"))
    assert match_query(asked, [food]).is_satisfiable
    assert match_query(asked, [held(claims, format=LDP_FORMAT, types=("Pass",))]).is_satisfiable


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        ({"a": 1}, []),
        ({}, [("a", "missing_credential")]),
        ({"a": 0}, [("a", "empty_answer"), ("a", "missing_credential")]),
        ({"a": 2}, [("a", "too_many")]),
        ({"a": 1, "b": 1}, [("b", "unknown_query")]),
    ],
)
def test_answers_are_held_to_the_query(answer: dict[str, int], faults: list[Any]) -> None:
    asked = query(claims=[{"path": ["given_name"]}])
    presented = {id_: [held(PERSON)] * count for id_, count in answer.items()}
    assert list_query_faults(asked, presented) == faults


def test_wrong_claims_in_an_answer_are_found_and_several_may_be_asked_for() -> None:
    asked = query(claims=[{"path": ["given_name"]}], multiple=True)
    assert list_query_faults(asked, {"a": [held(PERSON), held(PERSON)]}) == []
    assert list_query_faults(asked, {"a": [held(PERSON), held({})]}) == [("a", "wrong_credential")]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a b"},
        {"id": ""},
        {"id": None},
        {"meta": None},
        {"meta": {"vct_values": []}},
        {"meta": {"vct_values": [1]}},
        {"multiple": "yes"},
        {"claims": []},
        {"claims": [{}]},
        {"claims": [{"path": []}]},
        {"claims": [{"path": ["a", -1]}]},
        {"claims": [{"path": ["a", True]}]},
        {"claims": [{"path": ["a", 1.5]}]},
        {"claims": [{"path": ["a"]}, {"path": ["a"]}]},
        {"claims": [{"path": ["a"], "id": "x"}, {"path": ["b"], "id": "x"}]},
        {"claims": [{"path": ["a"], "values": []}]},
        {"claims": [{"path": ["a"], "values": [{}]}]},
        {"claims": [{"path": ["a"], "values": [None]}]},
        {"claim_sets": [["x"]]},
        {"claims": [{"path": ["a"], "id": "x"}], "claim_sets": [["y"]]},
        {"claims": [{"path": ["a"], "id": "x"}], "claim_sets": []},
        {"claims": [{"path": ["a"]}] * 257},
        {"trusted_authorities": []},
        {"trusted_authorities": [{"type": "aki"}]},
        {"trusted_authorities": [{"type": "", "values": ["x"]}]},
    ],
    ids=str,
)
def test_what_is_no_query_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as refused:
        query(**change)
    assert refused.value.code == "invalid_query"


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"credentials": []},
        {"credentials": [7]},
        {"credentials": VECTORS["simple"]["credentials"] * 2},
        {**VECTORS["simple"], "credential_sets": []},
        {**VECTORS["simple"], "credential_sets": [{}]},
        {**VECTORS["simple"], "credential_sets": [{"options": [["other"]]}]},
        {**VECTORS["simple"], "credential_sets": [{"options": [[{}]]}]},
        {**VECTORS["simple"], "credential_sets": [{"options": [[]]}]},
    ],
    ids=range(10),
)
def test_what_is_no_document_of_queries_is_refused(document: object) -> None:
    with pytest.raises(Malformed, match=r"invalid|missing|names|have"):
        read_query(document)


def test_long_arrays_are_matched_in_linear_time() -> None:
    """Who answers chooses how long its arrays are: every pair of 60,000 would take half an hour."""
    long = [0] * 60_000
    asked = query(claims=[{"path": ["a", None]}, {"path": ["b", None]}])
    found = match_query(asked, [held({"a": long, "b": long})])
    assert len(found.by_query["a"][0].paths) == 120_000
