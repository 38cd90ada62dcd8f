"""An application's own commands (`appkit.command.Command`) on the command line."""

from typing import Any

import click

from hansa.appkit.application import Application
from hansa.appkit.command import Command, Option
from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import Screen
from hansa.cli.asking import open_gateway, reader_option
from hansa.cli.door import LeagueDoor, OpenDoor
from hansa.cli.place import find_place


def build_own_command(application: Application, command: Command) -> click.Command:
    """The click command of an application's own command."""
    parameters = {option.name.replace("-", "_"): option for option in command.options}

    def run(**values: Any) -> int:
        own = {name: values.pop(f"own_{name}") for name in parameters}
        screen = Screen(as_json=values["as_json"])
        if not command.needs_league:
            return command.run(OpenDoor(screen), **own)
        place = find_place(values["league"], values["node"])
        place.url()  # where comes before who
        name = values["signer_name"]
        reading = not command.needs_key
        opened = open_gateway(place, name) if reading else place.gateway(place.signer(name))
        with opened as gateway:
            door = LeagueDoor(application.name, place, gateway, gateway.signer, screen)
            try:
                return command.run(door, **own)
            finally:
                door.close()

    params = [_build_parameter(option) for option in command.options]
    if not command.needs_key:
        params.extend([reader_option(), *place_parameters()])
    elif command.needs_league:
        params.append(
            click.Option(
                ["--as", "signer_name"], metavar="NAME|FILE", help="Who signs (or HANSA_AS)."
            )
        )
        params.extend(place_parameters())
    return click.Command(
        command.name,
        params=[*params, json_parameter()],
        callback=run,
        help=command.help,
        short_help=command.help.split("\n", 1)[0],
    )


def _build_parameter(option: Option) -> click.Parameter:
    name = f"own_{option.name.replace('-', '_')}"
    if option.is_argument:
        return click.Argument(
            [name],
            nargs=-1 if option.many else 1,
            required=option.required,
            metavar=option.name.upper() + ("…" if option.many else ""),
        )
    if option.flag:
        return click.Option([f"--{option.name}", name], is_flag=True, help=option.help)
    return click.Option(
        [f"--{option.name}", name],
        multiple=option.many,
        required=option.required,
        default=option.default,
        help=option.help,
    )
