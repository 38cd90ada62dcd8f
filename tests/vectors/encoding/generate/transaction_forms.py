"""Signed transactions by the rules of DESIGN decision D1, where everything can be made wrong.

Of Hansa it imports only keys; our encoder is not asked.
"""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from hansa.crypto.keys import PrivateKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Signer = tuple[str, str, PrivateKey]


def seed(name: str) -> bytes:
    return hashlib.sha256(b"hansa vector " + name.encode()).digest()


def make_signer(name: str, alg: str) -> Signer:
    name_32 = base64.b32encode(seed("did " + name)).decode().lower()[:32]
    return alg, f"did:hansa:{name_32}#k1", PrivateKey.from_seed(alg, seed(name))


ADA, BEA, EVE = (
    make_signer("ada", "EdDSA"),
    make_signer("bea", "ES256"),
    make_signer("eve", "EdDSA"),
)


EIGHT = [make_signer(f"signer {number}", "EdDSA") for number in range(8)]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def canon(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sign(signer: Signer, data: bytes, *, high_s: bool = False) -> bytes:
    """Deterministic, so that this file makes the same bytes again (RFC 6979 for ES256)."""
    alg, _kid, key = signer
    if alg == "EdDSA":
        return key.sign(data)
    scalar = int.from_bytes(key.to_bytes(), "big") % (P256_ORDER - 1) + 1
    private = ec.derive_private_key(scalar, ec.SECP256R1())
    der = private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = utils.decode_dss_signature(der)
    low = min(s, P256_ORDER - s)
    return r.to_bytes(32, "big") + (P256_ORDER - low if high_s else low).to_bytes(32, "big")


def make_message(**changes: Any) -> dict[str, Any]:
    body = {"id": "F-1", "net": 10000, "note": "香港 café", "v": 1}
    return {"app": "e_invoice", "body": body, "sender": 0, "type": "IssueInvoice", **changes}


def make_payload(*signers: Signer, **changes: Any) -> dict[str, Any]:
    return {
        "chain": "bay-1",
        "expiry": 40,
        "id": b64(seed("unique")[:16]),
        "messages": [make_message()],
        "mode": "atomic",
        "signers": [signer[1] for signer in signers or (ADA,)],
        "v": 1,
        **changes,
    }


def carry(
    payload: bytes | dict[str, Any],
    *signers: Signer,
    header: bytes | None = None,
    payload_text: str | None = None,
    **how: Any,
) -> bytes:
    """The bytes carried: compact for one signer, JSON for several; everything can be made wrong."""
    data = payload if isinstance(payload, bytes) else canon(payload)
    text = payload_text or b64(data)
    parts = []
    for signer in signers or (ADA,):
        head = b64(canon({"alg": signer[0], "kid": signer[1]}) if header is None else header)
        signature = sign(signer, f"{head}.{text}".encode(), **how)
        parts.append({"protected": head, "signature": b64(signature)})
    if len(parts) == 1:
        return f"{parts[0]['protected']}.{text}.{parts[0]['signature']}".encode()
    return canon({"payload": text, "signatures": parts})


def loosen(data: bytes, part: int) -> bytes:
    """The part of a compact JWS with a trailing bit set that means nothing."""
    parts = data.decode().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = {0: 0, 2: 15, 3: 3}[len(parts[part]) % 4]
    if not spare:
        raise ValueError("this part has no spare bits")
    parts[part] = parts[part][:-1] + alphabet[alphabet.index(parts[part][-1]) | spare]
    return ".".join(parts).encode()
