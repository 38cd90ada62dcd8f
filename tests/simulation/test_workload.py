"""The workload: its acts do what they say, and the ledger answers the bad ones as is written."""

from collections import Counter

import pytest

from hansa.catalog import load_applications
from hansa.crypto.signatures import verify_signature
from hansa.ledger.admission import check_transaction
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.receipts import INVALID, OK
from hansa.ledger.rejections import Rejection
from hansa.ledger.state import MemoryState
from hansa.ledger.transactions import decode_transaction
from hansa.testing.chain import make_key
from hansa.testing.simulation.plan import BLOCK_MS, CHAIN, START_MS, Act
from hansa.testing.simulation.workload import BLOCK_SAYS, DOOR_SAYS, Workload, draw_acts
from hansa.testing.simulation.workload_acts import ACTS
from hansa.testing.simulation.workload_bad import sign_otherwise

NODES = 5


class Door:
    """One ledger without an engine: a door, and a block of all that it let in."""

    def __init__(self) -> None:
        self.work = Workload(CHAIN, START_MS, 4, NODES)
        self.state = MemoryState()
        changes = compute_genesis_changes(self.work.genesis, self.work.registry)
        self.state.apply_genesis(changes, START_MS)
        self.waiting: list[bytes] = []
        self.codes: dict[str, Counter[str]] = {}
        self.kinds: dict[bytes, str] = {}
        self.invalid: set[str] = set()
        self.written: set[str] = set()

    def offer(self, act: Act) -> str:
        """What the door says."""
        data = self.work.sign(act, self.state.height, self.state.time_ms)
        try:
            identity = decode_transaction(data).id
            check_transaction(
                self.state,
                data,
                self.work.registry,
                chain=CHAIN,
                height=self.state.height + 1,
                time_ms=self.state.time_ms + 1,
                has_seen=self.state.has_seen(identity),
            )
        except Rejection as rejection:
            return rejection.code
        self.waiting.append(data)
        self.kinds.setdefault(data, act.kind)
        return ""

    def block(self) -> BlockResult:
        """Execute what waits."""
        height = self.state.height + 1
        block = Block(
            chain=CHAIN,
            height=height,
            time_ms=START_MS + height * BLOCK_MS,
            hash=bytes(32),
            transactions=tuple(self.waiting),
        )
        result = execute_block(self.state, block, self.work.registry)
        self.state.apply(block, result)
        for data, each in zip(self.waiting, result.results, strict=True):
            counter = self.codes.setdefault(self.kinds[data], Counter())
            counter.update(message.code for message in each.messages)
            self.written |= {m.type.partition("/")[0] for m in each.messages if m.code == OK}
            if each.code == INVALID:
                self.invalid.add(each.messages[0].code)
        self.waiting = []
        return result


def run(seed: int, count: int = 400, blocks: int = 60) -> tuple[Door, Counter[tuple[str, str]]]:
    door, said = Door(), Counter[tuple[str, str]]()
    acts = list(draw_acts(seed, count, blocks, NODES))
    for height in range(1, blocks + 1):
        while acts and acts[0].at_ms < height * BLOCK_MS:
            act = acts.pop(0)
            said[act.kind, door.offer(act)] += 1
        door.block()
    return door, said


def test_the_same_seed_gives_the_same_acts_and_the_same_bytes() -> None:
    assert draw_acts(5, 50, 20, 4) == draw_acts(5, 50, 20, 4) != draw_acts(6, 50, 20, 4)
    work = [Workload(CHAIN, START_MS, 4, NODES) for _ in range(2)]
    for act in draw_acts(5, 50, 20, 4):
        first, second = (each.sign(act, 3, START_MS) for each in work)
        assert first == second


def test_another_signature_of_the_same_key_holds_as_well() -> None:
    key = make_key("somebody")
    other = sign_otherwise(key, b"message")
    assert other != key.sign(b"message")
    verify_signature(key.public, b"message", other)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_good_acts_succeed_and_bad_ones_get_the_code_that_is_written(seed: int) -> None:
    door, said = run(seed)
    for (kind, code), _count in said.items():
        assert code in DOOR_SAYS.get(kind, (code,)), (kind, code)
        # Else a copy of it would be told so, too, in place of what is wrong with a copy.
        assert kind in DOOR_SAYS or code != "ledger.malformed", kind
    for kind, codes in BLOCK_SAYS.items():
        assert set(door.codes.get(kind, ())) <= {*codes, "ledger.already_seen"}, kind
    reached = {kind for kind, codes in door.codes.items() if codes[OK]}
    wanted = {"open", "issue", "step", "add", "add_and_refuse", "take", "add_later", "contact"}
    assert wanted <= reached, wanted - reached
    refused = {kind for kind, code in said if code and kind in DOOR_SAYS}
    assert len(refused) > len(DOOR_SAYS) // 2


@pytest.mark.slow
def test_people_do_something_in_every_application_of_the_catalog() -> None:
    """Else its invariants would be checked where nothing is."""
    written = set().union(*(run(seed)[0].written for seed in range(1, 6)))
    for each in load_applications():
        if any(not message.INTERNAL for message in each.messages):
            assert each.name in written


@pytest.mark.slow
def test_later_acts_meet_what_earlier_ones_began() -> None:
    door, _said = run(1, count=800)
    for kind in ("capture", "recall", "use", "access", "witness", "status", "accredit"):
        assert door.codes[kind][OK], (kind, door.codes[kind])


def test_every_kind_of_act_can_be_signed() -> None:
    work = Workload(CHAIN, START_MS, 4, NODES)
    args: dict[str, int | str] = {"by": 2, "tally": 1, "validator": 1, "invoice": 3, "of": 1}
    for number, kind in enumerate([*ACTS, *DOOR_SAYS, *BLOCK_SAYS, "twin", "again"], 1):
        assert work.sign(Act(number, kind, 0, 1, args), 5, START_MS)


def test_a_copy_has_the_id_and_not_the_bytes() -> None:
    work = Workload(CHAIN, START_MS, 4, NODES)
    true = work.sign(Act(1, "contact", 0, 1), 5, START_MS)
    for kind in ("twin", "spoilt"):
        copy = work.sign(Act(2, kind, 0, 1, {"of": 1}), 5, START_MS)
        assert copy != true
        assert decode_transaction(copy).id == decode_transaction(true).id
    assert work.sign(Act(3, "again", 0, 1, {"of": 1}), 5, START_MS) == true


def test_nothing_that_the_door_let_in_is_invalid_but_by_what_stood_before_it() -> None:
    door, _said = run(3, count=150, blocks=30)
    within = {"ledger.already_seen", "ledger.frozen", "ledger.quota_spent", "ledger.unknown_signer"}
    assert door.invalid <= within


def test_validators_change_in_some_runs() -> None:
    kinds = [{act.kind for act in draw_acts(seed, 20, 20, NODES)} for seed in range(9)]
    assert 0 < sum("resign" in each for each in kinds) < len(kinds)
