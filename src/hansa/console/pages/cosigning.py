"""Acts of two organisations: whom a form's reader signs with, and the page on which the second one
reads a draft, as the first one or the command line made it, and signs it.

What is signed is told by the API out of the draft; the browser shows the exact bytes beside it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import find_described
from hansa.console.forms.options import Option, list_members
from hansa.console.people import name_all, name_who, read_params
from hansa.console.problems import advise, explain
from hansa.console.routing import page
from hansa.console.values import Reader, Shown, guess_shape
from hansa.console.visit import Visit

# Fields of a form, beside those of its message: whose signature is needed too, and with which key.
WITH, OTHER, KEY = "_with", "_with_other", "_with_key"
# Refusals that another's signature can cure.
NEEDS_ANOTHER: Final = ("holds.owner_must_sign", "holds.holder_must_sign", "ledger.held")
_DRAFT_CHARACTERS_MAX: Final = 950_000
_JUDGED = (400, 403, 413, 415, 422)


@dataclass(slots=True)
class Cosigner:
    """Who signs too, as the form says it. kid: the key, "" while none is settled; keys: from which
    to choose; fault: why not (a sentence).
    """

    did: str = ""
    kid: str = ""
    name: str = ""
    keys: tuple[str, ...] = ()
    fault: str = ""
    members: tuple[Option, ...] = ()

    @property
    def is_other(self) -> bool:
        """Whether it is none of the listed members."""
        return bool(self.did) and self.did not in {did for did, _name in self.members}


async def find_cosigner(visit: Visit, given: Mapping[str, str]) -> Cosigner:
    """The second signer of a form. Raises ApiProblem."""
    members = tuple(each for each in await list_members(visit) if each[0] != visit.member)
    did = given.get(OTHER, "").strip() or given.get(WITH, "").strip()
    found = Cosigner(did.partition("#")[0], members=members)
    if not found.did:
        return found
    words = visit.words
    found.name = await name_who(visit, found.did)
    if found.did == (visit.session or {})["account"]:
        found.fault = words("That is your own account: choose who signs beside you.")
        return found
    found.keys = await _list_keys(visit, found.did)
    wanted = did if "#" in did else given.get(KEY, "")
    if len(found.keys) == 1:
        found.kid = found.keys[0]
    elif wanted in found.keys:
        found.kid = wanted
    elif found.keys:
        found.fault = words("It has several keys: choose the one that will sign.")
    else:
        found.fault = words("There is no account of that DID with a key that signs.")
    return found


async def _list_keys(visit: Visit, did: str) -> tuple[str, ...]:
    """Names of the keys with which an account signs now, the newest first."""
    try:
        account = await visit.api.get(join_path("v1", "apps", "accounts", "account", did))
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return ()
    keys = [
        each for each in account["keys"] if each["until"] is None and "sign" in each["purposes"]
    ]
    return tuple(f"{did}#{each['id']}" for each in reversed(keys))


@page("GET", "/sign-together", access="signed_in")
async def show_cosigning(visit: Visit) -> Answer:
    """Where a draft is given."""
    return visit.render("cosigning/open.html", text="", fault="", remedy="")


@page("POST", "/sign-together", access="signed_in")
async def open_draft(visit: Visit) -> Answer:
    """What a draft says, who signed it, what it would result in; and the button that signs it."""
    text = visit.form.get("draft", "").strip()
    try:
        found = await visit.api.post(
            "/v1/drafts", content=text.encode()[:_DRAFT_CHARACTERS_MAX], media="text/plain"
        )
    except ApiProblem as problem:
        if problem.status not in _JUDGED:
            raise
        return visit.render(
            "cosigning/open.html",
            status=422,
            text=text[:_DRAFT_CHARACTERS_MAX],
            fault=explain(visit, problem),
            remedy=advise(visit, problem),
        )
    own = [each for each in found["signers"] if each["is_own"]]
    waiting = [each for each in found["signers"] if not each["has_signed"]]
    mine = _choose_key(visit, [each["kid"] for each in waiting if each["is_own"]])
    return visit.render(
        "cosigning/draft.html",
        found=found,
        messages=[await _tell(visit, each) for each in found["messages"]],
        verdicts=[await _judge(visit, each) for each in found["verdicts"] or ()],
        names={each["kid"]: await name_who(visit, each["kid"]) for each in found["signers"]},
        own=own,
        waiting=waiting,
        kid=mine,
        state=_judge_state(own, waiting, mine),
        draft=json.dumps(
            {name: found[name] for name in ("payload", "signatures")}
            | {"signers": [each["kid"] for each in found["signers"]]}
        ),
    )


def _choose_key(visit: Visit, missing: list[str]) -> str:
    """The key that signs here: the one that is signed in, where it is one of them."""
    key = str((visit.session or {})["key"])
    return key if key in missing else next(iter(missing), "")


def _judge_state(own: list[Any], waiting: list[Any], kid: str) -> str:
    """What can be done: "foreign", "send", "wait", "last" (sign and send), "sign"."""
    if not own:
        return "foreign"
    if not waiting:
        return "send"
    if not kid:
        return "wait"
    return "last" if len(waiting) == 1 else "sign"


async def _tell(visit: Visit, message: Mapping[str, Any]) -> dict[str, Any]:
    """A message in words."""
    about = await find_described(visit, message["app"])
    body = message["body"]
    name = f"{message['app']}.{message['type']}"
    shape = about.message(message["type"]) if about else None
    reader = Reader(message["app"], visit.words, visit.writing, await name_all(visit, body))
    shown = reader.show(shape or guess_shape(message["type"], body), body)
    parts: tuple[Shown, ...] = shown.parts
    if len(parts) == 1 and parts[0].kind == "group":
        parts = parts[0].parts
    return {"name": name, "parts": parts, "sender": await name_who(visit, message["sender"])}


async def _judge(visit: Visit, verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What a message would result in, in words."""
    params = await read_params(visit, verdict["params"])
    words, code = visit.words, verdict["code"]
    return {
        **verdict,
        "text": words.of("rejection", code, default=verdict["text"], params=params),
        "remedy": words.of("remedy", code, default=verdict["remedy"], params=params),
    }
