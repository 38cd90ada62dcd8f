"""What a contract is made of: records, messages and events as frozen, versioned types. Pure.

Released versions never change (D7): a new version is a new class with the next `tag`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import msgspec

from hansa.ledger.rejections import Rejection
from hansa.primitives.limits import INTEGER_MAX, KEY_BYTES_MAX, KEY_PART_MAX

Visibility = Literal["public", "league", "parties"]

_PART = re.compile(rf"[A-Za-z0-9._:~#+-]{{1,{KEY_PART_MAX}}}")
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,18}")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="v", tag=1):
    """A typed value in state, stored as canonical JSON `{"v":1,…}` under `app/KIND/key parts`.

    KIND: snake_case name. KEY: names of the fields that identify it; KEY_DIGITS: how many digits
    a number has there, so that text order is its order; KEY_FORM: the key for people, where KEY
    does not say it. VISIBILITY (D8): who may read it at a
    gateway; `parties` means the DIDs (members' or accounts') of `parties()` and holders of the
    roles in READERS (`app.role`). ABSENCE: who else may have it proved that there is no such
    record. OWNER: set only where the kernel itself reads the record.
    """

    OWNER: ClassVar[str] = ""
    KIND: ClassVar[str] = ""
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({})
    KEY_FORM: ClassVar[str] = ""
    VISIBILITY: ClassVar[Visibility] = "parties"
    ABSENCE: ClassVar[Visibility] = "parties"
    READERS: ClassVar[tuple[str, ...]] = ()

    def key(self) -> tuple[str, ...]:
        """The parts of this record's identifier, in order."""
        digits = self.KEY_DIGITS
        if not digits:
            return tuple([str(getattr(self, name)) for name in self.KEY])
        return tuple([str(getattr(self, name)).zfill(digits.get(name, 0)) for name in self.KEY])

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """Whether a record of this kind can stand under these parts: the fields of KEY, each in
        its one spelling. A kind that overrides `key`, or knows more of its parts, overrides this.
        """
        return len(parts) == len(cls.KEY) and all(
            _is_spelt(part, type_, cls.KEY_DIGITS.get(name, 0))
            for name, part, type_ in zip(cls.KEY, parts, _list_key_types(cls), strict=True)
        )

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


class ImpossibleKey(Rejection):
    """An identifier under which no record of the kind can ever stand: its absence says nothing."""

    CODE = "impossible_key"
    RULE = "D22"
    TEXT = "No {kind} can have this identifier; it has the form {form}."
    REMEDY = "Give each part in full, in its one spelling: numbers without needless zeros."


def check_key_shape(kind: type[Record], parts: tuple[str, ...]) -> None:
    """Raise ImpossibleKey unless a record of `kind` can stand under `parts`.

    Without it a mistyped identifier would be proved absent, which reads as "never happened".
    """
    if not all(map(is_key_part, parts)) or not kind.is_key(parts):
        raise ImpossibleKey(kind=kind.KIND, form=kind.KEY_FORM or "/".join(kind.KEY).upper())


@lru_cache(maxsize=1_024)
def _list_key_types(kind: type[Record]) -> tuple[Any, ...]:
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    return tuple(types[name] for name in kind.KEY)


def _is_spelt(part: str, type_: Any, digits: int) -> bool:
    """Whether `part` is how a value of the field's type is written in a key."""
    if _converts(part, type_):
        return True
    number = part.lstrip("0") or "0" if digits else part
    if _DECIMAL.fullmatch(number) is None or number.zfill(digits) != part:
        return False
    return abs(int(number)) <= INTEGER_MAX and _converts(int(number), type_)


def _converts(value: str | int, type_: Any) -> bool:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return False
    return True


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
