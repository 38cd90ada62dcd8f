"""The story of a block, top to bottom: evidence, deadlines, transactions, messages, changes, root.
Pure and total.

`execute_block` gives one result per transaction whatever the bytes are. A rejected message leaves
no trace but its receipt; a handler's unexpected exception is `contract_fault` (D21), which freezes
that message type; a broken invariant of the kernel itself is raised and stops the node.
"""

from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import merkle_root
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.admission import (
    AdmittedMessage,
    AdmittedTransaction,
    SignatureCache,
    check_not_frozen,
    check_transaction,
)
from hansa.ledger.block_records import write_block_records
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.context import (
    DEADLINE,
    GOVERNANCE,
    Caller,
    Context,
    Scope,
    build_missing_role,
)
from hansa.ledger.contracts import Contract, Registry, get_version
from hansa.ledger.model import Message, compute_state_key
from hansa.ledger.receipts import (
    ALL_OK,
    INVALID,
    OK,
    PARTLY_REJECTED,
    REJECTED,
    MessageResult,
    TransactionResult,
    encode_exec_tx_result,
)
from hansa.ledger.rejections import InvariantViolation, Rejection, invariant
from hansa.ledger.state import Overlay, StateReader, Steady, compute_range, decode_record
from hansa.ledger.system import Deadline, Freeze, Usage
from hansa.ledger.transactions import SignedTransaction, decode_transaction
from hansa.ledger.validator_set import (
    build_misbehaviour_message,
    compute_validator_updates,
    forget_liveness,
    put_liveness,
)
from hansa.primitives.limits import DEADLINES_PER_BLOCK_MAX

# Contracts that may dispatch while they execute an action of governance: members open accounts.
DISPATCHERS = (GOVERNANCE, "members")


class ContractFault(Rejection):
    """A handler raised what it must not: its message type is frozen until governance decides."""

    CODE = "contract_fault"
    RULE = "D21"
    TEXT = "The contract failed on this message; {target} is frozen."
    REMEDY = "Nothing was changed. Report the transaction id to the league's operators."


class OtherMessageRejected(Rejection):
    """An atomic transaction falls as a whole."""

    CODE = "other_message_rejected"
    RULE = "D4"
    TEXT = "Message {index} of this atomic transaction was rejected."
    REMEDY = "Mend that message, or send the messages as independent ones."


def execute_block(
    state: StateReader,
    block: Block,
    registry: Registry,
    verified: SignatureCache | None = None,
) -> BlockResult:
    """Execute a decided block on committed `state`. Same state and block, same bytes (R11, R12)."""
    invariant(block.height == state.height + 1, "blocks are executed in order of height")
    _check_time(state, block)
    overlay = Overlay(Steady(state))
    due = _find_due(overlay, block)
    is_empty = not (block.transactions or block.misbehaviours or due)
    if not is_empty:
        put_liveness(overlay, block)
    deadlines = _fire_all(overlay, block, registry, due)
    seen: dict[bytes, None] = {}
    results = tuple(
        execute_bytes(state, overlay, block, registry, data, seen, verified)
        for data in block.transactions
    )
    invariant(len(results) == len(block.transactions), "one result per transaction")
    encoded = tuple(encode_exec_tx_result(result) for result in results)
    results_hash = merkle_root(encoded)
    forgotten: tuple[int, ...] = ()
    if not is_empty:
        forget_liveness(overlay)
        forgotten = write_block_records(overlay, block, results_hash, deadlines, tuple(seen))
    changes = overlay.sorted_changes()
    delta = state.tree.compute(changes)
    return BlockResult(
        results=results,
        encoded=encoded,
        deadlines=deadlines,
        changes=changes,
        state_root=delta.root,
        delta=delta,
        results_hash=results_hash,
        seen=tuple(seen),
        forgotten=forgotten,
        validator_updates=compute_validator_updates(state, overlay),
    )


def _check_time(state: StateReader, block: Block) -> None:
    """Time increases; only block 1 may have the genesis time, as CometBFT gives it."""
    is_first = block.height == 1 and block.time_ms == state.time_ms
    invariant(is_first or block.time_ms > state.time_ms, "block time increases")


def execute_bytes(
    state: StateReader,
    overlay: Overlay,
    block: Block,
    registry: Registry,
    data: bytes,
    seen: dict[bytes, None],
    verified: SignatureCache | None,
) -> TransactionResult:
    """Check again, then execute; what does not pass ends as an invalid result, without effect."""
    transaction = None
    try:
        transaction = decode_transaction(data) if verified is None else verified.decode(data)
        admitted = check_transaction(
            overlay,
            data,
            registry,
            chain=block.chain,
            height=block.height,
            time_ms=block.time_ms,
            has_seen=transaction.id in seen or state.has_seen(transaction.id),
            verified=verified,
            decoded=transaction,
        )
    except Rejection as rejection:
        return _build_invalid(data, transaction, rejection)
    seen[transaction.id] = None
    usage = admitted.usage
    overlay.put(compute_state_key(Usage.OWNER, Usage.KIND, usage.key()), encode_canonical(usage))
    return _execute_transaction(overlay, block, registry, admitted)


def _execute_transaction(
    overlay: Overlay, block: Block, registry: Registry, admitted: AdmittedTransaction
) -> TransactionResult:
    payload = admitted.transaction.payload
    count = len(admitted.messages)
    if payload.mode == "atomic" and count > 1:
        messages = _execute_atomic(overlay, block, registry, admitted)
    else:
        messages = tuple(
            _execute_message(overlay, block, registry, admitted, index) for index in range(count)
        )
    rejected = sum(message.code != OK for message in messages)
    code = ALL_OK if not rejected else REJECTED if rejected == count else PARTLY_REJECTED
    return TransactionResult(
        id=admitted.transaction.hex_id, code=code, cost=admitted.cost, messages=messages
    )


def _execute_atomic(
    overlay: Overlay, block: Block, registry: Registry, admitted: AdmittedTransaction
) -> tuple[MessageResult, ...]:
    """All messages or none; the others of a fallen transaction name the one that fell (D4)."""
    layer = Overlay(overlay)
    results = []
    for index in range(len(admitted.messages)):
        result = _execute_message(layer, block, registry, admitted, index, faults_to=overlay)
        if result.code != OK:
            fallen = OtherMessageRejected(index=index)
            return tuple(
                result
                if other == index
                else _build_result(admitted, other, fallen.code, fallen.params)
                for other in range(len(admitted.messages))
            )
        results.append(result)
    layer.fold(overlay)
    return tuple(results)


def _execute_message(
    overlay: Overlay,
    block: Block,
    registry: Registry,
    admitted: AdmittedTransaction,
    index: int,
    faults_to: Overlay | None = None,
) -> MessageResult:
    """One message in a layer of its own: folded when it returns, dropped when it is rejected."""
    message = admitted.messages[index]
    account = admitted.accounts[message.sender]
    caller = Caller(
        account=account.did,
        key=admitted.transaction.payload.signers[message.sender],
        member=account.member,
        signers=tuple(each.did for each in admitted.accounts),
        signer_members=tuple(
            "" if each.kind == "citizen" else each.member for each in admitted.accounts
        ),
        is_citizen=account.kind == "citizen",
    )
    scope = Scope(
        chain=block.chain,
        height=block.height,
        time_ms=block.time_ms,
        transaction=admitted.transaction.hex_id,
        message_index=index,
        followers=len(admitted.messages) - 1 - index
        if admitted.transaction.payload.mode == "atomic"
        else 0,
    )
    layer = Overlay(overlay)
    context = _build_context(layer, message.contract, registry, scope, caller)
    try:
        _check_still_allowed(context, message)
        _call(context, message.contract, message.body)
    except Rejection as rejection:
        if isinstance(rejection, ContractFault):
            _freeze_message(faults_to or overlay, block, str(rejection.params["target"]))
        return _build_result(admitted, index, rejection.code, rejection.params)
    layer.fold(overlay)
    done = _build_result(admitted, index, OK, {})
    return MessageResult(
        index=done.index,
        type=done.type,
        sender=done.sender,
        message=done.message,
        code=OK,
        events=tuple(context.events),
    )


def _check_still_allowed(context: Context, message: AdmittedMessage) -> None:
    """An earlier message of the same transaction may have faulted this type; then the role."""
    check_not_frozen(
        context._overlay, f"message:{message.contract.name}.{type(message.body).__name__}"
    )
    role = message.body.ROLE
    if role and not context.has_role(role):
        raise build_missing_role(message.contract, role, "")


def _call(context: Context, contract: Contract, body: Message) -> None:
    """Call the handler: it returns, or raises a Rejection, or its exception is a contract fault."""
    _type, handler = contract.handlers[(type(body).__name__, get_version(type(body)))]
    try:
        handler(context, body)
    except (Rejection, InvariantViolation, MemoryError, OSError):
        raise
    except Exception as error:  # D21: a poison message halts nothing
        raise ContractFault(target=f"message:{contract.name}.{type(body).__name__}") from error


def _build_context(
    layer: Overlay, contract: Contract, registry: Registry, scope: Scope, caller: Caller
) -> Context:
    def dispatch(outer: Context, application: str, message: Message) -> None:
        """Execute an approved action in the layer of `outer`, as governance."""
        target = registry.active(outer._overlay, application, scope.height)
        governance = Caller(account=GOVERNANCE, internal=True)
        further = dispatch if target.name in DISPATCHERS else None
        inner = Context(outer._overlay, target, registry, scope, governance, further)
        _call(inner, target, message)
        outer.events.extend(inner.events)

    is_governance = contract.name == GOVERNANCE
    return Context(layer, contract, registry, scope, caller, dispatch if is_governance else None)


def _find_due(overlay: Overlay, block: Block) -> list[tuple[bytes, bytes]]:
    """Deadlines due at this block's time, oldest first, at most DEADLINES_PER_BLOCK_MAX (D17)."""
    start, _end = compute_range(Deadline.OWNER, Deadline, ())
    end = compute_state_key(Deadline.OWNER, Deadline.KIND, (f"{block.time_ms + 1:015d}",))
    return overlay.scan(start, end, DEADLINES_PER_BLOCK_MAX)


def _fire_all(
    overlay: Overlay, block: Block, registry: Registry, due: list[tuple[bytes, bytes]]
) -> tuple[MessageResult, ...]:
    """What the ledger sends itself: evidence of misbehaviour first, then what is due."""
    messages = [build_misbehaviour_message(block, each) for each in block.misbehaviours]
    for key, data in due:
        overlay.put(key, None)
        messages.append(decode_record(Deadline, data))
    return tuple(
        _fire_deadline(overlay, block, registry, index, message)
        for index, message in enumerate(messages)
    )


def _fire_deadline(
    overlay: Overlay, block: Block, registry: Registry, index: int, deadline: Deadline
) -> MessageResult:
    scope = Scope(
        chain=block.chain,
        height=block.height,
        time_ms=block.time_ms,
        transaction=f"deadline/{block.height}",
        message_index=index,
    )
    layer = Overlay(overlay)
    body = deadline.body.encode()
    code, params = OK, {}
    context = None
    try:
        contract = registry.active(overlay, deadline.application, block.height)
        check_not_frozen(overlay, f"contract:{contract.name}")
        check_not_frozen(overlay, f"message:{contract.name}.{deadline.type}")
        caller = Caller(account=DEADLINE, internal=True)
        context = _build_context(layer, contract, registry, scope, caller)
        _call(context, contract, context.decode_message(contract.name, deadline.type, body))
        layer.fold(overlay)
    except Rejection as rejection:
        if isinstance(rejection, ContractFault):
            _freeze_message(overlay, block, str(rejection.params["target"]))
        code, params = rejection.code, rejection.params
    return MessageResult(
        index=index,
        type=f"{deadline.application}/{deadline.type}/1",
        sender=DEADLINE,
        message=encode_base64url(sha256(body)),
        code=code,
        params=params,
        events=tuple(context.events) if context is not None and code == OK else (),
    )


def _freeze_message(overlay: Overlay, block: Block, target: str) -> None:
    """Stop a message type that faulted; never governance's own, which alone could lift it."""
    if target.startswith(f"message:{GOVERNANCE}."):
        return
    freeze = Freeze(target=target, reason="contract_fault", since=block.height)
    key = compute_state_key(Freeze.OWNER, Freeze.KIND, freeze.key())
    overlay.put(key, encode_canonical(freeze))


def _build_result(
    admitted: AdmittedTransaction, index: int, code: str, params: dict[str, str | int]
) -> MessageResult:
    message = admitted.messages[index]
    return MessageResult(
        index=index,
        type=message.type,
        sender=admitted.transaction.payload.signers[message.sender],
        message=encode_base64url(message.digest),
        code=code,
        params=params,
    )


def _build_invalid(
    data: bytes, transaction: SignedTransaction | None, rejection: Rejection
) -> TransactionResult:
    """The result of bytes that may not enter; they have no id of their own unless they decode."""
    digest = sha256(data)
    result = MessageResult(
        index=0,
        type="",
        sender="",
        message=encode_base64url(digest),
        code=rejection.code,
        params=rejection.params,
    )
    identity = transaction.hex_id if transaction is not None else digest.hex()
    return TransactionResult(id=identity, code=INVALID, cost=0, messages=(result,))
