"""What the types of an application do not say: the life cycles of its records and the meanings of
its fields. Pages and forms derive from it (D15). Pure.
"""

from typing import Literal

import msgspec

from hansa.ledger.model import Record

Meaning = Literal[
    "amount",  # integer in minor units: `scale` digits after the point, of the currency in `unit`
    "rate",  # integer: a per cent with `scale` digits after the point
    "decimal",  # integer: a number with `scale` digits after the point, of the unit in `unit`
    "date",  # text, YYYY-MM-DD
    "time",  # integer, ms since 1970 (also every field NAME_ms)
    "duration",  # integer, ms
    "height",  # integer, height of a block (also every field of that name)
    "party",  # DID of a member or an account (also every field with the pattern of one)
    "member",  # DID of a member
    "record",  # key of a record of the kind `record` (`kind`, or `app/kind`)
    "identifier",  # text `scheme:value`, or of the one scheme `scheme`, with its check digits
    "scheme",  # the scheme of the identifier beside it
    "currency",  # ISO 4217 code
    "jurisdiction",  # ISO 3166-1 alpha-2 code
    "commitment",  # base64url of the salted commitment to a private document
    "digest",  # lower-case hex SHA-256 of a document that stays off chain
    "document",  # a whole document as text
    "application",  # name of an application
    "role",  # a role of the application that the field `unit` names
    "message",  # a message type of the application that the field `unit` names
    "text",  # as the type says: nothing of the above, whatever the name
]


class FieldMeaning(msgspec.Struct, frozen=True):
    """What fields of this name mean in messages, records, events and tables of the application.

    `name`: `amount`, or `Quota.count` where only that type's is meant; a table is a type too.
    `unit`, `scale_of`: names of the fields beside it that say the unit and the scale; `record`,
    `scheme`: see Meaning.
    """

    name: str
    meaning: Meaning
    scale: int = 0
    unit: str = ""
    scale_of: str = ""
    record: str = ""
    scheme: str = ""


class Transition(msgspec.Struct, frozen=True):
    """A message that brings a record from one of `sources` to `target`; no sources: it begins."""

    message: str
    sources: tuple[str, ...]
    target: str


class Lifecycle(msgspec.Struct, frozen=True):
    """The states that a field of a record goes through, in the order in which they are drawn.

    The state is the field's value. Where that is none of `states`, the field is a mark: empty, zero
    or false is the first state, anything else the last.
    """

    record: type[Record]
    field: str
    states: tuple[str, ...]
    transitions: tuple[Transition, ...]


def find_meaning(fields: tuple[FieldMeaning, ...], type_: str, name: str) -> FieldMeaning | None:
    """What `name` means in `type_`: its own entry before that of all fields of the name."""
    own = f"{type_}.{name}"
    found = {field.name: field for field in fields}
    return found.get(own) or found.get(name)


__all__ = ["FieldMeaning", "Lifecycle", "Meaning", "Transition", "find_meaning"]
