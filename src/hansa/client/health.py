"""How a gateway says that its node and its network fare. Touches the network; asks once, no wait.

Fields of a later release are passed over.
"""

from typing import Any, TypeVar

import msgspec

from hansa.client.faults import ClientError, Unreachable
from hansa.encoding.json_faults import NOT_JSON

T = TypeVar("T")

TIMEOUT_S = 5.0
WELL, FAILING = 200, 503


class Health(msgspec.Struct, frozen=True):
    """`status`: ok, degraded (the read model alone), failing (the ledger has stopped)."""

    status: str
    ledger: str = "ok"
    index: str = "ok"
    index_behind: int = 0

    @property
    def is_failing(self) -> bool:
        """Whether nothing is taken any more."""
        return self.status == "failing"


class EngineReport(msgspec.Struct, frozen=True):
    """The consensus engine beside a node. `node`: its p2p id."""

    version: str
    node: str
    is_running: bool
    is_reachable: bool
    catching_up: bool
    height: int
    restarts: int = 0
    last_exit: str = ""


class PeerReport(msgspec.Struct, frozen=True):
    """A connected node; `member` is "" where the ledger does not know it."""

    node: str
    member: str = ""


class ValidatorReport(msgspec.Struct, frozen=True):
    """A validator as one node sees it; `signed` of the network's last `window` blocks."""

    address: str
    member: str
    power: int
    state: str
    signed: int = 0
    last_height: int = 0
    last_time_ms: int = 0
    connected: bool = False

    @property
    def is_voting(self) -> bool:
        """Whether its power counts."""
        return self.state == "active" and self.power > 0


class NodeReport(msgspec.Struct, frozen=True):
    """A node that may connect, and whose it is."""

    node: str
    member: str
    kind: str


class EvidenceReport(msgspec.Struct, frozen=True):
    """Misbehaviour that was proved, and what followed."""

    address: str
    member: str
    kind: str
    height: int
    time_ms: int
    outcome: str


class NetworkReport(msgspec.Struct, frozen=True):
    """A league's nodes as one of them sees them; `engine` None where there is no network."""

    chain: str
    height: int
    sealed_height: int
    time_ms: int
    window: int
    engine: EngineReport | None = None
    peers: tuple[PeerReport, ...] = ()
    validators: tuple[ValidatorReport, ...] = ()
    nodes: tuple[NodeReport, ...] = ()
    evidence: tuple[EvidenceReport, ...] = ()


def ask_health(url: str, *, timeout_s: float = TIMEOUT_S) -> Health:
    """The health of the node at `url`. Raises Unreachable, or ClientError for another answer."""
    return _ask(url, "/v1/health", (WELL, FAILING), Health, timeout_s)


def ask_network(url: str, *, timeout_s: float = TIMEOUT_S) -> NetworkReport:
    """The network as the node at `url` sees it. Raises as `ask_health`."""
    return _ask(url, "/v1/network", (WELL,), NetworkReport, timeout_s)


def _ask(url: str, path: str, taken: tuple[int, ...], kind: type[T], timeout_s: float) -> T:
    import httpx

    try:
        answer: Any = httpx.get(f"{url.rstrip('/')}{path}", timeout=timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(
            f"no answer from {url} ({type(error).__name__})", "is it running (hansa start DIR)?"
        ) from error
    try:
        if answer.status_code in taken:
            return msgspec.json.decode(answer.content, type=kind)
    except NOT_JSON:
        pass
    raise ClientError(f"{url}{path} does not answer as a Hansa gateway does", "see the address")
