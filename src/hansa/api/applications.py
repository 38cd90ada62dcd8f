"""Routes of applications: what they say of themselves, preparing a message, their tables (D15)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter, RawBody

from hansa.api.drafts import find_algorithm, try_payload
from hansa.api.gate import Gate, TheGate, TheViewer, check_not_stranger
from hansa.api.problems import Refusal, refuse_parameter, refuse_unseen
from hansa.api.query import (
    FILTERS,
    LIMIT_DEFAULT,
    After,
    Limit,
    collect_filters,
    decode_cursor,
    encode_cursor,
    parse_scalar,
)
from hansa.api.records import AppName
from hansa.api.threads import threaded
from hansa.api.views import (
    ApplicationEntry,
    ApplicationList,
    Prepared,
    RowPage,
    Totals,
    TotalView,
)
from hansa.appkit.application import Table
from hansa.appkit.schema import describe_application
from hansa.client.transactions import (
    Draft,
    build_payload,
    choose_expiry,
    compute_transaction_id,
)
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.text import encode_base64url
from hansa.index.projections import Filter, TooManyGroups, compute_totals, list_rows
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Message
from hansa.ledger.transactions import Mode, compute_signing_input
from hansa.primitives.limits import MESSAGE_BYTES_MAX

TypeName = Annotated[str, Parameter(description="Message type.")]
TableName = Annotated[str, Parameter(description="Table of the application.")]
Names = Annotated[str, Parameter(max_length=500, description="Columns, parted by commas.")]
JSON_MEDIA = ("application/json",)
Comparison = Literal["is", "min", "max"]
_COMPARISONS: tuple[tuple[str, Comparison], ...] = (("", "is"), ("_min", "min"), ("_max", "max"))


@get(
    "/v1/apps",
    sync_to_thread=False,
    tags=["applications"],
    summary="The applications of this league's release",
)
def list_applications(gate: TheGate) -> ApplicationList:
    """Every application and system contract."""
    return ApplicationList(
        [
            ApplicationEntry(
                name=app.name,
                title=app.title,
                version=app.contract.version,
                messages=sorted({each.__name__ for each in app.messages}),
                records=sorted({each.KIND for each in app.records}),
                events=sorted({each.__name__ for each in app.events}),
                tables=[table.name for table in app.tables],
            )
            for app in gate.applications.values()
        ]
    )


@get(
    "/v1/apps/{app:str}",
    tags=["applications"],
    summary="What an application says of itself",
    description="Roles, messages, records, events with JSON Schemas, rejections and invariants.",
)
@threaded
def get_application(app: AppName, gate: TheGate) -> dict[str, Any]:
    """The application's own description."""
    return describe_application(gate.application(app))


@post(
    "/v1/apps/{app:str}/messages/{name:str}",
    status_code=200,
    tags=["applications"],
    summary="Prepare a message: check it against its schema, and say what to sign",
    description=(
        "Nothing is stored and nothing is sent. With `signer` (a key's DID URL) the answer holds a "
        "whole payload with a fresh id and what the key must sign. With `trial` too, it says what "
        "the message would result in now, for a key of the asker's own account."
    ),
    opt={"media": JSON_MEDIA},
)
@threaded
def prepare_message(
    app: AppName,
    name: TypeName,
    body: RawBody,
    gate: TheGate,
    viewer: TheViewer,
    signer: Annotated[
        str, Parameter(max_length=120, description="DID URL of the key that will sign.")
    ] = "",
    mode: Annotated[Mode, Parameter(description="All messages or each for itself.")] = "atomic",
    trial: Annotated[bool, Parameter(description="Say what it would result in now.")] = False,
) -> Prepared:
    """The canonical message and what to sign."""
    kind = gate.message(app, name)
    message = _decode_message(kind, body)
    application = gate.application(app).name
    canonical = encode_canonical({"app": application, "body": message, "sender": 0, "type": name})
    height = gate.ledger.height
    expiry = choose_expiry(height)
    prepared = Prepared(
        message=msgspec.json.decode(canonical),
        canonical=canonical.decode(),
        digest=encode_base64url(sha256(canonical)),
        chain=gate.ledger.chain,
        height=height,
        expiry=expiry,
        role=f"{application}.{kind.ROLE}" if kind.ROLE else "",
    )
    if not signer:
        if trial:
            raise refuse_parameter("trial", "needs the signer too")
        return prepared
    payload = build_payload(
        chain=gate.ledger.chain,
        expiry=expiry,
        drafts=[Draft(application, message)],
        signers=[signer],
        mode=mode,
    )
    algorithm = find_algorithm(gate, signer)
    _protected, signing_input = compute_signing_input(signer, algorithm, payload)
    return msgspec.structs.replace(
        prepared,
        payload=payload.decode(),
        signing_input=signing_input.decode(),
        id=compute_transaction_id(payload),
        verdict=try_payload(gate, viewer, payload, signer, algorithm) if trial else None,
    )


def _decode_message(kind: type[Message], body: bytes) -> Message:
    """A message from JSON in any form; `v` may be left out. Raises Refusal."""
    if kind.INTERNAL:
        raise Refusal(
            403,
            "ledger.internal_message",
            f"{kind.__name__} is sent by deadlines or governance only.",
            rule="D17",
            remedy="Propose it through governance.",
        )
    if len(body) > MESSAGE_BYTES_MAX:
        raise Refusal(
            413,
            "api.too_large",
            f"A message has at most {MESSAGE_BYTES_MAX} bytes.",
            remedy="Files belong to the vault.",
        )
    try:
        value = msgspec.json.decode(body)
        if isinstance(value, dict):
            value.setdefault("v", get_version(kind))
        message = msgspec.convert(value, kind)
        decode_canonical(encode_canonical(message), size_max=MESSAGE_BYTES_MAX)
    except msgspec.ValidationError as error:
        raise _refuse_message(kind, str(error)) from error
    except CanonicalError as error:
        raise _refuse_message(kind, str(error)) from error
    except NOT_JSON as error:
        raise Refusal(
            400,
            "api.not_json",
            "The body is not JSON, or nested too deeply.",
            remedy="Send the message as one JSON object in UTF-8.",
        ) from error
    return message


def _refuse_message(kind: type[Message], what: str) -> Refusal:
    text, _sep, path = what.partition(" - at ")
    return Refusal(
        422,
        "api.invalid_message",
        f"Not a {kind.__name__}: {what[:300]}",
        rule="D15",
        remedy="Compare with the schema of the message (GET /v1/apps/APP).",
        params={"path": path.strip("`")[:200] or "$", "what": text[:200]},
    )


@get(
    "/v1/apps/{app:str}/tables/{name:str}",
    tags=["applications"],
    summary="Rows of an application's table that the asker may see",
    description="Each column is a filter: COLUMN=, COLUMN_min=, COLUMN_max=. A page may be short: "
    "only `next` says whether there is more.",
    opt={FILTERS: True},
)
@threaded
def list_table(
    app: AppName,
    name: TableName,
    request: Request[Any, Any, Any],
    gate: TheGate,
    viewer: TheViewer,
    after: After = "",
    limit: Limit = LIMIT_DEFAULT,
) -> RowPage:
    """A page of rows, in the order of their records' identifiers."""
    table = _find_table(gate, app, name)
    application = gate.application(app).name
    kind = gate.kind(table.record.OWNER or application, table.record.KIND)
    check_not_stranger(viewer, kind.sight(viewer))
    cursor = decode_cursor(after, str, int)
    page = list_rows(
        gate.index,
        kind,
        name,
        viewer,
        filters=_build_filters(table, collect_filters(dict(request.query_params), set())),
        after=None if cursor is None else (kind.prefix + str(cursor[0]), cursor[1]),
        limit=limit,
    )
    cut = len(kind.prefix)
    return RowPage(
        items=[{**row, "key": row["key"][cut:]} for row in page.rows],
        next=encode_cursor(None if page.next is None else (str(page.next[0])[cut:], page.next[1])),
    )


@get(
    "/v1/apps/{app:str}/tables/{name:str}/totals",
    tags=["applications"],
    summary="Exact totals over the rows that the asker may see",
    description="Filters as for the rows. Sums are decimal text, exact whatever their size, and "
    "never add up different units (currencies).",
    opt={FILTERS: True},
)
@threaded
def total_table(
    app: AppName,
    name: TableName,
    request: Request[Any, Any, Any],
    gate: TheGate,
    viewer: TheViewer,
    group_by: Names = "",
    sums: Names = "",
) -> Totals:
    """Count and sums per group."""
    table = _find_table(gate, app, name)
    application = gate.application(app).name
    kind = gate.kind(table.record.OWNER or application, table.record.KIND)
    check_not_stranger(viewer, kind.sight(viewer))
    groups = _split_names("group_by", group_by, [each.name for each in table.columns])
    wanted = _split_names("sums", sums, table.totals) or list(table.totals)
    if table.unit and table.unit not in groups:
        groups.append(table.unit)
    filters = collect_filters(dict(request.query_params), {"group_by", "sums"})
    try:
        found = compute_totals(
            gate.index,
            kind,
            name,
            viewer,
            filters=_build_filters(table, filters),
            group_by=groups,
            sums=wanted,
        )
    except TooManyGroups as error:
        raise refuse_parameter("group_by", f"{error}; {error.hint}") from error
    return Totals(
        [
            TotalView(
                each["group"],
                each["count"],
                {name: str(value) for name, value in each["sums"].items()},
            )
            for each in found
        ]
    )


def _find_table(gate: Gate, app: str, name: str) -> Table:
    found = gate.shape.tables.get((gate.application(app).name, name))
    if found is None:
        raise refuse_unseen()
    return found


def _split_names(parameter: str, text: str, known: Sequence[str]) -> list[str]:
    names = [name for name in text.split(",") if name]
    if len(set(names)) != len(names) or not set(names) <= set(known):
        raise refuse_parameter(parameter, f"columns are: {', '.join(known) or 'none'}")
    return names


def _build_filters(table: Table, filters: dict[str, str]) -> list[Filter]:
    columns = {each.name: each.type for each in table.columns}
    return [_build_filter(columns, name, text) for name, text in filters.items()]


def _build_filter(columns: dict[str, Literal["text", "integer"]], name: str, text: str) -> Filter:
    for suffix, comparison in _COMPARISONS:
        column = name.removesuffix(suffix) if suffix else name
        if name.endswith(suffix) and column in columns:
            is_text = columns[column] == "text"
            value = parse_scalar(name, text, "string" if is_text else "integer")
            return Filter(column, comparison, value)
    raise refuse_parameter(name, f"no column; there are: {', '.join(columns)}")
