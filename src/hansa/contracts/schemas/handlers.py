"""Rules of schemas, K1 to K5 of `model`: what is published, under whose name, in which version."""

from typing import Any

from msgspec.structs import replace

from hansa.contracts.accounts.authority import is_administrator
from hansa.contracts.schemas.model import (
    VERSIONS_MAX,
    DeprecateSchema,
    DescribeSchema,
    PublishedVersion,
    PublishSchema,
    PublishStandard,
    Schema,
    SchemaDeprecated,
    SchemaDescribed,
    SchemaLine,
    SchemaPublished,
    UpdateSchema,
)
from hansa.contracts.schemas.rejections import (
    AlreadyDeprecated,
    AlreadyPublished,
    Incompatible,
    NameTaken,
    NoSuchSchema,
    NotAllowedToPublish,
    NotCanonical,
    NotTheOwner,
    TooManyVersions,
    WrongPredecessor,
    WrongSchema,
    WrongVersion,
)
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import CanonicalError, decode_canonical
from hansa.identity.json_schema import InvalidSchema, check_schema, find_incompatible
from hansa.ledger.context import GOVERNANCE, Context, ReadContext
from hansa.ledger.contracts import Contract, Role
from hansa.primitives.limits import RECORD_BYTES_MAX

contract = Contract(
    "schemas",
    roles=(
        Role("publisher", granted_by=("member_admin",), text="Publishes schemas of its member"),
    ),
    records=(Schema, SchemaLine),
)

_AnyPublication = PublishSchema | UpdateSchema | PublishStandard


@contract.handles(PublishSchema)
def publish_schema(ctx: Context, message: PublishSchema) -> None:
    """K1, K2."""
    # READ
    line = ctx.get(SchemaLine, message.name)

    # CHECK
    _require_publisher(ctx)
    if line is not None:
        raise NameTaken(name=line.name, owner=line.owner)

    # WRITE, EMIT
    _publish(ctx, message, SchemaLine(name=message.name, owner=ctx.member, versions=()))


@contract.handles(UpdateSchema)
def update_schema(ctx: Context, message: UpdateSchema) -> None:
    """K1 to K3."""
    # READ
    line = ctx.get(SchemaLine, message.name)

    # CHECK
    _require_publisher(ctx)
    if line is None:
        raise NoSuchSchema(schema=message.name)
    if line.owner != ctx.member:
        raise NotTheOwner(name=line.name, owner=line.owner)

    # WRITE, EMIT
    _publish(ctx, message, line, message.replaces)


@contract.handles(PublishStandard)
def publish_standard(ctx: Context, message: PublishStandard) -> None:
    """K1 to K3: a standard of the league, new or further."""
    # READ
    line = ctx.get(SchemaLine, message.name)

    # CHECK
    if line is not None and line.owner != GOVERNANCE:
        raise NotTheOwner(name=line.name, owner=line.owner)
    if line is not None and not message.replaces:
        raise NameTaken(name=line.name, owner=line.owner)

    # WRITE, EMIT
    started = line or SchemaLine(name=message.name, owner=GOVERNANCE, versions=())
    _publish(ctx, message, started, message.replaces)


@contract.handles(DescribeSchema)
def describe_schema(ctx: Context, message: DescribeSchema) -> None:
    """K5."""
    # READ
    schema = _need_schema(ctx, message.schema)

    # CHECK
    _require_owner(ctx, schema)

    # WRITE
    ctx.put(replace(schema, labels=message.labels, type_metadata=message.type_metadata))

    # EMIT
    ctx.emit(
        SchemaDescribed(
            schema=schema.id,
            name=schema.name,
            version=schema.version,
            owner=schema.owner,
            type_metadata=message.type_metadata,
            labels=message.labels,
        )
    )


@contract.handles(DeprecateSchema)
def deprecate_schema(ctx: Context, message: DeprecateSchema) -> None:
    """K4: by its owner, or governance."""
    # READ
    schema = _need_schema(ctx, message.schema)

    # CHECK
    if ctx.sender != GOVERNANCE:
        _require_owner(ctx, schema)
    if schema.deprecated_ms is not None:
        raise AlreadyDeprecated(name=schema.name, version=schema.version)
    if message.successor == schema.id:
        raise NoSuchSchema(schema=message.successor)
    if message.successor:
        _need_schema(ctx, message.successor)

    # WRITE
    ctx.put(
        replace(
            schema,
            deprecated_ms=ctx.time_ms,
            deprecation=message.reason,
            successor=message.successor,
        )
    )

    # EMIT
    ctx.emit(
        SchemaDeprecated(
            schema=schema.id,
            name=schema.name,
            version=schema.version,
            owner=schema.owner,
            since_ms=ctx.time_ms,
            reason=message.reason,
            successor=message.successor,
        )
    )


@contract.view("schema")
def view_schema(ctx: ReadContext, schema: str) -> Schema | None:
    """The schema of this id."""
    return ctx.get(Schema, schema)


@contract.view("is_scope")
def view_is_scope(ctx: ReadContext, reference: str) -> bool:
    """Whether a schema's id, or a line `name:major`, names something that is published."""
    name, colon, major = reference.partition(":")
    if not colon:
        return ctx.get(Schema, name) is not None
    line = ctx.get(SchemaLine, name)
    return line is not None and any(
        each.version.partition(".")[0] == major for each in line.versions
    )


def parse_version(version: str) -> tuple[int, int, int]:
    """The three numbers of a version."""
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)


def read_document(document: str) -> dict[str, Any]:
    """The schema in a canonical document. Raises NotCanonical, WrongSchema (K1)."""
    try:
        decoded = decode_canonical(document.encode(), size_max=RECORD_BYTES_MAX)
    except (CanonicalError, UnicodeEncodeError) as error:
        raise NotCanonical(problem=str(error)) from error
    if not isinstance(decoded, dict):
        raise NotCanonical(problem="not an object")
    try:
        check_schema(decoded)
    except InvalidSchema as error:
        raise WrongSchema(problem=error.code, path=error.path or "/") from error
    return decoded


def _publish(ctx: Context, message: _AnyPublication, line: SchemaLine, replaces: str = "") -> None:
    """Check the document and its version against the line, and write both (K1, K3)."""
    document = read_document(message.document)
    schema = sha256(message.document.encode()).hex()
    known = ctx.get(Schema, schema)
    if known is not None:
        raise AlreadyPublished(schema=schema, name=known.name, version=known.version)
    if len(line.versions) >= VERSIONS_MAX:
        raise TooManyVersions(name=line.name, limit=VERSIONS_MAX)
    _check_version(ctx, message, line, replaces, document)

    ctx.put(
        Schema(
            id=schema,
            name=line.name,
            version=message.version,
            document=message.document,
            owner=line.owner,
            replaces=replaces,
            vct=message.vct,
            type_metadata=message.type_metadata,
            labels=message.labels,
            is_standard=line.owner == GOVERNANCE,
            published_ms=ctx.time_ms,
        )
    )
    published = PublishedVersion(version=message.version, schema=schema)
    ctx.put(replace(line, versions=(*line.versions, published)))
    ctx.emit(
        SchemaPublished(
            schema=schema,
            name=line.name,
            version=message.version,
            owner=line.owner,
            replaces=replaces,
            is_standard=line.owner == GOVERNANCE,
            vct=message.vct,
        )
    )


def _check_version(
    ctx: Context,
    message: _AnyPublication,
    line: SchemaLine,
    replaces: str,
    document: dict[str, Any],
) -> None:
    """It rises within its major, or above all; within a major it is compatible (K3)."""
    before = _find_predecessor(line, message.version)
    if replaces != (before.schema if before else ""):
        raise WrongPredecessor(
            name=line.name,
            version=message.version,
            expected=before.version if before else "nothing",
            replaces=replaces or "nothing",
        )
    if before is None:
        return
    new, old = parse_version(message.version), parse_version(before.version)
    if new <= old:
        raise WrongVersion(name=line.name, version=message.version, newest=before.version)
    if new[0] == old[0]:
        replaced = ctx.need(Schema, before.schema)
        found = find_incompatible(read_document(replaced.document), document)
        if found:
            path, problem = found[0]
            raise Incompatible(
                newest=before.version, problem=problem, path=path or "/", more=len(found) - 1
            )


def _find_predecessor(line: SchemaLine, version: str) -> PublishedVersion | None:
    """The newest version of the same major, else the newest of all."""
    major = parse_version(version)[0]
    own = [each for each in line.versions if parse_version(each.version)[0] == major]
    found = own or list(line.versions)
    return max(found, key=lambda each: parse_version(each.version), default=None)


def _need_schema(ctx: Context, schema: str) -> Schema:
    found = ctx.get(Schema, schema)
    if found is None:
        raise NoSuchSchema(schema=schema)
    return found


def _require_publisher(ctx: Context) -> None:
    if not is_administrator(ctx, ctx.member) and not ctx.has_role("publisher"):
        raise NotAllowedToPublish(member=ctx.member or ctx.sender)


def _require_owner(ctx: Context, schema: Schema) -> None:
    if ctx.sender == GOVERNANCE == schema.owner:
        return
    if ctx.is_internal or schema.owner != ctx.member:
        raise NotTheOwner(name=schema.name, owner=schema.owner)
    _require_publisher(ctx)
