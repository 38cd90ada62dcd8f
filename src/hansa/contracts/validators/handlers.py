"""Who votes on blocks: approval, activation, power, keys, removal. Rules V1 to V6: `model`.

Nodes: `nodes`. Evidence: `evidence`.
"""

from msgspec.structs import replace

from hansa.contracts.accounts.authority import require_administrator
from hansa.contracts.standing import get_latest_standing
from hansa.contracts.validators.events import (
    ValidatorActivated,
    ValidatorApproved,
    ValidatorKeyReplaced,
    ValidatorPowerSet,
    ValidatorReinstated,
    ValidatorRemoved,
)
from hansa.contracts.validators.keys import check_entering
from hansa.contracts.validators.model import (
    ActivateValidator,
    ApproveValidator,
    FormerKey,
    ReinstateValidator,
    RemoveValidator,
    ReplaceValidatorKey,
    ResignValidator,
    SetValidatorPower,
)
from hansa.contracts.validators.quorum import check_quorum, find_validator, list_validators
from hansa.contracts.validators.rejections import (
    AlreadyValidator,
    NoNode,
    NoSuchValidator,
    TooManyValidators,
    WrongMember,
    WrongValidatorState,
)
from hansa.ledger.context import Context
from hansa.ledger.contracts import Contract, Setting
from hansa.ledger.system import Evidence, Member, Node, Validator, ValidatorState
from hansa.primitives.limits import VALIDATORS_MAX

# The engine counts a changed vote from two heights later (CometBFT, FinalizeBlock).
DELAY = 2

contract = Contract(
    "validators",
    settings=(
        Setting("live_ms", 1_000, 86_400_000, "How long a vote counts as lately seen (ms)"),
        Setting("suspend_double_signers", 0, 1, "1: proved misbehaviour suspends a validator"),
    ),
    records=(Validator, Node, Evidence, FormerKey),
)


@contract.handles(ApproveValidator)
def approve_validator(ctx: Context, message: ApproveValidator) -> None:
    """V1, V2, V5: a candidate has no vote yet, so the quorum does not change."""
    # READ
    validators = list_validators(ctx)
    own = find_validator(ctx, message.member)

    # CHECK
    check_member(ctx, message.member)
    if own is not None:
        raise AlreadyValidator(member=own.member, validator=own.address, state=own.state)
    if len(validators) >= VALIDATORS_MAX:
        raise TooManyValidators(limit=VALIDATORS_MAX)
    address = check_entering(ctx, message.member, message.key, message.possession)

    # WRITE
    ctx.put(
        Validator(
            address=address,
            public_key=message.key,
            member=message.member,
            power=message.power,
            state="candidate",
            since=ctx.height,
        )
    )

    # EMIT
    ctx.emit(ValidatorApproved(validator=address, member=message.member, power=message.power))


@contract.handles(ActivateValidator)
def activate_validator(ctx: Context, message: ActivateValidator) -> None:
    """V3, V4, V5, V7."""
    # READ
    old = need_validator(ctx, message.validator)
    new = replace(old, state="active", since=ctx.height)

    # CHECK
    require_administrator(ctx, old.member)
    _check_state(old, "candidate")
    check_member(ctx, old.member)
    _check_node(ctx, old.member)
    check_quorum(ctx, old, new)

    # WRITE
    ctx.put(new)

    # EMIT
    ctx.emit(
        ValidatorActivated(
            validator=new.address, member=new.member, power=new.power, since=ctx.height + DELAY
        )
    )


@contract.handles(ResignValidator)
def resign_validator(ctx: Context, message: ResignValidator) -> None:
    """V3, V4: in any state, also as a candidate or while it is suspended."""
    # READ
    old = need_validator(ctx, message.validator)

    # CHECK
    require_administrator(ctx, old.member)
    check_quorum(ctx, old, None)

    # WRITE, EMIT
    _remove(ctx, old, message.reason)


@contract.handles(SetValidatorPower)
def set_validator_power(ctx: Context, message: SetValidatorPower) -> None:
    """V2, V3."""
    # READ
    old = need_validator(ctx, message.validator)
    new = replace(old, power=message.power)

    # CHECK
    check_quorum(ctx, old, new)

    # WRITE
    ctx.put(new)

    # EMIT
    ctx.emit(ValidatorPowerSet(validator=new.address, member=new.member, power=new.power))


@contract.handles(ReplaceValidatorKey)
def replace_validator_key(ctx: Context, message: ReplaceValidatorKey) -> None:
    """V1, V3: the state stays; no block is between the old key and the new one."""
    # READ
    old = need_validator(ctx, message.validator)

    # CHECK
    address = check_entering(ctx, old.member, message.key, message.possession)
    new = replace(old, address=address, public_key=message.key, since=ctx.height)
    check_quorum(ctx, old, new)

    # WRITE
    _retire(ctx, old, replaced=True)
    ctx.put(new)

    # EMIT
    ctx.emit(
        ValidatorKeyReplaced(
            validator=address, member=new.member, old=old.address, reason=message.reason
        )
    )


@contract.handles(RemoveValidator)
def remove_validator(ctx: Context, message: RemoveValidator) -> None:
    """V3."""
    # READ
    old = need_validator(ctx, message.validator)

    # CHECK
    check_quorum(ctx, old, None)

    # WRITE, EMIT
    _remove(ctx, old, message.reason)


@contract.handles(ReinstateValidator)
def reinstate_validator(ctx: Context, message: ReinstateValidator) -> None:
    """V3, V5, V6, V7."""
    # READ
    old = need_validator(ctx, message.validator)
    new = replace(old, state="active", since=ctx.height)

    # CHECK
    _check_state(old, "suspended")
    if old.member:  # one of the genesis may be nobody's
        check_member(ctx, old.member)
        _check_node(ctx, old.member)
    check_quorum(ctx, old, new)

    # WRITE
    ctx.put(new)

    # EMIT
    ctx.emit(
        ValidatorReinstated(
            validator=new.address,
            member=new.member,
            power=new.power,
            since=ctx.height + DELAY,
            reason=message.reason,
        )
    )


def need_validator(ctx: Context, address: str) -> Validator:
    """The validator of that address. Raises NoSuchValidator."""
    validator = ctx.get(Validator, address)
    if validator is None:
        raise NoSuchValidator(validator=address)
    return validator


def check_member(ctx: Context, did: str) -> None:
    """Raise WrongMember unless the member is in good standing, and stays so (V5)."""
    member = ctx.get(Member, did)
    standing = get_latest_standing(member.standing) if member is not None else "unknown"
    if standing != "good":
        raise WrongMember(member=did, standing=standing)


def _check_state(validator: Validator, wanted: ValidatorState) -> None:
    if validator.state != wanted:
        raise WrongValidatorState(validator=validator.address, state=validator.state)


def _check_node(ctx: Context, member: str) -> None:
    """Nobody would connect to a validator without an admitted node (V7)."""
    if not any(node.member == member and node.kind == "validator" for node in ctx.scan(Node)):
        raise NoNode(member=member)


def _remove(ctx: Context, validator: Validator, reason: str) -> None:
    _retire(ctx, validator, replaced=False)
    ctx.emit(
        ValidatorRemoved(
            validator=validator.address, member=validator.member, by=ctx.sender, reason=reason
        )
    )


def _retire(ctx: Context, validator: Validator, *, replaced: bool) -> None:
    """Take the validator away; its key stays known (V1)."""
    ctx.delete(Validator, validator.address)
    ctx.put(
        FormerKey(
            address=validator.address,
            member=validator.member,
            replaced=replaced,
            until=ctx.height,
        )
    )
