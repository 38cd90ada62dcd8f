"""Nonces for proofs of keys (c_nonce): whoever asks gets one at no cost of memory; one that was
used is remembered until it is over. In memory: a gateway that starts again knows none of before.
"""

import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from hansa.api.openid.limits import NONCE_MS, NONCES_MAX
from hansa.api.problems import refuse_busy
from hansa.encoding.text import TextError, decode_base64url, encode_base64url

_TIME_BYTES: Final = 8
_RANDOM_BYTES: Final = 16
_MAC_BYTES: Final = 32
_TEXT_MAX: Final = 100


class Nonces:
    """Nonces of one gateway. Used from any thread."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._used: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self) -> str:
        """A new nonce."""
        ends_ms = self._clock() + NONCE_MS
        body = ends_ms.to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
        return encode_base64url(body + self._authenticate(body))

    def is_live(self, nonce: str) -> bool:
        """Whether it is one of this gateway, neither over nor used."""
        body = self._read(nonce)
        return bool(body) and body not in self._used

    def use(self, nonce: str) -> bool:
        """Use it up; False when it is not live: of two who use it at once, one does. Refusal."""
        body = self._read(nonce)
        with self._lock:
            now_ms = self._clock()
            while self._used and next(iter(self._used.values())) <= now_ms:
                self._used.popitem(last=False)
            if not body or body in self._used:
                return False
            if len(self._used) >= NONCES_MAX:
                raise refuse_busy("As many credentials are asked for as fit.", 60)
            # kept for as long as any nonce lasts, so that the oldest entry ends first
            self._used[body] = now_ms + NONCE_MS
            return True

    def _read(self, nonce: str) -> bytes:
        try:
            data = decode_base64url(nonce) if len(nonce) <= _TEXT_MAX else b""
        except TextError:
            return b""
        body, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if len(body) != _TIME_BYTES + _RANDOM_BYTES:
            return b""
        if not hmac.compare_digest(mac, self._authenticate(body)):
            return b""
        return body if self._clock() < int.from_bytes(body[:_TIME_BYTES], "big") else b""

    def _authenticate(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, "sha256")
