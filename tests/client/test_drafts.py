"""Transactions between signers: each adds a signature to the same bytes, in any order."""

import itertools

import pytest

from hansa.client.drafts import DraftError, add_signature, read_draft
from hansa.client.keys import Signer, generate_signer
from hansa.client.transactions import build_payload, compute_transaction_id, sign_payload
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.transactions import decode_transaction
from tests.client.test_transactions import build


@pytest.fixture
def signers() -> list[Signer]:
    return [generate_signer(name, alg=alg) for name, alg in
            (("a", "EdDSA"), ("b", "ES256"), ("c", "EdDSA"))]  # fmt: skip


def test_any_order_of_signing_gives_a_valid_transaction(signers: list[Signer]) -> None:
    payload = build(*signers, count=3)
    for order in itertools.permutations(signers):
        data = payload
        for signer in order:
            draft = add_signature(read_draft(data), signer)
            data = draft.encode()
        assert draft.is_complete
        assert decode_transaction(data).hex_id == compute_transaction_id(payload) == draft.id


def test_one_signer_gives_the_compact_form(signers: list[Signer]) -> None:
    payload = build(signers[0])
    data = add_signature(read_draft(payload), signers[0]).encode()
    assert data == sign_payload(payload, [(signers[0].kid, signers[0].private)])
    assert read_draft(data).is_complete


def test_invalid_signer_who_is_not_named(signers: list[Signer]) -> None:
    with pytest.raises(DraftError) as refusal:
        add_signature(read_draft(build(signers[0])), signers[1])
    assert signers[0].kid in refusal.value.remedy


def test_missing_names_who_has_not_signed(signers: list[Signer]) -> None:
    draft = add_signature(read_draft(build(*signers)), signers[1])
    assert draft.missing == [signers[0].kid, signers[2].kid]
    assert read_draft(draft.encode()).missing == draft.missing


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"a.b.c",
        b"a.b",
        b"{}",
        b'{"payload":1,"signatures":[]}',
        b'{"payload":"e30","signatures":[]}',
        b'{"payload":"e30"}',
        b"\xff\xfe",
        b"[1]",
        b'{"chain":"x"}',
    ],
)
def test_invalid_files(data: bytes) -> None:
    with pytest.raises(DraftError):
        read_draft(data)


def test_invalid_signatures_of_other_forms(signers: list[Signer]) -> None:
    text = encode_base64url(build(*signers))
    for parts in (1, [1], [{}], [{"protected": "x"}], [{"protected": "e30", "signature": "AA"}]):
        with pytest.raises(DraftError):
            read_draft(encode_canonical({"payload": text, "signatures": parts}))


def test_empty_transaction_is_still_read_for_showing(signers: list[Signer]) -> None:
    payload = build_payload(chain="c", expiry=1, drafts=[], signers=[signers[0].kid])
    assert read_draft(payload).missing == [signers[0].kid]
