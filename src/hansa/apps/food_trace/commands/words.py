"""Names of members and places in an answer, and times, for people. Pure."""

from datetime import UTC, datetime
from typing import Any


class Names:
    """What an answer of a tracing address says of DIDs and places."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.members: dict[str, dict[str, str]] = found["members"]
        self.places: dict[str, dict[str, str]] = found["places"]

    def member(self, did: str) -> str:
        """A member's name, else its DID."""
        return self.members.get(did, {}).get("name", did)

    def place(self, place: str) -> str:
        """A registered place's name and town, else its identifier."""
        site = self.places.get(place)
        return f"{site['name']}, {site['town']}" if site else place


def format_time(time_ms: int | None) -> str:
    """`2026-05-29 08:30Z`; empty when it is not known."""
    if time_ms is None:
        return ""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%MZ")
