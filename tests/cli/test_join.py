"""hansa invite, join and leave: each run says where it stands; wrong files, keys and places.

The league runs in one process: the votes are the same, and what follows a start is
tests/network/test_joining.py.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.client.invites import INVITE_BYTES_MAX, Invite, encode_invite
from hansa.comet.sign_state import read_sign_state
from hansa.node.home import ENGINE, KEYS, NODE, VALIDATOR, open_home
from tests.cli.processes import Shell

pytestmark = pytest.mark.slow

DEAD = "http://127.0.0.1:9"


class Site:
    """A running league `bay`, and a shell outside it."""

    def __init__(self, shell: Shell, url: str) -> None:
        self.shell, self.url = shell, url
        self.genesis = (shell.folder / "bay" / "genesis.json").read_bytes()
        self.count = 0

    def invite(self, *gateways: str, genesis: bytes = b"") -> Path:
        """An invitation as a league of several nodes writes it."""
        invite = Invite(
            gateways=gateways or (DEAD, self.url), genesis=msgspec.Raw(genesis or self.genesis)
        )
        return self.write(encode_invite(invite))

    def write(self, data: bytes) -> Path:
        self.count += 1
        path = self.shell.folder / f"invite-{self.count}.json"
        path.write_bytes(data)
        return path

    def key(self, name: str) -> Path:
        return self.shell.folder / "bay" / "keys" / f"{name}.key.json"

    def join(self, invite: Path, folder: str, *options: str | Path, expect: int = 2) -> Any:
        return self.shell.ask("join", invite, folder, *options, expect=expect)

    def refuse(self, invite: Path, folder: str, *options: str | Path) -> str:
        """What a join that cannot be is told; code and words."""
        done = self.shell.run("join", invite, folder, *options, "--json")
        assert done.exit == 2, done
        fault = done.json["error"]
        assert fault["remedy"] or fault["code"] == "cli.usage", fault
        return f"{fault['code']}: {fault['text']} / {fault['remedy']}"

    def vote(self, proposal: int) -> None:
        for name in ("tax-bureau", "seller-a", "seller-b", "buyer"):
            self.shell.run(
                "governance", "vote", "--proposal", str(proposal), "--choice", "yes",
                "--as", name, "--league", "bay",
            )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("join")
    shell = Shell(folder / "home", folder)
    shell.ask("init", "bay")
    with shell.started(folder / "bay") as url:
        yield Site(shell, url)


@pytest.fixture
def stranger(site: Site, tmp_path: Path) -> Iterator[Shell]:
    """Another user, who has pinned nothing."""
    before = dict(site.shell.environment)
    site.shell.environment |= {"HOME": str(tmp_path), "HANSA_HOME": str(tmp_path)}
    yield site.shell
    site.shell.environment = before


@pytest.mark.slow
def test_each_run_does_the_next_step_and_nothing_twice(site: Site) -> None:
    employer = site.key("employer")
    cut_off = site.refuse(site.invite(DEAD), "own", "--as", employer)  # made, and nobody to ask
    assert "no answer: " + DEAD in cut_off and "hansa invite" in cut_off
    key = (site.shell.folder / "own" / KEYS / VALIDATOR).read_bytes()
    asked = site.join(site.invite(), "own", "--as", employer)
    assert asked["stage"] == "vote" and asked["proposal"]
    again = site.join(site.invite(), "own", "--as", employer, "--wait", "1")
    assert again == asked, "one question, however often it is run"
    assert (site.shell.folder / "own" / KEYS / VALIDATOR).read_bytes() == key
    site.vote(asked["proposal"])
    admitted = site.join(site.invite(), "own")  # nobody signs any more
    assert admitted["stage"] == "start" and "hansa start" in admitted["next"]
    settings = open_home(site.shell.folder / "own").settings
    assert set(settings.p2p.gateways) == {DEAD, site.url}, "a new invitation's are asked too"
    with_vote = site.refuse(site.invite(), "second", "--as", employer)
    assert "already" in with_vote and "--observer" in with_vote
    foreign = site.shell.run("leave", "own", "--as", site.key("buyer"))
    assert foreign.exit == 2 and "accounts." in foreign.err, foreign
    assert site.shell.ask("leave", "own", "--as", employer)["taken_back"] == ["vote", "node"]
    assert site.shell.ask("leave", "own", "--as", employer)["taken_back"] == []
    used = site.refuse(site.invite(), "own", "--as", employer)
    assert "voted before" in used and "new folder" in used


@pytest.mark.slow
def test_an_observer_does_not_become_a_validator_by_a_forgotten_option(site: Site) -> None:
    auditor = site.key("auditor")
    asked = site.join(site.invite(), "watch", "--as", auditor, "--observer")
    site.vote(asked["proposal"])
    assert site.join(site.invite(), "watch", "--as", auditor, "--observer")["stage"] == "start"
    assert "admitted as an observer" in site.refuse(site.invite(), "watch", "--as", auditor)


def test_a_member_to_be_gives_a_request_that_a_member_proposes(site: Site) -> None:
    site.shell.run("keys", "new", "harbour")
    options = ("--as", "harbour", "--admit", "Harbour Office", "--jurisdiction", "HK")
    said = site.join(site.invite(), "port", *options)
    assert said["stage"] == "wanted" and said["proposal"] is None
    line = re.search(r"hansa (governance propose .*); then", said["next"])
    assert line is not None
    done = site.shell.run(*line[1].split(), "--as", "seller-a", "--league", "bay", "--json")
    assert done.exit == 0, done
    types = [
        each["type"] for each in json.loads((site.shell.folder / "port/request.json").read_bytes())
    ]
    assert types[-2:] == ["AdmitNode", "ApproveValidator"] and len(types) > 2
    assert site.join(site.invite(), "port", *options) == said


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\x00\xff", b"[" * 50_000, b" " * (INVITE_BYTES_MAX + 1)],
    ids=["empty", "no fields", "no text", "nested", "huge"],
)
def test_a_file_that_is_no_invitation_makes_nothing(
    site: Site, stranger: Shell, data: bytes
) -> None:
    refused = site.refuse(site.write(data), "nothing")
    assert refused.startswith(("client.invite", "client.file"))
    assert not (stranger.folder / "nothing").exists()
    assert stranger.ask("trust", "list") in ([], {"roots": []}), "nothing is pinned"


def test_a_genesis_other_than_the_one_told_is_refused(site: Site, stranger: Shell) -> None:
    refused = site.refuse(site.invite(), "nothing", "--genesis", "0" * 64)
    assert "another league" in refused
    assert "64 hex digits" in site.refuse(site.invite(), "nothing", "--genesis", "abc")
    assert not (stranger.folder / "nothing").exists()
    assert stranger.ask("trust", "list") in ([], {"roots": []})


def test_another_league_is_never_joined_by_mistake(site: Site, stranger: Shell) -> None:
    """Another genesis: pinned, behind the gateway, in the folder."""
    stranger.ask("init", "elsewhere", "--chain", "else-1")
    other = (stranger.folder / "elsewhere" / "genesis.json").read_bytes()
    same_name = other.replace(b'"else-1"', b'"' + json.loads(site.genesis)["chain"].encode() + b'"')
    stranger.run("trust", "add", "bay/genesis.json")
    pinned = site.refuse(site.invite(genesis=same_name), "nothing")
    assert pinned.startswith("client.trust")
    behind = site.refuse(site.invite(genesis=other), "strayed", "--as", site.key("employer"))
    assert "of another league: " + site.url in behind and "no answer: " + DEAD in behind
    inside = site.refuse(site.invite(), "strayed", "--as", site.key("employer"))
    assert "belongs to another league (else-1" in inside
    assert "no node's home" in site.refuse(site.invite(), "bay", "--as", site.key("employer"))
    (stranger.folder / "full").mkdir()
    (stranger.folder / "full" / "letter.txt").write_text("mine")
    assert "not empty" in site.refuse(site.invite(), "full", "--as", site.key("employer"))


def test_who_is_no_member_is_told_how_to_become_one(site: Site) -> None:
    site.shell.run("keys", "new", "nobody")
    assert "--admit" in site.refuse(site.invite(), "alone", "--as", "nobody")
    assert "no key is named" in site.refuse(site.invite(), "alone", "--as", "nowhere")


def test_ports_are_taken_when_they_are_given_and_kept_when_not(site: Site) -> None:
    auditor = ("--as", site.key("auditor"), "--observer")
    site.join(site.invite(), "ported", *auditor, "--port", "26701")
    site.join(site.invite(), "ported", *auditor, "--api-port", "8701", "--host", "127.0.0.2")
    settings = open_home(site.shell.folder / "ported").settings
    assert (settings.p2p.host, settings.p2p.port, settings.api.port) == ("127.0.0.2", 26701, 8701)
    assert "range" in site.refuse(site.invite(), "ported", *auditor, "--port", "70000")


@pytest.mark.slow
def test_a_node_that_begins_anew_keeps_its_keys_and_never_votes_twice(site: Site) -> None:
    folder = site.shell.folder / "anew"
    auditor = ("--as", site.key("auditor"), "--observer")
    site.join(site.invite(), "anew", *auditor)
    keys = [(folder / KEYS / name).read_bytes() for name in (NODE, VALIDATOR)]
    (folder / "data" / "CURRENT").write_bytes(b"spoilt")
    site.join(site.invite(), "anew", *auditor, "--anew")
    assert [(folder / KEYS / name).read_bytes() for name in (NODE, VALIDATOR)] == keys
    height = read_sign_state(folder / ENGINE)[0]
    assert height > 1, "what it signed is not known: silent until the league is beyond"
    site.join(site.invite(), "anew", *auditor, "--anew")
    assert read_sign_state(folder / ENGINE)[0] == height, "kept, once it is there"


def test_a_league_in_one_process_invites_nobody_and_nobody_leaves_it(site: Site) -> None:
    left = site.shell.run("leave", "bay", "--as", "tax-bureau")
    assert left.exit == 2 and "no node's home" in left.err and "nodes/2" in left.err
    done = site.shell.run("invite", "--league", "bay", "-o", "never.json")
    assert done.exit == 2 and "--engine comet" in done.err
    assert not (site.shell.folder / "never.json").exists()
