"""W3C Verifiable Credentials 2.0: what a credential and a presentation must have. Pure.

Source: VC Data Model 2.0 section 4, Bitstring Status List 1.0 section 2.1. What is in a credential
is not judged here, only its form. The lite profile is the bare minimum: the members of _LITE, one
issuer named by a text, one subject, at most one schema, status and proof.
"""

import re
from typing import Any, Final

import msgspec

from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.moments import InvalidMoment, parse_moment

Document = dict[str, Any]

CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
# What terms mean must not change under a signature, so contexts are those that we know (they are
# never fetched). Terms of a schema of this league need none: undefined-terms gives them a home.
CONTEXTS: Final = frozenset(
    {
        CONTEXT,
        "https://www.w3.org/ns/credentials/undefined-terms/v2",
        "https://www.w3.org/ns/did/v1",
        "https://www.w3.org/ns/did/v1.1",
        "https://w3id.org/security/data-integrity/v2",
        "https://w3id.org/security/multikey/v1",
    }
)
_LITE: Final = frozenset(
    "@context id type issuer validFrom validUntil credentialSubject credentialSchema "
    "credentialStatus proof".split()
)
_MEMBERS_MAX: Final = 64
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20]+")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_ENVELOPES: Final = frozenset(
    {"application/vc+jwt", "application/vc+sd-jwt", "application/dc+sd-jwt"}
)


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

    document: Document
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

    document: Document
    id: str
    types: tuple[str, ...]
    holder: str
    credentials: tuple[Document, ...] = ()
    enveloped: tuple[tuple[str, str], ...] = ()


def parse_credential(data: bytes | Document, *, contexts: frozenset[str] = CONTEXTS) -> Credential:
    """Credential of bytes, or of a document that was parsed strictly. Raises Malformed.

    Codes: those of json_document, and unknown_context, wrong_type, wrong_id, wrong_issuer,
    wrong_subject, malformed_time, wrong_validity, wrong_schema, wrong_status, wrong_member
    (termsOfUse, evidence, refreshService, relatedResource, name, description).
    """
    document = parse_document(data) if isinstance(data, bytes) else data
    _check_contexts(document, contexts)
    types = _read_types(document, "VerifiableCredential")
    subjects = _read_subjects(document)
    valid_from_ms, valid_until_ms = _read_validity(document)
    schemas = tuple(map(_read_schema, _list(document, "credentialSchema", "wrong_schema")))
    statuses = tuple(map(_read_status, _list(document, "credentialStatus", "wrong_status")))
    for name in ("termsOfUse", "evidence", "refreshService"):
        _check_members(document, name)
    _check_related(document)
    _check_words(document)
    return Credential(
        document=document,
        id=_read_id(document, "wrong_id"),
        types=types,
        issuer=_read_party(document, "issuer", "wrong_issuer"),
        subjects=tuple(each for each in subjects if each),
        valid_from_ms=valid_from_ms,
        valid_until_ms=valid_until_ms,
        schemas=schemas,
        statuses=statuses,
        is_lite=_is_lite(document, len(subjects), len(schemas), len(statuses)),
    )


def parse_presentation(
    data: bytes | Document, *, contexts: frozenset[str] = CONTEXTS
) -> Presentation:
    """Presentation of bytes, or of a document that was parsed strictly. Raises Malformed.

    The credentials in it are not parsed. Codes as of `parse_credential`, and wrong_holder,
    wrong_credential.
    """
    document = parse_document(data) if isinstance(data, bytes) else data
    _check_contexts(document, contexts)
    types = _read_types(document, "VerifiablePresentation")
    holder = "" if "holder" not in document else _read_party(document, "holder", "wrong_holder")
    credentials: list[Document] = []
    enveloped: list[tuple[str, str]] = []
    for each in _list(document, "verifiableCredential", "wrong_credential"):
        if "EnvelopedVerifiableCredential" in _as_list(each.get("type")):
            enveloped.append(_open_envelope(each))
        else:
            credentials.append(each)
    return Presentation(
        document=document,
        id=_read_id(document, "wrong_id"),
        types=types,
        holder=holder,
        credentials=tuple(credentials),
        enveloped=tuple(enveloped),
    )


def _check_contexts(document: Document, contexts: frozenset[str]) -> None:
    found = document.get("@context")
    if not isinstance(found, list) or not found or found[0] != CONTEXT:
        raise Malformed("unknown_context", f"the first context is {CONTEXT}")
    if not all(isinstance(each, str) and each in contexts for each in found):
        raise Malformed("unknown_context", "a context that is not known here")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _list(document: Document, name: str, code: str) -> list[Document]:
    """One object or several; none when the member is not there. Raises Malformed."""
    if name not in document:
        return []
    found = _as_list(document[name])
    if not found or len(found) > _MEMBERS_MAX or not all(isinstance(each, dict) for each in found):
        raise Malformed(code, f"{name} is an object or a list of objects")
    return found


def _is_type(value: Any) -> bool:
    found = _as_list(value)
    return bool(found) and all(isinstance(each, str) and each for each in found)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 2048 and _URL.fullmatch(value) is not None


def _read_types(document: Document, asked: str) -> tuple[str, ...]:
    found = _as_list(document.get("type"))
    if not _is_type(found) or len(set(found)) != len(found) or asked not in found:
        raise Malformed("wrong_type", f"type names {asked} and each type once")
    return tuple(found)


def _read_id(document: Document, code: str) -> str:
    """The id, "" when there is none. Raises Malformed."""
    if "id" not in document:
        return ""
    found = document["id"]
    if not _is_url(found):
        raise Malformed(code, "an id is a URL")
    return str(found)


def _read_party(document: Document, name: str, code: str) -> str:
    found = document.get(name)
    party = found.get("id") if isinstance(found, dict) else found
    if not _is_url(party):
        raise Malformed(code, f"{name} is a URL, or an object whose id is one")
    return str(party)


def _read_subjects(document: Document) -> list[str]:
    found = _list(document, "credentialSubject", "wrong_subject")
    if not found or not all(found):
        raise Malformed("wrong_subject", "a credential says something about a subject")
    return [_read_id(each, "wrong_subject") for each in found]


def _read_validity(document: Document) -> tuple[int | None, int | None]:
    since_ms, until_ms = (_read_moment(document, name) for name in ("validFrom", "validUntil"))
    if since_ms is not None and until_ms is not None and until_ms < since_ms:
        raise Malformed("wrong_validity", "validUntil is before validFrom")
    return since_ms, until_ms


def _read_moment(document: Document, name: str) -> int | None:
    if name not in document:
        return None
    found = document[name]
    try:
        return parse_moment(found if isinstance(found, str) else "")
    except InvalidMoment as error:
        raise Malformed("malformed_time", f"{name}: {error}") from error


def _read_schema(schema: Document) -> SchemaReference:
    kind = schema.get("type")
    if not _is_url(schema.get("id")) or not isinstance(kind, str) or not kind:
        raise Malformed("wrong_schema", "a schema has a URL as its id, and a type")
    return SchemaReference(schema["id"], kind)


def _read_status(status: Document) -> StatusReference:
    kind, status_id = status.get("type"), _read_id(status, "wrong_status")
    if not isinstance(kind, str) or not kind:
        raise Malformed("wrong_status", "a status has a type")
    if kind != "BitstringStatusListEntry":
        return StatusReference(kind, id=status_id)
    purpose, index = status.get("statusPurpose"), status.get("statusListIndex")
    if (
        not isinstance(purpose, str)
        or not purpose
        or not _is_url(status.get("statusListCredential"))
    ):
        raise Malformed("wrong_status", "an entry has a purpose and the URL of its list")
    if not isinstance(index, str) or _INDEX.fullmatch(index) is None:
        raise Malformed("wrong_status", "the index of an entry is a number as a text")
    return StatusReference(kind, purpose, status["statusListCredential"], int(index), status_id)


def _check_members(document: Document, name: str) -> None:
    for each in _list(document, name, "wrong_member"):
        if not _is_type(each.get("type")) or ("id" in each and not _is_url(each["id"])):
            raise Malformed("wrong_member", f"each of {name} has a type, and a URL if it has an id")


def _check_related(document: Document) -> None:
    """Resources that the credential points at are bound by their digests (VC 2.0, 5.3)."""
    seen: set[str] = set()
    for each in _list(document, "relatedResource", "wrong_member"):
        digests = [each.get(name) for name in ("digestSRI", "digestMultibase") if name in each]
        if not _is_url(each.get("id")) or each["id"] in seen or not digests:
            raise Malformed("wrong_member", "each related resource has its own URL and a digest")
        if not all(isinstance(digest, str) and digest for digest in digests):
            raise Malformed("wrong_member", "a digest is a text")
        seen.add(each["id"])


def _check_words(document: Document) -> None:
    """name and description: a text, or texts with their languages (VC 2.0, 11.1)."""
    for name in ("name", "description"):
        for each in _as_list(document.get(name, "")):
            if isinstance(each, str):
                continue
            if not isinstance(each, dict) or not isinstance(each.get("@value"), str):
                raise Malformed("wrong_member", f"{name} is a text, or texts with languages")


def _open_envelope(envelope: Document) -> tuple[str, str]:
    """Media type and text of a data: URL (VC Data Model 2.0, 4.12)."""
    found = envelope.get("id")
    head, mark, text = found.partition(",") if isinstance(found, str) else ("", "", "")
    media = head.removeprefix("data:")
    if not (mark and text and head.startswith("data:") and media in _ENVELOPES):
        raise Malformed("wrong_credential", "not an envelope that is known here")
    return media, text


def _is_lite(document: Document, subjects: int, schemas: int, statuses: int) -> bool:
    is_single = subjects == 1 and schemas <= 1 and statuses <= 1
    has_text = isinstance(document.get("issuer"), str)
    one_proof = len(_as_list(document.get("proof"))) == 1
    return document.keys() <= _LITE and is_single and has_text and one_proof
