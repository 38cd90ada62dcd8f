"""A disk that fills up and is emptied: the node stops by name, says disk, and nothing is lost."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from hansa.client.faults import ClientError
from hansa.client.gateway import Gateway
from tests.cli.processes import Done
from tests.soak.served import Sellers, read_line

pytestmark = pytest.mark.slow

SENT = 40


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What makes the disk full for a process."""
    compiler = shutil.which("cc")
    assert compiler, "this test needs a C compiler: install one (cc, for example gcc)"
    library = tmp_path_factory.mktemp("shim") / "full.so"
    source = Path(__file__).with_name("full.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the shim does not compile:\n{done.stderr}"
    return library


@pytest.fixture
def sellers(tmp_path: Path, shim: Path) -> Sellers:
    """A league on a disk that is full while `flag` is there."""
    made = Sellers(tmp_path)
    made.shell.environment |= {
        "LD_PRELOAD": str(shim),
        "FULL_ROOT": str(made.league),
        "FULL_FLAG": str(tmp_path / "flag"),
    }
    return made


def say_disk(done: Done) -> bool:
    said = (done.out + done.err).lower()
    return "no space left" in said or "disk" in said


def send_until_refused(gateway: Gateway, sellers: Sellers) -> int:
    """Sends to a node whose disk is full until it answers no more; how many it took."""
    taken = 0
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            gateway.submit(sellers.work.issue(1, 1)[0])
            taken += 1
        except ClientError:
            return taken
    raise AssertionError("the node goes on without a disk")


def test_a_disk_that_fills_up_stops_the_node_by_name_and_loses_nothing(
    sellers: Sellers, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    process = sellers.shell.begin("start", sellers.league, "--port", "0", "--json")
    assert process.stdout is not None
    with Gateway(read_line(process.stdout.readline()), timeout_s=5) as gateway:
        opened = gateway.submit(sellers.work.open())
        assert gateway.wait(opened, 60).state == "committed"
        sent = [gateway.submit(each) for each in sellers.work.issue(SENT, 1)]
        assert {gateway.wait(each, 60).state for each in sent} == {"committed"}
        flag.touch()
        send_until_refused(gateway, sellers)
    out, err = process.communicate(timeout=60)
    stopped = Done(process.returncode, out, err)
    assert stopped.exit == 2, stopped
    assert "the league has stopped" in stopped.err and say_disk(stopped), stopped

    while_full = sellers.shell.run("start", sellers.league, "--port", "0")
    assert while_full.exit == 2 and say_disk(while_full), while_full
    doctor = sellers.shell.run("doctor", sellers.league, "--json")
    assert doctor.exit != 0
    found = {each["name"]: each["ok"] for each in doctor.json}
    assert not found["disk"], doctor

    flag.unlink()
    with sellers.started() as url, Gateway(url) as gateway:
        assert {gateway.status(each).state for each in [opened, *sent]} == {"committed"}
        later = [gateway.submit(each) for each in sellers.work.issue(SENT, 1)]
        assert {gateway.wait(each, 60).state for each in later} == {"committed"}
    assert sellers.shell.run("doctor", sellers.league, "--json").exit == 0
