"""HTTP client of a gateway's REST API: submit, wait, ask, prove, follow. Touches the network only.

Resubmitting is safe (D3): the same bytes have the same id, so after a time-out it asks again.
"""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

import msgspec

from hansa.client.faults import ClientError, Refused, Unreachable
from hansa.client.keys import Signer
from hansa.client.replies import (
    Challenge,
    KnownNodes,
    League,
    Page,
    Proof,
    ShownProof,
    Token,
    TransactionStatus,
    convert_reply,
    read_problem,
)
from hansa.client.sessions import sign_session_statement
from hansa.encoding.json_faults import NOT_JSON

if TYPE_CHECKING:  # httpx takes 0.15 s to load: only when a request is made
    import httpx

    from hansa.comet.announcement import Announcement

TIMEOUT_S: Final = 10.0
# Tries of one request that had no answer; waits double from the first.
ATTEMPTS: Final = 4
FIRST_WAIT_S: Final = 0.2
# One status request is held open this long by the gateway while nothing happens.
POLL_S: Final = 5.0
RETRY_AFTER_MAX_S: Final = 10.0
# Events are looked up from the newest back; those of a transaction long past are not looked for.
PAGE: Final = 200
PAGES_MAX: Final = 10
STATUS: Final = "/v1/status"
DID_RESOLUTION: Final = "application/did-resolution"
SIGN_IN_REFUSED: Final = "api.sign_in_refused"
STANDING_REMEDY: Final = (
    "sign with a current key of an account in good standing (hansa keys list); "
    "a suspended member acts again when the league has reinstated it"
)
JSON: Final = {"content-type": "application/json"}
JOSE: Final = {"content-type": "application/jose"}
BAD_REQUEST, UNAUTHORIZED, NOT_FOUND = 400, 401, 404
TOO_MANY: Final = 429
# What stands after the question mark; a name may stand there several times.
Params = Mapping[str, str] | list[tuple[str, str | int | float | bool | None]]
# Unavailable, gateway time-out: the same request may be sent again.
BUSY: Final = frozenset({503, 504})


class Gateway:
    """One gateway, asked on behalf of `signer` (or of nobody: then only what is public is seen)."""

    def __init__(self, url: str, signer: Signer | None = None, *, timeout_s: float = TIMEOUT_S):
        self.url = url.rstrip("/")
        self.signer = signer
        self._timeout_s = timeout_s
        self._client: httpx.Client | None = None
        self._session = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the session ends by itself."""
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- transactions

    def submit(self, data: bytes) -> str:
        """Hand in signed bytes; the transaction's id. Sent again after a time-out (same id).

        Raises Refused (the door said no) or Unreachable (perhaps it arrived: ask by id).
        """
        answer = self._ask("POST", "/v1/transactions", content=data, media="application/jose")
        return str(answer["id"])

    def status(self, transaction: str, wait_s: float = 0.0) -> TransactionStatus:
        """What is known of a transaction; held open up to `wait_s` until it is committed.

        Whoever has the id may ask: a key that can no longer sign in (it may just have been
        replaced) asks as a stranger, who sees codes without words.
        """
        params = {"wait": f"{wait_s:g}"} if wait_s else {}
        path = f"/v1/transactions/{transaction}"
        try:
            answer = self._ask("GET", path, params=params)
        except Refused as refused:
            if refused.code != SIGN_IN_REFUSED:
                raise
            with Gateway(self.url, timeout_s=self._timeout_s) as stranger:
                answer = stranger._ask("GET", path, params=params)
        return convert_reply(answer, TransactionStatus)

    def wait(self, transaction: str, timeout_s: float) -> TransactionStatus:
        """The status once committed and provable, else the last one known when time is up."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            status = self.status(transaction, max(0.0, min(POLL_S, left)))
            if status.is_final or left <= 0:
                return status
            if status.state == "unknown":
                time.sleep(min(FIRST_WAIT_S, max(left, 0.0)))

    # -- questions

    def league(self) -> League:
        """Where the ledger stands."""
        return convert_reply(self._ask("GET", STATUS), League)

    def record(self, app: str, kind: str, *key: str) -> dict[str, Any] | None:
        """A record in plain form, None when it is not there or not the signer's to read."""
        try:
            answer = self._ask("GET", f"/v1/apps/{app}/{kind}/{_join(key)}")
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise
        return dict(answer)

    def records(
        self,
        app: str,
        kind: str,
        *,
        filters: Mapping[str, str] | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Page:
        """A page of records that the signer may read, in key order."""
        params = {**(filters or {}), "limit": str(limit)}
        if after:
            params["after"] = after
        return convert_reply(self._ask("GET", f"/v1/apps/{app}/{kind}", params=params), Page)

    def table(
        self,
        app: str,
        name: str,
        *,
        filters: Mapping[str, str] | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Page:
        """A page of rows of an application's table."""
        params = {**(filters or {}), "limit": str(limit)}
        if after:
            params["after"] = after
        return convert_reply(self._ask("GET", f"/v1/apps/{app}/tables/{name}", params=params), Page)

    def totals(
        self, app: str, name: str, *, by: Sequence[str] = (), filters: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """Exact totals of a table: `{"group", "count", "sums"}` for each group."""
        params = {**filters, "group_by": ",".join(by)} if by else dict(filters)
        answer = self._ask("GET", f"/v1/apps/{app}/tables/{name}/totals", params=params)
        return list(convert_reply(answer, Page).items)

    def ask(self, app: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON answer of one of an application's own addresses; `app` as addresses spell it."""
        return self._ask("GET", f"/{app}{path}", params=list(query))

    def history(self, app: str, kind: str, *key: str, after: str | None = None) -> Page:
        """A page of a record's versions, oldest first."""
        params = {"after": after} if after else {}
        path = f"/v1/history/{app}/{kind}/{_join(key)}"
        return convert_reply(self._ask("GET", path, params=params), Page)

    def events(
        self,
        *,
        app: str = "",
        kind: str = "",
        after: str | None = None,
        oldest: bool = True,
        limit: int = 100,
    ) -> Page:
        """A page of events that the signer may see; `kind` is the event's type."""
        params = {"order": "oldest" if oldest else "newest", "limit": str(limit)}
        params |= {name: value for name, value in (("app", app), ("type", kind)) if value}
        if after:
            params["after"] = after
        return convert_reply(self._ask("GET", "/v1/events", params=params), Page)

    def list_emitted(self, status: TransactionStatus) -> list[dict[str, Any]]:
        """Events of a committed transaction that the signer may see, in order of emission."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        for _page in range(PAGES_MAX if status.state == "committed" else 0):
            page = self.events(oldest=False, after=after, limit=PAGE)
            found.extend(each for each in page.items if each["transaction"] == status.id)
            after = page.next
            if after is None or page.items[-1]["height"] < status.height:
                break
        return found[::-1]

    def messages(self, *, code: str = "", after: str | None = None, limit: int = 100) -> Page:
        """A page of message results that the signer may see, newest first."""
        params = {"limit": str(limit)}
        params |= {name: value for name, value in (("code", code), ("after", after)) if value}
        return convert_reply(self._ask("GET", "/v1/messages", params=params), Page)

    def receipt(self, transaction: str, message: int, *, trusted: int = 0) -> bytes:
        """The receipt file of one message; its headers lead from height `trusted` (genesis)."""
        path = f"/v1/transactions/{transaction}/messages/{message}/receipt"
        return self._fetch(path, trusted)

    def proof(self, app: str, kind: str, *key: str, trusted: int = 0) -> Proof:
        """The proof file that a record is there, or is not, at the last provable height."""
        data = self._fetch(f"/v1/proofs/{app}/{kind}/{_join(key)}", trusted)
        shown = msgspec.json.decode(data, type=ShownProof)
        return Proof(data=data, is_there=shown.record is not None)

    def sealed(self, subject: str, number: int) -> bytes:
        """The sealed package of an access that the signer took."""
        return self._fetch(f"/v1/exchange/{_join((subject, str(number)))}", 0)

    def facts(self, keys: Sequence[str], *, trusted: int = 0) -> bytes:
        """A bundle without a document: these records, or that there are none, in one state."""
        params = {"keys": ",".join(keys), "trusted": str(trusted)}
        return self._send("GET", "/v1/facts", params=params)

    def resolve_did(self, did: str, asked: Params | None = None) -> dict[str, Any]:
        """A DID resolution result, also one that says why there is no document.

        `asked`: version, height or time; proof.
        """
        if self.signer is not None and not self._session:
            self._sign_in()
        answer = self._exchange("GET", f"/v1/dids/{quote(did, safe=':')}", None, {}, asked)
        if not answer.headers.get("content-type", "").startswith(DID_RESOLUTION):
            raise read_problem(answer.status_code, answer.content)
        return convert_reply(msgspec.json.decode(answer.content), dict[str, Any])

    def did_versions(self, did: str) -> list[dict[str, Any]]:
        """The versions of a DID of the ledger, oldest first."""
        answer = self._ask("GET", f"/v1/dids/{quote(did, safe=':')}/versions")
        return list(answer["versions"])

    def checkpoint(self, height: int | None = None, *, trusted: int = 0) -> bytes:
        """A checkpoint file of `height` (newest), with the headers that lead from `trusted`."""
        params = {"trusted": str(trusted)}
        if height is not None:
            params["height"] = str(height)
        return self._send("GET", "/v1/checkpoint", params=params)

    def nodes(self) -> "tuple[Announcement, ...]":
        """Where the league's nodes say that they are; none for a league in one process."""
        return convert_reply(self._ask("GET", "/v1/nodes"), KnownNodes).nodes

    # -- the wire

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        """Send, again after a time-out, and decode the JSON answer."""
        try:
            return msgspec.json.decode(self._send(method, path, **options))
        except NOT_JSON as error:
            raise self._foreign(path) from error

    def _fetch(self, path: str, trusted: int) -> bytes:
        return self._send("GET", path, params={"trusted": str(trusted)} if trusted else None)

    def _send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        media: str = "",
        params: Params | None = None,
    ) -> bytes:
        headers = {"content-type": media} if media else {}
        # Strangers see less, without a word: whoever has a key asks as its account.
        if method == "GET" and path != STATUS and self.signer is not None and not self._session:
            self._sign_in()
        answer = self._exchange(method, path, content, headers, params)
        if answer.status_code == UNAUTHORIZED and self.signer is not None:
            self._sign_in()
            answer = self._exchange(method, path, content, headers, params)
        if answer.status_code >= BAD_REQUEST:
            raise read_problem(answer.status_code, answer.content)
        return bytes(answer.content)

    def _exchange(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: dict[str, str],
        params: Params | None,
    ) -> "httpx.Response":
        """One exchange, tried again while there is no answer or the gateway is too busy."""
        import httpx

        if self._session:
            headers = {**headers, "authorization": f"Bearer {self._session}"}
        wait_s = FIRST_WAIT_S
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._open().request(
                    method, path, content=content, headers=headers, params=params
                )
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if attempt == ATTEMPTS or isinstance(error, httpx.UnsupportedProtocol):
                    raise self._unreachable(error) from error
            else:
                if not _is_busy(answer) or attempt == ATTEMPTS:
                    return answer
                wait_s = max(wait_s, _read_retry_after(answer))
            time.sleep(wait_s)
            wait_s *= 2
        raise self._unreachable(None)

    def _open(self) -> "httpx.Client":
        if self._client is None:
            import httpx

            self._client = httpx.Client(base_url=self.url, timeout=self._timeout_s)
        return self._client

    def _sign_in(self) -> None:
        """Open a session: the account's key signs a challenge. Raises Refused."""
        signer, self._session = self.signer, ""
        if signer is None:
            return
        question = msgspec.json.encode({"account": signer.account})
        asked = self._exchange("POST", "/v1/sessions/challenge", question, JSON, None)
        if asked.status_code >= BAD_REQUEST:
            raise read_problem(asked.status_code, asked.content)
        challenge = convert_reply(msgspec.json.decode(asked.content), Challenge)
        statement = sign_session_statement(
            account=signer.account,
            chain=challenge.chain,
            challenge=challenge.challenge,
            kid=signer.kid,
            key=signer.private,
        )
        given = self._exchange("POST", "/v1/sessions", statement, JOSE, None)
        if given.status_code >= BAD_REQUEST:
            refused = read_problem(given.status_code, given.content)
            if refused.code == SIGN_IN_REFUSED:
                refused.remedy = STANDING_REMEDY
            raise refused
        self._session = convert_reply(msgspec.json.decode(given.content), Token).token

    def _unreachable(self, error: Exception | None) -> Unreachable:
        reason = f" ({type(error).__name__})" if error is not None else ""
        return Unreachable(
            f"no answer from {self.url}{reason}",
            "is it running (hansa start DIR)? Asking or sending again is safe",
        )

    def _foreign(self, path: str) -> ClientError:
        return ClientError(
            f"{self.url}{path} does not answer as a Hansa gateway does", "check the address"
        )


def _join(key: tuple[str, ...]) -> str:
    return "/".join(quote(part, safe="") for part in key)


def _is_busy(answer: "httpx.Response") -> bool:
    """Whether the same request may succeed soon. A quota that is spent is a no, not a wait."""
    if answer.status_code == TOO_MANY:
        return not read_problem(TOO_MANY, answer.content).code.startswith("ledger.")
    return answer.status_code in BUSY


def _read_retry_after(answer: "httpx.Response") -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), RETRY_AFTER_MAX_S) if text.isdigit() else 0.0
