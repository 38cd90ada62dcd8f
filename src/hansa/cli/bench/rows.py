"""`hansa bench embedded`, and the other rows that stand on a sheet: their options and help."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hansa.cli.answers import NO, YES, answer, hint, json_option
from hansa.cli.bench.keeping import describe_command, hide_password, keep, scratch

if TYPE_CHECKING:  # loaded when a row is measured
    from hansa.cli.bench.sheet import Sheet

# What `all` runs, in this order: what is short first.
NAMES: Final = ("embedded", "verify", "http", "index", "growth", "network")
F = TypeVar("F", bound=Callable[..., Any])


def sheet_options(function: F) -> F:
    """`--quick`, `--repeat`, `-o` and `--json`: the same of every row."""
    options: Final = (
        click.option("--quick", is_flag=True, help="Few, short turns: to see that it works."),
        click.option(
            "--repeat",
            type=click.IntRange(1, 20),
            metavar="N",
            help="Repetitions (default: 3; quick: 1).",
        ),
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Also write the document to FILE, to keep it.",
        ),
        json_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


def conclude(sheet: "Sheet", output: Path | None, *, as_json: bool) -> int:
    """Keep the sheet, print it; NO when something failed."""
    import msgspec

    from hansa.cli.bench.sheet import format_sheet

    keep(output, msgspec.json.encode(sheet))
    answer(msgspec.to_builtins(sheet), format_sheet(sheet), as_json=as_json)
    return NO if sheet.faults else YES


@click.command("embedded")
@click.option(
    "--messages", "counts", type=click.IntRange(1, 500), multiple=True, metavar="N",
    help="Messages of one transaction; may be given several times (default: 1 and 100).",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(0.5, 600), metavar="S",
    help="Measured time of each run (default: 5).",
)  # fmt: skip
@sheet_options
def embedded(
    counts: tuple[int, ...],
    seconds: float | None,
    quick: bool,
    repeat: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """A node in one process, beside the raw rate of signature checks.

    Real invoices go through the door, execution with state tree and receipts, the durable write and
    the read model, all in one process on the embedded engine. A transaction counts when it is
    durable and in the read model. What is compared with it: Ed25519 checks on one core; and for
    transactions of many messages, those of one.

    \b
    Examples:
      hansa bench embedded --quick
      hansa bench embedded --messages 1 -o docs/bench/embedded.json
    """
    from hansa.cli.bench.embedded import EmbeddedPlan, conduct_embedded

    plan = EmbeddedPlan(
        messages=tuple(dict.fromkeys(counts)) or ((1, 20) if quick else (1, 100)),
        seconds=seconds or (1 if quick else 5),
        warm_up_s=0.5 if quick else 2,
        repeat=repeat or (1 if quick else 3),
    )
    with scratch() as folder:
        sheet = conduct_embedded(folder, describe_command(), plan, hint)
    return conclude(sheet, output, as_json=as_json)


@click.command("verify")
@sheet_options
def verify(quick: bool, repeat: int | None, output: Path | None, as_json: bool) -> int:
    """Receipts, proofs of absence and bundles judged offline.

    `hansa verify FILE` as a process of its own each time, beside an interpreter that does nothing;
    and the same verdict in a process that has given one before.

    \b
    Examples:
      hansa bench verify --quick
      hansa bench verify -o docs/bench/verify.json
    """
    from hansa.cli.bench.verifying import VerifyPlan, conduct_verify

    plan = VerifyPlan(
        cold=2 if quick else 10, warm=5 if quick else 1_000, repeat=repeat or (1 if quick else 3)
    )
    with scratch() as folder:
        sheet = conduct_verify(folder, describe_command(), plan, hint)
    return conclude(sheet, output, as_json=as_json)


@click.command("http")
@sheet_options
def http(quick: bool, repeat: int | None, output: Path | None, as_json: bool) -> int:
    """Reads and submissions through the gateway, beside handlers that do nothing.

    A gateway with its node and read model in one process; in the same server a handler of the same
    framework that answers at once, and an application without any framework. Invoices are read by a
    signed-in party, with and without proof; new ones are submitted and executed meanwhile.

    \b
    Examples:
      hansa bench http --quick
      hansa bench http -o docs/bench/http.json
    """
    from hansa.cli.bench.http_row import HttpPlan, conduct_http

    plan = HttpPlan(
        seconds=0.5 if quick else 1.5, warm_up_s=0.2 if quick else 0.5,
        repeat=repeat or (1 if quick else 3),
    )  # fmt: skip
    with scratch() as folder:
        sheet = conduct_http(folder, describe_command(), plan, hint)
    return conclude(sheet, output, as_json=as_json)


@click.command("index")
@click.option(
    "--database", metavar="URL",
    help="A PostgreSQL server on which databases may be made (default: one is started).",
)  # fmt: skip
@sheet_options
def index(
    database: str | None, quick: bool, repeat: int | None, output: Path | None, as_json: bool
) -> int:
    """The read model's follower beside a node's load, on SQLite and PostgreSQL.

    A node commits invoices as fast as it can, and does not wait for its read model. Whether that
    keeps up, how far it is behind, and whether that grows.

    \b
    Examples:
      hansa bench index --quick
      hansa bench index -o docs/bench/index.json
    """
    from hansa.cli.bench.following import IndexPlan, conduct_index

    plan = IndexPlan(
        messages=20 if quick else 100, seconds=1 if quick else 5, warm_up_s=0.5 if quick else 2,
        repeat=repeat or (1 if quick else 3), database=database or "",
    )  # fmt: skip
    with scratch() as folder:
        shown = hide_password(describe_command(), plan.database)
        sheet = conduct_index(folder, shown, plan, hint)
    return conclude(sheet, output, as_json=as_json)


@click.command("growth")
@click.option(
    "--homes", type=click.Path(path_type=Path), metavar="DIR",
    help="Where the homes are kept, to be measured again (default: made for this run).",
)  # fmt: skip
@click.option(
    "--records", type=click.IntRange(1_000, 100_000_000), multiple=True, metavar="N",
    help="Records of a home; given several times (default: the fewest and the most of the homes "
    "that are there, else 10,000 and 10,000,000).",
)  # fmt: skip
@click.option("--fill", is_flag=True, help="Only make the homes that are missing.")
@sheet_options
def growth(
    homes: Path | None,
    records: tuple[int, ...],
    fill: bool,
    quick: bool,
    repeat: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """A node on ten million records beside one on ten thousand.

    Homes are filled with invented invoices, as a snapshot is restored; ten million take ten
    minutes and some 5 GB. On each: a node's work on real invoices stage by stage, starts after
    a stop and after a kill under load, peak memory.

    \b
    Examples:
      hansa bench growth --quick
      hansa bench growth --homes /var/tmp/growth --fill
      hansa bench growth --homes /var/tmp/growth -o docs/bench/growth.json
    """
    from hansa.cli.bench.growth import GrowthPlan, conduct_growth, fill_homes, list_homes

    there = list_homes(homes) if homes is not None and not fill else []
    usual = (1_000, 20_000) if quick else (10_000, 10_000_000)
    plan = GrowthPlan(
        records=tuple(sorted(set(records))) or ((there[0], there[-1]) if len(there) > 1 else usual),
        blocks=((1, 50, 2), (20, 3, 2)) if quick else ((1, 400, 5), (100, 20, 4)),
        repeat=repeat or (1 if quick else 3),
    )
    with scratch() as folder:
        place = homes or folder
        if fill:
            fill_homes(place, plan.records, hint)
            return YES
        sheet = conduct_growth(place, describe_command(), plan, hint)
    return conclude(sheet, output, as_json=as_json)


@click.command("all")
@click.option(
    "--only", "only", type=click.Choice(NAMES), multiple=True,
    help="Only this row's command; may be given several times.",
)  # fmt: skip
@click.option(
    "--homes", type=click.Path(path_type=Path), metavar="DIR",
    help="Where the homes of `growth` are kept (default: made for this run).",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Few, short turns: to see that it works.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    required=True, help="Folder of the documents: one of each row, named with the date.",
)  # fmt: skip
@json_option
def every(
    only: tuple[str, ...], homes: Path | None, quick: bool, output: Path, as_json: bool
) -> int:
    """Every row, one command after the other, each kept in a file.

    Some thirteen minutes on a machine that does nothing else, when the homes of `hansa bench
    growth` are there already. A row that fails does not stop the others.

    \b
    Examples:
      hansa bench all --quick -o /tmp/bench
      hansa bench all --homes /var/tmp/growth -o docs/bench
    """
    import msgspec

    from hansa.cli.bench.every import conduct_all, format_all

    names = tuple(name for name in NAMES if not only or name in only)
    report = conduct_all(output, describe_command(), names, homes, hint, quick=quick)
    answer(msgspec.to_builtins(report), format_all(report), as_json=as_json)
    return YES if report.is_whole else NO


ROWS: Final = (embedded, verify, http, index, growth, every)
