"""A gateway and a taker in one process that dies at a given point: `FOLDER GRANT POINT`.

It leaves FOLDER/taken when the taker has the content. Run by test_exchange_crash.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hansa.api import exchange
from hansa.encoding.text import encode_base64url
from hansa.node.ledger_node import LedgerNode
from hansa.node.storage import Storage
from tests.api.clinic import KEY_OF_TEST, ServedClinic, serve_clinic
from tests.contracts.clinic import BANK, PAT, read

POINTS = (
    "before_submit",
    "after_submit",
    "before_write",
    "after_write",
    "before_look",
    "before_pack",
    "after_pack",
    "taken",
)
KILLED = 86


def die_at(point: str) -> Callable[[str], None]:
    """Ends the process, as a power cut does, when it comes to the point."""

    def reach(here: str) -> None:
        if here == point:
            os._exit(KILLED)

    return reach


def plant(owner: Any, name: str, reach: Callable[[str], None], before: str, after: str) -> None:
    """Have a function pass two points."""
    plain = getattr(owner, name)

    def passing(*arguments: Any, **named: Any) -> Any:
        reach(before)
        result = plain(*arguments, **named)
        reach(after)
        return result

    setattr(owner, name, passing)


def take(clinic: ServedClinic, grant: str, folder: Path, reach: Callable[[str], None]) -> None:
    """Record the access, fetch its content, note that it is there."""
    plant(LedgerNode, "submit", reach, "before_submit", "after_submit")
    plant(Storage, "commit_block", reach, "before_write", "after_write")
    plant(exchange, "find_access", reach, "before_look", "")
    plant(exchange, "pack", reach, "before_pack", "after_pack")
    key = {"seal_alg": KEY_OF_TEST.alg, "seal_key": encode_base64url(KEY_OF_TEST.public)}
    (event, *_) = clinic.commit(BANK, read(grant, **key))
    with clinic.client(BANK) as client:
        answer = client.get(f"/v1/exchange/{PAT.did}/{event['number']}")
    if answer.status_code == 200:
        (folder / "taken").write_bytes(answer.content)
    reach("taken")


def main() -> None:
    """Run to the point."""
    folder, grant, point = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    with serve_clinic(folder) as clinic:
        take(clinic, grant, folder, die_at(point))


if __name__ == "__main__":
    main()
