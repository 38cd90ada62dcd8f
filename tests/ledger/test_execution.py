"""Rules of block execution: total, rolled back, bounded, replay-proof (DESIGN section 4, D3, D4,
D21).
"""

import msgspec
import pytest

from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import decode_base64url
from hansa.ledger.blocks import Block
from hansa.ledger.execution import execute_block
from hansa.ledger.receipts import OK
from hansa.ledger.rejections import InvariantViolation, Rejection
from hansa.ledger.state import MemoryState
from hansa.ledger.system import BlockRecord, Freeze, Seen, Usage
from hansa.ledger.transactions import compute_signing_input, encode_jws
from hansa.testing.chain import Actor, Chain
from tests.ledger.toy import (
    Count,
    Counter,
    Fault,
    Guarded,
    Later,
    Overflow,
    Tick,
    build_toy_chain,
    build_toy_records,
    build_toy_registry,
)

ADA = Actor("ada")
BEA = Actor("bea", alg="ES256")


@pytest.fixture
def chain() -> Chain:
    return build_toy_chain(ADA, BEA, setters=(BEA,))


def value(chain: Chain, name: str) -> int | None:
    found = chain.get("counter", Counter, name)
    return found.value if found else None


def test_a_message_changes_state_and_emits(chain: Chain) -> None:
    result = chain.send(ADA, "counter", Count(id="a", by=2, limit=9))
    assert result.code == OK
    assert [event.type for event in result.events] == ["Counted"]
    assert value(chain, "a") == 2


def test_an_account_with_an_sm2_key_acts() -> None:
    """Admission judges SM2 (ADR 15): its own signature is accepted, any other one refused."""
    cai = Actor("cai", alg="SM2")
    chain = build_toy_chain(cai)
    assert chain.send(cai, "counter", Count(id="a", by=2, limit=9)).code == OK
    stranger = Actor("cai", alg="SM2")
    stranger.key = Actor("dora", alg="SM2").key
    refused = chain.send(stranger, "counter", Count(id="a", by=2, limit=9))
    assert refused.code == "ledger.wrong_signature"
    stranger.key = Actor("cai", alg="ES256").key
    refused = chain.send(stranger, "counter", Count(id="a", by=2, limit=9))
    assert refused.code == "ledger.wrong_signature"
    assert value(chain, "a") == 2


def test_a_rejected_message_leaves_no_trace_but_its_receipt(chain: Chain) -> None:
    before = dict(chain.state.values)
    result = chain.send(ADA, "counter", Count(id="a", by=20, limit=9))
    assert result.code == "counter.too_high"
    assert result.params == {"id": "a", "limit": 9}
    assert result.events == ()
    changed = {key for key in chain.state.values if chain.state.values[key] != before.get(key)}
    assert {key.split(b"/")[0] for key in changed} == {b"ledger", b"quotas"}


def test_atomic_messages_fall_together(chain: Chain) -> None:
    result = chain.submit(
        ADA,
        "counter",
        Count(id="a", by=1, limit=9),
        Count(id="b", by=99, limit=9),
        Count(id="c", by=1, limit=9),
        mode="atomic",
    )
    assert [message.code for message in result.messages] == [
        "ledger.other_message_rejected",
        "counter.too_high",
        "ledger.other_message_rejected",
    ]
    assert result.code == 1
    assert value(chain, "a") is None


def test_independent_messages_stand_alone(chain: Chain) -> None:
    result = chain.submit(
        ADA, "counter", Count(id="a", by=1, limit=9), Count(id="b", by=99, limit=9)
    )
    assert [message.code for message in result.messages] == [OK, "counter.too_high"]
    assert result.code == 2
    assert value(chain, "a") == 1


def test_an_unexpected_exception_is_contract_fault_and_freezes_the_type(chain: Chain) -> None:
    assert chain.send(ADA, "counter", Fault(id="x")).code == "ledger.contract_fault"
    assert value(chain, "x") is None
    assert chain.get("", Freeze, "message:counter.Fault") is not None
    assert chain.send(ADA, "counter", Fault(id="x")).code == "ledger.frozen"
    assert chain.send(ADA, "counter", Count(id="a", by=1, limit=9)).code == OK


def test_a_fault_inside_an_atomic_transaction_freezes_and_rolls_back(chain: Chain) -> None:
    result = chain.submit(
        ADA, "counter", Count(id="a", by=1, limit=9), Fault(id="x"), mode="atomic"
    )
    assert result.code == 1
    assert value(chain, "a") is None
    assert chain.get("", Freeze, "message:counter.Fault") is not None


def test_a_fault_freezes_the_type_for_the_rest_of_the_transaction(chain: Chain) -> None:
    result = chain.submit(ADA, "counter", Fault(id="x"), Fault(id="y"))
    assert [m.code for m in result.messages] == ["ledger.contract_fault", "ledger.frozen"]


def test_invalid_bytes_give_one_invalid_result_each(chain: Chain) -> None:
    good = chain.sign(ADA, [("counter", Count(id="a", by=1, limit=9))])
    result = chain.block([b"", b"{}", good, b"\xff" * 100])
    assert [each.code for each in result.results] == [3, 3, 0, 3]


def test_invalid_same_transaction_twice_in_a_block_and_later(chain: Chain) -> None:
    data = chain.sign(ADA, [("counter", Count(id="a", by=1, limit=9))])
    result = chain.block([data, data])
    assert [each.messages[0].code for each in result.results] == [OK, "ledger.already_seen"]
    assert chain.block([data]).results[0].messages[0].code == "ledger.already_seen"
    assert value(chain, "a") == 1


def test_invalid_wrong_chain_id(chain: Chain) -> None:
    other = Chain(build_toy_registry(), build_toy_records(ADA), chain="other-1")
    data = other.sign(ADA, [("counter", Count(id="a", by=1, limit=9))])
    assert chain.block([data]).results[0].messages[0].code == "ledger.wrong_chain"


@pytest.mark.parametrize(
    ("expiry", "code"), [(1, "ledger.expired"), (10_003, "ledger.expiry_too_far"), (10_002, OK)]
)
def test_expiry_is_within_the_window(chain: Chain, expiry: int, code: str) -> None:
    chain.block()
    data = chain.sign(ADA, [("counter", Count(id="a", by=1, limit=9))], expiry=expiry)
    assert chain.block([data]).results[0].messages[0].code == code


def test_invalid_unknown_signer_and_wrong_key(chain: Chain) -> None:
    message = ("counter", Count(id="a", by=1, limit=9))
    cases = {
        "ledger.unknown_signer": [
            chain.sign(Actor("nobody"), [message]),
            chain.sign(ADA, [message], kids=[ADA.did + "#k2"]),
        ],
        "ledger.wrong_signature": [
            chain.sign(ADA, [message], keys=[Actor("eve").key]),
            chain.sign(ADA, [message], keys=[BEA.key]),
        ],
    }
    for code, transactions in cases.items():
        for data in transactions:
            assert chain.block([data]).results[0].messages[0].code == code


def test_the_door_and_execution_give_the_same_answer(chain: Chain) -> None:
    data = chain.sign(Actor("nobody"), [("counter", Count(id="a", by=1, limit=9))])
    with pytest.raises(Rejection) as refused:
        chain.check(data)
    assert refused.value.code == chain.block([data]).results[0].messages[0].code


def test_two_signers_act_in_one_transaction(chain: Chain) -> None:
    data = chain.sign(
        [ADA, BEA],
        [
            ("counter", Count(id="a", by=1, limit=9), 0),
            ("counter", Guarded(id="g"), 1),
        ],
        mode="atomic",
    )
    result = chain.block([data]).results[0]
    assert [message.sender for message in result.messages] == [ADA.kid, BEA.kid]
    assert result.code == 0


def test_missing_role_says_who_could_grant_it(chain: Chain) -> None:
    result = chain.send(ADA, "counter", Guarded(id="g"))
    assert result.code == "ledger.missing_role"
    assert result.params["grantors"] == "governance"
    assert chain.send(BEA, "counter", Guarded(id="g")).code == OK


def test_invalid_internal_message_from_outside(chain: Chain) -> None:
    assert chain.send(ADA, "counter", Tick(id="t")).code == "ledger.internal_message"


def test_overflow_rejects(chain: Chain) -> None:
    assert chain.send(ADA, "counter", Overflow(id="o")).code == "ledger.overflow"


def test_unsafe_identifier_rejects_and_does_not_stop_the_node(chain: Chain) -> None:
    for bad in ("", "a/b", "é", "x" * 129, "a b"):
        result = chain.send(ADA, "counter", Count(id=bad, by=1, limit=9))
        assert result.code == "ledger.unsafe_identifier"


def test_deadline_fires_once_when_its_time_has_come(chain: Chain) -> None:
    chain.send(ADA, "counter", Later(id="d", in_ms=10_000))
    assert chain.advance(9_999).deadlines == ()
    fired = chain.advance(1)
    assert [result.code for result in fired.deadlines] == [OK]
    assert chain.advance(1).deadlines == ()
    assert value(chain, "d") == 1


def test_deadlines_are_bounded_per_block_and_ordered(chain: Chain) -> None:
    messages = [Later(id=f"d{number:03d}", in_ms=5_000) for number in range(250)]
    chain.submit(ADA, "counter", *messages)
    assert len(chain.advance(6_000).deadlines) == 200
    assert value(chain, "d199") == 1
    assert value(chain, "d200") is None
    assert len(chain.advance(1).deadlines) == 50


def test_an_empty_block_changes_nothing(chain: Chain) -> None:
    chain.send(ADA, "counter", Count(id="a", by=1, limit=9))
    root = chain.state.tree.root
    result = chain.block()
    assert result.changes == ()
    assert result.state_root == root == chain.state.tree.root


def test_a_block_leaves_its_record_ids_and_usage(chain: Chain) -> None:
    chain.send(ADA, "counter", Count(id="a", by=1, limit=9))
    assert chain.get("", BlockRecord, f"{1:012d}") is not None
    assert chain.get("", Seen, f"{1:012d}") is not None
    usage = chain.get("", Usage, ADA.did)
    assert usage is not None
    assert usage.units == 1


def test_quota_of_the_member_is_held(chain: Chain) -> None:
    tight = build_toy_records(ADA)
    from hansa.ledger.system import Allowance

    tight["quotas"] = {"records": [Allowance(member=ADA.did, units=2)]}
    small = Chain(build_toy_registry(), tight)
    codes = [small.send(ADA, "counter", Count(id="a", by=1, limit=9)).code for _ in range(3)]
    assert codes == [OK, OK, "ledger.quota_spent"]
    small.advance(60_000)
    assert small.send(ADA, "counter", Count(id="a", by=1, limit=9)).code == OK


def test_blocks_out_of_order_stop_the_kernel(chain: Chain) -> None:
    block = Block(chain="test-1", height=5, time_ms=chain.time_ms + 1, hash=b"")
    with pytest.raises(InvariantViolation):
        execute_block(chain.state, block, chain.registry)


def test_replay_in_a_fresh_state_gives_the_same_bytes(chain: Chain) -> None:
    for number in range(5):
        chain.send(ADA, "counter", Count(id=f"c{number % 2}", by=1, limit=3))
    chain.send(ADA, "counter", Fault(id="x"))
    again = MemoryState()
    from hansa.ledger.genesis import compute_genesis_changes

    again.apply_genesis(
        compute_genesis_changes(chain.genesis, chain.registry), chain.genesis.time_ms
    )
    for block, expected in zip(chain.blocks, chain.results, strict=True):
        result = execute_block(again, block, chain.registry)
        assert result.results == expected.results
        assert result.state_root == expected.state_root
        again.apply(block, result)
    assert again.values == chain.state.values


def replace_body(data: bytes, body: dict[str, object]) -> bytes:
    """The transaction with another body in its message, signed again by ADA."""
    _header, text, _signature = data.split(b".")
    payload = msgspec.json.decode(decode_base64url(text))
    payload["messages"][0]["body"] = body
    encoded = encode_canonical(payload)
    protected, signing_input = compute_signing_input(ADA.kid, "EdDSA", encoded)
    return encode_jws(encoded, ((protected, ADA.key.sign(signing_input)),))


def test_what_a_receipt_says_of_malformed_bytes_is_in_no_library_s_words(chain: Chain) -> None:
    for body in ({"id": 1, "by": 1, "limit": 1, "v": 1}, {"v": 1}, {"v": "1"}, {"x": 0, "v": 1}):
        data = chain.sign(ADA, [("counter", Count(id="a", by=1, limit=1))])
        wrong = replace_body(data, body)
        result = chain.block([wrong]).results[0].messages[0]
        assert result.code == "ledger.malformed"
        assert result.params["what"] == (
            "Count: a field is missing, unknown, of another type or out of bounds"
        )
