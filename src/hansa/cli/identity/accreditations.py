"""`hansa accredit tree` and `check`: who may issue what, now or as at a time. Asks the node."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import click
import msgspec

from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import NO, UNJUDGED, YES, answer, hint
from hansa.cli.asking import open_gateway, reader_option
from hansa.cli.identity.acts import Moment, tell_moment
from hansa.cli.identity.known_schemas import find_schema
from hansa.cli.place import find_place
from hansa.client.gateway import Gateway
from hansa.identity.accreditation import Finding, verify_accreditation
from hansa.identity.accreditation_tree import (
    IN_FORCE,
    Branch,
    KnownBridge,
    KnownLink,
    Tree,
    build_tree,
    read_bridge,
    read_link,
)
from hansa.identity.links import Scope

APPLICATION: Final = "accreditations"
PAGE: Final = 200
# A larger tree is looked at by framework, or by subject.
LINKS_MAX: Final = 10_000
_EXITS: Final = {"yes": YES, "no": NO, "could_not_judge": UNJUDGED}
_MARKS: Final = {
    IN_FORCE: ("●", "green"),
    "suspended": ("◐", "yellow"),
    "revoked": ("✗", "red"),
    "expired": ("○", "bright_black"),
    "not_yet_valid": ("◌", "cyan"),
}


def list_all(gateway: Gateway, kind: str, filters: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every record of a kind that may be read, at most LINKS_MAX."""
    after: str | None = None
    for _page in range(LINKS_MAX // PAGE):
        page = gateway.records(APPLICATION, kind, filters=filters, limit=PAGE, after=after)
        yield from page.items
        after = page.next
        if after is None:
            return
    hint(f"more than {LINKS_MAX}: the rest is not shown; ask for one --framework")


def _tree(framework: str | None, at_ms: int | None, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    filters = {"framework": framework} if framework else {}
    with open_gateway(place, values["signer_name"]) as gateway:
        links = [read_link(each) for each in list_all(gateway, "accreditation", filters)]
        bridges = [read_bridge(each) for each in list_all(gateway, "recognition", filters)]
        found = build_tree(links, bridges, _now_ms() if at_ms is None else at_ms)
        names = {} if values["as_json"] else _find_names(gateway, links)
    answer(msgspec.to_builtins(found), format_tree(found, names), as_json=values["as_json"])
    return YES


def _check(issuer: str, schema: str, jurisdiction: str, at_ms: int | None, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    did = place.did(issuer)
    now_ms = _now_ms()
    with open_gateway(place, values["signer_name"]) as gateway:
        known = find_schema(gateway, schema)
        own = [read_link(each) for each in list_all(gateway, "accreditation", {"subject": did})]
        bridges = [
            read_bridge(each)
            for each in list_all(gateway, "recognition", {"relying": jurisdiction})
        ]
        findings = [
            verify_accreditation(
                _remember(gateway, own),
                bridges,
                leaf=link.id,
                issuer=did,
                schema=known.names,
                jurisdiction=jurisdiction,
                at_ms=now_ms if at_ms is None else at_ms,
                anchors=frozenset(values["roots"]) or None,
                framework=values["framework"] or "",
                level_min=values["level"] or "",
                now_ms=None if at_ms is None else now_ms,
            )
            for link in own
        ]
    best = _choose(findings)
    document = {
        "issuer": did,
        "schema": list(known.names),
        "jurisdiction": jurisdiction,
        "outcome": best.outcome if best else "no",
        "code": best.code if best else "no_accreditation",
        "findings": msgspec.to_builtins(findings),
    }
    asked = f"{issuer} for {schema} in {jurisdiction}"
    answer(document, format_check(asked, best, len(findings)), as_json=values["as_json"])
    return _EXITS[best.outcome] if best else NO


def format_check(asked: str, best: Finding | None, number: int) -> str:
    """The answer and its steps in words."""
    if best is None:
        return f"✗ no: {asked}: no accreditation at all"
    lines = [f"{_tell_finding(best)}: {asked}, as at {tell_moment(best.at_ms)}"]
    for step in best.steps:
        mark = "✓" if step.outcome == "passed" else "✗" if step.outcome == "failed" else "?"
        lines.append(f"  {mark} {step.what} {step.link} {step.code}".rstrip())
    if best.recognition:
        lines.append(f"  by recognition, assurance {best.level}")
    if best.now is not None:
        lines.append(f"{_tell_finding(best.now)}: now, {tell_moment(best.now.at_ms)}")
    if number > 1 and not best.entitled:
        lines.append(f"  (the nearest of {number} accreditations)")
    return "\n".join(lines)


def _tell_finding(finding: Finding) -> str:
    if finding.entitled:
        return "✓ yes"
    if finding.outcome == "could_not_judge":
        return f"? could not judge ({finding.code})"
    return f"✗ no ({finding.code})"


def _choose(findings: list[Finding]) -> Finding | None:
    """The first that says yes, else the one with the fewest faults."""

    def count_faults(finding: Finding) -> tuple[bool, int]:
        return not finding.entitled, sum(step.outcome != "passed" for step in finding.steps)

    return min(findings, key=count_faults, default=None)


def _remember(gateway: Gateway, own: list[KnownLink]) -> Callable[[str], KnownLink | None]:
    """A finder that asks the node once for each link."""
    known: dict[str, KnownLink | None] = {link.id: link for link in own}

    def find(link: str) -> KnownLink | None:
        if link not in known:
            record = gateway.record(APPLICATION, "accreditation", link) if link else None
            known[link] = None if record is None else read_link(record)
        return known[link]

    return find


def _find_names(gateway: Gateway, links: list[KnownLink]) -> dict[str, str]:
    """Names of the organisations among the subjects."""
    names = {}
    for did in sorted({link.subject for link in links}):
        member = gateway.record("members", "member", did)
        if member is not None:
            names[did] = str(member["name"])
    return names


def format_tree(tree: Tree, names: dict[str, str]) -> str:
    """The tree with box-drawing lines, each link with its state; then the recognitions."""
    if not tree.roots and not tree.strays:
        return "no accreditations yet: governance authorises a root (hansa accredit authorise)"
    lines = [f"as at {tell_moment(tree.at_ms)}"]
    for branch in (*tree.roots, *tree.strays):
        lines.extend(_draw(branch, names, "", ""))
    if tree.recognitions:
        lines.append("")
    for each in tree.recognitions:
        lines.append(_tell_bridge(each.recognition, each.state))
    return "\n".join(lines)


def _draw(branch: Branch, names: dict[str, str], first: str, rest: str) -> Iterator[str]:
    link = branch.link
    name = names.get(link.subject, link.subject)
    what = f"{link.framework} {link.level}" if link.level == "root" else link.level
    end = f", until {tell_moment(link.until_ms)}" if link.until_ms is not None else ""
    yield f"{first}{_mark(branch.state)} {name} ({what}) {_tell_scope(link.scope)}{end}"
    below = "│  " if branch.children else "   "
    yield f"{rest}{below}{link.id}{_tell_state(branch)}"
    for index, child in enumerate(branch.children):
        is_last = index + 1 == len(branch.children)
        yield from _draw(
            child, names, rest + ("└─ " if is_last else "├─ "), rest + ("   " if is_last else "│  ")
        )


def _mark(state: str) -> str:
    sign, colour = _MARKS.get(state, ("✗", "red"))
    return click.style(sign, fg=colour)


def _tell_state(branch: Branch) -> str:
    if branch.state == IN_FORCE:
        return ""
    above = f" above ({branch.cause})" if branch.cause else ""
    return f"  {branch.state}{above}"


def _tell_scope(scope: tuple[Scope, ...]) -> str:
    return "; ".join(
        f"{' '.join(_shorten(name) for name in each.schemas)} in {' '.join(each.jurisdictions)}"
        for each in scope
    )


def _shorten(schema: str) -> str:
    return f"{schema[:12]}…" if len(schema) == 64 else schema


def _tell_bridge(bridge: KnownBridge, state: str) -> str:
    pairs = ", ".join(
        f"{_shorten(pair.source)} as {_shorten(pair.target)}" for pair in bridge.schemas
    )
    told = "" if state == IN_FORCE else f"  {state}"
    return (
        f"{_mark(state)} {bridge.relying} recognises {bridge.framework} of {bridge.source}"
        f" as {bridge.counts_as}: {pairs} ({bridge.level})\n   {bridge.id}{told}"
    )


def _now_ms() -> int:
    return int(time.time() * 1000)


_ASKING: Final = [reader_option(), *place_parameters(), json_parameter()]

tree = click.Command(
    "tree",
    params=[
        click.Option(["--framework"], metavar="NAME", help="Only this trust framework."),
        click.Option(["--at", "at_ms"], type=Moment(), help="As at this time.  [default: now]"),
        *_ASKING,
    ],
    callback=_tree,
    help="Show roots, bodies and issuers as a tree, each with its state.\n\n"
    "● in force  ◐ suspended  ✗ revoked  ○ expired  ◌ not yet valid\n\n"
    "\b\nExamples:\n  hansa accredit tree\n"
    "  hansa accredit tree --framework business --at 2026-01-01",
)
check = click.Command(
    "check",
    params=[
        click.Argument(["issuer"], metavar="NAME|DID"),
        click.Option(
            ["--schema"],
            required=True,
            metavar="ID|NAME|NAME:MAJOR|NAME@VERSION",
            help="What the credential is to say.",
        ),
        click.Option(["--jurisdiction"], required=True, metavar="CC", help="Where it is to count."),
        click.Option(["--at", "at_ms"], type=Moment(), help="As at this time.  [default: now]"),
        click.Option(["--framework"], metavar="NAME", help="Under which it must count."),
        click.Option(
            ["--root", "roots"],
            multiple=True,
            metavar="ID|DID",
            help="A root that you trust.  [default: every root of the ledger]",
        ),
        click.Option(
            ["--level"],
            type=click.Choice(["low", "substantial", "high"]),
            help="Least assurance of a recognition.",
        ),
        *_ASKING,
    ],
    callback=_check,
    help="Say whether an issuer was entitled to attest a schema somewhere, step by step.\n\n"
    "Exit code 0 yes, 1 no, 2 could not judge. With --at it says then and now. It believes the\n"
    "node; what it says is proved by a bundle (hansa credential bundle).\n\n"
    "\b\nExample:\n  hansa accredit check bureau --schema licence --jurisdiction CN \\\n"
    "    --at 2026-06-30",
)
