"""Doors for wallets (OpenID4VCI, OpenID4VP): proofs of keys, requests, forms, answers."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric import ec

from hansa.api.openid.jwe import EncryptionKey
from hansa.identity.dcql import read_query
from hansa.identity.jws import sign_jws
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.key_proofs import (
    PROOF_TYPE,
    judge_proofs,
    read_credential_request,
)
from hansa.identity.openid.presentations import list_answer_faults, read_vp_token
from hansa.identity.openid.token_requests import (
    AUTHORISATION,
    PRE_AUTHORISED,
    PushedRequest,
    read_pushed_request,
    read_token_request,
)
from hansa.testing.chain import Actor
from tests.api.openid.wallet import encrypt
from tests.fuzz.door import Door, build_judge
from tests.fuzz.mutate import change_bytes, change_json, change_jws
from tests.identity.test_openid_messages import PUSHED
from tests.identity.world import World, build_sd_jwt, build_vc, show

ISSUER = "https://gate.example"
NOW_S = 1_780_000_000
SCALAR = 0x1234567890ABCDEF


def open_key_proofs() -> Door:
    """Proofs of keys: only what the key's holder signed, for this issuer and nonce."""
    resolve = World().sources().resolve
    actors = (Actor("ada"), Actor("bea", alg="ES256"), Actor("cai", alg="SM2"))

    def prove(actor: Actor, **changed: Any) -> str:
        claims = {"aud": ISSUER, "iat": NOW_S, "nonce": "n1", **changed}
        header = {"alg": actor.key.public.alg, "typ": PROOF_TYPE, "jwk": actor.key.public.jwk()}
        return sign_jws(claims, header=header, sign=actor.key.sign)

    def judge(data: bytes) -> object:
        return judge_proofs(
            data.decode().split(" "),
            audience=ISSUER,
            resolve=resolve,
            now_ms=NOW_S * 1000,
            is_nonce=lambda nonce: nonce == "n1",
        )

    seeds = [prove(each).encode() for each in actors]
    seeds.append(prove(actors[0], nonce="n2").encode())
    return build_judge(judge, (OpenIdError, UnicodeError), seeds, change_jws)


def open_credential_requests() -> Door:
    """Bodies of credential requests."""
    request = {"credential_configuration_id": "degree-1.0.0", "proofs": {"jwt": ["a.b.c"]}}
    other = {"credential_identifier": "x", "proofs": {"jwt": ["a.b.c", "d.e.f"]}}
    return Door(
        run=read_credential_request,
        allowed=(OpenIdError,),
        seeds=tuple(json.dumps(each).encode() for each in (request, other)),
        shape=change_json,
    )


def change_form(data: bytes, chance: Any) -> bytes:
    """Values of a form changed as those of a JSON document."""
    try:
        document = json.loads(change_json(json.dumps(_read_form(data)).encode(), chance))
    except ValueError:
        return change_bytes(data, chance)
    if not isinstance(document, dict):
        return data
    pairs = {str(name): str(value) for name, value in document.items()}
    return urlencode(pairs, errors="replace").encode()


def _read_form(data: bytes) -> dict[str, str]:
    return dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))


def open_token_forms() -> Door:
    """Forms of pushed requests and of requests for tokens."""
    details = [{"type": "openid_credential", "credential_configuration_id": "degree"}]
    code = {"grant_type": AUTHORISATION, "code": "c", "client_id": "w"}
    forms = [
        {**PUSHED, "scope": "degree", "authorization_details": json.dumps(details)},
        {"grant_type": PRE_AUTHORISED, "pre-authorized_code": "x", "tx_code": "123456"},
        {**code, "redirect_uri": "wallet:/x", "code_verifier": "A" * 43},
    ]

    def read(data: bytes) -> object:
        form = _read_form(data)
        if "grant_type" in form:
            return read_token_request(form, ("degree",))
        return read_pushed_request(form, ("degree",))

    def leads_elsewhere(_data: bytes, found: Any) -> bool:
        # That of a token request is only compared with it.
        uri = found.redirect_uri if isinstance(found, PushedRequest) else ""
        return any(char in uri for char in "\r\n\\#") or uri.startswith(("javascript:", "data:"))

    return Door(
        run=read,
        allowed=(OpenIdError,),
        seeds=tuple(urlencode(form).encode() for form in forms),
        never=leads_elsewhere,
        shape=change_form,
    )


def open_vp_tokens() -> Door:
    """Answers of wallets to one query: read, and held to what was asked for."""
    wanted = read_query(
        {
            "credentials": [
                {"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:x"]}},
                {"id": "b", "format": "ldp_vc", "meta": {"type_values": [["Degree"]]}},
            ]
        }
    )
    held = show(build_sd_jwt()).decode()
    document = json.loads(build_vc())
    presented = json.loads(show(build_vc()))
    tokens = [{"a": [held]}, {"b": [document]}, {"b": [presented]}, {"a": [held], "b": [document]}]

    def read(data: bytes) -> object:
        found = read_vp_token(data, wanted)
        return found, list_answer_faults(wanted, found)

    return Door(
        run=read,
        allowed=(OpenIdError,),
        seeds=tuple(json.dumps(token).encode() for token in tokens),
        shape=change_json,
    )


def open_encrypted_answers() -> Door:
    """Compact JWE to the key of one request: only what was encrypted to it."""
    key = EncryptionKey(ec.derive_private_key(SCALAR, ec.SECP256R1()))
    plain = json.dumps({"vp_token": {"a": ["x"]}, "state": "s"}).encode()
    jwk = key.public_jwk()
    seeds = [encrypt(jwk, plain, enc).encode() for enc in ("A128GCM", "A256GCM")]

    def judge(data: bytes) -> object:
        return key.open(data.decode())

    return build_judge(judge, (OpenIdError, UnicodeError), seeds, change_jws)
