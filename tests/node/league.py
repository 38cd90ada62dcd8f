"""A toy league in a home folder: what the node's tests stand on."""

from pathlib import Path

import msgspec

from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import Genesis
from hansa.ledger.model import Message, compute_state_key
from hansa.node.home import Home, create_home
from hansa.node.ledger_node import LedgerNode
from hansa.node.settings import EngineSettings, Settings
from hansa.testing.chain import Actor, Chain, make_key
from tests.ledger.toy import Count, build_toy_chain

GENESIS_MS = 1_700_000_000_000
EXPIRY = 5_000


class ToyLeague:
    """Signs for its actors; `folder` is the node's home."""

    def __init__(self, folder: Path, *names: str, chain: str = "") -> None:
        self.folder = folder
        self.actors = [Actor(name) for name in names or ("alice", "bob")]
        self._chain: Chain = build_toy_chain(*self.actors)
        self.registry: Registry = self._chain.registry
        self.genesis: Genesis = msgspec.structs.replace(
            self._chain.genesis,
            time_ms=GENESIS_MS,
            chain=chain or self._chain.chain,
        )

    def create(self, heartbeat_s: int = 60) -> Home:
        settings = Settings(engine=EngineSettings(heartbeat_s=heartbeat_s))
        return create_home(
            self.folder, self.genesis, make_key("validator"), self.registry, settings
        )

    def open(self, **options: object) -> LedgerNode:
        return LedgerNode.open(self.folder, self.registry, **options)

    def sign(self, *messages: Message, actor: int = 0, expiry: int = EXPIRY) -> bytes:
        pairs = [("counter", message) for message in messages]
        return self._chain.sign(self.actors[actor], pairs, expiry=expiry)

    def count(self, name: str = "x", by: int = 1, *, limit: int = 10**9, actor: int = 0) -> bytes:
        return self.sign(Count(id=name, by=by, limit=limit), actor=actor)


def counter_key(name: str) -> bytes:
    return compute_state_key("counter", "counter", (name,))


def read_counter(node: LedgerNode, name: str) -> int:
    data = node.state.get(counter_key(name))
    return 0 if data is None else int(msgspec.json.decode(data)["value"])
