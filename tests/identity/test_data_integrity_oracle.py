"""Two implementations judge each other: ours and openvc-core (a tool of tests, never shipped)."""

import json
from pathlib import Path
from typing import Any

import pytest
from openvc.keys import Ed25519SigningKey, P256SigningKey
from openvc.proof.di_jcs import EcdsaJcsProofSuite, EddsaJcsProofSuite
from openvc.proof.errors import ProofError

from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.identity.data_integrity import add_proof, check_proofs, find_suite
from hansa.identity.did_key import method_of_key, resolve_did_key
from hansa.identity.moments import format_moment, parse_moment

VECTORS = Path(__file__).parent.parent / "vectors" / "identity" / "w3c-vc-di-eddsa"
NOW_MS = parse_moment("2100-01-01T00:00:00Z")
SUITES = {
    "EdDSA": (EddsaJcsProofSuite(), Ed25519SigningKey),
    "ES256": (EcdsaJcsProofSuite(), P256SigningKey),
}


def documents() -> list[dict[str, Any]]:
    unsigned = json.loads((VECTORS / "unsigned.json").read_bytes())
    subject = {"id": "did:example:a", "姓名": "李", "rate": 1e21, "z": [1.5, None, {"é": -0.0}]}
    return [unsigned, {**unsigned, "credentialSubject": subject}]


@pytest.mark.parametrize("document", documents(), ids=("plain", "other scripts, fractions"))
@pytest.mark.parametrize("alg", SUITES)
def test_each_accepts_what_the_other_signs(alg: str, document: dict[str, Any]) -> None:
    suite, kind = SUITES[alg]
    key = PrivateKey.from_seed(alg, b"\x0b" * 32)
    secret = key.scalar.to_bytes(32, "big") if alg == "ES256" else key.to_bytes()
    jwk = key.public.jwk()
    method = method_of_key(key.public)

    ours = add_proof(
        document,
        private_key_sign=key.sign,
        suite=find_suite(key.public),
        method=method,
        purpose="assertionMethod",
        created=format_moment(NOW_MS),
    )
    assert suite.verify(ours, public_key_jwk=jwk).issuer == document["issuer"]
    with pytest.raises(ProofError):
        suite.verify({**ours, "name": "Another"}, public_key_jwk=jwk)

    signing_key = kind.from_jwk({**jwk, "d": encode_base64url(secret)}, method)
    theirs = suite.add_proof(document, signing_key=signing_key, verification_method=method)
    # It signs the options with the document's contexts but does not write these into the proof, as
    # the Recommendation asks (3.3.1, step 2): so they are written here.
    theirs["proof"]["@context"] = theirs["@context"]
    (found,) = check_proofs(theirs, resolve_did_key, purpose="assertionMethod", at_ms=NOW_MS)
    assert found.code == ""
    theirs["name"] = "Another"
    (found,) = check_proofs(theirs, resolve_did_key, purpose="assertionMethod", at_ms=NOW_MS)
    assert found.code == "bad_signature"
