"""`hansa evidence` and `hansa mandate` as people run them, on one league."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from hansa.client.evidence_files import read_evidence, store_evidence
from hansa.client.receipts import NOTHING
from hansa.client.timestamps import read_nonce
from tests.cli.processes import Shell
from tests.client.tsa import Authority

pytestmark = pytest.mark.slow
TSA = Authority()


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A running league; the shell stands in its folder, with three deeds in it."""
    base = tmp_path_factory.mktemp("evidence")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay")
    with outside.started(base / "bay"):
        inside = Shell(base / "home", base / "bay")
        for number in range(3):
            (inside.folder / f"deed-{number}.txt").write_text(f"deed {number}")
        yield inside


def verify(shell: Shell, file: str, *options: str, expect: int = 0) -> dict[str, bool | None]:
    """The steps of a verdict, offline: an address where nothing answers."""
    document = shell.ask(
        "evidence", "verify", file, "--trust", "genesis.json", *options, expect=expect
    )
    return {step["name"]: step["ok"] for step in document["steps"]}


def test_files_are_put_on_record_in_bulk_and_proved_one_by_one(
    league: Shell, tmp_path: Path
) -> None:
    deeds = [f"deed-{number}.txt" for number in range(3)]
    added = league.ask("evidence", "add", *deeds, "-o", "all.json", "--each", "p", "--as", "buyer")
    assert (added["form"], added["items"], added["recorded"], added["written"]) == (
        "root",
        3,
        True,
        3,
    )
    assert added["items_per_s"] > 0
    assert (league.folder / "all.json").stat().st_mode & 0o077 == 0
    for deed in deeds:
        steps = verify(league, f"p/{deed}.evidence.json", "--document", deed)
        assert set(steps.values()) == {True}
        verify(league, "all.json", "--document", deed)
    assert league.run("verify", "all.json", "p/deed-0.txt.evidence.json").exit == 0
    (league.folder / "torn.json").write_bytes((league.folder / "all.json").read_bytes()[:-9])
    assert league.run("verify", "torn.json").exit == 1
    (league.folder / "other.txt").write_text("other")
    steps = verify(league, "all.json", "--document", "other.txt", expect=1)
    assert steps["document other.txt"] is False
    stranger = league.run("evidence", "verify", "all.json", HANSA_HOME=str(tmp_path))
    assert stranger.exit == 2
    league.ask("evidence", "split", "all.json", "q", "deed-1.txt")
    assert [each.name for each in (league.folder / "q").iterdir()] == ["deed-1.txt.evidence.json"]
    assert league.run("evidence", "split", "all.json", "q", "none.txt").exit == 2
    again = league.run("evidence", "add", *deeds, "-o", "all.json", "--as", "buyer")
    assert (again.exit, "is there" in again.err) == (2, True)


def test_what_was_begun_is_finished_and_that_is_safe_to_repeat(league: Shell) -> None:
    league.ask("evidence", "add", "deed-0.txt", "-o", "one.json", "--as", "buyer")
    path = league.folder / "one.json"
    whole = read_evidence(path)
    for transaction in (whole.transaction, ""):
        torn = type(whole)(
            **{
                name: getattr(whole, name)
                for name in whole.__struct_fields__
                if name not in ("receipt", "transaction")
            },
            receipt=NOTHING,
            transaction=transaction,
        )
        store_evidence(path, torn)
        assert verify(league, "one.json", expect=2)["receipt"] is None
        other = league.run("evidence", "finish", "one.json", "--as", "employer")
        assert other.exit == 2
        done = league.run("evidence", "finish", "one.json", "--as", "buyer")
        if transaction:
            assert done.exit == 0
            assert league.run("evidence", "finish", "one.json", "--as", "buyer").exit == 0
            assert set(verify(league, "one.json", "--document", "deed-0.txt").values()) == {True}
        else:
            assert (done.exit, "already_there" in done.out) == (1, True)


def test_a_public_document_has_a_plain_digest_and_a_name(league: Shell) -> None:
    added = league.ask(
        *("evidence", "add", "deed-2.txt", "--public", "--name", "law-2", "--as", "buyer")
    )
    assert (added["form"], added["id"], added["file"]) == (
        "digest",
        "law-2",
        "deed-2.txt.evidence.json",
    )
    verify(league, added["file"], "--document", "deed-2.txt")
    owner = added["owner"]
    shown = league.ask("evidence", "status", added["file"], "--keep", "--as", "buyer")
    assert (shown["signers"], shown["proofs"]) == ({owner: True}, 1)
    assert verify(league, added["file"])[f"signature of {owner}"] is True
    sign = ("--owner", owner, "--id", "law-2")
    league.ask("evidence", "sign-evidence", *sign, "--value", added["value"], "--as", "employer")
    league.ask("evidence", "revoke-evidence", *sign, "--reason", "repealed", "--as", "buyer")
    shown = league.ask("evidence", "status", added["file"], "--keep", "--as", "buyer", expect=1)
    assert verify(league, added["file"], expect=1)[f"signature of {owner}"] is False
    assert shown["signers"][owner] is False
    assert sorted(shown["signers"].values()) == [False, True]


def test_a_time_stamp_is_asked_for_checked_and_kept(league: Shell, tmp_path: Path) -> None:
    added = league.ask("evidence", "add", "deed-1.txt", "-o", "stamped.json", "--as", "buyer")
    league.ask("evidence", "stamp", "stamped.json", "--ask", "q.tsq")
    nonce = read_nonce((league.folder / "q.tsq").read_bytes())
    file = read_evidence(league.folder / "stamped.json")
    root = tmp_path / "root.pem"
    root.write_bytes(TSA.root.public_bytes(serialization.Encoding.PEM))
    token = tmp_path / "token.tsr"
    keep = ("evidence", "stamp", "stamped.json", "--token", token, "--asked", "q.tsq")
    for wrong, reason in (
        (TSA.stamp(file.value, nonce=1), "other_nonce"),
        (TSA.stamp(bytes(32), nonce=nonce), "other_digest"),
        (Authority().stamp(file.value, nonce=nonce), "untrusted"),
    ):
        token.write_bytes(wrong)
        assert league.ask(*keep, "--tsa", root, expect=1)["reason"] == reason
    token.write_bytes(TSA.stamp(file.value, nonce=nonce))
    for _ in range(2):
        assert league.ask(*keep, "--tsa", root)["stamped"]
    assert len(read_evidence(league.folder / "stamped.json").tokens) == 1
    assert verify(league, "stamped.json", expect=2)["time-stamp 1"] is None
    assert verify(league, "stamped.json", "--tsa", str(root))["time-stamp 1"] is True
    assert added["recorded"]


def test_a_mandate_is_given_checked_used_and_withdrawn(league: Shell) -> None:
    (league.folder / "deed.pdf").write_bytes(b"the deed")
    given = league.ask(
        *("mandate", "give", "employer", "--scope", "evidence:CreateEvidence", "--purpose", "law"),
        *("--currency", "CNY", "--per-act", "100", "--total", "150", "--until", "2126-01-01"),
        *("--deed", "deed.pdf", "--as", "buyer"),
    )
    mandate = given["events"][0]["body"]["mandate"]
    shown = league.ask("mandate", "show", "mandate", mandate, "--as", "employer")
    assert len(shown["document"]) == 43
    assert len(league.ask("vault", "list", "--as", "buyer")) == 1
    act = ("evidence.CreateEvidence", "--currency", "CNY", "--as", "employer")
    assert league.ask("mandate", "check", mandate, *act, "--amount", "100")["may_act"]
    refused = league.ask("mandate", "check", mandate, *act, "--amount", "101", expect=1)
    assert refused["code"] == "mandates.over_limit"
    late = league.ask("mandate", "check", mandate, *act, "--at", "2126-01-01T00:00Z", expect=1)
    assert late["code"] == "mandates.not_live"
    body = {"form": "digest", "value": "A" * 43}
    use = ("mandate", "use", mandate, *act, "--amount", "100", "--body", json.dumps(body))
    used = league.ask(*use)
    assert [each["code"] for each in used["messages"]] == ["ok", "ok"]
    spent = league.ask(*use, expect=1)
    assert [each["code"] for each in spent["messages"]] == [
        "mandates.over_limit",
        "ledger.other_message_rejected",
    ]
    assert league.run("mandate", "withdraw", mandate, "--as", "seller-a").exit == 1
    league.ask("mandate", "withdraw", mandate, "--as", "buyer")
    ended = league.ask("mandate", "check", mandate, *act, expect=1)
    assert ended["code"] == "mandates.not_live"
    assert league.run("mandate", "check", "nothing", *act).exit == 1
    assert league.run("mandate", "check", mandate, "evidence.Fly").exit == 2
    unclear = ("mandate", "give", "employer", "--scope", "evidence", "--purpose", "law")
    assert league.run(*unclear, "--total", "5").exit == 2
    assert league.run(*unclear, "--until", "soon").exit == 2
