"""What a contract is made of: records, messages and events as frozen, versioned types. Pure.

Released versions never change (D7): a new version is a new class with the next `tag`.
"""

import re
from functools import lru_cache
from typing import ClassVar, Literal

import msgspec

from hansa.ledger.rejections import Rejection
from hansa.primitives.limits import KEY_BYTES_MAX, KEY_PART_MAX

Visibility = Literal["public", "league", "parties"]

_PART = re.compile(rf"[A-Za-z0-9._:~#+-]{{1,{KEY_PART_MAX}}}")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="v", tag=1):
    """A typed value in state, stored as canonical JSON `{"v":1,…}` under `app/KIND/key parts`.

    KIND: snake_case name. KEY: names of the fields that identify it. VISIBILITY (D8): who may read
    it at a gateway; `parties` means the DIDs (members' or accounts') of `parties()` and holders of
    the roles in READERS (`app.role`). OWNER: set only where the kernel itself reads the record.
    """

    OWNER: ClassVar[str] = ""
    KIND: ClassVar[str] = ""
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    VISIBILITY: ClassVar[Visibility] = "parties"
    READERS: ClassVar[tuple[str, ...]] = ()

    def key(self) -> tuple[str, ...]:
        """The parts of this record's identifier, in order."""
        return tuple(str(getattr(self, name)) for name in self.KEY)

    def parties(self) -> tuple[str, ...]:
        """DIDs that may read this record when VISIBILITY is `parties`."""
        return ()


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="v", tag=1):
    """One request to a contract. Imperative name. The class docstring is its help text.

    ROLE: role of this application that the sender must hold ("" = any account in good standing, and
    the handler checks). INTERNAL: no account may send it, only deadlines or governance. GOVERNED: a
    proposal may carry it as an action. COST: units (D19).
    """

    ROLE: ClassVar[str] = ""
    INTERNAL: ClassVar[bool] = False
    GOVERNED: ClassVar[bool] = False
    COST: ClassVar[int] = 1


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="v", tag=1):
    """What a contract announces. Past-tense name. Visibility as for records."""

    VISIBILITY: ClassVar[Visibility] = "parties"
    READERS: ClassVar[tuple[str, ...]] = ()

    def parties(self) -> tuple[str, ...]:
        """DIDs that may read this event when VISIBILITY is `parties`."""
        return ()


class UnsafeIdentifier(Rejection):
    """A part of an identifier that no state key may hold."""

    CODE = "unsafe_identifier"
    RULE = "D18"
    TEXT = "An identifier of {kind} is empty, too long or has an unsafe character."
    REMEDY = "Use 1 to 128 of A-Z a-z 0-9 . _ : ~ # + - for each part."


def is_key_part(part: str) -> bool:
    """Whether `part` may stand in a record's identifier: 1 to 128 safe ASCII characters."""
    return _PART.fullmatch(part) is not None


@lru_cache(maxsize=16_384)
def compute_state_key(app: str, kind: str, parts: tuple[str, ...]) -> bytes:
    """State key `app/kind/part/…` as ASCII bytes (D18 without the chain, which the header
    names).
    """
    for part in parts:
        if not is_key_part(part):
            raise UnsafeIdentifier(kind=kind)
    key = "/".join((app, kind, *parts)).encode("ascii")
    if len(key) > KEY_BYTES_MAX:
        raise UnsafeIdentifier(kind=kind)
    return key
