"""Each checker finds the lie that is planted in the world it sees; in a true one none is found."""

import sys
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from hansa.node.faults import StorageError
from hansa.node.ledger_node import LedgerNode
from hansa.node.pool import Waiting
from hansa.testing.simulation import reference
from hansa.testing.simulation.checkers import (
    Answered,
    Checker,
    Chunk,
    Committed,
    Decided,
    End,
    Executed,
    Followed,
    Found,
    Judged,
    Moment,
    Offered,
    Started,
    Stopped,
    Visible,
)
from hansa.testing.simulation.checkers_agreement import Agreement, Finality, Start, Verdict
from hansa.testing.simulation.checkers_all import build_checkers
from hansa.testing.simulation.checkers_kernel import Admission, Books, Kernel
from hansa.testing.simulation.checkers_life import Chunks, Liveness, Remains, Stops
from hansa.testing.simulation.checkers_proofs import Proofs
from hansa.testing.simulation.checkers_reading import Durability, ReadModel
from hansa.testing.simulation.run import SimulatedNetwork, draw_plan

Lie = Callable[[Any, Moment], Moment]
HEIGHT = 5
LIAR = "2"


class Deceived(Checker):
    """Shows a checker what a lie makes of each moment."""

    def __init__(self, checker: Checker, lie: Lie) -> None:
        self.checker, self.lie, self.name = checker, lie, checker.name  # type: ignore[misc]

    def see(self, world: Any, moment: Moment) -> None:
        self.checker.see(world, self.lie(world, moment))


def run(*checkers: Checker, seed: int = 3, blocks: int = 8) -> Found | None:
    """What is found in a league of two nodes."""
    plan = draw_plan(seed, "calm", blocks=blocks, validators=2)
    return SimulatedNetwork(plan=plan, checkers=checkers).run().found


def deceive(checker: Checker, lie: Lie) -> Found:
    """What it finds, which must be of its own name."""
    found = run(Deceived(checker, lie))
    assert found is not None, "the lie was not found"
    assert found.checker == checker.name
    return found


def change(kind: type[Moment], **changes: Any) -> Lie:
    """Moments of a kind, of the liar where they have one and at one height where they have one."""

    def lie(_world: Any, moment: Moment) -> Moment:
        is_his = getattr(moment, "node", LIAR) == LIAR
        is_now = getattr(moment, "height", HEIGHT) == HEIGHT
        if isinstance(moment, kind) and is_his and is_now:
            return msgspec.structs.replace(moment, **changes)
        return moment

    return lie


def at(kind: type[Moment], act: Callable[[LedgerNode], None]) -> Lie:
    """Do something to the liar's node before the checker looks at such a moment."""

    def lie(world: Any, moment: Moment) -> Moment:
        ledger = world.nodes[int(LIAR) - 1].ledger
        if isinstance(moment, kind) and ledger is not None and world.height >= HEIGHT:
            act(ledger)
        return moment

    return lie


@pytest.mark.slow
def test_nothing_is_found_in_a_calm_run() -> None:
    assert run(*build_checkers()) is None


# --- C1, C2, C4, C5 ---


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"app_hash": bytes(32)}, {"results": (b"x",)}, {"updates": ((bytes(32), 1),)}],
    ids=str,
)
def test_c1_finds_a_node_that_says_something_else(changes: dict[str, Any]) -> None:
    assert "block 5" in deceive(Agreement(), change(Executed, **changes)).text


@pytest.mark.slow
def test_c1_finds_a_header_that_says_something_else() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, Executed) and moment.height == HEIGHT:
            return msgspec.structs.replace(moment, app_hash=bytes(32))
        return moment

    assert "header 6" in deceive(Agreement(), lie).text


@pytest.mark.slow
def test_c2_finds_a_node_that_forgot_what_it_committed() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        is_his = isinstance(moment, Committed) and moment.node == LIAR and moment.height == HEIGHT
        return Started(LIAR, HEIGHT - 1, b"") if is_his else moment

    assert "committed block 5 and came back with 4" in deceive(Finality(), lie).text


@pytest.mark.slow
def test_c2_finds_another_height_of_a_transaction() -> None:
    def act(ledger: LedgerNode) -> None:
        status = ledger.status
        ledger.status = lambda transaction: msgspec.structs.replace(  # type: ignore[method-assign]
            status(transaction), height=99
        )

    assert "committed 99" in deceive(Finality(), at(End, act)).text


@pytest.mark.slow
def test_c4_finds_a_vote_of_one_against_all() -> None:
    deceive(Verdict(), change(Judged, accepted=False))


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"height": 999}, {"height": 3}, {"root": bytes(32)}], ids=str)
def test_c5_finds_a_start_from_elsewhere(changes: dict[str, Any]) -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, Committed) and moment.node == LIAR and moment.height == HEIGHT:
            world.nodes[1].committed = 1 if changes == {"height": 3} else HEIGHT
            true = Started(LIAR, HEIGHT, world.nodes[1].ledger.application.storage.root)
            return msgspec.structs.replace(true, **changes)
        return moment

    deceive(Start(), lie)


@pytest.mark.slow
def test_c5_finds_records_that_are_not_those_of_the_root() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, Committed) and moment.node == LIAR and moment.height == HEIGHT:
            storage = world.nodes[1].ledger.application.storage
            batch = storage._store.batch()
            batch.put("records", b"tally/tally/invented", b"{}")
            storage._store.commit(batch)
            return Started(LIAR, HEIGHT, storage.root)
        return moment

    assert "damaged" in deceive(Start(), lie).text


# --- C3, C6, C10 ---


@pytest.mark.slow
def test_c3_finds_roots_that_the_kernel_does_not_give() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, Executed) and moment.height == HEIGHT:
            return msgspec.structs.replace(moment, app_hash=bytes(32))
        return moment

    assert "block 5" in deceive(Kernel(elsewhere=False), lie).text


@pytest.mark.slow
def test_c3_finds_another_interpreter_that_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(Kernel()) is None
    program = "import sys\nfor _ in sys.stdin: print('0' * 64, flush=True)"
    monkeypatch.setattr(reference, "COMMAND", [sys.executable, "-c", program])
    found = run(Kernel())
    assert found is not None
    assert "another interpreter has other results" in found.text
    monkeypatch.setattr(reference, "COMMAND", [sys.executable, "-c", ""])
    found = run(Kernel())
    assert found is not None
    assert "could not" in found.text


@pytest.mark.slow
def test_c6_finds_a_door_that_takes_what_it_may_not() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, Answered):
            bad = [each.number for each in world.plan.workload if each.kind == "foreign"]
            if moment.act in bad:
                return msgspec.structs.replace(moment, code="", id="00")
        return moment

    found = run(Deceived(Admission(), lie), seed=4, blocks=20)
    assert found is not None
    assert "foreign" in found.text


class Blocks(Admission):
    """C6 that is shown other blocks than there are."""

    def __init__(self, twist: Callable[[Any], list[Any]]) -> None:
        super().__init__()
        self.twist = twist

    def look(self, world: Any, block: Any) -> None:
        for each in self.twist(block):
            super().look(world, each)


def move(block: Any, by: int) -> Any:
    head = msgspec.structs.replace(block.head, height=block.height + by)
    return msgspec.structs.replace(block, head=head)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("twist", "words"),
    [
        (lambda block: [block, block], "again in block"),
        (lambda block: [move(block, 1_000)], "of expiry"),
        (lambda block: [move(block, -20_000)], "of expiry"),
    ],
)
def test_c6_finds_what_was_executed_twice_or_too_late(twist: Any, words: str) -> None:
    found = run(Blocks(twist))
    assert found is not None
    assert words in found.text


@pytest.mark.slow
def test_c10_finds_receipts_that_do_not_come_to_the_state() -> None:
    class Forgetful(Books):
        def _add(self, event: Any) -> None:
            """An auditor who was shown nothing."""

    found = run(Forgetful())
    assert found is not None
    assert "receipts say" in found.text


@pytest.mark.slow
def test_c10_finds_a_record_that_no_accepted_message_wrote() -> None:
    class Strange(Books):
        def look(self, world: Any, block: Any) -> None:
            changes = (*block.changes, (b"food_trace/event/x", b"{}"))
            super().look(world, msgspec.structs.replace(block, changes=changes))

    found = run(Strange())
    assert found is not None
    assert "food_trace/event/x" in found.text


@pytest.mark.slow
def test_c10_finds_a_broken_invariant() -> None:
    def act(ledger: LedgerNode) -> None:
        storage = ledger.application.storage
        storage._hidden = {b"tally/total/total": b'{"id":"total","v":1,"value":1}'}

    assert "tally T1" in deceive(Books(), at(End, act)).text


# --- C7, C8, C9 ---


@pytest.mark.slow
def test_c7_finds_a_proof_of_something_else() -> None:
    def act(ledger: LedgerNode) -> None:
        prove = ledger.application.storage.prove
        ledger.prove = lambda key: (b'{"v":2}', *prove(key)[1:])  # type: ignore[method-assign]

    assert "does not hold" in deceive(Proofs(), at(End, act)).text


@pytest.mark.slow
def test_c7_finds_a_proof_that_no_header_names() -> None:
    def act(ledger: LedgerNode) -> None:
        prove = ledger.application.storage.prove
        ledger.prove = lambda key: (*prove(key)[:2], ledger.height)  # type: ignore[method-assign]

    assert "proves the state" in deceive(Proofs(), at(End, act)).text


@pytest.mark.slow
def test_c7_finds_a_commit_that_is_not_the_final_one() -> None:
    def act(ledger: LedgerNode) -> None:
        storage = ledger.application.storage
        seal = storage.seal

        def other(height: int) -> Any:
            found = seal(height)
            assert found is not None
            return msgspec.structs.replace(
                found, commit=msgspec.structs.replace(found.commit, round=7)
            )

        storage.seal = other  # type: ignore[method-assign]

    assert "another seal" in deceive(Proofs(), at(Committed, act)).text


@pytest.mark.slow
def test_c8_finds_rows_that_are_not_those_of_the_blocks() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, End):
            with world.nodes[1].index.engine.begin() as connection:
                connection.execute(text("UPDATE records SET value = value || ' '"))
        return moment

    assert "table records" in deceive(ReadModel(), lie).text


@pytest.mark.slow
def test_c8_finds_a_read_model_ahead_of_its_node_and_one_with_a_fault() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, Followed) and moment.node == LIAR:
            world.nodes[1].index.height += 1_000
        return moment

    assert "its rows at" in deceive(ReadModel(), lie).text
    fault = change(Followed, fault="index.two_writers")
    assert "index.two_writers" in deceive(ReadModel(), fault).text


@pytest.mark.slow
def test_c9_finds_a_block_that_is_shown_before_it_is_durable() -> None:
    def act(ledger: LedgerNode) -> None:
        ledger.application.storage._hidden = {}

    assert "before it is durable" in deceive(Durability(), at(Visible, act)).text


# --- C11 to C14 ---


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (Offered(LIAR, False, "ACCEPT"), "altered offer"),
        (Chunk(LIAR, "3", 0, False, "ACCEPT"), "altered and taken"),
        (Chunk(LIAR, "3", 0, False, "RETRY"), "not named"),
        (Chunk(LIAR, "3", 0, True, "RETRY", ("3",)), "is true and was answered RETRY"),
        (Chunk(LIAR, "3", 0, True, "ACCEPT", ("3",)), "its sender was refused"),
    ],
)
def test_c11_finds_chunks_that_are_judged_wrongly(moment: Moment, words: str) -> None:
    def lie(_world: Any, seen: Moment) -> Moment:
        return moment if isinstance(seen, Committed) else seen

    assert words in deceive(Chunks(), lie).text


@pytest.mark.slow
def test_c12_finds_a_transaction_that_a_node_forgot() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        for ledger in [each.ledger for each in world.nodes if each.ledger is not None]:
            if isinstance(moment, Executed) and len(ledger._pool):
                ledger._pool.discard(list(ledger._pool._waiting))
        return moment

    assert "forgot it" in deceive(Liveness(), lie).text


@pytest.mark.slow
def test_c12_finds_a_node_that_stays_behind_or_down() -> None:
    def act(ledger: LedgerNode) -> None:
        ledger.application.storage._position = msgspec.structs.replace(
            ledger.application.storage._position, height=1
        )

    assert "ends at block 1 of" in deceive(Liveness(), at(End, act)).text

    def lie(world: Any, moment: Moment) -> Moment:
        if isinstance(moment, End):
            world.nodes[1].stop()
        return moment

    assert "is down at the end" in deceive(Liveness(), lie).text


@pytest.mark.slow
def test_c12_finds_an_engine_that_was_not_given_its_transactions_again() -> None:
    def lie(world: Any, moment: Moment) -> Moment:
        node = world.nodes[1]
        if isinstance(moment, Committed) and moment.node == LIAR and moment.height == HEIGHT:
            return Started(LIAR, HEIGHT, b"")
        if isinstance(moment, Followed) and moment.node == LIAR:
            lost = Waiting(id=bytes(32), data=b"lost", lane="", is_taken=True)
            node.ledger._pool._waiting[lost.id] = lost
        return moment

    assert "was not given" in deceive(Liveness(), lie).text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (Stopped(LIAR, StorageError("the disk is full", "Make room.")), "nothing allows it"),
        (Stopped(LIAR, ZeroDivisionError(), "disk_full"), "without a cure"),
        (Stopped(LIAR, None, "disk_full"), "without a cure"),
    ],
)
def test_c13_finds_ends_that_nothing_allows(moment: Moment, words: str) -> None:
    def lie(_world: Any, seen: Moment) -> Moment:
        return moment if isinstance(seen, Committed) else seen

    assert words in deceive(Stops(), lie).text


@pytest.mark.slow
def test_c14_finds_a_thread_and_what_is_left_in_a_pool() -> None:
    waiting, ended = threading.Event(), []

    def lie(_world: Any, moment: Moment) -> Moment:
        if isinstance(moment, End):
            ended.append(threading.Thread(target=waiting.wait))
            ended[-1].start()
        return moment

    try:
        assert "a thread was started" in deceive(Remains(), lie).text
    finally:
        waiting.set()
        for each in ended:
            each.join()

    def act(ledger: LedgerNode) -> None:
        ledger._pool._waiting[bytes(32)] = None  # type: ignore[assignment]

    assert "1 transactions in its pool" in deceive(Remains(), at(End, act)).text


@pytest.mark.slow
def test_c14_finds_a_time_that_does_not_grow() -> None:
    def lie(_world: Any, moment: Moment) -> Moment:
        is_later = isinstance(moment, Decided) and moment.height == HEIGHT
        return Decided(HEIGHT - 2) if is_later else moment

    assert "block 3 has" in deceive(Remains(), lie).text
