"""Where a command acts: the league's folder, the node's address, the key that signs.

Reads HANSA_LEAGUE, HANSA_NODE, HANSA_AS, HANSA_HOME and the folders; writes nothing.
"""

import functools
import json
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hansa.cli.network import GENESIS, find_league_of, is_network, locate_first, locate_node
from hansa.client.faults import ClientError
from hansa.node.running import RUNNING, read_running

if TYPE_CHECKING:  # loaded when a command signs or calls, so that help stays instant
    from hansa.client.gateway import Gateway
    from hansa.client.keys import KeyRing, Signer

F = TypeVar("F", bound=Callable[..., Any])


class NoSuchPlace(ClientError):
    """It is not clear where to act, or as whom."""

    CODE = "cli.place"


# Written by `hansa init`: who is who in this folder, and who signs unless --as says.
NAMES: Final = "names.json"
KEYS: Final = "keys"
NODE_HELP: Final = "Node of the league by its number, or address of an API."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command acts: `league` is a folder here, `node` an address or a node's number."""

    league: Path | None
    node: str | None

    def url(self) -> str:
        """Address of the API. Raises ClientError when there is none to ask.

        In a league of several nodes that of the one named, else of the first that runs.
        """
        if self.node and not is_number(self.node):
            return self.node
        if self.league is None:
            raise NoSuchPlace(
                "there is no league here",
                "go into a league's folder, or give --league DIR or --node URL; "
                "hansa init DIR makes one",
            )
        if self.node:
            return locate_node(self.league, int(self.node))
        if is_network(self.league):
            return locate_first(self.league)
        running = read_running(self.league / RUNNING)
        if running is None:
            raise NoSuchPlace(
                f"the league in {self.league} is not running",
                f"hansa start {shlex.quote(str(self.league))}",
            )
        return running.url

    def rings(self) -> "list[KeyRing]":
        """Key rings, nearest first: the league's folder, then this user's own."""
        from hansa.client.keys import KeyRing
        from hansa.client.trust import default_home

        folders = [self.league / KEYS] if self.league else []
        return [KeyRing(folder) for folder in (*folders, default_home() / KEYS)]

    def signer(self, name: str | None) -> "Signer":
        """The key named by --as (a name or a file), else the default of this place."""
        from hansa.client.keys import KeyRing, open_key_file, read_key_file

        chosen = name or os.environ.get("HANSA_AS") or self.default_name()
        if os.sep in chosen or chosen.endswith(".json"):
            file = read_key_file(Path(chosen))
        else:
            ring = next((r for r in self.rings() if r.path(chosen).exists()), None)
            if ring is None:
                raise NoSuchPlace(f"no key is named {chosen!r}", self._offer_names())
            file = KeyRing(ring.folder).read(chosen)
        passphrase = ask_passphrase(file.name) if file.seal else None
        return open_key_file(file, passphrase)

    def default_name(self) -> str:
        """Name of the key that signs when nobody is named. Raises ClientError with the choice."""
        names = self.names()
        if "default" in names:
            return str(names["default"])
        found = [name for ring in self.rings() for name in ring.names()]
        if len(set(found)) == 1:
            return found[0]
        raise NoSuchPlace("who signs?", self._offer_names())

    def _offer_names(self) -> str:
        found = sorted({name for ring in self.rings() for name in ring.names()})
        if not found:
            return "make a key: hansa keys new NAME"
        return f"give --as NAME, one of: {', '.join(found)}"

    def _list_names(self) -> str:
        found = sorted({name for ring in self.rings() for name in ring.names()})
        return f"write a DID, or one of: {', '.join(found)}" if found else "write a DID"

    def names(self) -> dict[str, Any]:
        """What names.json of the league's folder says; empty without one."""
        if self.league is None:
            return {}
        try:
            found = json.loads((self.league / NAMES).read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def did(self, text: str) -> str:
        """A DID as given, or the DID of the account whose name in this place is `text`."""
        if text.startswith("did:"):
            return text
        for ring in self.rings():
            if ring.path(text).exists():
                return ring.read(text).account
        raise NoSuchPlace(f"{text!r} is neither a DID nor a name known here", self._list_names())

    def gateway(self, signer: "Signer | None" = None) -> "Gateway":
        """A client of the node's API, signed in as `signer` when that is needed."""
        from hansa.client.gateway import Gateway

        return Gateway(self.url(), signer)


def find_place(league: Path | None, node: str | None) -> Place:
    """The place named by options, else the league of the current folder or one above it."""
    check_node(node)
    if league is not None:
        if not (league / GENESIS).is_file():
            raise NoSuchPlace(
                f"{league} is not a league's folder", f"hansa init {shlex.quote(str(league))}"
            )
        return _enter(league, node)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if is_league(folder):
            return _enter(folder, node)
    return Place(None, node)


def _enter(folder: Path, node: str | None) -> Place:
    """The league of a folder; inside one node's home, that node of its league."""
    found = find_league_of(folder)
    if found is None:
        return Place(folder, node)
    league, number = found
    return Place(league, node or str(number))


def is_number(node: str) -> bool:
    """Whether `--node` names a node of the league by its number."""
    return node.isascii() and node.isdecimal()


def check_node(node: str | None) -> None:
    """Raise NoSuchPlace for what is neither a number nor an address."""
    if not node or is_number(node) or node.startswith(("http://", "https://")):
        return
    raise NoSuchPlace(
        f"{node!r} is neither a node's number nor an address",
        "write --node 2, or --node http://127.0.0.1:8480",
    )


def is_league(folder: Path) -> bool:
    """Whether `folder` is a league's home."""
    return (folder / GENESIS).is_file() and (folder / KEYS).is_dir()


def ask_passphrase(name: str, *, confirm: bool = False) -> str:
    """The passphrase of a key: from HANSA_PASSPHRASE, else asked at the terminal."""
    given = os.environ.get("HANSA_PASSPHRASE")
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise NoSuchPlace(
            f"the key {name!r} needs its passphrase", "set HANSA_PASSPHRASE, or use a terminal"
        )
    prompt = f"Passphrase of {name}"
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))


def place_options(function: F) -> F:
    """The options --league and --node; the command receives `place`."""

    @click.option(
        "--league",
        type=click.Path(path_type=Path),
        envvar="HANSA_LEAGUE",
        help="The league's folder (default: the one you are in).",
    )
    @click.option("--node", metavar="N|URL", envvar="HANSA_NODE", help=NODE_HELP)
    @functools.wraps(function)
    def inner(*args: Any, league: Path | None, node: str | None, **options: Any) -> Any:
        return function(*args, place=find_place(league, node), **options)

    return inner  # type: ignore[return-value]


def signer_option(function: F) -> F:
    """The option --as; the command receives `signer_name`."""
    return click.option(
        "--as", "signer_name", metavar="NAME|FILE", help="The key that signs (or HANSA_AS)."
    )(function)
