"""`verify`: each wrong thing has its own named check and code; what is right is a yes."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from hansa.contracts.accreditations.model import Recognition
from hansa.crypto.signatures import PublicKey
from hansa.encoding.canonical import encode_canonical
from hansa.identity.data_integrity import add_proof
from hansa.identity.faults import Malformed
from hansa.identity.links import SchemaPair, StandingFrom
from hansa.identity.moments import format_moment
from hansa.identity.report import Policy
from hansa.identity.resolved import Unresolvable
from hansa.identity.verify import verify
from hansa.testing.chain import START_MS
from tests.identity.world import (
    CLAIMS,
    DAY,
    HOLDER,
    MINISTRY,
    NOW,
    OTHER,
    SCHEMA,
    SM2_ISSUER,
    UNIVERSITY,
    World,
    build_account,
    build_link,
    build_list,
    build_sd_jwt,
    build_status,
    build_vc,
    find_check,
    list_codes,
    show,
)


@pytest.fixture
def world() -> World:
    return World()


FORMS = pytest.mark.parametrize("build", [build_vc, build_sd_jwt], ids=["vc", "sd-jwt"])


@FORMS
def test_what_is_right_is_a_yes_by_named_checks(world: World, build: Any) -> None:
    report = world.verify(build())
    assert list_codes(report) == []
    assert report.outcome == "yes"
    assert report.issuers == (UNIVERSITY.did,)
    assert report.claims == (CLAIMS,)
    passed = {each.name for each in report.checks if each.outcome == "passed"}
    assert passed >= {"format", "proof", "issuer_key", "validity", "schema", "status"}
    assert passed >= {"accreditation", "accreditation_now", "freshness"}


# --- validity, format ---


@FORMS
def test_expired_and_not_yet_valid_are_told_apart(world: World, build: Any) -> None:
    expired = build(valid_until_ms=NOW - DAY)
    assert list_codes(world.verify(expired)) == [("validity", "expired")]
    early = build(valid_from_ms=NOW + DAY)
    assert list_codes(world.verify(early)) == [("validity", "not_yet_valid")]
    assert world.verify(expired, at_ms=NOW - 2 * DAY).outcome == "yes"


@FORMS
def test_truncated_anywhere_is_never_a_yes(world: World, build: Any) -> None:
    data = build()
    for end in range(0, len(data), 7):
        assert world.verify(data[:end]).outcome != "yes"


@FORMS
def test_one_changed_byte_is_never_a_yes(world: World, build: Any) -> None:
    data = build()
    for place in range(0, len(data) - 1, 5):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert world.verify(changed).outcome != "yes", place


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unknown_form"),
        (b"hello", "unknown_form"),
        (b'{"a":1,"a":2}', "duplicate_key"),
        (b"{" * 40 + b"}" * 40, "too_deep"),
        (b'{"a":"' + b"x" * 300_000 + b'"}', "too_large"),
        (b'{"type":["VerifiablePresentation"]', "not_json"),
    ],
)
def test_invalid_form(world: World, data: bytes, code: str) -> None:
    assert list_codes(world.verify(data)) == [("format", code)]


# --- proofs and keys ---


def test_a_forged_signature_is_no(world: World) -> None:
    document = json.loads(build_vc())
    document["credentialSubject"]["degree"] = "BSc"
    report = world.verify(encode_canonical(document))
    assert ("proof", "bad_signature") in list_codes(report)
    assert ("issuer_key", "not_by_issuer") in list_codes(report)
    assert report.claims == ()


def test_another_issuers_signature_is_no(world: World) -> None:
    report = world.verify(build_vc(OTHER))
    assert list_codes(report) == [("issuer_key", "not_by_issuer")]
    report = world.verify(build_sd_jwt(OTHER))
    assert ("format", "issuer_mismatch") in list_codes(report)


def test_an_unknown_issuer_and_an_unknown_key_are_told_apart(world: World) -> None:
    world.put("accounts", build_account(UNIVERSITY, id="k9"))
    assert ("proof", "unknown_method") in list_codes(world.verify(build_vc()))
    world.records = {k: v for k, v in world.records.items() if UNIVERSITY.did not in k}
    assert ("proof", "unknown_did") in list_codes(world.verify(build_vc()))
    assert ("proof", "unknown_issuer") in list_codes(world.verify(build_sd_jwt()))


def test_a_key_that_may_not_issue_is_no(world: World) -> None:
    world.put("accounts", build_account(UNIVERSITY, purposes=("authenticate",)))
    assert ("proof", "method_not_authorized") in list_codes(world.verify(build_vc()))
    assert ("proof", "method_not_authorized") in list_codes(world.verify(build_sd_jwt()))


@FORMS
def test_a_key_that_has_ended_proves_only_its_own_word(world: World, build: Any) -> None:
    world.put("accounts", build_account(UNIVERSITY, until=5, until_ms=NOW - DAY))
    report = world.verify(build())
    assert report.outcome == "could_not_judge"
    assert list_codes(report) == [("issuer_key", "key_ended")]
    assert world.verify(build(), accept_ended_keys=True).outcome == "yes"


def test_a_signature_after_the_keys_end_is_no(world: World) -> None:
    world.put("accounts", build_account(UNIVERSITY, until=5, until_ms=NOW - DAY))
    report = world.verify(build_vc(now_ms=NOW - DAY), accept_ended_keys=True)
    assert ("proof", "key_not_live") in list_codes(report)


def test_a_downgraded_algorithm_is_no(world: World) -> None:
    document = json.loads(build_vc())
    document["proof"]["cryptosuite"] = "none"
    report = world.verify(encode_canonical(document))
    assert report.outcome != "yes"
    assert ("proof", "unknown_suite") in list_codes(report)
    header, rest = build_sd_jwt().split(b".", 1)
    downgraded = b"eyJhbGciOiJub25lIiwidHlwIjoiZGMrc2Qtand0In0." + rest
    assert header != downgraded
    assert list_codes(world.verify(downgraded)) == [("format", "unsigned")]


def test_a_mixed_suite_is_no(world: World) -> None:
    document = json.loads(build_vc())
    document["proof"]["cryptosuite"] = "ecdsa-jcs-2019"
    assert ("proof", "mixed_suite") in list_codes(world.verify(encode_canonical(document)))


def test_suites_that_the_verifier_does_not_accept_are_no(world: World) -> None:
    report = world.verify(build_vc(), suites=("sm2-jcs-2026",))
    assert list_codes(report) == [("policy", "suite_not_accepted")]


def test_several_issuers_sign_one_credential(world: World) -> None:
    both = build_vc(UNIVERSITY, MINISTRY)
    assert world.verify(both, cosigners=(MINISTRY.did,)).outcome == "yes"
    report = world.verify(build_vc(), cosigners=(MINISTRY.did,))
    assert list_codes(report) == [("policy", "cosigner_missing")]
    document = json.loads(both)
    document["proof"][1]["proofValue"] = document["proof"][0]["proofValue"]
    report = world.verify(encode_canonical(document), cosigners=(MINISTRY.did,))
    assert ("proof", "bad_signature") in list_codes(report)


def test_sm2_issues_and_is_judged(world: World) -> None:
    world.put(
        "accreditations",
        build_link("attest", "root", MINISTRY.did, SM2_ISSUER.did, "degree:1"),
    )
    for data in (
        build_vc(SM2_ISSUER, issuer=SM2_ISSUER.did, status=None),
        build_sd_jwt(SM2_ISSUER, issuer=SM2_ISSUER.did, status=None),
    ):
        assert list_codes(world.verify(data)) == []
        assert world.verify(data).outcome == "yes"


# --- schema ---


@FORMS
def test_claims_that_do_not_fit_the_schema_are_no(world: World, build: Any) -> None:
    report = world.verify(build(claims={"name": "Ada", "degree": "PhD"}))
    assert list_codes(report) == [("schema", "wrong_schema")]
    assert "/degree: enum" in find_check(report, "schema").text
    assert list_codes(world.verify(build(claims={**CLAIMS, "more": 1})))


def test_an_unpublished_schema_and_one_that_was_not_asked_for_are_no(world: World) -> None:
    report = world.verify(build_vc(schema="0" * 64))
    assert ("schema", "unknown_schema") in list_codes(report)
    report = world.verify(build_vc(), schemas=("1" * 64,))
    assert list_codes(report) == [("schema", "schema_not_accepted")]
    assert world.verify(build_vc(), schemas=("degree:1",)).outcome == "yes"


def test_a_source_that_gives_another_schema_is_found_out(world: World) -> None:
    found = world.sources().find_schema(SCHEMA)
    assert found is not None
    lying = world.sources(find_schema=lambda _id: replace(found, text=b'{"type":"object"}'))
    report = verify(build_vc(), sources=lying, policy=Policy(), at_ms=NOW)
    assert ("schema", "schema_mismatch") in list_codes(report)


# --- status ---


@FORMS
@pytest.mark.parametrize("value", ["revoked", "suspended"])
def test_status_is_the_ledgers(world: World, build: Any, value: str) -> None:
    world.put("credentials", build_status((value, NOW - DAY, None)))
    assert list_codes(world.verify(build())) == [("status", value)]
    assert world.verify(build(), at_ms=NOW - DAY - 1).outcome == "yes"


@FORMS
def test_a_suspension_that_ended_is_over(world: World, build: Any) -> None:
    world.put("credentials", build_status(("suspended", NOW - 3 * DAY, NOW - DAY)))
    assert world.verify(build()).outcome == "yes"
    assert list_codes(world.verify(build(), at_ms=NOW - 2 * DAY)) == [("status", "suspended")]


def test_status_that_is_not_the_issuers_or_of_no_list_is_no(world: World) -> None:
    uri = f"https://gate.example/v1/credentials/{OTHER.did}/status/degrees"
    report = world.verify(build_vc(status=(uri, 7, ("revocation",))))
    assert list_codes(report) == [("status", "no_such_status")]
    world.put("credentials", build_list(issuer=OTHER.did))
    report = world.verify(build_vc(status=(uri, 7, ("revocation",))))
    assert list_codes(report) == [("status", "no_such_status")]
    world.put("credentials", build_list(size=7))
    assert list_codes(world.verify(build_vc())) == [("status", "no_such_status")]


def test_a_list_of_another_ledger_is_not_judged(world: World) -> None:
    report = world.verify(build_vc(status=("https://elsewhere.example/3", 7, ("revocation",))))
    assert report.outcome == "could_not_judge"
    assert list_codes(report) == [("status", "status_unavailable")]


def test_a_credential_without_status_passes_unless_status_is_asked_for(world: World) -> None:
    assert world.verify(build_vc(status=None)).outcome == "yes"
    report = world.verify(build_vc(status=None), need_status=True)
    assert list_codes(report) == [("status", "no_status")]


# --- accreditation ---


@FORMS
def test_an_issuer_out_of_scope_is_no(world: World, build: Any) -> None:
    world.put(
        "accreditations",
        build_link("attest", "root", MINISTRY.did, UNIVERSITY.did, "diploma:1"),
    )
    assert ("accreditation", "schema_out_of_scope") in list_codes(world.verify(build()))
    report = world.verify(build(), jurisdiction="HK")
    assert ("accreditation", "jurisdiction_out_of_scope") in list_codes(report)


@FORMS
def test_nobody_outlives_a_revocation(world: World, build: Any) -> None:
    link = build_link("attest", "root", MINISTRY.did, UNIVERSITY.did, "degree:1")
    ended = (*link.standing, StandingFrom(NOW - DAY, "revoked", MINISTRY.did, "fraud"))
    world.put("accreditations", replace(link, standing=ended))
    report = world.verify(build())
    assert list_codes(report) == [("accreditation_now", "revoked")]
    assert world.verify(build(), at_ms=NOW - DAY - 1).outcome == "yes"


def test_who_was_not_accredited_when_issuing_is_no(world: World) -> None:
    link = build_link("attest", "root", MINISTRY.did, UNIVERSITY.did, "degree:1")
    world.put("accreditations", replace(link, since_ms=NOW - DAY))
    assert list_codes(world.verify(build_vc())) == [("accreditation", "not_yet_valid")]


def test_anchors_are_the_verifiers_choice(world: World) -> None:
    assert world.verify(build_vc(), anchors=frozenset({MINISTRY.did})).outcome == "yes"
    report = world.verify(build_vc(), anchors=frozenset({OTHER.did}))
    assert ("accreditation", "not_an_anchor") in list_codes(report)


@FORMS
def test_what_another_jurisdiction_recognises_counts_there(world: World, build: Any) -> None:
    bridge = Recognition(
        id="b1",
        source="CN",
        relying="HK",
        framework="education",
        counts_as="hk-education",
        schemas=(SchemaPair("degree:1", "degree:1"),),
        level="high",
        since_ms=START_MS,
        until_ms=None,
        basis="arrangement",
        document="",
        standing=(StandingFrom(START_MS, "active", "governance"),),
    )
    sources, policy = world.sources(recognitions=(bridge,)), Policy(jurisdiction="HK")
    report = verify(build(), sources=sources, policy=policy, at_ms=NOW)
    assert report.outcome == "yes"
    assert "by recognition b1" in find_check(report, "accreditation").text
    without = verify(build(), sources=world.sources(), policy=policy, at_ms=NOW)
    assert ("accreditation", "jurisdiction_out_of_scope") in list_codes(without)


@FORMS
def test_without_accreditation_it_is_no_unless_that_is_waived(world: World, build: Any) -> None:
    bare = build(accreditation="")
    assert list_codes(world.verify(bare)) == [("accreditation", "no_accreditation")]
    assert world.verify(bare, need_accreditation=False).outcome == "yes"


# --- presentations ---


@FORMS
def test_a_presentation_is_bound_to_audience_and_nonce(world: World, build: Any) -> None:
    shown = show(build())
    report = world.verify(shown, audience="bank", nonce="n1", need_holder=True)
    assert list_codes(report) == []
    assert report.outcome == "yes"
    assert report.holder
    assert list_codes(world.verify(shown, audience="bank", nonce="n2")) == [
        ("nonce", "wrong_nonce")
    ]
    assert list_codes(world.verify(shown, audience="shop", nonce="n1")) == [
        ("audience", "wrong_audience")
    ]


@FORMS
def test_a_bare_credential_is_no_presentation(world: World, build: Any) -> None:
    report = world.verify(build(), audience="bank", nonce="n1", need_holder=True)
    assert list_codes(report) == [
        ("holder", "no_holder_binding"),
        ("audience", "no_audience"),
        ("nonce", "no_nonce"),
    ]


def test_another_holder_presents_in_vain(world: World) -> None:
    report = world.verify(show(build_vc(), holder=OTHER), audience="bank", nonce="n1")
    assert list_codes(report) == [("holder", "not_the_subject")]
    report = world.verify(show(build_sd_jwt(), holder=OTHER), audience="bank", nonce="n1")
    assert ("holder", "bad_signature") in list_codes(report)


def test_claims_are_withheld_one_by_one(world: World) -> None:
    shown = show(build_sd_jwt(), claims=["degree"])
    report = world.verify(shown, audience="bank", nonce="n1")
    assert report.outcome == "yes"
    assert report.claims == ({"degree": "MSc"},)


def test_both_forms_stand_in_one_presentation(world: World) -> None:
    report = world.verify(show(build_vc(), build_sd_jwt()), audience="bank", nonce="n1")
    assert list_codes(report) == []
    assert len(report.claims) == 2
    assert {each.about for each in report.checks} == {"", "credential 0", "credential 1"}


def test_who_signs_for_another_holder_is_no(world: World) -> None:
    document = json.loads(show(build_vc(), holder=OTHER))
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    signed = add_proof(
        {**unsigned, "holder": HOLDER.did},
        private_key_sign=OTHER.key.sign,
        suite="eddsa-jcs-2022",
        method=OTHER.kid,
        purpose="authentication",
        created=format_moment(NOW),
        domain="bank",
        challenge="n1",
    )
    report = world.verify(encode_canonical(signed), audience="bank", nonce="n1")
    assert list_codes(report) == [("holder", "not_by_holder")]
    assert report.holder == ""


def test_what_is_bound_to_a_key_is_not_presented_with_another(world: World) -> None:
    stolen = show(build_sd_jwt(), build_vc(subject=""), holder=OTHER)
    report = world.verify(stolen, audience="bank", nonce="n1")
    assert list_codes(report) == [("holder", "not_the_holder_key")]
    own = show(build_sd_jwt(), build_vc(subject=""))
    assert world.verify(own, audience="bank", nonce="n1").outcome == "yes"


def test_no_document_makes_verify_raise(world: World) -> None:
    document = {name: value for name, value in json.loads(build_vc()).items() if name != "proof"}
    junk: list[Any] = [
        None,
        -1,
        2**53,
        "",
        "did:hansa:x",
        "https://x/y?a=[",
        [],
        {},
        [{}],
        {"id": 1},
    ]
    seen = set()
    for path in list_places(document):
        for value in junk:
            data = sign_changed(document, path, value)
            if data:
                seen.add(world.verify(data, audience="bank", nonce="n1").outcome)
    assert seen == {"no"}


def list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in a document, but of the document itself."""
    if not isinstance(value, dict | list):
        return []
    found = []
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        found += [(*path, name), *list_places(each, (*path, name))]
    return found


def sign_changed(document: Any, path: tuple[Any, ...], value: Any) -> bytes:
    """The document with one value changed, signed anew; b"" where that has no canonical form."""
    changed = json.loads(json.dumps(document))
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    try:
        signed = add_proof(
            changed,
            private_key_sign=UNIVERSITY.key.sign,
            suite="eddsa-jcs-2022",
            method=UNIVERSITY.kid,
            purpose="assertionMethod",
            created=format_moment(START_MS + DAY),
        )
    except Malformed:
        return b""
    return encode_canonical(signed)


def test_one_bad_credential_makes_the_presentation_no(world: World) -> None:
    report = world.verify(
        show(build_vc(), build_vc(valid_until_ms=NOW - 1)), audience="bank", nonce="n1"
    )
    assert [(each.about, each.code) for each in report.checks if each.outcome == "failed"] == [
        ("credential 1", "expired")
    ]


def test_an_old_key_binding_is_no(world: World) -> None:
    shown = show(build_sd_jwt(), now_ms=NOW - DAY)
    report = world.verify(shown, audience="bank", nonce="n1")
    assert list_codes(report) == [("holder", "stale_key_binding")]


# --- sources ---


@FORMS
def test_old_facts_are_not_judged(world: World, build: Any) -> None:
    report = world.verify(build(), at_ms=NOW + 2 * DAY)
    assert report.outcome == "could_not_judge"
    assert {code for _name, code in list_codes(report)} == {"stale"}
    bare = world.verify(build(status=None), at_ms=NOW + 2 * DAY)
    assert list_codes(bare) == [("freshness", "stale")]
    later = world.verify(build(), at_ms=NOW + 2 * DAY, max_age_ms=None)
    assert (later.outcome, later.as_at_ms) == ("yes", NOW)


@FORMS
def test_what_cannot_be_found_out_is_not_judged(world: World, build: Any) -> None:
    def read(key: str) -> bytes | None:
        raise Unresolvable(key)

    world.records = type("Silent", (), {"get": staticmethod(read)})()
    report = world.verify(build())
    assert report.outcome == "could_not_judge"
    assert {each.outcome for each in report.checks if each.code} <= {"not_judged"}


def test_a_policy_names_issuers_and_types(world: World) -> None:
    assert world.verify(build_vc(), issuers=(UNIVERSITY.did,), types=("Degree",)).outcome == "yes"
    report = world.verify(build_vc(), issuers=(OTHER.did,))
    assert list_codes(report) == [("policy", "issuer_not_accepted")]
    report = world.verify(build_vc(), types=("Licence",))
    assert list_codes(report) == [("policy", "type_not_accepted")]


def test_times_before_the_ledger_are_judged_too(world: World) -> None:
    assert world.verify(build_vc(), at_ms=0).outcome == "no"
    assert world.verify(build_vc(), at_ms=START_MS - 1).outcome == "no"
    assert isinstance(HOLDER.key.public, PublicKey)
