"""Mandates: for whom the visitor may act, and who may act for the visitor."""

from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.looking import list_all
from hansa.console.routing import page
from hansa.console.visit import Visit

_READ_MAX: Final = 2_000
TONES: Final = {"given": "good", "withdrawn": "bad", "given_back": "quiet", "expired": "quiet"}
Row = dict[str, Any]


@page("GET", "/identity/mandates", access="signed_in")
async def show_mandates(visit: Visit) -> Answer:
    """Mandates by whom they concern."""
    session = visit.session or {}
    own = {str(session["account"]), visit.member}
    found = await list_all(visit, "/v1/apps/mandates/mandate", limit=_READ_MAX)
    now_ms = int((await visit.api.get("/v1/status"))["time_ms"])
    rows = [{**each, "standing": _judge(each, now_ms)} for each in found]
    rows.sort(key=lambda each: (each["standing"] != "given", -each["since_ms"]))
    people = [each[name] for each in rows for name in ("principal", "delegate", "giver")]
    return visit.render(
        "identity/mandates.html",
        received=[each for each in rows if each["delegate"] in own],
        given=[each for each in rows if each["principal"] in own],
        others=[each for each in rows if own.isdisjoint((each["principal"], each["delegate"]))],
        names=await visit.names_of(people),
        own=own,
        tones=TONES,
        describe=await visit.frame.describe_all(visit.api),
    )


def _judge(mandate: Row, now_ms: int) -> str:
    """Its state, and that it is over by itself (those above it are on their own records)."""
    until_ms = mandate["until_ms"]
    is_over = until_ms is not None and until_ms <= now_ms
    return "expired" if is_over and mandate["state"] == "given" else str(mandate["state"])
