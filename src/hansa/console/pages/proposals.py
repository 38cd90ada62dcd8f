"""Proposals of the league: state, tally, deadline, what they would do, and how to vote."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from hansa.console.answers import Answer
from hansa.console.asking import join_path
from hansa.console.charts import draw_tally
from hansa.console.describing import find_described
from hansa.console.forms.shape import Shape
from hansa.console.looking import list_all, make_frame
from hansa.console.people import name_all, read_params
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.values import Reader, Shown
from hansa.console.visit import Visit

_TONES: Final = {
    "OPEN": "busy",
    "EXECUTED": "good",
    "FAILED": "bad",
    "REJECTED": "bad",
    "LAPSED": "quiet",
}
_DIGITS: Final = 8
_TRANSACTION: Final = re.compile(r"[0-9a-f]{64}")
# So long the page waits for the block of a vote.
_WAIT_S: Final = 5


@page("GET", "/league/proposals", access="signed_in")
async def show_proposals(visit: Visit) -> Answer:
    """Proposals, open ones first, then the newest."""
    proposals = await list_all(visit, "/v1/apps/governance/proposal")
    proposals.sort(key=lambda each: (each["state"] != "OPEN", -each["id"]))
    rows = [{**each, **_count(each)} for each in proposals]
    return visit.render(
        "league/proposals.html",
        proposals=rows,
        names=await visit.names_of([each["proposer"] for each in proposals]),
        actions=[_name_actions(visit, each) for each in proposals],
        tones=_TONES,
    )


@page("GET", "/league/proposals/{number}", access="signed_in")
async def show_proposal(visit: Visit) -> Answer:
    """One proposal with its ballots; buttons for who may still vote."""
    number = visit.parts["number"]
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
        raise refuse_address()
    key = f"{int(number):0{_DIGITS}d}"
    voted = visit.query.get("voted", "")
    await _note_vote(visit, voted)
    proposal = await visit.api.get(join_path("v1", "apps", "governance", "proposal", key))
    ballots, network = await asyncio.gather(
        list_all(visit, "/v1/apps/governance/ballot", {"prefix": key}),
        visit.api.get("/v1/network"),
    )
    votes = {each["member"]: each for each in ballots}
    voters = [{**each, "ballot": votes.get(each["member"])} for each in proposal["voters"]]
    is_open = proposal["state"] == "OPEN" and network["time_ms"] < proposal["closes_ms"]
    is_voter = any(each["member"] == visit.member for each in voters)
    return visit.render(
        "league/proposal.html",
        proposal=proposal,
        key=key,
        now_ms=network["time_ms"],
        picture=_draw(visit, proposal),
        actions=[await _tell_action(visit, each) for each in proposal["actions"]],
        voters=voters,
        names=await visit.names_of([proposal["proposer"], *(v["member"] for v in voters)]),
        own=votes.get(visit.member),
        may_vote=is_open and is_voter and visit.member not in votes,
        is_voter=is_voter,
        is_open=is_open,
        voted=voted if _TRANSACTION.fullmatch(voted) else "",
        failure=_explain(visit, proposal),
        tones=_TONES,
        **_count(proposal),
    )


async def _note_vote(visit: Visit, transaction: str) -> None:
    """What became of the vote that this browser has just sent."""
    if _TRANSACTION.fullmatch(transaction) is None:
        return
    found = await visit.api.get(join_path("v1", "transactions", transaction), wait=_WAIT_S)
    if found["state"] != "committed":
        visit.note("warning", visit.words("Your vote is on its way. Look again in a moment."))
        return
    message = found["messages"][0]
    if message["code"] == "ok":
        visit.note("done", visit.words("Your vote counts."))
        return
    words = visit.words
    params = await read_params(visit, message["params"])
    text = words.of("rejection", message["code"], default=message["text"], params=params)
    cure = words.of("remedy", message["code"], default=message["remedy"], params=params)
    visit.note("refused", f"{text} {cure}")


def _count(proposal: Mapping[str, Any]) -> dict[str, int]:
    """Weights: of all, and what it needs to pass (G1)."""
    total = sum(each["weight"] for each in proposal["voters"])
    needed = -(-total * proposal["numerator"] // proposal["denominator"])
    return {"total": total, "needed": needed}


def _draw(visit: Visit, proposal: Mapping[str, Any]) -> Markup:
    _ = visit.words
    frame = make_frame(
        visit, "tally", _("Votes"), _("Weights for and against, and of who has not voted.")
    )
    yes, no = _.of("vote", "yes", default=_("Yes")), _.of("vote", "no", default=_("No"))
    labels = (yes, no, _("Not voted"), _("Passes at"))
    return draw_tally(
        frame,
        labels,
        yes=proposal["yes"],
        no=proposal["no"],
        format_value=visit.writing.number,
        **_count(proposal),
    )


def _name_actions(visit: Visit, proposal: Mapping[str, Any]) -> list[str]:
    return [
        visit.words.of("message", f"{each['application']}.{each['type']}")
        for each in proposal["actions"]
    ]


async def _tell_action(visit: Visit, action: Mapping[str, Any]) -> tuple[str, Shown]:
    app = str(action["application"])
    about = await find_described(visit, app)
    shape = about.message(action["type"]) if about else None
    names = await name_all(visit, action["body"])
    reader = Reader(app, visit.words, visit.writing, names)
    shown = reader.show(shape or Shape(str(action["type"]), "json"), action["body"])
    return visit.words.of("message", f"{app}.{action['type']}"), shown


def _explain(visit: Visit, proposal: Mapping[str, Any]) -> str:
    """Why the execution of a passed proposal failed."""
    if not proposal["code"]:
        return ""
    return visit.words.of(
        "rejection", proposal["code"], default=proposal["code"], params=proposal["params"]
    )
