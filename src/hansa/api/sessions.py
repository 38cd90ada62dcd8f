"""Sessions: an account proves a key by signing a challenge, and reads as itself for a short time.

In memory only. A session holds no more than the account's present rights: key, standing and roles
are looked up in committed state again whenever the ledger has grown.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hansa.api.door import Ledger
from hansa.api.limits import (
    CHALLENGE_MS,
    SESSION_MS,
    SESSIONS_MAX,
    SESSIONS_PER_ACCOUNT_MAX,
    SMALL_BODY_BYTES_MAX,
)
from hansa.api.problems import Refusal, refuse_busy
from hansa.client.sessions import SessionStatement
from hansa.crypto.signatures import InvalidKey, InvalidSignature, verify_signature
from hansa.encoding.canonical import CanonicalError, decode_canonical, decode_typed
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.index.sight import Viewer
from hansa.ledger.state import StateReader, get_system, scan_records
from hansa.ledger.system import (
    Account,
    Freeze,
    Grant,
    Key,
    Member,
    compute_standing,
    find_key,
)
from hansa.ledger.transactions import JwsHeader

_RANDOM_BYTES = 16
_TIME_BYTES = 8
_MAC_BYTES = 32
_GRANTS_MAX = 100
_PURPOSES = {"sign", "authenticate"}


def read_clock_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Session:
    """A signed-in account. `kid`: the key that it proved."""

    account: str
    member: str
    kid: str
    expires_ms: int
    viewer: Viewer = field(default_factory=Viewer)
    seen_at: int = -1


class Sessions:
    """Challenges and sessions of one gateway. Used from any thread."""

    def __init__(
        self,
        ledger: Ledger,
        reader_roles: Iterable[str],
        clock: Callable[[], int] = read_clock_ms,
    ) -> None:
        self._ledger = ledger
        self._roles = tuple(sorted(set(reader_roles)))
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._used: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def challenge(self, account: str) -> tuple[str, int]:
        """A challenge for an account and when it ends. It costs the gateway no memory."""
        expires_ms = self._clock() + CHALLENGE_MS
        body = expires_ms.to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
        return encode_base64url(body + self._authenticate(account, body)), expires_ms

    def open(self, statement: bytes) -> tuple[str, Session]:
        """A session for the signer of a statement (hansa.client.sessions). Raises Refusal."""
        header, signed, signing_input, signature = _decode_statement(statement)
        kid = header.kid
        now = self._clock()
        nonce = self._check_challenge(signed, now)
        if signed.chain != self._ledger.chain or kid.partition("#")[0] != signed.account:
            raise _refuse_statement("It names another chain, or a key of another account.")
        account, key = _check_key(self._ledger.state, kid)
        if header.alg != key.public.alg:
            raise _refuse_statement("The key is of another algorithm.")
        try:
            verify_signature(key.public, signing_input, signature)
        except (InvalidSignature, InvalidKey) as error:
            raise _refuse_statement("The signature does not hold.") from error
        session = Session(account.did, account.member, kid, now + SESSION_MS)
        session.viewer, session.seen_at = self.look(account), self._ledger.height
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_old(now)
            if nonce in self._used:
                raise _refuse_statement("The challenge was used already.")
            self._make_room(account.did)
            self._used[nonce] = now + CHALLENGE_MS
            self._sessions[_digest(token)] = session
        return token, session

    def find_fresh(self, token: str) -> Session | None:
        """The session of a bearer token where its viewer is as of now; None: ask `get`."""
        session = self._sessions.get(_digest(token))
        if session is None or session.expires_ms <= self._clock():
            return None
        return session if session.seen_at == self._ledger.height else None

    def get(self, token: str) -> Session:
        """The session of a bearer token, its viewer as of now. Raises Refusal."""
        session = self._sessions.get(_digest(token))
        if session is None or session.expires_ms <= self._clock():
            raise refuse_session()
        height = self._ledger.height
        if session.seen_at != height:
            try:
                account, _key = _check_key(self._ledger.state, session.kid)
            except Refusal:
                self.close(token)
                raise refuse_session() from None
            session.viewer, session.seen_at = self.look(account), height
        return session

    def close(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_digest(token), None)

    def _authenticate(self, account: str, body: bytes) -> bytes:
        return hmac.digest(self._secret, account.encode() + b"\x00" + body, "sha256")

    def _check_challenge(self, signed: SessionStatement, now: int) -> bytes:
        try:
            nonce = decode_base64url(signed.challenge)
        except TextError:
            nonce = b""
        body, mac = nonce[:-_MAC_BYTES], nonce[-_MAC_BYTES:]
        if len(body) != _TIME_BYTES + _RANDOM_BYTES or not hmac.compare_digest(
            mac, self._authenticate(signed.account, body)
        ):
            raise _refuse_statement("The challenge is not one of this gateway for this account.")
        if int.from_bytes(body[:_TIME_BYTES], "big") <= now:
            raise _refuse_statement("The challenge is too old.")
        return nonce

    def _forget_old(self, now: int) -> None:
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        # Every session lasts equally long, so the oldest ends first.
        while self._sessions and next(iter(self._sessions.values())).expires_ms <= now:
            self._sessions.popitem(last=False)

    def _make_room(self, account: str) -> None:
        own = [key for key, each in self._sessions.items() if each.account == account]
        if len(own) >= SESSIONS_PER_ACCOUNT_MAX:
            del self._sessions[own[0]]
        elif len(self._sessions) >= SESSIONS_MAX or len(self._used) >= SESSIONS_MAX:
            raise refuse_busy("As many sessions are open as this gateway holds.", 30)

    def look(self, account: Account) -> Viewer:
        """The account's rights in committed state."""
        state = self._ledger.state
        is_league = account.kind != "citizen"
        dids = tuple(dict.fromkeys((account.did, account.member) if is_league else (account.did,)))
        roles = {
            (role, grant.scope)
            for role in self._roles
            for holder in dids
            for grant in _scan_grants(state, role, holder)
        }
        return Viewer(account.did, dids, is_league, frozenset(roles))


def _scan_grants(state: StateReader, role: str, holder: str) -> list[Grant]:
    application, _sep, name = role.partition(".")
    found = scan_records(state, Grant.OWNER, Grant, (application, name, holder), limit=_GRANTS_MAX)
    now = state.time_ms
    return [
        grant
        for grant in found
        if grant.since_ms <= now and (grant.until_ms is None or now < grant.until_ms)
    ]


def _check_key(state: StateReader, kid: str) -> tuple[Account, Key]:
    """Account and key, valid and in good standing at the committed height. Raises Refusal."""
    did, _sep, key_id = kid.partition("#")
    height = state.height
    account = get_system(state, Account, did) if _is_key_part(did) else None
    key = find_key(account, key_id, height) if account is not None else None
    if account is None or key is None or not _PURPOSES & set(key.purposes):
        raise _refuse_statement("The key is not a valid one of this account.")
    member = get_system(state, Member, account.member)
    standings = [account.standing, member.standing if member else ()]
    if any(compute_standing(each, height) != "good" for each in standings):
        raise _refuse_statement("The account or its member is not in good standing.")
    if get_system(state, Freeze, f"account:{did}") is not None:
        raise _refuse_statement("The account is frozen.")
    return account, key


def _is_key_part(did: str) -> bool:
    return did.startswith("did:hansa:") and did.isascii() and did[10:].isalnum() and len(did) < 64


def _decode_statement(data: bytes) -> tuple[JwsHeader, SessionStatement, bytes, bytes]:
    """Header, statement, signing input and signature of a compact JWS. Raises Refusal."""
    parts = data.split(b".")
    if len(data) > SMALL_BODY_BYTES_MAX or len(parts) != 3:
        raise _refuse_statement("It is not a compact JWS.")
    try:
        header_bytes, payload, signature = (decode_base64url(part) for part in parts)
        for each in (header_bytes, payload):
            decode_canonical(each, size_max=SMALL_BODY_BYTES_MAX)
        header = decode_typed(header_bytes, JwsHeader)
        statement = decode_typed(payload, SessionStatement)
    except (CanonicalError, TextError) as error:
        raise _refuse_statement("It is not a canonical session statement.") from error
    return header, statement, parts[0] + b"." + parts[1], signature


def _refuse_statement(detail: str) -> Refusal:
    return Refusal(
        403,
        "api.sign_in_refused",
        f"The sign-in was refused. {detail}",
        rule="D8",
        remedy="Ask for a new challenge and sign it with a current key of the account.",
    )


def refuse_session() -> Refusal:
    """A bearer token that opens nothing (any more)."""
    return Refusal(
        401,
        "api.session_ended",
        "The session is unknown, has ended, or its account lost the right to it.",
        rule="D8",
        remedy="Open a new session (POST /v1/sessions/challenge).",
        headers={"www-authenticate": 'Bearer error="invalid_token"'},
    )


def _digest(token: str) -> bytes:
    """Tokens are kept as digests: a look-up takes as long however much of one is right."""
    return hashlib.sha256(token.encode()).digest()
