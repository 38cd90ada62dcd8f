"""Accreditations on the ledger, rule by rule (R1 to R8)."""

from typing import Any

import msgspec
import pytest

from hansa.contracts.accounts.model import CloseAccount
from hansa.contracts.accreditations import INVARIANTS, contract
from hansa.contracts.accreditations.model import (
    LINKS_MAX,
    RECOGNITIONS_MAX,
    STANDINGS_MAX,
    Accredit,
    Attest,
    AuthoriseRoot,
    Recognition,
    ReinstateRecognition,
    RevokeRecognition,
    SubjectLink,
    SuspendRecognition,
)
from hansa.contracts.permissions.model import GrantRole
from hansa.identity.links import DEPTH_MAX, SchemaPair, StandingFrom
from hansa.ledger.context import ReadContext, Scope
from hansa.ledger.receipts import OK
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import govern
from tests.contracts.trust import (
    ALMA,
    BODY,
    BRANCH,
    CLERK,
    DAY_MS,
    DEGREE,
    FRAMEWORK,
    ISSUER,
    LICENCE,
    MIDDLE,
    NARROW,
    OTHER,
    PERMIT,
    ROOT,
    WIDE,
    YEAR_MS,
    accredit,
    attest,
    authorise,
    build_child,
    build_recognise,
    build_scope,
    build_standing,
    build_trust_chain,
    change,
    find_broken,
    find_newest,
    judge,
    list_links,
    list_recognitions,
    plant,
    send,
)


@pytest.fixture
def chain() -> Chain:
    return build_trust_chain()


@pytest.fixture
def links(chain: Chain) -> tuple[str, str, str]:
    """A root, a body's link and an issuer's."""
    root = authorise(chain)
    body = accredit(chain, root)
    return root, body, attest(chain, body)


# R1: who gives what


def test_a_root_is_governances(chain: Chain) -> None:
    message = AuthoriseRoot(framework=FRAMEWORK, subject=ROOT.did, scope=WIDE, basis="law")
    assert send(chain, message, ALMA).code == "ledger.internal_message"
    made = authorise(chain)
    root = list_links(chain)[made]
    assert (root.level, root.accreditor, root.parent) == ("root", "governance", "")


def test_two_roots_of_one_proposal_are_two(chain: Chain) -> None:
    message = AuthoriseRoot(framework=FRAMEWORK, subject=ROOT.did, scope=WIDE, basis="law")
    other = msgspec.structs.replace(message, subject=OTHER.did)
    actions = [("accreditations", each) for each in (message, other)]
    assert govern(chain, (ALMA,), *actions).state == "EXECUTED"
    assert {link.subject for link in list_links(chain).values()} == {ROOT.did, OTHER.did}


def test_only_the_parents_subject_gives_links_under_it(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    for actor in (ROOT, ISSUER, CLERK, BRANCH, ALMA):
        refused = send(chain, build_child(Attest, links[1], OTHER, NARROW), actor)
        assert (refused.code, refused.params["subject"]) == ("accreditations.not_yours", BODY.did)
    assert send(chain, build_child(Attest, links[1], OTHER, NARROW), BODY).code == OK


def test_an_officer_of_the_member_acts_for_it(chain: Chain, links: tuple[str, str, str]) -> None:
    officer = GrantRole(application="accreditations", role="officer", holder=CLERK.did)
    assert chain.send(BODY, "permissions", officer).code == OK
    assert send(chain, build_child(Attest, links[1], OTHER, NARROW), CLERK).code == OK


def test_invalid_link_under_an_issuers(chain: Chain, links: tuple[str, str, str]) -> None:
    refused = send(chain, build_child(Attest, links[2], OTHER, NARROW), ISSUER)
    assert refused.code == "accreditations.parent_may_not_accredit"


def test_invalid_link_under_nothing(chain: Chain) -> None:
    refused = send(chain, build_child(Attest, "nothing", OTHER, NARROW), BODY)
    assert refused.code == "accreditations.no_such_accreditation"


@pytest.mark.parametrize("what", ["suspend", "revoke"])
def test_invalid_link_under_what_is_not_in_force(
    chain: Chain, links: tuple[str, str, str], what: str
) -> None:
    decided = govern(chain, (ALMA,), ("accreditations", build_standing(what, links[0])))
    assert decided.state == "EXECUTED"
    refused = send(chain, build_child(Attest, links[1], OTHER, NARROW), BODY)
    assert refused.code == "accreditations.parent_not_in_force"
    problem = {"suspend": "suspended", "revoke": "revoked"}[what]
    assert refused.params == {"link": links[0], "problem": problem}


def test_invalid_link_in_the_block_that_suspends_its_parent(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    suspending = chain.sign(ROOT, [("accreditations", build_standing("suspend", links[1]))])
    child = build_child(Attest, links[1], OTHER, NARROW)
    giving = chain.sign(BODY, [("accreditations", child)])
    results = chain.block([suspending, giving]).results
    codes = [each.messages[0].code for each in results]
    assert codes == [OK, "accreditations.parent_not_in_force"]


# R2: no child exceeds its parent


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        (build_scope((DEGREE,), ("CN",)), "schema"),
        (build_scope((LICENCE, DEGREE), ("CN",)), "schema"),
        (build_scope((LICENCE,), ("MO",)), "jurisdiction"),
        (build_scope((LICENCE,), ("CN", "MO")), "jurisdiction"),
        ((*NARROW, *build_scope((PERMIT,), ("MO",))), "jurisdiction"),
    ],
)
def test_invalid_child_that_exceeds_its_parents_scope(
    chain: Chain, links: tuple[str, str, str], scope: Any, what: str
) -> None:
    for kind in (Accredit, Attest):
        refused = send(chain, build_child(kind, links[1], OTHER, scope), BODY)
        assert refused.code == "accreditations.exceeds_parent"
        assert refused.params["what"] == what


def test_invalid_child_that_mixes_two_scopes_of_its_parent(chain: Chain) -> None:
    """Licences in CN and permits in HK are not permits in CN."""
    apart = (*build_scope((LICENCE,), ("CN",)), *build_scope((PERMIT,), ("HK",)))
    body = accredit(chain, authorise(chain), scope=apart)
    mixed = build_scope((PERMIT,), ("CN",))
    refused = send(chain, build_child(Attest, body, OTHER, mixed), BODY)
    assert refused.params["what"] == "scope"
    assert send(chain, build_child(Attest, body, OTHER, apart), BODY).code == OK


def test_only_a_root_covers_every_schema(chain: Chain) -> None:
    root = authorise(chain)
    refused = send(chain, build_child(Accredit, root, BODY, WIDE), ROOT)
    assert refused.code == "accreditations.only_roots"


def test_invalid_schema_that_is_not_published(chain: Chain) -> None:
    root = authorise(chain)
    unknown = build_scope(("licence:2",), ("CN",))
    refused = send(chain, build_child(Attest, root, BODY, unknown), ROOT)
    assert (refused.code, refused.params["schema"]) == (
        "accreditations.unknown_schema",
        "licence:2",
    )


@pytest.mark.parametrize("until", [None, 2 * YEAR_MS])
def test_invalid_child_that_outlives_its_parent(chain: Chain, until: int | None) -> None:
    root = authorise(chain, until_ms=chain.time_ms + YEAR_MS)
    until_ms = None if until is None else chain.time_ms + until
    refused = send(chain, build_child(Attest, root, BODY, NARROW, until_ms=until_ms), ROOT)
    assert refused.params == {"parent": root, "what": "time"}
    within = build_child(Attest, root, BODY, NARROW, until_ms=chain.time_ms + DAY_MS)
    assert send(chain, within, ROOT).code == OK


@pytest.mark.parametrize(("since", "until"), [(-1, None), (DAY_MS, DAY_MS), (None, 0)])
def test_invalid_times(chain: Chain, since: int | None, until: int | None) -> None:
    root, now_ms = authorise(chain), chain.time_ms
    child = build_child(
        Attest,
        root,
        BODY,
        NARROW,
        since_ms=None if since is None else now_ms + since,
        until_ms=None if until is None else now_ms + until,
    )
    assert send(chain, child, ROOT).code == "accreditations.wrong_time"


# R3: chains are bounded


def test_a_chain_is_bounded(chain: Chain) -> None:
    link = authorise(chain, BODY, scope=MIDDLE)
    for _ in range(DEPTH_MAX - 1):
        link = accredit(chain, link, BODY, BODY)
    refused = send(chain, build_child(Attest, link, ISSUER, NARROW), BODY)
    assert refused.code == "accreditations.too_deep"
    assert find_broken(chain.state, INVARIANTS) == set()


# R4, R5: standing


def test_a_suspension_begins_after_its_block_and_ends_with_reinstatement(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    assert change(chain, "suspend", links[2], BODY) == OK
    begun_ms = chain.time_ms + 1
    assert judge(chain, links[2], at_ms=begun_ms - 1).entitled
    assert judge(chain, links[2], at_ms=begun_ms).code == "suspended"
    assert change(chain, "reinstate", links[2], BODY) == OK
    assert judge(chain, links[2]).entitled
    history = [(each.standing, each.by) for each in list_links(chain)[links[2]].standing]
    assert history == [("active", BODY.did), ("suspended", BODY.did), ("active", BODY.did)]


def test_revocation_is_final(chain: Chain, links: tuple[str, str, str]) -> None:
    assert change(chain, "revoke", links[2], BODY) == OK
    for what in ("suspend", "reinstate", "revoke"):
        assert change(chain, what, links[2], BODY) == "accreditations.wrong_standing"


def test_invalid_reinstatement_of_what_is_active(chain: Chain, links: tuple[str, str, str]) -> None:
    assert change(chain, "reinstate", links[2], BODY) == "accreditations.wrong_standing"
    assert change(chain, "suspend", links[2], BODY) == OK
    assert change(chain, "suspend", links[2], BODY) == "accreditations.wrong_standing"


def test_who_stands_above_changes_a_standing_and_nobody_else(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    for actor in (ISSUER, OTHER, CLERK, ALMA):
        assert change(chain, "suspend", links[2], actor) == "accreditations.not_above"
    for actor in (BODY, ROOT):
        assert change(chain, "suspend", links[2], actor) == OK
        assert change(chain, "reinstate", links[2], actor) == OK
    assert change(chain, "suspend", links[0], ROOT) == "accreditations.not_above"
    decided = govern(chain, (ALMA,), ("accreditations", build_standing("revoke", links[2])))
    assert decided.state == "EXECUTED"
    assert list_links(chain)[links[2]].standing[-1].by == "governance"


def test_a_suspension_is_lifted_by_who_placed_it_or_stands_above(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    assert change(chain, "suspend", links[2], BODY) == OK
    assert change(chain, "suspend", links[2], ROOT) == OK  # ROOT makes it its own
    refused = send(chain, build_standing("reinstate", links[2]), BODY)
    assert (refused.code, refused.params["by"]) == ("accreditations.placed_above", ROOT.did)
    assert change(chain, "suspend", links[2], BODY) == "accreditations.wrong_standing"
    assert change(chain, "reinstate", links[2], ROOT) == OK
    assert judge(chain, links[2]).entitled


def test_who_is_not_in_force_changes_no_standing_below(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    """A body suspended because its key was stolen cannot end what stands below it for ever."""
    assert change(chain, "suspend", links[1], ROOT) == OK
    for what in ("suspend", "revoke"):
        assert change(chain, what, links[2], BODY) == "accreditations.not_above"
    assert change(chain, "suspend", links[2], ROOT) == OK


def test_a_subject_gives_its_own_back(chain: Chain, links: tuple[str, str, str]) -> None:
    assert change(chain, "suspend", links[2], BODY) == OK
    assert change(chain, "reinstate", links[2], ISSUER) == "accreditations.not_above"
    assert change(chain, "revoke", links[2], ISSUER) == OK
    assert list_links(chain)[links[2]].standing[-1].by == ISSUER.did


def test_changes_of_a_standing_are_bounded_but_it_can_be_revoked(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    codes = []
    for _ in range(STANDINGS_MAX // 2 + 1):
        codes += [change(chain, what, links[2], BODY) for what in ("suspend", "reinstate")]
    assert "accreditations.too_many_changes" in codes
    assert change(chain, "revoke", links[2], BODY) == OK
    assert find_broken(chain.state, INVARIANTS) == set()


def test_suspension_and_its_end_in_one_block_leave_no_interval(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    messages = [build_standing(what, links[2]) for what in ("suspend", "reinstate")]
    results = chain.submit(BODY, "accreditations", *messages).messages
    assert [each.code for each in results] == [OK, OK]
    assert judge(chain, links[2]).entitled
    assert find_broken(chain.state, INVARIANTS) == set()


# R6: what is above counts, by the walk


@pytest.mark.parametrize("what", ["suspend", "revoke"])
def test_nobody_outlives_what_happens_above(
    chain: Chain, links: tuple[str, str, str], what: str
) -> None:
    before_ms = chain.time_ms
    untouched = list_links(chain)[links[2]]
    assert change(chain, what, links[1], ROOT) == OK
    finding = judge(chain, links[2], at_ms=before_ms, now_ms=chain.time_ms + 1)
    assert finding.entitled
    assert finding.now is not None
    problem = {"suspend": "suspended", "revoke": "revoked"}[what]
    assert (finding.now.outcome, finding.now.code) == ("no", problem)
    assert list_links(chain)[links[2]] == untouched


def test_other_contracts_ask_who_is_entitled(chain: Chain, links: tuple[str, str, str]) -> None:
    def ask(issuer: Actor, schema: str, place: str) -> bool:
        ctx = ReadContext(
            chain.state, "accreditations", Scope("c", chain.height, chain.time_ms + 1, "t", 0)
        )
        answer: bool = contract.views["is_entitled"](ctx, issuer.did, (schema,), place)
        return answer

    assert ask(ISSUER, LICENCE, "CN")
    assert not ask(ISSUER, PERMIT, "CN")
    assert not ask(ISSUER, LICENCE, "HK")
    assert not ask(BODY, LICENCE, "CN")  # it may accredit, not attest
    assert govern(chain, (ALMA,), ("accreditations", build_recognise())).state == "EXECUTED"
    assert ask(ISSUER, PERMIT, "MO")
    assert change(chain, "suspend", links[1], ROOT) == OK
    assert not ask(ISSUER, LICENCE, "CN")
    assert not ask(ISSUER, PERMIT, "MO")


# R7: recognition


def recognise(chain: Chain, **values: Any) -> Recognition:
    message = build_recognise(**values)
    assert govern(chain, (ALMA,), ("accreditations", message)).state == "EXECUTED"
    return list_recognitions(chain)[-1]


def test_recognition_counts_only_for_what_it_says(
    chain: Chain, links: tuple[str, str, str]
) -> None:
    assert judge(chain, links[2], schema=PERMIT, place="MO").code == "jurisdiction_out_of_scope"
    made = recognise(chain)
    found = judge(chain, links[2], schema=PERMIT, place="MO", framework="mo-business")
    assert (found.entitled, found.recognition, found.level) == (True, made.id, "substantial")
    assert not judge(chain, links[2], schema=LICENCE, place="MO").entitled
    assert not judge(chain, links[2], schema=PERMIT, place="HK").entitled
    assert not judge(chain, links[2], schema=PERMIT, place="MO", framework=FRAMEWORK).entitled
    too_low = judge(chain, links[2], schema=PERMIT, place="MO", level_min="high")
    assert too_low.code == "recognition_too_low"


def test_recognition_is_not_passed_on(chain: Chain, links: tuple[str, str, str]) -> None:
    recognise(chain, relying="HK")
    recognise(chain, source="HK", relying="MO")
    assert judge(chain, links[2], schema=PERMIT, place="HK").entitled
    assert not judge(chain, links[2], schema=PERMIT, place="MO").entitled


def test_recognition_counts_only_while_it_holds(chain: Chain, links: tuple[str, str, str]) -> None:
    made = recognise(chain)
    codes = []
    named: Any = {"relying": "MO", "recognition": made.id, "reason": "review"}
    for kind in (SuspendRecognition, ReinstateRecognition, RevokeRecognition):
        decided = govern(chain, (ALMA,), ("accreditations", kind(**named)))
        assert decided.state == "EXECUTED"
        codes.append(judge(chain, links[2], schema=PERMIT, place="MO").code)
    assert codes == ["recognition_suspended", "", "recognition_revoked"]
    again = govern(chain, (ALMA,), ("accreditations", ReinstateRecognition(**named)))
    assert again.code == "accreditations.wrong_standing"
    unknown = SuspendRecognition(relying="HK", recognition=made.id, reason="review")
    refused = govern(chain, (ALMA,), ("accreditations", unknown))
    assert refused.code == "accreditations.no_such_recognition"


def test_changes_of_a_recognition_are_bounded(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.contracts.accreditations.recognitions.STANDINGS_MAX", 3)
    named: Any = {"relying": "MO", "recognition": recognise(chain).id, "reason": "review"}
    for kind in (SuspendRecognition, ReinstateRecognition):
        assert govern(chain, (ALMA,), ("accreditations", kind(**named))).state == "EXECUTED"
    refused = govern(chain, (ALMA,), ("accreditations", SuspendRecognition(**named)))
    assert refused.code == "accreditations.too_many_changes"
    ended = govern(chain, (ALMA,), ("accreditations", RevokeRecognition(**named)))
    assert ended.state == "EXECUTED"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"relying": "CN"}, "wrong_recognition"),
        ({"schemas": (SchemaPair(source="*", target=PERMIT),)}, "wrong_recognition"),
        (
            {"schemas": (SchemaPair(LICENCE, PERMIT), SchemaPair(LICENCE, DEGREE))},
            "wrong_recognition",
        ),
        ({"schemas": (SchemaPair(LICENCE, "nothing:1"),)}, "unknown_schema"),
        ({"since_ms": 1}, "wrong_time"),
    ],
)
def test_invalid_recognition(chain: Chain, values: dict[str, Any], code: str) -> None:
    refused = govern(chain, (ALMA,), ("accreditations", build_recognise(**values)))
    assert refused.code == f"accreditations.{code}"
    assert list_recognitions(chain) == []


def test_only_governance_recognises(chain: Chain) -> None:
    assert send(chain, build_recognise(), ROOT).code == "ledger.internal_message"


def test_recognitions_are_bounded(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.contracts.accreditations.recognitions.RECOGNITIONS_MAX", 1)
    recognise(chain)
    refused = govern(chain, (ALMA,), ("accreditations", build_recognise()))
    assert refused.code == "accreditations.too_many_links"
    assert RECOGNITIONS_MAX > 1


# R8: subjects


def test_invalid_subject(chain: Chain) -> None:
    root = authorise(chain)
    stranger = build_child(Attest, root, Actor("stranger"), NARROW)
    assert send(chain, stranger, ROOT).params["problem"] == "unknown"
    close = CloseAccount(account=BRANCH.did, reason="left")
    assert chain.send(BODY, "accounts", close).code == OK
    closed = send(chain, build_child(Attest, root, BRANCH, NARROW), ROOT)
    assert (closed.code, closed.params["problem"]) == ("accreditations.wrong_subject", "closed")


def test_links_of_a_subject_are_bounded(chain: Chain) -> None:
    root = authorise(chain)
    children = [build_child(Attest, root, ISSUER, NARROW)] * (LINKS_MAX + 1)
    results = chain.submit(ROOT, "accreditations", *children).messages
    codes = [each.code for each in results]
    assert codes == [OK] * LINKS_MAX + ["accreditations.too_many_links"]
    assert find_broken(chain.state, INVARIANTS) == set()


def test_what_is_over_makes_room_for_new_links(chain: Chain) -> None:
    """Nobody is shut out by links that it did not ask for: it gives them back."""
    root = authorise(chain)
    end_ms = chain.time_ms + 5_000
    junk = [build_child(Attest, root, ISSUER, NARROW)] * (LINKS_MAX - 1)
    short = build_child(Attest, root, ISSUER, NARROW, until_ms=end_ms)
    given = chain.submit(ROOT, "accreditations", *junk, short).messages
    more = build_child(Attest, root, ISSUER, NARROW)
    assert send(chain, more, ROOT).code == "accreditations.too_many_links"
    chain.advance(10_000)
    assert send(chain, more, ROOT).code == OK
    assert send(chain, more, ROOT).code == "accreditations.too_many_links"
    link = msgspec.json.decode(given[0].events[0].body)["accreditation"]
    back = build_standing("revoke", link)
    assert send(chain, back, ISSUER).code == OK
    assert send(chain, more, ROOT).code == OK
    assert find_broken(chain.state, INVARIANTS) == set()


# The invariants find what is wrong


@pytest.mark.parametrize(
    ("rule", "index", "wrong"),
    [
        ("R1", 2, {"accreditor": ROOT.did}),
        ("R1", 2, {"parent": "nothing"}),
        ("R1", 0, {"accreditor": ROOT.did}),
        ("R1", 1, {"level": "attest"}),
        ("R2", 2, {"framework": "another"}),
        ("R2", 2, {"since_ms": 1}),
        ("R2", 2, {"scope": WIDE}),
        ("R2", 2, {"scope": build_scope((LICENCE,), ("MO",))}),
        ("R2", 1, {"until_ms": 2_000_000_000_000}),
        ("R4", 2, {"standing": ()}),
        ("R4", 2, {"standing": (StandingFrom(1, "revoked", ""), StandingFrom(2, "active", ""))}),
        ("R4", 2, {"standing": (StandingFrom(2, "active", ""), StandingFrom(1, "revoked", ""))}),
        ("R4", 2, {"until_ms": 1}),
        ("R8", 2, {"subject": OTHER.did}),
    ],
)
def test_invariants_find_wrong_links(
    chain: Chain, links: tuple[str, str, str], rule: str, index: int, wrong: dict[str, Any]
) -> None:
    link = list_links(chain)[links[index]]
    forged = plant(chain, "accreditations", msgspec.structs.replace(link, **wrong))
    assert rule in find_broken(forged, INVARIANTS)


def test_invariants_find_a_ring_and_strangers(chain: Chain, links: tuple[str, str, str]) -> None:
    link = list_links(chain)[links[1]]
    ring = plant(chain, "accreditations", msgspec.structs.replace(link, parent=link.id))
    assert "R3" in find_broken(ring, INVARIANTS)
    stranger = Actor("stranger").did
    strange = msgspec.structs.replace(link, subject=stranger)
    entry = SubjectLink(subject=stranger, link=link.id)
    assert "R8" in find_broken(plant(chain, "accreditations", strange, entry), INVARIANTS)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("R7", {"source": "MO"}),
        ("R7", {"schemas": (SchemaPair("*", PERMIT),)}),
        ("R7", {"schemas": (SchemaPair(LICENCE, PERMIT), SchemaPair(LICENCE, DEGREE))}),
        ("R7", {"standing": (StandingFrom(1, "active", ROOT.did),)}),
        ("R4", {"standing": ()}),
    ],
)
def test_invariants_find_wrong_recognitions(chain: Chain, rule: str, wrong: dict[str, Any]) -> None:
    made = recognise(chain)
    forged = plant(chain, "accreditations", msgspec.structs.replace(made, **wrong))
    assert find_broken(forged, INVARIANTS) == {rule}


def test_links_tell_who_has_them(chain: Chain, links: tuple[str, str, str]) -> None:
    assert find_newest(chain, ISSUER) == links[2]
    entry = chain.get("accreditations", SubjectLink, ISSUER.did, links[2])
    assert entry == SubjectLink(subject=ISSUER.did, link=links[2])
