"""RFC 3161 time-stamps: requests, and tokens judged by roots that the user gives. Pure.

What is stamped are the 32 bytes of the evidence's value. `rfc3161-client` reads and verifies; which
authority is trusted is never taken from a token.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client._rust import parse_timestamp_request

from hansa.client.faults import ClientError
from hansa.contracts.evidence.model import TOKEN_BYTES_MAX

# SHA-256, SHA-384, SHA-512.
HASHES: Final = frozenset(f"2.16.840.1.101.3.4.2.{arc}" for arc in (1, 2, 3))
# What the library raises for certificates that it cannot read, by the part that is wrong.
_UNREADABLE: Final = (
    *(ValueError, TypeError, KeyError, x509.InvalidVersion, x509.DuplicateExtension),
    *(x509.UnsupportedGeneralNameType, UnsupportedAlgorithm),
)


class WrongToken(ClientError):
    """A token that does not hold; `reason` is its stable code."""

    CODE = "client.time_stamp"

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text, "ask the time-stamping authority for a new token")
        self.reason = reason


class Stamp(NamedTuple):
    """What a good token says: when, by whom, under which serial number and policy."""

    time: datetime
    authority: str
    serial: int
    policy: str

    def describe(self) -> str:
        """In one line."""
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ} by {self.authority}, number {self.serial}"


def build_request(value: bytes) -> bytes:
    """A time-stamp query (DER, media type application/timestamp-query) with a random nonce."""
    builder = TimestampRequestBuilder(data=value, hash_algorithm=HashAlgorithm.SHA256)
    return bytes(builder.build().as_bytes())


def read_nonce(request: bytes) -> int | None:
    """The nonce of a query that was sent. Raises WrongToken when it is none."""
    try:
        nonce: int | None = parse_timestamp_request(request).nonce
    except ValueError as error:
        raise WrongToken("bad_request", "the query is not an RFC 3161 query") from error
    return nonce


def load_roots(data: bytes) -> tuple[x509.Certificate, ...]:
    """Certificates of trusted authorities, PEM (one or several) or DER. Raises WrongToken."""
    try:
        if b"-----BEGIN" in data:
            return tuple(x509.load_pem_x509_certificates(data))
        return (x509.load_der_x509_certificate(data),)
    except ValueError as error:
        raise WrongToken("bad_roots", "not a certificate in PEM or DER") from error


def check_token(
    token: bytes,
    value: bytes,
    roots: Sequence[x509.Certificate],
    *,
    nonce: int | None = None,
) -> Stamp:
    """Judge a token (a response, or the bare token of one) over `value` by trusted roots.

    Raises WrongToken with reason bad_token, not_granted, other_digest, other_nonce, unknown_hash,
    wrong_usage, or untrusted (signature, chain to the roots, validity at the token's time).
    """
    response = _read(token)
    if response.status != 0:
        raise WrongToken(
            "not_granted", f"the authority did not grant it (status {response.status})"
        )
    info = response.tst_info
    algorithm = info.message_imprint.hash_algorithm
    if algorithm.dotted_string not in HASHES:
        raise WrongToken("unknown_hash", f"the hash {algorithm.dotted_string} is not accepted")
    if nonce is not None and info.nonce != nonce:
        raise WrongToken("other_nonce", "the token answers another query (nonce)")
    signer = _find_signer(response)
    _check_usage(signer)
    builder = VerifierBuilder(roots=list(roots))
    try:
        verifier = builder.build()
        verifier.verify_message(response, value)
    except (VerificationError, ValueError) as error:
        is_digest = "Mismatch between messages" in str(error)
        raise WrongToken(
            "other_digest" if is_digest else "untrusted",
            "the token is of something else" if is_digest else f"the token is not trusted: {error}",
        ) from error
    return Stamp(
        time=info.gen_time.astimezone(UTC),
        authority=signer.subject.rfc4514_string(),
        serial=info.serial_number,
        policy=info.policy.dotted_string,
    )


def _read(token: bytes) -> TimeStampResponse:
    """A response as it is; a bare token in a response that grants it."""
    if len(token) > TOKEN_BYTES_MAX:
        raise WrongToken("bad_token", f"the token is longer than {TOKEN_BYTES_MAX} bytes")
    granted = b"\x30\x03\x02\x01\x00"
    for data in (token, _wrap(granted + token)):
        try:
            response = decode_timestamp_response(data)
            response.tst_info  # noqa: B018  (a response without a token has none)
        except ValueError:
            continue
        return response
    raise WrongToken("bad_token", "not an RFC 3161 response or token")


def _wrap(content: bytes) -> bytes:
    """A DER SEQUENCE of the content, whose length has at most two bytes."""
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


def _find_signer(response: TimeStampResponse) -> x509.Certificate:
    infos = response.signed_data.signer_infos
    if len(infos) != 1:
        raise WrongToken("bad_token", "the token has not exactly one signer")
    info = next(iter(infos))
    for data in response.signed_data.certificates:
        try:
            certificate = x509.load_der_x509_certificate(data)
            is_named = certificate.serial_number == info.serial_number
            is_its = is_named and certificate.issuer == info.issuer
        except _UNREADABLE as error:
            raise WrongToken("bad_token", "a certificate of the token cannot be read") from error
        if is_its:
            return certificate
    raise WrongToken("no_certificate", "the token lacks its signer's certificate: ask for it")


def _check_usage(certificate: x509.Certificate) -> None:
    """RFC 3161 section 2.3: time-stamping alone, and critical."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, *_UNREADABLE) as error:
        raise WrongToken("wrong_usage", "the certificate is not for time-stamps") from error
    purposes: list[ObjectIdentifier] = list(usage.value)
    if not usage.critical or purposes != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise WrongToken("wrong_usage", "the certificate is not for time-stamps alone")


__all__ = [
    "Stamp",
    "WrongToken",
    "build_request",
    "check_token",
    "load_roots",
    "read_nonce",
]
