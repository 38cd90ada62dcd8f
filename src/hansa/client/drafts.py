"""Transactions on their way between signers: a payload with the signatures it has so far. Pure.

A draft travels as canonical payload JSON (nobody signed yet), as JWS JSON with fewer signatures
than signers, and in the end as the transaction that the ledger takes.
"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from hansa.client.faults import ClientError
from hansa.client.keys import Signer
from hansa.client.transactions import compute_transaction_id
from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.ledger.transactions import Payload, compute_signing_input, encode_jws
from hansa.primitives.limits import TRANSACTION_BYTES_MAX


class DraftError(ClientError):
    """A transaction's file is damaged, or this key has no place in it."""

    CODE = "client.draft"


@dataclass(frozen=True, slots=True)
class PartlySigned:
    """A payload and (protected header, signature) by kid."""

    payload: bytes
    signers: tuple[str, ...]
    signatures: tuple[tuple[str, tuple[str, bytes]], ...] = ()

    @property
    def id(self) -> str:
        """The transaction's id: it does not depend on the signatures."""
        return compute_transaction_id(self.payload)

    @property
    def missing(self) -> list[str]:
        """Who has not signed yet."""
        signed = dict(self.signatures)
        return [kid for kid in self.signers if kid not in signed]

    @property
    def is_complete(self) -> bool:
        """Whether it can be sent."""
        return not self.missing

    def encode(self) -> bytes:
        """The transaction when complete, else the draft with what is signed so far."""
        signed = dict(self.signatures)
        parts = tuple(signed[kid] for kid in self.signers if kid in signed)
        if self.is_complete:
            return encode_jws(self.payload, parts)
        if not parts:
            return self.payload
        listed = [
            {"protected": protected, "signature": encode_base64url(signature)}
            for protected, signature in parts
        ]
        return encode_canonical({"payload": encode_base64url(self.payload), "signatures": listed})


def add_signature(draft: PartlySigned, signer: Signer) -> PartlySigned:
    """The draft with one more signature. Raises DraftError when the key is none of its signers."""
    if signer.kid not in draft.signers:
        raise DraftError(
            f"{signer.kid} is not one of the signers", "sign with: " + ", ".join(draft.missing)
        )
    protected, signing_input = compute_signing_input(signer.kid, signer.private.alg, draft.payload)
    signed = dict(draft.signatures) | {signer.kid: (protected, signer.private.sign(signing_input))}
    return replace(draft, signatures=tuple(signed.items()))


def read_draft(data: bytes) -> PartlySigned:
    """Read a payload, a partly signed draft or a transaction. Raises DraftError."""
    try:
        if data[:1] != b"{":
            protected, text, signature = data.decode("ascii").strip().split(".")
            parts = [{"protected": protected, "signature": signature}]
        else:
            value: Any = decode_canonical(data.strip(), size_max=2 * TRANSACTION_BYTES_MAX)
            if "payload" not in value:
                return _open(data.strip(), [])
            text, parts = value["payload"], value["signatures"]
        return _open(decode_base64url(text), parts)
    except (CanonicalError, TextError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DraftError(
            "this file is no transaction", "hansa tx build writes one, hansa tx sign signs it"
        ) from error


def _open(payload: bytes, parts: list[dict[str, str]]) -> PartlySigned:
    decode_canonical(payload, size_max=TRANSACTION_BYTES_MAX)
    signers = msgspec.json.decode(payload, type=Payload).signers
    signatures = []
    for part in parts:
        header = msgspec.json.decode(decode_base64url(part["protected"]))
        signature = decode_base64url(part["signature"])
        signatures.append((str(header["kid"]), (part["protected"], signature)))
    return PartlySigned(payload, signers, tuple(signatures))
