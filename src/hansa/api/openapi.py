"""OpenAPI 3.1 of the gateway: the routes' own signatures, and the catalog's types in their place.

The general routes of records, tables and messages are shown once for each kind, table and message,
with its schema (D15); the handlers behind them are the same.
"""

from typing import Any, Final

import msgspec
from litestar import Litestar, Response, get

from hansa.api.gate import TheGate
from hansa.api.limits import FILTER_CHARACTERS_MAX
from hansa.api.openid.descriptions import describe_doors
from hansa.api.problems import MEDIA_TYPE, Problem
from hansa.api.query import describe_scalars
from hansa.appkit.application import Application, Table
from hansa.client.checkpoints import CheckpointFile
from hansa.client.receipts import ProofFile, ReceiptFile
from hansa.identity.did_history import DOCUMENT_MEDIA_TYPE as DID_DOCUMENT
from hansa.identity.did_history import MEDIA_TYPE as DID_RESOLUTION
from hansa.identity.did_history import STATUSES
from hansa.index.shape import RecordKind, Shape
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Message

SCHEMAS: Final = "#/components/schemas/"
_RECORD: Final = "/v1/apps/{app}/{kind}/{key}"
_RECORDS: Final = "/v1/apps/{app}/{kind}"
_HISTORY: Final = "/v1/history/{app}/{kind}/{key}"
_PROOF: Final = "/v1/proofs/{app}/{kind}/{key}"
_PREPARE: Final = "/v1/apps/{app}/messages/{name}"
_TABLE: Final = "/v1/apps/{app}/tables/{name}"
_TOTALS: Final = "/v1/apps/{app}/tables/{name}/totals"
# Routes where everything answered is public, or is the sign-in itself.
_OPEN: Final = (
    "/v1/status",
    "/v1/health",
    "/metrics",
    "/openapi.json",
    "/v1/blocks",
    "/v1/checkpoint",
    "/v1/comet",
)
_SIGNED_IN: Final = "/v1/sessions/current"
Document = dict[str, Any]
_PLAIN: Final = str.maketrans({"/": "_", "{": "", "}": "", "-": "_"})
# Values of filters, as the routes read them.
_BOUNDED: Final[dict[str, dict[str, Any]]] = {
    "string": {"type": "string", "maxLength": FILTER_CHARACTERS_MAX, "pattern": "^[^\\x00]*$"},
    "integer": {"type": "integer", "minimum": -(10**14), "maximum": 10**14},
    "boolean": {"type": "boolean"},
}


@get(
    "/openapi.json",
    sync_to_thread=False,
    tags=["service"],
    summary="This description",
    media_type="application/json",
    opt={"produces": "openapi"},
)
def get_openapi(gate: TheGate) -> Response[bytes]:
    """The OpenAPI document."""
    return Response(gate.description, media_type="application/json")


def describe_api(app: Litestar, shape: Shape) -> bytes:
    """The whole document, computed once."""
    document: Document = app.openapi_schema.to_schema()
    document["servers"] = [{"url": "/"}]
    document["info"]["description"] = (
        "The gateway of a Hansa league. What is public needs no sign-in; everything else a session "
        "and is shown to whom it concerns. Every error is `application/problem+json` (RFC 9457) "
        "with a stable `code`, the `rule` that it holds and a `remedy`."
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"session": {"type": "http", "scheme": "bearer"}}
    schemas = components.setdefault("schemas", {})
    _add_schemas(schemas, Problem, ReceiptFile, ProofFile, CheckpointFile)
    paths = document["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            _finish_operation(path, operation)
    _describe_bodies(paths)
    general = {path: paths.pop(path) for path in _GENERAL}
    for application in shape.applications:
        _add_application(paths, schemas, general, application)
    for (owner, _kind), found in shape.records.items():
        _add_records(paths, schemas, general, owner, found)
    for application in shape.applications:
        _add_doors(paths, application)
    describe_doors(paths, schemas)
    return msgspec.json.encode(document, order="deterministic")


_GENERAL: Final = (_RECORD, _RECORDS, _HISTORY, _PROOF, _PREPARE, _TABLE, _TOTALS)


def _add_schemas(schemas: Document, *types: type[Any]) -> None:
    _refs, found = msgspec.json.schema_components(types, ref_template=SCHEMAS + "{name}")
    schemas.update(found)


def _finish_operation(path: str, operation: Document) -> None:
    """One form for all operations: problems instead of the framework's errors, security stated."""
    operation.pop("deprecated", None)
    responses = operation["responses"]
    responses.pop("400", None)
    responses["default"] = {
        "description": "Refused, or not possible now",
        "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMAS + Problem.__name__}}},
    }
    if path == _SIGNED_IN:
        operation["security"] = [{"session": []}]
    elif not path.startswith(_OPEN) and not path.startswith("/v1/sessions"):
        operation["security"] = [{}, {"session": []}]
    for parameter in operation.get("parameters", ()):
        for noise in ("deprecated", "allowEmptyValue", "allowReserved"):
            parameter.pop(noise, None)


def _describe_bodies(paths: Document) -> None:
    """What the handlers take and give as bytes."""
    jws = {"schema": {"type": "string", "description": "JWS, compact or JSON"}}
    submit = paths["/v1/transactions"]["post"]
    submit["requestBody"] = {
        "required": True,
        "content": dict.fromkeys(("application/jose", "application/jose+json"), jws),
    }
    paths["/v1/sessions"]["post"]["requestBody"] = {
        "required": True,
        "content": {"application/jose": jws},
    }
    question = {
        "type": "object",
        "properties": {"account": {"type": "string", "pattern": "^did:hansa:[a-z2-7]{32}$"}},
        "required": ["account"],
        "additionalProperties": False,
    }
    paths["/v1/sessions/challenge"]["post"]["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": question}},
    }
    base = "/v1/transactions/{transaction}"
    _answer(paths[f"{base}/messages/{{number}}/receipt"], "application/json", _ref("ReceiptFile"))
    deadline = "/v1/blocks/{height}/deadlines/{number}/receipt"
    _answer(paths[deadline], "application/json", _ref("ReceiptFile"))
    paths[deadline]["get"]["security"] = [{}, {"session": []}]
    _answer(paths[f"{base}/bytes"], "application/jose", {"type": "string"})
    content = _ok(paths[f"{base}/bytes"])["content"]
    content["application/jose+json"] = {"schema": {}}
    _answer(paths["/v1/checkpoint"], "application/json", _ref("CheckpointFile"))
    paths["/v1/comet"]["post"]["requestBody"] = {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": ["object", "array"], "minItems": 1, "maxItems": 10}
            }
        },
    }
    answers = {"application/json": {"schema": {"type": ["object", "array"]}}}
    paths["/v1/comet"]["post"]["responses"]["200"]["content"] = answers
    _answer(paths["/metrics"], "text/plain", {"type": "string"})
    _answer(paths["/openapi.json"], "application/json", {"type": "object"})
    _answer(paths["/v1/events/stream"], "text/event-stream", {"type": "string"})
    paths["/v1/events/stream"]["get"]["parameters"].append(
        {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string", "maxLength": 32}}
    )
    _describe_dids(paths["/v1/dids/{did}"])
    paths["/v1/health"]["get"]["responses"]["503"] = {
        **paths["/v1/health"]["get"]["responses"]["200"],
        "description": "The ledger has stopped",
    }


def _describe_dids(path: Document) -> None:
    """Results of DID resolution: that there is no document is one too."""
    result: Document = {
        "type": "object",
        "required": ["didDocument", "didDocumentMetadata", "didResolutionMetadata"],
    }
    content: Document = {
        DID_RESOLUTION: {"schema": result},
        DID_DOCUMENT: {"schema": {"type": "object"}},
    }
    responses = path["get"]["responses"]
    _ok(path).update(description="What the DID stands for", content=content)
    problem = responses["default"]["content"]
    for error, status in STATUSES.items():
        responses[str(status)] = {"description": error, "content": {**content, **problem}}


def _ref(name: str) -> Document:
    return {"$ref": SCHEMAS + name}


def _ok(path: Document) -> Document:
    found: Document = path["get"]["responses"]["200"]
    return found


def _answer(path: Document, media: str, schema: Document) -> None:
    response = _ok(path)
    response["description"] = "The answer"
    response["content"] = {media: {"schema": schema}}


def _add_application(
    paths: Document, schemas: Document, general: Document, application: Application
) -> None:
    newest: dict[str, type[Message]] = {}
    for message in sorted(application.messages, key=get_version):
        newest[message.__name__] = message
    for name, message in newest.items():
        schema = _add_type(schemas, application.name, message)
        # The version may be left out of what is prepared: it is then the newest.
        body = schemas[schema["$ref"].rpartition("/")[2]]
        body["required"] = [field for field in body.get("required", ()) if field != "v"]
        operation = _derive(general[_PREPARE]["post"], {"app", "name"}, f"prepare_{name}")
        operation["tags"] = [application.name]
        operation["summary"] = f"Prepare {name}"
        operation["description"] = " ".join((message.__doc__ or "").split())
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
        operation["operationId"] = f"prepare_{application.name}_{name}"
        paths[f"/v1/apps/{application.name}/messages/{name}"] = {"post": operation}
    for table in application.tables:
        _add_table(paths, general, application, table)


def _add_doors(paths: Document, application: Application) -> None:
    """The addresses that an application has beyond the derived ones, by what it says of them."""
    for route in application.doors.routes:
        path = f"/{application.cli_name}{route.path}".replace("*}", "}")
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        operation: Document = {
            "tags": [application.name],
            "summary": route.summary,
            "operationId": f"{route.method.lower()}{path.translate(_PLAIN)}",
            "security": [{}, {"session": []}],
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in names
            ],
            "responses": {
                "2XX": {"description": "As the application's standard has it"},
                "default": {
                    "description": "Refused, or not possible now",
                    "content": {MEDIA_TYPE: {"schema": _ref(Problem.__name__)}},
                },
            },
        }
        if route.method in ("POST", "PUT"):
            media = route.media or ("application/octet-stream",)
            content: Document = {each: {"schema": {}} for each in media}
            operation["requestBody"] = {"required": True, "content": content}
        paths.setdefault(path, {})[route.method.lower()] = operation


def _add_table(paths: Document, general: Document, application: Application, table: Table) -> None:
    columns = {
        each.name: {"type": ["string" if each.type == "text" else "integer", "null"]}
        for each in table.columns
    }
    filters = [
        {
            "name": f"{each.name}{suffix}",
            "in": "query",
            "schema": {
                "type": "string",
                "maxLength": FILTER_CHARACTERS_MAX,
                "pattern": "^[^\\x00]*$",
            }
            if each.type == "text"
            else {"type": "integer", "minimum": -(10**14), "maximum": 10**14},
        }
        for each in table.columns
        for suffix in ("", "_min", "_max")
    ]
    path = f"/v1/apps/{application.name}/tables/{table.name}"
    for general_path, address in ((_TABLE, path), (_TOTALS, f"{path}/totals")):
        name = f"{application.name}_{table.name}{address.removeprefix(path).replace('/', '_')}"
        operation = _derive(general[general_path]["get"], {"app", "name"}, f"table_{name}")
        operation["tags"] = [application.name]
        operation["parameters"] = [*operation["parameters"], *filters]
        paths[address] = {"get": operation}
    row = {"type": "object", "properties": {"key": {"type": "string"}, **columns}}
    _ok(paths[path])["content"] = {"application/json": {"schema": _describe_page(row)}}
    names = [each.name for each in table.columns]
    for name, known in (("group_by", names), ("sums", list(table.totals))):
        one = "|".join(known)
        pattern = f"^(({one})(,({one}))*)?$" if known else "^$"
        _find(paths[f"{path}/totals"]["get"], name)["schema"]["pattern"] = pattern


def _describe_page(item: Document) -> Document:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"]},
        },
        "required": ["items", "next"],
    }


def _find(operation: Document, name: str) -> Document:
    found: Document = next(each for each in operation["parameters"] if each["name"] == name)
    return found


def _add_records(
    paths: Document, schemas: Document, general: Document, app: str, kind: RecordKind
) -> None:
    schema = _add_type(schemas, app, kind.newest)
    base = f"{app}/{kind.name}"
    key = "/".join(f"{{{name}}}" for name in kind.newest.KEY)
    filters = [
        {"name": name, "in": "query", "schema": _BOUNDED[type_]}
        for name, type_ in describe_scalars(kind.newest).items()
        if name != "prefix"
    ]
    many = _derive(general[_RECORDS]["get"], {"app", "kind"}, f"list_{app}_{kind.name}")
    many["parameters"] = [*many["parameters"], *filters]
    page = _describe_page(schema)
    page["properties"]["keys"] = {"type": "array", "items": {"type": "string"}}
    many["responses"]["200"]["content"] = {"application/json": {"schema": page}}
    paths[f"/v1/apps/{base}"] = {"get": many}
    one = _derive(general[_RECORD]["get"], {"app", "kind", "key"}, f"get_{app}_{kind.name}")
    answers = {"anyOf": [schema, _ref("ProofFile")]}
    proof = _derive(general[_PROOF]["get"], {"app", "kind", "key"}, f"prove_{app}_{kind.name}")
    history = _derive(general[_HISTORY]["get"], {"app", "kind", "key"}, f"trace_{app}_{kind.name}")
    for operation, address in (
        (one, f"/v1/apps/{base}/{key}"),
        (proof, f"/v1/proofs/{base}/{key}"),
        (history, f"/v1/history/{base}/{key}"),
    ):
        operation["parameters"] = [*_describe_key(kind), *operation["parameters"]]
        paths[address] = {"get": operation}
    one["responses"]["200"]["content"] = {"application/json": {"schema": answers}}
    one["responses"]["200"]["headers"] = {
        "Hansa-Height": {"schema": {"type": "string"}, "description": "Height of its last change"}
    }
    proof["responses"]["200"]["content"] = {"application/json": {"schema": _ref("ProofFile")}}
    for operation in (many, one, proof, history):
        operation["tags"] = [app]


def _describe_key(kind: RecordKind) -> list[Document]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:~#+-]{1,128}$"},
        }
        for name in kind.newest.KEY
    ]


def _derive(operation: Document, without: set[str], operation_id: str) -> Document:
    """A copy of a general operation, without the parameters that its address now fixes."""
    derived: Document = msgspec.json.decode(msgspec.json.encode(operation))
    derived["operationId"] = operation_id
    kept = [each for each in derived.get("parameters", ()) if each["name"] not in without]
    derived["parameters"] = kept
    return derived


def _add_type(schemas: Document, app: str, kind: type[Any]) -> Document:
    """Schema of a catalog type under a name of its own: applications may use the same words."""
    (reference,), found = msgspec.json.schema_components(
        (kind,), ref_template=f"{SCHEMAS}{app}.{{name}}"
    )
    schemas.update({f"{app}.{name}": described for name, described in found.items()})
    return reference
