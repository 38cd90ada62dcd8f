"""The command `hansa`: names its commands, loads the one that was asked for, and is the CLI's edge.

The only module of the command line with a catch-all: no stack trace ever reaches a person.
Exit codes: 0 yes, 1 no (refused, not valid), 2 could not judge (fault or wrong use), 130 stopped.
"""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from hansa import __version__

if TYPE_CHECKING:  # loaded when one of its commands is asked for
    from hansa.appkit.application import Application


class Entry(NamedTuple):
    """A command that is loaded when it is asked for. `help` is what `hansa --help` shows of it."""

    section: str
    help: str
    module: str
    attribute: str = "command"


_LEAGUE: Final = "A league on this machine"
_ACT: Final = "Act and ask"
_PROVE: Final = "Prove and check"
_WHO: Final = "Who says so: identities and credentials"
_SYSTEM: Final = "What every league has"
_APPS: Final = "Applications"

COMMANDS: Final = {
    "init": Entry(_LEAGUE, "Make a league in a folder: members, keys, genesis.", "league"),
    "start": Entry(_LEAGUE, "Run the league of a folder: ledger and API.", "start"),
    "status": Entry(_LEAGUE, "Say whether the league answers, and how far it is.", "status"),
    "doctor": Entry(_LEAGUE, "Name what is wrong with a league's folder, and the cure.", "doctor"),
    "backup": Entry(
        _LEAGUE, "Copy a node into one file, also while it runs.", "backups.command", "backup"
    ),
    "restore": Entry(_LEAGUE, "Make a node's home from a back-up.", "backups.command", "restore"),
    "index": Entry(_LEAGUE, "Rebuild the read model from the blocks.", "index"),
    "engine": Entry(_LEAGUE, "Install the engine of leagues with several nodes.", "engine"),
    "bench": Entry(_LEAGUE, "Measure on this machine, beside peers.", "bench.command"),
    "simulate": Entry(_LEAGUE, "Hunt faults of a simulated league, by seed.", "simulate"),
    "invite": Entry(_LEAGUE, "Write an invitation for a new node.", "invite"),
    "join": Entry(_LEAGUE, "Make a node's home and ask the members to admit it.", "join"),
    "leave": Entry(_LEAGUE, "Take back a member's vote and node, tidily.", "leave"),
    "demo": Entry(_LEAGUE, "Show it all with real invoices, in a minute.", "demo"),
    "keys": Entry(_ACT, "Make, list, show and rotate keys.", "keys"),
    "service": Entry(_ACT, "Service keys and tokens for software that cannot sign.", "service"),
    "tx": Entry(_ACT, "Build, sign, send and follow transactions.", "transactions"),
    "vault": Entry(_ACT, "Show, export and erase private documents.", "vaults"),
    "receipt": Entry(_PROVE, "Fetch the receipt of a message as a file.", "receipts"),
    "prove": Entry(_PROVE, "Prove that a record is there, or is not.", "receipts", "prove"),
    "verify": Entry(_PROVE, "Check receipts and proofs offline.", "verify"),
    "qr": Entry(_PROVE, "Show a receipt as a QR code.", "qr"),
    "trust": Entry(_PROVE, "Pin, list and remove trust roots.", "trust"),
    "did": Entry(_WHO, "Make, resolve, rotate, recover DIDs.", "identity.did"),
    "schema": Entry(_WHO, "Publish schemas; judge documents by them.", "identity.schema"),
    "accredit": Entry(_WHO, "Say who may issue what; ask, as a tree.", "identity.accredit"),
    "credential": Entry(_WHO, "Issue, present, verify, revoke credentials.", "identity.credential"),
    "evidence": Entry(_WHO, "Prove documents without showing them.", "identity.evidence"),
    "mandate": Entry(_WHO, "Give, use and end authority to act.", "identity.mandate"),
    "grant": Entry(_WHO, "Consent, withdraw it, see who read what.", "identity.grant"),
}

# Contracts whose derived commands stand in a group of COMMANDS: contract -> command.
FOLDED: Final[dict[str, str]] = {
    "schemas": "schema",
    "accreditations": "accredit",
    "credentials": "credential",
    "evidence": "evidence",
    "mandates": "mandate",
    "consents": "grant",
}


def name_group(application: "Application") -> str:
    """The name of the group in which an application's or contract's commands stand."""
    return FOLDED.get(application.name, application.cli_name)


class LazyGroup(click.Group):
    """A group that knows its commands by name and help, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        from hansa.catalog import CIVIC, SYSTEM

        derived = [name.replace("_", "-") for name in SYSTEM | CIVIC if name not in FOLDED]
        return [*COMMANDS, *derived]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            entry = COMMANDS[cmd_name]
            module = importlib.import_module(f"hansa.cli.{entry.module}")
            command = getattr(module, entry.attribute)
            return command if isinstance(command, click.Command) else None
        if cmd_name not in self.list_commands(ctx):
            return None
        derived = importlib.import_module("hansa.cli.derived")
        group = derived.build_group(cmd_name)
        return group if isinstance(group, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name when the one given does not exist."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = find_nearest(args[0], self.list_commands(ctx))
            if near and error.message.startswith("No such command"):
                message = f"There is no command {args[0]!r}. Did you mean {near!r}?"
                raise click.UsageError(message, ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        from hansa.catalog import CIVIC, SYSTEM

        for section in (_LEAGUE, _ACT, _PROVE, _WHO):
            rows = [(name, e.help) for name, e in COMMANDS.items() if e.section == section]
            if rows:
                _write_section(formatter, section, rows)
        for section, table in ((_APPS, CIVIC), (_SYSTEM, SYSTEM)):
            rows = [
                (name.replace("_", "-"), text) for name, text in table.items() if name not in FOLDED
            ]
            _write_section(formatter, section, rows)


def _write_section(formatter: click.HelpFormatter, title: str, rows: list[tuple[str, str]]) -> None:
    with formatter.section(title):
        formatter.write_dl(rows)


def find_nearest(name: str, names: list[str]) -> str | None:
    """The name that was probably meant."""
    import difflib

    return next(iter(difflib.get_close_matches(name, names, n=1)), None)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hansa")
def root() -> None:
    """Hansa: the shared ledger of a league of cities.

    \b
    Two commands to a running league, one to see it all:
      hansa init bay && hansa start bay
      hansa demo

    \b
    Then, inside the league's folder or with --league DIR:
      hansa e-invoice check invoice.xml
      hansa receipt ID -o receipt.json && hansa verify receipt.json

    Every command answers with exit code 0 (yes), 1 (no) or 2 (could not judge), and in JSON
    with --json. Every command teaches itself with --help.
    """


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code. The edge: faults become words here."""
    from hansa.cli.answers import tell_fault

    as_json = is_json(arguments)
    try:
        code = root.main(args=arguments, prog_name="hansa", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        return 130
    except (BrokenPipeError, SystemExit):
        # The reader (head, less) has gone, for which click exits: there is nobody to speak to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("HANSA_DEBUG") == "1":
            raise
        return tell_fault(error, as_json=as_json)


def is_json(arguments: list[str]) -> bool:
    """Whether the answer is asked for as JSON, known even when the rest is wrong."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options
