"""SD-JWT (RFC 9901): its own example, what comes back, and everything that must be refused."""

import json
from pathlib import Path
from typing import Any

from hansa.identity.did import parse_jwk
from hansa.identity.jws import find_signature_fault, parse_jws
from hansa.identity.sd_jwt import compute_digest, parse_sd_jwt, present_sd_jwt

VECTOR: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sd_jwt" / "rfc9901.json").read_text()
)
EXAMPLE = ("example+sd-jwt",)


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
    paths = [("family_name",), ("address",), ("given_name",), ("nationalities", 0)]
    ours = present_sd_jwt(held, paths).split("~")
    theirs = [*VECTOR["presented"].split("~")[:-1], ""]
    assert sorted(ours) == sorted(theirs)
    assert ours[0] == theirs[0]
