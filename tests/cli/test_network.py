"""A league of four validators as its operator has it: commands on any node, faults, the end."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hansa.cli.checkup import look_at_surroundings
from tests.cli.processes import EXAMPLES, Shell
from tests.cli.test_supervisor import await_true, lives, supervised
from tests.cli.trade import Trade

pytestmark = pytest.mark.slow

WITHIN_S = 120


class Net(NamedTuple):
    """A league that runs: a shell in its folder, its trade, its supervisor."""

    shell: Shell
    trade: Trade
    ready: dict[str, Any]

    def survey(self, *, expect: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.shell.ask("status", expect=expect)
        return found

    def await_survey(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What `hansa status` says as soon as it holds, with whatever exit code."""
        deadline = time.monotonic() + WITHIN_S
        while True:
            found: dict[str, Any] = self.shell.run("status", "--json").json
            if found["quorum"] is not None and holds(found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.3)

    def await_all(self) -> dict[str, Any]:
        """All four follow, and know each other."""
        return self.await_survey(
            lambda found: all(
                each["state"] == "ok" and each["peers"] == 3 and each["lag"] <= 1
                for each in found["nodes"]
            )
        )

    def pid(self, number: int) -> int:
        """Process of a node."""
        return int(self.survey_node(number)["pid"])

    def survey_node(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = next(
            each for each in self.shell.run("status", "--json").json["nodes"]
            if each["number"] == number
        )  # fmt: skip
        return found


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    base = tmp_path_factory.mktemp("net")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay", "--engine", "comet", "--validators", "4", "--ports", "any")
    with supervised(outside, base / "bay") as (_process, ready):
        assert [each["state"] for each in ready["nodes"]] == ["ready"] * 4, ready
        inside = Shell(base / "home", base / "bay")
        trade = Trade(inside)
        found = Net(inside, trade, ready)
        found.await_all()
        trade.open()
        yield found


def test_table_has_every_node_its_member_and_its_address(net: Net) -> None:
    assert [each["member"] for each in net.ready["nodes"]] == [
        "tax-bureau", "seller-a", "seller-b", "buyer",
    ]  # fmt: skip
    assert len({each["url"] for each in net.ready["nodes"]}) == 4
    assert len({each["p2p"] for each in net.ready["nodes"]}) == 4
    found = net.await_all()
    assert [each["vote"] for each in found["nodes"]] == ["active"] * 4
    assert [each["power"] for each in found["nodes"]] == [10] * 4
    assert found["quorum"] == {"total": 40, "needed": 27, "connected": 40, "missing": []}
    assert found["evidence"] == []
    text = net.shell.run("status").out
    assert "power 40 of 40" in text and "CometBFT v0.39.4" in text and "too young" in text


def test_every_command_works_on_every_node(net: Net) -> None:
    shell = net.shell
    line = net.trade.issue("--node", "2")
    for number in range(1, 5):
        shown = shell.ask("tx", "wait", line["transaction"], "--node", str(number))
        assert shown["state"] == "committed"
        show = ("e-invoice", "show", "invoice", line["invoice"], "--as", "seller-a")
        assert shell.run(*show, HANSA_NODE=str(number)).exit == 0
        file = f"r{number}.json"
        get = ("receipt", line["transaction"], "-o", file, "--as", "seller-a")
        shell.ask(*get, "--node", str(number))
        assert shell.ask("verify", file)[0]["outcome"] == "yes"
        status = shell.ask("status", "--node", str(number))
        assert status["network"]["engine"]["version"] == "v0.39.4"
        assert len(status["network"]["peers"]) == 3
    url = net.ready["nodes"][3]["url"]
    assert shell.ask("status", "--node", url)["url"] == url
    assert shell.run("status", "--node", "9").exit == 2
    assert "signed" in shell.run("status", "--node", "3").out


def test_governance_works_through_any_node(net: Net) -> None:
    body = {"member": net.trade.dids["seller-a"], "units": 50_000_000}
    actions = [{"application": "quotas", "type": "SetAllowance", "body": body}]
    command = ("governance", "propose", "--topic", "quotas", "--actions", json.dumps(actions))
    sent = net.shell.ask(*command, "--node", "4")
    number = next(e["body"]["proposal"] for e in sent["events"] if e["type"] == "ProposalOpened")
    for node, name in enumerate(("seller-a", "seller-b", "buyer"), start=1):
        vote = ("governance", "vote", "--proposal", str(number), "--choice", "yes", "--as", name)
        voted = net.shell.ask(*vote, "--node", str(node))
    closed = next(e["body"] for e in voted["events"] if e["type"] == "ProposalClosed")
    assert closed["state"] == "EXECUTED"


def test_doctor_of_a_league_that_runs_finds_nothing(net: Net) -> None:
    net.await_all()
    findings = net.shell.run("doctor", ".", "--json").json
    wrong = [each for each in findings if not each["ok"] and not each["name"].endswith("disk")]
    assert wrong == []
    assert any(each["name"] == "quorum" and "40 of 40" in each["text"] for each in findings)


def test_doctor_of_a_node_by_itself_sees_the_quorum(net: Net) -> None:
    net.await_all()
    found = {each.name: each for each in look_at_surroundings(net.shell.folder / "nodes" / "2")}
    assert set(found) == {"quorum", "announced twice", "clocks"}
    assert all(each.ok for each in found.values()), found
    assert "40 of 40" in found["quorum"].text


def test_a_killed_node_begins_again_and_catches_up(net: Net) -> None:
    killed = net.pid(3)
    os.kill(killed, signal.SIGKILL)
    line = net.trade.issue("--node", "1")
    found = net.await_all()
    assert net.pid(3) != killed
    assert found["height"] > 0
    show = ("e-invoice", "show", "invoice", line["invoice"], "--as", "seller-a", "--node", "3")
    assert net.shell.run(*show).exit == 0


def test_a_node_that_hangs_is_named_and_the_league_goes_on(net: Net) -> None:
    pid = net.pid(2)
    os.kill(pid, signal.SIGSTOP)
    try:
        found = net.await_survey(lambda found: found["nodes"][1]["state"] == "no answer")
        assert found["quorum"]["missing"] == ["seller-a"]
        assert found["quorum"]["connected"] == 30
        assert net.shell.run("status").exit == 0
        net.trade.issue("--node", "4")
    finally:
        os.kill(pid, signal.SIGCONT)
    net.await_all()


def test_without_quorum_it_says_so_and_who_is_missing(net: Net) -> None:
    pids = [net.pid(2), net.pid(4)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        net.await_survey(lambda found: len(found["quorum"]["missing"]) == 2)
        done = net.shell.run("status")
        assert done.exit == 2
        assert "NO QUORUM" in done.out and "missing: buyer, seller-a" in done.out
        doctor = net.shell.run("doctor", ".", "--json")
        assert doctor.exit == 1
        quorum = next(each for each in doctor.json if each["name"] == "quorum")
        assert not quorum["ok"] and "27 needed" in quorum["text"]
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    net.await_all()
    net.trade.issue("--node", "2")


def list_processes(league: Path) -> list[int]:
    """Everything that has to do with a league's folder: nodes and engines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(league).encode() in words:
            found.append(int(path.parent.name))
    return [pid for pid in found if pid != os.getpid() and lives(pid)]


def test_nothing_is_left_of_a_league_whose_supervisor_is_killed(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home", tmp_path)
    shell.ask("init", "bay", "--engine", "comet", "--validators", "2", "--ports", "any")
    with supervised(shell, tmp_path / "bay") as (process, ready):
        assert len(list_processes(tmp_path / "bay")) == 5  # two nodes, two engines, this one
        process.kill()
        await_true(lambda: not list_processes(tmp_path / "bay"))
    assert len(ready["nodes"]) == 2


def test_network_demo_goes_as_told(shell: Shell) -> None:
    process = shell.begin("demo", "--network", "--once", "--examples", EXAMPLES, "--json")
    out, err = process.communicate(timeout=570)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert all(each["ok"] for each in json.loads(out)["expectations"])
    folder = shell.folder / "demo-network"
    assert shell.ask("verify", folder / "receipt-2.json")[0]["outcome"] == "yes"
    assert list_processes(folder) == []
