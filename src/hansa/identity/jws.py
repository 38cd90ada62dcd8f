"""JWS compact serialisation (RFC 7515) with an allow-list of algorithms and types. Pure.

The algorithm is judged before a key is looked for; headers that point to keys are never followed.
Codes of Malformed: not_a_jws, unsigned, symmetric_algorithm, unknown_suite, wrong_type,
unknown_critical_header, and those of `json_document`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import msgspec

from hansa.crypto.signatures import SUITES, InvalidSignature, PublicKey, verify_signature
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document

Sign = Callable[[bytes], bytes]
_HEADER_BYTES_MAX: Final = 8_000
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Jws(msgspec.Struct, frozen=True):
    """A parsed JWS: nothing is verified yet. `signed`: the bytes under the signature."""

    header: Mapping[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes

    @property
    def alg(self) -> str:
        return str(self.header["alg"])

    @property
    def kid(self) -> str:
        """Key that the header names, "" when it names none."""
        kid = self.header.get("kid", "")
        return kid if isinstance(kid, str) else ""


def sign_jws(payload: object, *, header: Mapping[str, object], sign: Sign) -> str:
    """Compact JWS of a JSON value; `header` has alg and typ, `sign` is of the same suite."""
    first = encode_base64url(encode_canonical(dict(header)))
    signed = f"{first}.{encode_base64url(encode_canonical(payload))}"
    return f"{signed}.{encode_base64url(sign(signed.encode('ascii')))}"


def parse_jws(text: str, *, types: tuple[str, ...]) -> Jws:
    """Parse a compact JWS whose `typ` is one of `types`. Raises Malformed."""
    parts = text.split(".")
    if len(parts) != 3:
        raise Malformed("not_a_jws", "a compact JWS has three parts")
    try:
        payload, signature = decode_base64url(parts[1]), decode_base64url(parts[2])
    except TextError as error:
        raise Malformed("not_a_jws", "a part is not strict base64url") from error
    header = _parse_header(parts[0])
    if header.get("typ") not in types:
        raise Malformed("wrong_type", f"typ is not {' or '.join(types)}")
    return Jws(header, payload, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


@lru_cache(maxsize=1024)
def _parse_header(text: str) -> Mapping[str, Any]:
    """Header of a JWS; an issuer's is the same for all that it signs."""
    try:
        header = parse_document(decode_base64url(text), size_max=_HEADER_BYTES_MAX)
    except TextError as error:
        raise Malformed("not_a_jws", "the header is not strict base64url") from error
    alg = header.get("alg")
    if not isinstance(alg, str) or alg.lower() == "none":
        raise Malformed("unsigned", "alg is missing or none")
    if alg.startswith("HS"):
        raise Malformed("symmetric_algorithm", f"{alg} proves nothing to a third party")
    if alg not in SUITES:
        raise Malformed("unknown_suite", f"no signature suite {alg[:40]}")
    if "crit" in header or "b64" in header:
        raise Malformed("unknown_critical_header", "crit or b64 asks for what is not known here")
    return MappingProxyType(header)


def find_signature_fault(jws: Jws, key: PublicKey) -> str:
    """ "" when the signature holds; else mixed_suite (a key of another suite) or bad_signature.

    RFC 7515 knows no low s, and wallets sign with any: ES256 is judged by its low twin.
    """
    if key.alg != jws.alg:
        return "mixed_suite"
    signature = _lower_s(jws.signature) if key.alg == "ES256" else jws.signature
    try:
        verify_signature(key, jws.signed, signature)
    except InvalidSignature:
        return "bad_signature"
    return ""


def _lower_s(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not _P256_ORDER // 2 < s < _P256_ORDER:
        return signature
    return signature[:32] + (_P256_ORDER - s).to_bytes(32, "big")
