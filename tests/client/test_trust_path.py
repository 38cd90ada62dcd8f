"""From a pinned genesis or checkpoint to a file's header: what is followed, what is not (D22)."""

from functools import cache
from typing import NamedTuple

import msgspec
import pytest

from hansa.client.checkpoints import HEADERS_MAX, CheckpointFile
from hansa.client.receipts import ReceiptFile, encode_file
from hansa.client.trust import Root, TrustRoot
from hansa.client.verify import Verdict
from hansa.comet.commit import COMMIT, NIL
from hansa.comet.light import Rules
from hansa.comet.wire import Timestamp
from tests.client.sealing import ADA, NOW, League, replace, verify_receipt
from tests.ledger.toy import Count

DAY_S = 86_400


class Heirs(NamedTuple):
    """A league whose validators were all replaced, twice; files from along the way."""

    early: ReceiptFile
    late: ReceiptFile
    checkpoint: CheckpointFile
    trust: TrustRoot


@cache
def heirs() -> Heirs:
    """Headers at 3 and 5 lead from genesis to the receipt's at 7."""
    made = League("a", "b", "c", "d")

    def add_block() -> None:
        made.chain.block([made.chain.sign(ADA, [("counter", Count(id="x", by=1, limit=99))])])

    add_block()
    early = made.receipt()
    add_block()
    made.hand_over("c", "d", "e", "f")
    three = made.light_block()
    add_block()
    add_block()
    made.hand_over("e", "f", "g", "h")
    five = made.light_block()
    checkpoint = made.checkpoint(three)
    add_block()
    add_block()
    made.hand_over("g", "h", "i", "j")
    late = replace(made.receipt(), headers=(three, five))
    return Heirs(early, late, checkpoint, made.trust())


def judge(
    file: ReceiptFile | CheckpointFile, *roots: Root, now: Timestamp = NOW, days: int = 1_095
) -> Verdict:
    rules = Rules(trust_period_s=days * DAY_S)
    return verify_receipt(encode_file(file), roots, now=now, rules=rules)


def text_of(verdict: Verdict, name: str) -> str:
    return next(step.text for step in verdict.steps if step.name == name)


def test_a_receipt_leads_from_genesis_over_its_headers() -> None:
    verdict = judge(heirs().late, heirs().trust)
    assert verdict.outcome == "yes"
    assert verdict.trusted == f"genesis {heirs().trust.genesis}"
    assert (verdict.trusted_height, verdict.followed) == (0, 2)
    assert text_of(verdict, "trust path") == "follows from the genesis over 2 header(s): 3, 5"


def test_a_receipt_of_few_changes_needs_no_headers() -> None:
    verdict = judge(heirs().early, heirs().trust)
    assert (verdict.outcome, verdict.followed) == ("yes", 0)
    assert b"headers" not in encode_file(heirs().early)


def test_invalid_headers_left_out_exchanged_doubled_or_of_others() -> None:
    file, trust = heirs().late, heirs().trust
    three, five = file.headers
    stranger = League("w", "x", "y", "z")
    stranger.chain.block()
    for headers in (
        (),
        (three,),
        (five,),
        (five, three),
        (three, three, five),
        (three, five, five),
        (stranger.light_block(), three, five),
    ):
        assert judge(replace(file, headers=headers), trust).outcome == "no", headers
    # Nor where the trust root is later than the headers, and needs none of them.
    for headers in ((five, three), (three, three), (three, five, five)):
        assert judge(replace(file, headers=headers), heirs().checkpoint).outcome == "no", headers


def test_invalid_empty_list_of_headers_is_another_spelling() -> None:
    data = encode_file(heirs().early)
    changed = data.replace(b'"height":1,"kind"', b'"headers":[],"height":1,"kind"', 1)
    assert changed != data
    assert verify_receipt(changed, heirs().trust).outcome == "no"


def test_invalid_header_between_with_a_forged_or_missing_vote() -> None:
    file, trust = heirs().late, heirs().trust
    three, five = file.headers
    entry = three.commit.signatures[0]
    for change in (
        {"signature": entry.signature[::-1]},
        {"flag": NIL},
        {"address": bytes(20)},
        {"time": Timestamp(entry.time.seconds + 1, 0)},
    ):
        votes = (msgspec.structs.replace(entry, **change), *three.commit.signatures[1:])
        commit = msgspec.structs.replace(three.commit, signatures=votes)
        forged = msgspec.structs.replace(three, commit=commit)
        assert judge(replace(file, headers=(forged, five)), trust).outcome == "no"


def test_invalid_more_headers_than_a_file_may_carry() -> None:
    header = heirs().late.headers[0]
    file = replace(heirs().late, headers=(header,) * (HEADERS_MAX + 1))
    verdict = judge(file, heirs().trust)
    assert (verdict.outcome, verdict.steps[-1].name) == ("no", "file")


def test_invalid_heirs_of_another_genesis() -> None:
    other = League("a", "x", "y", "z").trust()
    verdict = judge(heirs().late, other)
    assert verdict.outcome == "no"
    assert "signed by 0 of the 40 of power" in text_of(verdict, "trust path")


# --- time ---


def test_an_old_root_vouches_no_longer() -> None:
    """Could not judge, with the cure; a file that is broken in itself is a no all the same."""
    file, trust = heirs().late, heirs().trust
    end = Timestamp(trust.time.seconds + 30 * DAY_S, trust.time.nanos)
    before = Timestamp.from_ns(end.ns - 1)
    assert judge(file, trust, now=before, days=30).outcome == "yes"
    verdict = judge(file, trust, now=end, days=30)
    assert verdict.outcome == "could_not_judge"
    assert "pin a newer checkpoint" in text_of(verdict, "trust root")
    assert judge(replace(file, height=9), trust, now=end, days=30).outcome == "no"
    # From a younger checkpoint it is judged; what is older than that is fetched anew.
    assert judge(file, heirs().checkpoint, trust, now=end, days=30).outcome == "yes"
    older = judge(heirs().early, heirs().checkpoint, trust, now=end, days=30)
    assert older.outcome == "could_not_judge"
    assert "fetch the file anew" in text_of(older, "trust root")


def test_a_clock_that_is_behind_cannot_judge() -> None:
    file, trust = heirs().late, heirs().trust
    behind = Timestamp(file.header.time.seconds - 10, file.header.time.nanos)
    verdict = judge(file, trust, now=behind)
    assert verdict.outcome == "could_not_judge"
    assert "set the clock" in text_of(verdict, "trust path")
    assert judge(file, trust, now=Timestamp.from_ns(behind.ns + 1)).outcome == "yes"


# --- checkpoints ---


def test_a_receipt_leads_from_a_checkpoint_over_fewer_headers() -> None:
    file, checkpoint = heirs().late, heirs().checkpoint
    for headers, followed in ((file.headers, 0), (file.headers[1:], 0), ((), 0)):
        verdict = judge(replace(file, headers=headers), checkpoint)
        assert verdict.outcome == "yes"
        assert verdict.trusted == f"checkpoint {checkpoint.hash}"
        assert (verdict.trusted_height, verdict.followed) == (5, followed)
    assert "in one step" in text_of(judge(file, checkpoint), "trust path")


def test_the_newest_root_that_is_not_later_decides() -> None:
    made = heirs()
    for file, root in ((made.late, made.checkpoint), (made.early, made.trust)):
        verdict = judge(file, made.checkpoint, made.trust)
        assert (verdict.outcome, verdict.trusted_height) == ("yes", root.height)


def test_a_file_older_than_the_only_root_could_not_be_judged() -> None:
    verdict = judge(heirs().early, heirs().checkpoint)
    assert verdict.outcome == "could_not_judge"
    assert "older than the pinned checkpoint at height 5" in text_of(verdict, "trust root")
    assert verdict.trusted == ""


def test_a_file_that_does_not_lead_from_the_checkpoint_could_not_be_judged() -> None:
    made = League("w", "x", "y", "z")
    for _ in range(8):
        made.chain.block([made.chain.sign(ADA, [("counter", Count(id="x", by=1, limit=99))])])
    verdict = judge(made.receipt(), heirs().checkpoint)
    assert verdict.outcome == "could_not_judge"
    assert "fetch it anew with ?trusted=5" in text_of(verdict, "trust path")


def test_a_checkpoint_file_is_judged_as_any_file() -> None:
    checkpoint, trust = heirs().checkpoint, heirs().trust
    verdict = judge(checkpoint, trust)
    assert (verdict.outcome, verdict.kind, verdict.height) == ("yes", "checkpoint", 5)
    assert (verdict.accepted, verdict.there, verdict.content) == (None, None, None)
    alone = msgspec.structs.replace(checkpoint, headers=())
    assert judge(alone, trust).outcome == "no"
    assert judge(checkpoint, alone).outcome == "yes"
    assert text_of(judge(checkpoint, alone), "trust path") == "it is the pinned checkpoint"
    assert verify_receipt(encode_file(checkpoint), None).outcome == "could_not_judge"


def test_a_pinned_header_does_not_expire() -> None:
    checkpoint = heirs().checkpoint
    late = Timestamp(checkpoint.header.time.seconds + 5_000 * DAY_S, 0)
    assert judge(checkpoint, checkpoint, now=late).outcome == "yes"


def test_invalid_another_header_at_the_height_of_the_checkpoint() -> None:
    made = League("e", "f", "g", "h")
    for _ in range(4):
        made.chain.block()
    fork = made.checkpoint()
    assert fork.height == heirs().checkpoint.height
    verdict = judge(fork, heirs().checkpoint)
    assert verdict.outcome == "no"
    assert "another header at height 5" in text_of(verdict, "trust root")


def test_invalid_checkpoint_of_another_chain() -> None:
    other = League("g", "h", chain="test-2")
    other.chain.block()
    assert judge(heirs().late, other.checkpoint()).outcome == "no"


@pytest.mark.parametrize("flags", [(COMMIT, COMMIT, NIL, NIL)])
def test_invalid_header_that_its_own_validators_did_not_decide(flags: tuple[int, ...]) -> None:
    made = League("a", "b", "c", "d")
    made.chain.block()
    weak = made.light_block(flags)
    made.chain.block()
    file = made.checkpoint(weak)
    assert judge(file, made.trust()).outcome == "no"
