"""The statement by which an account signs in at a gateway: a JWS of a kind of its own. Pure.

POST /v1/sessions/challenge {"account"} gives {"challenge","chain"}; POST /v1/sessions takes the JWS
(application/jose) and gives {"token"}, sent from then on as `Authorization: Bearer TOKEN`.
"""

from typing import Final, Literal

import msgspec

from hansa.client.transactions import sign_payload
from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import encode_canonical

SESSION_KIND: Final = "hansa.session/1"


class SessionStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed. Its fields are not a transaction's, so neither passes for the other."""

    account: str
    chain: str
    challenge: str
    kind: Literal["hansa.session/1"] = SESSION_KIND


def sign_session_statement(
    *, account: str, chain: str, challenge: str, kid: str, key: PrivateKey
) -> bytes:
    """The bytes for POST /v1/sessions; `kid` has the purpose sign or authenticate."""
    statement = SessionStatement(account=account, chain=chain, challenge=challenge)
    return sign_payload(encode_canonical(statement), [(kid, key)])
