"""Signed transactions: a JWS over canonical JSON (D1). Decoding refuses all that is not canonical.
Pure.
"""

from functools import lru_cache
from typing import Literal

import msgspec

from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import CanonicalError, decode_canonical, decode_typed
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.ledger.rejections import Rejection
from hansa.primitives.limits import (
    MESSAGE_BYTES_MAX,
    MESSAGES_MAX,
    SIGNERS_MAX,
    TRANSACTION_BYTES_MAX,
)

Mode = Literal["atomic", "independent"]

HEADER_BYTES_MAX = 300
ID_BYTES = 16


class InvalidTransaction(Rejection):
    """A transaction that may not enter a block. Children say why."""


class Malformed(InvalidTransaction):
    """Bytes that are not a canonical signed transaction."""

    CODE = "malformed"
    RULE = "D1"
    TEXT = "Not a canonical signed transaction: {what}"
    REMEDY = "Build and sign it with a Hansa client, and send the bytes unchanged."


def build_malformed(error: CanonicalError | TextError, where: str = "") -> Malformed:
    """The refusal of bytes that do not decode; `where` names the part."""
    refused = Malformed(what=f"{where}: {error}" if where else str(error))
    refused.detail = getattr(error, "detail", "")
    return refused


class SignedMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request inside a transaction; `sender` indexes the transaction's signers."""

    app: str
    body: msgspec.Raw
    sender: int
    type: str


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed. `id` is 16 random bytes in base64url; `expiry` the last height it may
    enter.
    """

    chain: str
    expiry: int
    id: str
    messages: tuple[msgspec.Raw, ...]
    mode: Mode
    signers: tuple[str, ...]
    v: Literal[1]


class JwsHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The protected header: exactly alg and kid."""

    alg: str
    kid: str


class Signature(msgspec.Struct, frozen=True):
    """One signature and the exact bytes it covers."""

    header: JwsHeader
    signing_input: bytes
    signature: bytes


class _JwsSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    protected: str
    signature: str


class _JwsJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    signatures: tuple[_JwsSignature, ...]


class SignedTransaction(msgspec.Struct, frozen=True):
    """A decoded transaction. `id` is SHA-256 of the payload, so it has only one (D1); `digest` is
    that of the bytes carried, which CometBFT calls the transaction's hash.
    """

    id: bytes
    digest: bytes
    payload: Payload
    messages: tuple[SignedMessage, ...]
    message_digests: tuple[bytes, ...]
    signatures: tuple[Signature, ...]
    size: int

    @property
    def hex_id(self) -> str:
        """The id as people see it: 64 lower-case hex digits."""
        return self.id.hex()


def decode_transaction(data: bytes) -> SignedTransaction:
    """Decode the bytes carried. Raises Malformed for anything that is not the one canonical
    form.
    """
    if len(data) > TRANSACTION_BYTES_MAX:
        raise Malformed(what=f"longer than {TRANSACTION_BYTES_MAX} bytes")
    try:
        payload_text, parts = _split_jws(data)
        payload_bytes = decode_base64url(payload_text)
        decode_canonical(payload_bytes, size_max=TRANSACTION_BYTES_MAX)
        payload = decode_typed(payload_bytes, Payload)
        signatures = tuple(_decode_signature(payload_text, *part) for part in parts)
        _check_payload(payload, signatures)
        messages = tuple(decode_typed(raw, SignedMessage) for raw in payload.messages)
        for message, raw in zip(messages, payload.messages, strict=True):
            _check_message(message, len(bytes(raw)), len(payload.signers))
    except (CanonicalError, TextError) as error:
        raise build_malformed(error) from error
    return SignedTransaction(
        id=sha256(payload_bytes),
        digest=sha256(data),
        payload=payload,
        messages=messages,
        message_digests=tuple(sha256(bytes(raw)) for raw in payload.messages),
        signatures=signatures,
        size=len(data),
    )


def compute_signing_input(kid: str, alg: str, payload: bytes) -> tuple[str, bytes]:
    """Protected header text and the JWS signing input (RFC 7515 section 5.1) for `payload`."""
    header = msgspec.json.encode(JwsHeader(alg=alg, kid=kid))
    protected = encode_base64url(header)
    return protected, protected.encode("ascii") + b"." + encode_base64url(payload).encode("ascii")


def encode_jws(payload: bytes, signatures: tuple[tuple[str, bytes], ...]) -> bytes:
    """The bytes to carry: compact for one (protected, signature), JWS JSON for several."""
    text = encode_base64url(payload)
    if len(signatures) == 1:
        protected, signature = signatures[0]
        return f"{protected}.{text}.{encode_base64url(signature)}".encode("ascii")
    listed = tuple(
        _JwsSignature(protected=protected, signature=encode_base64url(signature))
        for protected, signature in signatures
    )
    return msgspec.json.encode(_JwsJson(payload=text, signatures=listed))


def _split_jws(data: bytes) -> tuple[str, list[tuple[str, str]]]:
    """Payload text and (protected, signature) texts of a compact or JSON JWS."""
    if data[:1] == b"{":
        decode_canonical(data, size_max=TRANSACTION_BYTES_MAX)
        jws = decode_typed(data, _JwsJson)
        if len(jws.signatures) < 2:
            raise Malformed(what="one signer is carried in compact form")
        return jws.payload, [(part.protected, part.signature) for part in jws.signatures]
    try:
        parts = data.decode("ascii").split(".")
    except UnicodeDecodeError as error:
        raise Malformed(what="not ASCII") from error
    if len(parts) != 3:
        raise Malformed(what="a compact JWS has three parts")
    return parts[1], [(parts[0], parts[2])]


@lru_cache(maxsize=4096)
def _decode_header(protected: str) -> JwsHeader:
    """The protected header; an account sends the same one each time."""
    header_bytes = decode_base64url(protected)
    decode_canonical(header_bytes, size_max=HEADER_BYTES_MAX)
    return decode_typed(header_bytes, JwsHeader)


def _decode_signature(payload_text: str, protected: str, signature: str) -> Signature:
    if len(protected) > 2 * HEADER_BYTES_MAX:
        raise Malformed(what=f"a header is longer than {HEADER_BYTES_MAX} bytes")
    return Signature(
        header=_decode_header(protected),
        signing_input=f"{protected}.{payload_text}".encode("ascii"),
        signature=decode_base64url(signature),
    )


def _check_payload(payload: Payload, signatures: tuple[Signature, ...]) -> None:
    if len(decode_base64url(payload.id)) != ID_BYTES:
        raise Malformed(what=f"id is not {ID_BYTES} bytes")
    if not 1 <= len(payload.messages) <= MESSAGES_MAX:
        raise Malformed(what=f"messages are not 1 to {MESSAGES_MAX}")
    if not 1 <= len(payload.signers) <= SIGNERS_MAX:
        raise Malformed(what=f"signers are not 1 to {SIGNERS_MAX}")
    if len(set(payload.signers)) != len(payload.signers):
        raise Malformed(what="a signer is named twice")
    if payload.expiry < 1:
        raise Malformed(what="expiry is not a height")
    if tuple(signature.header.kid for signature in signatures) != payload.signers:
        raise Malformed(what="signatures are not those of the signers, in their order")


def _check_message(message: SignedMessage, size: int, signers: int) -> None:
    if size > MESSAGE_BYTES_MAX:
        raise Malformed(what=f"a message is longer than {MESSAGE_BYTES_MAX} bytes")
    if not 0 <= message.sender < signers:
        raise Malformed(what="a message's sender is not one of the signers")
