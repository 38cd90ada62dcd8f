"""What follows from proved misbehaviour. Message and rule V6: `model`."""

from msgspec.structs import replace

from hansa.contracts.validators.events import MisbehaviourRecorded, ValidatorSuspended
from hansa.contracts.validators.handlers import contract
from hansa.contracts.validators.model import FormerKey, RecordMisbehaviour
from hansa.contracts.validators.quorum import measure_change
from hansa.contracts.validators.rejections import AlreadyRecorded
from hansa.ledger.context import Context
from hansa.ledger.system import Evidence, Outcome, Validator


@contract.handles(RecordMisbehaviour)
def record_misbehaviour(ctx: Context, message: RecordMisbehaviour) -> None:
    """V6: the engine checked the proof; the address may be of a validator that is gone."""
    # READ
    validator = ctx.get(Validator, message.address)
    former = ctx.get(FormerKey, message.address)
    known = validator or former
    evidence = Evidence(
        address=message.address,
        height=message.height,
        kind=message.kind,
        member=known.member if known is not None else "",
        power=message.power,
        total_power=message.total_power,
        time_ms=message.time_ms,
        recorded=ctx.height,
        outcome=_decide(ctx, validator),
    )

    # CHECK
    if ctx.get(Evidence, *evidence.key()) is not None:
        raise AlreadyRecorded(kind=message.kind, validator=message.address, height=message.height)

    # WRITE
    ctx.put(evidence)
    if validator is not None and evidence.outcome == "suspended":
        ctx.put(_suspend(ctx, validator))

    # EMIT
    ctx.emit(
        MisbehaviourRecorded(
            validator=message.address,
            member=evidence.member,
            kind=message.kind,
            height=message.height,
            outcome=evidence.outcome,
        )
    )
    if evidence.outcome == "suspended":
        ctx.emit(
            ValidatorSuspended(
                validator=message.address,
                member=evidence.member,
                kind=message.kind,
                height=message.height,
            )
        )


def _decide(ctx: Context, validator: Validator | None) -> Outcome:
    """Suspend an active validator unless the parameter or the quorum forbids it."""
    if validator is None or validator.state != "active":
        return "not_voting"
    if not ctx.parameter("suspend_double_signers", 1):
        return "kept_by_parameter"
    if not measure_change(ctx, validator, _suspend(ctx, validator)).is_enough:
        return "kept_for_quorum"
    return "suspended"


def _suspend(ctx: Context, validator: Validator) -> Validator:
    return replace(validator, state="suspended", since=ctx.height)
