"""`verify`: the one judgement of credentials and presentations, whatever their form. Pure.

Reads bytes from outside; asks its sources and nothing else. Forms: W3C VC 2.0 and presentations
with Data Integrity proofs (JSON), SD-JWT VC with and without key binding (compact, `~`).
"""

from typing import Any, Final

import msgspec

from hansa.crypto.signatures import PublicKey
from hansa.identity.data_integrity import ProofCheck, check_proofs, list_proofs
from hansa.identity.did_key import did_of_key
from hansa.identity.faults import Malformed
from hansa.identity.json_document import DOCUMENT_BYTES_MAX, parse_document
from hansa.identity.report import Check, CheckName, Policy, Report, Sources, conclude
from hansa.identity.statement import (
    Asked,
    Statement,
    judge_freshness,
    judge_key_life,
    judge_statement,
    tell_proof,
    tell_unbound,
)
from hansa.identity.statement_vc import read_statement
from hansa.identity.vc import (
    Credential,
    Presentation,
    parse_credential,
    parse_presentation,
)
from hansa.identity.verify_sd_jwt import judge_sd_jwt

SD_JWT_MEDIA: Final = frozenset(("application/dc+sd-jwt", "application/vc+sd-jwt"))
# Who checks more than these at once asks several times.
CREDENTIALS_MAX: Final = 32


class Judged(msgspec.Struct, frozen=True):
    """What was found of a document: its checks, and what the credentials in it say."""

    form: str
    checks: list[Check]
    statements: list[Statement] = []
    subjects: list[tuple[str, ...]] = []
    keys: list[PublicKey] = []
    holder: str = ""


def verify(
    document: bytes,
    *,
    sources: Sources,
    policy: Policy,
    at_ms: int,
    now_ms: int | None = None,
) -> Report:
    """Judge a credential or presentation as at `at_ms`, by named checks. Raises nothing.

    now_ms: the verifier's own clock, for what a holder has just signed (None: at_ms).
    """
    asked = Asked(sources, policy, at_ms, at_ms if now_ms is None else now_ms)
    try:
        judged = _judge(document, asked)
    except Malformed as why:
        judged = Judged("", [asked.failed("format", why.code, why.text)])
    checks = (*judged.checks, judge_freshness(asked))
    outcome = conclude(checks)
    return Report(
        outcome=outcome,
        checks=checks,
        as_at_ms=asked.fact_ms,
        form=judged.form,
        issuers=tuple(dict.fromkeys(each.issuer for each in judged.statements)),
        holder=judged.holder,
        claims=tuple(each.claims for each in judged.statements) if outcome == "yes" else (),
    )


def _judge(document: bytes, asked: Asked) -> Judged:
    if len(document) > DOCUMENT_BYTES_MAX:
        raise Malformed("too_large", f"longer than {DOCUMENT_BYTES_MAX} bytes")
    text = document.strip()
    if text.startswith(b"{"):
        parsed = parse_document(text)
        types = parsed.get("type")
        listed = types if isinstance(types, list) else [types]
        if "VerifiablePresentation" in listed:
            return _judge_presentation(parse_presentation(parsed), asked)
        return _close_bare(_judge_credential(parse_credential(parsed), asked), asked)
    if b"~" in text and text.isascii():
        found = judge_sd_jwt(text.decode("ascii"), asked)
        return Judged("sd-jwt-vc", found.checks, [found.statement], holder=found.holder)
    raise Malformed("unknown_form", "neither a JSON document nor an SD-JWT")


def _close_bare(judged: Judged, asked: Asked) -> Judged:
    """A credential that nobody presents: who shows it is not proved."""
    return msgspec.structs.replace(judged, checks=[*judged.checks, *tell_unbound(asked)])


# --- credentials with Data Integrity proofs ---


def _judge_credential(credential: Credential, asked: Asked) -> Judged:
    lite = "a lite credential" if credential.is_lite else "a credential"
    checks = [asked.passed("format", f"{lite} of VC 2.0: {', '.join(credential.types)}")]
    proofs = _check_proofs(credential.document, "assertionMethod", asked)
    checks += [tell_proof(each, asked) for each in proofs]
    checks.append(_judge_issuer_key(credential.issuer, proofs, asked))
    statement = read_statement(credential, proofs)
    checks += judge_statement(statement, asked)
    return Judged("vc", checks, [statement], [credential.subjects])


def _check_proofs(document: dict[str, Any], purpose: str, asked: Asked) -> tuple[ProofCheck, ...]:
    """The proofs of a document; a signer's clock may be a little ahead of ours."""

    def check(at_ms: int) -> tuple[ProofCheck, ...]:
        return check_proofs(document, asked.sources.resolve, purpose=purpose, at_ms=at_ms)

    at_ms = asked.now_ms if purpose == "authentication" else asked.at_ms
    proofs = check(at_ms)
    early = [each.created_ms or 0 for each in proofs if each.code == "proof_not_yet_created"]
    if early and max(early) <= at_ms + asked.policy.skew_ms:
        return check(max(early))
    return proofs


def _judge_issuer_key(issuer: str, proofs: tuple[ProofCheck, ...], asked: Asked) -> Check:
    """One proof that holds is the issuer's own; and its key has not ended since."""
    own = [each for each in proofs if get_did(each.method) == issuer]
    held = [each for each in own if not each.code]
    if not held:
        if own and not any(each.is_judged for each in own):
            return asked.not_judged("issuer_key", own[0].code, own[0].text)
        return asked.failed("issuer_key", "not_by_issuer", f"no proof of {issuer} holds")
    return judge_key_life(held[0].method, any(each.is_key_live for each in held), asked)


def get_did(method: str) -> str:
    """The DID of a DID URL."""
    return method.partition("#")[0]


# --- presentations ---


def _judge_presentation(presentation: Presentation, asked: Asked) -> Judged:
    if len(presentation.credentials) + len(presentation.enveloped) > CREDENTIALS_MAX:
        raise Malformed("too_many_credentials", f"more than {CREDENTIALS_MAX} credentials")
    parts = _judge_parts(presentation, asked)
    proofs = _check_proofs(presentation.document, "authentication", asked)
    checks = [asked.passed("format", f"a presentation of {len(parts)} credential(s)")]
    checks += [tell_proof(each, asked) for each in proofs]
    signers = {get_did(each.method) for each in proofs if not each.code}
    holder = presentation.holder or next(iter(sorted(signers)), "")
    checks.append(_judge_holder(holder, signers, parts, asked))
    checks += _judge_bindings(presentation.document, proofs, asked)
    for part in parts:
        checks += part.checks
    return Judged(
        "vp",
        checks,
        [each for part in parts for each in part.statements],
        holder=holder if holder in signers else "",
    )


def _judge_parts(presentation: Presentation, asked: Asked) -> list[Judged]:
    """The credentials inside, each as if it stood alone, under its number."""
    parts: list[Judged] = []
    for document in presentation.credentials:
        inner = msgspec.structs.replace(asked, about=f"credential {len(parts)}")
        parts.append(_take_part(document, inner))
    for media, text in presentation.enveloped:
        inner = msgspec.structs.replace(asked, about=f"credential {len(parts)}")
        parts.append(_take_envelope(media, text, inner))
    if not parts:
        raise Malformed("no_credential", "a presentation without a credential")
    return parts


def _take_part(document: dict[str, Any], asked: Asked) -> Judged:
    try:
        return _judge_credential(parse_credential(document), asked)
    except Malformed as why:
        return Judged("vc", [asked.failed("format", why.code, why.text)])


def _take_envelope(media: str, text: str, asked: Asked) -> Judged:
    try:
        if media not in SD_JWT_MEDIA:
            raise Malformed("unknown_form", f"an envelope of {media[:60]}")
        found = judge_sd_jwt(text, asked, is_inside=True)
    except Malformed as why:
        return Judged("sd-jwt-vc", [asked.failed("format", why.code, why.text)])
    keys = [] if found.holder_key is None else [found.holder_key]
    return Judged("sd-jwt-vc", found.checks, [found.statement], [found.subjects], keys)


def _judge_holder(holder: str, signers: set[str], parts: list[Judged], asked: Asked) -> Check:
    """The holder signed; the credentials are about it where they say about whom they are, and bound
    to a key of its own where they are bound to one.
    """
    subjects = [each for part in parts for each in part.subjects]
    keys = [each for part in parts for each in part.keys]
    if not holder or holder not in signers:
        return asked.failed("holder", "not_by_holder", f"no proof of {holder or 'anybody'} holds")
    others = [each for each in subjects if each and holder not in each]
    if others:
        text = f"presented by {holder}, about {', '.join(others[0])}"
        return asked.failed("holder", "not_the_subject", text)
    resolved = asked.sources.resolve(holder) if keys else None
    own = {method.key for method in resolved.methods} if resolved is not None else set()
    foreign = [key for key in keys if key not in own]
    if foreign:
        text = f"presented by {holder}, bound to {did_of_key(foreign[0])}"
        return asked.failed("holder", "not_the_holder_key", text)
    return asked.passed("holder", f"presented by {holder}")


def _judge_bindings(
    document: dict[str, Any], proofs: tuple[ProofCheck, ...], asked: Asked
) -> list[Check]:
    """Every proof that holds says to whom it was made, and in answer to what."""
    held = [
        proof for proof, check in zip(list_proofs(document), proofs, strict=False) if not check.code
    ]
    wanted: tuple[tuple[CheckName, str, str], ...] = (
        ("audience", "domain", asked.policy.audience),
        ("nonce", "challenge", asked.policy.nonce),
    )
    checks = []
    for name, member, value in wanted:
        given = [proof.get(member) for proof in held]
        listed = [each if isinstance(each, list) else [each] for each in given]
        if not value:
            checks.append(asked.not_asked(name))
        elif not held:
            checks.append(asked.failed(name, f"no_{name}", "no proof holds that could bind it"))
        elif all(value in each for each in listed):
            checks.append(asked.passed(name, f"bound to {value!r}"))
        else:
            checks.append(asked.failed(name, f"wrong_{name}", f"not bound to {value!r}"))
    return checks
