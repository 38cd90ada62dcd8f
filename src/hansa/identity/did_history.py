"""Versions of a DID and the answer of its resolution (W3C DID Resolution), whatever keeps it. Pure.

Finding a version by height or time costs a few reads, however long the history is.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hansa.identity.moments import format_moment

MEDIA_TYPE: Final = "application/did-resolution"
DOCUMENT_MEDIA_TYPE: Final = "application/did"
# Error codes of W3C DID Resolution, with the status of its HTTP binding.
STATUSES: Final[dict[str, int]] = {
    "invalidDid": 400,
    "notFound": 404,
    "deactivated": 410,
    "methodNotSupported": 501,
    "internalError": 502,
}


class Version(msgspec.Struct, frozen=True):
    """What a DID's document said from height `since` on, decided at block time `since_ms`."""

    number: int
    since: int
    since_ms: int


class Asked(msgspec.Struct, frozen=True):
    """The version wanted: by number, as at a height or a time (ms); none of them: the newest."""

    version: int | None = None
    height: int | None = None
    time_ms: int | None = None

    @property
    def is_newest(self) -> bool:
        """Whether nothing particular was asked for."""
        return self.version is None and self.height is None and self.time_ms is None


def find_version(
    load: Callable[[int], Version | None], newest: Version, asked: Asked
) -> Version | None:
    """The version asked for; None when there was none yet, or never one of that number.

    `load` gives an earlier version by its number.
    """

    def get(number: int) -> Version | None:
        return newest if number == newest.number else load(number)

    if asked.version is not None:
        return get(asked.version) if 1 <= asked.version <= newest.number else None
    low, high = 0, newest.number
    while low < high:
        middle = (low + high + 1) // 2
        version = get(middle)
        if version is not None and _has_begun(version, asked):
            low = middle
        else:
            high = middle - 1
    return get(low) if low else None


def _has_begun(version: Version, asked: Asked) -> bool:
    if asked.height is not None:
        return version.since <= asked.height
    return asked.time_ms is None or version.since_ms <= asked.time_ms


def describe_version(
    version: Version, *, first: Version, next_one: Version | None, deactivated: bool
) -> dict[str, Any]:
    """The metadata of a DID document (W3C DID 1.0, 7.1.3); heights in `hansa:height`."""
    described: dict[str, Any] = {
        "created": format_moment(first.since_ms),
        "hansa:height": version.since,
        "updated": format_moment(version.since_ms),
        "versionId": str(version.number),
    }
    if next_one is not None:
        described["nextUpdate"] = format_moment(next_one.since_ms)
        described["nextVersionId"] = str(next_one.number)
    if deactivated:
        described["deactivated"] = True
    return described


def build_result(
    document: dict[str, Any] | None,
    metadata: dict[str, Any] | None = None,
    *,
    error: str = "",
    detail: str = "",
) -> dict[str, Any]:
    """A DID resolution result; `error`: one of STATUSES, `detail` says more to people."""
    resolution: dict[str, Any] = {}
    if document is not None:
        resolution["contentType"] = DOCUMENT_MEDIA_TYPE
    if error:
        resolution["error"] = error
        resolution["hansa:detail"] = detail
    return {
        "didDocument": document,
        "didDocumentMetadata": metadata or {},
        "didResolutionMetadata": resolution,
    }
