"""Files of the outside world from which a form is filled: what an application reads of them, and
the address at which the gateway reads them for its members. Pure descriptions.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from hansa.appkit.route import Asking, Desk, Reply, Route, Trouble
from hansa.primitives.limits import MESSAGES_MAX

# A form is filled by hand-sized files; bulk goes by the command line.
FILE_BYTES_MAX: Final = 1_000_000


class FileFault(msgspec.Struct, frozen=True):
    """What is wrong with a file: rule, place and words; `flag` is `fatal` or `warning`."""

    rule: str
    flag: str
    path: str
    text: str


class FileRead(msgspec.Struct, frozen=True):
    """What a file gives: bodies of messages (fields that it does not say are left out), and what is
    wrong with it. A fatal fault: no bodies.
    """

    bodies: tuple[Mapping[str, Any], ...] = ()
    faults: tuple[FileFault, ...] = ()


class FileReader(msgspec.Struct, frozen=True):
    """Files that fill the form of a message. `accept`: their names' ends, as browsers filter them;
    `read` raises nothing for any bytes.
    """

    message: str
    accept: str
    read: Callable[[bytes], FileRead]

    @property
    def path(self) -> str:
        """The address, below the application's own."""
        return f"/files/{self.message}"


def build_file_route(reader: FileReader) -> Route:
    """`POST /{application}/files/{message}`: the file's bytes in, `FileRead` out. For members."""

    def run(desk: Desk, asking: Asking) -> Reply:
        if desk.viewer.is_stranger:
            raise Trouble(
                401,
                "api.sign_in_first",
                "Files are read for members.",
                remedy="Open a session with a key of your account.",
                rule="D19",
            )
        return Reply(body=msgspec.json.encode(_bound(reader.read(asking.body))))

    return Route(
        "POST",
        reader.path,
        run,
        f"Bodies of {reader.message} out of a file; nothing is stored or sent",
        body_max=FILE_BYTES_MAX,
    )


def _bound(found: FileRead) -> FileRead:
    if len(found.bodies) <= MESSAGES_MAX:
        return found
    text = f"The file holds {len(found.bodies)} of them; one transaction takes {MESSAGES_MAX}."
    return FileRead(faults=(FileFault("D4", "fatal", "/", text),))


__all__ = ["FILE_BYTES_MAX", "FileFault", "FileRead", "FileReader", "build_file_route"]
