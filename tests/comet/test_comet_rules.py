"""Rules of CometBFT's formats that vectors of its own code cannot show: what we refuse."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.comet.commit import (
    COMMIT,
    NIL,
    Commit,
    CommitSig,
    InvalidCommit,
    encode_vote_sign_bytes,
    verify_commit,
)
from hansa.comet.header import BlockID, Header, PartSetHeader
from hansa.comet.validators import (
    TOTAL_POWER_MAX,
    InvalidValidators,
    Validator,
    check_validators,
    sort_validators,
)
from hansa.comet.wire import Timestamp
from hansa.crypto.keys import PrivateKey
from hansa.encoding.protobuf import FormatError, encode_varint, fixed_field

CHAIN = "rules"
BLOCK = BlockID(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))
TIME = Timestamp(1_700_000_000, 123_456_789)
KEYS = {
    key.public.raw: key
    for key in (PrivateKey.from_seed("EdDSA", bytes([seed]) * 32) for seed in range(1, 5))
}
VALIDATORS = sort_validators(Validator(raw, 10) for raw in KEYS)


def sign(flags: list[int], block: BlockID = BLOCK) -> Commit:
    entries = []
    for validator, flag in zip(VALIDATORS, flags, strict=True):
        message = encode_vote_sign_bytes(
            CHAIN,
            height=7,
            round_=0,
            block_id=block if flag == COMMIT else BlockID(),
            time=TIME,
        )
        signature = KEYS[validator.public_key].sign(message)
        entries.append(CommitSig(flag, validator.address, TIME, signature))
    return Commit(7, 0, block, tuple(entries))


def test_commit_of_more_than_two_thirds_holds() -> None:
    verify_commit(CHAIN, VALIDATORS, BLOCK, 7, sign([COMMIT, COMMIT, COMMIT, NIL]))


def test_good_commit_is_refused_for_another_block_or_height() -> None:
    commit = sign([COMMIT] * 4)
    other = BlockID(BLOCK.hash, PartSetHeader(2, BLOCK.parts.hash))
    for block, height in ((other, 7), (BLOCK, 8)):
        with pytest.raises(InvalidCommit, match="another block"):
            verify_commit(CHAIN, VALIDATORS, block, height, commit)


def test_commit_with_an_unknown_flag_is_refused() -> None:
    for flag in (-1, 0, 4, 2**70):
        with pytest.raises(InvalidCommit, match="unknown flag"):
            verify_commit(CHAIN, VALIDATORS, BLOCK, 7, sign([COMMIT, COMMIT, COMMIT, flag]))


@pytest.mark.parametrize(("height", "round_"), [(1, 0), (2**53, 0), (7, 2**31 - 1)])
def test_commit_of_the_first_height_or_last_round_holds(height: int, round_: int) -> None:
    entries = []
    for validator in VALIDATORS:
        message = encode_vote_sign_bytes(
            CHAIN, height=height, round_=round_, block_id=BLOCK, time=TIME
        )
        signature = KEYS[validator.public_key].sign(message)
        entries.append(CommitSig(COMMIT, validator.address, TIME, signature))
    verify_commit(CHAIN, VALIDATORS, BLOCK, height, Commit(height, round_, BLOCK, tuple(entries)))


def test_validators_may_have_all_the_power_there_is() -> None:
    check_validators((Validator(b"\x05" * 32, 2**60 - 1),))


def test_commit_of_exactly_two_thirds_is_refused() -> None:
    powers = (4, 2, 2, 1)
    keyed = sorted(VALIDATORS, key=lambda validator: validator.address)
    validators = tuple(
        Validator(validator.public_key, power)
        for validator, power in zip(keyed, powers, strict=True)
    )
    assert sum(powers[:1]) + sum(powers[1:2]) == 2 * sum(powers) // 3
    entries = []
    for index, validator in enumerate(validators):
        flag = COMMIT if index < 2 else NIL
        block = BLOCK if flag == COMMIT else BlockID()
        message = encode_vote_sign_bytes(CHAIN, height=7, round_=0, block_id=block, time=TIME)
        signature = KEYS[validator.public_key].sign(message)
        entries.append(CommitSig(flag, validator.address, TIME, signature))
    with pytest.raises(InvalidCommit, match="6 of 9"):
        verify_commit(CHAIN, validators, BLOCK, 7, Commit(7, 0, BLOCK, tuple(entries)))


def test_commit_with_unsorted_validators_is_refused() -> None:
    commit = sign([COMMIT] * 4)
    turned = Commit(7, 0, BLOCK, commit.signatures[::-1])
    with pytest.raises(InvalidCommit, match="order"):
        verify_commit(CHAIN, VALIDATORS[::-1], BLOCK, 7, turned)


@pytest.mark.parametrize(
    "block",
    [
        BlockID(),
        BlockID(b"\x01" * 31, BLOCK.parts),
        BlockID(b"", BLOCK.parts),
        BlockID(BLOCK.hash, PartSetHeader(0, b"\x02" * 32)),
        BlockID(BLOCK.hash, PartSetHeader(1, b"")),
    ],
)
def test_commit_for_an_incomplete_block_id_is_refused(block: BlockID) -> None:
    with pytest.raises(InvalidCommit, match="malformed"):
        verify_commit(CHAIN, VALIDATORS, block, 7, sign([COMMIT] * 4, block=block))


@pytest.mark.parametrize("round_", [-1, 2**31])
def test_commit_of_an_impossible_round_is_refused(round_: int) -> None:
    commit = msgspec.structs.replace(sign([COMMIT] * 4), round=round_)
    with pytest.raises(InvalidCommit, match="malformed"):
        verify_commit(CHAIN, VALIDATORS, BLOCK, 7, commit)


@pytest.mark.parametrize("size", [0, 63, 65, 96])
def test_signature_of_another_size_is_refused(size: int) -> None:
    commit = sign([COMMIT] * 4)
    entry = msgspec.structs.replace(commit.signatures[3], signature=bytes(size))
    with pytest.raises(InvalidCommit, match="malformed"):
        verify_commit(
            CHAIN, VALIDATORS, BLOCK, 7, Commit(7, 0, BLOCK, (*commit.signatures[:3], entry))
        )


@pytest.mark.parametrize(
    ("validators", "reason"),
    [
        ((), "no validators"),
        ((Validator(bytes(31), 1),), "not an Ed25519 key"),
        ((Validator(b"\x05" * 32, 0),), "no power"),
        ((Validator(b"\x05" * 32, -3),), "no power"),
        ((Validator(b"\x05" * 32, TOTAL_POWER_MAX + 1),), "too much power"),
        ((Validator(b"\x05" * 32, 1), Validator(b"\x05" * 32, 1)), "twice"),
        ((Validator(b"\x05" * 32, 2), Validator(b"\x05" * 32, 1)), "twice"),
        ((Validator(b"\x05" * 32, 1), Validator(b"\x06" * 32, 2)), "order"),
    ],
)
def test_list_that_is_no_validator_set_is_refused(
    validators: tuple[Validator, ...], reason: str
) -> None:
    with pytest.raises(InvalidValidators, match=reason):
        check_validators(validators)
    with pytest.raises(InvalidCommit, match=reason):
        verify_commit(CHAIN, validators, BLOCK, 7, sign([COMMIT] * 4))


@given(st.integers(-62_135_596_800 * 10**9, 253_402_300_799 * 10**9))
def test_timestamp_is_exact(ns: int) -> None:
    time = Timestamp.from_ns(ns)
    assert time.ns == ns
    assert 0 <= time.nanos < 10**9
    assert msgspec.json.decode(msgspec.json.encode(time), type=Timestamp) == time


@pytest.mark.parametrize(
    "text",
    [
        '{"nanos":1000000000,"seconds":0}',
        '{"nanos":-1,"seconds":0}',
        '{"nanos":0,"seconds":-62135596801}',
        '{"nanos":0,"seconds":253402300800}',
        '{"nanos":0}',
        '{"nanos":0,"seconds":0,"zone":1}',
        '{"nanos":0,"seconds":1.0}',
        '{"nanos":0,"seconds":"1"}',
    ],
)
def test_timestamp_out_of_form_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Timestamp)


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_number_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(FormatError):
        encode_varint(number)
    with pytest.raises(FormatError):
        fixed_field(1, number)


@given(st.integers(0, 2**64 - 1))
def test_varint_is_base_128(number: int) -> None:
    encoded = encode_varint(number)
    assert sum((byte & 0x7F) << 7 * at for at, byte in enumerate(encoded)) == number
    assert all(byte & 0x80 for byte in encoded[:-1]) and not encoded[-1] & 0x80
    assert len(encoded) == max(1, -(-number.bit_length() // 7))


def test_header_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"version":{"block":11,"app":0,"x":1}}', type=Header)
