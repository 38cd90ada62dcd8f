"""The walk of accreditations over links from anywhere: what a bundle may bring, true or forged."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hansa.identity.accreditation import Finding, verify_accreditation, verify_chain
from hansa.identity.accreditation_tree import (
    KnownBridge,
    KnownLink,
    build_tree,
    read_bridge,
    read_link,
)
from hansa.identity.links import (
    DEPTH_MAX,
    NotFoundOut,
    SchemaPair,
    Scope,
    StandingFrom,
    find_excess,
    list_scope_names,
)

ID = "ab" * 32
LINE = "licence:1"
ROOT, BODY, ISSUER = "did:root", "did:body", "did:issuer"
ACTIVE = (StandingFrom(10, "active", "governance"),)


def make_link(name: str, **change: Any) -> KnownLink:
    """A link `name`, of level attest under `body`, changed."""
    link = KnownLink(
        id=name,
        framework="business",
        level="attest",
        parent="body",
        accreditor=BODY,
        subject=ISSUER,
        scope=(Scope((LINE,), ("CN",)),),
        since_ms=10,
        until_ms=1_000,
        standing=ACTIVE,
    )
    return replace(link, **change)


ROOT_LINK = make_link(
    "root",
    level="root",
    parent="",
    accreditor="governance",
    subject=ROOT,
    scope=(Scope(("*",), ("CN", "HK")),),
    until_ms=None,
)
BODY_LINK = make_link(
    "body",
    level="accredit",
    parent="root",
    accreditor=ROOT,
    subject=BODY,
    scope=(Scope((LINE, ID), ("CN", "HK")),),
)
LEAF = make_link("leaf")
BRIDGE = KnownBridge(
    id="bridge",
    source="CN",
    relying="MO",
    framework="business",
    counts_as="negocios",
    schemas=(SchemaPair(LINE, "alvara:1"),),
    level="substantial",
    since_ms=10,
    until_ms=500,
    standing=ACTIVE,
)


def find_in(*links: KnownLink) -> Callable[[str], KnownLink | None]:
    return {link.id: link for link in links}.get


def ask(*links: KnownLink, bridges: tuple[KnownBridge, ...] = (), **change: Any) -> Finding:
    """Whether ISSUER may attest LINE in CN at 100; `links` replace those of the same id."""
    known = {link.id: link for link in (ROOT_LINK, BODY_LINK, LEAF, *links)}
    asked: dict[str, Any] = {
        "leaf": "leaf",
        "issuer": ISSUER,
        "schema": LINE,
        "jurisdiction": "CN",
        "at_ms": 100,
        "anchors": None,
    }
    return verify_accreditation(known.get, bridges, **{**asked, **change})


def test_the_whole_chain_passes_step_by_step() -> None:
    finding = ask()
    assert (finding.outcome, finding.code) == ("yes", "")
    assert [(step.link, step.outcome) for step in finding.steps] == [
        ("leaf", "passed"),
        ("body", "passed"),
        ("root", "passed"),
    ]


@pytest.mark.parametrize(
    ("link", "code"),
    [
        (replace(LEAF, subject="did:other"), "other_issuer"),
        (replace(LEAF, level="accredit"), "wrong_level"),
        (replace(LEAF, accreditor=ROOT), "wrong_accreditor"),
        (replace(LEAF, framework="health"), "other_framework"),
        (replace(LEAF, parent="leaf"), "parent_may_not_accredit"),
        (replace(LEAF, parent="nothing"), "unknown_accreditation"),
        (replace(LEAF, parent=""), "unknown_accreditation"),
        (replace(LEAF, scope=(Scope(("*",), ("CN",)),)), "exceeds_schema"),
        (replace(LEAF, scope=(Scope((LINE, "tax:1"), ("CN",)),)), "exceeds_schema"),
        (replace(LEAF, scope=(Scope((LINE,), ("CN", "MO")),)), "exceeds_jurisdiction"),
        (replace(LEAF, since_ms=9), "exceeds_time"),
        (replace(LEAF, until_ms=1_001), "exceeds_time"),
        (replace(LEAF, until_ms=None), "exceeds_time"),
        (replace(LEAF, since_ms=101), "not_yet_valid"),
        (replace(LEAF, until_ms=100), "expired"),
        (replace(LEAF, standing=()), "suspended"),
        (replace(LEAF, scope=(Scope((LINE,), ("HK",)),)), "jurisdiction_out_of_scope"),
        (replace(LEAF, scope=(Scope((ID,), ("CN",)),)), "schema_out_of_scope"),
        (replace(BODY_LINK, subject="did:other"), "wrong_accreditor"),
        (replace(BODY_LINK, until_ms=100), "expired"),
        (replace(ROOT_LINK, accreditor=ROOT), "wrong_root"),
        (replace(ROOT_LINK, parent="root"), "wrong_root"),
    ],
)
def test_invalid_link(link: KnownLink, code: str) -> None:
    finding = ask(link)
    assert finding.outcome == "no"
    assert code in {step.code for step in finding.steps}


def test_invalid_answer_of_a_finder_that_gives_another_link() -> None:
    finding = verify_chain(lambda _name: BODY_LINK, "leaf", at_ms=100)
    assert finding.code == "unknown_accreditation"


def test_invalid_ring() -> None:
    ring = replace(BODY_LINK, parent="body", accreditor=BODY)
    finding = ask(ring)
    assert finding.outcome == "no"
    assert "too_deep" in {step.code for step in finding.steps}
    assert len(finding.steps) == DEPTH_MAX + 1


def test_an_asker_chooses_its_roots() -> None:
    assert ask(anchors=frozenset({"root"})).entitled
    assert ask(anchors=frozenset({ROOT})).entitled
    assert ask(anchors=frozenset({"another"})).code == "not_an_anchor"
    assert ask(anchors=frozenset()).code == "not_an_anchor"


def test_what_could_not_be_found_out_is_not_judged() -> None:
    def find(name: str) -> KnownLink | None:
        if name == "root":
            raise NotFoundOut
        return {"leaf": LEAF, "body": BODY_LINK}.get(name)

    finding = verify_chain(find, "leaf", at_ms=100)
    assert (finding.outcome, finding.code) == ("could_not_judge", "not_found_out")
    assert [step.outcome for step in finding.steps] == ["passed", "passed", "not_judged"]


def test_a_failure_decides_also_where_something_could_not_be_found_out() -> None:
    def find(name: str) -> KnownLink | None:
        if name == "body":
            raise NotFoundOut
        return replace(LEAF, until_ms=50)

    assert verify_chain(find, "leaf", at_ms=100).outcome == "no"


def test_standing_is_told_at_each_millisecond() -> None:
    history = (
        *ACTIVE,
        StandingFrom(100, "suspended", BODY, "audit"),
        StandingFrom(200, "active", BODY, "audit-passed"),
        StandingFrom(300, "revoked", BODY, "fraud"),
    )
    body = replace(BODY_LINK, standing=history)
    told = [ask(body, at_ms=at_ms).code for at_ms in (9, 10, 99, 100, 199, 200, 299, 300, 5_000)]
    assert told == [
        "not_yet_valid",
        "",
        "",
        "suspended",
        "suspended",
        "",
        "",
        "revoked",
        "expired",
    ]


def test_then_and_now_are_told_apart() -> None:
    revoked = replace(LEAF, standing=(*ACTIVE, StandingFrom(200, "revoked", BODY)))
    finding = ask(revoked, now_ms=300)
    assert finding.entitled
    assert finding.now is not None
    assert (finding.now.at_ms, finding.now.outcome, finding.now.code) == (300, "no", "revoked")


def test_a_schema_is_covered_by_its_id_or_its_line() -> None:
    names = list_scope_names(ID, "licence", "1.4.0")
    assert names == (ID, LINE)
    assert ask(schema=names).entitled
    by_id = replace(LEAF, scope=(Scope((ID,), ("CN",)),))
    assert ask(by_id, schema=names).entitled
    assert ask(schema=list_scope_names(ID, "licence", "2.0.0")).code == "schema_out_of_scope"
    assert ask(schema="*").code == "schema_out_of_scope"


def test_without_a_jurisdiction_the_link_itself_says_where() -> None:
    assert ask(jurisdiction="").entitled
    assert not ask(jurisdiction="", schema="tax:1").entitled
    assert not ask(jurisdiction="", schema="alvara:1", bridges=(BRIDGE,)).entitled


def test_a_recognition_says_what_counts_where_and_until_when() -> None:
    abroad: dict[str, Any] = {"schema": "alvara:1", "jurisdiction": "MO", "bridges": (BRIDGE,)}
    finding = ask(**abroad)
    assert (finding.entitled, finding.recognition, finding.level) == (
        True,
        "bridge",
        "substantial",
    )
    assert finding.steps[-1].what == "recognition"
    assert ask(**abroad, framework="negocios").entitled
    assert ask(**abroad, framework="business").code == "jurisdiction_out_of_scope"
    assert ask(**abroad, at_ms=500).code == "recognition_expired"
    assert ask(**abroad, level_min="substantial").entitled
    assert ask(**abroad, level_min="high").code == "recognition_too_low"
    assert not ask(**{**abroad, "schema": LINE}).entitled
    assert not ask(**{**abroad, "jurisdiction": "HK"}).entitled
    hk_only = replace(LEAF, scope=(Scope((LINE,), ("HK",)),))
    assert not ask(hk_only, **abroad).entitled
    revoked = replace(BODY_LINK, standing=(*ACTIVE, StandingFrom(50, "revoked", ROOT)))
    assert ask(revoked, **abroad).code == "revoked"


def test_of_several_recognitions_the_best_in_force_counts() -> None:
    high = replace(BRIDGE, id="a-high", level="high", until_ms=50)
    low = replace(BRIDGE, id="low", level="low")
    found = ask(schema="alvara:1", jurisdiction="MO", bridges=(low, high, BRIDGE))
    assert (found.recognition, found.level) == ("bridge", "substantial")


def test_a_root_covers_every_schema_only_where_it_says_so() -> None:
    assert find_excess(ROOT_LINK, (Scope(("any:9",), ("HK",)),), 10, None) == ""
    assert find_excess(ROOT_LINK, (Scope(("any:9",), ("MO",)),), 10, None) == "jurisdiction"
    assert find_excess(BODY_LINK, (Scope(("any:9",), ("CN",)),), 10, 20) == "schema"


def test_the_tree_tells_each_state_and_what_brought_it_there() -> None:
    dead = replace(BODY_LINK, standing=(*ACTIVE, StandingFrom(200, "suspended", ROOT)))
    stray = make_link("stray", parent="elsewhere")
    links = (LEAF, dead, ROOT_LINK, stray)
    tree = build_tree(links, (BRIDGE,), 300)
    (root,) = tree.roots
    (body,) = root.children
    (leaf,) = body.children
    assert [(each.state, each.cause) for each in (root, body, leaf)] == [
        ("in_force", ""),
        ("suspended", ""),
        ("suspended", "body"),
    ]
    assert [(each.link.id, each.state) for each in tree.strays] == [
        ("stray", "unknown_accreditation")
    ]
    assert [each.state for each in tree.recognitions] == ["in_force"]
    before = build_tree(links, (BRIDGE,), 100)
    assert before.roots[0].children[0].children[0].state == "in_force"


def test_links_and_recognitions_are_read_from_records_as_gateways_list_them() -> None:
    record = {**msgspec.to_builtins(LEAF), "v": 1}
    assert read_link(record) == LEAF
    assert read_bridge({**msgspec.to_builtins(BRIDGE), "v": 1}) == BRIDGE
