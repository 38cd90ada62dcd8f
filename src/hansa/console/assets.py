"""The console's own static files: styles, scripts, the mark. Reads its folder `static`.

Only files that were there at the start are served; each is read again when it changed.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hansa.console.answers import Answer

FOLDER: Final = Path(__file__).parent / "static"
MEDIA: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: tuple[int, int]
    body: bytes
    tag: str


class Assets:
    """The files below one folder, by their path in it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix in MEDIA
        }
        self._kept: dict[str, _Kept] = {}

    def has(self, name: str) -> bool:
        """Whether there is such a file: `js/session.js`."""
        return name in self._files

    def list_scripts(self) -> list[Path]:
        """Every script, in order."""
        return [path for name, path in sorted(self._files.items()) if name.endswith(".js")]

    def answer(self, name: str, known_tag: str) -> Answer | None:
        """A file, or that the browser's copy is still right (304); None for no such file."""
        path = self._files.get(name)
        if path is None:
            return None
        kept = self._read(name, path)
        answer = Answer(body=kept.body, media=MEDIA[path.suffix])
        answer.add("etag", kept.tag)
        answer.add("cache-control", "no-cache")
        if kept.tag in known_tag:
            answer.status, answer.body = 304, b""
        return answer

    def _read(self, name: str, path: Path) -> _Kept:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        kept = self._kept.get(name)
        if kept is None or kept.stamp != stamp:
            body = path.read_bytes()
            kept = _Kept(stamp, body, f'"{hashlib.sha256(body).hexdigest()[:24]}"')
            self._kept[name] = kept
        return kept
