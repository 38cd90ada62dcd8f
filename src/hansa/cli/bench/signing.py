"""Keys of a league under measurement, and what one signature check costs. Reads its key ring."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from hansa.cli.bench.workload import BUREAU, SELLERS, name_seller
from hansa.cli.place import KEYS
from hansa.client.keys import KeyRing, Signer, open_key_file
from hansa.crypto.signatures import PublicKey, verify_signature
from hansa.ledger.transactions import decode_transaction

VERIFY_ROUNDS: Final = 9
VERIFY_COUNT: Final = 200


def read_signers(league: Path) -> list[Signer]:
    """The bureau and the sellers."""
    ring = KeyRing(league / KEYS)
    names = [BUREAU, *(name_seller(number) for number in range(SELLERS))]
    return [open_key_file(ring.read(name), None) for name in names]


def measure_check(transactions: Sequence[bytes], keys: Mapping[str, PublicKey]) -> float:
    """Seconds of one signature check of such transactions on one core: the best of some rounds."""
    decoded = [decode_transaction(each) for each in transactions[:VERIFY_COUNT]]
    inputs = []
    for each in decoded:
        signature = each.signatures[0]
        inputs.append((signature.header.kid, signature.signing_input, signature.signature))
    rounds = []
    for _ in range(VERIFY_ROUNDS):
        begin = time.perf_counter()
        for kid, signing_input, raw in inputs:
            verify_signature(keys[kid], signing_input, raw)
        rounds.append((time.perf_counter() - begin) / len(inputs))
    return min(rounds)
