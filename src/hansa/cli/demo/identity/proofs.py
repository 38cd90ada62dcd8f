"""A licence is revoked; and what can be judged when no node answers any more."""

from pathlib import Path
from typing import Final

from hansa.cli.demo.identity.business import LICENCE_A, LICENCE_B
from hansa.cli.demo.identity.cast import BANK, CITY_A, CITY_B, COMPANIES_B
from hansa.cli.demo.identity.scene import Scene
from hansa.cli.demo.papers import flip_byte

GENESIS: Final = "genesis.json"
BEFORE, AFTER = "licence.b.before.json", "licence.b.after.json"
BUNDLE_A: Final = "licence.a.bundle.json"


def revoke_licence(scene: Scene) -> None:
    """Bundles before and after; the bank asks the ledger."""
    stage = scene.stage
    stage.step(f"The licence of {CITY_B} is revoked: everybody knows, by a named check")
    licence = scene.paper(LICENCE_B)
    words = f"--jurisdiction {CITY_B} --as {BANK}".split()
    scene.expect_verified(scene.do("credential verify", licence, *words), "the bank is sure")
    bundle(scene, LICENCE_A, BUNDLE_A, CITY_A)
    bundle(scene, LICENCE_B, BEFORE, CITY_B)
    scene.done(
        "revoked, for good", "credential revoke", licence, "--reason", "closed", "--as", COMPANIES_B
    )
    ran = scene.do("credential verify", licence, *words)
    scene.expect_check(ran, "status", "revoked")
    bundle(scene, LICENCE_B, AFTER, CITY_B)


def bundle(scene: Scene, paper: str, name: str, city: str) -> None:
    """A paper with all that judges it, in one file."""
    scene.done(
        f"{name}: the paper, keys, schema, accreditations and status, proved",
        "credential bundle", scene.paper(paper), "--jurisdiction", city, "--as", BANK,
        "-o", scene.paper(name),
    )  # fmt: skip


def verify_offline(scene: Scene) -> None:
    """No node runs; the genesis file is all that is trusted."""
    stage = scene.stage
    stage.step("Offline: the league is switched off, the files are judged all the same")
    stage.stop()
    ran = scene.do("credential verify", scene.paper(LICENCE_A), "--as", BANK)
    stage.expect(ran.exit == 2, "nobody answers: could not ask", f"exit {ran.exit}")
    judge(scene, scene.paper(BUNDLE_A), 0, f"the licence of {CITY_A}: yes")
    judge(scene, scene.paper(BEFORE), 0, f"that of {CITY_B}, bundled before: yes, as of then")
    judge(scene, scene.paper(AFTER), 1, "bundled after: no, it is revoked")
    forged = scene.paper("licence.a.forged.json")
    forged.write_bytes(flip_byte(scene.paper(BUNDLE_A).read_bytes()))
    judge(scene, forged, 1, "one bit flipped: no")


def judge(scene: Scene, file: Path, exit_code: int, text: str) -> None:
    """`hansa verify`, with the genesis as the one root of trust."""
    ran = scene.do("verify", file, "--trust", GENESIS)
    verdict = ran.document[0] if isinstance(ran.document, list) and ran.document else {}
    for step in verdict.get("steps", ()):
        if step["ok"] is False:
            scene.stage.say(f"  ✗ {step['name']}: {step['text']}")
    scene.stage.expect(
        ran.exit == exit_code, text, f"{text}: exit {ran.exit}: {ran.text.strip()[-300:]}"
    )
