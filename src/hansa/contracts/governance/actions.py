"""What a passed proposal can change here: votes, rules, parameters, activations, freezes.

Messages and rules: `model`. Who may: governance only.
"""

from msgspec.structs import replace

from hansa.contracts.governance.events import (
    ActivationCancelled,
    ActivationSet,
    ParameterSet,
    RulesSet,
    TargetFrozen,
    TargetUnfrozen,
    WeightSet,
)
from hansa.contracts.governance.handlers import contract
from hansa.contracts.governance.model import (
    VOTERS_MAX,
    ActivateContract,
    CancelActivation,
    FreezeTarget,
    Rules,
    SetParameter,
    SetRules,
    SetWeight,
    UnfreezeTarget,
    Weight,
)
from hansa.contracts.governance.rejections import (
    AlreadyFrozen,
    NoSuchParameter,
    NotFreezable,
    NotFrozen,
    NothingPending,
    ParameterOutOfBounds,
    WrongActivation,
    WrongRules,
    WrongVoter,
)
from hansa.ledger.context import GOVERNANCE, Context
from hansa.ledger.system import Account, Activation, ActiveVersion, Freeze, Member, Parameter

ACTIVATION_HEIGHTS = 10


@contract.handles(SetWeight)
def set_weight(ctx: Context, message: SetWeight) -> None:
    """G2."""
    # CHECK
    check_voter(ctx, message.member, message.weight)

    # WRITE
    if message.weight:
        ctx.put(Weight(member=message.member, weight=message.weight))
    else:
        ctx.delete(Weight, message.member)

    # EMIT
    ctx.emit(WeightSet(member=message.member, weight=message.weight))


@contract.handles(SetRules)
def set_rules(ctx: Context, message: SetRules) -> None:
    """G1."""
    # CHECK
    check_threshold(message.numerator, message.denominator)

    # WRITE
    ctx.put(
        Rules(
            numerator=message.numerator,
            denominator=message.denominator,
            voting_ms=message.voting_ms,
            governing_min=message.governing_min,
        )
    )

    # EMIT
    ctx.emit(
        RulesSet(
            numerator=message.numerator,
            denominator=message.denominator,
            voting_ms=message.voting_ms,
            governing_min=message.governing_min,
        )
    )


@contract.handles(SetParameter)
def set_parameter(ctx: Context, message: SetParameter) -> None:
    """G7."""
    # CHECK
    check_parameter(ctx, message.application, message.name, message.value)

    # WRITE
    ctx.put(Parameter(application=message.application, name=message.name, value=message.value))

    # EMIT
    ctx.emit(ParameterSet(application=message.application, name=message.name, value=message.value))


@contract.handles(ActivateContract)
def activate_contract(ctx: Context, message: ActivateContract) -> None:
    """G7: nodes whose release lacks the code stop at the height and say which release they need."""
    # READ
    found = ctx.get(Activation, message.application)
    begun = tuple(
        entry for entry in (found.versions if found else ()) if entry.height <= ctx.height
    )
    delay = ctx.parameter("activation_heights", ACTIVATION_HEIGHTS)

    # CHECK
    problem = ""
    if begun and message.version < begun[-1].version:
        problem = "an older version cannot read what the newer has written"
    elif message.height < ctx.height + delay:
        problem = "operators need time to install it"
    if problem:
        raise WrongActivation(
            application=message.application,
            version=message.version,
            height=message.height,
            delay=delay,
            problem=problem,
        )

    # WRITE
    entry = ActiveVersion(version=message.version, digest=message.digest, height=message.height)
    ctx.put(Activation(application=message.application, versions=(*begun, entry)))

    # EMIT
    ctx.emit(
        ActivationSet(
            application=message.application,
            version=message.version,
            digest=message.digest,
            height=message.height,
        )
    )


@contract.handles(CancelActivation)
def cancel_activation(ctx: Context, message: CancelActivation) -> None:
    """G7."""
    # READ
    found = ctx.get(Activation, message.application)

    # CHECK
    if found is None or found.versions[-1].height <= ctx.height:
        raise NothingPending(application=message.application)
    pending = found.versions[-1]

    # WRITE
    begun = tuple(entry for entry in found.versions if entry.height <= ctx.height)
    if begun:
        ctx.put(replace(found, versions=begun))
    else:
        ctx.delete(Activation, message.application)

    # EMIT
    ctx.emit(
        ActivationCancelled(
            application=message.application, version=pending.version, height=pending.height
        )
    )


@contract.handles(FreezeTarget)
def freeze_target(ctx: Context, message: FreezeTarget) -> None:
    """G6; that votes remain is checked after all actions (G5)."""
    # READ
    frozen = ctx.get(Freeze, message.target)

    # CHECK
    if frozen is not None:
        raise AlreadyFrozen(target=message.target, reason=frozen.reason)
    _check_freezable(ctx, message.target)

    # WRITE
    ctx.put(Freeze(target=message.target, reason=message.reason, since=ctx.height))

    # EMIT
    ctx.emit(TargetFrozen(target=message.target, reason=message.reason))


@contract.handles(UnfreezeTarget)
def unfreeze_target(ctx: Context, message: UnfreezeTarget) -> None:
    """G6."""
    # CHECK
    if ctx.get(Freeze, message.target) is None:
        raise NotFrozen(target=message.target)

    # WRITE
    ctx.delete(Freeze, message.target)

    # EMIT
    ctx.emit(TargetUnfrozen(target=message.target))


def check_voter(ctx: Context, member: str, weight: int) -> None:
    """Raise WrongVoter when the member cannot have this weight (G2)."""
    if ctx.get(Member, member) is None:
        raise WrongVoter(member=member, problem="unknown")
    is_new = ctx.get(Weight, member) is None
    if weight and is_new and len(ctx.scan(Weight, limit=VOTERS_MAX)) >= VOTERS_MAX:
        raise WrongVoter(member=member, problem="too_many")


def check_threshold(numerator: int, denominator: int) -> None:
    """Raise WrongRules unless 1/2 < numerator/denominator <= 1 (G1)."""
    if not denominator < 2 * numerator <= 2 * denominator:
        raise WrongRules(numerator=numerator, denominator=denominator)


def check_parameter(ctx: Context, application: str, name: str, value: int) -> None:
    """Raise NoSuchParameter, ParameterOutOfBounds (G7)."""
    setting = ctx.setting(application, name)
    if setting is None:
        raise NoSuchParameter(application=application, name=name)
    if not setting.low <= value <= setting.high:
        raise ParameterOutOfBounds(
            application=application, name=name, value=value, low=setting.low, high=setting.high
        )


def _check_freezable(ctx: Context, target: str) -> None:
    kind, _colon, name = target.partition(":")
    application, _dot, message = name.partition(".")
    problem = ""
    if kind == "account":
        problem = "" if ctx.get(Account, name) is not None else "no such account"
    elif application == GOVERNANCE:
        problem = "it alone could lift the freeze"
    elif message and not ctx.knows_message(application, message):
        problem = "no such message type"
    elif ctx.get(Activation, application) is None:
        problem = "no such contract"
    if problem:
        raise NotFreezable(target=target, problem=problem)
