"""What the console signs for itself: form tokens against forgery (CSRF) and notices. Pure.

The secret lives as long as the process, as the API's sessions do.
"""

import hmac
import secrets
from typing import Final

import msgspec

from hansa.console.encoded import decode_text, encode_text

_MAC_BYTES: Final = 32
# A notice is a sentence or two; browsers keep cookies of at most 4096 bytes.
_NOTICE_CHARACTERS_MAX: Final = 600
_NOTICES_MAX: Final = 3


class Notice(msgspec.Struct, frozen=True):
    """A word to the reader on the next page. kind: `done`, `news`, `warning` or `refused`."""

    kind: str
    text: str


class Seal:
    """Signs and checks. One for each console."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(_MAC_BYTES)

    def make_form_token(self, visitor: str, token: str) -> str:
        """The token of every form of one visitor (cookie) and session (bearer token)."""
        return encode_text(self._sign("form", f"{visitor}\x00{token}".encode()))

    def is_form_token(self, given: str, visitor: str, token: str) -> bool:
        """Whether a form came from a page that this visitor was shown in this session."""
        if not visitor or not given.isascii():
            return False
        return hmac.compare_digest(given, self.make_form_token(visitor, token))

    def write_notices(self, notices: list[Notice]) -> str:
        """Notices as a cookie's value."""
        kept = [
            Notice(each.kind, each.text[:_NOTICE_CHARACTERS_MAX])
            for each in notices[-_NOTICES_MAX:]
        ]
        body = msgspec.json.encode(kept)
        return f"{encode_text(body)}.{encode_text(self._sign('notice', body))}"

    def read_notices(self, text: str) -> list[Notice]:
        """Notices of a cookie; none when it is not ours."""
        body, mac = (decode_text(part) for part in (text + ".").split(".")[:2])
        if not body or not hmac.compare_digest(mac, self._sign("notice", body)):
            return []
        return msgspec.json.decode(body, type=list[Notice])

    def _sign(self, purpose: str, data: bytes) -> bytes:
        return hmac.digest(self._secret, purpose.encode() + b"\x00" + data, "sha256")
