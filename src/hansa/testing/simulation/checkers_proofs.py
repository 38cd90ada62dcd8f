"""Whether what nodes prove convinces a stranger, and nothing else does: C7 proofs.

The stranger has the genesis document and `client.verify`. Asks nodes as a gateway does.
"""

from collections.abc import Sequence
from typing import Final

from hansa.client.receipts import (
    ProvenRecord,
    Sealed,
    Standing,
    build_proof,
    build_receipt,
    encode_file,
    prove_record,
)
from hansa.client.record_kinds import find_record
from hansa.client.trust import TrustRoot, build_trust_root
from hansa.client.verify import verify_receipt
from hansa.comet.light import LightBlock, LightError, find_path
from hansa.comet.wire import Timestamp
from hansa.encoding.canonical import decode_typed
from hansa.ledger.genesis import encode_genesis
from hansa.ledger.model import Record, compute_state_key
from hansa.ledger.receipts import INVALID
from hansa.ledger.system import Account, BlockRecord, Member
from hansa.ledger.transactions import decode_transaction
from hansa.node.ledger_node import LedgerNode
from hansa.testing.simulation.checkers import (
    Checker,
    Committed,
    Crashed,
    End,
    Moment,
    NodeView,
    World,
    draw,
    find_node,
    get_storage,
    list_running,
)
from hansa.testing.simulation.workload_league import build_applications

# Bits of a file that are flipped: of one in each block, and of one of each node at the end. They
# lie evenly over the file and begin where the seed says: over many seeds, every bit has its turn.
FLIPPED, FLIPPED_AT_END = 2, 64
_HEADERS_MAX: Final = 100
_DAY_MS: Final = 86_400_000


def find_any_record(app: str, kind: str) -> type[Record]:
    """The catalog's kinds, and those of the simulation's own applications."""
    for application in build_applications():
        found = application.record(kind) if application.name == app else None
        if found is not None:
            return found
    return find_record(app, kind)


class Proofs(Checker):
    """C7: receipts, proofs of what is there and of what is not hold against the pinned genesis; a
    file with one bit changed does not. Seals are those that the next headers name.
    """

    name = "C7"

    def __init__(self) -> None:
        self._trust: TrustRoot | None = None
        self._sealed: dict[str, int] = {}

    def see(self, world: World, moment: Moment) -> None:
        """A block on one of the nodes; every node at the end."""
        if isinstance(moment, Crashed):
            self._sealed.pop(moment.node, None)
        elif isinstance(moment, Committed):
            node = find_node(world, moment.node)
            if node.is_honest and node.ledger is not None:
                self._check_seals(world, node, node.ledger)
                if draw(world, "prover", moment.height, len(world.nodes)) == int(node.name) - 1:
                    self._check_one(world, node, node.ledger, FLIPPED)
        elif isinstance(moment, End):
            for node, ledger in list_running(world):
                self._check_seals(world, node, ledger)
                self._check_one(world, node, ledger, FLIPPED_AT_END)

    def _check_seals(self, world: World, node: NodeView, ledger: LedgerNode) -> None:
        """Those that came since the last look: header and final commit as they were decided."""
        storage = get_storage(ledger)
        first = max(self._sealed.get(node.name, 0) + 1, storage.base)
        for height in range(first, ledger.sealed_height):
            seal, decided = storage.seal(height), world.decided(height)
            if seal is None:
                self.fail(f"node {node.name} forgot the seal of block {height}")
            is_same = (seal.header, seal.commit) == (decided.header, decided.commit)
            self.need(is_same, f"node {node.name} keeps another seal of block {height}")
            self._sealed[node.name] = height

    def _check_one(self, world: World, node: NodeView, ledger: LedgerNode, flipped: int) -> None:
        """One receipt, one record, one absence; some bits of one of the files."""
        if ledger.sealed_height < max(2, get_storage(ledger).base + 1):
            return
        files = [
            *self._prove(world, node, ledger, self._pick_key(world, ledger)),
            *self._prove(world, node, ledger, b"tally/tally/nothing"),
        ]
        if not files:
            return
        receipt = self._build_receipt(world, node, ledger)
        if receipt is not None:
            files.append(receipt)
        for file in files:
            outcome = self._judge(world, file)
            self.need(outcome == "yes", f"a file of node {node.name} does not hold: {outcome}")
        chosen = files[draw(world, f"file {node.name}", ledger.height, len(files))]
        step = 8 * len(chosen) // flipped
        for bit in range(draw(world, "bit", ledger.height, step), 8 * len(chosen), step):
            spoilt = bytearray(chosen)
            spoilt[bit // 8] ^= 1 << bit % 8
            outcome = self._judge(world, bytes(spoilt))
            self.need(outcome != "yes", f"a file of node {node.name} holds without its bit {bit}")

    def _judge(self, world: World, file: bytes) -> str:
        if self._trust is None:
            self._trust = build_trust_root(encode_genesis(world.genesis))
        newest = world.decided(world.height).header.time.ms
        now = Timestamp.from_ms(newest + _DAY_MS)
        verdict = verify_receipt(file, self._trust, find_any_record, now=now)
        if verdict.outcome == "yes":
            return "yes"
        last = verdict.steps[-1]
        return f"{verdict.outcome}, {last.name}: {last.text}"

    # --- files, as a gateway builds them ---

    def _pick_key(self, world: World, ledger: LedgerNode) -> bytes:
        """Of something that a block changed lately, else of an account."""
        storage = get_storage(ledger)
        for height in range(ledger.sealed_height - 1, max(0, storage.base - 1), -1):
            block = storage.block(height)
            if block is not None and block.changes:
                place = draw(world, "key", height, len(block.changes))
                return block.changes[place][0]
        did = world.genesis.contracts["accounts"]["accounts"][0]["did"]
        return compute_state_key(Account.OWNER, Account.KIND, (did,))

    def _prove(self, world: World, node: NodeView, ledger: LedgerNode, key: bytes) -> list[bytes]:
        """Nothing where no header proves the state yet, as after a start."""
        try:
            value, proof, height = ledger.prove(key)
        except LookupError:
            return []
        sealed = self._seal(world, node, ledger, height + 1)
        return [encode_file(build_proof(sealed, key=key, record=value, proof=proof))]

    def _seal(self, world: World, node: NodeView, ledger: LedgerNode, height: int) -> Sealed:
        """The header of `height`, which the node says it has, and those that lead there."""
        if self._trust is None:
            self._trust = build_trust_root(encode_genesis(world.genesis))

        def fetch(wanted: int) -> LightBlock:
            """From this node; from the others what it has pruned."""
            for holder in (ledger, *(each for _node, each in list_running(world))):
                try:
                    return LightBlock(
                        holder.commit(wanted), holder.header(wanted), holder.validators_at(wanted)
                    )
                except LookupError:
                    continue
            raise LookupError(f"nobody has the header of {wanted}")

        try:
            block = LightBlock(
                ledger.commit(height), ledger.header(height), ledger.validators_at(height)
            )
        except LookupError as error:
            self.fail(f"node {node.name} proves the state of block {height - 1}: {error}")
        try:
            path = find_path(fetch, self._trust.trusted(), block, length_max=_HEADERS_MAX)
        except LightError as error:
            self.fail(f"no headers lead to block {height} of node {node.name}: {error}")
        return Sealed(block.header, block.commit, block.validators, path)

    def _build_receipt(self, world: World, node: NodeView, ledger: LedgerNode) -> bytes | None:
        """Of a message of the last sealed block that has one."""
        storage = get_storage(ledger)
        for height in range(ledger.sealed_height - 1, max(0, storage.base - 1), -1):
            results = storage.results(height).results if storage.head(height) else ()
            if results:
                result = results[draw(world, "receipt", height, len(results))]
                place = storage.place(bytes.fromhex(result.id))
                if result.code == INVALID and (place is None or place.height != height):
                    return None
                return self._build_file(world, node, ledger, result.id)
        return None

    def _build_file(self, world: World, node: NodeView, ledger: LedgerNode, name: str) -> bytes:
        parts = ledger.receipt(name, 0)
        signed = None if parts.result.code == INVALID else decode_transaction(parts.transaction)
        keys = [_key(BlockRecord, f"{parts.height:012d}")]
        if signed is not None:
            did = signed.payload.signers[signed.messages[0].sender].partition("#")[0]
            account = decode_typed(ledger.state.get(_key(Account, did)) or b"", Account)
            keys += [_key(Account, did), _key(Member, account.member)]
        proven = [ledger.prove(key) for key in keys]
        records = [prove_record(value or b"null", proof) for value, proof, _height in proven]
        height = proven[0][2]
        file = build_receipt(
            self._seal(world, node, ledger, height + 1),
            height=parts.height,
            result=parts.result,
            index=0,
            block_results=parts.results,
            position=parts.index,
            message=bytes(signed.payload.messages[0]) if signed is not None else None,
            standing=_build_standing(records[1:]) if signed is not None else None,
            block=None if height == parts.height else records[0],
        )
        return encode_file(file)


def _build_standing(records: Sequence[ProvenRecord]) -> Standing:
    account, member = records
    return Standing(account=account, member=member)


def _key(kind: type[Record], *parts: str) -> bytes:
    return compute_state_key(kind.OWNER, kind.KIND, parts)
