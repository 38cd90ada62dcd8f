"""Status lists derived from the ledger's state, for those who cannot read the ledger itself.

A list tells nobody which of its entries was asked for. The ledger is the truth; a list is signed
where the operator has put a key that issues (`service/keys/credentials.key.json`).
"""

from collections.abc import Callable
from threading import Lock
from typing import Any, Final

import msgspec

from hansa.api.door import Ledger
from hansa.api.problems import Refusal, refuse_parameter, refuse_unseen
from hansa.api.service_keys import ServiceKeys
from hansa.client.credentials import prove_issuer
from hansa.client.keys import Signer
from hansa.client.service import WALLETS
from hansa.contracts.credentials.model import Status, StatusList
from hansa.encoding.canonical import encode_canonical
from hansa.identity.bitstring_status import (
    ENTRIES_MIN,
    build_bitstring_credential,
    encode_bitstring,
)
from hansa.identity.moments import format_moment
from hansa.identity.token_status import (
    REVOKED,
    SUSPENDED,
    encode_token_list,
    sign_status_token,
)
from hansa.ledger.model import is_key_part
from hansa.ledger.state import Reader, StateReader, get_record, scan_records

APPLICATION: Final = "credentials"
# How long a list may be kept: within it a revocation may be unknown to who reads lists.
TTL_MS: Final = 60_000
# How long a signed list counts at all.
LASTS_MS: Final = 3_600_000
# Lists kept ready; each has at most 260 kB.
KEPT_MAX: Final = 64
_VALUES: Final = {"revoked": REVOKED, "suspended": SUSPENDED}


class Asked(msgspec.Struct, frozen=True):
    """A list in one form. purpose: of a bitstring; "" for a token."""

    issuer: str
    name: str
    purpose: str
    uri: str


class Packed(msgspec.Struct, frozen=True):
    """A list as it was at a time, ready to be signed: who asks under many names of this gateway
    does not make it read the ledger as often.
    """

    made_ms: int
    opened: StatusList
    token: dict[str, Any]
    bits: str


class StatusLists:
    """Lists kept ready for TTL_MS, newest last. Each is made by one thread at a time."""

    def __init__(self, ledger: Ledger, service: ServiceKeys, clock: Callable[[], int]) -> None:
        self._ledger, self._service, self._clock = ledger, service, clock
        self._kept: dict[Asked, tuple[int, bytes]] = {}
        self._packed: dict[tuple[str, str, str], Packed] = {}
        self._lock = Lock()

    def get(self, asked: Asked) -> bytes:
        """The list's bytes. Raises Refusal."""
        now_ms = self._clock()
        with self._lock:
            made_ms, data = self._kept.get(asked, (0, b""))
            if data and 0 <= now_ms - made_ms < TTL_MS:
                return data
            signer = self._service.issuing_signer(APPLICATION)
            if signer is None:  # who issues here says here too what became of it
                signer = self._service.issuing_signer(WALLETS)
            if signer is None and not asked.purpose:  # nothing is kept of what is not answered
                find_list(self._ledger.state, asked)
                raise refuse_unsigned()
            packed = self._pack(asked, now_ms)
            data = write_list(packed, asked, signer, packed.made_ms)
            self._kept.pop(asked, None)
            self._kept[asked] = (packed.made_ms, data)
            while len(self._kept) > KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            return data

    def _pack(self, asked: Asked, now_ms: int) -> Packed:
        name = (asked.issuer, asked.name, asked.purpose)
        packed = self._packed.pop(name, None)
        if packed is None or not 0 <= now_ms - packed.made_ms < TTL_MS:
            packed = pack_list(self._ledger.state, asked, now_ms)
        self._packed[name] = packed
        while len(self._packed) > KEPT_MAX:
            del self._packed[next(iter(self._packed))]
        return packed


def pack_list(state: StateReader, asked: Asked, now_ms: int) -> Packed:
    """The list from the state of now, in the form asked for. Raises Refusal."""
    opened = find_list(state, asked)
    values = collect_values(state, opened, state.time_ms)
    if not asked.purpose:
        token = encode_token_list(opened.size, values, bits=opened.bits)
        return Packed(now_ms, opened, token, "")
    wanted = REVOKED if asked.purpose == "revocation" else SUSPENDED
    chosen = {index: 1 for index, value in values.items() if value == wanted}
    return Packed(now_ms, opened, {}, encode_bitstring(max(opened.size, ENTRIES_MIN), chosen))


def write_list(packed: Packed, asked: Asked, signer: Signer | None, now_ms: int) -> bytes:
    """The list's document, signed when there is a key for it. Raises Refusal."""
    if not asked.purpose:
        if signer is None:
            raise refuse_unsigned()
        return sign_status_token(
            packed.token,
            uri=asked.uri,
            method=signer.kid,
            alg=signer.private.alg,
            sign=signer.private.sign,
            issued_s=now_ms // 1000,
            valid_until_s=(now_ms + LASTS_MS) // 1000,
            ttl_s=TTL_MS // 1000,
        ).encode()
    document = build_bitstring_credential(
        f"{asked.uri}?purpose={asked.purpose}",
        issuer=packed.opened.issuer if signer is None else signer.account,
        purposes=(asked.purpose,),
        encoded=packed.bits,
        valid_from=format_moment(now_ms),
        valid_until=format_moment(now_ms + LASTS_MS),
        ttl_ms=TTL_MS,
    )
    return encode_canonical(document if signer is None else prove_issuer(document, signer, now_ms))


def find_list(state: Reader, asked: Asked) -> StatusList:
    """The list that is asked for. Raises Refusal."""
    if not (is_key_part(asked.issuer) and is_key_part(asked.name)):
        raise refuse_unseen()
    opened = get_record(state, APPLICATION, StatusList, asked.issuer, asked.name)
    if opened is None:
        raise refuse_unseen()
    if asked.purpose and asked.purpose not in opened.purposes:
        raise refuse_parameter("purpose", f"this list has: {', '.join(opened.purposes)}")
    return opened


def collect_values(state: Reader, opened: StatusList, at_ms: int) -> dict[int, int]:
    """Indexes that are not valid at a block time, with their values in a token list."""
    found = scan_records(
        state, APPLICATION, Status, (opened.issuer, opened.list), limit=opened.size
    )
    said = ((each.index, each.at(at_ms)) for each in found)
    return {index: _VALUES[value] for index, value in said if value in _VALUES}


def refuse_unsigned() -> Refusal:
    """A token is signed or it is none."""
    return Refusal(
        406,
        "api.no_status_key",
        "This gateway has no key to sign status lists with.",
        remedy="Ask for application/vc, or ask its operator: hansa credential sign-lists --as NAME",
    )
