"""What the command line says: one answer on stdout; hints and refusals on stderr."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

if TYPE_CHECKING:  # loaded when something was refused
    from hansa.client.faults import Refused

YES, NO, UNJUDGED = 0, 1, 2
# What a node answers to those whom it may judge; anything else is a fault or a question amiss.
JUDGED: Final = frozenset({0, 403, 404, 409, 410, 422})
# Refusals of the node itself that are an answer: what was asked for is not there.
ABSENT: Final = "node.no_such_"
# Shorter words are no ids: nobody copies them.
WORD_MIN: Final = 16

F = TypeVar("F", bound=Callable[..., Any])


class Fault(NamedTuple):
    """A refusal or fault in words. `exit` is 1 for a no, 2 for could not judge."""

    code: str
    text: str
    rule: str
    remedy: str
    exit: int


def json_option(function: F) -> F:
    """The option `--json`, the same on every command."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Answer as one JSON document on stdout."
    )(function)


def answer(document: object, text: str, *, as_json: bool) -> None:
    """The one answer of a command: `document` with --json, else `text`."""
    if as_json:
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    elif text:
        click.echo(text)


def hint(text: str) -> None:
    """Something worth knowing that is not the answer: to stderr."""
    click.echo(text, err=True)


def count_of(number: int, noun: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Screen:
    """How commands of applications speak (`appkit.command.Output`)."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._shown = -1

    def line(self, text: str) -> None:
        """A line for people (nothing under --json)."""
        if not self.as_json:
            click.echo(text)

    def hint(self, text: str) -> None:
        """A hint, to standard error."""
        hint(text)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table for people (nothing under --json)."""
        if not self.as_json:
            click.echo(format_table(columns, [[str(cell) for cell in row] for row in rows]))

    def document(self, value: object) -> None:
        """The one JSON document (nothing without --json)."""
        answer(value, "", as_json=self.as_json)

    def progress(self, done: int, total: int, what: str) -> None:
        """Progress on stderr: one line that moves at a terminal, a line every tenth elsewhere."""
        tenth = done * 10 // max(total, 1)
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            filled = "█" * tenth + "░" * (10 - tenth)
            click.echo(f"\r{filled} {done}/{total} {what}\x1b[K{end}", err=True, nl=False)
        elif tenth != self._shown:
            click.echo(f"{done}/{total} {what}", err=True)
        self._shown = tenth if done < total else -1


def format_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table: drawn by rich at a terminal, plain aligned columns in a pipe."""
    if sys.stdout.isatty():
        return draw_table(columns, rows)
    table = [[column.upper() for column in columns], *rows]
    widths = [max(measure_width(row[i]) for row in table) for i in range(len(columns))]
    lines = ["  ".join(_pad(c, w) for c, w in zip(row, widths, strict=True)) for row in table]
    return "\n".join(line.rstrip() for line in lines)


def measure_width(text: str) -> int:
    """Columns that a text takes: ideographs take two, marks that combine none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - measure_width(text))


def is_identifier(text: str) -> bool:
    """Whether a cell is to be copied whole: no blank in it, and longer than a word."""
    return len(text) >= WORD_MIN and not any(char.isspace() for char in text)


def draw_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table by rich; a block of lines for each row where identifiers would not fit in whole."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    widths = [_measure_fixed(name, [row[i] for row in rows]) for i, name in enumerate(columns)]
    if sum(widths) + 2 * len(columns) + 2 > console.width:
        return _stack_rows(columns, rows)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name, width in zip(columns, widths, strict=True):
        table.add_column(name, min_width=width, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip("\n")


def _measure_fixed(name: str, cells: Sequence[str]) -> int:
    """Columns that may not be given away: those of the longest word, so that none is broken."""
    words = [word for text in (name, *cells) for word in text.split()]
    return max((measure_width(word) for word in words), default=1)


def _stack_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    width = max(map(measure_width, columns), default=0)
    blocks = [
        "\n".join(
            f"{_pad(name, width)}  {cell}" for name, cell in zip(columns, row, strict=True) if cell
        )
        for row in rows
    ]
    return "\n\n".join(blocks)


def tell_fault(error: BaseException, *, as_json: bool) -> int:
    """Say what went wrong with code, rule and remedy; return the exit code. Never a stack trace."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    fault = describe_fault(error)
    if as_json:
        body = {"code": fault.code, "rule": fault.rule, "text": fault.text, "remedy": fault.remedy}
        answer({"error": body}, "", as_json=True)
    if isinstance(error, click.UsageError) and not as_json:
        error.show()
        return fault.exit
    click.echo(format_fault(fault), err=True)
    return fault.exit


def format_fault(fault: Fault) -> str:
    """Three lines at most: what, which rule, what to do."""
    rule = f"  rule: {fault.rule}\n" if fault.rule else ""
    remedy = f"  next: {fault.remedy}\n" if fault.remedy else ""
    return f"✗ {fault.code}: {fault.text}\n{rule}{remedy}".rstrip("\n")


def _describe_node_fault(error: BaseException) -> Fault | None:
    """Faults of node, engine, read model and vault; their modules are loaded if they raised."""
    node = sys.modules.get("hansa.node.faults")
    if node is not None and isinstance(error, node.NodeError):
        return Fault("node.fault", error.text, "", error.cure, UNJUDGED)
    engine = sys.modules.get("hansa.comet.faults")
    if engine is not None and isinstance(error, engine.CometError):
        return Fault("engine.fault", error.text, "", error.cure, UNJUDGED)
    index = sys.modules.get("hansa.index.faults")
    if index is not None and isinstance(error, index.IndexFault):
        return Fault(error.code, str(error), "", error.hint, UNJUDGED)
    vault = sys.modules.get("hansa.vault.faults")
    if vault is not None and isinstance(error, vault.VaultError):
        return Fault(error.CODE, error.text, "", error.remedy, UNJUDGED)
    return None


def is_verdict(refused: "Refused") -> bool:
    """Whether a rule was held against it; a node that is stopped, busy or asked amiss judged not.

    The kernel's rejections are verdicts under any status below 500 (a spent quota is a 429).
    """
    space = refused.code.partition(".")[0]
    if space == "node":
        return refused.code.startswith(ABSENT)
    if space in ("api", "http"):
        return refused.status in JUDGED
    return refused.status < 500


def describe_fault(error: BaseException) -> Fault:
    """Words for an exception: rejections are a no, everything else could not be judged."""
    from hansa.client.faults import ClientError, Refused
    from hansa.ledger.rejections import Rejection

    if isinstance(error, Refused):
        code = NO if is_verdict(error) else UNJUDGED
        return Fault(error.code, error.text, error.rule, error.remedy, code)
    if isinstance(error, Rejection):
        return Fault(error.code, error.text, error.RULE, error.remedy, NO)
    if isinstance(error, ClientError):
        return Fault(error.CODE, error.text, "", error.remedy, UNJUDGED)
    node_fault = _describe_node_fault(error)
    if node_fault is not None:
        return node_fault
    if isinstance(error, click.ClickException):
        return Fault("cli.usage", error.format_message(), "", "add --help to see how", UNJUDGED)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        remedy = "see that the disk is there, has space, and lets this user read and write; retry"
        return Fault("cli.system", f"{place}{error.strerror or error}", "", remedy, UNJUDGED)
    return Fault(
        "cli.unexpected",
        f"something unexpected happened ({type(error).__name__})",
        "",
        "set HANSA_DEBUG=1 and run it again to see where, and tell us",
        UNJUDGED,
    )
