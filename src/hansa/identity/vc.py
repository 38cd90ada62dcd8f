"""W3C Verifiable Credentials 2.0: what a credential and a presentation must have. Pure.

Source: VC Data Model 2.0 section 4. What is in a credential is not judged here, only its form.
"""

from typing import Any

import msgspec


class SchemaReference(msgspec.Struct, frozen=True):
    """A member of credentialSchema."""

    id: str
    type: str


class StatusReference(msgspec.Struct, frozen=True):
    """A member of credentialStatus: `list` and `index` where the type is a bitstring's entry."""

    type: str
    purpose: str = ""
    list: str = ""
    index: int = -1
    id: str = ""


class Credential(msgspec.Struct, frozen=True):
    """A credential whose form is right; `document` is all of it, proofs too.

    `subjects`: ids of the subjects that have one. Times in ms; None: no bound. `is_lite`: it keeps
    to the bare minimum profile.
    """

    document: dict[str, Any]
    id: str
    types: tuple[str, ...]
    issuer: str
    subjects: tuple[str, ...]
    valid_from_ms: int | None = None
    valid_until_ms: int | None = None
    schemas: tuple[SchemaReference, ...] = ()
    statuses: tuple[StatusReference, ...] = ()
    is_lite: bool = False


class Presentation(msgspec.Struct, frozen=True):
    """A presentation: `credentials` embedded as objects, `enveloped` as their media type and text.

    `holder` is "" when the presentation names none.
    """

    document: dict[str, Any]
    id: str
    types: tuple[str, ...]
    holder: str
    credentials: tuple[dict[str, Any], ...] = ()
    enveloped: tuple[tuple[str, str], ...] = ()


def parse_credential(data: bytes | dict[str, Any]) -> Credential:
    """Credential of bytes, or of a document that was parsed strictly. Raises Malformed."""
    raise NotImplementedError


def parse_presentation(data: bytes | dict[str, Any]) -> Presentation:
    """Presentation of bytes, or of a document that was parsed strictly. Raises Malformed."""
    raise NotImplementedError
