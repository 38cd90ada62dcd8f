"""The state machine behind ABCI 2.0: what CometBFT asks, answered from the application.

Persists in Commit only. A bad transaction, proposal or peer is an answer; whatever is raised here
stops the node: NodeError, InvariantViolation.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import structlog

from hansa import __version__
from hansa.comet.abci import keys_pb2, validator_pb2
from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.handler import Handler
from hansa.ledger.admission import AlreadySeen, Expired
from hansa.ledger.blocks import Block, BlockResult, Misbehaviour
from hansa.ledger.genesis import Genesis
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import is_admitted
from hansa.ledger.transactions import Malformed, SignedTransaction
from hansa.node.abci_snapshots import SnapshotDesk
from hansa.node.application import LedgerApplication
from hansa.node.blocks import BlockHead
from hansa.node.faults import ForeignChainError
from hansa.node.proposals import choose_transactions, find_fault
from hansa.node.release import ComputeDigest, check_release
from hansa.node.sealer import APPLICATION_PROTOCOL
from hansa.node.storage import Storage
from hansa.primitives.limits import BLOCK_BYTES_MAX

REFUSED: Final = 1
_ADDRESS_SIZE: Final = 20
_FILTER_ID: Final = "/p2p/filter/id/"
_FILTER_ADDRESS: Final = "/p2p/filter/addr/"
_KINDS: Final = {
    abci.DUPLICATE_VOTE: "duplicate_vote",
    abci.LIGHT_CLIENT_ATTACK: "light_client_attack",
}
_Accept = abci.ResponseProcessProposal.ACCEPT
_Reject = abci.ResponseProcessProposal.REJECT
_TAKEN: Final = abci.ResponseCheckTx()
_NOTHING: Final = abci.ResponseCheckTx(code=REFUSED, codespace="hansa", log="no transaction")
_CURE: Final = (
    "Stop the node, move its folder engine/ away, and have it join again from the other nodes;"
    " keep the folder until then."
)

_log = structlog.get_logger("hansa.node")


class HandlerListener(msgspec.Struct, frozen=True):
    """Told from the engine's threads: a durable block, and what can no longer enter."""

    on_block: Callable[[BlockHead, BlockResult, Sequence[bytes]], None]
    on_refused: Callable[[bytes, bytes, Rejection], None]


class AbciHandler(Handler):
    """One node's answers. The server sees to it that no two of consensus and mempool overlap."""

    def __init__(
        self,
        application: LedgerApplication,
        genesis: Genesis,
        genesis_digest: bytes,
        listener: HandlerListener,
        desk: SnapshotDesk,
        *,
        clock: Callable[[], int],
        compute_digest: ComputeDigest | None = None,
        is_trusted: Callable[[str], bool] = lambda _node: False,
    ) -> None:
        """`is_trusted`: of a node id, while this node's own state is too old to judge it."""
        self._application = application
        self._genesis, self._genesis_digest = genesis, genesis_digest
        self._listener, self._desk = listener, desk
        self._clock = clock
        self._compute_digest = compute_digest
        self._is_trusted = is_trusted
        self._released = 0
        self._decided: tuple[Block, BlockResult] | None = None
        # What our last proposal left out: the next recheck asks again, and drops it if it must.
        self._refused: set[bytes] = set()

    def info(self, request: abci.RequestInfo) -> abci.ResponseInfo:
        """What is on the disk: nothing that Commit has not finished."""
        storage = self._application.storage
        height, root = _read_position(storage)
        _log.info("engine_connected", engine=request.version, height=height)
        return abci.ResponseInfo(
            data="hansa",
            version=__version__,
            app_version=APPLICATION_PROTOCOL,
            last_block_height=height,
            last_block_app_hash=root if height else b"",
        )

    def init_chain(self, request: abci.RequestInitChain) -> abci.ResponseInitChain:
        """The home was made with its genesis state: compare, change nothing."""
        storage, genesis = self._application.storage, self._genesis
        if storage.height:
            raise ForeignChainError("the engine begins anew, the ledger does not", _CURE)
        try:
            digest = json.loads(request.app_state_bytes)["genesis"]
        except (ValueError, TypeError, KeyError):
            digest = ""
        powers = {each.key.raw: each.power for each in genesis.validators}
        found = {each.pub_key.ed25519: each.power for each in request.validators}
        if (digest, request.chain_id, request.initial_height, found) != (
            self._genesis_digest.hex(),
            genesis.chain,
            1,
            powers,
        ):
            raise ForeignChainError("the engine's genesis is not that of the ledger", _CURE)
        return abci.ResponseInitChain(app_hash=storage.root)

    def query(self, request: abci.RequestQuery) -> abci.ResponseQuery:
        """Whether a peer may connect; the ledger itself is read at the gateway."""
        path = request.path
        if path.startswith(_FILTER_ADDRESS):  # an address says nothing: a node is known by its key
            return abci.ResponseQuery()
        if not path.startswith(_FILTER_ID):
            return abci.ResponseQuery(code=REFUSED, log="ask the gateway")
        node = path.removeprefix(_FILTER_ID)
        if self.admits(node):
            return abci.ResponseQuery()
        _log.warning("peer_refused", node=node[:40])
        return abci.ResponseQuery(code=REFUSED, log="not a node of a member in good standing")

    def admits(self, node: str) -> bool:
        """Whether a node (hex id) may be connected: as at the last height, so that who leaves is
        cut off only when the engine no longer counts its vote.
        """
        storage = self._application.storage
        return is_admitted(storage, node, storage.height) or self._is_trusted(node)

    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        """At the engine's own door, and again after each block for what waits in its pool."""
        data = request.tx
        if not data:  # how the feeder has the engine pass on what it was given
            return _NOTHING
        try:
            transaction = self._application.verified.decode(data)
        except Malformed as rejection:
            return _refuse(rejection)
        try:
            if request.type == abci.RECHECK:
                self._recheck(data, transaction)
            else:
                self._check(data, transaction)
        except Rejection as rejection:
            self._listener.on_refused(transaction.id, data, rejection)
            return _refuse(rejection)
        return _TAKEN

    def _check(self, data: bytes, transaction: SignedTransaction) -> None:
        """Whether it may enter the next block. Raises a Rejection."""
        time_ms = max(self._application.storage.time_ms + 1, self._clock())
        self._application.check(data, time_ms=time_ms, decoded=transaction)

    def _recheck(self, data: bytes, transaction: SignedTransaction) -> None:
        """Only what blocks change for good; proposals ask the rest. Raises a Rejection."""
        storage, expiry = self._application.storage, transaction.payload.expiry
        if data in self._refused:
            self._refused.remove(data)
            self._check(data, transaction)  # the block since then may have lifted the reason
        if expiry <= storage.height:
            raise Expired(expiry=expiry, height=storage.height + 1)
        if storage.has_seen(transaction.id):
            raise AlreadySeen()

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """What `process_proposal` of every honest node will accept."""
        self._check_next(request.height)
        bytes_max = min(request.max_tx_bytes, BLOCK_BYTES_MAX)
        choice = choose_transactions(
            self._application, request.txs, read_ms(request.time), bytes_max
        )
        self._refused = choice.refused
        return abci.ResponsePrepareProposal(txs=choice.chosen)

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Judged from the block and committed state alone."""
        self._check_next(request.height)
        fault = _find_malformed(request.misbehavior) or find_fault(
            self._application, request.txs, read_ms(request.time)
        )
        if fault is None:
            return abci.ResponseProcessProposal(status=_Accept)
        proposer = request.proposer_address.hex()
        _log.warning("proposal_refused", height=request.height, proposer=proposer, reason=fault)
        return abci.ResponseProcessProposal(status=_Reject)

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Execute; nothing becomes durable. The same block again gives the same."""
        self._check_next(request.height)
        block = Block(
            chain=self._application.chain,
            height=request.height,
            time_ms=read_ms(request.time),
            hash=request.hash,
            transactions=tuple(request.txs),
            signers=read_signers(request.decided_last_commit),
            misbehaviours=tuple(read_misbehaviour(each) for each in request.misbehavior),
        )
        result = self._application.execute(block)
        self._decided = (block, result)
        return abci.ResponseFinalizeBlock(
            tx_results=[abci.ExecTxResult.FromString(each) for each in result.encoded],
            validator_updates=[
                abci.ValidatorUpdate(
                    pub_key=keys_pb2.PublicKey(ed25519=each.public_key), power=each.power
                )
                for each in result.validator_updates
            ],
            app_hash=result.state_root,
        )

    def commit(self, _request: abci.RequestCommit) -> abci.ResponseCommit:
        """The one durable write of a height."""
        if self._decided is None:
            raise ForeignChainError("the engine commits what it has not finalized", _CURE)
        (block, result), self._decided = self._decided, None
        head = self._application.commit(block, result, None)
        for each in block.misbehaviours:
            address = each.address.hex()
            _log.error("misbehaviour", kind=each.kind, validator=address, height=each.height)
        self._listener.on_block(head, result, [bytes.fromhex(each.id) for each in result.results])
        return abci.ResponseCommit(retain_height=self._desk.after_commit(head.height))

    def list_snapshots(self, _request: abci.RequestListSnapshots) -> abci.ResponseListSnapshots:
        """What this node can give."""
        return self._desk.list()

    def load_snapshot_chunk(
        self, request: abci.RequestLoadSnapshotChunk
    ) -> abci.ResponseLoadSnapshotChunk:
        """One chunk of them."""
        return self._desk.load(request)

    def offer_snapshot(self, request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """Another's."""
        return self._desk.offer(request)

    def apply_snapshot_chunk(
        self, request: abci.RequestApplySnapshotChunk
    ) -> abci.ResponseApplySnapshotChunk:
        """One chunk of it."""
        return self._desk.apply(request)

    def _check_next(self, height: int) -> None:
        """The block is the next one, and this release can execute it. Raises a NodeError."""
        storage = self._application.storage
        if height != storage.height + 1:
            raise ForeignChainError(
                f"the engine is at block {height}, the ledger at {storage.height}", _CURE
            )
        if self._released != height:
            check_release(storage, self._application.registry, height, self._compute_digest)
            self._released = height


def _read_position(storage: Storage) -> tuple[int, bytes]:
    """Height and root of one moment: blocks may be committed beside."""
    while True:
        height, root = storage.height, storage.root
        if storage.height == height:
            return height, root


def read_ms(time: object) -> int:
    """Block time, milliseconds, UTC, of a protobuf Timestamp; nanoseconds are cut off."""
    return int(time.seconds) * 1000 + int(time.nanos) // 1_000_000  # type: ignore[attr-defined]


def read_signers(commit: abci.CommitInfo) -> tuple[bytes, ...]:
    """Addresses whose votes decided the block before, in the order of the set."""
    return tuple(
        each.validator.address
        for each in commit.votes
        if each.block_id_flag == validator_pb2.BLOCK_ID_FLAG_COMMIT
    )


def read_misbehaviour(each: abci.Misbehavior) -> Misbehaviour:
    """Evidence that the engine has verified. Raises ForeignChainError for a kind not known."""
    kind = _KINDS.get(each.type)
    if kind is None:
        raise ForeignChainError(f"the engine tells misbehaviour of kind {each.type}", _CURE)
    return Misbehaviour(
        kind=kind,  # type: ignore[arg-type]
        address=each.validator.address,
        power=each.validator.power,
        height=each.height,
        time_ms=read_ms(each.time),
        total_power=each.total_voting_power,
    )


def _find_malformed(misbehaviours: Iterable[abci.Misbehavior]) -> str | None:
    """The engine has verified evidence; whom it names is the ledger's to say, in the block."""
    for each in misbehaviours:
        if each.type not in _KINDS or len(each.validator.address) != _ADDRESS_SIZE:
            return "evidence of a kind that is not known, or against nobody"
        if min(each.height, each.validator.power, each.total_voting_power, read_ms(each.time)) < 0:
            return "evidence with a number below zero"
    return None


def _refuse(rejection: Rejection) -> abci.ResponseCheckTx:
    return abci.ResponseCheckTx(code=REFUSED, codespace="hansa", log=rejection.code)
