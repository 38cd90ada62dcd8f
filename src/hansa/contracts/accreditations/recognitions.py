"""What one jurisdiction recognises of another's accreditations: R7 of `model`, by governance."""

from msgspec.structs import replace

from hansa.contracts.accreditations.chains import extend_standing
from hansa.contracts.accreditations.handlers import build_id, check_schemas, check_times, contract
from hansa.contracts.accreditations.model import (
    RECOGNITIONS_MAX,
    STANDINGS_MAX,
    Recognised,
    RecogniseFramework,
    Recognition,
    RecognitionStandingChanged,
    ReinstateRecognition,
    RevokeRecognition,
    SuspendRecognition,
)
from hansa.contracts.accreditations.rejections import (
    NoSuchRecognition,
    TooManyChanges,
    TooManyLinks,
    WrongRecognition,
    WrongStanding,
)
from hansa.identity.links import ANY_SCHEMA, Scope, Standing, StandingFrom
from hansa.ledger.context import GOVERNANCE, Context, ReadContext


@contract.handles(RecogniseFramework)
def recognise(ctx: Context, message: RecogniseFramework) -> None:
    """R7."""
    # CHECK
    since_ms = check_times(ctx, message.since_ms, message.until_ms)
    sources = tuple(pair.source for pair in message.schemas)
    targets = tuple(pair.target for pair in message.schemas)
    if message.source == message.relying:
        raise WrongRecognition(problem="one jurisdiction, twice")
    if len(set(sources)) < len(sources):
        raise WrongRecognition(problem="a source schema stands twice")
    if ANY_SCHEMA in (*sources, *targets):
        raise WrongRecognition(problem="every schema (*) is not a pair")
    check_schemas(ctx, (Scope(schemas=(*sources, *targets), jurisdictions=()),))
    if len(ctx.scan(Recognition, message.relying)) >= RECOGNITIONS_MAX:
        raise TooManyLinks(name=message.relying, limit=RECOGNITIONS_MAX)

    # WRITE
    made = Recognition(
        id=build_id(ctx, Recognition, message.relying),
        source=message.source,
        relying=message.relying,
        framework=message.framework,
        counts_as=message.counts_as,
        schemas=message.schemas,
        level=message.level,
        since_ms=since_ms,
        until_ms=message.until_ms,
        basis=message.basis,
        document=message.document,
        standing=(StandingFrom(since_ms=ctx.time_ms, standing="active", by=GOVERNANCE),),
    )
    ctx.put(made)

    # EMIT
    ctx.emit(
        Recognised(
            recognition=made.id,
            source=made.source,
            relying=made.relying,
            framework=made.framework,
            counts_as=made.counts_as,
            schemas=made.schemas,
            level=made.level,
            since_ms=made.since_ms,
            until_ms=made.until_ms,
            basis=made.basis,
        )
    )


@contract.handles(SuspendRecognition)
def suspend_recognition(ctx: Context, message: SuspendRecognition) -> None:
    """R4, R7."""
    _change(ctx, message, "suspended", ("active",))


@contract.handles(ReinstateRecognition)
def reinstate_recognition(ctx: Context, message: ReinstateRecognition) -> None:
    """R4, R7."""
    _change(ctx, message, "active", ("suspended",))


@contract.handles(RevokeRecognition)
def revoke_recognition(ctx: Context, message: RevokeRecognition) -> None:
    """R4, R7."""
    _change(ctx, message, "revoked", ("active", "suspended"))


@contract.view("recognitions")
def view_recognitions(ctx: ReadContext, relying: str) -> tuple[Recognition, ...]:
    """All that a jurisdiction recognises or has recognised."""
    return tuple(ctx.scan(Recognition, relying))


def _change(
    ctx: Context,
    message: SuspendRecognition | ReinstateRecognition | RevokeRecognition,
    standing: Standing,
    wanted: tuple[Standing, ...],
) -> None:
    # READ
    found = ctx.get(Recognition, message.relying, message.recognition)

    # CHECK
    if found is None:
        raise NoSuchRecognition(relying=message.relying, recognition=message.recognition)
    latest = found.standing[-1].standing
    if latest not in wanted:
        raise WrongStanding(name=found.id, standing=latest)
    if standing == "suspended" and len(found.standing) >= STANDINGS_MAX:
        raise TooManyChanges(name=found.id, limit=STANDINGS_MAX)

    # WRITE
    entry = StandingFrom(
        since_ms=ctx.time_ms + 1, standing=standing, by=GOVERNANCE, reason=message.reason
    )
    ctx.put(replace(found, standing=extend_standing(found.standing, entry)))

    # EMIT
    ctx.emit(
        RecognitionStandingChanged(
            recognition=found.id,
            relying=found.relying,
            standing=standing,
            since_ms=entry.since_ms,
            reason=message.reason,
        )
    )
