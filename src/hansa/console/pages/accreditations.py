"""Who may issue what: the tree of accreditations as at a chosen time, and what counts abroad."""

import asyncio
import datetime
from typing import Final

from hansa.console.answers import Answer
from hansa.console.charts.tree import Tone, TreeNode, draw_tree
from hansa.console.looking import list_all, make_frame
from hansa.console.problems import refuse_input
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.identity.accreditation_tree import (
    IN_FORCE,
    Branch,
    KnownBridge,
    Tree,
    build_tree,
    read_bridge,
    read_link,
)
from hansa.identity.links import Scope
from hansa.locales.writing import ZONE

_APP: Final = "accreditations"
_LINKS_MAX: Final = 2_000
TONES: Final[dict[str, Tone]] = {
    IN_FORCE: "good",
    "suspended": "busy",
    "not_yet_valid": "quiet",
    "expired": "bad",
    "revoked": "bad",
}


@page("GET", "/identity/accreditations")
async def show_accreditations(visit: Visit) -> Answer:
    """The tree, as at the time asked for or now."""
    links, bridges, service = await asyncio.gather(
        list_all(visit, "/v1/apps/accreditations/accreditation", limit=_LINKS_MAX),
        list_all(visit, "/v1/apps/accreditations/recognition", limit=_LINKS_MAX),
        visit.api.get("/v1/status"),
    )
    at_ms = read_time(visit, "at")
    frameworks = sorted({each["framework"] for each in links})
    chosen = visit.query.get("framework", "")
    shown = [read_link(each) for each in links if chosen in ("", each["framework"])]
    tree = build_tree(
        shown,
        [read_bridge(each) for each in bridges],
        service["time_ms"] if at_ms is None else at_ms,
    )
    names = await visit.names_of([each.subject for each in shown])
    return visit.render(
        "identity/accreditations.html",
        tree=tree,
        picture=_draw(visit, tree, names),
        count=len(shown),
        strays=len(tree.strays),
        recognitions=[
            (each.recognition, each.state, _tell_pairs(each.recognition))
            for each in tree.recognitions
            if chosen in ("", each.recognition.framework, each.recognition.counts_as)
        ],
        frameworks=frameworks,
        framework=chosen,
        is_now=at_ms is None,
        at_text=write_local(tree.at_ms),
        tell_state=lambda state: tell_state(visit, state),
        tones=TONES,
    )


def read_time(visit: Visit, name: str) -> int | None:
    """A time of the query as `<input type=datetime-local>` gives it, at UTC+8; None without one."""
    text = visit.query.get(name, "").strip()
    if not text:
        return None
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise _refuse_time(visit) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=ZONE)
    if not 1970 < when.year < 2200:
        raise _refuse_time(visit)
    return int(when.timestamp() * 1000)


def _refuse_time(visit: Visit) -> Exception:
    return refuse_input(visit.words("This is no time."), visit.words("Choose day and time anew."))


def write_local(time_ms: int) -> str:
    """A time as `<input type=datetime-local>` takes it, at UTC+8."""
    when = datetime.datetime.fromtimestamp(time_ms / 1000, tz=ZONE)
    return when.strftime("%Y-%m-%dT%H:%M:%S")


def _draw(visit: Visit, tree: Tree, names: dict[str, str]) -> str:
    _ = visit.words
    frame = make_frame(
        visit,
        "tree",
        _("Accreditations as at {when}", when=visit.writing.when(tree.at_ms)),
        _("Root authorities to the left; to the right of each whom it has accredited."),
    )
    heads = (
        _("Who"), _("State"), _("Accredited by"), _("May"), _("Schemas"), _("Places"), _("Until"),
    )  # fmt: skip
    legend: tuple[tuple[Tone, str], ...] = (
        ("good", tell_state(visit, IN_FORCE)),
        ("busy", tell_state(visit, "suspended")),
        ("bad", _("ended")),
        ("quiet", tell_state(visit, "not_yet_valid")),
    )
    roots = [_build(visit, each, names) for each in (*tree.roots, *tree.strays)]
    return draw_tree(frame, roots, heads, legend)


def _build(visit: Visit, branch: Branch, names: dict[str, str]) -> TreeNode:
    link = branch.link
    name = names.get(link.subject, link.subject)
    state = tell_state(visit, branch.state)
    if branch.cause:
        state = visit.words("{state}, because of a link above it", state=state)
    level = tell_level(visit, link.level)
    until = visit.words("no end") if link.until_ms is None else visit.writing.date(link.until_ms)
    schemas, places = _tell_scope(visit, link.scope)
    note = "\n".join((name, f"{level} · {link.framework}", state, schemas, places, link.id))
    return TreeNode(
        title=name,
        subtitle=f"{level} · {link.framework}",
        state=state,
        tone=TONES.get(branch.state, "bad"),
        href=visit.record_link(_APP, "accreditation", link.id),
        note=note,
        cells=(f"{level} · {link.framework}", schemas, places, until),
        children=tuple(_build(visit, each, names) for each in branch.children),
    )


def tell_level(visit: Visit, level: str) -> str:
    """What a link of this level lets its subject do."""
    _ = visit.words
    told = {
        "root": _("Root authority"),
        "accredit": _("May accredit others"),
        "attest": _("May issue"),
    }
    return told.get(level, level)


def tell_state(visit: Visit, state: str) -> str:
    """The state of a link in words, whatever the walk found."""
    _ = visit.words
    told = {
        IN_FORCE: _("in force"),
        "suspended": _("suspended"),
        "revoked": _("revoked"),
        "expired": _("expired"),
        "not_yet_valid": _("not yet begun"),
    }
    return told.get(state) or _("not in force")


def _tell_scope(visit: Visit, scope: tuple[Scope, ...]) -> tuple[str, str]:
    """Schemas and places of a scope, shortened where they are digests."""
    schemas = dict.fromkeys(name for each in scope for name in each.schemas)
    places = dict.fromkeys(place for each in scope for place in each.jurisdictions)
    return (
        ", ".join(name_schema(visit, each) for each in schemas),
        ", ".join(visit.words.of("option", each, default=each) for each in places),
    )


def name_schema(visit: Visit, name: str) -> str:
    """How a scope names a schema, for people."""
    if name == "*":
        return visit.words("every schema")
    return f"{name[:8]}…" if len(name) == 64 else name


def _tell_pairs(bridge: KnownBridge) -> list[tuple[str, str]]:
    return [(each.source[:20], each.target[:20]) for each in bridge.schemas]
