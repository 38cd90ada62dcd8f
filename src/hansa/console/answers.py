"""What a page answers: status, headers, body or a stream of parts. Touches nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

HTML: Final = "text/html; charset=utf-8"


@dataclass(slots=True)
class Answer:
    """An answer to a visit. `parts`, when given, is sent instead of `body` as it comes."""

    status: int = 200
    body: bytes = b""
    media: str = HTML
    headers: list[tuple[str, str]] = field(default_factory=list)
    parts: AsyncIterator[bytes] | None = None

    def add(self, name: str, value: str) -> None:
        """Add a header; the name in lower case."""
        self.headers.append((name, value))


def redirect_to(url: str) -> Answer:
    """See other (303): the browser asks for `url`, a path of this console, with GET."""
    return Answer(status=303, headers=[("location", url)])


def answer_file(name: str, media: str, data: bytes) -> Answer:
    """A file to keep. Raises ValueError for a name that is not plain ASCII."""
    if not name.isascii() or not name.replace(".", "").replace("-", "").replace("_", "").isalnum():
        raise ValueError("a file's name has ASCII letters, digits, `.`, `-`, `_`")
    disposition = f'attachment; filename="{name}"'
    return Answer(body=data, media=media, headers=[("content-disposition", disposition)])
