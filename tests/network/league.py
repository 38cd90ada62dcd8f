"""A real league under test: `hansa init` makes it, `hansa start` runs each node of it by itself."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.cli.bench.workload import build_plan
from hansa.cli.network import list_nodes
from hansa.client.faults import Refused
from hansa.client.trust import TrustRoot, build_trust_root
from hansa.client.verify import verify_receipt
from hansa.comet.install import install_engine, locate_cache
from hansa.comet.sockets import close_sockets, locate_sockets
from hansa.contracts.governance.model import Action, Propose, Vote
from hansa.ledger.model import Message
from hansa.node.home import open_home, rewrite_settings
from hansa.node.settings import Settings
from tests.network.load import Ledger, Load, identify
from tests.network.nodes import NodeProcess, wait_until
from tests.network.trade import SELLERS, Trade

SEED: Final = int(os.environ.get("HANSA_TEST_SEED", "20261122"))
VALIDATORS: Final = 4
# Long enough for any test: small transactions that are not meant to expire.
LATER: Final = 5_000


class NetworkLeague:
    """Nodes 1, 2, … of a league in `folder`, none of them started."""

    def __init__(
        self, folder: Path, validators: int = VALIDATORS, members: int = 0, **engine: Any
    ) -> None:
        """`engine`: settings of `[engine]` in each node.toml. `members`: at least so many."""
        install_engine()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder / "league"
        plan = folder / "members.json"
        sellers = max(SELLERS, validators - 1, members - 1)
        plan.write_bytes(msgspec.json.encode(build_plan(sellers)))
        self.environment = {
            **os.environ,
            "HANSA_HOME": str(folder / "user"),
            "HANSA_CACHE": str(locate_cache()),
        }
        command = ["init", self.folder, "--engine", "comet", "--validators", validators]
        command += ["--ports", "any", "--members", plan, "--chain", "fault-1", "--json"]
        self.run(*command)
        self.nodes = {
            each.number: NodeProcess(each.number, each.folder, self.environment)
            for each in list_nodes(self.folder)
        }
        genesis = (self.folder / "genesis.json").read_bytes()
        self.root: TrustRoot = build_trust_root(genesis)
        self.chain = self.root.chain
        self.trade = Trade(self.chain, self.folder / "keys")
        self.ledger = Ledger()
        settings = {"block_pause_ms": 100, "heartbeat_s": 2, "snapshot_interval": 25, **engine}
        for number in self.nodes:
            self.configure(number, engine=settings)

    def run(self, *arguments: object) -> str:
        """A command of hansa to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "hansa.cli", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def configure(self, number: int, **sections: dict[str, Any]) -> None:
        """Change settings of a node's node.toml: `engine={"heartbeat_s": 2}`."""
        folder = self.nodes[number].folder
        found = msgspec.to_builtins(open_home(folder).settings)
        for name, values in sections.items():
            found[name] |= values
        rewrite_settings(folder, msgspec.convert(found, Settings))

    # -- its nodes

    def pick(self, numbers: Iterable[int] | None = None) -> list[NodeProcess]:
        """These nodes, or all."""
        return [self.nodes[number] for number in (self.nodes if numbers is None else numbers)]

    def others(self, number: int) -> list[NodeProcess]:
        return [node for node in self.nodes.values() if node.number != number]

    @property
    def running(self) -> list[NodeProcess]:
        return [node for node in self.nodes.values() if node.is_running]

    def start(self, numbers: Iterable[int] | None = None) -> None:
        """Start those that do not run, all at once, and wait until each answers."""
        fresh = [node for node in self.pick(numbers) if not node.is_running]
        for node in fresh:
            node.begin()
        for node in fresh:
            node.wait_ready()

    def stop(self) -> None:
        """As an operator would, all of them."""
        for node in self.running:
            node.stop()

    def destroy(self) -> None:
        """Nothing of it runs any more, and its sockets are gone."""
        for node in self.nodes.values():
            node.destroy()
            close_sockets(locate_sockets(node.folder))

    def height(self) -> int:
        """The newest block of any node that runs."""
        return max(node.height() for node in self.running)

    def settle(self, nodes: Sequence[NodeProcess] | None = None) -> int:
        """Wait until all are where the first was just now, and agree there; that height."""
        nodes = self.running if nodes is None else nodes
        height = max(node.height() for node in nodes)
        for node in nodes:
            wait_until(lambda n=node: n.height() > height, f"node {node.number} at {height + 1}")
        headers = [
            wait_until(lambda n=node: n.header(height + 1), f"a header at node {node.number}")
            for node in nodes
        ]
        assert all(header == headers[0] for header in headers), headers
        return height

    # -- what is sent

    def load(self, nodes: Sequence[NodeProcess] | None = None, *, strict: bool = True) -> Load:
        """Invoices through the gateways of these nodes (all that run)."""
        nodes = self.running if nodes is None else nodes
        return Load(nodes, self.trade.invoice, self.ledger, strict=strict)

    def commit(self, data: bytes, node: NodeProcess | None = None) -> list[str]:
        """Send a transaction, wait until it is committed; the codes of its messages."""
        node = node or self.running[0]
        identity = identify(data)
        with node.gateway() as gateway:
            gateway.submit(data)

            def is_final() -> Any:
                status = gateway.status(identity, 1.0)
                assert status.state != "unknown", f"{identity} can no longer enter"
                return status if status.is_final else None

            status = wait_until(is_final, f"{identity} is committed")
        assert status.state == "committed", status
        self.ledger.tell(identity, status.height)
        return [message.code for message in status.messages]

    def open(self) -> None:
        """Sellers are registered: invoices can be issued."""
        assert set(self.commit(self.trade.open())) == {"ok"}

    def decide(self, *actions: Action) -> None:
        """All members vote for a proposal; it is executed, or this fails with its code."""
        voters = list(self.trade.signers.values())
        first = voters[0]
        propose = Propose(topic="fault_test", actions=actions)
        later = self.height() + LATER
        node = self.running[0]
        data = self.trade.sign(first, "governance", propose, expiry=later)
        assert self.commit(data, node) == ["ok"]
        with node.gateway(first) as gateway:
            page = gateway.records("governance", "proposal", limit=200)
        number = max(int(item["id"]) for item in page.items)
        for voter in voters[1:]:
            vote = Vote(proposal=number, choice="yes")
            codes = self.commit(self.trade.sign(voter, "governance", vote, expiry=later), node)
            assert codes in (["ok"], ["governance.voting_closed"]), codes
        with node.gateway(first) as gateway:
            found = wait_until(
                lambda: _get_closed(gateway.record("governance", "proposal", f"{number:08d}")),
                "the proposal is decided",
            )
        assert found["state"] == "EXECUTED", found

    # -- what must hold

    def check_known(self, node: NodeProcess, identities: Iterable[str]) -> None:
        """A node has these transactions at the heights at which they were committed."""
        with node.gateway() as gateway:
            for identity in identities:
                found = gateway.status(identity)
                assert (found.state, found.height) == (
                    "committed",
                    self.ledger.committed[identity],
                ), (node.number, found)

    def check_receipts(self, node: NodeProcess, identities: Iterable[str]) -> None:
        """Receipts of a node, judged offline with nothing but the genesis."""
        for identity in identities:
            data = wait_until(lambda i=identity: self._fetch(node, i), f"receipt of {identity}")
            verdict = verify_receipt(data, self.root)
            assert verdict.outcome == "yes", (node.number, verdict)

    def _fetch(self, node: NodeProcess, identity: str) -> bytes:
        """Of a seller's invoice, or what else the bureau may read."""
        try:
            with node.gateway(self.trade.sellers[0]) as gateway:
                return gateway.receipt(identity, 0)
        except Refused:
            with node.gateway(self.trade.bureau) as gateway:
                return gateway.receipt(identity, 0)


def build_action(application: str, message: Message) -> Action:
    """A message as governance sends it."""
    body = json.loads(msgspec.json.encode(message))
    return Action(application=application, type=type(message).__name__, body=body)


def _get_closed(proposal: dict[str, Any] | None) -> dict[str, Any] | None:
    return proposal if proposal is not None and proposal["state"] != "OPEN" else None


@contextmanager
def running_league(folder: Path, **engine: Any) -> Iterator[NetworkLeague]:
    """A league of four, open for trade; whatever happens, nothing of it is left running."""
    print(f"seed {SEED}")
    league = NetworkLeague(folder, **engine)
    try:
        league.start()
        league.open()
        yield league
    finally:
        league.destroy()
