"""What is sent under faults: real invoices, and small transactions that may expire. Thread-safe."""

import threading
from pathlib import Path
from typing import Final

from hansa.apps.e_invoice.model.messages import GrantQuota
from hansa.cli.bench.workload import (
    APPLICATION,
    BUREAU,
    SCHEME,
    Workload,
    compute_tax_number,
    name_seller,
)
from hansa.client.keys import KeyRing, Signer, open_key_file
from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.ledger.model import Message

SELLERS: Final = 3


class Trade:
    """Signs with the keys of a league's members."""

    def __init__(self, chain: str, keys: Path) -> None:
        ring = KeyRing(keys)
        self.chain = chain
        self.signers = {name: open_key_file(ring.read(name), None) for name in ring.names()}
        self.sellers = [self.signers[name_seller(number)] for number in range(SELLERS)]
        self._workload = Workload(chain, self.bureau, self.sellers)
        self._lock = threading.Lock()

    @property
    def bureau(self) -> Signer:
        return self.signers[BUREAU]

    def open(self) -> bytes:
        """Registers the sellers and lets them issue."""
        return self._workload.open()

    def invoice(self) -> bytes:
        """A fresh invoice of the first seller; it may enter for thousands of blocks."""
        with self._lock:
            return self._workload.issue(1, 1)[0]

    def sign(self, signer: Signer, application: str, *messages: Message, expiry: int) -> bytes:
        """Messages of one member, until `expiry`."""
        payload = build_payload(
            chain=self.chain,
            expiry=expiry,
            drafts=[Draft(application, message) for message in messages],
            signers=[signer.kid],
        )
        return sign_payload(payload, [(signer.kid, signer.private)])

    def grant(self, *, expiry: int) -> bytes:
        """A small transaction that enters at `expiry` at the latest."""
        seller = f"{SCHEME}:{compute_tax_number(0)}"
        quota = GrantQuota(seller=seller, currency="CNY", amount=10**12, count=10**7)
        return self.sign(self.bureau, APPLICATION, quota, expiry=expiry)
