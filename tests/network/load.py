"""Invoices that go on while the league is hurt: what a gateway called committed is never lost.

One thread for each gateway, one transaction at a time: submitted, then waited for.
"""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from hansa.client.faults import ClientError, Refused
from hansa.ledger.transactions import decode_transaction
from tests.network.nodes import PATIENCE_S, NodeProcess, wait_until

WAIT_S: Final = 1.0


class Moved(Exception):
    """A transaction has two heights: a fork, or an answer that was not true."""


class Ledger:
    """All that gateways ever said was committed (id to height), and what nobody knows of yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.committed: dict[str, int] = {}
        self.unsure: dict[str, bytes] = {}

    def tell(self, identity: str, height: int) -> None:
        with self._lock:
            known = self.committed.setdefault(identity, height)
            self.unsure.pop(identity, None)
        if known != height:
            raise Moved(f"{identity} was committed at {known} and at {height}")

    def doubt(self, identity: str, data: bytes) -> None:
        with self._lock:
            self.unsure[identity] = data


class Load:
    """Invoices through the gateways of `nodes`.

    `strict`: each submission must be answered and committed in time; else what a killed gateway
    did not answer is sent again when it is back.
    """

    def __init__(
        self,
        nodes: Sequence[NodeProcess],
        make: Callable[[], bytes],
        ledger: Ledger,
        *,
        strict: bool = True,
    ) -> None:
        self._make, self._ledger, self._strict = make, ledger, strict
        self.committed: dict[int, int] = {node.number: 0 for node in nodes}
        self.failures: list[str] = []
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(node,), name=f"load-{node.number}")
            for node in nodes
        ]

    @property
    def count(self) -> int:
        """Committed so far."""
        return sum(self.committed.values())

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if error is None:
            assert not self.failures, self.failures[:5]

    def go_on(self, count: int = 3, *, within_s: float = PATIENCE_S) -> None:
        """Wait until each gateway has committed so many more: service goes on there."""
        wanted = {number: done + count for number, done in self.committed.items()}

        def has_gone_on() -> bool:
            assert not self.failures, self.failures[:5]
            return all(self.committed[number] >= least for number, least in wanted.items())

        wait_until(has_gone_on, f"{count} more at each gateway: {wanted}", within_s=within_s)

    def _run(self, node: NodeProcess) -> None:
        """One after the other; what a killed gateway did not answer is sent to it again."""
        data = self._make()
        while not self._stopping.is_set():
            try:
                self._send(node, data)
                data = self._make()
            except (Moved, Refused, ClientError, OSError, AssertionError) as error:
                if self._strict or isinstance(error, Moved):
                    self.failures.append(f"node {node.number}: {type(error).__name__} {error}")
                    return
                self._stopping.wait(0.2)

    def _send(self, node: NodeProcess, data: bytes) -> None:
        identity = identify(data)
        self._ledger.doubt(identity, data)
        give_up = time.monotonic() + PATIENCE_S
        with node.gateway() as gateway:
            gateway.submit(data)
            while True:
                found = gateway.status(identity, WAIT_S)
                if found.state == "committed":
                    self._ledger.tell(identity, found.height)
                    self.committed[node.number] += 1
                    return
                assert found.state == "pending", f"{identity} is {found.state}"
                if self._stopping.is_set() and not self._strict:
                    return
                assert time.monotonic() < give_up, f"{identity} waits for ever"


def identify(data: bytes) -> str:
    """Id of a signed transaction."""
    return decode_transaction(data).hex_id
