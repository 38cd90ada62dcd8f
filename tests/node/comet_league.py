"""A toy league on CometBFT: homes of several nodes, opened in this process or in others."""

import socket
import time
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType

import msgspec

from hansa.comet.files import compute_node_id
from hansa.comet.validators import compute_address
from hansa.crypto.keys import PrivateKey
from hansa.ledger.contracts import Contract, Registry
from hansa.ledger.genesis import Genesis, GenesisActivation, GenesisValidator
from hansa.ledger.model import Message
from hansa.ledger.system import Node
from hansa.node.home import Home, create_home
from hansa.node.ledger_node import LedgerNode
from hansa.node.settings import EngineSettings, PeerSettings, Settings
from hansa.testing.chain import Actor, Chain, make_key
from tests.ledger.toy import Count, build_toy_chain, build_toy_registry
from tests.node.toy_validators import (
    Activate,
    RemoveNode,
    SetPower,
    build_contract,
    build_governance,
)

EXPIRY = 5_000


def build_registry(*further: Contract) -> Registry:
    """The toy's, with contracts of validators and versions, and whatever a later release has."""
    toy = [each for each in build_toy_registry().contracts.values() if each.name != "governance"]
    return Registry([*toy, build_governance(), build_contract(), *further])


class CometLeague:
    """`folder/1`, `folder/2`, … are the nodes' homes. Signs for its actors."""

    def __init__(self, folder: Path, validators: int = 1, *, observers: int = 0) -> None:
        self.folder = folder
        self.actors = [Actor("alice"), Actor("bob")]
        self._chain: Chain = build_toy_chain(*self.actors)
        self.registry = build_registry()
        self.count_validators, self.count = validators, validators + observers
        self.ports = _find_ports(self.count)
        self.genesis: Genesis = msgspec.structs.replace(
            self._chain.genesis,
            time_ms=time.time_ns() // 1_000_000,
            activations=(
                *self._chain.genesis.activations,
                GenesisActivation(application="validators", version=1, digest="test"),
            ),
            contracts={
                **self._chain.genesis.contracts,
                "validators": {"records": [self._node(number) for number in self.numbers]},
            },
            validators=tuple(
                GenesisValidator(key=self.validator_key(number).public, power=10)
                for number in self.numbers[:validators]
            ),
        )
        self._homes: dict[int, Home] = {}

    @property
    def numbers(self) -> range:
        return range(1, self.count + 1)

    def validator_key(self, number: int) -> PrivateKey:
        return make_key(f"validator {number}")

    def node_key(self, number: int) -> PrivateKey:
        return make_key(f"node {number}")

    def node_id(self, number: int) -> str:
        return compute_node_id(self.node_key(number).public.raw)

    def address(self, number: int) -> bytes:
        return compute_address(self.validator_key(number).public.raw)

    def home(self, number: int) -> Path:
        return self.folder / str(number)

    def _node(self, number: int) -> Node:
        kind = "validator" if number <= self.count_validators else "observer"
        member = self.actors[number % len(self.actors)].did
        return Node(id=self.node_id(number), member=member, kind=kind, since=0)

    def create(self, only: int | None = None, **engine: object) -> None:
        """Make the homes, or only that of one node."""
        peers = tuple(
            f"{self.node_id(number)}@127.0.0.1:{self.ports[number - 1]}" for number in self.numbers
        )
        for number in self.numbers if only is None else (only,):
            settings = Settings(
                engine=EngineSettings(kind="comet", **{"block_pause_ms": 100, **engine}),
                p2p=PeerSettings(
                    port=self.ports[number - 1],
                    peers=tuple(peer for peer in peers if self.node_id(number) not in peer),
                ),
            )
            create_home(
                self.home(number),
                self.genesis,
                self.validator_key(number),
                self.registry,
                settings,
                node=self.node_key(number),
            )

    def open(self, number: int = 1) -> LedgerNode:
        return LedgerNode.open(self.home(number), self.registry)

    def sign(
        self,
        *messages: Message,
        actor: int = 0,
        expiry: int = EXPIRY,
        application: str = "counter",
    ) -> bytes:
        pairs = [(application, message) for message in messages]
        return self._chain.sign(self.actors[actor], pairs, expiry=expiry)

    def set_power(self, number: int, power: int) -> bytes:
        message = SetPower(key=self.validator_key(number).public, power=power)
        return self.sign(message, application="validators")

    def remove_node(self, number: int) -> bytes:
        return self.sign(RemoveNode(id=self.node_id(number)), application="validators")

    def activate(self, version: int, height: int, digest: str = "ab" * 32) -> bytes:
        """Another version of the counter begins at `height`."""
        message = Activate(application="counter", version=version, digest=digest, height=height)
        return self.sign(message, application="governance")

    def count_up(self, name: str = "x", by: int = 1, *, actor: int = 0) -> bytes:
        return self.sign(Count(id=name, by=by, limit=10**9), actor=actor)


class Together:
    """All nodes of a league, running in this process."""

    def __init__(self, league: CometLeague) -> None:
        self._stack = ExitStack()
        with ExitStack() as opening:
            self.nodes = {
                number: opening.enter_context(league.open(number)) for number in league.numbers
            }
            self._stack = opening.pop_all()

    def __enter__(self) -> dict[int, LedgerNode]:
        return self.nodes

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()


def _find_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            probe = stack.enter_context(closing(socket.socket()))
            probe.bind(("127.0.0.1", 0))
            found.append(probe.getsockname()[1])
        return found
