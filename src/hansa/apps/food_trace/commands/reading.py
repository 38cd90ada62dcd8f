"""Files of events for `capture`: what is in them, or why they are not read. Touches only them."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.normal import NormalEvent
from hansa.apps.food_trace.documents.rulebook import DocumentRefused
from hansa.apps.food_trace.documents.strict_json import DOCUMENT_BYTES_MAX

KINDS: Final = frozenset({"capture", "event"})


class FileRead(msgspec.Struct, frozen=True):
    """A file: `state` is done, invalid (nothing of it can be captured) or unreadable."""

    state: str
    data: bytes = b""
    failures: tuple[Any, ...] = ()
    events: tuple[NormalEvent, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.data)


def list_files(files: Sequence[str]) -> dict[str, int]:
    """Bytes of each file; 0 for what cannot be looked at."""
    return {file: _find_size(file) for file in files}


def _find_size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except (OSError, ValueError):
        return 0


def read_capture(file: str) -> FileRead:
    """The events of a capture document (or one event) in JSON-LD or XML."""
    try:
        data = _read_file(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        return _refuse("unreadable", "FILE-UNREADABLE", f"cannot read: {reason}")
    try:
        document = read_document(data)
    except DocumentRefused as refused:
        return _refuse("invalid", refused.rule, refused.text, refused.path)
    failures = tuple(msgspec.to_builtins(document.failures))
    if document.kind not in KINDS:
        text = f"this is no capture document but: {document.kind.replace('_', ' ')}"
        return _refuse("invalid", "CAPTURE-KIND", text)
    is_bad = any(failure["flag"] == "fatal" for failure in failures)
    return FileRead("invalid" if is_bad else "done", data, failures, document.events)


def _read_file(name: str) -> bytes:
    """A regular file, or one byte more than a document may have. Raises OSError, ValueError."""
    mode = Path(name).stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a pipe, a device or a socket"
        raise OSError(0, f"{kind} is not read: only regular files are")
    with Path(name).open("rb") as stream:
        return stream.read(DOCUMENT_BYTES_MAX + 1)


def _refuse(state: str, rule: str, text: str, path: str = "/") -> FileRead:
    return FileRead(state, failures=({"rule": rule, "flag": "fatal", "path": path, "text": text},))
