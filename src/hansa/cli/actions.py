"""Actions of a proposal: messages of any contract, checked and completed before anyone votes.

Loads all applications; touches nothing.
"""

from collections.abc import Iterator
from typing import Any, Final

import click
import msgspec

from hansa.appkit.application import Application
from hansa.cli.fields import Field, Resolve, build_message, describe_fields
from hansa.cli.shapes import is_struct
from hansa.ledger.model import Message

EXAMPLES: Final = (
    "To admit a member (the first line is the candidate's, who has made a key named harbour):",
    "  hansa keys request harbour --admit 'Harbour Office' --jurisdiction HK > harbour.json",
    "  hansa governance propose --topic admission --actions @harbour.json",
    "To set a parameter:",
    """  hansa governance propose --topic quotas --actions '[{"application": "quotas","""
    """ "type": "SetAllowance", "body": {"member": "seller-a", "units": 50000000}}]'""",
    """  hansa governance propose --topic window --actions '[{"application": "governance","""
    """ "type": "SetParameter", "body": {"application": "quotas", "name": "window_ms","""
    """ "value": 60000}}]'""",
    "Then, with the number that `propose` prints:",
    "  hansa governance vote --proposal 1 --choice yes --as seller-a",
)


def is_actions(field: Field) -> bool:
    """Whether a field holds actions of a proposal."""
    from hansa.contracts.governance.model import Action

    return is_struct(field.type, Action)


def describe_actions() -> list[str]:
    """Lines for help: every message that a proposal may carry, then examples."""
    from hansa.catalog import load_applications

    lines = ["Messages that a proposal may carry (* required):"]
    for application in load_applications():
        for message in list_governed(application):
            fields = ", ".join(
                each.name + ("*" if each.required else "") for each in describe_fields(message)
            )
            lines.append(f"  {application.name} {message.__name__}: {fields}")
    return [*lines, "", "\b", *EXAMPLES]


def list_governed(application: Application) -> Iterator[type[Message]]:
    """Messages of an application that governance may send."""
    from hansa.cli.derived import find_newest

    return (message for message in find_newest(application) if message.GOVERNED)


def complete_actions(actions: Any, resolve: Resolve) -> Any:
    """The actions with version, defaults and DIDs filled in. Raises click.UsageError."""
    if not isinstance(actions, list):
        raise click.UsageError("--actions is a list: [{…}]")
    return [_complete(action, number, resolve) for number, action in enumerate(actions)]


def _complete(action: Any, number: int, resolve: Resolve) -> Any:
    from hansa.catalog import CIVIC, SYSTEM, load_application

    place = f"action {number}"
    if not isinstance(action, dict):
        raise click.UsageError(f"{place} is no object")
    name, kind, body = (action.get(each) for each in ("application", "type", "body"))
    if name not in SYSTEM | CIVIC:
        known = ", ".join(SYSTEM | CIVIC)
        raise click.UsageError(f"{place}: no application {name!r}; there are: {known}")
    governed = {each.__name__: each for each in list_governed(load_application(name))}
    if kind not in governed:
        raise click.UsageError(
            f"{place}: governance sends no {kind!r} of {name}; it may send: "
            + (", ".join(governed) or "none")
        )
    if not isinstance(body, dict):
        raise click.UsageError(f"{place}: body is the message as an object")
    dids = [each.name for each in describe_fields(governed[kind]) if each.kind == "did"]
    named = {key: resolve(body[key]) for key in dids if isinstance(body.get(key), str)}
    try:
        message = build_message(governed[kind], body | named)
    except click.UsageError as error:
        raise click.UsageError(f"{place}: {error.message}") from error
    return action | {"body": msgspec.to_builtins(message)}
