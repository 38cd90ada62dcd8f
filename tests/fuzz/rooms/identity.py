"""Doors of identity: DIDs, credentials, presentations, their keys and DID documents."""

import json
from collections.abc import Callable
from typing import Any

from hansa.client.timestamps import WrongToken, check_token
from hansa.crypto.signatures import InvalidKey
from hansa.identity.did import InvalidDid, is_did, parse_did_url, parse_jwk
from hansa.identity.did_key import did_of_key, resolve_did_key
from hansa.identity.did_web import build_address, read_did_web
from hansa.identity.faults import Malformed
from hansa.identity.json_canonical import canonicalize
from hansa.identity.json_document import parse_document, parse_value
from hansa.identity.jws import parse_jws
from hansa.identity.multikey import decode_multikey, encode_multikey
from hansa.testing.chain import Actor
from tests.client.tsa import Authority
from tests.fuzz.door import Door, build_judge
from tests.fuzz.mutate import change_bytes, change_json, change_jws
from tests.identity.world import (
    SM2_ISSUER,
    UNIVERSITY,
    World,
    build_sd_jwt,
    build_vc,
    show,
)

Document = dict[str, Any]
WEB = "did:web:issuer.example"
ACTORS = (Actor("ada"), Actor("bea", alg="ES256"), Actor("cai", alg="SM2"))


def open_json_documents() -> Door:
    """JSON of documents from outside, and its canonical form (RFC 8785)."""
    texts = (b'{"a":[1,2.50,1e21,-0.0,null,true],"\xc3\xa9":"\\u20ac"}', b"[]", b'"x"', b"1e-7")

    def read(data: bytes) -> tuple[object, bytes]:
        value = parse_value(data)
        return value, canonicalize(value)

    def is_lost(_data: bytes, read_: tuple[object, bytes]) -> bool:
        value, canonical = read_
        try:
            again = parse_value(canonical)
        except Malformed as refused:  # RFC 8785 writes 1e20 as an integer, which is too long
            return refused.code != "number_out_of_range"
        return again != value or canonicalize(again) != canonical

    return Door(run=read, allowed=(Malformed,), seeds=texts, never=is_lost, shape=change_json)


def open_dids() -> Door:
    """DIDs, DID URLs and keys as texts; the first byte says which."""
    ada = ACTORS[0]
    readers: list[Callable[[str], Any]] = [
        *(is_did, lambda text: str(parse_did_url(text))),
        *(build_address, lambda text: resolve_did_key(text).did),
        *(lambda text: encode_multikey(decode_multikey(text)), _read_jwk),
    ]
    texts = [ada.did, ada.kid, f"{WEB}%3A8443:a:b", *map(did_of_key, _publics())]
    texts += [*map(encode_multikey, _publics())]
    texts += [json.dumps(key.jwk()) for key in _publics()]
    kinds = [0, 1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]

    def read(data: bytes) -> object:
        if not data:
            return None
        kind, text = data[0] % len(readers), data[1:].decode()
        found = readers[kind](text)
        return (kind, text, found) if found else None

    # What is written again is what was read: each has one form.
    return Door(
        run=read,
        allowed=(InvalidDid, InvalidKey, Malformed, UnicodeError),
        seeds=tuple(bytes([kind]) + text.encode() for kind, text in zip(kinds, texts, strict=True)),
        never=lambda _data, found: found[0] in (1, 3, 4) and found[1] != found[2],
    )


def _publics() -> list[Any]:
    return [actor.key.public for actor in ACTORS]


def _read_jwk(text: str) -> object:
    return parse_jwk(parse_document(text.encode()))


def open_did_documents() -> Door:
    """Documents fetched for a did:web: only keys under its own DID count."""
    methods = [
        {"id": f"#k{at}", "type": "Multikey", "controller": WEB, **_publish(key, at)}
        for at, key in enumerate(_publics())
    ]
    document = {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": WEB,
        "verificationMethod": methods,
        "assertionMethod": ["#k0", f"{WEB}#k1", {**methods[2], "id": "#k9"}],
        "authentication": ["#k0"],
    }
    single = {**document, "verificationMethod": methods[:1], "assertionMethod": ["#k0"]}

    def is_foreign(_data: bytes, found: Any) -> bool:
        return any(not each.id.startswith(WEB + "#") for each in found.methods)

    return Door(
        run=lambda data: read_did_web(WEB, data),
        allowed=(InvalidDid, Malformed),
        seeds=tuple(json.dumps(each).encode() for each in (document, single)),
        never=is_foreign,
        shape=change_json,
    )


def _publish(key: Any, at: int) -> Document:
    if at % 2:
        return {"publicKeyJwk": key.jwk()}
    return {"publicKeyMultibase": encode_multikey(key)}


def open_credentials() -> Door:
    """W3C credentials with Data Integrity proofs: yes only to what the issuer signed."""
    world = World()
    seeds = [build_vc(), build_vc(UNIVERSITY), build_vc(SM2_ISSUER, issuer=SM2_ISSUER.did)]
    known = [_split_proofs(seed) for seed in seeds]

    def judge(data: bytes) -> object:
        return _split_proofs(data) if world.verify(data).outcome == "yes" else None

    def is_other(_data: bytes, found: Any) -> bool:
        content, proofs = found
        same = [each[1] for each in known if each[0] == content]
        return not same or any(proof not in same[0] for proof in proofs)

    return Door(run=judge, allowed=(), seeds=tuple(seeds), never=is_other, shape=change_json)


def _split_proofs(data: bytes) -> tuple[bytes, list[Document]]:
    """A document without its proofs, and these without their values: ECDSA has two of each."""
    document = json.loads(data)
    proofs = document.pop("proof", [])
    listed = proofs if isinstance(proofs, list) else [proofs]
    kept = [{name: each[name] for name in each if name != "proofValue"} for each in listed]
    return canonicalize(document), kept


def open_sd_jwts() -> Door:
    """SD-JWT VCs: a holder may say less, nobody anything else."""
    other = build_sd_jwt(claims={"name": "Bea", "degree": "BSc"})
    return _build_claims_door([build_sd_jwt(), other])


def open_presentations() -> Door:
    """Presentations to one verifier: of a W3C credential, of an SD-JWT VC with key binding."""
    seeds = [show(build_sd_jwt()), show(build_vc())]
    return _build_claims_door(seeds, audience="bank", nonce="n1", need_holder=True)


def _build_claims_door(seeds: list[bytes], **policy: Any) -> Door:
    world = World()
    known = [dict(claims) for seed in seeds for claims in world.verify(seed, **policy).claims]
    assert known

    def judge(data: bytes) -> object:
        report = world.verify(data, **policy)
        return list(report.claims) if report.outcome == "yes" else None

    def says_other(_data: bytes, said: Any) -> bool:
        return any(not any(_is_part(each, whole) for whole in known) for each in said)

    return Door(run=judge, allowed=(), seeds=tuple(seeds), never=says_other, shape=change_jws)


def _is_part(said: Document, whole: Document) -> bool:
    return all(name in whole and whole[name] == value for name, value in said.items())


def open_jws() -> Door:
    """Compact JWS of any of our types."""
    token = build_sd_jwt().split(b"~")[0]
    return Door(
        run=lambda data: parse_jws(data.decode("latin-1"), types=("dc+sd-jwt", "vc+sd-jwt")),
        allowed=(Malformed,),
        seeds=(token,),
        shape=change_jws,
    )


def open_timestamps() -> Door:
    """Time-stamp tokens (RFC 3161) over one value, by one authority."""
    authority = Authority()
    value = b"evidence"
    seeds = [authority.stamp(value), authority.stamp(b"other")]

    def judge(data: bytes) -> object:
        stamp = check_token(data, value, [authority.root])
        return stamp.time, stamp.serial

    return build_judge(judge, (WrongToken,), seeds, change_bytes)
