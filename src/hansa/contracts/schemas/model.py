"""What the contract `schemas` speaks of: records, messages and events. Pure.

K1  A schema's id is the SHA-256 of its canonical document, in hex. The document is a JSON Schema of
    the league's profile of 2020-12 (`identity.json_schema`): no references abroad, no recursion.
K2  A name belongs to the member that first published under it, or to governance: a standard.
    Only its owner publishes further versions.
K3  Versions (MAJOR.MINOR.PATCH) rise within their major; an update that refuses or forgets what its
    predecessor accepted needs a new major version.
K4  A schema never changes and never goes; its owner or governance deprecates it, for good.
K5  Labels in the league's languages and type metadata stay off chain; their digests are here, and
    only they may be replaced.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from hansa.contracts.fields import DocumentDigest, Reason
from hansa.identity.links import list_scope_names
from hansa.ledger.model import Event, Message, Record, Visibility

# A record holds it twice escaped at worst; larger schemas are several schemas.
DOCUMENT_CHARACTERS_MAX = 60_000
# Versions of one name: its index is read at every update.
VERSIONS_MAX = 256

SchemaId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256 of the document in hex")
]
SchemaName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$(?!\n)",
        max_length=64,
        description="name of a schema: a-z 0-9 . _ -",
    ),
]
Version = Annotated[
    str,
    Meta(
        pattern=r"^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$(?!\n)",
        description="semantic version: MAJOR.MINOR.PATCH",
    ),
]
SchemaDocument = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=DOCUMENT_CHARACTERS_MAX,
        description="JSON Schema 2020-12 as canonical JSON",
    ),
]
# Type of SD-JWT VCs: a URL or a name (draft-ietf-oauth-sd-jwt-vc, 3.2.2.1).
Vct = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z][A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?$(?!\n)",
        max_length=200,
        description='type of SD-JWT VCs made by it, or ""',
    ),
]


class Schema(Record, frozen=True, kw_only=True):
    """A published version. `document`: canonical JSON. `replaces`: id of its predecessor, or "".

    `owner`: a member, or "governance". `vct`: type of SD-JWT VCs; `type_metadata` and `labels`:
    digests of what is said of it off chain. `deprecated_ms`: since when it is not to be used anew.
    """

    KIND: ClassVar[str] = "schema"
    VISIBILITY: ClassVar[Visibility] = "public"
    ABSENCE: ClassVar[Visibility] = "public"

    id: SchemaId
    name: str
    version: str
    document: str
    owner: str
    replaces: str = ""
    vct: str = ""
    type_metadata: str = ""
    labels: str = ""
    is_standard: bool = False
    published_ms: int
    deprecated_ms: int | None = None
    deprecation: str = ""
    successor: str = ""

    @property
    def scope_names(self) -> tuple[str, ...]:
        """How the scope of an accreditation may name it: its id, and its line `name:major`."""
        return list_scope_names(self.id, self.name, self.version)


class PublishedVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a name, and the schema's id."""

    version: str
    schema: str


class SchemaLine(Record, frozen=True, kw_only=True):
    """A name: whose it is, and its versions in order of publication."""

    KIND: ClassVar[str] = "schema_line"
    KEY: ClassVar[tuple[str, ...]] = ("name",)
    VISIBILITY: ClassVar[Visibility] = "public"
    ABSENCE: ClassVar[Visibility] = "public"

    name: SchemaName
    owner: str
    versions: tuple[PublishedVersion, ...]


class _Publication(Message, frozen=True, kw_only=True):
    # A large document is checked, and compared with the one before it, for a tenth of a second.
    COST: ClassVar[int] = 100

    name: SchemaName
    version: Version
    document: SchemaDocument
    vct: Vct = ""
    type_metadata: DocumentDigest = ""
    labels: DocumentDigest = ""


class PublishSchema(_Publication, frozen=True, kw_only=True):
    """Publish a schema under a new name, which is the sender's member's from then on."""


class UpdateSchema(_Publication, frozen=True, kw_only=True):
    """Publish a further version under a name of the sender's member.

    `replaces`: id of the newest version of the same major, or of the newest of all for a new major.
    """

    replaces: SchemaId


class PublishStandard(_Publication, frozen=True, kw_only=True):
    """Publish a schema as a standard of the league. `replaces`: as for an update, or ""."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    replaces: DocumentDigest = ""


class DescribeSchema(Message, frozen=True, kw_only=True):
    """Replace the digests of labels and type metadata: what is said of a schema, not what it is."""

    GOVERNED: ClassVar[bool] = True

    schema: SchemaId
    type_metadata: DocumentDigest = ""
    labels: DocumentDigest = ""


class DeprecateSchema(Message, frozen=True, kw_only=True):
    """Say that a schema is not to be used anew; what was made by it stays good.

    `successor`: id of the schema to use instead, or "".
    """

    GOVERNED: ClassVar[bool] = True

    schema: SchemaId
    reason: Reason
    successor: DocumentDigest = ""


class _SchemaEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "public"

    schema: str
    name: str
    version: str
    owner: str


class SchemaPublished(_SchemaEvent, frozen=True, kw_only=True):
    """A version was published."""

    replaces: str
    is_standard: bool
    vct: str


class SchemaDescribed(_SchemaEvent, frozen=True, kw_only=True):
    """Labels or type metadata of a schema were replaced."""

    type_metadata: str
    labels: str


class SchemaDeprecated(_SchemaEvent, frozen=True, kw_only=True):
    """A schema is not to be used anew since `since_ms`."""

    since_ms: int
    reason: str
    successor: str
