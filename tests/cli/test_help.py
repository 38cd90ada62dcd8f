"""`--help` teaches: every command has it, with words for each option and no stack trace."""

from collections.abc import Iterator

import click
import pytest

from hansa.catalog import CIVIC, SYSTEM, load_application
from hansa.cli.derived import find_newest, to_kebab
from hansa.cli.main import COMMANDS, FOLDED, root
from tests.cli.processes import Shell


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command below `command`, by its path."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from walk(found, (*path, name))


PATHS = list(walk(root))


def find(path: tuple[str, ...]) -> click.Command:
    command: click.Command = root
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


@pytest.mark.parametrize("path", PATHS, ids=lambda path: " ".join(path) or "hansa")
def test_every_command_has_help_that_names_its_purpose_and_options(path: tuple[str, ...]) -> None:
    command = find(path)
    context = click.Context(command, info_name=" ".join(("hansa", *path)))
    text = command.get_help(context)
    assert text.startswith("Usage: hansa")
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("help", "version"):
            spoken = parameter.help or isinstance(parameter.type, click.Choice | click.Path)
            assert spoken or parameter.show_default, (path, parameter.name)


def test_every_leaf_can_answer_in_json() -> None:
    for path in PATHS:
        command = find(path)
        if isinstance(command, click.Group):
            continue
        names = [option for parameter in command.params for option in parameter.opts]
        assert "--json" in names, path


def test_top_help_lists_every_command_of_the_catalog(shell: Shell) -> None:
    done = shell.run("--help")
    assert done.exit == 0
    for name in (*COMMANDS, *(each.replace("_", "-") for each in (SYSTEM | CIVIC).keys() - FOLDED)):
        assert f"\n  {name} " in done.out, name


@pytest.mark.parametrize("name", [*SYSTEM, *CIVIC])
def test_a_command_for_each_message_that_people_may_send(name: str) -> None:
    application = load_application(name)
    group = find((FOLDED.get(name, application.cli_name),))
    assert isinstance(group, click.Group)
    for message in find_newest(application):
        assert (to_kebab(message.__name__) in group.commands) != message.INTERNAL, message


def test_help_runs_as_a_process_at_each_depth(shell: Shell) -> None:
    for path in ((), ("keys",), ("keys", "new"), ("e-invoice",), ("e-invoice", "issue")):
        done = shell.run(*path, "--help")
        assert done.exit == 0
        assert done.out.startswith("Usage: hansa")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IssueInvoice", "issue-invoice"),
        ("ConfirmUse", "confirm-use"),
        ("SetVATRate", "set-vat-rate"),
        ("A", "a"),
    ],
)
def test_kebab_names(name: str, expected: str) -> None:
    assert to_kebab(name) == expected
