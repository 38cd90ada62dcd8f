"""What bad senders do: bytes that may never enter a block, copies, messages that are refused there.

Beside each stands what the ledger must say to it. Pure.
"""

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from hansa.apps.e_invoice.model import IssueInvoice
from hansa.client.transactions import Draft
from hansa.contracts.holds.model import LapseHold
from hansa.contracts.members.model import SetContact
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.ledger.transactions import compute_signing_input, encode_jws
from hansa.primitives.limits import EXPIRY_WINDOW, TRANSACTION_BYTES_MAX
from hansa.testing.simulation.workload_acts import Cue, Sent, Signer, make_content, send
from hansa.testing.simulation.workload_league import STRANGER

# Blocks that an act may wait for, where its own arguments do not say.
LIFE: Final = 20
_ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
# To a copy of what the ledger has seen, or no longer takes; "": it waits there already.
_COPY: Final = (
    "",
    "ledger.already_seen",
    "ledger.contract_not_active",
    "ledger.expired",
    "ledger.expiry_too_far",
    "ledger.frozen",
    "ledger.internal_message",
    "ledger.quota_spent",
    "ledger.unknown_signer",
    "ledger.wrong_chain",
)

# What the door may say, whatever else has happened.
DOOR_SAYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "expired": ("ledger.expired", "ledger.malformed"),
        "far": ("ledger.expiry_too_far",),
        "foreign": ("ledger.wrong_chain",),
        "forged": (*_COPY[1:], "ledger.wrong_signature"),
        "spoilt": (*_COPY, "ledger.wrong_signature"),
        "large": ("ledger.malformed",),
        "garbage": ("ledger.malformed",),
        "internal": ("ledger.internal_message",),
        "unknown": ("ledger.contract_not_active",),
        "stranger": ("ledger.unknown_signer",),
    }
)
# What the block says of a message that the door lets in.
BLOCK_SAYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "wrong_sum": ("e_invoice.br_co_15", "e_invoice.not_registered"),
        "wrong_role": ("e_invoice.not_the_party", "e_invoice.not_registered"),
    }
)
# Copies of another act: peers may send them past the door, straight to an engine.
COPIES: Final = ("spoilt", "twin", "again")


class Carried(msgspec.Struct, frozen=True):
    """What was signed, by whom, and the bytes."""

    payload: bytes
    signers: tuple[Signer, ...]
    data: bytes


class Desk(Protocol):
    """What signs, and remembers what it signed."""

    def carry(self, cue: Cue, sent: Sent, expiry: int, chain: str = "") -> Carried:
        """Sign what an act says."""
        ...

    def find(self, cue: Cue) -> Carried:
        """What the act is a copy of."""
        ...


def join(signers: tuple[Signer, ...], payload: bytes, signatures: list[bytes]) -> bytes:
    """The bytes to carry."""
    pairs = zip(signers, signatures, strict=True)
    return encode_jws(
        payload, tuple((_input(each, payload)[0], signature) for each, signature in pairs)
    )


def sign(signers: tuple[Signer, ...], payload: bytes) -> list[bytes]:
    """Each signer's signature."""
    return [each.key.sign(_input(each, payload)[1]) for each in signers]


def sign_otherwise(key: PrivateKey, message: bytes) -> bytes:
    """Another Ed25519 signature that holds as well: with a nonce of the signer's own choice."""
    scalar = _clamp(key.to_bytes())
    chosen = PrivateKey("EdDSA", sha256(b"nonce" + message))
    nonce, point = _clamp(chosen.to_bytes()), chosen.public.raw
    digest = hashlib.sha512(point + key.public.raw + message).digest()
    answer = (nonce + int.from_bytes(digest, "little") * scalar) % _ED25519_ORDER
    return point + answer.to_bytes(32, "little")


def _input(signer: Signer, payload: bytes) -> tuple[str, bytes]:
    return compute_signing_input(signer.kid, signer.key.alg, payload)


def _clamp(seed: bytes) -> int:
    """The secret scalar of a seed (RFC 8032, 5.1.5)."""
    half = bytearray(hashlib.sha512(seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    return int.from_bytes(half, "little")


def build_plain(cue: Cue) -> Sent:
    """Something that is right but for what is done to it."""
    address = f"https://example.org/{cue.number}"
    return send("deputy", "members", SetContact(address=address))


# --- bytes ---


def _expire(desk: Desk, cue: Cue) -> bytes:
    return desk.carry(cue, build_plain(cue), cue.height).data


def _expire_late(desk: Desk, cue: Cue) -> bytes:
    return desk.carry(cue, build_plain(cue), cue.height + EXPIRY_WINDOW + 2).data


def _address_wrongly(desk: Desk, cue: Cue) -> bytes:
    return desk.carry(cue, build_plain(cue), cue.height + LIFE, "other-1").data


def _spoil(desk: Desk, cue: Cue) -> bytes:
    """An earlier act's payload, so its id too, under signatures that do not hold."""
    of = desk.find(cue)
    return join(of.signers, of.payload, [each.key.sign(b"no") for each in of.signers])


def _forge(desk: Desk, cue: Cue) -> bytes:
    """A payload that nobody ever signed; asked twice, the answer is the same."""
    of = desk.carry(cue, build_plain(cue), cue.height + LIFE)
    return join(of.signers, of.payload, [each.key.sign(b"no") for each in of.signers])


def _twin(desk: Desk, cue: Cue) -> bytes:
    """An earlier act's payload under other signatures that hold: the same id in other bytes."""
    of = desk.find(cue)
    other = [sign_otherwise(each.key, _input(each, of.payload)[1]) for each in of.signers]
    return join(of.signers, of.payload, other)


def _repeat(desk: Desk, cue: Cue) -> bytes:
    return desk.find(cue).data


def _fill(_desk: Desk, _cue: Cue) -> bytes:
    return b"x" * (TRANSACTION_BYTES_MAX + 1)


def _scribble(_desk: Desk, cue: Cue) -> bytes:
    return f"garbage {cue.number}".encode()


BYTES: Final[Mapping[str, Callable[[Desk, Cue], bytes]]] = MappingProxyType(
    {
        "expired": _expire,
        "far": _expire_late,
        "foreign": _address_wrongly,
        "forged": _forge,
        "spoilt": _spoil,
        "twin": _twin,
        "again": _repeat,
        "large": _fill,
        "garbage": _scribble,
    }
)


# --- messages ---


def _ask_nobody(cue: Cue) -> Sent:
    return send("outsider", "nothing", *(draft.message for draft in build_plain(cue).drafts))


def _pretend_deadline(_cue: Cue) -> Sent:
    lapse = LapseHold(application="a", record_kind="b", record_key=("c",), hold="d")
    return send("bank", "holds", lapse)


def _come_unknown(cue: Cue) -> Sent:
    message = build_plain(cue).drafts[0].message
    return Sent((Signer(STRANGER.kid, STRANGER.key),), (Draft("members", message),))


def _sum_wrongly(cue: Cue) -> Sent:
    content = make_content(900_000 + 2 * cue.number)
    totals = msgspec.structs.replace(content.totals, with_vat=content.totals.with_vat + 1)
    wrong = msgspec.structs.replace(content, totals=totals)
    return send("seller-a", "e_invoice", IssueInvoice(content=wrong))


def _issue_for_others(cue: Cue) -> Sent:
    content = make_content(900_000 + 2 * cue.number)
    return send("buyer", "e_invoice", IssueInvoice(content=content))


MESSAGES: Final[Mapping[str, Callable[[Cue], Sent]]] = MappingProxyType(
    {
        "unknown": _ask_nobody,
        "internal": _pretend_deadline,
        "stranger": _come_unknown,
        "wrong_sum": _sum_wrongly,
        "wrong_role": _issue_for_others,
    }
)
