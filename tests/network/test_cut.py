"""A node that is cut off from the others: its own gateway calls nothing committed, theirs go on."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.cli.bench.ports import find_ports
from tests.network.history import check_agreement, open_archives, replay_by_kernel
from tests.network.league import SEED, NetworkLeague
from tests.network.load import identify
from tests.network.nodes import wait_until
from tests.network.relay import Relays, has_local_port

pytestmark = pytest.mark.slow


class Wired:
    """A league whose nodes reach each other over wires that can be cut, and over nothing else."""

    def __init__(self, folder: Path) -> None:
        print(f"seed {SEED}")
        self.league = NetworkLeague(folder)
        ports = find_ports(len(self.league.nodes))
        self.relays = Relays(dict(zip(self.league.nodes, ports, strict=True)), self.find_dialler)
        for number, port in zip(self.league.nodes, ports, strict=True):
            told = f"127.0.0.1:{self.relays.ports[number]}"
            self.league.configure(number, p2p={"port": port, "address": told})

    def find_dialler(self, port: int) -> int | None:
        """The node whose engine has this end of a connection."""
        for node in self.league.running:
            if any(has_local_port(pid, port) for pid in node.engine_pids):
                return node.number
        return None


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    """Four nodes on wires, running and open for trade. Each test mends what it cuts."""
    made = Wired(tmp_path_factory.mktemp("cut"))
    with made.relays:
        try:
            made.league.start()
            made.league.open()
            yield made
        finally:
            made.league.destroy()


@pytest.mark.parametrize("refuse", [False, True], ids=["dead line", "firewall"])
def test_service_goes_on_while_one_of_four_is_cut_off(wired: Wired, refuse: bool) -> None:
    league, victim = wired.league, wired.league.nodes[4]
    others = league.others(4)
    with league.load(others) as load:
        load.go_on()
        wired.relays.cut(4, [1, 2, 3], refuse=refuse)
        before = victim.height()
        load.go_on(5)
        alone = league.trade.invoice()
        with victim.gateway() as gateway:
            gateway.submit(alone)
            assert gateway.status(identify(alone), 3.0).state == "pending"
        load.go_on(2)
        assert victim.height() <= before + 1  # at most the block that it had the votes for
        wired.relays.mend(4, [1, 2, 3])
        reached = max(node.height() for node in others)
        wait_until(lambda: victim.height() >= reached, f"node 4 catches up with {reached}")
        assert league.commit(alone, victim) == ["ok"]
        load.go_on()
    league.settle()
    league.check_known(victim, league.ledger.committed)


def test_two_halves_decide_nothing(wired: Wired) -> None:
    """Two against two: neither half has the votes; together again they go on where they were."""
    league = wired.league
    for number in (1, 2):
        wired.relays.cut(number, [3, 4], refuse=True)
    data = {number: league.trade.invoice() for number in league.nodes}
    for number, each in data.items():
        with league.nodes[number].gateway() as gateway:
            gateway.submit(each)
    for number, each in data.items():
        with league.nodes[number].gateway() as gateway:
            assert gateway.status(identify(each), 2.0).state == "pending"
    for number in (1, 2):
        wired.relays.mend(number, [3, 4])
    for number, each in data.items():
        assert league.commit(each, league.nodes[number]) == ["ok"]
    league.settle()


def test_one_that_sees_only_one_other_hears_of_all(wired: Wired) -> None:
    """Node 4 has one wire left, to a node drawn at random: blocks and votes pass through it."""
    league = wired.league
    left = random.Random(SEED).choice([1, 2, 3])
    gone = [number for number in (1, 2, 3) if number != left]
    wired.relays.cut(4, gone, refuse=True)
    with league.load() as load:
        load.go_on(4)
    wired.relays.mend(4, gone)
    league.settle()


def test_nothing_is_forked_or_lost(wired: Wired) -> None:
    """Last in this file."""
    league = wired.league
    league.stop()
    with open_archives([node.folder for node in league.nodes.values()]) as archives:
        least = check_agreement(archives, league.ledger.committed)
        assert replay_by_kernel(archives[0]) >= least > 10
