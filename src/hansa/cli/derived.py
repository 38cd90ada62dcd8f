"""Command groups derived from the catalog (D15): a command per message, `show`, `list`, own ones.

Imports the one application that was asked for. Touches the league only when a command runs.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import click

from hansa.appkit.application import Application
from hansa.catalog import load_application
from hansa.cli.acting import Act, act, collect_act
from hansa.cli.actions import complete_actions, describe_actions, is_actions
from hansa.cli.asking import build_list_command, build_show_command
from hansa.cli.fields import (
    Field,
    build_body,
    build_message,
    build_option,
    describe_fields,
    parse_json,
)
from hansa.cli.main import name_group
from hansa.cli.own import build_own_command
from hansa.cli.place import Place
from hansa.cli.shapes import describe_shape, format_example, name_type
from hansa.cli.tables import build_history_command, build_table_command, build_totals_command
from hansa.client.transactions import Draft
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Message

_BODY_HELP: Final = (
    "The whole message as JSON, or a list of messages, instead of the options (@- is stdin)."
)


_USE: Final = "Commands"
_SEND: Final = "Messages to the ledger"


class SectionedGroup(click.Group):
    """A group whose help shows its commands in sections, in the order in which they were added."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._sections: dict[str, list[click.Command]] = {}

    def add(self, section: str, command: click.Command) -> None:
        """Add a command; a name that is taken keeps its first command."""
        if command.name not in self.commands:
            self.add_command(command)
            self._sections.setdefault(section, []).append(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for section, commands in self._sections.items():
            with formatter.section(section):
                rows = [(each.name or "", each.get_short_help_str(64)) for each in commands]
                formatter.write_dl(rows)


def build_group(name: str, shown_as: str = "", own: Sequence[click.Command] = ()) -> click.Group:
    """The group of one application or system contract.

    `shown_as`: another name of the group; `own`: commands written by hand, which come first.
    """
    application = load_application(name)
    group = SectionedGroup(
        shown_as or application.cli_name,
        help=_describe_group(application),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for each in own:
        group.add(_USE, each)
    for command in application.commands:
        group.add(_USE, build_own_command(application, command))
    if application.records:
        group.add(_USE, build_show_command(application))
        group.add(_USE, build_list_command(application))
        group.add(_USE, build_history_command(application))
    if application.tables:
        group.add(_USE, build_table_command(application))
        group.add(_USE, build_totals_command(application))
    for message in find_newest(application):
        if not message.INTERNAL:
            group.add(_SEND, _build_message_command(application, message))
    return group


def find_newest(application: Application) -> list[type[Message]]:
    """The newest version of each message type, in the order of registration."""
    newest: dict[str, type[Message]] = {}
    for message in application.messages:
        known = newest.get(message.__name__)
        if known is None or get_version(message) > get_version(known):
            newest[message.__name__] = message
    return list(newest.values())


def _describe_group(application: Application) -> str:
    kinds = ", ".join(sorted({record.KIND for record in application.records}))
    parts = [f"{application.title}.", "One command per message, derived from the application."]
    if kinds:
        parts.append(f"Records (show, list): {kinds}.")
    if application.roles:
        roles = [f"  {role.name}: {role.text}" for role in application.roles]
        parts.append("\n".join(["\b", "Roles:", *roles]))
    return "\n\n".join(parts)


def to_kebab(name: str) -> str:
    """`IssueInvoice` is `issue-invoice` on the command line."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def _build_message_command(application: Application, message: type[Message]) -> click.Command:
    fields = describe_fields(message)

    def run(body: str | None, **values: Any) -> int:
        own = {field.name: values.pop(field.parameter) for field in fields}
        how = collect_act(values)
        bodies = _collect_bodies(fields, own, body, how.place)
        for each in bodies:
            _complete_actions(fields, each, how.place)
        messages = [build_message(message, each) for each in bodies]
        return act(how, [Draft(application.name, each) for each in messages])

    return click.Command(
        to_kebab(message.__name__),
        params=[
            *(build_option(field) for field in fields),
            click.Option(["--body"], metavar="JSON|@FILE", help=_BODY_HELP),
            *Act.options(),
        ],
        callback=run,
        help=_describe_message(application, message, fields),
        short_help=_first_sentence(message),
    )


def _collect_bodies(
    fields: list[Field], own: dict[str, Any], body: str | None, place: Place
) -> list[Any]:
    if body is None:
        return [build_body(fields, own, place.did)]
    if any(value is not None and value != () for value in own.values()):
        raise click.UsageError("give either --body or the message's own options, not both")
    parsed = parse_json(body, "--body")
    return parsed if isinstance(parsed, list) else [parsed]


def _complete_actions(fields: list[Field], body: Any, place: Place) -> None:
    """Complete the actions that a proposal carries, in place."""
    for field in fields:
        if is_actions(field) and isinstance(body, dict) and field.name in body:
            body[field.name] = complete_actions(body[field.name], place.did)


def _first_sentence(message: type[Message]) -> str:
    return " ".join((message.__doc__ or "").split("\n\n")[0].split())


def _describe_message(application: Application, message: type[Message], fields: list[Field]) -> str:
    paragraphs = [" ".join(each.split()) for each in (message.__doc__ or "").split("\n\n")]
    role = application.contract.role(message.ROLE) if message.ROLE else None
    if role is not None:
        grantors = ", ".join(role.granted_by)
        paragraphs.append(f"The sender needs the role {role.name} (granted by: {grantors}).")
    for field in fields:
        if shape := describe_shape(field.type):
            example = f"  {field.option} '{format_example(field.type)}'"
            inside = f"Inside {field.option} ({name_type(field.type)}):"
            paragraphs.append("\n".join(["\b", inside, *(f"  {each}" for each in shape), example]))
        if is_actions(field):
            paragraphs.append("\n".join(["\b", *describe_actions()]))
    wanted = " ".join(f"{field.option} …" for field in fields if field.required)
    line = f"  hansa {name_group(application)} {to_kebab(message.__name__)} {wanted} --as NAME"
    paragraphs.append("\n".join(["\b", "Example:", line]))
    return "\n\n".join(paragraphs)
