"""One network after the other under the same load, again and again: what came of it.

Networks are made anew for each repetition, in a temporary folder; one runs at a time.
"""

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.cli.bench.doors import GatewayDoor
from hansa.cli.bench.light import Committed, LightChain, commit_one, run_light
from hansa.cli.bench.load import Run, Stalled, run_load
from hansa.cli.bench.peers import BenchFault, Network, open_peer
from hansa.cli.bench.report import Plan
from hansa.cli.bench.sampler import Profile
from hansa.cli.bench.subject import leave_read_models, open_hansa, read_profiles
from hansa.cli.bench.workload import Prepared
from hansa.comet.rpc import EngineUnreachable, RpcClient, RpcError
from hansa.crypto.hashing import sha256
from hansa.encoding.text import decode_base64url

HANSA: Final = "hansa"
GATEWAY: Final = "hansa-gateway"
VOTERS: Final = "hansa-voters"
EMPTY: Final = "empty"
KVSTORE: Final = "kvstore"
TITLES: Final = {
    KVSTORE: "CometBFT's kvstore (in the engine's process)",
    EMPTY: "empty application on Hansa's ABCI server",
    HANSA: "Hansa, transactions given to the engines",
    GATEWAY: "Hansa, transactions posted to its gateways",
    VOTERS: "Hansa, nodes that keep no read model",
}
# Those that run nodes of a league.
OURS: Final = (HANSA, GATEWAY, VOTERS)
# Looked at after a run, each wherever it was committed.
SAMPLES: Final = 8
SETTLE_S: Final = 20.0
SENDERS: Final = 2
# Between two transactions at light load: the proof block is made, the pause after it is over.
GATEWAY_PAUSE_S: Final = 0.8

Tell = Callable[[str], None]


class Outcome(msgspec.Struct):
    """What one network did in all repetitions. `runs` by messages per transaction."""

    runs: dict[int, list[Run]] = {}
    lengths: dict[int, int] = {}
    light: list[Committed] = []
    agree: bool = True
    accepted: int = 0
    sampled: int = 0
    faults: list[str] = []
    configs: dict[str, str] = {}
    profiles: list[Profile] = []


class Bench:
    """Runs networks of one league in a folder of its own."""

    def __init__(self, folder: Path, league: Path, binary: Path, plan: Plan, tell: Tell) -> None:
        self._folder, self._league, self._binary = folder, league, binary
        self._plan, self._tell = plan, tell
        self._tuning = ""
        self._count = 0
        self.outcomes: dict[str, Outcome] = {}

    def learn_tuning(self) -> str:
        """The engine's configuration, from a node of the league that was started once."""
        copy = self._copy()
        with open_hansa(copy) as network:
            self._tuning = network.configs[0].read_text(encoding="utf-8")
        shutil.rmtree(copy.parent, ignore_errors=True)
        return self._tuning

    def run(self, name: str, prepared: Prepared, *, profiled: bool = False) -> None:
        """One repetition of one network; a fault of it is kept, and the bench goes on."""
        outcome = self.outcomes.setdefault(name, Outcome())
        place = self._folder / f"run-{self._count}"
        try:
            league = self._copy() if name in OURS else self._league
            if name == VOTERS:
                leave_read_models(league)
            with self._open(name, league, place, profiled=profiled) as network:
                self._drive(name, network, prepared, outcome)
            if profiled:
                outcome.profiles += read_profiles(league)
        except (BenchFault, Stalled, EngineUnreachable, RpcError) as error:
            outcome.faults.append(f"{name}: {error}")
            self._tell(f"{name}: {error}")
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _copy(self) -> Path:
        """The league as it was made, with ledgers at height 0."""
        self._count += 1
        copy = self._folder / f"run-{self._count}" / "league"
        shutil.copytree(self._league, copy)
        return copy

    def _open(
        self, name: str, league: Path, place: Path, *, profiled: bool
    ) -> AbstractContextManager[Network]:
        if name in OURS:
            return open_hansa(league, profiled=profiled)
        self._count += 1
        place = self._folder / f"run-{self._count}"
        return open_peer(place, league, self._binary, self._tuning, name)

    def _drive(self, name: str, network: Network, prepared: Prepared, outcome: Outcome) -> None:
        """Set-up, light load, then each kind of transaction."""
        for number, path in enumerate(network.configs, 1):
            outcome.configs[f"{name} {number}"] = path.read_text(encoding="utf-8")
        chain = LightChain(network.clients[0])
        for each in prepared.open:
            commit_one(chain, network.clients[0], each)
        doors = self._open_doors(name, network)
        if name != VOTERS:  # throughput only
            self._drive_light(name, network, prepared, outcome)
        for messages, sent in prepared.heavy.items():
            self._tell(f"{name}: {messages} a transaction, {self._plan.seconds:g} s")
            run = run_load(
                chain,
                doors,
                sent,
                network.processes,
                warm_up_s=self._plan.warm_up_s,
                seconds=self._plan.seconds,
                window=self._plan.window,
            )
            outcome.runs.setdefault(messages, []).append(run)
            outcome.lengths[messages] = len(sent[0])
            if network.gateways:
                self._check_samples(network, sent[: run.sent], outcome)
        outcome.agree &= agree(network.clients)

    def _drive_light(
        self, name: str, network: Network, prepared: Prepared, outcome: Outcome
    ) -> None:
        self._tell(f"{name}: {len(prepared.light)} transactions one at a time")
        if name == GATEWAY:
            doors = [GatewayDoor(url) for url in network.gateways]
            for number, each in enumerate(prepared.light):
                door = doors[number % len(doors)]
                seconds = door.commit_one(each, compute_id(each))
                outcome.light.append(Committed(seconds, {}))
                time.sleep(GATEWAY_PAUSE_S)
        else:
            outcome.light += run_light(network.clients, prepared.light)

    def _open_doors(self, name: str, network: Network) -> Sequence[Any]:
        if name == GATEWAY:
            return [GatewayDoor(url) for url in network.gateways for _ in range(SENDERS)]
        return network.clients

    def _check_samples(self, network: Network, sent: Sequence[bytes], outcome: Outcome) -> None:
        """Ask the gateways, in turn, whether every message of some transactions was accepted."""
        step = max(1, len(sent) // SAMPLES)
        for number, data in enumerate(sent[::step][:SAMPLES]):
            door = GatewayDoor(network.gateways[number % len(network.gateways)])
            found = door.find_final(compute_id(data))
            door.close()
            codes = [each.get("code") for each in found.get("messages") or ()]
            outcome.sampled += 1
            outcome.accepted += bool(codes) and set(codes) == {"ok"}


def compute_id(transaction: bytes) -> str:
    """The id of a compact JWS: SHA-256 of its payload (D1)."""
    return sha256(decode_base64url(transaction.split(b".")[1].decode())).hex()


def agree(clients: Sequence[RpcClient]) -> bool:
    """Whether all nodes come to rest at one height with one block, application's hash included."""
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end:
        with suppress(EngineUnreachable, RpcError):
            found = {(s.height, s.block_hash, s.app_hash) for s in (c.status() for c in clients)}
            if len(found) == 1:
                return True
        threading.Event().wait(0.2)
    return False
