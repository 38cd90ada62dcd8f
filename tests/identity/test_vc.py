"""Credentials and presentations of VC 2.0: what they must have, and the code of what they lack."""

import json
from typing import Any

import pytest

from hansa.identity.faults import Malformed
from hansa.identity.moments import parse_moment
from hansa.identity.vc import (
    CONTEXT,
    SchemaReference,
    StatusReference,
    parse_credential,
    parse_presentation,
)

Document = dict[str, Any]
ISSUER = "did:hansa:" + "a" * 32
SCHEMA = {"id": "urn:sha256:00", "type": "JsonSchema"}
STATUS = {
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "94567",
    "statusListCredential": "https://city.example/v1/credentials/status/1",
}


def credential(**changes: Any) -> Document:
    document = {
        "@context": [CONTEXT, "https://www.w3.org/ns/credentials/undefined-terms/v2"],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "ResidenceCredential"],
        "issuer": ISSUER,
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00+08:00",
        "credentialSubject": {"id": "did:key:z6Mk", "city": "香港"},
        "credentialSchema": SCHEMA,
        "credentialStatus": STATUS,
        **changes,
    }
    return {name: value for name, value in document.items() if value is not ...}


def presentation(**changes: Any) -> Document:
    document = {
        "@context": [CONTEXT],
        "type": "VerifiablePresentation",
        "holder": "did:key:z6Mk",
        "verifiableCredential": [credential()],
        **changes,
    }
    return {name: value for name, value in document.items() if value is not ...}


def test_what_a_credential_says_is_read() -> None:
    found = parse_credential(json.dumps(credential()).encode())
    assert found.document == credential()
    assert found.types == ("VerifiableCredential", "ResidenceCredential")
    assert (found.issuer, found.subjects) == (ISSUER, ("did:key:z6Mk",))
    assert found.valid_from_ms == parse_moment("2026-01-01T00:00:00Z")
    assert found.valid_until_ms == parse_moment("2026-12-31T16:00:00Z")
    assert found.schemas == (SchemaReference("urn:sha256:00", "JsonSchema"),)
    assert found.statuses == (
        StatusReference(
            "BitstringStatusListEntry", "revocation", STATUS["statusListCredential"], 94567
        ),
    )
    assert found.is_lite


def test_issuer_object_several_subjects_and_what_may_be_left_out() -> None:
    subjects = [{"id": "urn:a:1", "x": 1}, {"y": 2}]
    named = {"id": ISSUER, "name": "Bureau"}
    found = parse_credential(credential(issuer=named, credentialSubject=subjects))
    assert (found.issuer, found.subjects, found.is_lite) == (ISSUER, ("urn:a:1",), False)
    left_out = ("id", "validFrom", "validUntil", "credentialSchema", "credentialStatus")
    bare = parse_credential(credential(**dict.fromkeys(left_out, ...), type="VerifiableCredential"))
    assert (bare.id, bare.valid_from_ms, bare.valid_until_ms) == ("", None, None)
    assert (bare.schemas, bare.statuses, bare.is_lite) == ((), (), True)
    other = parse_credential(
        credential(credentialStatus=[{"type": "TokenStatus", "id": "urn:b:1"}])
    )
    assert other.statuses == (StatusReference("TokenStatus", id="urn:b:1"),)


@pytest.mark.parametrize(
    ("changes", "is_lite"),
    [
        ({"name": "A"}, False),
        ({"evidence": {"type": "Seen"}}, False),
        ({"credentialStatus": [STATUS, STATUS]}, False),
        ({"credentialSchema": [SCHEMA, SCHEMA]}, False),
        ({"proof": [{}, {}]}, False),
        ({"proof": {}}, True),
    ],
)
def test_lite_is_the_bare_minimum(changes: Document, is_lite: bool) -> None:
    assert parse_credential(credential(**changes)).is_lite is is_lite


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"@context": ...}, "unknown_context"),
        ({"@context": CONTEXT}, "unknown_context"),
        ({"@context": []}, "unknown_context"),
        ({"@context": ["https://www.w3.org/2018/credentials/v1"]}, "unknown_context"),
        ({"@context": [CONTEXT, "https://evil.example/terms"]}, "unknown_context"),
        ({"@context": [CONTEXT, {"name": "https://evil.example"}]}, "unknown_context"),
        ({"@context": ["https://www.w3.org/ns/did/v1", CONTEXT]}, "unknown_context"),
        ({"type": ...}, "wrong_type"),
        ({"type": []}, "wrong_type"),
        ({"type": ["ResidenceCredential"]}, "wrong_type"),
        ({"type": ["VerifiableCredential", 5]}, "wrong_type"),
        ({"type": ["VerifiableCredential", ""]}, "wrong_type"),
        ({"type": ["VerifiableCredential"] * 2}, "wrong_type"),
        ({"type": "VerifiablePresentation"}, "wrong_type"),
        ({"id": "not a url"}, "wrong_id"),
        ({"id": 5}, "wrong_id"),
        ({"id": "urn:x y"}, "wrong_id"),
        ({"issuer": ...}, "wrong_issuer"),
        ({"issuer": "bureau"}, "wrong_issuer"),
        ({"issuer": {"name": "Bureau"}}, "wrong_issuer"),
        ({"issuer": [ISSUER]}, "wrong_issuer"),
        ({"credentialSubject": ...}, "wrong_subject"),
        ({"credentialSubject": {}}, "wrong_subject"),
        ({"credentialSubject": []}, "wrong_subject"),
        ({"credentialSubject": "did:key:z6Mk"}, "wrong_subject"),
        ({"credentialSubject": [{"x": 1}, {}]}, "wrong_subject"),
        ({"credentialSubject": {"id": "me"}}, "wrong_subject"),
        ({"credentialSubject": [{"x": 1}] * 65}, "wrong_subject"),
        ({"validFrom": "2026-01-01"}, "malformed_time"),
        ({"validFrom": "2026-01-01T00:00:00"}, "malformed_time"),
        ({"validUntil": 5}, "malformed_time"),
        ({"validUntil": "2025-12-31T23:59:59Z"}, "wrong_validity"),
        ({"credentialSchema": {"id": "urn:x:1"}}, "wrong_schema"),
        ({"credentialSchema": {"type": "JsonSchema"}}, "wrong_schema"),
        ({"credentialSchema": "urn:x:1"}, "wrong_schema"),
        ({"credentialStatus": {"id": "urn:x:1"}}, "wrong_status"),
        ({"credentialStatus": []}, "wrong_status"),
        ({"credentialStatus": {**STATUS, "statusListIndex": 5}}, "wrong_status"),
        ({"credentialStatus": {**STATUS, "statusListIndex": "05"}}, "wrong_status"),
        ({"credentialStatus": {**STATUS, "statusListIndex": "-1"}}, "wrong_status"),
        ({"credentialStatus": {**STATUS, "statusListIndex": "1" * 11}}, "wrong_status"),
        ({"credentialStatus": {**STATUS, "statusPurpose": ""}}, "wrong_status"),
        ({"credentialStatus": {**STATUS, "statusListCredential": "x"}}, "wrong_status"),
        ({"termsOfUse": {"id": "urn:x:1"}}, "wrong_member"),
        ({"evidence": "seen"}, "wrong_member"),
        ({"refreshService": []}, "wrong_member"),
        ({"refreshService": {"type": "A", "id": "//no"}}, "wrong_member"),
        ({"relatedResource": {"id": "urn:x:1"}}, "wrong_member"),
        ({"relatedResource": {"digestSRI": "sha384-x"}}, "wrong_member"),
        ({"relatedResource": {"id": "urn:x:1", "digestSRI": 5}}, "wrong_member"),
        ({"relatedResource": [{"id": "urn:x:1", "digestSRI": "s"}] * 2}, "wrong_member"),
        ({"name": 5}, "wrong_member"),
        ({"description": [{"@language": "en"}]}, "wrong_member"),
    ],
)
def test_wrong_credential_has_its_code(changes: Document, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_credential(credential(**changes))
    assert refused.value.code == code


def test_words_in_languages_and_bound_resources_are_read() -> None:
    words = [{"@value": "Residence", "@language": "en"}, {"@value": "居住", "@language": "zh"}]
    related = [{"id": "urn:x:1", "digestSRI": "s"}, {"id": "urn:x:2", "digestMultibase": "z"}]
    seen = {"type": ["Seen"], "id": "urn:x:3"}
    changes = {"name": "A", "description": words, "relatedResource": related, "evidence": seen}
    assert not parse_credential(credential(**changes)).is_lite


# tests/input of w3c/vc-data-model-2.0-test-suite: the changes that its inputs make to a credential.
_W3C = {
    "credential-context-combo3-fail": {"@context": [CONTEXT, "https ://not-a-url/contexts"]},
    "credential-redef-type-fail": {"@context": [CONTEXT, {"VerifiableCredential": "https://a/#B"}]},
    "credential-type-unmapped-fail": {"@context": [CONTEXT, {"@vocab": None}]},
    "credential-id-nonidentifier-fail": {"id": None},
    "credential-id-subject-multi-fail": {"credentialSubject": {"id": ["did:a:1", "did:a:2"]}},
    "credential-subject-multiple-empty-fail": {"credentialSubject": [{"id": "did:a:1"}, {}]},
    "credential-issuer-object-id-null-fail": {"issuer": {"id": None}},
    "credential-schema-non-url-id-fail": {
        "credentialSchema": {"type": "https://example.org/#S", "id": "https ://not-a-url.org/cd"}
    },
    "credential-status-nonurl-id-fail": {
        "credentialStatus": {"type": "CredentialStatusList2017", "id": "https ://not-a-url/4"}
    },
    "credential-status-type-nonurl-fail": {"credentialStatus": {"id": "did:a:1", "type": 2}},
    "credential-refresh-non-url-id-fail": {
        "refreshService": {"type": "https://example.org/#R", "id": "//not-a-url/8e96"}
    },
    "credential-schemas-ok": {
        "credentialSchema": [{"type": "https://example.org/#S", "id": f"did:a:{i}"} for i in "12"]
    },
    "credential-evidences-ok": {"evidence": [{"type": "DocumentVerification2018"}] * 2},
    "credential-status-ok": {"credentialStatus": {"id": "did:a:1", "type": "StatusList2017"}},
    "credential-issuer-name-language-en-ok": {
        "issuer": {"id": "did:a:1", "name": {"@value": "Issuer", "@language": "en"}}
    },
}


@pytest.mark.parametrize("name", _W3C)
def test_inputs_of_the_test_suite_of_w3c(name: str) -> None:
    document = credential(**_W3C[name])
    if name.endswith("-ok"):
        assert parse_credential(document).document == document
        return
    with pytest.raises(Malformed):
        parse_credential(document)


def test_bytes_are_read_strictly() -> None:
    data = json.dumps(credential()).encode()
    for wrong, code in (
        (data[:-1] + b',"issuer":"did:x:y"}', "duplicate_key"),
        (data[:-1], "not_json"),
        (json.dumps(credential(x="a" * 256_000)).encode(), "too_large"),
        (json.dumps(credential()).encode("utf-16"), "wrong_encoding"),
    ):
        for parse in (parse_credential, parse_presentation):
            with pytest.raises(Malformed) as refused:
                parse(wrong)
            assert refused.value.code == code


def test_what_a_presentation_holds_is_read() -> None:
    envelope = {
        "@context": CONTEXT,
        "id": "data:application/dc+sd-jwt,eyJ.a.b~",
        "type": "EnvelopedVerifiableCredential",
    }
    found = parse_presentation(presentation(verifiableCredential=[credential(), envelope]))
    assert found.holder == "did:key:z6Mk"
    assert found.credentials == (credential(),)
    assert found.enveloped == (("application/dc+sd-jwt", "eyJ.a.b~"),)
    bare = parse_presentation(presentation(holder=..., verifiableCredential=...))
    assert (bare.holder, bare.credentials, bare.enveloped) == ("", (), ())
    single = parse_presentation(
        presentation(verifiableCredential=credential(), holder={"id": "a:b"})
    )
    assert (single.holder, len(single.credentials)) == ("a:b", 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"@context": ["https://www.w3.org/2018/credentials/v1"]}, "unknown_context"),
        ({"type": "VerifiableCredential"}, "wrong_type"),
        ({"id": "x"}, "wrong_id"),
        ({"holder": "me"}, "wrong_holder"),
        ({"holder": {}}, "wrong_holder"),
        ({"verifiableCredential": "eyJ"}, "wrong_credential"),
        ({"verifiableCredential": []}, "wrong_credential"),
        ({"verifiableCredential": [credential()] * 65}, "wrong_credential"),
        (
            {"verifiableCredential": {"type": "EnvelopedVerifiableCredential", "id": "data:x,y"}},
            "wrong_credential",
        ),
        ({"verifiableCredential": {"type": "EnvelopedVerifiableCredential"}}, "wrong_credential"),
    ],
)
def test_wrong_presentation_has_its_code(changes: Document, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_presentation(presentation(**changes))
    assert refused.value.code == code
