"""What commands of identity share: times and digests as people write them, acts by proposal."""

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli.acting import Act, act, collect_act
from hansa.cli.answers import hint
from hansa.client.transactions import Draft
from hansa.contracts.governance.model import Action, Propose
from hansa.identity.moments import InvalidMoment, format_moment, parse_moment
from hansa.ledger.model import Message

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Moment(click.ParamType[int]):
    """A day (its beginning, UTC) or a time with its offset; gives milliseconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = f"{value}T00:00:00Z" if _DAY.fullmatch(value) else value
        try:
            return parse_moment(text)
        except InvalidMoment as error:
            self.fail(f"{value!r}: {error}; or a day, 2027-01-31", param, ctx)


def tell_moment(at_ms: int) -> str:
    """A time as people read it: a day where it is the beginning of one."""
    return format_moment(at_ms).removesuffix("T00:00:00Z")


def compute_digest(file: Path | None) -> str:
    """Hex SHA-256 of a file; "" of none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file is not None else ""


def file_option(name: str, help_: str) -> click.Option:
    """An option that names a file that is there."""
    kind = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.Option([name], type=kind, metavar="FILE", help=help_)


def basis_options() -> list[click.Parameter]:
    """The options --since, --until, --basis and --document."""
    return [
        click.Option(["--since"], type=Moment(), help="When it begins.  [default: at once]"),
        click.Option(["--until"], type=Moment(), help="When it ends.  [default: no end]"),
        click.Option(["--basis"], required=True, metavar="CODE", help="Code of the legal basis."),
        file_option("--document", "The act itself; only its digest goes on the ledger."),
    ]


def collect_basis(values: dict[str, Any]) -> dict[str, Any]:
    """What `basis_options` gave, as fields of a message."""
    return {
        "since_ms": values["since"],
        "until_ms": values["until"],
        "basis": values["basis"],
        "document": compute_digest(values["document"]),
    }


def build_act_command(
    name: str,
    params: Sequence[click.Parameter],
    run: Callable[..., int],
    help_: str,
) -> click.Command:
    """A command that sends: its own parameters, then those of every act."""
    return click.Command(name, params=[*params, *Act.options()], callback=run, help=help_)


def propose_option() -> click.Option:
    """The option --propose."""
    return click.Option(
        ["--propose", "is_proposed"], is_flag=True, help="Propose it to governance."
    )


def perform(
    values: dict[str, Any], application: str, message: Message, *, is_proposed: bool = False
) -> int:
    """Send a message, or a proposal of it."""
    how = collect_act(values)
    if not is_proposed:
        return act(how, [Draft(application, message)])
    action = Action(
        application=application, type=type(message).__name__, body=msgspec.to_builtins(message)
    )
    topic = type(message).__name__.lower()
    code = act(how, [Draft("governance", Propose(topic=topic, actions=(action,)))])
    if code == 0:
        vote = "hansa governance vote --proposal N --choice yes (N as ProposalOpened says)"
        hint(f"it holds when the proposal has passed: {vote}")
    return code
