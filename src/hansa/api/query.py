"""What stands after the question mark: read strictly, so that no misspelt filter is ignored."""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request
from litestar.handlers.base import BaseRouteHandler
from litestar.params import Parameter

from hansa.api.limits import FILTER_CHARACTERS_MAX, FILTERS_MAX
from hansa.api.problems import Refusal, refuse_parameter
from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.index.limits import PAGE_DEFAULT, PAGE_MAX
from hansa.index.pages import Key
from hansa.ledger.model import Record
from hansa.primitives.limits import INTEGER_MAX, KEY_BYTES_MAX

# Handlers whose further parameters are filters on fields of a record or a table.
FILTERS: Final = "filters"
# Handlers whose parameters are read behind them, as an application's standard has them.
OPEN_QUERY: Final = "open_query"
CURSOR_CHARACTERS_MAX: Final = 2 * KEY_BYTES_MAX

Limit = Annotated[int, Parameter(ge=1, le=PAGE_MAX, description="Entries of one page, at most.")]
After = Annotated[
    str,
    Parameter(
        max_length=CURSOR_CHARACTERS_MAX,
        description="`next` of the page before; nothing for the first page.",
    ),
]
Order = Annotated[Literal["newest", "oldest"], Parameter(description="Which come first.")]
HeightText = Annotated[str, Parameter(pattern="^[0-9]{1,15}$", description="Height of a block.")]
LIMIT_DEFAULT: Final = PAGE_DEFAULT
_PAGING = {"after", "limit"}


def check_query(request: Request[Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse parameters that the address does not have, and any given twice."""
    if handler.opt.get(OPEN_QUERY):
        return
    allowed: set[str] = handler.opt.get("query", set())
    seen: set[str] = set()
    for name, _value in request.query_params.multi_items():
        if name in seen:
            raise refuse_parameter(name, "given twice")
        if name not in allowed and not handler.opt.get(FILTERS):
            known = ", ".join(sorted(allowed)) or "none"
            raise refuse_parameter(name, f"unknown; known here: {known}")
        seen.add(name)


def encode_cursor(key: Key | None) -> str | None:
    """`next` of a page."""
    return None if key is None else encode_base64url(encode_canonical(list(key)))


def decode_cursor(text: str, *types: type) -> Key | None:
    """The key of a cursor, of parts of these types; None for the first page. Raises Refusal."""
    if not text:
        return None
    try:
        value = decode_canonical(decode_base64url(text), size_max=CURSOR_CHARACTERS_MAX)
    except (TextError, CanonicalError) as error:
        raise refuse_parameter("after", "not a cursor of this gateway") from error
    if (
        not isinstance(value, list)
        or [type(part) for part in value] != list(types)
        or any(isinstance(part, int) and abs(part) > INTEGER_MAX for part in value)
    ):
        raise refuse_parameter("after", "not a cursor of this list")
    return tuple(value)


def decode_number(text: str) -> int:
    """Height or number from an address. Raises Refusal (404: there is no such thing)."""
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Refusal(
            404,
            "api.not_found",
            "There is nothing here that you may see.",
            rule="D8",
            remedy="Heights and numbers are whole numbers from 0.",
        )
    return int(text)


def collect_filters(query: dict[str, str], also: set[str]) -> dict[str, str]:
    """Filters among the parameters: all but paging and `also`. Raises Refusal for too many."""
    filters = {name: value for name, value in query.items() if name not in _PAGING | also}
    if len(filters) > FILTERS_MAX:
        raise refuse_parameter("filters", f"more than {FILTERS_MAX}")
    return filters


def describe_scalars(kind: type[Record]) -> dict[str, str]:
    """Fields of a record by which a list can be filtered, each with its JSON type."""
    schema = msgspec.json.schema(kind)
    definitions = schema.get("$defs", {})
    properties = definitions[kind.__name__]["properties"]
    found = {}
    for name, described in properties.items():
        type_ = _find_scalar(described, definitions)
        if type_ and name not in _PAGING and name.isascii():
            found[name] = type_
    return found


def _find_scalar(described: dict[str, object], definitions: dict[str, dict[str, object]]) -> str:
    reference = described.get("$ref")
    if isinstance(reference, str):
        return _find_scalar(definitions[reference.rpartition("/")[2]], definitions)
    choices = described.get("anyOf")
    if isinstance(choices, list):
        found = {_find_scalar(each, definitions) for each in choices if each != {"type": "null"}}
        return found.pop() if len(found) == 1 else ""
    values = described.get("enum")
    if isinstance(values, list):
        return "integer" if all(isinstance(value, int) for value in values) else "string"
    type_ = described.get("type")
    return type_ if type_ in ("string", "integer", "boolean") and isinstance(type_, str) else ""


def parse_scalar(name: str, text: str, type_: str) -> str | int | bool:
    """A filter's value. Raises Refusal when it is not of the field's type."""
    if type_ == "string" and len(text) <= FILTER_CHARACTERS_MAX and "\x00" not in text:
        return text
    if type_ == "boolean" and text in ("true", "false"):
        return text == "true"
    digits = text.removeprefix("-")
    if type_ == "integer" and digits.isascii() and digits.isdigit() and len(digits) <= 15:
        return int(text)
    raise refuse_parameter(name, f"not a {type_}, or too long")
