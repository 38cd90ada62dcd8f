"""`table`, `totals`, `history` of an application, derived from its description. Asks the node."""

from typing import Any

import click

from hansa.appkit.application import Application
from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import NO, YES, Screen, hint
from hansa.cli.asking import (
    LIST_MAX,
    find_record,
    format_cell,
    open_gateway,
    parse_filters,
    reader_option,
    resolve_key,
)
from hansa.cli.place import find_place

_WHERE_HELP = "Only these; NAME_min and NAME_max are bounds."


def build_table_command(application: Application) -> click.Command:
    """`hansa APP table NAME`: rows of a view."""

    def run(name: str, where: tuple[str, ...], limit: int, after: str, **values: Any) -> int:
        place = find_place(values["league"], values["node"])
        with open_gateway(place, values["signer_name"]) as gateway:
            page = gateway.table(
                application.name, name, filters=parse_filters(where), limit=limit, after=after
            )
        screen = Screen(as_json=values["as_json"])
        screen.document({"items": list(page.items), "next": page.next})
        table = next(each for each in application.tables if each.name == name)
        columns = [column.name for column in table.columns]
        rows = [[format_cell(item.get(column)) for column in columns] for item in page.items]
        screen.table(columns, rows)
        if page.next:
            hint(f"more: add --after {page.next}")
        return YES

    return click.Command(
        "table",
        params=[
            _table_argument(application),
            _where_option(),
            click.Option(
                ["--limit"], type=click.IntRange(1, 200), default=LIST_MAX, show_default=True
            ),
            click.Option(["--after"], metavar="CURSOR", help="Go on after this cursor."),
            reader_option(),
            *place_parameters(),
            json_parameter(),
        ],
        callback=run,
        help=_describe(application, "Rows of a view that you may see.", "table"),
        short_help="Rows of a view.",
    )


def build_totals_command(application: Application) -> click.Command:
    """`hansa APP totals NAME --by COLUMN`: exact sums."""

    def run(name: str, by: tuple[str, ...], where: tuple[str, ...], **values: Any) -> int:
        place = find_place(values["league"], values["node"])
        with open_gateway(place, values["signer_name"]) as gateway:
            groups = gateway.totals(
                application.name, name, by=list(by), filters=parse_filters(where)
            )
        screen = Screen(as_json=values["as_json"])
        screen.document(groups)
        table = next(each for each in application.tables if each.name == name)
        rows = [
            [*(format_cell(group["group"].get(each)) for each in by), str(group["count"])]
            + [group["sums"].get(each, "") for each in table.totals]
            for group in groups
        ]
        screen.table([*by, "count", *table.totals], rows)
        return YES

    return click.Command(
        "totals",
        params=[
            _table_argument(application),
            click.Option(["--by"], multiple=True, metavar="COLUMN", help="Group by this column."),
            _where_option(),
            reader_option(),
            *place_parameters(),
            json_parameter(),
        ],
        callback=run,
        help=_describe(application, "Exact totals over the rows that you may see.", "totals"),
        short_help="Exact totals of a view.",
    )


def build_history_command(application: Application) -> click.Command:
    """`hansa APP history KIND KEY…`: a record's versions."""

    def run(kind: str, key: tuple[str, ...], after: str, **values: Any) -> int:
        record = find_record(application, kind)
        place = find_place(values["league"], values["node"])
        parts = resolve_key(place, record, key)
        with open_gateway(place, values["signer_name"]) as gateway:
            page = gateway.history(record.OWNER or application.name, kind, *parts, after=after)
        screen = Screen(as_json=values["as_json"])
        screen.document({"items": list(page.items), "next": page.next})
        rows = [
            [str(item["height"]), item["transaction"], "" if item["record"] else "deleted"]
            for item in page.items
        ]
        screen.table(["height", "transaction", ""], rows)
        if page.next:
            hint(f"more: add --after {page.next}")
        return YES if page.items else NO

    kinds = sorted({record.KIND for record in application.records})
    return click.Command(
        "history",
        params=[
            click.Argument(["kind"], type=click.Choice(kinds)),
            click.Argument(["key"], nargs=-1, required=True),
            click.Option(["--after"], metavar="CURSOR", help="Go on after this cursor."),
            reader_option(),
            *place_parameters(),
            json_parameter(),
        ],
        callback=run,
        help="Show the versions of a record, oldest first, and what wrote each.",
        short_help="Versions of one record.",
    )


def _table_argument(application: Application) -> click.Parameter:
    return click.Argument(["name"], type=click.Choice([table.name for table in application.tables]))


def _where_option() -> click.Parameter:
    return click.Option(["--where"], multiple=True, metavar="NAME=VALUE", help=_WHERE_HELP)


def _describe(application: Application, title: str, command: str) -> str:
    lines = [title, "", "\b", "Views:"]
    for table in application.tables:
        lines.append(f"  {table.name}: {' '.join(column.name for column in table.columns)}")
    first = application.tables[0]
    extra = f" --by {first.columns[0].name}" if command == "totals" else ""
    lines += ["", "\b", "Example:", f"  hansa {application.cli_name} {command} {first.name}{extra}"]
    return "\n".join(lines)
