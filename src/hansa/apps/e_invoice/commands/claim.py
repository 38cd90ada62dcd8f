"""A person's one-time key: made for one purchase, used to hand its invoice to an employer (D8).

Touches the key file only; the key never leaves it.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

from hansa.appkit.command import Door
from hansa.apps.e_invoice.model.content import compute_claim
from hansa.apps.e_invoice.model.messages import ClaimInvoice
from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import InvalidKey
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.ledger.receipts import OK

KIND: Final = "hansa.pseudonym/1"
FILE_BYTES_MAX: Final = 4_096


def make_pseudonym(door: Door, file: str) -> int:
    """Write a new one-time key and say the buyer `p:…` that it stands for. 2: cannot write."""
    key = PrivateKey.generate("EdDSA")
    buyer = f"p:{key.public.public}"
    document = {"kind": KIND, "buyer": buyer, "d": encode_base64url(key.to_bytes())}
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        return _give_up(door, f"cannot write {file}: {error.strerror}")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
        stream.flush()
        os.fsync(stream.fileno())
    door.output.document({"buyer": buyer, "file": file})
    door.output.line(buyer)
    door.output.hint(f"{file} is the only key to this invoice: keep it, and use it for one only")
    return 0


def claim_invoice(door: Door, invoice: str, employer: str, key: str) -> int:
    """Sign the claim with the one-time key and send it. 0 accepted, 1 refused, 2 no such key."""
    try:
        private = _read_key(Path(key))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _give_up(door, f"{key} is not a one-time key file")
    did = door.did(employer)
    signature = private.sign(compute_claim(door.chain, invoice, did))
    message = ClaimInvoice(invoice=invoice, employer=did, proof=encode_base64url(signature))
    _identity, data = door.prepare([message])
    outcome = door.wait(door.send(data))[0]
    described: dict[str, Any] = {
        "invoice": invoice,
        "employer": did,
        "transaction": outcome.transaction,
        "code": outcome.code,
        "rule": outcome.rule,
        "text": outcome.text,
        "remedy": outcome.remedy,
    }
    door.output.document(described)
    if outcome.code == OK:
        door.output.line(f"✓ {invoice} was handed to {employer} ({outcome.transaction})")
        return 0
    door.output.line(f"✗ {outcome.code} (rule {outcome.rule}): {outcome.text}")
    door.output.line(f"    next: {outcome.remedy}")
    return 1


def _read_key(path: Path) -> PrivateKey:
    """Raises OSError, ValueError, KeyError, TypeError for what is no key file."""
    with path.open("rb") as stream:
        document = json.loads(stream.read(FILE_BYTES_MAX))
    try:
        key = PrivateKey.from_seed("EdDSA", decode_base64url(document["d"]))
    except (TextError, InvalidKey) as error:
        raise ValueError("not a key") from error
    if document["kind"] != KIND or document["buyer"] != f"p:{key.public.public}":
        raise ValueError("not a key of this kind")
    return key


def _give_up(door: Door, text: str) -> int:
    door.output.document({"error": {"code": "e_invoice.file", "text": text}})
    door.output.hint(f"✗ {text}")
    return 2
