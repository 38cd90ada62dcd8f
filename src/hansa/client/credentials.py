"""Credentials as their issuers and holders make them: issue, sign, present. Pure:
keys, times, salts and indexes are given. What is made is judged by `identity.verify`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.client.faults import ClientError
from hansa.client.keys import Signer
from hansa.crypto.signatures import PublicKey
from hansa.encoding.canonical import encode_canonical
from hansa.identity.bitstring_status import BitstringEntry, build_bitstring_entry
from hansa.identity.data_integrity import add_proof, find_suite
from hansa.identity.json_document import parse_document
from hansa.identity.moments import format_moment
from hansa.identity.sd_jwt import Path, present_sd_jwt
from hansa.identity.sd_jwt_vc import bind_key, issue_sd_jwt_vc, parse_sd_jwt_vc
from hansa.identity.statement import ACCREDITATION_URN, SCHEMA_URN

CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
ENVELOPE: Final = "EnvelopedVerifiableCredential"
SALT_BYTES: Final = 16


class WrongCredential(ClientError):
    """What was asked for makes no credential or presentation."""

    CODE = "client.credential"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer says. subject: DID of whom it is about, or "" for the bearer. status: address
    of the list, index, purposes. Times in ms; valid_until_ms None: no end.
    """

    issuer: str
    claims: Mapping[str, Any]
    subject: str = ""
    types: tuple[str, ...] = ()
    id: str = ""
    schema: str = ""
    vct: str = ""
    accreditation: str = ""
    status: tuple[str, int, tuple[str, ...]] | None = None
    valid_from_ms: int
    valid_until_ms: int | None = None


def issue_vc(order: Order, signers: Sequence[Signer], now_ms: int) -> bytes:
    """A VC 2.0 with one proof of each signer (a proof set), canonical JSON. Raises Malformed."""
    document = build_vc(order)
    for signer in signers:
        document = prove_issuer(document, signer, now_ms)
    return encode_canonical(document)


def prove_issuer(document: dict[str, Any], signer: Signer, now_ms: int) -> dict[str, Any]:
    """The document with the proof of one who issues it. Raises Malformed."""
    return add_proof(
        document,
        private_key_sign=signer.private.sign,
        suite=find_suite(signer.private.public),
        method=signer.kid,
        purpose="assertionMethod",
        created=format_moment(now_ms),
    )


def build_vc(order: Order) -> dict[str, Any]:
    """The unsigned credential of an order."""
    subject = {**({"id": order.subject} if order.subject else {}), **order.claims}
    document: dict[str, Any] = {
        "@context": [CONTEXT],
        "type": ["VerifiableCredential", *order.types],
        "issuer": order.issuer,
        "validFrom": format_moment(order.valid_from_ms),
        "credentialSubject": subject,
        **_describe(order),
    }
    if order.id:
        document["id"] = order.id
    if order.valid_until_ms is not None:
        document["validUntil"] = format_moment(order.valid_until_ms)
    if order.status is not None:
        uri, index, purposes = order.status
        entries = [build_bitstring_entry(BitstringEntry(uri, index, each)) for each in purposes]
        for entry in entries:  # one index, several purposes: ids differ
            entry["id"] = f"{uri}?purpose={entry['statusPurpose']}#{index}"
            entry["statusListCredential"] = f"{uri}?purpose={entry['statusPurpose']}"
        document["credentialStatus"] = entries[0] if len(entries) == 1 else entries
    return document


def issue_sd_jwt(
    order: Order,
    signer: Signer,
    *,
    holder: PublicKey | None,
    salts: Sequence[bytes],
    now_ms: int,
) -> str:
    """An SD-JWT VC: each claim at the top can be withheld by itself. Raises Malformed.

    salts: SALT_BYTES random bytes for each claim. Times are whole seconds, rounded up.
    """
    about = {"sub": order.subject} if order.subject else {}
    return issue_sd_jwt_vc(
        {**about, **_describe(order), **order.claims},
        vct=order.vct or f"{SCHEMA_URN}{order.schema}",
        issuer=order.issuer,
        method=signer.kid,
        alg=signer.private.alg,
        sign=signer.private.sign,
        disclosable=[(name,) for name in order.claims],
        salts=salts,
        holder=holder,
        status=None if order.status is None else order.status[:2],
        issued_s=_round_up(now_ms),
        valid_from_s=_round_up(order.valid_from_ms),
        valid_until_s=None if order.valid_until_ms is None else order.valid_until_ms // 1000,
    )


def _describe(order: Order) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if order.schema:
        described["credentialSchema"] = {"id": SCHEMA_URN + order.schema, "type": "JsonSchema"}
    if order.accreditation:
        described["termsOfUse"] = {
            "id": ACCREDITATION_URN + order.accreditation,
            "type": "IssuanceCertificate",
        }
    return described


def present(
    documents: Sequence[bytes],
    holder: Signer,
    *,
    audience: str,
    nonce: str,
    now_ms: int,
    claims: Sequence[str] | None = None,
) -> bytes:
    """A presentation of credentials to an audience, in answer to its nonce.

    One SD-JWT VC alone is presented with key binding; everything else in a VC 2.0 presentation.
    claims: names of the claims at the top of SD-JWT VCs to disclose (None: all). Raises Malformed,
    WrongCredential.
    """
    texts = [document.strip() for document in documents]
    if len(texts) == 1 and is_sd_jwt(texts[0]):
        shown = _disclose(texts[0], claims)
        bound = bind_key(
            shown,
            audience=audience,
            nonce=nonce,
            issued_s=now_ms // 1000,
            alg=holder.private.alg,
            sign=holder.private.sign,
        )
        return bound.encode()
    if claims is not None and not any(map(is_sd_jwt, texts)):
        raise WrongCredential(
            "claims cannot be left out of a credential with Data Integrity proofs",
            "present it whole, or ask its issuer for an SD-JWT VC (--form sd-jwt)",
        )
    document: dict[str, Any] = {
        "@context": [CONTEXT],
        "type": ["VerifiablePresentation"],
        "holder": holder.account,
        "verifiableCredential": [_embed(text, claims) for text in texts],
    }
    signed = add_proof(
        document,
        private_key_sign=holder.private.sign,
        suite=find_suite(holder.private.public),
        method=holder.kid,
        purpose="authentication",
        created=format_moment(now_ms),
        domain=audience,
        challenge=nonce,
    )
    return encode_canonical(signed)


def is_sd_jwt(document: bytes) -> bool:
    """Whether a document is an SD-JWT rather than JSON."""
    return b"~" in document and not document.lstrip().startswith(b"{")


def _disclose(document: bytes, claims: Sequence[str] | None) -> str:
    held = parse_sd_jwt_vc(document.decode("ascii", "replace")).sd_jwt
    paths: list[Path] | None = None if claims is None else [(name,) for name in claims]
    return present_sd_jwt(held, paths)


def _embed(document: bytes, claims: Sequence[str] | None) -> dict[str, Any]:
    if not is_sd_jwt(document):
        return parse_document(document)
    text = _disclose(document, claims)
    return {
        "@context": CONTEXT,
        "id": f"data:application/dc+sd-jwt,{text}",
        "type": ENVELOPE,
    }


def _round_up(time_ms: int) -> int:
    """Seconds: never before what the ledger decided a moment ago."""
    return -(-time_ms // 1000)
