"""Keys to which content is sealed: which ones nobody should publish (A12). Pure."""

from typing import Final

from hansa.contracts.accounts.did_model import WrongAgreementKey
from hansa.contracts.accounts.keys import check_key
from hansa.contracts.accounts.model import WrongKey
from hansa.crypto.signatures import PublicKey
from hansa.encoding.text import TextError, decode_base64url

_P25519: Final = 2**255 - 19
# u coordinates of the points of small order (RFC 7748, 6.1): with them every shared secret is zero.
_SMALL_ORDER_U: Final = frozenset(
    {
        0,
        1,
        _P25519 - 1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
    }
)


def check_agreement_key(alg: str, public: str) -> None:
    """Raise WrongAgreementKey unless content may be sealed to this raw key."""
    if alg == "SM2":
        try:
            check_key(PublicKey(alg=alg, public=public))
        except WrongKey as error:
            raise WrongAgreementKey(problem=str(error.params["problem"])) from error
        return
    try:
        raw = decode_base64url(public)
    except TextError as error:
        raise WrongAgreementKey(problem="not strict base64url") from error
    u = int.from_bytes(raw, "little")
    if len(raw) != 32 or u >= _P25519:
        raise WrongAgreementKey(problem="an X25519 key has 32 bytes in canonical form")
    if u in _SMALL_ORDER_U:
        raise WrongAgreementKey(
            problem="the X25519 key has small order: every secret would be zero"
        )
