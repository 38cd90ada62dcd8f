"""`hansa bench`: what the ledger can do on this machine, beside peers measured in the same run."""

from pathlib import Path
from typing import Final

import click

from hansa.cli.answers import NO, YES, answer, hint, json_option
from hansa.cli.bench.keeping import describe_command, hide_password, keep, scratch
from hansa.cli.bench.rows import ROWS

# The networks that are measured when none is named.
USUAL: Final = ("kvstore", "empty", "hansa", "hansa-gateway")


@click.group()
def command() -> None:
    """Measure on this machine, beside a peer or a limit of the same run.

    Each bench starts what it needs in a temporary folder, and removes it. Figures of a busy machine
    are worth little: the load average before and after is printed with them.

    \b
    Examples:
      hansa bench network --quick
      hansa bench stages
    """


@command.command("network")
@click.option("--quick", is_flag=True, help="One short repetition: to see that it works.")
@click.option(
    "--validators", type=click.IntRange(1, 16), default=4, show_default=True, metavar="N",
    help="Nodes that vote, all on this machine.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(1, 600), metavar="S",
    help="Measured time of each run (default: 15).",
)  # fmt: skip
@click.option("--repeat", type=click.IntRange(1, 20), metavar="N", help="Repetitions (default: 3).")
@click.option(
    "--light", type=click.IntRange(1, 500), metavar="N",
    help="Transactions one at a time, for the time to finality, in each repetition (default: 67).",
)  # fmt: skip
@click.option(
    "--messages", "counts", type=click.IntRange(1, 500), multiple=True, metavar="N",
    help="Messages of one transaction; may be given several times (default: 1 and 100).",
)  # fmt: skip
@click.option(
    "--only", "only", type=click.Choice([*USUAL, "hansa-voters"]),
    multiple=True, help="Measure only this network; may be given several times (default: all but "
    "hansa-voters, whose nodes keep no read model).",
)  # fmt: skip
@click.option("--alone/--no-alone", default=True, help="One validator alone, too (default: yes).")
@click.option("--profile", is_flag=True, help="Sample the nodes: where their time goes.")
@click.option(
    "--engine", "binary", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE", help="Engine of the peers (default: the one that leagues run on).",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the document to FILE, to keep it.",
)  # fmt: skip
@json_option
def network(
    quick: bool,
    validators: int,
    seconds: float | None,
    repeat: int | None,
    light: int | None,
    counts: tuple[int, ...],
    only: tuple[str, ...],
    alone: bool,
    profile: bool,
    binary: Path | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Hansa's network beside CometBFT's own.

    Networks of N validators, one after the other, with transactions of the same lengths and the
    same engine configuration: CometBFT's kvstore (in the engine's process, nothing signed, nothing
    kept), an empty application on Hansa's ABCI server, Hansa with real invoices, durable, indexed.
    Then each with one validator alone. The limit that Hansa is held to is kvstore's time per
    transaction plus one signature check per validator, shared by the cores.

    \b
    Examples:
      hansa bench network --quick
      hansa bench network --json -o docs/bench/network.json
      hansa bench network --only kvstore --only hansa --no-alone --profile
    """
    import msgspec

    from hansa.cli.bench.load import QUICK_WINDOW, WINDOW
    from hansa.cli.bench.network import conduct
    from hansa.cli.bench.report import Plan
    from hansa.cli.bench.tables import format_report

    plan = Plan(
        validators=validators,
        seconds=seconds or (4 if quick else 15),
        warm_up_s=1 if quick else min(5, (seconds or 15) / 2),
        repeat=repeat or (1 if quick else 3),
        light=light or (5 if quick else 67),
        messages=tuple(dict.fromkeys(counts)) or (1, 100),
        alone=alone and not quick and validators > 1,
        gateway=not only or "hansa-gateway" in only,
        networks=only or USUAL,
        window=QUICK_WINDOW if quick else WINDOW,
    )
    with scratch() as folder:
        report = conduct(plan, folder, describe_command(), binary, hint, profiled=profile)
    keep(output, msgspec.json.encode(report))
    answer(msgspec.to_builtins(report), format_report(report), as_json=as_json)
    return NO if report.faults else YES


@command.command("stages")
@click.option("--quick", is_flag=True, help="Few transactions: to see that it works.")
@click.option("--profile", is_flag=True, help="Sample the functions, too.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the document to FILE, to keep it.",
)  # fmt: skip
@json_option
def stages(quick: bool, profile: bool, output: Path | None, as_json: bool) -> int:
    """Where one node's time goes, stage by stage.

    Real invoices, 1 and 100 in a transaction, pass everything that a validator's node does with
    them, in one thread and without an engine: the door, the vote, execution with state tree and
    receipts, the durable write, the read model. Processor time is counted, not the clock's.

    \b
    Examples:
      hansa bench stages --quick
      hansa bench stages --profile -o docs/bench/stages.json
    """
    import msgspec

    from hansa.cli.bench.stages import KINDS, QUICK_KINDS, conduct_stages
    from hansa.cli.bench.tables import format_stages

    with scratch() as folder:
        kinds = QUICK_KINDS if quick else KINDS
        report = conduct_stages(folder, describe_command(), kinds, profiled=profile)
    keep(output, msgspec.json.encode(report))
    answer(msgspec.to_builtins(report), format_stages(report), as_json=as_json)
    return YES


@command.command("food")
@click.option("--quick", is_flag=True, help="20,000 events, few questions: to see that it works.")
@click.option(
    "--events", type=click.IntRange(1_000, 20_000_000), metavar="N",
    help="Events in the read model (default: 1,000,000).",
)  # fmt: skip
@click.option(
    "--questions", type=click.IntRange(1, 10_000), metavar="N",
    help="How often each kind of question is asked (default: 200).",
)  # fmt: skip
@click.option(
    "--database", metavar="URL",
    help="An empty database: postgresql+pg8000://… (default: an SQLite file).",
)  # fmt: skip
@click.option("--capture/--no-capture", default=True, help="Capture beside invoices, too.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the document to FILE, to keep it.",
)  # fmt: skip
@json_option
def food(
    quick: bool,
    events: int | None,
    questions: int | None,
    database: str | None,
    capture: bool,
    output: Path | None,
    as_json: bool,
) -> int:
    """Recall, trace-back and labels over a million events; capture beside invoices.

    A model food chain of some 400 firms fills a read model, block by block. Then it is asked for
    what any lot became and for what became of the ingredients that went into most. Capture of 100
    events in a transaction is counted as `hansa bench stages` does, beside 100 invoices.

    \b
    Examples:
      hansa bench food --quick
      hansa bench food -o docs/bench/food.json
    """
    import msgspec

    from hansa.cli.bench.food import conduct_food
    from hansa.cli.bench.food_report import FoodPlan, format_food

    plan = FoodPlan(
        events=events or (20_000 if quick else 1_000_000),
        questions=questions or (20 if quick else 200),
        database=database or "",
        capture_blocks=0 if not capture else 1 if quick else 5,
    )
    with scratch() as folder:
        report = conduct_food(folder, hide_password(describe_command(), plan.database), plan, hint)
    keep(output, msgspec.json.encode(report))
    answer(msgspec.to_builtins(report), format_food(report), as_json=as_json)
    return YES if report.is_met else NO


@command.command("identity")
@click.option("--quick", is_flag=True, help="Few turns: to see that it works.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the document to FILE, to keep it.",
)  # fmt: skip
@json_option
def identity(quick: bool, output: Path | None, as_json: bool) -> int:
    """Credentials issued and verified, beside the raw rate of signatures of the same run.

    With EdDSA, ES256 and SM2: issue and verify (every check: schema, status, accreditation, from
    records that a warm verifier has read before). Then DIDs read with proof at a node, evidence in
    bulk, status lists of a million entries. One core; processor time is counted.

    \b
    Examples:
      hansa bench identity --quick
      hansa bench identity -o docs/bench/identity.json
    """
    import msgspec

    from hansa.cli.bench.identity import conduct_identity, format_identity

    with scratch() as folder:
        report = conduct_identity(folder, describe_command(), quick=quick, tell=hint)
    keep(output, msgspec.json.encode(report))
    answer(msgspec.to_builtins(report), format_identity(report), as_json=as_json)
    return YES


for _row in ROWS:
    command.add_command(_row)
