"""What a consumer's phone shows behind a GS1 Digital Link (`/id/01/{gtin}/10/{lot}`): recall state,
origin, the way as a story, laboratory results. Public, without login.

Source: GS1 Digital Link URI syntax 1.4; made of what `/food-trace/trace/label/…` answers.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from hansa.console.answers import Answer
from hansa.console.food_names import HIDDEN_SENTENCE, name_item, name_place, tell_step
from hansa.console.pages.food import TONES, TRACE, draw_qr
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.locales.words import mark

_KEYS: Final = frozenset({"00", "01", "8003", "8004", "8006", "8010", "253", "255", "414", "417"})
_QUALIFIERS: Final = ("22", "10", "21", "254", "235")
_PARTS_MAX: Final = 12
# Where a headline breaks first: after its colon, which Chinese writes full width.
_PHRASE_END: Final = re.compile(r"(?<=[:：])\s*")
SENTENCES: Final = {
    "clear": mark("Nothing is known against this product"),
    "stopped": mark("Stopped: do not eat this until it is cleared"),
    "recalled": mark("Recalled: do not eat this product"),
    "unknown": mark("The ledger does not know this product"),
    "unclear": mark("This page could not look through all of it"),
}
ADVICE: Final = {
    "clear": mark("No recall, no failed test and no broken cold chain stands in the ledger."),
    "stopped": mark("A test failed or the cold chain broke. The authority is looking into it."),
    "recalled": mark("Bring it back to the shop or throw it away. The shop refunds it."),
    "unknown": mark("Compare the code with the print. A false code is a reason to ask the shop."),
    "unclear": mark("It is made of too much for one page. Ask the shop or the food authority."),
}
REASONS: Final = {
    "recall": mark("It, or something that is in it, was recalled."),
    "laboratory": mark("A laboratory's test failed."),
    "cold_chain": mark("It was not kept within its limits on the way."),
    "missing": mark("A part of it was reported missing."),
}


@page("GET", "/id/{link...}")
async def show_label(visit: Visit) -> Answer:
    """The label of whatever the link names."""
    path = "/".join(quote(part, safe="") for part in split_link(visit.parts["link"]))
    answer = await visit.api.get(f"{TRACE}/label/{path}")
    label, words = answer["label"], visit.words
    state = "unclear" if label["state"] == "unknown" and label["cut"] else label["state"]
    return visit.render(
        "food/label.html",
        label=label,
        state=state,
        phrases=_PHRASE_END.split(words(SENTENCES[state]), maxsplit=1),
        advice=words(ADVICE[state]),
        reasons=_list_reasons(visit, label),
        name=name_item(words, label["item"]),
        origins=_list_origins(visit, answer),
        stops=[_tell_stop(visit, each, answer) for each in label["path"]],
        results=[_tell_result(visit, each, answer) for each in label["results"]],
        tones=TONES,
        qr=draw_qr(f"{visit.origin}/id/{path}"),
        path=path,
    )


def split_link(link: str) -> list[str]:
    """The parts of a link's path: key, value, then qualifiers and values. A value may hold `/`,
    which the address no longer tells from a part's end: what stands before the next qualifier is
    one value. Raises ApiProblem for what names nothing.
    """
    words = [each for each in link.strip("/").split("/") if each]
    if len(words) < 2 or len(words) > _PARTS_MAX or words[0] not in _KEYS:
        raise refuse_address()
    parts = [words[0], words[1]]
    rest = words[2:]
    while rest:
        if rest[0] not in _QUALIFIERS or len(rest) < 2:
            raise refuse_address()
        value, after = [rest[1]], rest[2:]
        while after and not (after[0] in _QUALIFIERS and len(after) > 1):
            value.append(after.pop(0))
        parts += [rest[0], "/".join(value)]
        rest = after
    return parts


def _list_reasons(visit: Visit, label: Mapping[str, Any]) -> list[str]:
    """Why it is stopped, each reason once."""
    kinds = {each["kind"] for each in label["notices"] if each["status"] == "OPEN"}
    return [visit.words(sentence) for kind, sentence in REASONS.items() if kind in kinds]


def _tell_place(visit: Visit, member: str, place: str, answer: Mapping[str, Any]) -> dict[str, str]:
    """Who and where; a partner that hides its place keeps its name too."""
    shown = name_place(visit.words, place, answer["places"])
    is_hidden = shown == visit.words(HIDDEN_SENTENCE)
    known = answer["members"].get(member, {})
    site = answer["places"].get(place, {})
    who = "" if is_hidden else str(site.get("name") or known.get("name", ""))
    place_code = str(site.get("jurisdiction") or known.get("jurisdiction", ""))
    region = visit.words.of("option", place_code, default=place_code) if place_code else ""
    town = "" if is_hidden else str(site.get("town", ""))
    return {
        "who": who or (shown if is_hidden else ""),
        "town": town,
        "region": "" if region in town else region,
        "is_hidden": "yes" if is_hidden else "",
    }


def _list_origins(visit: Visit, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where it all came from: each place and day once."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for origin in answer["label"]["origins"]:
        place = _tell_place(visit, origin["made_by"], origin["made_at"], answer)
        day = visit.writing.date(origin["made_ms"], "long") if origin["made_ms"] else ""
        told = {**place, "day": day, "is_outside": origin["is_outside"]}
        name = name_item(visit.words, origin["item"]).title if origin["is_outside"] else ""
        found.setdefault((place["who"], place["town"], day, name), {**told, "name": name})
    return list(found.values())


def _tell_stop(visit: Visit, stop: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    steps = [tell_step(visit.words, each) for each in stop["biz_steps"]]
    if not steps and not stop["is_own"]:
        steps = [visit.words("Made what went into it")]
    return {
        **_tell_place(visit, stop["member"], stop["place"], answer),
        "steps": list(dict.fromkeys(steps)),
        "first_ms": stop["first_ms"],
        "last_ms": stop["last_ms"],
        "is_day": stop["last_ms"] - stop["first_ms"] < 86_400_000,
    }


def _tell_result(
    visit: Visit, result: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    laboratory = answer["members"].get(result["laboratory"], {})
    return {
        **result,
        "test_name": visit.words.of("option", result["test"]),
        "laboratory_name": laboratory.get("name", ""),
        "is_own": result["item"] == answer["label"]["item"],
        "name": name_item(visit.words, result["item"]),
    }
