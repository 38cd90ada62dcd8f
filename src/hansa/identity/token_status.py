"""IETF Token Status List (draft-ietf-oauth-status-list-21): signed JWTs of packed statuses. Pure.

Codes of Malformed: wrong_status_list, and those of `jws` and `status_bits`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.jws import Jws, Sign, parse_jws, sign_jws
from hansa.identity.status_bits import deflate, get_status, inflate, pack_statuses

STATUS_LIST_TYPE: Final = "statuslist+jwt"
VALID: Final = 0
REVOKED: Final = 1
SUSPENDED: Final = 2
# Words of the league for the registered status types; all others are refused by who reads them.
WORDS: Final[Mapping[int, str]] = {VALID: "valid", REVOKED: "revoked", SUSPENDED: "suspended"}
_SECONDS_MAX: Final = 253_402_300_799
_TOKEN_CHARACTERS_MAX: Final = 4_000_000


class TokenStatusList(msgspec.Struct, frozen=True, kw_only=True):
    """A read token; its signature is not judged yet (`sd_jwt_vc.check_issuer`), nor its end.

    kid: DID URL of the key; issuer: the DID of it. Times in milliseconds, None: unsaid.
    """

    jws: Jws
    uri: str
    kid: str
    issuer: str
    issued_ms: int
    valid_until_ms: int | None
    ttl_ms: int | None
    bits: int
    packed: bytes

    def get(self, index: int) -> int:
        """Status at an index: VALID, REVOKED, SUSPENDED or another's. Raises Malformed."""
        return get_status(self.packed, index, bits=self.bits, order="right")


def encode_token_list(size: int, values: Mapping[int, int], *, bits: int) -> dict[str, Any]:
    """Claim `status_list` of a list of `size` entries, VALID but for `values`; ValueError."""
    packed = pack_statuses(size, values, bits=bits, order="right")
    return {"bits": bits, "lst": encode_base64url(deflate(packed, as_gzip=False))}


def sign_status_token(
    status_list: Mapping[str, Any],
    *,
    uri: str,
    method: str,
    alg: str,
    sign: Sign,
    issued_s: int,
    valid_until_s: int | None = None,
    ttl_s: int | None = None,
) -> str:
    """Sign a list of `encode_token_list`, served at `uri`; method: DID URL of the key."""
    claims: dict[str, Any] = {"sub": uri, "iat": issued_s, "status_list": dict(status_list)}
    if valid_until_s is not None:
        claims["exp"] = valid_until_s
    if ttl_s is not None:
        claims["ttl"] = ttl_s
    return sign_jws(claims, header={"alg": alg, "kid": method, "typ": STATUS_LIST_TYPE}, sign=sign)


def parse_status_token(text: str, *, uri: str) -> TokenStatusList:
    """Read a token that was fetched from, or bundled for, `uri`. Raises Malformed."""
    if len(text) > _TOKEN_CHARACTERS_MAX or not text.isascii():
        raise Malformed(
            "too_large", f"longer than {_TOKEN_CHARACTERS_MAX} characters, or not ASCII"
        )
    jws = parse_jws(text, types=(STATUS_LIST_TYPE,))
    claims = parse_document(jws.payload, size_max=_TOKEN_CHARACTERS_MAX)
    if claims.get("sub") != uri:
        raise Malformed("wrong_status_list", "not the list that was asked for")
    bits, packed = read_token_list(claims.get("status_list"))
    issued_ms = _read_seconds(claims, "iat")
    if issued_ms is None:
        raise Malformed("wrong_status_list", "iat is missing")
    return TokenStatusList(
        jws=jws,
        uri=uri,
        kid=jws.kid,
        issuer=jws.kid.partition("#")[0],
        issued_ms=issued_ms,
        valid_until_ms=_read_seconds(claims, "exp"),
        ttl_ms=_read_seconds(claims, "ttl"),
        bits=bits,
        packed=packed,
    )


def read_token_list(status_list: object) -> tuple[int, bytes]:
    """Bits of an entry and the packed list of a claim `status_list`. Raises Malformed."""
    bits = status_list.get("bits") if isinstance(status_list, dict) else None
    text = status_list.get("lst") if isinstance(status_list, dict) else None
    if bits not in (1, 2, 4, 8) or isinstance(bits, bool) or not isinstance(text, str):
        raise Malformed("wrong_status_list", "status_list has no bits (1, 2, 4, 8) and lst")
    try:
        return int(bits), inflate(decode_base64url(text), as_gzip=False)
    except TextError as error:
        raise Malformed("wrong_status_list", "lst is not strict base64url") from error


def _read_seconds(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _SECONDS_MAX:
        raise Malformed("wrong_status_list", f"{name} is not a number of seconds")
    return value * 1000
