"""Rules of evidence. Messages and rules E1 to E6: `model`.

Owners and signers are accounts: a member's own name is that of its first account. What a document
says, and whether a token is good, is for verifiers (`client.evidence`).
"""

from msgspec.structs import replace

from hansa.contracts.evidence.model import (
    LOG_MAX,
    STANDS_MAX,
    TOKENS_MAX,
    AddLog,
    AlreadyAttached,
    AlreadySigned,
    AlreadyThere,
    AttachToken,
    CreateEvidence,
    Evidence,
    EvidenceCreated,
    EvidenceRevoked,
    EvidenceSignature,
    EvidenceSigned,
    LogAdded,
    LogEntry,
    LogFull,
    NoSuchEvidence,
    NotARoot,
    NotASigner,
    NotRevoked,
    NotStanding,
    OtherValue,
    RevokedTooOften,
    RevokeEvidence,
    SignEvidence,
    Stand,
    TimeStamp,
    TokenAttached,
    TooManyTokens,
    UnrevokeEvidence,
    WrongToken,
)
from hansa.crypto.hashing import sha256
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.contracts import Contract

contract = Contract("evidence", records=(Evidence, EvidenceSignature, LogEntry, TimeStamp))


@contract.handles(CreateEvidence)
def create_evidence(ctx: Context, message: CreateEvidence) -> None:
    """E1, E2."""
    # READ
    name = message.id or message.value
    known = ctx.get(Evidence, ctx.sender, name)

    # CHECK
    if message.form != "root" and message.items != 1:
        raise NotARoot(form=message.form, items=message.items)
    if known is not None:
        raise AlreadyThere(id=name, since_ms=known.since_ms)

    # WRITE
    evidence = Evidence(
        owner=ctx.sender,
        id=name,
        form=message.form,
        value=message.value,
        items=message.items,
        since_ms=ctx.time_ms,
    )
    ctx.put(evidence)
    _put_signature(ctx, evidence, (Stand(ctx.time_ms),))

    # EMIT
    ctx.emit(
        EvidenceCreated(
            owner=evidence.owner,
            id=name,
            form=evidence.form,
            value=evidence.value,
            items=evidence.items,
        )
    )


@contract.handles(SignEvidence)
def sign_evidence(ctx: Context, message: SignEvidence) -> None:
    """E3."""
    # READ
    evidence = _need_evidence(ctx, message.owner, message.id)
    signed = ctx.get(EvidenceSignature, message.owner, message.id, ctx.sender)

    # CHECK
    if message.value != evidence.value:
        raise OtherValue(id=evidence.id, value=evidence.value)
    if signed is not None:
        raise AlreadySigned(signer=ctx.sender, id=evidence.id)

    # WRITE, EMIT
    _put_signature(ctx, evidence, (Stand(ctx.time_ms),))
    _emit_signed(ctx, evidence, again=False)


@contract.handles(RevokeEvidence)
def revoke_evidence(ctx: Context, message: RevokeEvidence) -> None:
    """E4."""
    # READ
    evidence = _need_evidence(ctx, message.owner, message.id)

    # CHECK
    signature = _need_standing(ctx, evidence)

    # WRITE
    ended = replace(signature.stands[-1], until_ms=ctx.time_ms, reason=message.reason)
    _put_signature(ctx, evidence, (*signature.stands[:-1], ended))

    # EMIT
    ctx.emit(
        EvidenceRevoked(
            owner=evidence.owner,
            id=evidence.id,
            signer=ctx.sender,
            until_ms=ctx.time_ms,
            reason=message.reason,
        )
    )


@contract.handles(UnrevokeEvidence)
def unrevoke_evidence(ctx: Context, message: UnrevokeEvidence) -> None:
    """E4."""
    # READ
    evidence = _need_evidence(ctx, message.owner, message.id)
    signature = _need_signature(ctx, evidence)

    # CHECK
    if signature.stands[-1].until_ms is None:
        raise NotRevoked(signer=ctx.sender, id=evidence.id)
    if len(signature.stands) >= STANDS_MAX:
        raise RevokedTooOften(limit=STANDS_MAX)

    # WRITE, EMIT
    _put_signature(ctx, evidence, (*signature.stands, Stand(ctx.time_ms)))
    _emit_signed(ctx, evidence, again=True)


@contract.handles(AddLog)
def add_log(ctx: Context, message: AddLog) -> None:
    """E5."""
    # READ
    evidence = _need_evidence(ctx, message.owner, message.id)

    # CHECK
    _need_standing(ctx, evidence)
    limit = _count_places(ctx, evidence, LOG_MAX)
    if evidence.log >= limit:
        raise LogFull(limit=limit)

    # WRITE
    number = evidence.log + 1
    ctx.put(replace(evidence, log=number))
    ctx.put(
        LogEntry(
            owner=evidence.owner,
            id=evidence.id,
            number=number,
            by=ctx.sender,
            at_ms=ctx.time_ms,
            code=message.code,
            commitment=message.commitment,
        )
    )

    # EMIT
    ctx.emit(
        LogAdded(
            owner=evidence.owner,
            id=evidence.id,
            number=number,
            by=ctx.sender,
            code=message.code,
        )
    )


@contract.handles(AttachToken)
def attach_token(ctx: Context, message: AttachToken) -> None:
    """E6."""
    # READ
    evidence = _need_evidence(ctx, message.owner, message.id)
    known = ctx.get(TimeStamp, message.owner, message.id, message.digest)

    # CHECK
    _need_standing(ctx, evidence)
    if known is not None:
        raise AlreadyAttached(digest=message.digest)
    limit = _count_places(ctx, evidence, TOKENS_MAX)
    if evidence.tokens >= limit:
        raise TooManyTokens(limit=limit)
    _check_token(message)

    # WRITE
    ctx.put(replace(evidence, tokens=evidence.tokens + 1))
    ctx.put(
        TimeStamp(
            owner=evidence.owner,
            id=evidence.id,
            digest=message.digest,
            by=ctx.sender,
            at_ms=ctx.time_ms,
            token=message.token,
        )
    )

    # EMIT
    ctx.emit(
        TokenAttached(owner=evidence.owner, id=evidence.id, digest=message.digest, by=ctx.sender)
    )


@contract.view("stands_by")
def view_stands_by(ctx: ReadContext, owner: str, name: str, signer: str, at_ms: int) -> bool:
    """Whether the signer's signature on evidence stood at a block time (E4)."""
    signature = ctx.get(EvidenceSignature, owner, name, signer)
    return signature is not None and stood(signature, at_ms)


def stood(signature: EvidenceSignature, at_ms: int) -> bool:
    """Whether a signature stood at a block time."""
    return any(
        each.since_ms <= at_ms and (each.until_ms is None or at_ms < each.until_ms)
        for each in signature.stands
    )


def _count_places(ctx: Context, evidence: Evidence, places: int) -> int:
    """Half of the places are the owner's: anybody may sign, and nobody shall crowd it out."""
    return places if ctx.sender == evidence.owner else places // 2


def _check_token(message: AttachToken) -> None:
    try:
        token = decode_base64url(message.token)
    except TextError as error:
        raise WrongToken(digest=message.digest) from error
    if token and encode_base64url(sha256(token)) != message.digest:
        raise WrongToken(digest=message.digest)


def _need_evidence(ctx: Context, owner: str, name: str) -> Evidence:
    evidence = ctx.get(Evidence, owner, name)
    if evidence is None:
        raise NoSuchEvidence(owner=owner, id=name)
    return evidence


def _need_signature(ctx: Context, evidence: Evidence) -> EvidenceSignature:
    signature = ctx.get(EvidenceSignature, evidence.owner, evidence.id, ctx.sender)
    if signature is None:
        raise NotASigner(signer=ctx.sender, id=evidence.id)
    return signature


def _need_standing(ctx: Context, evidence: Evidence) -> EvidenceSignature:
    signature = _need_signature(ctx, evidence)
    if signature.stands[-1].until_ms is not None:
        raise NotStanding(signer=ctx.sender, id=evidence.id)
    return signature


def _put_signature(ctx: Context, evidence: Evidence, stands: tuple[Stand, ...]) -> None:
    ctx.put(
        EvidenceSignature(owner=evidence.owner, id=evidence.id, signer=ctx.sender, stands=stands)
    )


def _emit_signed(ctx: Context, evidence: Evidence, *, again: bool) -> None:
    ctx.emit(EvidenceSigned(owner=evidence.owner, id=evidence.id, signer=ctx.sender, again=again))
