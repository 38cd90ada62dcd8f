"""A wallet answers a query: one credential each, cut to what was asked, and the verifier agrees."""

from typing import Any

from hansa.crypto.keys import PrivateKey
from hansa.identity.dcql import Query, list_query_faults, match_query, read_query
from hansa.identity.dcql_answer import choose_answer, cut_sd_jwt, describe_sd_jwt, describe_vc
from hansa.identity.sd_jwt_vc import SdJwtVc, issue_sd_jwt_vc, parse_sd_jwt_vc

KEY = PrivateKey.from_seed("EdDSA", b"\x01" * 32)
SALTS = [bytes([n]) * 16 for n in range(1, 20)]
PATHS: list[tuple[str | int, ...]] = [
    ("name",),
    ("address",),
    ("address", "street"),
    ("address", "country"),
    ("langs", 0),
    ("langs", 1),
]


def hold(vct: str, *, bound: bool = True) -> SdJwtVc:
    claims = {
        "name": "Jane",
        "address": {"street": "1 Main", "country": "MO", "open": 1},
        "langs": ["zh", "pt"],
    }
    text = issue_sd_jwt_vc(
        claims,
        vct=vct,
        issuer="did:example:1",
        method="did:example:1#k",
        alg="EdDSA",
        sign=KEY.sign,
        disclosable=PATHS,
        salts=SALTS,
        holder=KEY.public if bound else None,
    )
    return parse_sd_jwt_vc(text)


def ask(*credentials: tuple[str, list[Any]], sets: list[Any] | None = None) -> Query:
    listed = [
        {"id": vct, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": claims}
        for vct, claims in credentials
    ]
    return read_query({"credentials": listed, **({"credential_sets": sets} if sets else {})})


def answer(query: Query, *held: SdJwtVc, optional: bool = False) -> dict[str, dict[str, Any]]:
    matched = match_query(query, [describe_sd_jwt(vc) for vc in held])
    chosen = choose_answer(query, matched, optional=optional)
    shown = {
        id_: parse_sd_jwt_vc(cut_sd_jwt(held[match.candidate], match.paths))
        for id_, match in chosen.items()
    }
    if shown:
        presented = {id_: [describe_sd_jwt(vc)] for id_, vc in shown.items()}
        assert list_query_faults(query, presented) == []
    return {id_: vc.claims for id_, vc in shown.items()}


def test_a_claim_is_shown_whole_and_nothing_else_is() -> None:
    query = ask(("a", [{"path": ["address"]}]))
    shown = answer(query, hold("b"), hold("a"))["a"]
    assert shown["address"] == {"street": "1 Main", "country": "MO", "open": 1}
    assert "name" not in shown
    assert shown["langs"] == []


def test_a_part_of_a_claim_is_shown_with_what_is_above_it() -> None:
    query = ask(("a", [{"path": ["address", "country"]}, {"path": ["langs", None]}]))
    shown = answer(query, hold("a"))["a"]
    assert shown["address"] == {"country": "MO", "open": 1}
    assert shown["langs"] == ["zh", "pt"]


def test_without_claims_nothing_disclosable_is_shown() -> None:
    query = read_query({"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}}]})
    assert set(answer(query, hold("a"))["a"]) == {"vct", "iss", "cnf", "langs"}


def test_the_first_option_that_can_be_satisfied_is_answered() -> None:
    name = [{"path": ["name"]}]
    query = ask(
        ("a", name),
        ("b", name),
        ("c", name),
        sets=[{"options": [["a", "b"], ["c"]]}, {"options": [["b"]], "required": False}],
    )
    assert set(answer(query, hold("c"), hold("a"))) == {"c"}
    assert set(answer(query, hold("c"), hold("a"), hold("b"))) == {"a", "b"}
    assert set(answer(query, hold("c"), hold("b"))) == {"c"}
    assert set(answer(query, hold("c"), hold("b"), optional=True)) == {"c", "b"}
    assert answer(query, hold("a")) == {}


def test_a_bearer_credential_answers_only_who_asks_for_no_holder() -> None:
    query = ask(("a", [{"path": ["name"]}]))
    assert answer(query, hold("a", bound=False)) == {}


def test_w3c_credentials_are_described_as_they_write_their_types() -> None:
    document = {"type": ["VerifiableCredential", "Licence"], "credentialSubject": {"n": 1}}
    claims = [{"path": ["credentialSubject", "n"]}]
    meta = {"type_values": [["Licence"]]}
    query = read_query(
        {"credentials": [{"id": "a", "format": "ldp_vc", "meta": meta, "claims": claims}]}
    )
    matched = match_query(query, [describe_vc(document, has_holder=True)])
    assert matched.by_query["a"][0].paths == (("credentialSubject", "n"),)
    one = {**document, "type": "Licence"}
    assert match_query(query, [describe_vc(one, has_holder=True)]).is_satisfiable


def test_a_document_whose_type_is_no_text_has_none() -> None:
    for type_ in (None, 7, {}, [None, 7]):
        assert describe_vc({"type": type_}, has_holder=True).types == ()
