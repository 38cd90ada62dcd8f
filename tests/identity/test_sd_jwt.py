"""SD-JWT (RFC 9901): its own example, what comes back, and everything that must be refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.identity.did import parse_jwk
from hansa.identity.faults import Malformed
from hansa.identity.jws import find_signature_fault, parse_jws, sign_jws
from hansa.identity.sd_jwt import (
    DISCLOSURES_MAX,
    compute_digest,
    issue_sd_jwt,
    parse_sd_jwt,
    present_sd_jwt,
)

VECTOR: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sd_jwt" / "rfc9901.json").read_text()
)
EXAMPLE = ("example+sd-jwt",)
HEADER = {"alg": "EdDSA", "typ": "example+sd-jwt"}
KEY = PrivateKey.from_seed("EdDSA", b"\x05" * 32)
SALTS = [bytes([n]) * 16 for n in range(1, 100)]
CLAIMS: dict[str, Any] = {
    "sub": "user",
    "name": "陳大文",
    "address": {"street": "1 Main", "country": "DE", "geo": {"lat": 1, "lon": 2}},
    "langs": ["zh", "pt", "en"],
}


def issue(*paths: Any, **change: Any) -> str:
    given = {"disclosable": paths, "salts": SALTS, "header": HEADER, "sign": KEY.sign, **change}
    return issue_sd_jwt(CLAIMS, **given)


def raw(payload: Any, *disclosures: Any, header: dict[str, Any] | None = None) -> str:
    """An SD-JWT of any payload and any disclosures."""
    parts = [each if isinstance(each, str) else disclosure(each) for each in disclosures]
    return "~".join((sign_jws(payload, header=header or HEADER, sign=KEY.sign), *parts, ""))


def disclosure(content: Any) -> str:
    return encode_base64url(json.dumps(content).encode())


def digest(content: Any) -> str:
    return compute_digest(disclosure(content))


def refuse(text: str) -> str:
    with pytest.raises(Malformed) as refused:
        parse_sd_jwt(text, types=EXAMPLE)
    return refused.value.code


def test_the_example_of_the_rfc_is_verified() -> None:
    parsed = parse_sd_jwt(VECTOR["presented"], types=EXAMPLE)
    assert find_signature_fault(parsed.jws, parse_jwk(VECTOR["issuer_jwk"])) == ""
    assert parsed.claims == VECTOR["claims"]
    assert parsed.is_partial
    bound = parse_jws(parsed.key_binding, types=("kb+jwt",))
    assert find_signature_fault(bound, parse_jwk(parsed.claims["cnf"]["jwk"])) == ""
    assert json.loads(bound.payload)["sd_hash"] == compute_digest(parsed.presented)


def test_the_presentation_of_the_rfc_is_what_we_present() -> None:
    """Same disclosures, in the order of issue where the RFC's holder shuffled them."""
    held = parse_sd_jwt(VECTOR["issued"], types=EXAMPLE)
    assert not held.is_partial
    paths = [("family_name",), ("address",), ("given_name",), ("nationalities", 0)]
    ours = present_sd_jwt(held, paths).split("~")
    theirs = [*VECTOR["presented"].split("~")[:-1], ""]
    assert sorted(ours) == sorted(theirs)
    assert ours[0] == theirs[0]


# RFC 9901, section 6: salts, claims and digests of its address examples.
STREET, LOCALITY, REGION, COUNTRY = (
    ["2GLC42sKQveCfGfryNRN9w", "street_address", "Schulstr. 12"],
    ["eluV5Og3gSNII8EYnsxA_A", "locality", "Schulpforta"],
    ["6Ij7tM-a5iVPGboS5tmvVA", "region", "Sachsen-Anhalt"],
    ["eI8ZWm9QnKPpNPeNenHdhQ", "country", "DE"],
)
INNER = [
    "6vh9bq-zS4GKM_7GpggVbYzzu6oOGXrmNVGPHP75Ud0",
    "9gjVuXtdFROCgRrtNcGUXmF65rdezi_6Er_j76kmYyM",
    "KURDPh4ZC19-3tiz-Df39V8eidy1oV3a3H1Da2N0g88",
    "WN9r9dCBJ8HTCsS2jKASxTjEyW5m5x65_Z_2ro2jfXM",
]
ADDRESS = {each[1]: each[2] for each in (STREET, LOCALITY, REGION, COUNTRY)}
OUTER = ["Qg_O64zqAxe412a108iroA", "address", {"_sd": INNER}]
FLAT = ["2GLC42sKQveCfGfryNRN9w", "address", ADDRESS]


@pytest.mark.parametrize(
    ("payload", "disclosures"),
    [
        ({"_sd": ["fOBUSQvo46yQO-wRwXBcGqvnbKIueISEL961_Sjd4do"]}, [FLAT]),
        ({"address": {"_sd": INNER}}, [STREET, LOCALITY, REGION, COUNTRY]),
        ({"address": {"_sd": INNER[:3], "country": "DE"}}, [STREET, LOCALITY, REGION]),
        (
            {"_sd": ["HvrKX6fPV0v9K_yCVFBiLFHsMaxcD_114Em6VT8x1lg"]},
            [STREET, LOCALITY, REGION, COUNTRY, OUTER],
        ),
    ],
    ids=["flat", "structured", "one open", "recursive"],
)
def test_nested_examples_of_the_rfc_give_its_address(payload: Any, disclosures: Any) -> None:
    parsed = parse_sd_jwt(raw({**payload, "_sd_alg": "sha-256"}, *disclosures), types=EXAMPLE)
    assert parsed.claims == {"address": ADDRESS}
    assert not parsed.is_partial


def test_all_that_was_issued_comes_back() -> None:
    text = issue(("name",), ("address", "street"), ("langs", 1))
    parsed = parse_sd_jwt(text, types=EXAMPLE)
    assert parsed.claims == CLAIMS
    assert [each.path for each in parsed.disclosures] == [
        ("name",),
        ("address", "street"),
        ("langs", 1),
    ]
    assert "陳大文" not in json.dumps(parsed.payload, ensure_ascii=False)


def test_what_is_withheld_leaves_no_trace() -> None:
    held = parse_sd_jwt(issue(("name",), ("address", "street"), ("langs", 1)), types=EXAMPLE)
    shown = parse_sd_jwt(present_sd_jwt(held, [("langs", 0)]), types=EXAMPLE)
    assert shown.claims == {
        "sub": "user",
        "address": {"country": "DE", "geo": {"lat": 1, "lon": 2}},
        "langs": ["zh", "en"],
    }
    assert shown.is_partial


def test_recursive_disclosures_bring_what_is_above_them() -> None:
    paths = [("address",), ("address", "street"), ("address", "geo"), ("address", "geo", "lat")]
    held = parse_sd_jwt(issue(*paths), types=EXAMPLE)
    assert held.claims == CLAIMS
    shown = parse_sd_jwt(present_sd_jwt(held, [("address", "geo", "lat")]), types=EXAMPLE)
    assert shown.claims["address"] == {"country": "DE", "geo": {"lat": 1, "lon": 2}}
    outer = parse_sd_jwt(present_sd_jwt(held, [("address",)]), types=EXAMPLE)
    assert outer.claims["address"] == {"country": "DE"}
    everything = parse_sd_jwt(present_sd_jwt(held), types=EXAMPLE)
    assert everything.claims == CLAIMS


def test_decoys_hide_how_many_claims_there_are() -> None:
    text = issue(("name",), decoys={(): 3, ("langs",): 2, ("address",): 1})
    parsed = parse_sd_jwt(text, types=EXAMPLE)
    assert parsed.claims == CLAIMS
    assert len(parsed.payload["_sd"]) == 4
    assert len(parsed.payload["langs"]) == 5
    assert parsed.is_partial


def test_the_order_of_claims_does_not_show() -> None:
    parsed = parse_sd_jwt(issue(("sub",), ("name",), ("langs",)), types=EXAMPLE)
    assert parsed.payload["_sd"] == sorted(parsed.payload["_sd"])


VALUES = st.recursive(
    st.one_of(st.integers(-9, 9), st.text(max_size=3), st.booleans(), st.none()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=8,
)


def list_all_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return []
    children = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        each
        for part, inner in children
        for each in [(*path, part), *list_all_paths(inner, (*path, part))]
    ]


@given(st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4), st.data())
def test_any_claims_come_back_and_any_part_can_be_shown(
    claims: dict[str, Any], data: st.DataObject
) -> None:
    paths = list_all_paths(claims)
    hidden = data.draw(st.sets(st.sampled_from(paths), max_size=6) if paths else st.just(set()))
    text = issue_sd_jwt(claims, disclosable=hidden, salts=SALTS, header=HEADER, sign=KEY.sign)
    held = parse_sd_jwt(text, types=EXAMPLE)
    assert held.claims == claims
    assert {each.path for each in held.disclosures} == hidden
    wanted = data.draw(st.sets(st.sampled_from(sorted(hidden, key=str))) if hidden else st.just({}))
    shown = parse_sd_jwt(present_sd_jwt(held, wanted), types=EXAMPLE)
    above = {path[:length] for path in wanted for length in range(1, len(path) + 1)}
    assert len(shown.disclosures) == len(hidden & above)


ELEMENT, CLAIM = ["salt", "x"], ["salt", "a", 1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (raw({"a": 1})[:-1], "not_an_sd_jwt"),
        ("~", "not_an_sd_jwt"),
        (raw({"_sd_alg": "sha-512"}), "unknown_hash"),
        (raw({"_sd_alg": "md5"}), "unknown_hash"),
        (raw({}, CLAIM), "unreferenced_disclosure"),
        (raw({"_sd": [digest(CLAIM)]}, CLAIM, CLAIM), "duplicate_disclosure"),
        (raw({"_sd": [digest(CLAIM)] * 2}, CLAIM), "duplicate_digest"),
        (raw({"_sd": [digest(CLAIM)], "b": {"_sd": [digest(CLAIM)]}}), "duplicate_digest"),
        (raw({"_sd": [digest(CLAIM)], "b": [{"...": digest(CLAIM)}]}), "duplicate_digest"),
        (raw({"_sd": [digest(CLAIM)], "a": 2}, CLAIM), "claim_collision"),
        (
            raw({"_sd": [digest(CLAIM), digest(["other", "a", 2])]}, CLAIM, ["other", "a", 2]),
            "claim_collision",
        ),
        (raw({"_sd": [digest(["s", "_sd", 1])]}, ["s", "_sd", 1]), "reserved_name"),
        (raw({"_sd": [digest(["s", "...", 1])]}, ["s", "...", 1]), "reserved_name"),
        (raw({"_sd": [digest(["s", "_sd_alg", 1])]}, ["s", "_sd_alg", 1]), "reserved_name"),
        (raw({"...": digest(CLAIM)}), "reserved_name"),
        (raw({"a": [{"...": digest(ELEMENT), "b": 1}]}, ELEMENT), "reserved_name"),
        (raw({"_sd": [digest(ELEMENT)]}, ELEMENT), "wrong_disclosure"),
        (raw({"a": [{"...": digest(CLAIM)}]}, CLAIM), "wrong_disclosure"),
        (raw({}, ["salt"]), "wrong_disclosure"),
        (raw({}, ["salt", "a", 1, 2]), "wrong_disclosure"),
        (raw({}, [1, "a", 1]), "wrong_disclosure"),
        (raw({}, ["salt", 1, 1]), "wrong_disclosure"),
        (raw({}, {"a": 1}), "wrong_disclosure"),
        (raw({}, "A"), "wrong_disclosure"),
        (raw({}, ""), "not_json"),
        (raw({}, encode_base64url(b'["salt", "a", {"b": 1, "b": 2}]')), "duplicate_key"),
        (raw({}, encode_base64url(b'["salt", "a", 1] x')), "not_json"),
        (raw({}, encode_base64url(b'["salt", "a", NaN]')), "not_json"),
        (raw({"_sd": digest(CLAIM)}), "wrong_digest_list"),
        (raw({"_sd": [1]}), "wrong_digest_list"),
        (raw({"_sd": ["short"]}), "wrong_digest_list"),
        (raw({"a": [{"...": None}]}), "wrong_digest_list"),
        (raw(["not an object"]), "not_an_object"),
        (raw({}, *["A"] * (DISCLOSURES_MAX + 1)), "too_many_disclosures"),
        ("é~", "too_large"),
        ("a" * 300_000, "too_large"),
        (raw({}, header={"typ": "example+sd-jwt"}), "unsigned"),
        (raw({}, header={**HEADER, "alg": "none"}), "unsigned"),
        (raw({}, header={**HEADER, "alg": "None"}), "unsigned"),
        (raw({}, header={**HEADER, "alg": "HS256"}), "symmetric_algorithm"),
        (raw({}, header={**HEADER, "alg": "RS256"}), "unknown_suite"),
        (raw({}, header={**HEADER, "alg": ["EdDSA"]}), "unsigned"),
        (raw({}, header={**HEADER, "typ": "JWT"}), "wrong_type"),
        (raw({}, header={**HEADER, "typ": "kb+jwt"}), "wrong_type"),
        (raw({}, header={**HEADER, "crit": ["exp"], "exp": 1}), "unknown_critical_header"),
        (raw({}, header={**HEADER, "b64": False}), "unknown_critical_header"),
        ("a.b~", "not_a_jws"),
        ("a.b.c.d~", "not_a_jws"),
        ("a.b=.c~", "not_a_jws"),
    ],
    ids=range(49),
)
def test_what_must_be_rejected_is(text: str, code: str) -> None:
    assert refuse(text) == code


def test_a_digest_without_disclosure_is_no_fault() -> None:
    parsed = parse_sd_jwt(
        raw({"_sd": [digest(CLAIM)], "b": [{"...": digest(ELEMENT)}]}), types=EXAMPLE
    )
    assert parsed.claims == {"b": []}


def test_a_chain_of_disclosures_ends_somewhere() -> None:
    """Each disclosure holds the digest of the one before: a path of a hundred names."""
    content: Any = ["salt", "a", 1]
    chain = [content]
    for _ in range(100):
        content = ["salt", "a", {"_sd": [digest(content)]}]
        chain.append(content)
    assert refuse(raw({"_sd": [digest(content)]}, *chain)) == "too_deep"


def test_a_header_with_a_key_twice_is_refused() -> None:
    head = encode_base64url(b'{"alg":"EdDSA","typ":"example+sd-jwt","alg":"ES256"}')
    assert refuse(f"{head}.e30.AA~") == "duplicate_key"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"disclosable": [("other",)]}, "unknown_path"),
        ({"disclosable": [("langs", 3)]}, "unknown_path"),
        ({"decoys": {("sub",): 1}}, "unknown_path"),
        ({"salts": [b"\x01" * 15]}, "weak_salt"),
        ({"salts": [b"\x01" * 16] * 2}, "weak_salt"),
        ({"disclosable": [("sub",), ("name",)], "salts": SALTS[:1]}, "too_few_salts"),
        ({"decoys": {(): 2}, "salts": SALTS[:1]}, "too_few_salts"),
    ],
)
def test_what_cannot_be_issued(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as refused:
        issue(**change)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
def test_names_of_the_format_are_not_claims(name: str) -> None:
    with pytest.raises(Malformed, match="not names"):
        issue_sd_jwt({name: 1}, disclosable=[], salts=[], header=HEADER, sign=KEY.sign)


@pytest.mark.parametrize("path", [("other",), ("langs", 9), ("langs", "a"), ("sub", 0)])
def test_what_is_not_there_cannot_be_presented(path: Any) -> None:
    held = parse_sd_jwt(issue(("name",)), types=EXAMPLE)
    with pytest.raises(Malformed, match="no claim"):
        present_sd_jwt(held, [path])


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "SM2"])
def test_signatures_hold_in_each_suite_and_under_no_other_key(alg: str) -> None:
    key = PrivateKey.from_seed(alg, b"\x09" * 32)
    jws = parse_jws(sign_jws({}, header={"alg": alg, "typ": "x"}, sign=key.sign), types=("x",))
    assert find_signature_fault(jws, key.public) == ""
    assert find_signature_fault(jws, PrivateKey.from_seed(alg, b"\x0a" * 32).public) == (
        "bad_signature"
    )
    other = "ES256" if alg != "ES256" else "EdDSA"
    assert find_signature_fault(jws, PrivateKey.from_seed(other, b"\x09" * 32).public) == (
        "mixed_suite"
    )


def test_a_wallet_may_sign_with_a_high_s() -> None:
    """RFC 7515 asks for no low s; the ledger's own transactions do."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    key = PrivateKey.from_seed("ES256", b"\x09" * 32)

    def sign_high(message: bytes) -> bytes:
        low = key.sign(message)
        return low[:32] + (order - int.from_bytes(low[32:], "big")).to_bytes(32, "big")

    header = {"alg": "ES256", "typ": "x"}
    jws = parse_jws(sign_jws({}, header=header, sign=sign_high), types=("x",))
    assert find_signature_fault(jws, key.public) == ""
    for bad in (b"", b"\x00" * 64, b"\xff" * 64, jws.signature + b"\x00"):
        text = sign_jws({}, header=header, sign=lambda _, bad=bad: bad)
        assert find_signature_fault(parse_jws(text, types=("x",)), key.public) == "bad_signature"
