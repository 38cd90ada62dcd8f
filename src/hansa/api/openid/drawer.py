"""What offers, tokens and requests leave behind until they are over: sealed entries in the node's
notebook, each under a secret that the gateway does not keep.

An entry's name is a digest of its secret and its content is encrypted by it: whoever reads the file
reads nothing, and the gateway itself only while somebody shows the secret. Bounded; ends by time.
"""

import hmac
import secrets
import threading
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hansa.api.notebook import AppNotebook
from hansa.api.openid.limits import ENTRIES_MAX
from hansa.api.problems import refuse_busy
from hansa.encoding.text import encode_base64url

T = TypeVar("T", bound=msgspec.Struct)
SECRET_BYTES: Final = 24
# Longer is no secret of ours; a pairing code is the shortest.
_SECRET_MAX: Final = 64
_ENDS_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_PAGE: Final = 500


def draw_secret() -> str:
    """A new secret: 192 random bits as 32 plain characters. The first is no "-": some are given to
    commands, which would take it for an option.
    """
    while True:
        secret = encode_base64url(secrets.token_bytes(SECRET_BYTES))
        if not secret.startswith("-"):
            return secret


class Drawer:
    """The entries of one gateway; used from any thread. Several steps that belong together are
    made under `lock`.
    """

    def __init__(self, notebook: AppNotebook, clock: Callable[[], int]) -> None:
        self._notebook, self._clock = notebook, clock
        self._ends: dict[str, int] | None = None
        self._look_ms = 0
        self.lock = threading.RLock()

    def put(self, kind: str, secret: str, value: msgspec.Struct, ends_ms: int) -> None:
        """Write or replace an entry. Raises Refusal when there is no room."""
        name, key = _derive(kind, secret)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        box = AESGCM(key).encrypt(nonce, msgspec.json.encode(value), name.encode())
        with self.lock:
            ends = self._tidy()
            if name not in ends and len(ends) >= ENTRIES_MAX:
                raise refuse_busy("As many offers and requests are open as fit.", 60)
            data = ends_ms.to_bytes(_ENDS_BYTES, "big") + nonce + box
            self._notebook.change({name: data})
            ends[name] = ends_ms

    def find(self, kind: str, secret: str, type_: type[T]) -> tuple[T, int] | None:
        """The entry and when it ends; None when there is none, or it is over."""
        if not 0 < len(secret) <= _SECRET_MAX or not secret.isascii():
            return None
        name, key = _derive(kind, secret)
        data = self._notebook.get(name)
        if data is None:
            return None
        ends_ms = int.from_bytes(data[:_ENDS_BYTES], "big")
        if ends_ms <= self._clock():
            return None
        rest = data[_ENDS_BYTES:]
        try:
            plain = AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], name.encode())
            return msgspec.json.decode(plain, type=type_), ends_ms
        except (InvalidTag, msgspec.MsgspecError):
            return None  # of another release, or damaged: it counts for nothing

    def drop(self, kind: str, secret: str) -> None:
        """Forget an entry."""
        name, _key = _derive(kind, secret)
        with self.lock:
            self._notebook.change({}, [name])
            if self._ends is not None:
                self._ends.pop(name, None)

    def take(self, kind: str, secret: str, type_: type[T]) -> tuple[T, int] | None:
        """As `find`, and forget it: of two who ask, one gets it."""
        with self.lock:
            found = self.find(kind, secret, type_)
            if found is not None:
                self.drop(kind, secret)
            return found

    def __len__(self) -> int:
        with self.lock:
            return len(self._tidy())

    def _tidy(self) -> dict[str, int]:
        """Ends of all entries that are not over; those that are get deleted. Under the lock."""
        if self._ends is None:
            self._ends = self._load()
        now_ms = self._clock()
        if now_ms >= self._look_ms or len(self._ends) >= ENTRIES_MAX:
            over = [name for name, ends_ms in self._ends.items() if ends_ms <= now_ms]
            if over:
                self._notebook.change({}, over)
            for name in over:
                del self._ends[name]
            self._look_ms = now_ms + 1_000
        return self._ends

    def _load(self) -> dict[str, int]:
        ends: dict[str, int] = {}
        after = ""
        while page := self._notebook.list("", after, _PAGE):
            ends |= {name: int.from_bytes(data[:_ENDS_BYTES], "big") for name, data in page}
            after = page[-1][0]
        return ends


def _derive(kind: str, secret: str) -> tuple[str, bytes]:
    """Name of an entry, and the key that seals it."""
    name = hmac.digest(secret.encode(), f"hansa.openid/name/{kind}".encode(), "sha256").hex()
    key = hmac.digest(secret.encode(), f"hansa.openid/seal/{kind}".encode(), "sha256")
    return f"{kind}/{name}", key
