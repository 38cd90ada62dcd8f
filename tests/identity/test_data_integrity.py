"""Data Integrity proofs: published vectors step by step, sets, chains, and each wrong thing's code.

The published sets and chains are signed with eddsa-rdfc-2022, which we do not do: the same keys and
options are used here with eddsa-jcs-2022, by the same construction.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import PublicKey
from hansa.identity.data_integrity import (
    PROOFS_MAX,
    ProofCheck,
    add_proof,
    check_proofs,
    find_suite,
)
from hansa.identity.did_key import did_of_key, method_of_key, resolve_did_key
from hansa.identity.faults import Malformed
from hansa.identity.json_canonical import canonicalize
from hansa.identity.json_document import parse_document
from hansa.identity.moments import parse_moment
from hansa.identity.multikey import decode_base58, encode_base58
from hansa.identity.resolved import Method, Resolved, Unresolvable

VECTORS = Path(__file__).parent.parent / "vectors" / "identity"
EDDSA, ECDSA = VECTORS / "w3c-vc-di-eddsa", VECTORS / "w3c-vc-di-ecdsa"
CREATED, PURPOSE = "2026-11-22T08:00:00Z", "assertionMethod"
NOW_MS = parse_moment("2026-11-22T09:00:00Z")
KEYS = {alg: PrivateKey.from_seed(alg, b"\x07" * 32) for alg in ("EdDSA", "ES256", "SM2")}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Document = dict[str, Any]


def unsigned() -> Document:
    return dict(parse_document((EDDSA / "unsigned.json").read_bytes()))


def sign(document: Document, key: PrivateKey = KEYS["EdDSA"], **options: Any) -> Document:
    asked = {
        "suite": find_suite(key.public),
        "method": method_of_key(key.public),
        "purpose": PURPOSE,
        "created": CREATED,
        **options,
    }
    return add_proof(document, private_key_sign=key.sign, **asked)


def check(document: Document, **options: Any) -> tuple[ProofCheck, ...]:
    resolve = options.pop("resolve", resolve_did_key)
    return check_proofs(document, resolve, **{"purpose": PURPOSE, "at_ms": NOW_MS, **options})


def codes(document: Document, **options: Any) -> list[str]:
    return [each.code for each in check(document, **options)]


def read_private(multikey: str) -> PrivateKey:
    raw = decode_base58(multikey)
    assert raw[:2] == b"\x80\x26"  # ed25519-priv
    return PrivateKey.from_seed("EdDSA", raw[2:])


# --- published vectors ---


def test_eddsa_vector_step_by_step() -> None:
    def read(name: str) -> str:
        return (EDDSA / "eddsa-jcs-2022" / name).read_text(encoding="utf-8")

    config = json.loads(read("proofConfigJCS.json"))
    assert canonicalize(unsigned()).decode() == read("canonDocJCS.txt")
    assert canonicalize(config).decode() == read("proofCanonJCS.txt")
    assert sha256(canonicalize(unsigned())).hex() == read("docHashJCS.txt")
    assert sha256(canonicalize(config)).hex() == read("proofHashJCS.txt")
    combined = read("proofHashJCS.txt") + read("docHashJCS.txt")
    assert combined == read("combinedHashJCS.txt")

    key = read_private(json.loads((EDDSA / "keyPair.json").read_bytes())["privateKeyMultibase"])
    signature = key.sign(bytes.fromhex(combined))
    assert signature.hex() == read("sigHexJCS.txt")
    assert encode_base58(signature) == read("sigBTC58JCS.txt")

    signed = sign(unsigned(), key, created=config["created"])
    assert signed == json.loads(read("signedJCS.json"))
    (found,) = check(signed)
    assert (found.code, found.suite, found.is_key_live) == ("", "eddsa-jcs-2022", True)
    assert found.created_ms == parse_moment(config["created"])


def test_ecdsa_vector_step_by_step() -> None:
    def read(name: str) -> str:
        return (ECDSA / f"{name}JCSECDSAP256.txt").read_text(encoding="utf-8")

    signed = parse_document((ECDSA / "signedJCSECDSAP256.json").read_bytes())
    config = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
    document = {name: value for name, value in signed.items() if name != "proof"}
    assert canonicalize(config).decode() == read("proofCanon")
    assert sha256(canonicalize(config)).hex() == read("proofHash")
    combined = sha256(canonicalize(config)) + sha256(canonicalize(document))
    assert combined.hex() == read("combinedHash")
    assert signed["proof"]["proofValue"] == read("sigBTC58")
    assert codes(signed) == [""]
    # Others do not ask for low s (FIPS 186-5), so the other s of the same signature holds too.
    signature = decode_base58(read("sigBTC58"))
    high = (P256_ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    signed["proof"]["proofValue"] = encode_base58(signature[:32] + high)
    assert codes(signed) == [""]
    signed["proof"]["proofValue"] = encode_base58(signature[:32] + b"\xff" * 32)
    assert codes(signed) == ["bad_signature"]


def test_sets_and_chains_of_the_published_keys_and_options() -> None:
    folder = EDDSA / "proof-set-chain"
    keys = json.loads((folder / "multiKeyPairs.json").read_bytes())
    document = json.loads((folder / "unsigned.json").read_bytes())
    parts = ("proofSetConfig1", "proofSetConfig2", "proofChainConfig1", "proofChainConfig2")
    for number, name in enumerate(parts, start=1):
        config = json.loads((folder / f"{name}.json").read_bytes())
        previous = config.get("previousProof", [])
        document = sign(
            document,
            read_private(keys[f"keyPair{number}"]["privateKeyMultibase"]),
            method=config["verificationMethod"],
            created=config["created"],
            proof_id=config.get("id", ""),
            previous=[previous] if isinstance(previous, str) else previous,
        )
        assert codes(document) == [""] * number
    told = [proof.get("previousProof") for proof in document["proof"]]
    assert told[2] == [proof["id"] for proof in document["proof"][:2]]
    assert told[3] == document["proof"][2]["id"]

    # A chained proof signs the whole proof that it endorses, in the order in which it names them.
    for place, broken in ((0, ["bad_signature", "", "bad_signature", ""]),
                          (2, ["", "", "bad_signature", "bad_signature"])):  # fmt: skip
        changed = json.loads(json.dumps(document))
        changed["proof"][place]["created"] = "2023-02-26T22:06:39Z"
        assert codes(changed) == broken
    changed = json.loads(json.dumps(document))
    changed["proof"][2]["previousProof"].reverse()
    assert codes(changed)[2] == "bad_signature"
    changed["proof"][2]["previousProof"] *= 2
    assert codes(changed)[2] == "broken_chain"
    # A member of a set may be taken away, a link of a chain may not.
    assert codes({**document, "proof": document["proof"][1:]}) == ["", "broken_chain", ""]
    assert codes({**document, "proof": document["proof"][:2]}) == ["", ""]


# --- what is signed counts, all of it ---


@pytest.mark.parametrize("alg", KEYS)
def test_flipping_any_byte_is_never_accepted(alg: str) -> None:
    signed = sign(unsigned(), KEYS[alg], domain="city.example", challenge="n-1", proof_id="urn:x:1")
    data = json.dumps(signed, ensure_ascii=False, separators=(",", ":")).encode()
    assert codes(parse_document(data)) == [""]
    for place in range(0, len(data), 1 if alg == "EdDSA" else 5):
        for flip in (0x01, 0x20):
            changed = bytearray(data)
            changed[place] ^= flip
            try:
                document = parse_document(bytes(changed))
            except Malformed:
                continue
            assert all(codes(document)), (place, flip)


def test_unsigned_members_of_a_proof_do_not_exist() -> None:
    signed = sign(unsigned())
    assert codes({**signed, "proof": {**signed["proof"], "nonce": "x"}}) == ["bad_signature"]
    assert codes({**signed, "more": 1}) == ["bad_signature"]
    spaced = json.dumps(signed, indent=3, sort_keys=True).encode()
    assert codes(parse_document(spaced)) == [""], "order and spaces are nothing"


def test_documents_in_other_scripts_and_with_fractions() -> None:
    signed = sign({"@context": ["x"], "姓名": "李", "note": {"rate": 1.50, "é": [1e21, None]}})
    assert codes(signed) == [""]
    signed["note"]["rate"] = 1.25
    assert codes(signed) == ["bad_signature"]


# --- each wrong thing by its own code ---


def change_proof(**changes: Any) -> Document:
    signed = sign(unsigned())
    proof = {**signed["proof"], **changes}
    return {**signed, "proof": {name: value for name, value in proof.items() if value is not ...}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "Ed25519Signature2020"}, "unknown_proof_type"),
        ({"type": ...}, "unknown_proof_type"),
        ({"cryptosuite": "none"}, "unknown_suite"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "unknown_suite"),
        ({"cryptosuite": ...}, "unknown_suite"),
        ({"cryptosuite": ["eddsa-jcs-2022"]}, "unknown_suite"),
        ({"cryptosuite": "ecdsa-jcs-2019"}, "mixed_suite"),
        ({"cryptosuite": "sm2-jcs-2026"}, "mixed_suite"),
        ({"proofPurpose": "authentication"}, "wrong_purpose"),
        ({"proofPurpose": ...}, "wrong_purpose"),
        ({"created": "2026-11-22"}, "malformed_time"),
        ({"created": 5}, "malformed_time"),
        ({"created": "2026-11-22T09:00:00.001Z"}, "proof_not_yet_created"),
        ({"created": ...}, "bad_signature"),
        ({"expires": "soon"}, "malformed_time"),
        ({"expires": "2026-11-22T09:00:00Z"}, "expired_proof"),
        ({"expires": "2026-11-22T09:00:00.001Z"}, "bad_signature"),
        ({"proofValue": ...}, "wrong_encoding"),
        ({"proofValue": "u" + "A" * 86}, "wrong_encoding"),
        ({"proofValue": encode_base58(b"\x01" * 63)}, "wrong_encoding"),
        ({"proofValue": encode_base58(b"\x00" + b"\x01" * 64)}, "wrong_encoding"),
        ({"proofValue": encode_base58(b"\x01" * 64)}, "bad_signature"),
        ({"verificationMethod": ...}, "malformed_proof"),
        ({"verificationMethod": "did:key:z6Mk"}, "malformed_proof"),
        ({"verificationMethod": "https://vc.example/issuers/5678#k"}, "malformed_proof"),
        ({"verificationMethod": "did:key:zNonsense#k"}, "unknown_did"),
        ({"verificationMethod": did_of_key(KEYS["EdDSA"].public) + "#k2"}, "unknown_method"),
        ({"verificationMethod": method_of_key(KEYS["SM2"].public)}, "mixed_suite"),
        ({"previousProof": "urn:x:1"}, "broken_chain"),
        ({"previousProof": []}, "broken_chain"),
        ({"previousProof": 5}, "broken_chain"),
        ({"id": "urn:x:1", "previousProof": "urn:x:1"}, "broken_chain"),
        ({"id": 5}, "malformed_proof"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "context_mismatch"),
    ],
)
def test_wrong_proof_has_its_code(changes: Document, code: str) -> None:
    assert codes(change_proof(**changes)) == [code]


def test_contexts_added_after_signing_are_refused() -> None:
    signed = sign(unsigned())
    signed["@context"] = [*signed["@context"], "https://evil.example/terms"]
    assert codes(signed) == ["context_mismatch"]


def test_what_is_not_judged_is_told_apart() -> None:
    for changes in ({"type": "X"}, {"cryptosuite": "bbs-2023"}):
        (found,) = check(change_proof(**changes))
        assert found.code and not found.is_judged

    def fail(did: str) -> Resolved | None:
        raise Unresolvable("no answer")

    (found,) = check(sign(unsigned()), resolve=fail)
    assert (found.code, found.is_judged) == ("unresolvable", False)
    (found,) = check(sign(unsigned()), resolve=lambda _did: None)
    assert (found.code, found.is_judged) == ("unknown_did", True)


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (..., "missing_proof"),
        ([], "missing_proof"),
        ("x", "malformed_proof"),
        ([None], "malformed_proof"),
        ([{"id": "a"}, {"id": "a"}], "duplicate_proof_id"),
        ([{}] * (PROOFS_MAX + 1), "too_many_proofs"),
    ],
)
def test_wrong_proofs_altogether(proof: Any, code: str) -> None:
    document = unsigned() if proof is ... else {**unsigned(), "proof": proof}
    assert codes(document) == [code]


def test_challenge_and_domain_are_those_asked_for() -> None:
    asked = {"purpose": "authentication", "challenge": "n-1", "domain": "city.example"}
    signed = sign(unsigned(), **asked)
    assert codes(signed, **asked) == [""]
    assert codes(signed, **{**asked, "challenge": "n-2"}) == ["wrong_challenge"]
    assert codes(signed, **{**asked, "domain": "bank.example"}) == ["wrong_domain"]
    assert codes(signed, purpose=PURPOSE) == ["wrong_purpose"]
    bare = sign(unsigned(), purpose="authentication")
    assert codes(bare, purpose="authentication", challenge="n-1") == ["wrong_challenge"]
    assert codes(bare, purpose="authentication", domain="city.example") == ["wrong_domain"]


def test_several_signers_of_several_suites_are_judged_one_by_one() -> None:
    document = unsigned()
    for key in KEYS.values():
        document = sign(document, key)
    assert codes(document) == ["", "", ""]
    document["proof"][1]["proofValue"] = document["proof"][0]["proofValue"]
    assert codes(document) == ["", "bad_signature", ""]


def test_a_proof_does_not_move_to_another_document() -> None:
    other = {**unsigned(), "name": "Another"}
    assert codes({**other, "proof": sign(unsigned())["proof"]}) == ["bad_signature"]


# --- keys and their times ---

DID = "did:hansa:" + "a" * 32


def resolved(*methods: Method, ended_ms: int | None = None) -> Any:
    return {DID: Resolved(DID, methods, ended_ms, "ledger")}.get


def method(since: str, until: str | None, key: PublicKey | None = None, **more: Any) -> Method:
    return Method(
        id=f"{DID}#k1",
        key=key or KEYS["EdDSA"].public,
        relationships=more.get("relationships", (PURPOSE, "authentication")),
        since_ms=parse_moment(since),
        until_ms=parse_moment(until) if until else None,
    )


OLD = method("2026-01-01T00:00:00Z", "2026-11-22T08:30:00Z")


def test_a_key_counts_in_its_time_only() -> None:
    signed = sign(unsigned(), method=f"{DID}#k1")
    (found,) = check(signed, resolve=resolved(OLD))
    assert (found.code, found.is_key_live) == ("", False), "signed then, rotated since"
    late = method("2026-11-22T08:00:00.001Z", None)
    assert codes(signed, resolve=resolved(late)) == ["key_not_live"]
    ended = method("2026-01-01T00:00:00Z", CREATED)
    assert codes(signed, resolve=resolved(ended)) == ["key_not_live"], "until is not included"
    first = method(CREATED, None)
    assert codes(signed, resolve=resolved(first)) == [""], "since is included"


def test_the_key_is_that_of_the_time_when_a_name_was_used_again() -> None:
    new = method("2026-11-22T08:30:00Z", None, PrivateKey.from_seed("EdDSA", b"\x08" * 32).public)
    signed = sign(unsigned(), method=f"{DID}#k1")
    assert codes(signed, resolve=resolved(OLD, new)) == [""]
    assert codes(signed, resolve=resolved(new, OLD)) == [""]
    later = sign(unsigned(), method=f"{DID}#k1", created="2026-11-22T08:45:00Z")
    assert codes(later, resolve=resolved(OLD, new)) == ["bad_signature"]


def test_who_answers_a_challenge_needs_a_key_of_now() -> None:
    signed = sign(unsigned(), method=f"{DID}#k1", purpose="authentication")
    assert codes(signed, resolve=resolved(OLD), purpose="authentication") == ["key_not_live"]


def test_a_key_for_something_else_and_an_ended_did() -> None:
    signed = sign(unsigned(), method=f"{DID}#k1")
    other = method("2026-01-01T00:00:00Z", None, relationships=("authentication",))
    assert codes(signed, resolve=resolved(other)) == ["method_not_authorized"]
    live = method("2026-01-01T00:00:00Z", None)
    ended_ms = parse_moment(CREATED)
    assert codes(signed, resolve=resolved(live, ended_ms=ended_ms)) == ["key_not_live"]
    (found,) = check(signed, resolve=resolved(live, ended_ms=ended_ms + 1))
    assert (found.code, found.is_key_live) == ("", False)
    stolen = {DID: Resolved("did:hansa:" + "b" * 32, (live,))}.get
    assert codes(signed, resolve=stolen) == ["unknown_did"]


def test_signing_what_cannot_be_signed() -> None:
    for options, code in (
        ({"suite": "eddsa-rdfc-2022"}, "unknown_suite"),
        ({"previous": ["urn:x:1"]}, "broken_chain"),
    ):
        with pytest.raises(Malformed) as refused:
            sign(unsigned(), **options)
        assert refused.value.code == code
    with pytest.raises(Malformed):
        sign({**unsigned(), "proof": [{}] * PROOFS_MAX})
    with pytest.raises(Malformed):
        sign({"n": 2**53})
    with pytest.raises(Malformed):
        find_suite(PublicKey("RS256", ""))
