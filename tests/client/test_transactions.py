"""What the client builds is what the ledger's decoder takes, byte for byte."""

from typing import ClassVar

import pytest

from hansa.client.keys import Signer, generate_signer
from hansa.client.transactions import (
    Draft,
    build_payload,
    choose_expiry,
    compute_transaction_id,
    sign_payload,
)
from hansa.crypto.signatures import verify_signature
from hansa.ledger.model import Message
from hansa.ledger.transactions import Malformed, decode_transaction
from hansa.primitives.limits import EXPIRY_WINDOW


class PaintDoor(Message, frozen=True):
    """A message of no application: only its form matters here."""

    ROLE: ClassVar[str] = "painter"

    door: str
    coats: int = 1


def build(*signers: Signer, count: int = 1) -> bytes:
    drafts = [Draft("houses", PaintDoor(door=f"青 {n}"), n % len(signers)) for n in range(count)]
    kids = [signer.kid for signer in signers]
    return build_payload(chain="bay-1", expiry=40, drafts=drafts, signers=kids)


def sign(payload: bytes, *signers: Signer) -> bytes:
    return sign_payload(payload, [(signer.kid, signer.private) for signer in signers])


@pytest.mark.parametrize("algs", [["EdDSA"], ["ES256"], ["EdDSA", "ES256"], ["EdDSA"] * 8])
def test_signed_transaction_decodes_and_every_signature_holds(algs: list[str]) -> None:
    signers = [generate_signer("s", alg=alg) for alg in algs]
    payload = build(*signers, count=9)

    decoded = decode_transaction(sign(payload, *signers))

    assert decoded.hex_id == compute_transaction_id(payload)
    assert decoded.payload.signers == tuple(signer.kid for signer in signers)
    for signer, part in zip(signers, decoded.signatures, strict=True):
        verify_signature(signer.private.public, part.signing_input, part.signature)
    assert [message.type for message in decoded.messages] == ["PaintDoor"] * 9


def test_invalid_order_of_signers() -> None:
    first, second = generate_signer("a"), generate_signer("b")
    with pytest.raises(Malformed):
        decode_transaction(sign(build(first, second), second, first))


def test_every_payload_has_its_own_id() -> None:
    signer = generate_signer("a")
    ids = {compute_transaction_id(build(signer)) for _ in range(50)}
    assert len(ids) == 50


def test_same_unique_bytes_give_the_same_payload() -> None:
    draft = Draft("houses", PaintDoor(door="d"))
    first, again = (
        build_payload(chain="c", expiry=9, drafts=[draft], signers=["k"], unique=b"u" * 16)
        for _ in range(2)
    )
    assert first == again


@pytest.mark.parametrize(("blocks", "expected"), [(10, 110), (0, 101), (10**9, 99 + EXPIRY_WINDOW)])
def test_expiry_stays_inside_the_replay_window(blocks: int, expected: int) -> None:
    assert choose_expiry(100, blocks) == expected
