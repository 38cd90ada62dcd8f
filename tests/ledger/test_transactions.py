"""Signed transactions: one canonical form, returned byte for byte; all else is Malformed."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hansa.crypto.signatures import InvalidSignature, PublicKey, verify_signature
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.admission import WrongSignature
from hansa.ledger.model import compute_state_key
from hansa.ledger.receipts import INVALID, OK
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Account
from hansa.ledger.transactions import (
    InvalidTransaction,
    Malformed,
    SignedTransaction,
    decode_transaction,
    encode_jws,
)
from hansa.primitives.limits import PARAM_TEXT_MAX
from hansa.testing.chain import Actor, Chain
from tests.ledger.toy import Count, build_toy_chain
from tests.vectors.encoding.generate import make_transactions as vectors
from tests.vectors.encoding.generate import transaction_forms as forms

FOLDER = Path(__file__).parents[1] / "vectors" / "encoding"
DOCUMENT = json.loads((FOLDER / "transactions.json").read_text("utf-8"))
CASES: dict[str, dict[str, Any]] = {case["name"]: case for case in DOCUMENT["cases"]}
DATA = {name: data for name, data, _verdict in vectors.list_cases()}
KEYS = {kid: PublicKey(**key) for kid, key in DOCUMENT["keys"].items()}

ADA, BEA = Actor("ada"), Actor("bea", alg="ES256")
EVE = Actor("eve")


def name_all(*verdicts: str) -> list[str]:
    return [name for name, case in CASES.items() if case["verdict"] in verdicts]


def encode_again(transaction: SignedTransaction) -> bytes:
    """The bytes carried, from what was decoded alone."""
    first = transaction.signatures[0]
    text = first.signing_input.split(b".")[1].decode()
    payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    parts = [
        (each.signing_input.split(b".")[0].decode(), each.signature)
        for each in transaction.signatures
    ]
    return encode_jws(payload, tuple(parts))


def test_frozen_vectors_are_what_their_program_makes() -> None:
    assert vectors.make_document() == DOCUMENT
    assert set(CASES) == set(DATA)


@pytest.mark.parametrize("name", name_all("holds", "signature", "chain"))
def test_canonical_transaction_returns_its_bytes_and_id(name: str) -> None:
    transaction = decode_transaction(DATA[name])
    assert transaction.hex_id == CASES[name]["id"]
    assert transaction.size == len(DATA[name])
    assert encode_again(transaction) == DATA[name]


@pytest.mark.parametrize("name", name_all("malformed"))
def test_malformed_transaction_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(Malformed) as refusal:
        decode_transaction(DATA[name])
    assert refusal.value.code == "ledger.malformed"
    assert 0 < len(str(refusal.value.params["what"])) <= PARAM_TEXT_MAX


@pytest.mark.parametrize("name", name_all("holds", "signature", "chain"))
def test_signatures_hold_only_as_the_vectors_say(name: str) -> None:
    transaction = decode_transaction(DATA[name])
    held = []
    for kid, signature in zip(transaction.payload.signers, transaction.signatures, strict=True):
        key = KEYS[kid]
        try:
            verify_signature(key, signature.signing_input, signature.signature)
        except InvalidSignature:
            held.append(False)
        else:
            held.append(signature.header.alg == key.alg)
    assert all(held) == (CASES[name]["verdict"] != "signature")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("duplicate key in the payload", "repeated keys"),
        ("whole float in a body", "not an integer"),
        ("integer 2**53 in a body", "2**53"),
        ("far too deep", "deeper than 16"),
        ("padded payload", "base64url"),
        ("loose bits in the payload", "loose"),
        ("501 messages", ""),
        ("signatures in other order", "in their order"),
        ("longer than 1,000,000 bytes", "1000000"),
        ("JSON form for one signer", "compact"),
    ],
)
def test_reason_names_the_fault(name: str, what: str) -> None:
    name = name if name in DATA else f"payload with {name}"
    with pytest.raises(Malformed) as refusal:
        decode_transaction(DATA[name])
    assert what in str(refusal.value.params["what"])


SMALL = [DATA[name] for name in CASES if len(DATA[name]) < 3_000]
GOOD = [DATA[name] for name in name_all("holds") if len(DATA[name]) < 3_000]


def judge(data: bytes) -> SignedTransaction | None:
    """Decoded, or None when refused; nothing else may happen."""
    try:
        return decode_transaction(data)
    except InvalidTransaction:
        return None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8")))
@example(b"..")
@example(b"{}")
@example(b"{" * 5_000)
@example(b"e30.e30.e30")
@example(b"W10.W10.W10")
def test_any_bytes_are_an_invalid_transaction(data: bytes) -> None:
    assert judge(data) is None


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_edited_transactions_return_their_bytes_or_are_refused(data: st.DataObject) -> None:
    """Bytes flipped, cut, repeated and joined from two transactions."""
    base = data.draw(st.sampled_from(SMALL))
    start = data.draw(st.integers(0, len(base)))
    end = data.draw(st.integers(start, min(len(base), start + 40)))
    other = data.draw(st.sampled_from(SMALL))
    piece = data.draw(
        st.binary(max_size=3)
        | st.sampled_from([b".", b"=", b"A", base[start:end] * 2, other[start:], other[:end]])
    )
    edited = base[:start] + piece + base[end:]
    transaction = judge(edited)
    if transaction is not None:
        assert encode_again(transaction) == edited


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**54) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(forms.make_payload())), JSON, max_size=3), st.data())
def test_payloads_of_any_shape_return_their_bytes_or_are_refused(
    changes: dict[str, Any], data: st.DataObject
) -> None:
    message = forms.make_message(
        **data.draw(st.dictionaries(st.sampled_from(["app", "body", "sender", "type"]), JSON))
    )
    payload = forms.make_payload(**{"messages": [message], **changes})
    try:
        carried = forms.carry(payload)
    except UnicodeEncodeError:
        return
    transaction = judge(carried)
    if transaction is not None:
        assert encode_again(transaction) == carried


@pytest.mark.parametrize("data", GOOD, ids=lambda data: f"{len(data)} bytes")
def test_no_flipped_bit_gives_the_same_signed_act(data: bytes) -> None:
    """Each flip is malformed, has another id, or has a signature or header that no longer holds."""
    original = decode_transaction(data)
    for place in range(8 * len(data)):
        edited = bytearray(data)
        edited[place // 8] ^= 1 << place % 8
        transaction = judge(bytes(edited))
        if transaction is None or transaction.id != original.id:
            continue
        changed = zip(transaction.signatures, original.signatures, strict=True)
        assert any(after != before for after, before in changed)


@pytest.fixture
def chain() -> Chain:
    return build_toy_chain(ADA, BEA)


def sign_toy(chain: Chain, *actors: Actor, **how: Any) -> bytes:
    return chain.sign(list(actors), [("counter", Count(id="a", by=1, limit=9))], **how)


def test_invalid_high_s_has_no_second_life(chain: Chain) -> None:
    """Whoever carries an ES256 transaction cannot make another valid one of it."""
    data = sign_toy(chain, BEA)
    head, text, signature = data.decode().split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    high = forms.P256_ORDER - int.from_bytes(raw[32:], "big")
    twin = f"{head}.{text}.{forms.b64(raw[:32] + high.to_bytes(32, 'big'))}".encode()
    with pytest.raises(WrongSignature):
        chain.check(twin)
    assert [each.code for each in chain.block([twin, data]).results] == [INVALID, 0]


@pytest.mark.parametrize("alg", ["ES256", "none", "HS256", "eddsa", ""])
def test_invalid_alg_that_is_not_the_keys(chain: Chain, alg: str) -> None:
    payload = json.loads(base64.urlsafe_b64decode(sign_toy(chain, ADA).split(b".")[1] + b"=="))
    header = forms.canon({"alg": alg, "kid": ADA.kid})
    data = forms.carry(payload, ("EdDSA", ADA.kid, ADA.key), header=header)
    with pytest.raises(WrongSignature):
        chain.check(data)


def test_invalid_signature_by_another_registered_key(chain: Chain) -> None:
    for keys in ([BEA.key], [EVE.key]):
        with pytest.raises(Rejection) as refusal:
            chain.check(sign_toy(chain, ADA, keys=keys))
        assert refusal.value.code == "ledger.wrong_signature"


def test_invalid_second_signature(chain: Chain) -> None:
    data = sign_toy(chain, ADA, BEA, keys=[ADA.key, EVE.key], kids=[ADA.kid, BEA.kid])
    with pytest.raises(WrongSignature) as refusal:
        chain.check(data)
    assert refusal.value.params == {"kid": BEA.kid}


def test_invalid_order_of_signatures(chain: Chain) -> None:
    good = json.loads(sign_toy(chain, ADA, BEA))
    swapped = forms.canon({**good, "signatures": good["signatures"][::-1]})
    with pytest.raises(Malformed):
        chain.check(swapped)
    chain.check(forms.canon(good))


def test_failed_signature_is_not_remembered_as_held(chain: Chain) -> None:
    wrong = sign_toy(chain, ADA, keys=[EVE.key])
    for _ in range(2):
        with pytest.raises(WrongSignature):
            chain.check(wrong)
    good = sign_toy(chain, ADA)
    chain.check(good)
    head, text, _signature = good.split(b".")
    with pytest.raises(WrongSignature):
        chain.check(b".".join([head, text, wrong.split(b".")[2]]))


def test_remembered_signature_is_bound_to_the_algorithm_of_the_key(chain: Chain) -> None:
    """Else a node that remembers and one that restarted would judge a re-registered key apart."""
    data = sign_toy(chain, BEA)
    chain.check(data)
    key = compute_state_key("accounts", "account", (BEA.did,))
    account = chain.get("", Account, BEA.did)
    assert account is not None
    public = PublicKey(alg="SM2", public=BEA.key.public.public)
    renamed = msgspec.structs.replace(account.keys[0], public=public)
    chain.state.values[key] = encode_canonical(msgspec.structs.replace(account, keys=(renamed,)))
    with pytest.raises(WrongSignature):
        chain.check(data)


def test_every_malformed_vector_gets_one_invalid_receipt_and_changes_nothing(chain: Chain) -> None:
    names = [name for name in name_all("malformed") if len(DATA[name]) < 100_000]
    before = dict(chain.state.values)
    results = chain.block([DATA[name] for name in names]).results
    assert {each.code for each in results} == {INVALID}
    assert {each.messages[0].code for each in results} == {"ledger.malformed"}
    changed = {key for key, value in chain.state.values.items() if before.get(key) != value}
    assert {key.split(b"/")[:2][1] for key in changed} <= {b"block", b"seen"}
    assert chain.send(ADA, "counter", Count(id="a", by=1, limit=9)).code == OK
