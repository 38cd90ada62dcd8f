"""A doctor in the other city: consent, its withdrawal, an emergency, and who looked."""

import json
from typing import Any, Final

from hansa.cli.demo.identity.cast import (
    BANK,
    CITY_B,
    CLINIC,
    HOSPITAL,
    PERSON,
    WATCH,
)
from hansa.cli.demo.identity.forms import OTHER_RECORD, RECORD, read_disclosed
from hansa.cli.demo.identity.scene import Scene, read_event

FIELD, OTHER_FIELD = "allergies", "surgery"
PURPOSE: Final = "treatment"
NOTICE: Final = "https://clinic.example/privacy"
LOG: Final = "access-log.json"


def see_doctor(scene: Scene) -> None:
    """Consent for one field; recorded first, then handed out, sealed to the reader's key."""
    stage = scene.stage
    stage.step(f"A doctor in {CITY_B}: she consents that one field of her record is read")
    prove_age(scene)
    for field, text in ((FIELD, RECORD), (OTHER_FIELD, OTHER_RECORD)):
        file = scene.paper(f"{field}.txt")
        file.write_text(text, encoding="utf-8")
        scene.done(
            f"{HOSPITAL} holds {field}: encrypted in its vault, a commitment on the ledger",
            "vault declare", file, "--of", PERSON, "--field", field, "--as", HOSPITAL,
        )  # fmt: skip
    given = scene.done(
        "her consent, signed by herself; the consent record stays in her vault",
        f"grant give {HOSPITAL} {CLINIC} --field {FIELD} --purpose {PURPOSE} --days 30",
        *f"--notice {NOTICE} --as {PERSON}".split(),
    )
    scene.known["grant"] = str(read_event(given, "GrantGiven").get("grant", ""))
    ran = take(scene, "taken", "--field", OTHER_FIELD)
    stage.expect_refused(ran, "consents.field_not_granted", "The clinic asks for more than that:")
    ran = take(scene, "taken")
    stage.expect_yes(ran, "recorded first; then fetched, sealed to a key made for this reading")
    content = scene.paper("taken") / f"content-{FIELD}"
    found = content.read_text(encoding="utf-8") if content.exists() else ""
    stage.expect(found == RECORD, "the clinic reads what she meant it to", f"it has {found!r}")
    log = read_log(scene)
    stage.expect(
        [each["grant"] for each in log] == [scene.known["grant"]],
        f"she sees who looked: {len(log)} entry, the refused attempt read nothing",
        f"her log has {log}",
    )
    check_order(scene, log)


def check_order(scene: Scene, log: list[dict[str, Any]]) -> None:
    """What the ledger has of it: the access, and later what the clinic signed to have received."""
    if not log:
        return
    subject, number, recorded_ms = log[0]["subject"], log[0]["number"], log[0]["at_ms"]
    ran = scene.do(f"grant show delivery {subject} {number:09d} --as {PERSON}")
    received_ms = ran.document["at_ms"] if ran.exit == 0 else 0
    scene.stage.expect(
        recorded_ms < received_ms,
        f"the access stood {received_ms - recorded_ms} ms before the clinic signed for the content",
        f"no access before the delivery: {ran.text.strip()[-300:]}",
    )


def prove_age(scene: Scene) -> None:
    """The copy for health, of another DID: the clinic and a registry cannot tell she is one."""
    nonce, shown = scene.ask_nonce(), scene.paper("shown.c.sd-jwt")
    scene.done(
        f"she shows {CLINIC} that she is of age, not her name",
        "credential present", scene.paper("person.health.sd-jwt"), "--claim", "age_over_18",
        *f"--audience {CLINIC} --nonce {nonce} --as {PERSON} -o".split(), shown,
    )  # fmt: skip
    ran = scene.do(
        "credential verify", shown, "--need-holder", "--jurisdiction", CITY_B,
        *f"--audience {CLINIC} --nonce {nonce} --as {CLINIC}".split(),
    )  # fmt: skip
    scene.expect_verified(ran, "the clinic is sure")
    seen = read_disclosed(scene.read(shown.name))
    scene.stage.expect(
        seen == {"age_over_18": True}, "it saw one claim, age_over_18", f"it saw {sorted(seen)}"
    )


def withdraw_consent(scene: Scene) -> None:
    """Withdrawn counts at once."""
    stage = scene.stage
    stage.step("She withdraws her consent: the next reading is refused")
    grant = scene.known["grant"]
    scene.done("withdrawn, without asking anybody", f"grant withdraw {grant} --as {PERSON}")
    ran = take(scene, "again")
    stage.expect_refused(ran, "consents.grant_over", "The clinic reads again:")
    left = [path.name for path in scene.paper("again").iterdir()]
    stage.expect(not left, "nothing was handed out", f"it has {left}")


def break_glass(scene: Scene) -> None:
    """Without a grant only in an emergency, by who has that office; everybody hears; reviewed."""
    stage = scene.stage
    stage.step("An emergency: read without consent, loudly, and reviewed")
    words = f"grant break-glass {PERSON} {HOSPITAL} --field {FIELD} --reason unconscious -o"
    ran = scene.do(words, scene.paper("bank"), "--as", BANK)
    stage.expect_refused(ran, "ledger.missing_role", "The bank tries it:")
    scene.done("the clinic's emergency desk may", words, scene.paper("urgent"), "--as", CLINIC)
    hear(scene)
    log = read_log(scene)
    emergency = str(log[-1]["emergency"]) if log else ""
    stage.expect(len(log) == 2 and bool(emergency), "she sees it in her log", f"her log has {log}")
    reviewed = scene.done(
        f"{WATCH} judges it, of neither house",
        f"grant review {emergency} justified --as {WATCH}",
    )
    stage.expect(
        read_event(reviewed, "BreakGlassReviewed").get("was_overdue") is False,
        "the league hears the verdict; a review in time",
        f"the review says {reviewed.text.strip()[-300:]}",
    )
    file = scene.paper(LOG)
    scene.done("her log with its proof", "grant log -o", file, "--as", PERSON)
    checked = scene.do("grant check", file)
    stage.expect(
        checked.exit == 0 and len(checked.document["accesses"]) == len(log),
        f"checked offline: these {len(log)} readings are all there were",
        f"the log was not proved: {checked.text.strip()[-300:]}",
    )


def hear(scene: Scene) -> None:
    """What every member hears, the bank too: who, where, why; not about whom."""
    listed = scene.do(f"tx list --limit 1 --as {BANK}").document
    newest = listed["items"][0]["transaction"] if listed and listed["items"] else "none"
    ran = scene.do(f"tx show {newest} --as {BANK}")
    event = read_event(ran, "BreakGlassUsed")
    mei = scene.story.did(PERSON)
    scene.stage.expect(
        event.get("reason") == "unconscious" and mei not in json.dumps(event),
        "every member hears who, where, why and until when to review; not about whom",
        f"the bank heard {ran.text.strip()[-300:]}",
    )


def take(scene: Scene, folder: str, *options: str) -> Any:
    """The clinic reads under the grant."""
    grant = scene.known["grant"]
    return scene.do(f"grant take {grant}", *options, "-o", scene.paper(folder), "--as", CLINIC)


def read_log(scene: Scene) -> list[dict[str, Any]]:
    """Her log, as she sees it."""
    ran = scene.do(f"grant log --as {PERSON}")
    found = ran.document if isinstance(ran.document, list) else []
    for each in found:
        under = each["grant"] or f"break-glass {each['emergency']}"
        scene.stage.say(
            f"  {each['number']}  {each['purpose']}  {each['handed'][0]['field']}  {under}"
        )
    return found
