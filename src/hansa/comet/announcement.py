"""Where a node says it can be reached, signed by the key that other nodes know it by. Pure.

A member is known by key, its address is a hint: the newest announcement of a node counts, whoever
passes it on.
"""

from typing import Annotated, Final

import msgspec

from hansa.comet.validators import compute_address
from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import (
    InvalidKey,
    InvalidSignature,
    PublicKey,
    check_public_key,
    verify_signature,
)
from hansa.encoding.canonical import (
    CanonicalError,
    decode_canonical,
    decode_typed,
    encode_canonical,
)
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.primitives.limits import INTEGER_MAX

ANNOUNCEMENT_BYTES_MAX: Final = 4_000
# A clock may be wrong by this much (ms); an announcement from further ahead would bar later ones.
AHEAD_MS_MAX: Final = 10 * 60_000

HexId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}$(?!\n)")]
Endpoint = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:\[\]-]{1,255}:\d{1,5}$(?!\n)")]
Url = Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9_.:\[\]/~-]{1,255})?$(?!\n)")]


class InvalidAnnouncement(ValueError):
    """An announcement that its node did not make, or of another chain."""


class Announcement(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="kind",
    tag="hansa.node-address/1",
):
    """A node's address.

    node: hex id of `key` (Ed25519, base64url). p2p: `host:port` of its engine. gateway: URL of its
    API. base: first height whose block it keeps. validator: hex address of the key it votes with,
    "" for none. instance: 16 hex digits drawn at each start. sequence: its clock, ms.
    """

    base: Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
    chain: Annotated[str, msgspec.Meta(max_length=50)]
    gateway: Url
    instance: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]
    key: Annotated[str, msgspec.Meta(max_length=64)]
    node: HexId
    p2p: Endpoint
    sequence: Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
    signature: Annotated[str, msgspec.Meta(max_length=128)] = ""
    validator: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{40})?$(?!\n)")] = ""

    def statement(self) -> bytes:
        """What the node's key signs: the canonical document with an empty signature."""
        return encode_canonical(msgspec.structs.replace(self, signature=""))


def sign_announcement(announcement: Announcement, key: PrivateKey) -> Announcement:
    """The announcement with its signature; `key` and `node` are taken from the key."""
    own = msgspec.structs.replace(
        announcement,
        key=encode_base64url(key.public.raw),
        node=compute_address(key.public.raw).hex(),
        signature="",
    )
    return msgspec.structs.replace(own, signature=encode_base64url(key.sign(own.statement())))


def decode_announcement(data: bytes) -> Announcement:
    """Strictly: canonical JSON of bounded size. Raises InvalidAnnouncement."""
    try:
        decode_canonical(data, size_max=ANNOUNCEMENT_BYTES_MAX)
        return decode_typed(data, Announcement)
    except CanonicalError as error:
        raise InvalidAnnouncement(f"not an announcement: {error}") from error


def check_announcement(announcement: Announcement, chain: str, *, now_ms: int) -> None:
    """Raise InvalidAnnouncement unless its node made it for `chain`."""
    if announcement.chain != chain:
        raise InvalidAnnouncement("an announcement for another chain")
    if announcement.sequence > now_ms + AHEAD_MS_MAX:
        raise InvalidAnnouncement("an announcement from the future; compare the clocks")
    try:
        key = PublicKey("EdDSA", announcement.key)
        check_public_key(key)
        if compute_address(key.raw).hex() != announcement.node:
            raise InvalidAnnouncement("the key is not that node's")
        verify_signature(key, announcement.statement(), decode_base64url(announcement.signature))
    except (InvalidKey, InvalidSignature, TextError) as error:
        raise InvalidAnnouncement("the node's key did not sign it") from error
