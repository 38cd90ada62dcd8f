"""SD-JWT VC (draft-18): issued, held, presented to one verifier once; judged claim by claim."""

import json
from typing import Any

import msgspec
import pytest

from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.identity.faults import Malformed
from hansa.identity.jws import sign_jws
from hansa.identity.resolved import Method, Resolved, Unresolvable
from hansa.identity.sd_jwt import compute_digest, present_sd_jwt
from hansa.identity.sd_jwt_vc import (
    CONTROL_CLAIMS,
    bind_key,
    check_credential,
    issue_sd_jwt_vc,
    list_binding_faults,
    parse_sd_jwt_vc,
)
from hansa.identity.type_metadata import (
    ClaimType,
    Display,
    TypeMetadata,
    build_type_metadata,
    choose_display,
    compute_integrity,
    extend_type,
    list_type_faults,
    read_type_metadata,
)

ISSUER = "did:hansa:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
METHOD = f"{ISSUER}#k1"
VCT = "urn:hansa:schema:licence"
KEY = PrivateKey.from_seed("EdDSA", b"\x01" * 32)
HOLDER = PrivateKey.from_seed("ES256", b"\x02" * 32)
SALTS = [bytes([n]) * 16 for n in range(1, 20)]
NOW_S = 1_790_000_000
NOW_MS = NOW_S * 1000
GATE, NONCE = "https://bank.example", "n-0S6_WzA2Mj"


def issue(**change: Any) -> str:
    given: dict[str, Any] = {
        "vct": VCT,
        "issuer": ISSUER,
        "method": METHOD,
        "alg": "EdDSA",
        "sign": KEY.sign,
        "disclosable": [("name",), ("age_over_18",)],
        "salts": SALTS,
        "holder": HOLDER.public,
        "status": ("https://gate.example/status/1", 7),
        "issued_s": NOW_S - 100,
        "valid_from_s": NOW_S - 90,
        "valid_until_s": NOW_S + 1000,
        **change,
    }
    return issue_sd_jwt_vc({"name": "陳大文", "age_over_18": True, "kind": "food"}, **given)


def present(text: str = "", **change: Any) -> str:
    held = parse_sd_jwt_vc(text or issue())
    given: dict[str, Any] = {
        "audience": GATE,
        "nonce": NONCE,
        "issued_s": NOW_S,
        "alg": "ES256",
        "sign": HOLDER.sign,
        **change,
    }
    return bind_key(present_sd_jwt(held.sd_jwt, [("age_over_18",)]), **given)


def faults(text: str, **change: Any) -> tuple[str, ...]:
    given = {"audience": GATE, "nonce": NONCE, "now_ms": NOW_MS, **change}
    return list_binding_faults(parse_sd_jwt_vc(text), **given)


def resolve(did: str) -> Resolved | None:
    if did == "did:web:down.example":
        raise Unresolvable("no answer")
    methods = (
        Method(METHOD, KEY.public, ("assertionMethod",), NOW_MS - 200_000),
        Method(f"{ISSUER}#old", KEY.public, ("assertionMethod",), 0, NOW_MS - 150_000),
        Method(f"{ISSUER}#auth", KEY.public, ("authentication",)),
        Method(f"{ISSUER}#p256", HOLDER.public, ("assertionMethod",)),
    )
    return Resolved(ISSUER, methods) if did == ISSUER else None


def test_a_credential_is_issued_presented_and_believed() -> None:
    vc = parse_sd_jwt_vc(present())
    check = check_credential(vc, resolve, at_ms=NOW_MS)
    assert (check.code, check.is_key_live, check.suite, check.method) == ("", True, "EdDSA", METHOD)
    assert check.created_ms == (NOW_S - 100) * 1000
    assert faults(present()) == ()
    assert (vc.vct, vc.issuer, vc.holder_key) == (VCT, ISSUER, HOLDER.public)
    assert (vc.status_uri, vc.status_index) == ("https://gate.example/status/1", 7)
    assert vc.valid_from_ms == NOW_MS - 90_000
    assert vc.valid_until_ms == NOW_MS + 1_000_000
    assert vc.claims["age_over_18"] is True
    assert "name" not in vc.claims
    assert vc.claims["kind"] == "food"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": f"{ISSUER}#k2"}, "unknown_method"),
        ({"method": f"{ISSUER}#auth"}, "method_not_authorized"),
        ({"method": f"{ISSUER}#p256"}, "mixed_suite"),
        ({"sign": PrivateKey.from_seed("EdDSA", b"\x07" * 32).sign}, "bad_signature"),
        ({"issuer": "did:hansa:b", "method": "did:hansa:b#k1"}, "unknown_issuer"),
        ({"issuer": "did:web:down.example", "method": "did:web:down.example#k"}, "unresolvable"),
    ],
)
def test_an_issuer_that_did_not_sign_is_found_out(change: dict[str, Any], code: str) -> None:
    check = check_credential(parse_sd_jwt_vc(issue(**change)), resolve, at_ms=NOW_MS)
    assert check.code == code
    assert check.is_judged is (code != "unresolvable")
    assert not check.is_key_live


def test_a_key_that_ended_is_told() -> None:
    vc = parse_sd_jwt_vc(issue(method=f"{ISSUER}#old"))
    assert check_credential(vc, resolve, at_ms=NOW_MS - 160_000).is_key_live
    check = check_credential(vc, resolve, at_ms=NOW_MS)
    assert (check.code, check.is_key_live) == ("", False)


def test_a_deactivated_issuer_has_no_live_key() -> None:
    ended = msgspec.structs.replace(resolve(ISSUER), deactivated_ms=NOW_MS)  # type: ignore[type-var]
    vc = parse_sd_jwt_vc(issue())
    assert check_credential(vc, lambda _: ended, at_ms=NOW_MS - 1).is_key_live
    assert not check_credential(vc, lambda _: ended, at_ms=NOW_MS).is_key_live


def test_one_bit_of_a_presentation_is_enough() -> None:
    """Every character of the JWT's payload and of the disclosure, changed: refused or found out."""
    text = present()
    good = parse_sd_jwt_vc(text)
    for place in range(0, text.rindex("~"), 7):
        forged = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        try:
            vc = parse_sd_jwt_vc(forged)
        except Malformed:
            continue
        check = check_credential(vc, resolve, at_ms=NOW_MS)
        assert check.code or faults(forged) or vc.claims == good.claims
        assert check.code or faults(forged)


@pytest.mark.parametrize(
    ("text", "change", "codes"),
    [
        (present(audience="https://other.example"), {}, ("wrong_audience",)),
        (present(nonce="other"), {}, ("wrong_nonce",)),
        (present(), {"audience": ""}, ("wrong_audience",)),
        (present(), {"nonce": ""}, ("wrong_nonce",)),
        (present(), {"now_ms": NOW_MS + 300_001}, ("stale_key_binding",)),
        (present(), {"now_ms": NOW_MS - 300_001}, ("stale_key_binding",)),
        (present(), {"now_ms": NOW_MS + 300_000}, ()),
        (present(sign=KEY.sign), {}, ("bad_signature",)),
        (present(sign=KEY.sign, alg="EdDSA"), {}, ("mixed_suite",)),
        (present(issue(holder=None)), {}, ("no_holder_key",)),
        (issue(), {}, ("missing_key_binding",)),
        (issue() + "a.b.c", {}, ("wrong_key_binding", "not_a_jws")),
        (present(nonce="other", audience="x"), {}, ("wrong_audience", "wrong_nonce")),
    ],
    ids=range(13),
)
def test_a_presentation_is_for_one_verifier_once(
    text: str, change: dict[str, Any], codes: tuple[str, ...]
) -> None:
    assert faults(text, **change) == codes


def rebind(said: dict[str, Any], **header: Any) -> str:
    presented = issue()
    payload = {
        "aud": GATE,
        "nonce": NONCE,
        "iat": NOW_S,
        "sd_hash": compute_digest(presented),
        **said,
    }
    kept = {name: value for name, value in payload.items() if value is not None}
    head = {"alg": "ES256", "typ": "kb+jwt", **header}
    return presented + sign_jws(kept, header=head, sign=HOLDER.sign)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (rebind({}), ()),
        (rebind({"sd_hash": None}), ("wrong_presentation",)),
        (rebind({"sd_hash": compute_digest("x~")}), ("wrong_presentation",)),
        (rebind({"aud": [GATE]}), ("wrong_audience",)),
        (rebind({"iat": None}), ("stale_key_binding",)),
        (rebind({"iat": str(NOW_S)}), ("stale_key_binding",)),
        (rebind({"exp": NOW_S}), ("stale_key_binding",)),
        (rebind({"nbf": NOW_S + 301}), ("stale_key_binding",)),
        (rebind({}, typ="JWT"), ("wrong_key_binding", "wrong_type")),
        (rebind({}, alg="none"), ("wrong_key_binding", "unsigned")),
        (rebind({}, alg="HS256"), ("wrong_key_binding", "symmetric_algorithm")),
        (rebind({}, crit=["x"]), ("wrong_key_binding", "unknown_critical_header")),
    ],
    ids=range(12),
)
def test_a_key_binding_has_its_form(text: str, codes: tuple[str, ...]) -> None:
    assert faults(text) == codes


def test_another_disclosure_does_not_fit_the_binding() -> None:
    """Shown to one verifier with less, replayed with more: sd_hash tells."""
    held = parse_sd_jwt_vc(issue())
    more = present_sd_jwt(held.sd_jwt)
    binding = present().rpartition("~")[2]
    assert faults(more + binding) == ("wrong_presentation",)


def forge(claims: dict[str, Any], **header: Any) -> str:
    given = {"vct": VCT, "iss": ISSUER, **claims}
    kept = {name: value for name, value in given.items() if value is not None}
    head = {"alg": "EdDSA", "kid": METHOD, "typ": "dc+sd-jwt", **header}
    return sign_jws(kept, header=head, sign=KEY.sign) + "~"


JWK = HOLDER.public.jwk()
LISTED = {"uri": "https://a.example", "idx": 0}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (forge({"vct": None}), "no_type"),
        (forge({"vct": 7}), "wrong_claim"),
        (forge({"iss": None}), "no_issuer"),
        (forge({}, kid=""), "no_key_named"),
        (forge({}, kid=7), "no_key_named"),
        (forge({}, kid="did:hansa:other#k1"), "issuer_mismatch"),
        (forge({}, typ="vc+sd-jwt"), "wrong_type"),
        (forge({}, typ="JWT"), "wrong_type"),
        (forge({"aka_vcts": []}), "wrong_claim"),
        (forge({"aka_vcts": "urn:x"}), "wrong_claim"),
        (forge({"aka_vcts": [VCT]}), "wrong_claim"),
        (forge({"exp": "2030-01-01"}), "wrong_claim"),
        (forge({"exp": 1.5}), "wrong_claim"),
        (forge({"exp": True}), "wrong_claim"),
        (forge({"nbf": -1}), "wrong_claim"),
        (forge({"iat": 10**15}), "wrong_claim"),
        (forge({"cnf": {}}), "wrong_claim"),
        (forge({"cnf": {"jwk": {**JWK, "d": "AA"}}}), "wrong_claim"),
        (forge({"cnf": {"jwk": {**JWK, "crv": "P-384"}}}), "wrong_claim"),
        (forge({"cnf": {"jwk": {**JWK, "x": JWK["y"]}}}), "wrong_claim"),
        (forge({"cnf": {"kid": "k"}}), "wrong_claim"),
        (forge({"status": {}}), "unknown_status"),
        (forge({"status": {"other": {}}}), "unknown_status"),
        (forge({"status": {"status_list": {**LISTED, "idx": "0"}}}), "wrong_claim"),
        (forge({"status": {"status_list": {**LISTED, "idx": -1}}}), "wrong_claim"),
        (forge({"status": {"status_list": {**LISTED, "idx": True}}}), "wrong_claim"),
        (forge({"status": {"status_list": {**LISTED, "uri": ""}}}), "wrong_claim"),
    ],
    ids=range(27),
)
def test_what_is_no_credential_is_refused(text: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_sd_jwt_vc(text)
    assert refused.value.code == code


@pytest.mark.parametrize("name", sorted(CONTROL_CLAIMS))
def test_control_claims_are_never_disclosures(name: str) -> None:
    with pytest.raises(Malformed, match="judge by"):
        issue(disclosable=[(name,)])
    text = encode_base64url(json.dumps(["salt", name, "x"]).encode())
    forged = forge({"_sd": [compute_digest(text)], name: None})
    with pytest.raises(Malformed) as refused:
        parse_sd_jwt_vc(f"{forged}{text}~")
    assert refused.value.code == "control_claim_disclosable"


def test_extras_of_a_wallets_jwk_are_ignored() -> None:
    vc = parse_sd_jwt_vc(forge({"cnf": {"jwk": {**JWK, "kid": "a", "use": "sig", "alg": "ES256"}}}))
    assert vc.holder_key == HOLDER.public


def test_keys_are_named_in_short_and_by_did_key() -> None:
    assert parse_sd_jwt_vc(forge({}, kid="k1")).method == METHOD
    assert parse_sd_jwt_vc(forge({}, kid="#k1")).method == METHOD
    key = "did:key:z6MkiTBz1y"
    assert parse_sd_jwt_vc(forge({"iss": key}, kid="")).method == f"{key}#z6MkiTBz1y"


# --- type metadata ---

TYPE = TypeMetadata(
    vct=VCT,
    name="Licence",
    display=(Display("en", "Licence"), Display("zh-CN", "许可证", "说明")),
    claims=(
        ClaimType(("kind",), (Display("pt", "Tipo"),), "never", True),
        ClaimType(("name",), (), "always"),
        ClaimType(("langs", None), (), "allowed"),
    ),
)


def test_type_metadata_comes_back_and_its_integrity_is_judged() -> None:
    data = json.dumps(build_type_metadata(TYPE)).encode()
    integrity = compute_integrity(data)
    assert read_type_metadata(data, vct=VCT, integrity=integrity) == TYPE
    with pytest.raises(Malformed) as refused:
        read_type_metadata(data + b" ", vct=VCT, integrity=integrity)
    assert refused.value.code == "wrong_integrity"
    with pytest.raises(Malformed) as refused:
        read_type_metadata(data, vct=VCT, integrity="md5-xx")
    assert refused.value.code == "wrong_integrity"
    with pytest.raises(Malformed, match="another type"):
        read_type_metadata(data, vct="other")


def test_a_credential_is_held_to_its_type() -> None:
    vc = parse_sd_jwt_vc(issue())
    assert list_type_faults(TYPE, vc) == []
    clear = parse_sd_jwt_vc(issue(disclosable=[("kind",)]))
    assert list_type_faults(TYPE, clear) == [
        ("kind", "must_not_be_disclosable"),
        ("name", "must_be_disclosable"),
    ]
    withheld = parse_sd_jwt_vc(present_sd_jwt(clear.sd_jwt, []))
    assert ("kind", "missing_claim") in list_type_faults(TYPE, withheld)
    assert list_type_faults(TYPE, parse_sd_jwt_vc(issue(vct="other"))) == [("", "wrong_type")]


def test_a_type_that_extends_another_is_no_looser() -> None:
    child = TypeMetadata("child", extends=VCT, claims=(ClaimType(("more",)),))
    whole = extend_type(child, TYPE)
    assert [claim.path for claim in whole.claims] == [
        ("kind",),
        ("name",),
        ("langs", None),
        ("more",),
    ]
    assert whole.display == TYPE.display
    tighter = msgspec.structs.replace(child, claims=(ClaimType(("langs", None), (), "always"),))
    assert extend_type(tighter, TYPE).claims[2].disclosure == "always"
    for looser in (ClaimType(("kind",), (), "never"), ClaimType(("name",), (), "never")):
        with pytest.raises(Malformed, match="looser"):
            extend_type(msgspec.structs.replace(child, claims=(looser,)), TYPE)
    with pytest.raises(Malformed, match="extend"):
        extend_type(TypeMetadata("child", extends="other"), TYPE)


def test_words_are_chosen_by_the_readers_languages() -> None:
    assert choose_display(TYPE.display, ["pt", "zh-cn"]) == TYPE.display[1]
    assert choose_display(TYPE.display, ["fr"]) == TYPE.display[0]
    assert choose_display((), ["fr"]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": 7},
        {"display": {}},
        {"display": [7]},
        {"display": [{"locale": "en"}]},
        {"display": [{"locale": "x y", "name": "a"}]},
        {"display": [{"locale": "en", "name": "a"}, {"locale": "EN", "name": "b"}]},
        {"claims": [{}]},
        {"claims": [{"path": [True]}]},
        {"claims": [{"path": ["a"], "sd": "sometimes"}]},
        {"claims": [{"path": ["a"], "mandatory": 1}]},
        {"claims": [{"path": ["a"]}, {"path": ["a"]}]},
        {"claims": [{"path": ["a"]}] * 257},
    ],
    ids=range(12),
)
def test_what_is_no_type_metadata_is_refused(change: dict[str, Any]) -> None:
    data = json.dumps({**build_type_metadata(TYPE), **change}).encode()
    with pytest.raises(Malformed) as refused:
        read_type_metadata(data, vct=VCT)
    assert refused.value.code == "wrong_type_metadata"
