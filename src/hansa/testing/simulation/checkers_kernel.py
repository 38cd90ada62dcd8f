"""Whether what nodes call state is what the blocks lead to: C3 kernel, C6 admission, C10 books.

Each keeps books of its own, from blocks and receipts. Reads nodes' storage; starts one interpreter.
"""

from collections import Counter
from typing import Final

import msgspec

from hansa.apps.e_invoice.model import Credited, Invoice, Reimbursement
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.model import compute_state_key
from hansa.ledger.receipts import INVALID, OK, EventOut, TransactionResult, encode_exec_tx_result
from hansa.ledger.state import Reader, scan_records
from hansa.ledger.system import (
    Activation,
    BlockRecord,
    Deadline,
    Freeze,
    Liveness,
    Seen,
    Usage,
)
from hansa.ledger.transactions import SignedTransaction, decode_transaction
from hansa.node.blocks import StoredBlock
from hansa.node.storage import Storage
from hansa.primitives.limits import EXPIRY_WINDOW
from hansa.testing.simulation.checkers import (
    Answered,
    Checker,
    Committed,
    End,
    Executed,
    Moment,
    World,
    find_node,
    get_storage,
    is_drawn,
    list_running,
)
from hansa.testing.simulation.reference import (
    Question,
    Reference,
    ask_elsewhere,
    compute_digest,
)
from hansa.testing.simulation.workload import BLOCK_SAYS, DOOR_SAYS
from hansa.testing.simulation.workload_league import build_applications
from hansa.testing.simulation.workload_tally import NAME as TALLY
from hansa.testing.simulation.workload_tally import Tally

ALL: Final = 100_000
BLOCKS_AT_ONCE: Final = 10
# What the kernel itself writes, whatever messages do.
_KERNEL: Final = tuple(
    compute_state_key(kind.OWNER, kind.KIND, ())
    for kind in (Activation, BlockRecord, Deadline, Freeze, Liveness, Seen, Usage)
)


class FirstCommits(Checker):
    """A checker that looks at each block once: as the first honest node has it."""

    storage: Storage

    def __init__(self) -> None:
        self._height = 0

    def see(self, world: World, moment: Moment) -> None:
        """Hand each next block on."""
        if isinstance(moment, Committed) and moment.height == self._height + 1:
            node = find_node(world, moment.node)
            if node.is_honest and node.ledger is not None:
                self.storage = get_storage(node.ledger)
                block = self.storage.block(moment.height)
                if block is not None:
                    self._height = moment.height
                    self.look(world, block)

    def look(self, world: World, block: StoredBlock) -> None:
        """A block that was not seen before; `storage` is that of a node that has it last. Raises
        Found.
        """
        raise NotImplementedError


class Kernel(Checker):
    """C3: the kernel alone, fed from the consensus's own books, gives the same roots, results and
    updates; so it does in another interpreter.
    """

    name = "C3"

    def __init__(self, *, elsewhere: bool = True) -> None:
        self._elsewhere = elsewhere
        self._said: dict[int, Executed] = {}
        self._reference: Reference | None = None
        self._blocks: list[Block] = []
        self._results: list[BlockResult] = []

    def see(self, world: World, moment: Moment) -> None:
        """Execute ten blocks at a time, and what is left at the end."""
        if isinstance(moment, Executed) and find_node(world, moment.node).is_honest:
            self._said.setdefault(moment.height, moment)
            if moment.height % BLOCKS_AT_ONCE == 0:
                self._catch_up(world, moment.height - 1)
        elif isinstance(moment, End):
            self._catch_up(world, world.height)
            if self._elsewhere:
                self._ask_elsewhere(world)

    def _catch_up(self, world: World, height: int) -> None:
        reference = self._reference
        if reference is None:
            reference = self._reference = Reference(world.genesis, world.registry)
        while reference.height < height:
            block = world.decided(reference.height + 1).block
            result = reference.execute(block)
            self._blocks.append(block)
            self._results.append(result)
            said = self._said.pop(block.height, None)
            if said is not None:
                self._compare(said, result)

    def _compare(self, said: Executed, result: BlockResult) -> None:
        where = f"block {said.height} on {said.node}"
        leaves = tuple(encode_exec_tx_result(each) for each in result.results)
        updates = tuple((each.public_key, each.power) for each in result.validator_updates)
        self.need(leaves == said.results, f"{where}: other results than the kernel's")
        self.need(updates == said.updates, f"{where}: other validator updates than the kernel's")
        root = result.state_root
        is_same = root == said.app_hash
        self.need(is_same, f"{where}: {said.app_hash.hex()[:16]}, the kernel has {root.hex()[:16]}")

    def _ask_elsewhere(self, world: World) -> None:
        newest = max(version for name, version in world.registry.contracts if name == TALLY)
        question = Question(world.genesis, newest, tuple(self._blocks))
        try:
            digest = ask_elsewhere(question)
        except OSError as error:
            self.fail(f"another interpreter could not execute the blocks: {error}")
        self.need(digest == compute_digest(self._results), "another interpreter has other results")


class Admission(FirstCommits):
    """C6: no id is executed twice, none after its expiry or too far before it; a member spends no
    more than it may; bad acts get the answers that are written beside them.
    """

    name = "C6"

    def __init__(self) -> None:
        super().__init__()
        self._executed: dict[bytes, int] = {}
        self._kinds: dict[bytes, str] = {}
        self._spent: Counter[tuple[str, int]] = Counter()
        self._ended: dict[str, int] = {}

    def see(self, world: World, moment: Moment) -> None:
        """Answers of doors as well as blocks."""
        if isinstance(moment, Answered):
            self._check_answer(world, moment)
        super().see(world, moment)

    def _check_answer(self, world: World, answered: Answered) -> None:
        kind = next((a.kind for a in world.plan.workload if a.number == answered.act), "")
        self._kinds.setdefault(answered.data, kind)
        is_judged = answered.code == "" or answered.code.startswith("ledger.")
        if not is_judged or kind not in DOOR_SAYS:
            return
        code, node = answered.code or "taken", answered.node
        is_known = answered.code in DOOR_SAYS[kind]
        self.need(is_known, f"the door of {node} says {code} to act {answered.act}: {kind}")
        ledger = find_node(world, node).ledger
        if ledger is not None and not answered.code:
            is_there = ledger._pool.holds(bytes.fromhex(answered.id), answered.data)
            self.need(not is_there, f"node {node} keeps the bytes of act {answered.act}: {kind}")

    def look(self, world: World, block: StoredBlock) -> None:
        """Each transaction of a block, with its result."""
        for data, result in zip(block.transactions, block.results.results, strict=True):
            kind = self._kinds.get(data, "")
            if result.code == INVALID:
                continue
            # What was too far at the door may come into its window later (`_check_window`).
            is_bad = kind in DOOR_SAYS and kind != "far"
            self.need(not is_bad, f"block {block.height} executed an act that is {kind}")
            transaction = decode_transaction(data)
            self._check_window(world, transaction, block.height)
            self._check_keys(transaction, block.height)
            self._check_quota(world, transaction, result, block)
            self._check_codes(kind, result)
        for each in block.results.results:
            for message in each.messages:
                self._note_keys(message.events)

    def _check_window(self, world: World, transaction: SignedTransaction, height: int) -> None:
        payload, known = transaction.payload, self._executed.get(transaction.id)
        name = transaction.hex_id[:16]
        self.need(known is None, f"{name} is in block {known} and again in block {height}")
        self._executed[transaction.id] = height
        is_within = height <= payload.expiry <= height + EXPIRY_WINDOW
        self.need(is_within, f"{name} of expiry {payload.expiry} is in block {height}")
        self.need(payload.chain == world.genesis.chain, f"{name} is of chain {payload.chain}")

    def _note_keys(self, events: tuple[EventOut, ...]) -> None:
        for event in events:
            if event.type == "KeyEnded":
                body = msgspec.json.decode(event.body)
                self._ended[f"{body['account']}#{body['key_id']}"] = body["until"]

    def _check_keys(self, transaction: SignedTransaction, height: int) -> None:
        for kid in transaction.payload.signers:
            until = self._ended.get(kid, height + 1)
            self.need(height < until, f"block {height}: signed by {kid}, which ended at {until}")

    def _check_quota(
        self,
        world: World,
        transaction: SignedTransaction,
        result: TransactionResult,
        block: StoredBlock,
    ) -> None:
        """By genesis: allowances and the length of windows never change in this workload."""
        did = transaction.payload.signers[0].partition("#")[0]
        allowed = world.genesis.contracts.get("quotas", {}).get("allowances", {}).get(did)
        if allowed is None:
            return
        window = (did, block.time_ms // 60_000)
        self._spent[window] += result.cost
        spent = self._spent[window]
        self.need(spent <= allowed, f"{did} spent {spent} of {allowed} by block {block.height}")

    def _check_codes(self, kind: str, result: TransactionResult) -> None:
        if kind not in BLOCK_SAYS:
            return
        for message in result.messages:
            is_known = message.code in BLOCK_SAYS[kind]
            self.need(is_known, f"{result.id[:16]} is {kind}, and the block says {message.code}")


class Books(FirstCommits):
    """C10: what applications call invariant holds in committed state; what receipts told comes to
    what is there; a message that was rejected left nothing.
    """

    name = "C10"

    def __init__(self) -> None:
        super().__init__()
        self._sums: Counter[str] = Counter()

    def see(self, world: World, moment: Moment) -> None:
        """Every block, and every node at the end."""
        super().see(world, moment)
        if isinstance(moment, End):
            for node, ledger in list_running(world):
                storage = get_storage(ledger)
                self._check_invariants(storage, f"node {node.name} at the end")
                if storage.height == self._height:
                    self._check_sums(storage, f"node {node.name} at the end")

    def look(self, world: World, block: StoredBlock) -> None:
        """Add the block's receipts to the books; compare them with the state now and then."""
        results = block.results
        messages = [message for each in results.results for message in each.messages]
        for message in (*messages, *results.deadlines):
            if message.code == OK:
                for event in message.events:
                    self._add(event)
        self._check_traces(block)
        if is_drawn(world, "books", block.height):
            self._check_sums(self.storage, f"block {block.height}")
            self._check_invariants(self.storage, f"block {block.height}")

    def _add(self, event: EventOut) -> None:
        body = msgspec.json.decode(event.body)
        if event.type == "InvoiceIssued":
            self._sums[f"issued {body['currency']}"] += body["with_vat"]
        elif event.type == "InvoiceCredited":
            self._sums["credited"] += body["amount"]
        elif event.type == "InvoiceReimbursed":
            self._sums["paid"] += body["amount"]
        elif event.type == "ReimbursementReversed":
            self._sums["paid"] -= body["amount"]
        elif event.type == "Tallied":
            self._sums[f"tally {body['id']}"] += body["by"]

    def _check_sums(self, state: Reader, where: str) -> None:
        found: Counter[str] = Counter()
        for invoice in scan_records(state, "e_invoice", Invoice, limit=ALL):
            content = invoice.content
            found[f"issued {content.currency}"] += content.totals.with_vat
        for credited in scan_records(state, "e_invoice", Credited, limit=ALL):
            found["credited"] += credited.total
        for paid in scan_records(state, "e_invoice", Reimbursement, limit=ALL):
            found["paid"] += 0 if paid.reversed_height else paid.amount
        for tally in scan_records(state, TALLY, Tally, limit=ALL):
            found[f"tally {tally.id}"] += tally.value
        for what in sorted({*self._sums, *found}):
            told, there = self._sums[what], found[what]
            self.need(told == there, f"{where}: receipts say {what} {told}, the state {there}")

    def _check_invariants(self, state: Reader, where: str) -> None:
        for application in build_applications():
            for invariant in application.invariants:
                broken = invariant.check(state)
                self.need(not broken, f"{where}: {application.name} {invariant.id}: {broken[:1]}")

    def _check_traces(self, block: StoredBlock) -> None:
        """Records change only where a message was accepted; governance acts in others' names."""
        results = block.results
        messages = [message for each in results.results for message in each.messages]
        done = [each.type for each in (*messages, *results.deadlines) if each.code == OK]
        apps = {name.partition("/")[0] for name in done}
        if "governance" in apps or any("Misbehaviour" in name for name in done):
            return
        for key, _value in block.changes:
            owner = key.decode().partition("/")[0]
            is_kernels = key.startswith(_KERNEL)
            self.need(
                owner in apps or is_kernels,
                f"block {block.height} changed {key.decode()}, but accepted only {sorted(apps)}",
            )
