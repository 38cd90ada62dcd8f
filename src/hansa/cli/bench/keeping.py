"""What every measurement needs around it: a folder of its own, its command line, its file.

Touches a temporary folder, and the file that was asked for.
"""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hansa.cli.bench.ending import stopped_once


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one measurement, removed when it ends, however it ends."""
    folder = Path(tempfile.mkdtemp(prefix="hansa-bench-"))
    with stopped_once():
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def describe_command() -> str:
    """The command line that is running, to be repeated."""
    return f"hansa {shlex.join(sys.argv[1:])}"


def hide_password(command: str, database: str) -> str:
    """The command line without the password of a database: it is kept beside the figures.

    Raises IndexFault for an address that no read model can use.
    """
    from hansa.index.store import create_database_engine

    if not database:
        return command
    engine = create_database_engine(database)
    engine.dispose()
    return command.replace(database, engine.url.render_as_string(hide_password=True))


def keep(output: Path | None, document: bytes) -> None:
    """Write a report to the file that was asked for."""
    import msgspec

    if output is not None:
        output.write_bytes(msgspec.json.format(document, indent=1) + b"\n")
