"""Hansa's own door: transactions posted one by one to a node's gateway, as clients do.

Talks HTTP to loopback; one kept-alive connection for each sender.
"""

import http.client
import json
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from hansa.cli.bench.load import Stalled
from hansa.comet.rpc import Broadcast

TIMEOUT_S: Final = 90.0
ACCEPTED: Final = 202
# Refusals that are about room, not about the transaction.
BUSY: Final = frozenset({429, 503})
FINAL_S: Final = 20
UNKNOWN_PAUSE_S: Final = 0.2


class GatewayDoor:
    """`POST /v1/transactions` at one gateway. Not for several threads."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            place.hostname or "127.0.0.1", place.port, timeout=TIMEOUT_S
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def give(self, transactions: Sequence[bytes], /) -> list[Broadcast]:
        """Submit each; one answer for each."""
        return [self._submit(each) for each in transactions]

    def _submit(self, transaction: bytes) -> Broadcast:
        status, answer = self._ask("POST", "/v1/transactions", transaction)
        if status == ACCEPTED:
            return Broadcast(taken=True)
        if status in BUSY:
            return Broadcast(taken=False, error=str(answer.get("code", status)))
        return Broadcast(taken=False, code=status, log=str(answer.get("code", "")))

    def find_final(self, identity: str) -> dict[str, Any]:
        """The status of a transaction, as soon as it is final. A node that is behind does not know
        it yet, and says so at once: it is asked again.
        """
        end = time.monotonic() + FINAL_S
        while True:
            _status, answer = self._ask("GET", f"/v1/transactions/{identity}?wait={FINAL_S}")
            found = answer if isinstance(answer, dict) else {}
            if found.get("state") != "unknown" or time.monotonic() > end:
                return found
            time.sleep(UNKNOWN_PAUSE_S)

    def commit_one(self, transaction: bytes, identity: str) -> float:
        """Submit and wait until it is provable and readable here: seconds."""
        begin = time.monotonic()
        self.give([transaction])
        self.find_final(identity)
        return time.monotonic() - begin

    def _ask(self, method: str, target: str, body: bytes | None = None) -> tuple[int, Any]:
        try:
            return self._exchange(method, target, body)
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()  # the gateway closes what is idle: asking again is safe
        try:
            return self._exchange(method, target, body)
        except (http.client.HTTPException, OSError) as error:
            raise Stalled(f"a gateway does not answer: {error}") from error

    def _exchange(self, method: str, target: str, body: bytes | None) -> tuple[int, Any]:
        headers = {"content-type": "application/jose"} if body is not None else {}
        self._connection.request(method, target, body, headers)
        response = self._connection.getresponse()
        data = response.read()
        try:
            return response.status, json.loads(data)
        except ValueError:
            return response.status, {}
