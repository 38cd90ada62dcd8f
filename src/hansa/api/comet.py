"""Routes for light verification: checkpoints, and the read-only part of CometBFT's RPC.

`POST /v1/comet` is what `cometbft light` and the state sync of a joining node ask (as
`http://HOST:PORT/v1/comet`). The engine's own RPC stays private: only what is listed here is passed
on, with parameters of its form. Source: CometBFT v0.39.4 rpc/core, light/provider/http.
"""

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import Parameter, RawBody

from hansa import __version__
from hansa.api.door import Ledger
from hansa.api.gate import TheGate
from hansa.api.headers import TrustedHeight
from hansa.api.limits import SMALL_BODY_BYTES_MAX
from hansa.api.problems import Refusal
from hansa.api.proofs import seal_header
from hansa.api.threads import threaded
from hansa.client.receipts import build_checkpoint, encode_file
from hansa.comet.rpc import EngineUnreachable, RpcError
from hansa.comet.rpc_answers import (
    Document,
    write_commit,
    write_consensus_params,
    write_header,
    write_status,
    write_validators,
)
from hansa.encoding.json_faults import NOT_JSON
from hansa.node.sealer import BLOCK_GAS_MAX
from hansa.primitives.limits import BLOCK_BYTES_MAX, INTEGER_MAX

# Methods and their parameters, all of them numbers. What names a height is passed on to the engine.
METHODS: Final[dict[str, tuple[str, ...]]] = {
    "health": (),
    "status": (),
    "header": ("height",),
    "commit": ("height",),
    "validators": ("height", "page", "per_page"),
    "consensus_params": ("height",),
}
PASSED_ON: Final = frozenset({"commit", "consensus_params", "header", "validators"})
# As the engine has it; a light client sends one at a time.
BATCH_MAX: Final = 10
PAGE_DEFAULT: Final = 30
PAGE_MAX: Final = 100
JSON_MEDIA: Final = ("application/json",)
# JSON-RPC 2.0; the last is ours: ask again.
INVALID_REQUEST, NO_SUCH_METHOD, INVALID_PARAMS = -32600, -32601, -32602
INTERNAL_ERROR, BUSY = -32603, -32000


class Fault(Exception):
    """An error that a call ends with. `data` is what CometBFT's clients read."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


@get(
    "/v1/checkpoint",
    tags=["service"],
    summary="A checkpoint: a header to pin",
    description=(
        "The file `hansa.checkpoint/1`: header, commit and validators of a block (by default the "
        "newest with a commit), and the headers that lead there from genesis or from `trusted`."
    ),
    media_type="application/json",
    opt={"produces": "checkpoint"},
)
@threaded
def get_checkpoint(
    gate: TheGate,
    height: Annotated[
        int, Parameter(ge=0, le=INTEGER_MAX, description="Of this block; 0: the newest.")
    ] = 0,
    trusted: TrustedHeight = 0,
) -> Response[bytes]:
    """The checkpoint file."""
    at = height or gate.ledger.sealed_height
    file = build_checkpoint(seal_header(gate.paths, at, trusted))
    return Response(
        encode_file(file),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="checkpoint-{at}.json"'},
    )


@post(
    "/v1/comet",
    status_code=200,
    tags=["service"],
    summary="CometBFT's RPC, for light clients and joining nodes",
    description=(
        "JSON-RPC 2.0, one call or a list of at most 10. Methods: "
        f"{', '.join(METHODS)}. A call's error has JSON-RPC's codes; -32000: ask again. There is "
        "no websocket."
    ),
    media_type="application/json",
    opt={"media": JSON_MEDIA, "body_max": SMALL_BODY_BYTES_MAX, "produces": "json-rpc"},
)
@threaded
def call_comet(body: RawBody, gate: TheGate) -> Response[bytes]:
    """The answer of each call."""
    if len(body) > SMALL_BODY_BYTES_MAX:
        raise Refusal(
            413,
            "api.too_large",
            f"A body here has at most {SMALL_BODY_BYTES_MAX} bytes.",
            remedy="Ask for less at once.",
        )
    try:
        asked = msgspec.json.decode(body)
    except NOT_JSON as error:
        raise _refuse_body("The body is not JSON.") from error
    if isinstance(asked, dict):
        return _answer(_call(gate.ledger, asked))
    if not isinstance(asked, list) or not 0 < len(asked) <= BATCH_MAX:
        raise _refuse_body(f"The body is neither a call nor a list of 1 to {BATCH_MAX} calls.")
    return _answer([_call(gate.ledger, each) for each in asked])


def _refuse_body(detail: str) -> Refusal:
    """What is no JSON-RPC at all is refused as at every other address."""
    remedy = 'Send {"jsonrpc":"2.0","id":1,"method":"status"}.'
    return Refusal(400, "api.not_json_rpc", detail, remedy=remedy)


def _call(ledger: Ledger, asked: Any) -> Document:
    identity = asked.get("id") if isinstance(asked, dict) else None
    try:
        if isinstance(identity, bool) or not isinstance(identity, int | str):
            raise Fault(INVALID_REQUEST, "Invalid Request", "a call has an id and a method")
        method, params = _read_call(asked)
        return {"jsonrpc": "2.0", "id": identity, "result": _perform(ledger, method, params)}
    except Fault as fault:
        return _refuse(identity if isinstance(identity, int | str) else None, fault)


def _read_call(asked: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """Method and parameters, each of which is there and positive. Raises Fault."""
    method, given = asked.get("method"), asked.get("params") or {}
    if not isinstance(method, str) or asked.get("jsonrpc") != "2.0":
        raise Fault(INVALID_REQUEST, "Invalid Request", "a call has an id and a method")
    if method not in METHODS:
        raise Fault(NO_SUCH_METHOD, "Method not found", f"known here: {', '.join(METHODS)}")
    if not isinstance(given, dict) or not set(given) <= set(METHODS[method]):
        names = ", ".join(METHODS[method]) or "none"
        raise Fault(INVALID_PARAMS, "Invalid params", f"parameters of {method}: {names}")
    numbers = {name: _read_number(name, value) for name, value in given.items()}
    return method, {name: value for name, value in numbers.items() if value is not None}


def _read_number(name: str, value: Any) -> int | None:
    """CometBFT writes its numbers as texts; null is as if left out."""
    if value is None:
        return None
    text = str(value) if type(value) in (int, str) else ""
    if not text.isascii() or not text.isdigit() or len(text) > 15 or int(text) == 0:
        raise Fault(INVALID_PARAMS, "Invalid params", f"{name} is a whole number above 0")
    return int(text)


def _perform(ledger: Ledger, method: str, params: dict[str, int]) -> Document:
    if method == "health":
        return {}
    if method == "status":
        return _tell_status(ledger)
    try:
        texts = {name: str(value) for name, value in params.items()}
        answer = None if ledger.rpc is None else ledger.rpc.call(method, texts)
    except RpcError as error:
        raise Fault(INTERNAL_ERROR, "Internal error", error.text[:1000]) from error
    except EngineUnreachable as error:
        raise Fault(BUSY, "The engine does not answer now", "ask again") from error
    return _answer_alone(ledger, method, params) if answer is None else answer


def _tell_status(ledger: Ledger) -> Document:
    first, newest = ledger.heights()[0], ledger.sealed_height
    try:
        header, earliest = ledger.header(newest), ledger.header(first)
    except LookupError as error:
        raise Fault(BUSY, "There is no sealed block yet", "ask again") from error
    return write_status(header, earliest, moniker="hansa", release=f"hansa-{__version__}")


def _answer_alone(ledger: Ledger, method: str, params: dict[str, int]) -> Document:
    """From this node's own storage, where no CometBFT runs beside it."""
    first, newest = ledger.heights()[0], ledger.sealed_height
    height = params.get("height", newest)
    # Their words are what CometBFT's light client looks for.
    if height > newest:
        text = f"height {height} must be less than or equal to the current blockchain height"
        raise Fault(INTERNAL_ERROR, "Internal error", f"{text} {newest}")
    try:
        if method == "commit":
            return write_commit(ledger.header(height), ledger.commit(height))
        if method == "header":
            return write_header(ledger.header(height))
        if method == "validators":
            return _list_validators(ledger, height, params)
        app = ledger.header(height).version.app
    except LookupError as error:
        text = f"height {height} is not available, lowest height is {first}"
        raise Fault(INTERNAL_ERROR, "Internal error", text) from error
    return write_consensus_params(
        height, block_max_bytes=BLOCK_BYTES_MAX, block_max_gas=BLOCK_GAS_MAX, app=app
    )


def _list_validators(ledger: Ledger, height: int, params: dict[str, int]) -> Document:
    validators = ledger.validators_at(height)
    per_page = min(params.get("per_page", PAGE_DEFAULT), PAGE_MAX)
    pages = -(-len(validators) // per_page)
    page = params.get("page", 1)
    if page > pages:
        text = f"page should be within [1, {pages}] range, given {page}"
        raise Fault(INTERNAL_ERROR, "Internal error", text)
    return write_validators(height, validators, page=page, per_page=per_page)


def _refuse(identity: int | str | None, fault: Fault) -> Document:
    error = {"code": fault.code, "message": fault.message, "data": fault.data}
    return {"jsonrpc": "2.0", "id": identity, "error": error}


def _answer(document: Document | list[Document]) -> Response[bytes]:
    return Response(msgspec.json.encode(document), media_type="application/json")
