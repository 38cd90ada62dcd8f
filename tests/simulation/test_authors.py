"""An author's application under the simulator: `SimulatedNetwork(applications=…, workload=…)`."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from msgspec.structs import replace

from hansa.appkit.application import Application
from hansa.ledger.context import Context
from hansa.ledger.contracts import Contract, Invariant
from hansa.ledger.model import Message, Record, Visibility
from hansa.ledger.state import Reader, scan_records
from hansa.primitives.values import Name
from hansa.testing import SimulatedNetwork
from hansa.testing.simulation.plan import Act
from hansa.testing.simulation.run import draw_plan
from hansa.testing.simulation.workload_acts import ACTS, Cue, Sent, register, send
from hansa.testing.simulation.workload_league import AUTHORED

LOUD = 6


class Bell(Record, frozen=True, kw_only=True):
    """How often it rang."""

    KIND: ClassVar[str] = "bell"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: Name
    rung: int = 0


class Ring(Message, frozen=True, kw_only=True):
    """Ring a bell once more."""

    id: Name


def find_loud(reader: Reader) -> list[str]:
    bells = scan_records(reader, "bells", Bell, limit=100)
    return [f"{each.id} rang {each.rung} times" for each in bells if each.rung > LOUD]


def build_bells() -> Application:
    contract = Contract("bells", 1)

    @contract.handles(Ring)
    def ring(ctx: Context, message: Ring) -> None:
        before = ctx.get(Bell, message.id) or Bell(id=message.id)
        ctx.put(replace(before, rung=before.rung + 1))

    return Application(
        name="bells",
        title="Bells: an author's application",
        contract=contract,
        records=(Bell,),
        events=(),
        rejections=(),
        invariants=(Invariant("B1", f"no bell rings more than {LOUD} times", find_loud),),
    )


def do_ring(cue: Cue) -> Sent:
    """Somebody rings."""
    return send("buyer", "bells", Ring(id=cue.text("bell", "big")))


def draw_rings(count: int) -> tuple[Act, ...]:
    return tuple(Act(90_000 + n, "ring", 200 + 150 * n, 1 + n % 4) for n in range(count))


@pytest.fixture(autouse=True)
def _own_acts() -> Iterator[None]:
    register(do_ring)
    yield
    del ACTS["ring"]
    AUTHORED.clear()


@pytest.mark.slow
@pytest.mark.parametrize(("count", "found"), [(LOUD, None), (LOUD + 2, "C10")])
def test_an_authors_application_runs_and_its_invariants_are_checked(
    count: int, found: str | None
) -> None:
    network = SimulatedNetwork(
        plan=draw_plan(4, "calm", blocks=8),
        applications=[build_bells()],
        workload=lambda _seed, _blocks, _nodes: draw_rings(count),
    )
    outcome = network.run()
    assert (outcome.found.checker if outcome.found else None) == found
