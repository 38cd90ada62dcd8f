"""Partners of an event behind salted commitments: what they were lies in the vault, to be opened.

The hidden event says `urn:hansa:hidden:<commitment>` for each source, destination and business
transaction; its hash id is computed anew, as one over the plain values could be guessed. The same
event is hidden the same way each time: the journal has what was written, under a name that only
who holds a secret in the vault can compute.
"""

import hmac
import secrets
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from hansa.appkit.command import Door
from hansa.apps.food_trace.documents.hash_id import compute_hash_id
from hansa.apps.food_trace.documents.normal import load_normal
from hansa.apps.food_trace.event import FoodEvent, read_event
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url

HIDDEN: Final = "urn:hansa:hidden:"
OPENING: Final = "hansa.food-trace.opening/1"
NAMING: Final = "hiding"
_LISTS: Final = {
    "sourceList": "source",
    "destinationList": "destination",
    "bizTransactionList": "bizTransaction",
}
_HASH_ID: Final = "ni:///sha-256;"
_encoder: Final = msgspec.json.Encoder(order="sorted")


class SecretLost(Exception):
    """The vault no longer has what names hidden events in the journal."""


class Hider:
    """Hides partners for one account. Touches its vault and its journal."""

    def __init__(self, door: Door, journal: Any) -> None:
        self._door, self._journal = door, journal
        self._secret = self._open_secret()

    def name(self, content: bytes) -> str:
        """A name of some content that says nothing of it without the vault."""
        return hmac.digest(self._secret, content, "sha256").hex()

    def hide(self, document: str) -> tuple[str, FoodEvent]:
        """The event with its partners hidden, and as the contract reads it."""
        fields = load_normal(document)
        named = {key: value for key, value in fields.items() if key != "errorDeclaration"}
        name = f"hidden:{self.name(_encoder.encode(named))}"
        known = self._journal.get(name)
        if known is None:
            known = [self._commit(kind, value) for kind, value, _place in _list_partners(fields)]
            if known:
                self._journal.set(name, known)
        for (_kind, _value, place), hidden in zip(_list_partners(fields), known, strict=True):
            place[0][place[1]] = HIDDEN + hidden["commitment"]
        if known and fields["eventID"].startswith(_HASH_ID):
            fields["eventID"] = compute_hash_id(fields)
        text = _encoder.encode(fields).decode()
        return text, read_event(text)

    def _commit(self, kind: str, value: str) -> dict[str, str]:
        content = encode_canonical({"kind": OPENING, "type": kind, "value": value})
        entry, commitment = self._door.vault.put(content)
        return {"entry": entry, "commitment": commitment}

    def _open_secret(self) -> bytes:
        entry = self._journal.get(NAMING)
        if entry is None:
            secret = secrets.token_bytes(32)
            entry, _commitment = self._door.vault.put(encode_base64url(secret).encode())
            self._journal.set(NAMING, entry)
        found = self._door.vault.get(entry)
        if found is None:
            raise SecretLost
        return found


def _list_partners(fields: dict[str, Any]) -> Iterator[tuple[str, str, tuple[dict[str, Any], str]]]:
    """(type, value, where it stands) of every partner that is not hidden yet."""
    for name, member in _LISTS.items():
        for each in fields.get(name, ()):
            value = each[member]
            if not value.startswith(HIDDEN):
                yield f"{name}/{each.get('type', '')}", value, (each, member)
