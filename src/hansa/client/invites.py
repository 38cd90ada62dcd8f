"""Invitations to a league: all that a new node needs to know, nothing that is secret. Pure.

An invitation says where to ask; what is asked is checked against the genesis, whose digest the
inviting member tells over a channel that the invited one trusts.
"""

from typing import Annotated, Final

import msgspec

from hansa.client.faults import ClientError
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.json_faults import NOT_JSON
from hansa.ledger.genesis import GENESIS_BYTES_MAX, Genesis, InvalidGenesis, decode_genesis

INVITE_BYTES_MAX: Final = GENESIS_BYTES_MAX + 100_000
HINTS_MAX: Final = 100

Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[A-Za-z0-9_.:\[\]/~-]{1,255}$(?!\n)")]
PeerHint = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-f]{40}@[A-Za-z0-9_.:\[\]-]{1,255}:\d{1,5}$(?!\n)")
]


class InvalidInvite(ClientError):
    """A file that is no invitation."""

    CODE = "client.invite"


class Invite(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="kind",
    tag="hansa.invite/1",
):
    """A league's genesis and where its nodes may be found: gateways, engines (`id@host:port`)."""

    gateways: Annotated[tuple[Url, ...], msgspec.Meta(min_length=1, max_length=HINTS_MAX)]
    genesis: msgspec.Raw
    peers: Annotated[tuple[PeerHint, ...], msgspec.Meta(max_length=HINTS_MAX)] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the genesis, hex: what two people compare."""
        return sha256(bytes(self.genesis)).hex()

    def read_genesis(self) -> Genesis:
        """The genesis document. Raises InvalidInvite."""
        try:
            return decode_genesis(bytes(self.genesis))
        except InvalidGenesis as error:
            raise InvalidInvite(
                f"the invitation's genesis does not hold: {error}", _CURE
            ) from error


_CURE: Final = "ask the member who invited you for the file again"
_decoder = msgspec.json.Decoder(Invite)


def encode_invite(invite: Invite) -> bytes:
    """The one canonical form of an invitation."""
    return encode_canonical(invite)


def decode_invite(data: bytes) -> Invite:
    """Strictly: canonical, of bounded size, with a genesis that holds. Raises InvalidInvite."""
    try:
        invite = _decoder.decode(data)
        is_canonical = len(data) <= INVITE_BYTES_MAX and encode_invite(invite) == data
    except NOT_JSON as error:
        raise InvalidInvite(f"this is no invitation: {str(error)[:200]}", _CURE) from error
    if not is_canonical:
        raise InvalidInvite("this is no invitation: it was changed on its way", _CURE)
    invite.read_genesis()
    return invite
