"""`hansa init --engine comet`: a network whole or not at all, each node another member's."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from hansa.cli.founding import Shape, build_league, read_operators
from hansa.cli.league import find_draft, make_league
from hansa.cli.network import list_nodes
from hansa.cli.portrait import describe_league
from hansa.cli.template import (
    BAY,
    Operator,
    TemplateError,
    choose_operators,
    grow_plan,
)
from hansa.client.faults import ClientError
from hansa.comet.files import compute_node_id
from hansa.ledger.genesis import decode_genesis
from hansa.node.home import open_home
from tests.cli.processes import Shell


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a league is to be; this user's own things are elsewhere."""
    monkeypatch.setenv("HANSA_HOME", str(tmp_path / "home"))
    return tmp_path / "bay"


def test_network_is_made_with_a_home_of_its_own_for_each_member(shell: Shell) -> None:
    made = shell.ask("init", "bay", "--engine", "comet", "--validators", "4", "--observers", "1")
    bay = shell.folder / "bay"
    nodes = made["nodes"]
    assert [each["number"] for each in nodes] == [1, 2, 3, 4, 5]
    assert [each["kind"] for each in nodes] == ["validator"] * 4 + ["observer"]
    assert len({each["member"] for each in nodes}) == 5
    assert nodes[4]["member"] == "auditor"
    assert [each["api_port"] for each in nodes] == [8481, 8482, 8483, 8484, 8485]
    assert [each["p2p_port"] for each in nodes] == [26601, 26602, 26603, 26604, 26605]
    genesis = decode_genesis((bay / "genesis.json").read_bytes())
    dids = {each["name"]: each["did"] for each in made["members"]}
    validators = {each.member: each.key.public for each in genesis.validators}
    assert list(validators) == [dids[each["member"]] for each in nodes[:4]]
    part = {each["id"]: each for each in genesis.contracts["validators"]["nodes"]}
    for node in nodes:
        home = open_home(bay / "nodes" / str(node["number"]))
        assert home.genesis == genesis
        assert home.settings.engine.kind == "comet"
        identity = compute_node_id(home.node_key().public.raw)
        assert part[identity] == {
            "id": identity, "kind": node["kind"], "member": dids[node["member"]],
        }  # fmt: skip
        is_voting = home.validator_key().public.public in validators.values()
        assert is_voting == (node["kind"] == "validator")
        for path in (home.folder / "keys").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    (pinned,) = shell.ask("trust", "list")
    assert (pinned["kind"], pinned["chain"]) == ("genesis", made["chain"])
    assert not (bay / "data").exists()
    assert [path.name for path in shell.folder.iterdir()] == ["bay"]
    again = shell.ask("init", "bay", "--engine", "comet", "--validators", "4", "--observers", "1")
    assert again == made | {"new": False}
    assert shell.ask("init", "bay") == again


def test_any_ports_are_found_at_each_start(folder: Path) -> None:
    make_league(folder, BAY, None, Shape(1, 1, "any"))
    settings = [open_home(node.folder).settings for node in list_nodes(folder)]
    assert [(each.api.port, each.p2p.port) for each in settings] == [(0, 0), (0, 0)]
    assert all(each.api.host == each.p2p.host == "127.0.0.1" for each in settings)


def test_a_league_of_another_shape_is_not_taken_for_the_one_asked_for(shell: Shell) -> None:
    shell.ask("init", "one")
    shell.ask("init", "two", "--engine", "comet", "--validators", "1", "--observers", "1")
    for arguments, said in (
        (("one", "--engine", "comet"), "one embedded node"),
        (("two", "--engine", "embedded"), "several nodes"),
        (("two", "--engine", "comet", "--validators", "4"), "2 nodes"),
    ):
        done = shell.run("init", *arguments)
        assert done.exit == 2, arguments
        assert said in done.err
    assert len(list_nodes(shell.folder / "two")) == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--engine", "comet", "--validators", "0"),
        ("--engine", "comet", "--validators", "101"),
        ("--engine", "comet", "--validators", "-4"),
        ("--engine", "comet", "--validators", "four"),
        ("--engine", "comet", "--observers", "-1"),
        ("--engine", "comet", "--ports", "8480"),
        ("--engine", "tendermint"),
        ("--validators", "4"),
        ("--observers", "1"),
        ("--ports", "any"),
        ("--engine", "embedded", "--validators", "1"),
    ],
)
def test_impossible_networks_are_refused_and_leave_nothing(
    shell: Shell, options: tuple[str, ...]
) -> None:
    done = shell.run("init", "bay", *options)
    assert done.exit == 2
    assert done.err
    assert list(shell.folder.iterdir()) == []


def test_more_nodes_than_members_are_refused_unless_the_members_are_ours(shell: Shell) -> None:
    plan = json.loads(shell.run("init", "--show-members").out)
    plan["members"] = plan["members"][:3]
    (shell.folder / "members.json").write_text(json.dumps(plan), encoding="utf-8")
    done = shell.run("init", "bay", "--engine", "comet", "--members", "members.json")
    assert done.exit == 2
    assert "4 nodes need as many members, and there are 3" in done.err
    assert [path.name for path in shell.folder.iterdir()] == ["members.json"]
    options = ("--engine", "comet", "--validators", "7", "--observers", "2")
    made = shell.ask("init", "bay", *options)
    assert len(made["nodes"]) == len({each["member"] for each in made["nodes"]}) == 9


def test_few_validators_are_made_with_a_warning(shell: Shell) -> None:
    done = shell.run("init", "bay", "--engine", "comet", "--validators", "3")
    assert done.exit == 0
    assert "halts when any one stops" in done.err


def test_operators_are_first_members_then_last_ones() -> None:
    assert choose_operators(BAY, 1, 1) == (
        Operator(1, "tax-bureau", "validator"),
        Operator(2, "auditor", "observer"),
    )
    assert choose_operators(BAY, 6, 0)[-1] == Operator(6, "auditor", "validator")
    with pytest.raises(TemplateError):
        choose_operators(BAY, 6, 1)
    names = [member.name for member in grow_plan(BAY, 120).members]
    assert len(set(names)) == 120
    assert grow_plan(BAY, 3) == BAY


def test_crash_at_the_end_of_making_loses_no_key_and_the_next_run_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power goes when all is made and only the name is missing."""
    real = Path.rename

    def cut(self: Path, target: Path) -> Path:
        if target == folder:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", cut)
    with pytest.raises(KeyboardInterrupt):
        make_league(folder, BAY, None, Shape(2))
    assert not folder.exists()
    drawn = (find_draft(folder) / "draft.json").read_bytes()
    monkeypatch.undo()
    monkeypatch.setenv("HANSA_HOME", str(folder.parent / "home"))
    make_league(folder, BAY, None, Shape(2))
    assert (folder / "genesis.json").read_bytes() == drawn
    described = describe_league(folder)
    assert len(described["members"]) == 6
    assert all(each["title"] for each in described["members"])  # their keys are those it names
    assert sorted(path.name for path in folder.parent.iterdir()) == ["bay", "home"]


def test_draft_of_another_shape_is_not_gone_on_with(folder: Path) -> None:
    draft = find_draft(folder)
    make_league(folder, BAY, None, Shape(2))
    drawn = folder.parent / "drawn"
    real = shutil.rmtree
    real(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "hansa.cli.league.build_league",
            lambda *_: (_ for _ in ()).throw(ClientError("cut off", "again")),
        )
        with pytest.raises(ClientError):
            make_league(folder, BAY, None, Shape(2))
    assert len(read_operators(draft)) == 2
    shutil.copytree(draft, drawn)
    make_league(folder, BAY, None, Shape(3))
    assert len(list_nodes(folder)) == 3
    assert not draft.exists()


def test_nothing_of_others_is_replaced(folder: Path) -> None:
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(ClientError, match="is not empty"):
        make_league(folder, BAY, None, Shape(2))
    with pytest.raises(ClientError, match="is not empty"):
        build_league(folder, find_draft(folder), None, Shape(2), "tax-bureau")
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
