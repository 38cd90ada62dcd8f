"""Verified once in person; then a business in two cities, and a clerk who acts for its owner."""

import json
from pathlib import Path
from typing import Any, Final

from hansa.cli.demo.identity.cast import (
    BANK,
    CITY_A,
    CITY_B,
    CLERK,
    COMPANIES_A,
    COMPANIES_B,
    ELSEWHERE,
    FIRM,
    PERSON,
    REGISTRY,
)
from hansa.cli.demo.identity.forms import (
    PERSON_CLAIMS,
    SHOWN,
    WISHES,
    fill_form,
    read_disclosed,
    read_presented,
)
from hansa.cli.demo.identity.scene import Scene, read_event
from hansa.cli.demo.identity.trust import open_lists
from hansa.encoding.text import encode_base64url
from hansa.vault.commitment import SALT_BYTES, compute_commitment

BUSINESS: Final = "business"
PERSON_FILE, LICENCE_A, LICENCE_B = f"person.{BUSINESS}.sd-jwt", "licence.a.json", "licence.b.json"
# Her seed of pairwise keys is the story's own, never that of whoever runs it.
SEED: Final = "pairwise.seed"
PER_ACT, TOTAL, CURRENCY = 50_000, 80_000, "MOP"
# What the clerk does for her: puts a lease on record, by its commitment.
ACT: Final = "evidence.CreateEvidence"


def verify_in_person(scene: Scene) -> None:
    """The registry sees her once; she leaves with a copy for each relation."""
    stage = scene.stage
    stage.step("Once in person: the civil registry sees her papers and issues to keys of hers")
    open_lists(scene)
    pairwise = scene.done(
        "her DID for business alone, on no ledger",
        f"did pairwise {BUSINESS} --seed", scene.paper(SEED),
    )  # fmt: skip
    scene.known[BUSINESS] = pairwise.document["did"]
    scene.done("her account for matters of health alone", f"did create {PERSON} --as {REGISTRY}")
    claims = scene.story.write("person.claims.json", PERSON_CLAIMS)
    for relation, holder in ((BUSINESS, scene.known[BUSINESS]), ("health", PERSON)):
        scene.done(
            f"the copy for {relation}: {len(PERSON_CLAIMS)} claims, each can be withheld",
            "credential issue", claims, *"--schema person --form sd-jwt --days 365".split(),
            "--holder", holder, "--as", REGISTRY, "-o", scene.paper(f"person.{relation}.sd-jwt"),
        )  # fmt: skip


def open_in_city_a(scene: Scene) -> None:
    """She shows two claims; the form asks only for what no credential says."""
    stage = scene.stage
    stage.step(f"A business in {CITY_A}: she shows that she is of age and her name, nothing else")
    shown = scene.paper("shown.a.sd-jwt")
    nonce = present(scene, COMPANIES_A, shown, PERSON_FILE)
    ran = verify(scene, shown, COMPANIES_A, nonce, CITY_A)
    scene.expect_verified(ran, "the registry is sure")
    seen = read_disclosed(scene.read(shown.name))
    stage.expect(
        set(seen) == set(SHOWN),
        f"it saw {' and '.join(sorted(seen))}; no birth date, number or address",
        f"it saw {sorted(seen)}",
    )
    stage.say("The same file, played to the bank by somebody who copied it:")
    ran = verify(scene, shown, BANK, scene.ask_nonce(), CITY_A)
    scene.expect_check(ran, "audience", "wrong_audience")
    scene.expect_check(ran, "nonce", "wrong_nonce")
    issue_licence(scene, COMPANIES_A, fill_form(CITY_A, {**seen, **WISHES}), LICENCE_A)


def open_in_city_b(scene: Scene) -> None:
    """The other city: the same two papers, no form at all; a third city recognises neither."""
    stage = scene.stage
    stage.step(f"A business in {CITY_B}: two credentials of {CITY_A}, no form at all")
    shown = scene.paper("shown.b.json")
    nonce = present(scene, COMPANIES_B, shown, PERSON_FILE, LICENCE_A)
    ran = verify(scene, shown, COMPANIES_B, nonce, CITY_B)
    scene.expect_verified(ran, f"what {CITY_A} attested counts in {CITY_B}")
    stage.say(f"The same in {ELSEWHERE}, with which no recognition was agreed:")
    ran = verify(scene, shown, COMPANIES_B, nonce, ELSEWHERE)
    scene.expect_check(ran, "accreditation", "jurisdiction_out_of_scope")
    form = fill_form(CITY_B, read_presented(scene.load(shown.name)))
    written = scene.load(f"{LICENCE_A}.claims")
    stage.expect(
        form == {**written, "city": CITY_B},
        f"{len(form)} fields of the form filled by what she showed, none typed a second time",
        f"the form differs: {form}",
    )
    issue_licence(scene, COMPANIES_B, form, LICENCE_B)


def present(scene: Scene, audience: str, shown: Path, *papers: str) -> str:
    """Her papers for one verifier, with her key for business; the nonce that it had asked with."""
    nonce = scene.ask_nonce()
    claims = (word for claim in SHOWN for word in ("--claim", claim))
    scene.done(
        f"signed for {audience} alone, in answer to its nonce",
        "credential present", *map(scene.paper, papers), *claims, "--audience", audience,
        "--nonce", nonce, "--pairwise", BUSINESS, "--seed", scene.paper(SEED), "-o", shown,
    )  # fmt: skip
    return nonce


def verify(scene: Scene, shown: Path, verifier: str, nonce: str, city: str) -> Any:
    """A presentation, judged by whom it was made for, or says it was."""
    return scene.do(
        "credential verify", shown, "--need-holder", "--audience", verifier, "--nonce", nonce,
        "--jurisdiction", city, "--as", verifier,
    )  # fmt: skip


def issue_licence(scene: Scene, issuer: str, form: dict[str, Any], name: str) -> None:
    """A licence by the form, to her key for business; its issuer is accredited for it."""
    claims = scene.story.write(f"{name}.claims", form)
    scene.done(
        f"{issuer} issued the licence: {', '.join(form)}",
        "credential issue", claims, "--schema", "licence", "--days", "365",
        "--holder", scene.known[BUSINESS], "--as", issuer, "-o", scene.paper(name),
    )  # fmt: skip


def send_clerk(scene: Scene) -> None:
    """A mandate: for what, up to what, until withdrawn; the ledger holds the clerk to it."""
    stage = scene.stage
    stage.step("A clerk acts for her: for one thing, up to an amount, until she withdraws it")
    for name, whose in ((FIRM, "her firm"), (CLERK, "the clerk")):
        scene.done(f"an account for {whose}", f"did create {name} --as {COMPANIES_B}")
    given = scene.done(
        f"a mandate: {PER_ACT} {CURRENCY} at once, {TOTAL} in all",
        f"mandate give {CLERK} --scope {ACT.replace('.', ':')} --purpose lease",
        *f"--currency {CURRENCY} --per-act {PER_ACT} --total {TOTAL} --as {FIRM}".split(),
    )
    mandate = str(read_event(given, "MandateGiven").get("mandate", ""))
    stage.expect_yes(use(scene, mandate, PER_ACT), "the clerk put a lease on record for her")
    stage.expect_refused(
        use(scene, mandate, PER_ACT), "mandates.over_limit", "Once more, beyond the sum:"
    )
    scene.done("withdrawn", f"mandate withdraw {mandate} --reason left --as {FIRM}")
    stage.expect_refused(use(scene, mandate, 1), "mandates.not_live", "One more, for less:")


def use(scene: Scene, mandate: str, amount: int) -> Any:
    """The clerk's act and the use of the mandate, in one atomic transaction."""
    lease = scene.ask_nonce()
    value = compute_commitment(lease.encode(), lease.encode().ljust(SALT_BYTES, b"0"))
    body = json.dumps({"form": "commitment", "value": encode_base64url(value)})
    return scene.do(
        f"mandate use {mandate} {ACT} --amount {amount} --currency {CURRENCY} --body",
        body, "--as", CLERK,
    )  # fmt: skip
