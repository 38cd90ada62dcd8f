"""Consent, taking, log, withdrawal, erasure and break-glass at the command line, for real."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.identity.consent_record import decode_record
from tests.cli.processes import Shell

pytestmark = pytest.mark.slow
CONTENT = "income 120,000 陳小明"
GIVE = "--field income --purpose open_account --notice https://clinic.example/privacy".split()


class Ward:
    """seller-a holds data about the buyer; seller-b reads; the employer reviews break-glass."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.home = shell.folder.parent / "home"
        made = json.loads((shell.folder / "names.json").read_text())
        self.names: dict[str, Any] = made

    def ask(self, line: str, *more: str | Path, expect: int = 0) -> Any:
        return self.shell.ask(*line.split(), *more, expect=expect)

    def declare(self, field: str, text: str = CONTENT) -> str:
        file = self.shell.folder / f"{field}.txt"
        file.write_text(text)
        said = self.ask(f"vault declare {file} --of buyer --field {field} --as seller-a")
        return str(said["events"][0]["body"]["commitment"])

    def give(self, *options: str) -> str:
        said = self.ask("grant give seller-a seller-b", *GIVE, *options, "--as", "buyer")
        return str(said["events"][0]["body"]["grant"])

    def grant_role(self, role: str, holder: str) -> None:
        did = self.ask(f"keys show {holder}")["account"]
        body = {"application": "consents", "holder": did, "role": role, "scope": "CN"}
        action = [{"application": "permissions", "type": "GrantRole", "body": body}]
        said = self.ask(
            "governance propose --topic roles --as tax-bureau", "--actions", json.dumps(action)
        )
        number = said["events"][0]["body"]["proposal"]
        for member in ("auditor", "buyer", "employer"):
            self.shell.run(
                *f"governance vote --proposal {number} --choice yes --as {member}".split()
            )


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    base = tmp_path_factory.mktemp("ward")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay")
    outside.ask("trust", "add", "bay/genesis.json")
    with outside.started(base / "bay"):
        made = Ward(Shell(base / "home", base / "bay"))
        made.declare("income")
        yield made


def test_consent_is_given_read_logged_withdrawn_and_read_no_more(ward: Ward) -> None:
    grant = ward.give("--uses", "3")
    for sm2 in ((), ("--sm2",)):
        out = ward.shell.folder / f"taken{len(sm2)}"
        said = ward.ask(f"grant take {grant} -o {out} --as seller-b", *sm2)
        assert said["taken"]
        assert (out / "content-income").read_text() == CONTENT
        assert (out / "content-income").stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in out.iterdir()) == ["content-income"]
    log = ward.ask("grant log --as buyer")
    assert [each["grant"] for each in log[-2:]] == [grant, grant]
    assert ward.ask(f"grant show delivery {log[-1]['subject']}/{log[-1]['number']:09d} --as buyer")
    said = ward.ask(f"grant withdraw {grant} --as buyer")
    assert said["events"][0]["body"]["state"] == "withdrawn"
    out = ward.shell.folder / "nothing"
    refused = ward.ask(f"grant take {grant} -o {out} --as seller-b", expect=1)
    assert refused["code"] == "consents.grant_over"
    assert list(out.iterdir()) == []


def test_the_consent_record_lies_in_the_subjects_vault_with_its_withdrawal(ward: Ward) -> None:
    grant = ward.give()
    ward.ask(f"grant withdraw {grant} --as buyer")
    found = ward.ask(f"grant show data_grant {grant} --as buyer")
    states, wanted = [], ""
    for row in ward.ask("vault list --as buyer"):
        file = ward.shell.folder / "record.json"
        shown = ward.ask(f"vault export {row['entry']} -o {file} --force --as buyer")
        if shown["commitment"] == found["record"]:
            states = [each["event_state"] for each in decode_record(file.read_bytes())["events"]]
            wanted = shown["commitment"]
    assert (wanted, states) == (found["record"], ["given", "withdrawn"])


def test_a_log_is_proved_whole_offline_and_nothing_less(ward: Ward) -> None:
    ward.ask(f"grant take {ward.give()} -o {ward.shell.folder / 'more'} --as seller-b")
    file = ward.shell.folder / "log.json"
    ward.ask(f"grant log -o {file} --as buyer")
    said = ward.ask(f"grant check {file}")
    assert said["outcome"] == "yes"
    assert len(said["accesses"]) >= 1
    good = json.loads(file.read_text())
    for change in ("left out", "changed", "added", "renumbered"):
        bad = json.loads(file.read_text())
        entries = bad["accesses"]
        if change == "left out":
            entries.pop()
        elif change == "changed":
            entries[0]["purpose"] = "marketing"
        elif change == "added":
            entries.append(entries[-1])
        else:
            entries[0]["number"] += 1
        file.write_text(json.dumps(bad))
        assert ward.ask(f"grant check {file}", expect=1)["outcome"] == "no", change
    file.write_text(json.dumps({**good, "log": None}))
    assert ward.ask(f"grant check {file}", expect=1)["outcome"] == "no"
    file.write_text(json.dumps(good))
    stranger = Shell(ward.shell.folder.parent / "other", ward.shell.folder.parent)
    assert stranger.ask("grant", "check", file, expect=2)["outcome"] == "could_not_judge"


def test_a_taking_cut_off_goes_on_and_counts_once(ward: Ward) -> None:
    """The vault is away when it is asked: the access stands, the content comes later."""
    grant = ward.give("--uses", "1")
    out = ward.shell.folder / "later"
    vaults = ward.shell.folder / "vault"
    shelves = [path for path in vaults.glob("*/shelf") if path.parent.is_dir()]
    for path in shelves:
        path.rename(path.with_name("away"))
    assert ward.shell.run("grant", "take", grant, "-o", out, "--as", "seller-b").exit != 0
    assert [path.name for path in out.iterdir()] == ["taking.json"]
    assert (out / "taking.json").stat().st_mode & 0o777 == 0o600
    for path in shelves:
        path.with_name("away").rename(path)
    assert ward.ask(f"grant take {grant} -o {out} --as seller-b")["taken"]
    assert (out / "content-income").read_text() == CONTENT
    assert ward.ask(f"grant show data_grant {grant} --as buyer")["used"] == 1


def test_by_hand_where_no_gateway_does_it(ward: Ward) -> None:
    key = ward.shell.folder / "mine.key"
    public = ward.ask(f"vault new-key -o {key}")["public"]
    alg, _colon, text = public.partition(":")
    grant = ward.give()
    said = ward.ask(
        f"grant record-access --grant {grant} --purpose open_account --fields income"
        f" --seal-alg {alg} --as seller-b",
        f"--seal-key={text}",
    )
    number = said["events"][0]["body"]["number"]
    sealed = ward.shell.folder / "for-b.sealed"
    ward.ask(f"vault hand-over buyer {number} -o {sealed} --as seller-a")
    assert CONTENT.encode() not in sealed.read_bytes()
    ward.ask(f"grant withdraw {grant} --as buyer")
    assert ward.shell.run(
        *f"vault hand-over buyer {number} -o {sealed} --force --as seller-a".split()
    ).exit == 2  # fmt: skip
    letter = ward.shell.folder / "letter.txt"
    letter.write_text(CONTENT)
    ward.ask(f"vault seal {letter} -o {letter}.sealed", f"--to={public}")
    ward.ask(f"vault open {letter}.sealed --key {key} -o {letter}.again")
    assert Path(f"{letter}.again").read_text() == CONTENT


def test_an_erasure_says_which_and_survives_a_restore(ward: Ward) -> None:
    commitment = ward.declare("diagnosis")
    copy = ward.shell.folder.parent / "copy"
    assert ward.ask(f"vault back-up {copy} --as seller-a")["files"] > 2
    entries = {}
    for row in ward.ask("vault list --as seller-a"):
        file = ward.shell.folder / "exported"
        shown = ward.ask(f"vault export {row['entry']} -o {file} --force --as seller-a")
        entries[shown["commitment"]] = row["entry"]
    entry = entries[commitment]
    said = ward.ask(f"vault erase {entry} --yes --of buyer --as seller-a")
    assert said["events"][0]["body"]["commitment"] == commitment
    did = ward.ask("keys show seller-a")["account"].rpartition(":")[2]
    folder = ward.shell.folder / "vault"
    shutil.rmtree(folder / did)
    (folder / f"{did}.erasures").unlink()
    shutil.rmtree(folder / f"{did}.erased")
    again = ward.ask(f"vault restore {copy} --from-ledger --as seller-a")
    assert again["erased_again"] == [entry]
    assert entry not in [row["entry"] for row in ward.ask("vault list --as seller-a")]


def test_break_glass_is_for_its_office_and_is_reviewed(ward: Ward) -> None:
    out = ward.shell.folder / "urgent"
    line = f"grant break-glass buyer seller-a --field income --reason fire -o {out} --as auditor"
    assert ward.ask(line, expect=1)["code"] == "ledger.missing_role"
    ward.grant_role("emergency", "auditor")
    ward.grant_role("regulator", "employer")
    assert ward.ask(line)["taken"]
    assert (out / "content-income").read_text() == CONTENT
    entry = ward.ask("grant log --as buyer")[-1]
    assert entry["emergency"]
    said = ward.ask(f"grant review {entry['emergency']} unjustified --as employer")
    assert said["events"][0]["body"]["verdict"] == "unjustified"


def test_a_vault_is_locked_by_a_passphrase(ward: Ward) -> None:
    before = ward.ask("vault list --as buyer")
    locked = ward.shell.run(*"vault lock --as buyer --json".split(), HANSA_PASSPHRASE="words")
    assert locked.exit == 0, locked
    assert ward.shell.run(*"vault list --as buyer --json".split()).exit == 2
    opened = ward.shell.run(*"vault list --as buyer --json".split(), HANSA_VAULT_PASSPHRASE="words")
    assert opened.json == before
    plain = ward.shell.run(
        *"vault lock --plain --as buyer --json".split(), HANSA_VAULT_PASSPHRASE="words"
    )
    assert plain.exit == 0
    assert ward.ask("vault list --as buyer") == before
