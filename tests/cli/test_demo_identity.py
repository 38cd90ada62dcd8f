"""`hansa demo identity` tells its whole story as expected, over what an earlier one left."""

import json
from pathlib import Path

import pytest

from tests.cli.processes import Shell

pytestmark = pytest.mark.slow
# Each thing that the story shows refused, by its own code or named check.
REFUSED = (
    "accreditations.exceeds_parent",
    "audience: wrong_audience",
    "nonce: wrong_nonce",
    "accreditation: jurisdiction_out_of_scope",
    "mandates.over_limit",
    "mandates.not_live",
    "consents.field_not_granted",
    "consents.grant_over",
    "ledger.missing_role",
    "status: revoked",
)


def test_the_story_of_identities_goes_as_told_and_is_safe_to_run_again(shell: Shell) -> None:
    """One run, as in CI, in a folder that an earlier demo left half made."""
    league = shell.folder / "demo-identity"
    league.mkdir()
    (league / "demo.json").write_text(json.dumps({"chain": "demo-identity-0000"}))
    (league / "left.txt").write_text("by an earlier run")
    done = shell.run("demo", "identity", "--json", CI="true")
    assert done.exit == 0, done.err
    assert "0 not as expected" in done.err
    told = done.json["expectations"]
    assert all(each["ok"] for each in told)
    assert len(told) > 60
    for code in REFUSED:
        assert code in done.err, code
    assert not (league / "left.txt").exists()
    assert not (league / "running.json").exists()
    check_left(shell)
    home = Path(shell.environment["HOME"])
    assert not list(home.rglob("pairwise.seed"))


def check_left(shell: Shell) -> None:
    """The files that stay are judged without a node, also by who pinned nothing but the genesis."""
    demo = shell.folder / "demo-identity" / "demo"
    assert shell.ask("verify", demo / "licence.a.bundle.json")[0]["outcome"] == "yes"
    assert shell.ask("verify", demo / "licence.b.after.json", expect=1)[0]["outcome"] == "no"
    assert len(shell.ask("grant", "check", demo / "access-log.json")["accesses"]) == 2
    assert (demo / "person.business.sd-jwt").stat().st_mode & 0o077 == 0


def test_a_story_and_other_choices_do_not_go_together(shell: Shell) -> None:
    for wrong in (("identity", "--network"), ("harbours",)):
        done = shell.run("demo", *wrong, "--once")
        assert done.exit == 2, done
    assert not list(shell.folder.iterdir())
