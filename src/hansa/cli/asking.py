"""`show` and `list` of an application's records, derived from its description. Asks the node."""

import json
from typing import Any, Final

import click

from hansa.appkit.application import Application
from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import NO, YES, Screen, answer, hint, is_identifier
from hansa.cli.fields import describe_fields
from hansa.cli.main import name_group
from hansa.cli.place import NoSuchPlace, Place, find_place
from hansa.client.gateway import Gateway
from hansa.ledger.model import Record

# Reads as a stranger: no key is used.
NOBODY: Final = "nobody"
LIST_MAX: Final = 100
COLUMNS_MAX: Final = 7
# Kinds of fields that a cell can show.
PLAIN: Final = frozenset({"integer", "text", "did", "flag", "choice"})
# Longer values would push everything else out of a table.
CELL_MAX: Final = 44


def build_show_command(application: Application) -> click.Command:
    """`hansa APP show KIND KEY…`."""

    def run(kind: str, key: tuple[str, ...], **values: Any) -> int:
        record = find_record(application, kind)
        place = find_place(values["league"], values["node"])
        parts = resolve_key(place, record, key)
        with open_gateway(place, values["signer_name"]) as gateway:
            found = gateway.record(record.OWNER or application.name, kind, *parts)
        if found is None:
            missing = f"there is no {kind} {'/'.join(parts)}, or it is not yours to read"
            answer({"found": None}, missing, as_json=values["as_json"])
            return NO
        answer(found, format_record(found), as_json=values["as_json"])
        return YES

    kinds = sorted({record.KIND for record in application.records})
    return click.Command(
        "show",
        params=[
            click.Argument(["kind"], type=click.Choice(kinds)),
            click.Argument(["key"], nargs=-1, required=True),
            reader_option(),
            *place_parameters(),
            json_parameter(),
        ],
        callback=run,
        help=_describe_show(application),
        short_help="Show one record.",
    )


def build_list_command(application: Application) -> click.Command:
    """`hansa APP list KIND [--where name=value]…`."""

    def run(kind: str, where: tuple[str, ...], limit: int, after: str, **values: Any) -> int:
        record = find_record(application, kind)
        place = find_place(values["league"], values["node"])
        filters = parse_filters(where)
        with open_gateway(place, values["signer_name"]) as gateway:
            page = gateway.records(
                record.OWNER or application.name, kind, filters=filters, limit=limit, after=after
            )
        screen = Screen(as_json=values["as_json"])
        screen.document({"items": list(page.items), "next": page.next})
        columns = _choose_columns(record)
        rows = [[format_cell(item.get(name)) for name in columns] for item in page.items]
        screen.table(columns, rows)
        if page.next:
            hint(f"more: add --after {page.next}")
        return YES

    kinds = sorted({record.KIND for record in application.records})
    return click.Command(
        "list",
        params=[
            click.Argument(["kind"], type=click.Choice(kinds)),
            click.Option(["--where"], multiple=True, metavar="NAME=VALUE", help="Only these."),
            click.Option(
                ["--limit"], type=click.IntRange(1, 200), default=LIST_MAX, show_default=True
            ),
            click.Option(["--after"], metavar="CURSOR", help="Go on after this cursor."),
            reader_option(),
            *place_parameters(),
            json_parameter(),
        ],
        callback=run,
        help=f"List records that you may read.\n\n\b\nExample:\n  hansa {name_group(application)} "
        f"list {kinds[0]} --limit 10",
        short_help="List records.",
    )


def reader_option() -> click.Parameter:
    """The option --as of commands that only read."""
    return click.Option(
        ["--as", "signer_name"],
        metavar="NAME|FILE",
        help="On whose behalf to read (or HANSA_AS); `nobody` sees what is public.",
    )


def _describe_show(application: Application) -> str:
    lines = ["Show one record by its kind and key, if you may read it.", "", "\b", "Kinds:"]
    for record in application.records:
        lines.append(f"  {record.KIND} {' '.join(part.upper() for part in record.KEY)}")
    return "\n".join(lines)


def open_gateway(place: Place, name: str | None) -> Gateway:
    """A gateway on behalf of a key; of nobody when none is named and none is the default.

    Who asks decides what is seen: a key that nobody named on the command line is told on stderr.
    """
    if name == NOBODY:
        return place.gateway(None)
    place.url()  # where comes before who
    try:
        signer = place.signer(name)
    except NoSuchPlace:
        if name is not None:
            raise
        return place.gateway(None)
    if name is None:
        hint(f"as {signer.name}")
    return place.gateway(signer)


def check_id(text: str) -> None:
    """Raise click.UsageError unless `text` is a transaction id."""
    if not is_id(text):
        raise click.UsageError(f"{text!r} is no id: an id has 64 hex digits; see hansa tx list")


def is_id(text: str) -> bool:
    """Whether `text` is a transaction id."""
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)


def find_record(application: Application, kind: str) -> type[Record]:
    """The record type of that kind. Raises click.UsageError with the kinds there are."""
    record = application.record(kind)
    if record is None:
        kinds = ", ".join(sorted({each.KIND for each in application.records}))
        raise click.UsageError(f"{application.cli_name} has no {kind!r}; it has: {kinds}")
    return record


def resolve_key(place: Place, record: type[Record], key: tuple[str, ...]) -> tuple[str, ...]:
    """Key parts as given; a name known here stands for its DID where the key is a DID."""
    return tuple(
        place.did(part) if name in ("did", "member", "account") else part
        for name, part in zip((*record.KEY, *key[len(record.KEY) :]), key, strict=False)
    )


def parse_filters(where: tuple[str, ...]) -> dict[str, str]:
    """Filters of --where NAME=VALUE. Raises click.UsageError."""
    filters = {}
    for each in where:
        name, mark, value = each.partition("=")
        if not mark:
            raise click.UsageError(f"--where {each}: write NAME=VALUE")
        filters[name] = value
    return filters


def _choose_columns(record: type[Record]) -> list[str]:
    """The key first, then the other plain fields, as many as fit."""
    plain = [field.name for field in describe_fields(record) if field.kind in PLAIN]
    own = [name for name in record.KEY if name in plain]
    return [*own, *(name for name in plain if name not in own)][:COLUMNS_MAX]


def format_cell(value: Any) -> str:
    """A value in a table: short forms of what is nested, cut when long and no identifier."""
    text = format_value(value)
    if len(text) <= CELL_MAX or is_identifier(text):
        return text
    return text[: CELL_MAX - 1] + "…"


def format_value(value: Any) -> str:
    """A value in one line: text as it is, identifiers as SCHEME:VALUE, the rest compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        parts = [_format_pair(each) for each in value]
        if all(parts):
            return " ".join(parts)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _format_pair(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"scheme", "value"}:
        return f"{value['scheme']}:{value['value']}"
    return value if isinstance(value, str) and is_identifier(value) else ""


def format_record(record: dict[str, Any]) -> str:
    """A record as lines of name and value; what is nested is JSON."""
    width = max((len(name) for name in record), default=0)
    lines = []
    for name, value in record.items():
        lines.append(f"{name:<{width}}  {format_value(value)}")
    return "\n".join(lines)
