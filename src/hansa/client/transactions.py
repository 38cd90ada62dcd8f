"""Building and signing transactions at the client: payload as canonical JSON, JWS over it (D1, D3).

The only place where a transaction's random id is drawn. Touches no files and no network.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.transactions import ID_BYTES, Mode, compute_signing_input, encode_jws
from hansa.primitives.limits import EXPIRY_WINDOW

# Long enough for a night's outage at a block a second, short enough that a forgotten draft dies.
EXPIRY_DEFAULT: Final = EXPIRY_WINDOW // 2


@dataclass(frozen=True, slots=True)
class Draft:
    """One message on its way into a transaction; `sender` indexes the transaction's signers."""

    app: str
    message: Message
    sender: int = 0


def choose_expiry(height: int, blocks: int = EXPIRY_DEFAULT) -> int:
    """Last height at which a transaction may enter: `blocks` from now, within the replay window."""
    return height + max(1, min(blocks, EXPIRY_WINDOW - 1))


def build_payload(
    *,
    chain: str,
    expiry: int,
    drafts: Sequence[Draft],
    signers: Sequence[str],
    mode: Mode = "atomic",
    unique: bytes | None = None,
) -> bytes:
    """Canonical payload to be signed. `signers`: kids in order; `unique`: 16 bytes, else random."""
    return encode_canonical(
        {
            "chain": chain,
            "expiry": expiry,
            "id": encode_base64url(unique or secrets.token_bytes(ID_BYTES)),
            "messages": [_describe(draft) for draft in drafts],
            "mode": mode,
            "signers": list(signers),
            "v": 1,
        }
    )


def _describe(draft: Draft) -> dict[str, object]:
    return {
        "app": draft.app,
        "body": msgspec.Raw(encode_canonical(draft.message)),
        "sender": draft.sender,
        "type": type(draft.message).__name__,
    }


def sign_payload(payload: bytes, signers: Sequence[tuple[str, PrivateKey]]) -> bytes:
    """Signed transaction: compact JWS for one signer, JWS JSON for several, in the order given."""
    parts = []
    for kid, key in signers:
        protected, signing_input = compute_signing_input(kid, key.public.alg, payload)
        parts.append((protected, key.sign(signing_input)))
    return encode_jws(payload, tuple(parts))


def compute_transaction_id(payload: bytes) -> str:
    """Transaction id: SHA-256 of the payload, 64 hex characters."""
    return sha256(payload).hex()
