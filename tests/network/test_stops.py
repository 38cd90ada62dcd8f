"""Nodes that are killed, paused, restarted under load: service goes on, nothing is lost, no fork.

One league for the whole file; at its end all that happened is executed again.
"""

import random
import time
from pathlib import Path

import pytest

from hansa.cli.bench.ports import find_ports
from hansa.client.faults import Refused, Unreachable
from hansa.primitives.limits import TRANSACTION_BYTES_MAX
from tests.network.history import (
    check_agreement,
    open_archives,
    replay_as_embedded,
    replay_by_kernel,
)
from tests.network.league import SEED, VALIDATORS, NetworkLeague
from tests.network.load import identify
from tests.network.nodes import wait_until
from tests.network.noise import CONNECTIONS, disturb

pytestmark = pytest.mark.slow

ROUNDS = 3


@pytest.mark.parametrize("fault", ["kill", "pause", "kill_engine"])
def test_service_goes_on_without_one_of_four(league: NetworkLeague, fault: str) -> None:
    victim = league.nodes[4]
    others = league.others(4)
    with league.load(others) as load:
        load.go_on()
        getattr(victim, fault)()
        load.go_on(5)
        if fault == "kill":
            victim.start()
        elif fault == "pause":
            victim.resume()
        reached = max(node.height() for node in others)
        wait_until(lambda: victim.height() >= reached, f"node 4 catches up with {reached}")
        load.go_on()
    league.settle()
    for node in league.nodes.values():
        league.check_known(node, league.ledger.committed)
    sample = random.Random(SEED).sample(sorted(league.ledger.committed), 5)
    league.check_receipts(victim, sample)


def test_two_of_four_halt_the_league_until_one_returns(league: NetworkLeague) -> None:
    left = league.pick([1, 2])
    with league.load(left) as load:
        load.go_on()
    for node in league.pick([3, 4]):
        node.kill()
    wait_until(lambda: all(len(n.network()["peers"]) == 1 for n in left), "two are missed")
    height = halted_height(league)
    soon = height + 1
    waiting = [league.trade.invoice() for _ in range(4)]
    for number, data in enumerate(waiting):
        with left[number % 2].gateway() as gateway:
            gateway.submit(data)
            assert gateway.status(identify(data), 1.0).state == "pending"
    doomed = league.trade.grant(expiry=soon)
    with left[0].gateway() as gateway:
        gateway.submit(doomed)
    assert halted_height(league) == height
    league.nodes[3].start()
    for data in waiting:
        assert league.commit(data, left[1]) == ["ok"]
    with left[0].gateway() as gateway:
        status = wait_until(
            lambda: (found := gateway.status(identify(doomed), 1.0)).state != "pending" and found,
            "nobody waits for ever",
        )
        assert status.state == "unknown" or status.height <= soon
    league.nodes[4].start()
    league.settle()


def halted_height(league: NetworkLeague) -> int:
    """The height at which those who run stand still: through two pauses of the longest round."""
    last, since = league.height(), time.monotonic()
    while time.monotonic() < since + 5.0:
        time.sleep(0.2)
        now = league.height()
        if now != last:
            last, since = now, time.monotonic()
    return last


def test_all_four_killed_at_random_come_back_on_one_hash(league: NetworkLeague) -> None:
    draw = random.Random(SEED)
    for _round in range(ROUNDS):
        with league.load(strict=False) as load:
            load.go_on(2)
            for number in draw.sample(range(1, VALIDATORS + 1), VALIDATORS):
                time.sleep(draw.uniform(0.0, 0.4))
                league.nodes[number].kill()
            league.start()
            load.go_on(2)
        league.settle()
    for node in league.nodes.values():
        league.check_known(node, league.ledger.committed)


def test_what_nobody_answered_can_be_sent_again(league: NetworkLeague) -> None:
    """After the kills: the same bytes have one effect, wherever they are sent."""
    unsure = dict(league.ledger.unsure)
    for number, data in enumerate(unsure.values(), 1):
        assert league.commit(data, league.nodes[number % VALIDATORS + 1]) == ["ok"]


@pytest.mark.parametrize("place", ["side by side", "apart"])
def test_all_nodes_on_new_ports_find_each_other(league: NetworkLeague, place: str) -> None:
    """On one machine by their siblings; far apart by one gateway that is still where it was."""
    before = {node.url for node in league.running} | {node.p2p for node in league.running}
    league.stop()
    if place == "apart":
        (port,) = find_ports(1)
        league.configure(1, api={"port": port})
        for number, node in league.nodes.items():
            league.configure(number, p2p={"gateways": (f"http://127.0.0.1:{port}",)})
            node.move(league.folder / f"machine-{number}" / "home")
    league.start()
    after = {node.url for node in league.running} | {node.p2p for node in league.running}
    assert not before & after
    with league.load() as load:
        load.go_on()
    for node in league.running:
        wait_until(lambda n=node: len(n.network()["peers"]) == 3, f"node {node.number} knows all")


def test_noise_on_every_socket_hurts_nobody(league: NetworkLeague) -> None:
    """ABCI, RPC and p2p of each node; the engines of before are those of after."""
    engines = {node.number: node.engine_pids for node in league.running}
    with league.load() as load:
        for node in league.running:
            assert disturb(node, SEED + node.number) > CONNECTIONS
        load.go_on()
    assert engines == {node.number: node.engine_pids for node in league.running}
    league.settle()


def test_an_oversize_transaction_is_refused_at_every_door(league: NetworkLeague) -> None:
    """Too long for the ledger, and too long for the engine: refused, and the height moves on."""
    with league.load() as load:
        height = league.height()
        for size in (TRANSACTION_BYTES_MAX, TRANSACTION_BYTES_MAX + 1, 3 * TRANSACTION_BYTES_MAX):
            data = b"e" * size
            for node in league.running:
                with node.gateway() as gateway, pytest.raises((Refused, Unreachable)) as refused:
                    gateway.submit(data)
                if isinstance(refused.value, Refused):
                    assert refused.value.status in (400, 413, 422), refused.value
                rpc = node.rpc
                (answer,) = rpc.broadcast([data])
                assert not answer.taken and (answer.code or "too large" in answer.error.lower())
                rpc.close()
        load.go_on()
        assert league.height() > height
    league.settle()


def test_every_block_replayed_gives_the_same_state(league: NetworkLeague, tmp_path: Path) -> None:
    """Last in this file: whatever happened before, four nodes, the kernel alone and the embedded
    application have one state at each height.
    """
    with league.load() as load:
        load.go_on(1)
    league.settle()
    league.stop()
    with open_archives([node.folder for node in league.nodes.values()]) as archives:
        least = check_agreement(archives, league.ledger.committed)
        assert least > 20 and len(league.ledger.committed) > 50
        longest = max(archives, key=lambda archive: archive.storage.height)
        assert replay_by_kernel(longest) >= least
        assert replay_as_embedded(longest, tmp_path / "data") >= least
