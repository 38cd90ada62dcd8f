"""Several messages out of one file: read by the application, shown, signed once."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import Described, need
from hansa.console.encoded import decode_text
from hansa.console.people import name_all
from hansa.console.problems import advise, explain, refuse_input
from hansa.console.values import Reader, Shown, write_json
from hansa.console.visit import Visit
from hansa.encoding.json_faults import NOT_JSON

# A row of the list shows so much of what it holds.
_TEXT_MAX = 160
_VALUE_MAX = 40


def find_reader(about: Described, message: str) -> dict[str, Any] | None:
    """How a message's form is filled from a file: which files, and where they are read."""
    found = [each for each in about.raw.get("files", ()) if each["message"] == message]
    return found[0] if found else None


async def read_file(visit: Visit, about: Described, message: str, file: str) -> dict[str, Any]:
    """Bodies and faults of a file (base64url), as the application reads it. Raises ApiProblem."""
    reader = find_reader(about, message)
    data = decode_text(file)
    if reader is None or not data:
        words = visit.words
        raise refuse_input(words("There is no file."), words("Choose a file and try again."))
    try:
        found: dict[str, Any] = await visit.api.post(
            reader["path"], content=data, media="application/octet-stream"
        )
    except ApiProblem as problem:
        if problem.status != 413:
            raise
        text = f"{explain(visit, problem)} {advise(visit, problem)}"
        return {"bodies": [], "faults": [{"rule": "", "flag": "fatal", "path": "/", "text": text}]}
    return found


async def show_bulk(
    visit: Visit, about: Described, message: str, bodies: Sequence[Mapping[str, Any]], draft: str
) -> Answer:
    """All messages in words, with the exact text of each, and the button that signs them once.

    They are not tried: one may need what the one before it does. Raises ApiProblem.
    """
    shape = need(about.message(message))
    names = await name_all(visit, list(bodies))
    reader = Reader(about.name, visit.words, visit.writing, names)
    address = join_path("v1", "apps", about.name, "messages", message)
    rows, messages, digest = [], [], hashlib.sha256()
    for body in bodies:
        prepared = await visit.api.post(address, json=body)
        whole = prepared["message"]
        digest.update(prepared["canonical"].encode())
        parts = [_shorten(each) for each in reader.show(shape, whole["body"]).parts]
        rows.append((parts, write_json(whole)))
        messages.append({"app": about.name, "type": message, "body": whole["body"]})
        chain = prepared["chain"]
    return visit.render(
        "applications/bulk.html",
        about=about,
        message=message,
        rows=rows,
        draft=draft,
        digest=digest.hexdigest(),
        request={
            "kid": (visit.session or {})["key"],
            "chain": chain,
            "mode": "independent",
            "messages": messages,
        },
    )


def _shorten(shown: Shown) -> Shown:
    """A long text in one line; of a JSON document its plain values."""
    if shown.kind not in ("long", "plain"):
        return shown
    text = _summarise(shown.text) or " ".join(shown.text.split())
    return Shown(text=text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX] + "…")


def _summarise(text: str) -> str:
    try:
        value = msgspec.json.decode(text)
    except NOT_JSON:
        return ""
    if not isinstance(value, dict):
        return ""
    plain = [str(each) for each in value.values() if isinstance(each, str | int)]
    return " · ".join(each for each in plain if len(each) <= _VALUE_MAX)
