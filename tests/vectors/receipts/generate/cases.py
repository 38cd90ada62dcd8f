"""What a case of the vectors is."""

from typing import Any, NamedTuple

import msgspec

from hansa.client.checkpoints import CheckpointFile
from hansa.client.receipts import ProofFile, ReceiptFile
from hansa.testing.chain import START_MS

DAY_MS = 86_400_000
NOW_MS = START_MS + 30 * DAY_MS
AnyFile = ReceiptFile | ProofFile | CheckpointFile


class Case(NamedTuple):
    """A file (or its bytes), what is pinned, and when it is judged."""

    name: str
    file: AnyFile | bytes
    roots: tuple[bytes, ...]
    now_ms: int = NOW_MS


def replace_proof(file: ProofFile, **changes: Any) -> ProofFile:
    """The file with parts of its proof exchanged."""
    return msgspec.structs.replace(file, proof=msgspec.structs.replace(file.proof, **changes))
