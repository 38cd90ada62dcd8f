"""What the offline verifier says yes to, and everything it must not (D22, DESIGN section 7)."""

import msgspec
import pytest

from hansa.catalog import load_applications
from hansa.client.receipts import NOTHING, ProofFile, ReceiptFile, encode_file
from hansa.client.trust import build_trust_root
from hansa.client.verify import Verdict
from hansa.comet.commit import ABSENT, COMMIT, NIL, CommitSig
from hansa.crypto.merkle import MerkleStep
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.model import Record, compute_state_key
from hansa.ledger.system import Account, Member, StandingSince
from hansa.ledger.tree import MemoryBuckets, StateTree
from tests.client.sealing import ADA, BEA, League, raw, replace, verify_receipt
from tests.ledger.toy import Count, Counter, Later

STEPS = [
    "file",
    "trust root",
    "validators",
    "header",
    "trust path",
    "inclusion",
    "result",
    "standing",
]


def find_toy(app: str, kind: str) -> type[Record]:
    assert (app, kind) == ("counter", "counter")
    return Counter


def league(*names: str, chain: str = "test-1") -> League:
    """Two blocks; in the second five transactions, the third of which counts seven times."""
    made = League(*(names or ("v1",)), chain=chain)
    one = [("counter", Count(id="a", by=1, limit=9))]
    made.chain.block([made.chain.sign(ADA, one)])
    seven = [("counter", Count(id=f"c{i}", by=i, limit=5)) for i in range(1, 8)]
    several = [made.chain.sign(ADA, one) for _ in range(4)]
    several.insert(2, made.chain.sign(BEA, seven))
    made.chain.block(several)
    return made


@pytest.fixture(scope="module")
def one() -> League:
    return league()


@pytest.fixture(scope="module")
def four() -> League:
    return league("v1", "v2", "v3", "v4")


def judge(made: League, file: ReceiptFile | ProofFile) -> Verdict:
    return verify_receipt(encode_file(file), made.trust())


def text_of(verdict: Verdict, name: str) -> str:
    """What the step of that name says."""
    return next(step.text for step in verdict.steps if step.name == name)


def refused_at(made: League, file: ReceiptFile | ProofFile) -> str:
    """Name of the step that said no."""
    verdict = judge(made, file)
    assert verdict.outcome == "no"
    return next(step.name for step in verdict.steps if step.ok is False)


# --- yes ---


def test_receipt_of_an_accepted_message_holds(one: League) -> None:
    verdict = judge(one, one.receipt(1))
    assert verdict.outcome == "yes"
    assert [step.name for step in verdict.steps] == STEPS
    assert all(step.ok for step in verdict.steps)
    assert (verdict.accepted, verdict.code, verdict.height) == (True, "ok", 2)
    assert verdict.content["body"] == {"by": 1, "id": "a", "limit": 9, "v": 1}


@pytest.mark.parametrize("index", range(7))
def test_receipt_of_each_message_of_a_bulk_holds(one: League, index: int) -> None:
    verdict = judge(one, one.receipt(2, index, actor=BEA))
    assert verdict.outcome == "yes"
    assert verdict.accepted is (index < 5)


def test_receipt_of_a_refusal_says_so(one: League) -> None:
    verdict = judge(one, one.receipt(2, 6, actor=BEA))
    assert (verdict.outcome, verdict.accepted) == ("yes", False)
    assert verdict.code == "counter.too_high"
    assert text_of(verdict, "result").startswith("REJECTED with counter.too_high (id=c7, limit=5)")


def test_receipt_with_more_signatures_than_needed_holds(four: League) -> None:
    for flags in ((COMMIT,) * 4, (COMMIT, NIL, COMMIT, COMMIT), (COMMIT, COMMIT, ABSENT, COMMIT)):
        verdict = judge(four, four.receipt(flags=flags))
        assert verdict.outcome == "yes"
        assert f"signed by {flags.count(COMMIT)} of 4" in text_of(verdict, "header")


def test_receipt_need_not_show_message_or_events(one: League) -> None:
    verdict = judge(one, one.receipt(with_message=False, with_events=False))
    assert (verdict.outcome, verdict.content) == ("yes", None)
    assert text_of(verdict, "result").endswith("the message is not shown")
    assert text_of(judge(one, one.receipt()), "result").endswith("the message is shown")


def test_receipt_of_an_invalid_transaction_holds(one: League) -> None:
    made = league()
    made.chain.block([b"no transaction"])
    verdict = judge(made, made.receipt(actor=None, with_message=False))
    assert (verdict.outcome, verdict.accepted) == ("yes", False)
    assert verdict.code == "ledger.malformed"
    assert "an invalid transaction" in text_of(verdict, "result")
    assert text_of(verdict, "standing") == "no signer was valid"


def test_receipt_of_a_deadline_holds() -> None:
    made = league()
    later = [("counter", Later(id=f"l{i}", in_ms=500)) for i in range(3)]
    made.chain.block([made.chain.sign(ADA, later)])
    made.chain.block()
    verdict = judge(made, made.deadline_receipt(2, message=b'{"id":"l2","v":1}'))
    assert (verdict.outcome, verdict.accepted) == ("yes", True)
    assert "deadlines" in text_of(verdict, "inclusion")


def test_old_receipt_proves_to_a_later_header(one: League) -> None:
    """D22: through the block's own record in the later state."""
    made = league()
    for _ in range(3):
        made.chain.block()
    assert made.seal().header.height == 6
    assert judge(made, made.receipt(2, 3, height=2, actor=BEA)).outcome == "yes"
    assert judge(made, made.receipt(height=1)).outcome == "yes"


def test_proof_of_presence_and_of_absence_holds(one: League) -> None:
    present = judge(one, one.proof(compute_state_key("counter", "counter", ("a",))))
    assert (present.outcome, present.content["value"], present.accepted) == ("yes", 5, None)
    assert (present.key, present.there) == ("counter/counter/a", True)
    file = one.proof(compute_state_key("counter", "counter", ("none",)))
    absent = verify_receipt(encode_file(file), one.trust(), find_toy)
    assert (absent.outcome, absent.content) == ("yes", None)
    assert (absent.key, absent.there) == ("counter/counter/none", False)
    assert [step.name for step in absent.steps] == [*STEPS[:5], "state", "identifier"]
    assert "has no counter/counter/none" in absent.steps[-2].text


def test_absence_of_an_unknown_kind_could_not_be_judged(one: League) -> None:
    """Its identifiers have a form that only a release with the application knows."""
    for key in (b"counter/counter/none", b"members/nothing/x", b"ledger/nothing/x"):
        verdict = judge(one, one.proof(key))
        assert verdict.outcome == "could_not_judge"
        step = verdict.steps[-1]
        assert (step.name, step.ok) == ("identifier", None)
        assert "use a release that knows it" in step.text


SELLER = "0192:923609016"
DID = "did:hansa:" + "a" * 32
ABSENT_HOLDS = [
    f"e_invoice/reimbursement/{SELLER}:TOSL108/1",
    "e_invoice/reimbursement/" + "1" * 20 + "/12",
    f"e_invoice/invoice/{SELLER}:1316~2F85",
    f"e_invoice/credited/{SELLER}:TOSL108",
    f"e_invoice/red_letter/{SELLER}:TOSL108/1",
    f"e_invoice/quota/{SELLER}/EUR",
    f"e_invoice/taxpayer/{SELLER}",
    f"members/member/{DID}",
    "members/identifier/0192/923609016",
    f"permissions/grant/e_invoice/seller/{DID}/-",
    f"permissions/past_grant/e_invoice/seller/{DID}/-/1700000000000",
    f"holds/hold/e_invoice/invoice/{SELLER}:TOSL108/~/h1",
    f"holds/past_hold/e_invoice/quota/{SELLER}/EUR/~/h1",
    "governance/proposal/00000007",
    f"governance/ballot/00000007/{DID}",
    "ledger/block/000000000009",
    "ledger/deadline/001700000000000/e_invoice/x",
]
# What was mistyped, or made to look like the key of something that never happened.
ABSENT_SAYS_NOTHING = [
    f"e_invoice/reimbursement/{SELLER}:TOSL108",
    *(f"e_invoice/reimbursement/{SELLER}:TOSL108/{n}" for n in ("0", "01", "-1", "+1", "1.0")),
    f"e_invoice/reimbursement/{SELLER}:TOSL108/x/y/z",
    f"e_invoice/reimbursement/{SELLER}:TOSL108/9007199254740992",
    "e_invoice/reimbursement/TOSL108/1",
    "e_invoice/reimbursement/" + "1" * 19 + "/1",
    f"e_invoice/reimbursement/{SELLER}:/1",
    f"e_invoice/reimbursement/{SELLER}:TOSL~3108/1",
    f"e_invoice/reimbursement/{SELLER}:TOSL~2f108/1",
    f"e_invoice/reimbursement/{SELLER}:~FF/1",
    f"e_invoice/reimbursement/{SELLER}:TOSL108~20/1",
    f"e_invoice/reimbursement/{SELLER}:{'9' * 61}/1",
    "e_invoice/reimbursement/0192:923609017:TOSL108/1",
    f"e_invoice/invoice/{SELLER}",
    f"e_invoice/invoice/{SELLER}:TOSL108/1",
    f"e_invoice/red_letter/{SELLER}:TOSL108/0",
    f"e_invoice/quota/{SELLER}/eur",
    f"e_invoice/quota/{SELLER}",
    "e_invoice/taxpayer/0192:923-609-016",
    "e_invoice/pseudonym/p:x",
    "members/member/../../etc",
    f"members/member/{DID}x",
    "members/member/seller-a",
    "members/identifier/0192/92360.9016",
    f"permissions/grant/e_invoice/seller/{DID}",
    f"permissions/past_grant/e_invoice/seller/{DID}/-/01700000000000",
    "holds/hold/e_invoice/invoice/~/h1",
    f"holds/hold/e_invoice/invoice/{SELLER}:TOSL108/h1",
    f"holds/past_hold/e_invoice/invoice/{SELLER}:TOSL108",
    *(f"governance/proposal/{n}" for n in ("7", "0000007", "000000007", "-0000007", "0000000x")),
    f"governance/ballot/7/{DID}",
    "governance/rules/other",
    "ledger/block/9",
    "ledger/block/0000000000009",
    "ledger/deadline/1700000000000/e_invoice/x",
]


@pytest.mark.parametrize("key", ABSENT_HOLDS)
def test_absence_under_a_complete_identifier_holds(one: League, key: str) -> None:
    verdict = judge(one, one.proof(key.encode()))
    assert (verdict.outcome, verdict.there, verdict.key) == ("yes", False, key)


@pytest.mark.parametrize("key", ABSENT_SAYS_NOTHING)
def test_invalid_absence_under_an_impossible_identifier(one: League, key: str) -> None:
    """Anyone can build such a file from an honest state: nothing is ever there."""
    verdict = judge(one, one.proof(key.encode()))
    assert verdict.outcome == "no"
    step = verdict.steps[-1]
    assert (step.name, step.ok) == ("identifier", False)
    assert "can have this identifier" in step.text


@pytest.mark.parametrize("key", [b"counter", b"counter/counter", b"a//b", b"a/b/c d", b"/b/c"])
def test_invalid_absence_under_no_key_at_all(one: League, key: bytes) -> None:
    assert refused_at(one, one.proof(key)) == "state"


def test_a_receipt_imports_no_application(one: League) -> None:
    def find(_app: str, _kind: str) -> type[Record]:
        raise AssertionError

    verdict = verify_receipt(encode_file(one.receipt()), one.trust(), find)
    assert verdict.outcome == "yes"


def test_every_kind_of_the_release_knows_its_identifiers() -> None:
    """Whatever KEY names is a field, so that a proof of any kind can be judged."""
    for application in load_applications():
        for kind in application.records:
            assert not kind.is_key(()), kind
            names = {field.name for field in msgspec.structs.fields(kind)}
            assert kind.KEY_FORM or names.issuperset(kind.KEY), kind
            assert set(kind.KEY_DIGITS) <= set(kind.KEY), kind
            assert kind.KEY_FORM or kind.key is Record.key, kind


# --- could not judge ---


def test_without_a_trust_root_it_could_not_judge(one: League) -> None:
    for file in (one.receipt(), one.proof(b"counter/counter/a")):
        verdict = verify_receipt(encode_file(file), None)
        assert verdict.outcome == "could_not_judge"
        step = verdict.steps[1]
        assert (step.name, step.ok) == ("trust root", None)
        assert "hansa trust add" in step.text


def test_without_a_trust_root_a_broken_file_is_still_a_no(one: League) -> None:
    file = replace(one.receipt(), height=3)
    assert verify_receipt(encode_file(file), None).outcome == "no"


# --- no ---


def test_invalid_other_league_with_the_same_chain_id() -> None:
    honest, forger = league("v1"), league("v9")
    verdict = verify_receipt(encode_file(forger.receipt()), honest.trust())
    assert verdict.outcome == "no"
    assert "signed by 0 of the 10 of power" in text_of(verdict, "trust path")
    assert verify_receipt(encode_file(forger.receipt()), forger.trust()).outcome == "yes"


def test_invalid_same_validators_on_another_chain() -> None:
    honest, other = league("v1"), league("v1", chain="test-2")
    assert verify_receipt(encode_file(other.receipt()), honest.trust()).outcome == "no"
    renamed = verify_receipt(encode_file(replace(other.receipt(), chain="test-1")), honest.trust())
    assert renamed.outcome == "no"
    assert "another chain than the file says" in renamed.steps[-1].text


def test_invalid_forger_quotes_the_trusted_validators() -> None:
    honest, forger = league("v1"), league("v9")
    file = replace(forger.receipt(), validators=honest.validators)
    assert refused_at(honest, file) == "validators"


def test_invalid_two_of_four_signatures(four: League) -> None:
    file = four.receipt(flags=(COMMIT, COMMIT, ABSENT, ABSENT))
    assert refused_at(four, file) == "header"
    file = four.receipt(flags=(COMMIT, COMMIT, NIL, NIL))
    assert refused_at(four, file) == "header"


def test_invalid_needless_signature(four: League) -> None:
    file = four.receipt()
    entry = file.commit.signatures[3]
    wrong = CommitSig(entry.flag, entry.address, entry.time, entry.signature[::-1])
    commit = msgspec.structs.replace(file.commit, signatures=(*file.commit.signatures[:3], wrong))
    assert refused_at(four, replace(file, commit=commit)) == "header"


def test_invalid_commit_of_another_header(one: League) -> None:
    file = one.receipt()
    header = msgspec.structs.replace(file.header, app_hash=bytes(32))
    assert refused_at(one, replace(file, header=header)) == "header"


def test_invalid_header_of_another_block_protocol(one: League) -> None:
    version = msgspec.structs.replace(one.seal().header.version, block=10)
    assert refused_at(one, one.receipt(sealed=one.seal(version=version))) == "header"


@pytest.mark.parametrize("number", [2**53, 2**64, 10**300])
def test_invalid_number_beyond_the_ledgers(one: League, number: int) -> None:
    file = one.receipt()
    version = msgspec.structs.replace(file.header.version, app=number)
    header = msgspec.structs.replace(file.header, version=version)
    assert refused_at(one, replace(file, header=header)) == "header"
    header = msgspec.structs.replace(file.header, height=number)
    assert refused_at(one, replace(file, header=header)) == "header"
    parts = msgspec.structs.replace(file.commit.block_id.parts, total=number)
    block_id = msgspec.structs.replace(file.commit.block_id, parts=parts)
    commit = msgspec.structs.replace(file.commit, block_id=block_id)
    assert refused_at(one, replace(file, commit=commit)) == "header"
    assert refused_at(one, replace(file, height=number)) == "file"
    validator = msgspec.structs.replace(file.validators[0], power=number)
    changed = encode_file(replace(file, validators=(validator,)))
    assert verify_receipt(changed, None).outcome == "no"


def test_invalid_other_height(one: League) -> None:
    assert refused_at(one, replace(one.receipt(), height=1)) == "inclusion"


def test_invalid_other_result(one: League) -> None:
    file = one.receipt(2, 6, actor=BEA)
    leaf = msgspec.json.decode(file.result)
    leaf |= {"code": "ok", "params": {}}
    assert refused_at(one, replace(file, result=raw(leaf))) == "inclusion"


@pytest.mark.parametrize("field", ["code", "cost"])
def test_invalid_other_transaction_result(one: League, field: str) -> None:
    file = one.receipt()
    assert file.transaction is not None
    number = getattr(file.transaction, field) + 1
    changed = msgspec.structs.replace(file.transaction, **{field: number})
    assert refused_at(one, replace(file, transaction=changed)) == "inclusion"


def test_invalid_path_of_another_message(one: League) -> None:
    file = one.receipt(2, 1, actor=BEA)
    for other in (0, 2, 6):
        path = one.receipt(2, other, actor=BEA).path
        assert refused_at(one, replace(file, path=path)) == "inclusion"
    assert refused_at(one, replace(file, path=file.path[:-1])) == "inclusion"
    longer = (*file.path, MerkleStep(bytes(32), "left"))
    assert refused_at(one, replace(file, path=longer)) == "inclusion"


def test_invalid_other_message_shown(one: League) -> None:
    file = one.receipt()
    message = msgspec.json.decode(file.message)
    message["body"]["by"] = 2
    assert refused_at(one, replace(file, message=raw(message))) == "result"


def test_invalid_events(one: League) -> None:
    file = one.receipt()
    assert file.events and len(file.events) == 1
    event = msgspec.json.decode(file.events[0])
    event["body"]["value"] += 1
    for events in ((), (raw(event),), (*file.events, *file.events)):
        assert refused_at(one, replace(file, events=events)) == "result"


def test_invalid_standing_left_out(one: League) -> None:
    assert refused_at(one, replace(one.receipt(), standing=None)) == "standing"


def test_invalid_standing_of_another(one: League) -> None:
    file = one.receipt()
    assert refused_at(one, replace(file, standing=one.standing(BEA))) == "standing"
    assert file.standing is not None
    mixed = msgspec.structs.replace(file.standing, member=one.standing(BEA).member)
    assert refused_at(one, replace(file, standing=mixed)) == "standing"


def test_invalid_standing_where_nobody_signed() -> None:
    made = league()
    made.chain.block([b"no transaction"])
    file = made.receipt(actor=ADA, with_message=False)
    assert refused_at(made, file) == "standing"


def test_invalid_proof_of_another_key_record_or_height(one: League) -> None:
    file = one.proof(b"counter/counter/a")
    changes: tuple[dict[str, object], ...] = (
        {"key": "counter/counter/c1"},
        {"key": "counter/counter/ä"},
        {"key": ""},
        {"key": "x" * 401},
        {"record": NOTHING},
        {"record": raw({"id": "a", "v": 1, "value": 6})},
        {"height": 1},
        {"height": 3},
    )
    for change in changes:
        assert refused_at(one, msgspec.structs.replace(file, **change)) == "state"
    absent = one.proof(b"counter/counter/none")
    assert refused_at(one, msgspec.structs.replace(file, proof=absent.proof)) == "state"
    assert refused_at(one, one.proof(b"")) == "state"
    assert refused_at(one, one.proof(b"x" * 401)) == "state"
    shown = msgspec.structs.replace(absent, record=file.record)
    assert refused_at(one, shown) == "state"


def test_invalid_block_record_of_another_height() -> None:
    made = league()
    made.chain.block()
    file = made.receipt(height=2)
    assert judge(made, file).outcome == "yes"
    assert refused_at(made, replace(file, height=1)) == "inclusion"
    assert refused_at(made, replace(file, block=made.block_record(1))) == "inclusion"
    assert refused_at(made, replace(file, block=None)) == "inclusion"


def test_invalid_deadline_passed_off_as_a_transactions() -> None:
    made = league()
    made.chain.block([made.chain.sign(ADA, [("counter", Later(id="l", in_ms=500))])])
    accepted = made.receipt()
    made.chain.block()
    file = made.deadline_receipt()
    assert refused_at(made, replace(file, transaction=accepted.transaction)) == "inclusion"
    assert refused_at(made, replace(file, block=None)) == "inclusion"
    assert refused_at(made, replace(file, standing=made.standing(ADA))) == "standing"


# --- standing as at the receipt's height ---


def standing_league(account: dict[str, object], member: dict[str, object]) -> League:
    """A league whose second block changes ADA's records as governance would."""
    made = league()
    state = made.chain.state
    changes = []
    for kind, change in ((Account, account), (Member, member)):
        key = compute_state_key(kind.OWNER, kind.KIND, (ADA.did,))
        record = msgspec.json.decode(state.values[key], type=kind)
        changes.append((key, encode_canonical(msgspec.structs.replace(record, **change))))
    state.values.update(changes)
    buckets = MemoryBuckets()
    tree = StateTree(buckets)
    delta = tree.compute(state.values.items())
    buckets.write(delta.buckets)
    tree.apply(delta, made.chain.height)
    state._tree = tree
    made.chain.results[-1] = msgspec.structs.replace(made.chain.results[-1], state_root=delta.root)
    return made


def spell(*entries: tuple[int, str]) -> tuple[StandingSince, ...]:
    return tuple(StandingSince(since=since, standing=what) for since, what in entries)  # type: ignore[arg-type]


def ada_key(**change: object) -> dict[str, object]:
    made = league()
    key = compute_state_key("accounts", "account", (ADA.did,))
    account = msgspec.json.decode(made.chain.state.values[key], type=Account)
    return {"keys": (msgspec.structs.replace(account.keys[0], **change),)}


@pytest.mark.parametrize(
    ("account", "member", "holds"),
    [
        ({}, {}, True),
        (ada_key(until=3), {}, True),
        (ada_key(until=2), {}, True),  # revoked in the block itself: it was valid when that began
        (ada_key(until=1), {}, False),
        (ada_key(since=2), {}, True),
        (ada_key(since=3), {}, False),
        (ada_key(id="k2"), {}, False),
        (ada_key(purposes=("authenticate",)), {}, False),
        (ada_key(purposes=("service",)), {}, True),
        ({"standing": spell((0, "good"), (3, "closed"))}, {}, True),
        ({"standing": spell((0, "good"), (1, "closed"))}, {}, False),
        ({"standing": spell((3, "good"))}, {}, False),
        ({}, {"standing": spell((0, "good"), (3, "expelled"))}, True),
        ({}, {"standing": spell((0, "good"), (1, "suspended"))}, False),
        ({}, {"standing": spell((0, "suspended"), (2, "good"))}, True),
    ],
)
def test_standing_is_judged_as_at_the_receipts_height(
    account: dict[str, object], member: dict[str, object], holds: bool
) -> None:
    made = standing_league(account, member)
    if holds:
        assert judge(made, made.receipt()).outcome == "yes"
    else:
        assert refused_at(made, made.receipt()) == "standing"


def test_invalid_validators_of_whom_too_few_are_trusted() -> None:
    """More than a third of the trusted power has signed, or it is another league's."""
    made = league("v1", "v2", "v3", "v4")
    for names, holds in ((("v1", "v8", "v9"), False), (("v1", "v2", "v9"), True)):
        trust = build_trust_root(league(*names).genesis())
        outcome = verify_receipt(encode_file(made.receipt()), trust).outcome
        assert outcome == ("yes" if holds else "no"), names


def test_record_kinds_used_by_receipts_have_their_keys() -> None:
    """The verifier finds records by the keys under which the ledger writes them."""
    made = league()
    for kind in (Account, Member):
        assert compute_state_key(kind.OWNER, kind.KIND, (ADA.did,)) in made.chain.state.values
    assert made.chain.get("counter", Counter, "a") is not None
