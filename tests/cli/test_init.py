"""`hansa init`: a league whole or not at all, safe to run twice, pinned for its maker."""

import json
import shutil
import stat

import pytest

from tests.cli.processes import Shell

pytestmark = pytest.mark.slow


def test_init_makes_six_members_in_two_jurisdictions_with_private_keys(shell: Shell) -> None:
    made = shell.ask("init", "bay")
    assert made["new"] is True
    assert {each["name"] for each in made["members"]} == {
        "tax-bureau", "seller-a", "seller-b", "buyer", "employer", "auditor",
    }  # fmt: skip
    assert {each["jurisdiction"] for each in made["members"]} == {"CN", "HK"}
    for path in (shell.folder / "bay" / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    (pinned,) = shell.ask("trust", "list")
    assert (pinned["chain"], pinned["kind"], pinned["height"]) == (made["chain"], "genesis", 0)
    assert pinned["digest"] == made["genesis"]


def test_init_twice_changes_nothing(shell: Shell) -> None:
    first = shell.ask("init", "bay")
    shell.ask("trust", "remove", first["chain"])
    left = shell.folder / ".bay.keys"
    left.mkdir()
    (left / "validator.json").write_text("a secret that a crash left behind")
    again = shell.ask("init", "bay")
    assert again == first | {"new": False}
    assert len(shell.ask("trust", "list")) == 1
    assert not left.exists()


def test_init_goes_on_after_it_was_cut_off(shell: Shell) -> None:
    """Keys were made and perhaps the home too, but not all was moved: nothing may be lost."""
    shell.ask("init", "first")
    home, draft = shell.folder / "bay", shell.folder / ".bay.keys"
    draft.mkdir()
    for path in (shell.folder / "first" / "keys").glob("*.key.json"):
        shutil.copy(path, draft / path.name)
    shutil.copy(shell.folder / "first" / "keys" / "validator.json", draft / "validator.json")
    shutil.copy(shell.folder / "first" / "genesis.json", draft / "draft.json")
    expected = shell.ask("init", "first")

    made = shell.ask("init", home)

    assert made["genesis"] == expected["genesis"]
    assert made["members"] == expected["members"]
    assert not draft.exists()


def test_init_begins_anew_when_the_keys_were_not_all_made(shell: Shell) -> None:
    draft = shell.folder / ".bay.keys"
    draft.mkdir()
    (draft / "seller-a.key.json").write_text("half")
    made = shell.ask("init", "bay")
    assert len(made["members"]) == 6
    assert not draft.exists()


def test_init_refuses_a_folder_of_other_things(shell: Shell) -> None:
    (shell.folder / "bay").mkdir()
    (shell.folder / "bay" / "letter.txt").write_text("mine")
    done = shell.run("init", "bay")
    assert done.exit == 2
    assert "is not empty" in done.err
    assert [path.name for path in (shell.folder / "bay").iterdir()] == ["letter.txt"]


def test_init_takes_a_members_file(shell: Shell) -> None:
    printed = shell.run("init", "--show-members")
    plan = json.loads(printed.out)
    plan["members"] = plan["members"][:2]
    (shell.folder / "members.json").write_text(json.dumps(plan), encoding="utf-8")
    made = shell.ask("init", "bay", "--members", "members.json", "--chain", "bay-1")
    assert made["chain"] == "bay-1"
    assert len(made["members"]) == 2


def test_init_refuses_members_that_cannot_be(shell: Shell) -> None:
    plan = json.loads(shell.run("init", "--show-members").out)
    broken = {
        "not json": "nonsense",
        "no members": json.dumps({"members": []}),
        "unknown field": json.dumps({**plan, "x": 1}),
        "same name": json.dumps({"members": [plan["members"][0], plan["members"][0]]}),
        "no such default": json.dumps({**plan, "default": "nobody"}),
        "wrong check digit": json.dumps(plan).replace("91440101MA59EXAM08", "91440101MA59EXAM09"),
        "no such role": json.dumps(plan).replace("e_invoice.seller", "e_invoice.sailor"),
        "no role at all": json.dumps(plan).replace("e_invoice.seller@CN", "seller"),
        "role of nothing": json.dumps(plan).replace("e_invoice.seller", "nothing.seller"),
    }
    for name, text in broken.items():
        (shell.folder / "members.json").write_text(text, encoding="utf-8")
        done = shell.run("init", "bay", "--members", "members.json")
        assert done.exit == 2, name
        assert not (shell.folder / "bay").exists(), name
        assert not (shell.folder / ".bay.keys").exists(), name


def test_init_needs_a_folder(shell: Shell) -> None:
    assert shell.run("init").exit == 2


def test_leagues_of_one_name_have_different_chains(shell: Shell) -> None:
    chains = set()
    for number in range(2):
        (shell.folder / str(number)).mkdir()
        chains.add(shell.ask("init", f"{number}/bay")["chain"])
    assert len(chains) == 2


def test_doctor_is_content_with_a_new_league_and_names_what_is_wrong(shell: Shell) -> None:
    made = shell.ask("init", "bay")
    findings = shell.ask("doctor", "bay")
    assert all(each["ok"] for each in findings if each["name"] not in ("port", "disk"))

    (shell.folder / "bay" / "keys" / "buyer.key.json").chmod(0o644)
    shell.ask("trust", "remove", made["chain"])
    findings = shell.ask("doctor", "bay", expect=1)
    wrong = {each["name"]: each["cure"] for each in findings if not each["ok"]}
    assert wrong["keys"].startswith("chmod 600")
    assert wrong["trust"].startswith("hansa trust add")


def test_doctor_of_nothing(shell: Shell) -> None:
    assert shell.run("doctor", "nowhere").exit == 1
    assert shell.run("doctor").exit == 2


def test_refused_init_leaves_nothing(shell: Shell) -> None:
    shell.ask("init", "bay", "--chain", "lea-1")
    refused = shell.run("init", "fake", "--chain", "lea-1")
    assert refused.exit == 2
    assert "choose another --chain" in refused.err
    assert sorted(path.name for path in shell.folder.iterdir()) == ["bay"]
    assert shell.run("init", "fake").exit == 0


def test_hints_can_be_copied_with_blanks_in_the_name(shell: Shell) -> None:
    done = shell.run("init", "two words")
    assert "hansa start 'two words'" in done.err
