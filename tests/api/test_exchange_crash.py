"""A gateway killed at each point between asking and handing out: nothing leaves unrecorded."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.contracts.consents.model import Access, AccessLog, compute_head
from hansa.ledger.state import get_record, scan_records
from hansa.vault.exchange import HandOver, unpack
from tests.api.clinic import CONTENTS, KEY_OF_TEST, ServedClinic, serve_clinic
from tests.api.dying_clinic import KILLED, POINTS
from tests.contracts.clinic import BANK, NAME, PAT

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
# From here on the block is on disk; just before, it may be.
RECORDED = POINTS[POINTS.index("before_look") :]
NEVER = POINTS[: POINTS.index("after_submit")]


def fetch(clinic: ServedClinic, access: Access) -> dict[str, bytes]:
    """What the taker gets when it asks again for an access that was recorded."""
    with clinic.client(BANK) as client:
        answer = client.get(f"/v1/exchange/{PAT.did}/{access.number}")
    assert answer.status_code == 200, answer.text
    hand_over = HandOver(
        chain=clinic.node.chain,
        subject=access.subject,
        number=access.number,
        contents=tuple((each.field, each.commitment) for each in access.handed),
        alg=access.seal_alg,
        key=access.seal_key,
    )
    return unpack(answer.content, KEY_OF_TEST, hand_over)


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a grant that nobody took up yet, and its id; to be copied."""
    folder = tmp_path_factory.mktemp("seed")
    with serve_clinic(folder) as clinic:
        return folder, clinic.give(uses_max=1)


@pytest.mark.parametrize("point", POINTS)
def test_no_content_left_without_its_access_on_the_ledger(
    point: str, seed: tuple[Path, str], tmp_path: Path
) -> None:
    grant = seed[1]
    shutil.copytree(seed[0], tmp_path, dirs_exist_ok=True)
    command = [sys.executable, "-m", "tests.api.dying_clinic", str(tmp_path), grant, point]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, timeout=120, check=False
    )
    assert done.returncode == KILLED, done.stderr.decode()[-2000:]

    with serve_clinic(tmp_path) as clinic:
        accesses = scan_records(clinic.node.state, "consents", Access, limit=10)
        was_taken = (tmp_path / "taken").exists()
        assert was_taken == (point == "taken")
        assert not was_taken or accesses
        assert len(accesses) == clinic.get_grant(grant).used
        if point in RECORDED:
            assert len(accesses) == 1
        if point in NEVER:
            assert accesses == []
        # What was recorded can be had, and is not counted again; what was not, is as it was.
        if not accesses:
            clinic.read(grant, seal_key=clinic.encode_key(KEY_OF_TEST), seal_alg=KEY_OF_TEST.alg)
            accesses = scan_records(clinic.node.state, "consents", Access, limit=10)
        assert fetch(clinic, accesses[0]) == {NAME: CONTENTS[NAME]}
        log = get_record(clinic.node.state, "consents", AccessLog, PAT.did)
        assert log is not None
        assert (log.accesses, log.head) == (1, compute_head("", accesses[0]))
