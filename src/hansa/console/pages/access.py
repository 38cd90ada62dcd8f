"""Who looked: a person's data grants, its accesses in order, and whether any is missing.

The log's head binds all accesses: the page folds what it was given and compares.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.looking import list_all
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url

_APP: Final = "/v1/apps/consents"
# Accesses that a page tells; all of them are folded.
_SHOWN: Final = 100
_READ_MAX: Final = 2_000
TONES: Final = {
    "live": "good",
    "withdrawn": "quiet",
    "expired": "quiet",
    "used_up": "busy",
    "justified": "good",
    "unjustified": "bad",
}
Row = dict[str, Any]


@page("GET", "/identity/access", access="signed_in")
async def show_access(visit: Visit) -> Answer:
    """Grants and accesses about the visitor, and the break-glass that waits for its review."""
    session = visit.session or {}
    subjects = list(dict.fromkeys((str(session["account"]), visit.member)))
    subject = visit.query.get("subject", "")
    if subject not in subjects:
        subject = await _choose(visit, subjects)
    grants, accesses, emergencies, log, others = await asyncio.gather(
        _list(visit, "data_grant", subject=subject),
        _list(visit, "access", prefix=subject),
        _list(visit, "emergency", subject=subject),
        find_record(visit, join_path("v1", "apps", "consents", "access_log", subject)),
        _list(visit, "data_grant"),
    )
    shown = accesses[::-1][:_SHOWN]
    about = {each["id"]: each for each in emergencies}
    known = {each["id"]: each for each in grants}
    ours = [each for each in others if each["subject"] != subject]
    people = [each[name] for each in (*shown, *grants, *ours) for name in _PARTIES if name in each]
    return visit.render(
        "identity/access.html",
        subject=subject,
        subjects=subjects,
        grants=sorted(grants, key=_rank),
        others=sorted(ours, key=_rank),
        accesses=[
            {**each, "break_glass": about.get(each["emergency"]), "under": known.get(each["grant"])}
            for each in shown
        ],
        count=len(accesses),
        log=log,
        is_whole=(log is None and not accesses) or (log is not None and is_whole(log, accesses)),
        names=await visit.names_of(people),
        tones=TONES,
    )


_PARTIES: Final = ("controller", "receiver", "taker", "actor", "subject")


async def _choose(visit: Visit, subjects: list[str]) -> str:
    """Of the visitor's DIDs the first about which anything is known."""
    for subject in subjects:
        page_ = await visit.api.get(f"{_APP}/data_grant", subject=subject, limit=1)
        if page_["items"]:
            return subject
    return subjects[0]


async def _list(visit: Visit, kind: str, **filters: str) -> list[Row]:
    return await list_all(visit, f"{_APP}/{kind}", filters, limit=_READ_MAX)


async def find_record(visit: Visit, path: str) -> Row | None:
    """A record, None where there is none for this visitor."""
    try:
        return dict(await visit.api.get(path))
    except ApiProblem as problem:
        if problem.status != 404:
            raise
        return None


def is_whole(log: Mapping[str, Any], accesses: list[Row]) -> bool:
    """Whether these accesses are all of the log: folded in order they give its head (rule C6)."""
    head = ""
    for each in accesses:
        digest = hashlib.sha256(encode_canonical(each)).digest()
        head = encode_base64url(hashlib.sha256(head.encode() + b"\n" + digest).digest())
    return (len(accesses), head) == (log["accesses"], log["head"])


def _rank(grant: Row) -> tuple[bool, int]:
    """Live ones first, the newest of each first."""
    return grant["state"] != "live", -int(grant["since_ms"])
