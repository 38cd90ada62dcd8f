"""Invitations: one canonical form, bounded, with a genesis that holds; anything else is refused."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.client.invites import (
    HINTS_MAX,
    INVITE_BYTES_MAX,
    InvalidInvite,
    Invite,
    decode_invite,
    encode_invite,
)
from hansa.crypto.hashing import sha256
from hansa.ledger.genesis import encode_genesis
from tests.api.league import build_genesis

GENESIS = encode_genesis(build_genesis())
URL = "http://127.0.0.1:8480"
PEER = f"{'a' * 40}@10.0.0.1:26656"


def make(**changes: object) -> Invite:
    plain = Invite(gateways=(URL,), genesis=msgspec.Raw(GENESIS), peers=(PEER,))
    return msgspec.structs.replace(plain, **changes)


def test_an_invitation_carries_the_genesis_byte_for_byte() -> None:
    invite = decode_invite(encode_invite(make()))
    assert bytes(invite.genesis) == GENESIS
    assert invite.digest == sha256(GENESIS).hex()
    assert (invite.gateways, invite.peers) == ((URL,), (PEER,))
    assert encode_genesis(invite.read_genesis()) == GENESIS


@pytest.mark.parametrize(
    "changes",
    [
        {"gateways": ()},
        {"gateways": (URL,) * (HINTS_MAX + 1)},
        {"gateways": ("file:///etc/passwd",)},
        {"gateways": ("http://a b",)},
        {"gateways": ("http://a\n",)},
        {"peers": ("nobody@10.0.0.1:1",)},
        {"peers": (PEER,) * (HINTS_MAX + 1)},
        {"peers": (PEER + "\n",)},
        {"genesis": msgspec.Raw(b"{}")},
        {"genesis": msgspec.Raw(b"null")},
        {"genesis": msgspec.Raw(GENESIS.replace(b'"power":', b'"power":-'))},
    ],
    ids=range(11),
)
def test_impossible_hints_and_a_broken_genesis_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInvite):
        decode_invite(encode_invite(make(**changes)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        GENESIS,
        json.dumps(json.loads(encode_invite(make())), indent=1).encode(),
        encode_invite(make()) + b"\n",
        encode_invite(make()).replace(b"hansa.invite/1", b"hansa.invite/2"),
        encode_invite(make())[:-1] + b',"more":1}',
        encode_invite(make()) + b" " * INVITE_BYTES_MAX,
    ],
    ids=range(11),
)
def test_what_is_no_invitation_is_refused_with_a_next_step(data: bytes) -> None:
    with pytest.raises(InvalidInvite) as refused:
        decode_invite(data)
    assert refused.value.remedy and len(refused.value.text) < 400


@given(st.data())
def test_a_changed_byte_is_refused_or_seen_in_the_digest(data: st.DataObject) -> None:
    """Hints may be changed by whoever passes the file on; the league may not."""
    raw = bytearray(encode_invite(make()))
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= 1 << data.draw(st.integers(0, 7))
    try:
        invite = decode_invite(bytes(raw))
    except InvalidInvite:
        return
    is_same = invite.digest == make().digest
    assert is_same == (bytes(invite.genesis) == GENESIS)
