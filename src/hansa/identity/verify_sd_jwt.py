"""The part of `verify` that reads SD-JWT VCs: signature, key binding, what it states. Pure.

`credentialSchema` and `termsOfUse` are said as in VC 2.0; both are always disclosed.
"""

from typing import Any, Final

import msgspec

from hansa.crypto.signatures import PublicKey
from hansa.identity.did_key import did_of_key
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.jws import parse_jws
from hansa.identity.report import Check, CheckName, StatusRef
from hansa.identity.sd_jwt_vc import (
    CONTROL_CLAIMS,
    KEY_BINDING_TYPE,
    SdJwtVc,
    check_credential,
    list_binding_faults,
    parse_sd_jwt_vc,
)
from hansa.identity.statement import (
    Asked,
    Statement,
    judge_key_life,
    judge_statement,
    list_accreditations,
    read_schema_id,
    tell_proof,
    tell_unbound,
)

# Said of the credential, not of its subject: no schema speaks of them.
_ABOUT_IT: Final = CONTROL_CLAIMS | {"iat", "sub", "jti", "credentialSchema", "termsOfUse"}
_BINDINGS: Final[dict[str, CheckName]] = {"wrong_audience": "audience", "wrong_nonce": "nonce"}


class FoundSdJwt(msgspec.Struct, frozen=True):
    """What was found of an SD-JWT VC. holder: did:key of who presented it, when that was proved;
    holder_key: whose alone it is to present.
    """

    checks: list[Check]
    statement: Statement
    subjects: tuple[str, ...] = ()
    holder: str = ""
    holder_key: PublicKey | None = None


def judge_sd_jwt(text: str, asked: Asked, *, is_inside: bool = False) -> FoundSdJwt:
    """Judge an SD-JWT VC, with its key binding unless it stands inside a presentation, which binds
    it. Raises Malformed.
    """
    parsed = parse_sd_jwt_vc(text)
    shown = len(parsed.sd_jwt.disclosures)
    partial = ", others withheld" if parsed.sd_jwt.is_partial else ""
    checks = [asked.passed("format", f"SD-JWT VC {parsed.vct}: {shown} disclosed{partial}")]
    proof = check_credential(parsed, asked.sources.resolve, at_ms=asked.fact_ms)
    checks.append(tell_proof(proof, asked))
    if proof.code:
        text = f"no proof of {parsed.issuer} holds"
        checks.append(
            asked.failed("issuer_key", "not_by_issuer", text)
            if proof.is_judged
            else asked.not_judged("issuer_key", proof.code, text)
        )
    else:
        checks.append(judge_key_life(parsed.method, proof.is_key_live, asked))
    statement = read_statement(parsed, signer="" if proof.code else parsed.issuer)
    checks += judge_statement(statement, asked)
    holder = ""
    if not is_inside:
        bound, holder = _judge_binding(parsed, asked)
        checks += bound
    subjects = (parsed.subject,) if parsed.subject else ()
    return FoundSdJwt(checks, statement, subjects, holder, parsed.holder_key)


def read_statement(parsed: SdJwtVc, *, signer: str) -> Statement:
    """What an SD-JWT VC states, in the words of `statement`."""
    claims = parsed.claims
    schemas = [read_schema_id(parsed.vct), *_list_schemas(claims.get("credentialSchema"))]
    return Statement(
        form="sd-jwt-vc",
        issuer=parsed.issuer,
        signers=(signer,) if signer else (),
        suites=(parsed.sd_jwt.jws.alg,),
        types=(parsed.vct,),
        schemas=tuple(filter(None, schemas)),
        statuses=(StatusRef(parsed.issuer, "token", parsed.status_uri, parsed.status_index),)
        if parsed.status_uri
        else (),
        accreditations=list_accreditations(claims),
        valid_from_ms=parsed.valid_from_ms,
        valid_until_ms=parsed.valid_until_ms,
        issued_ms=parsed.issued_ms if parsed.issued_ms is not None else parsed.valid_from_ms,
        claims={name: value for name, value in claims.items() if name not in _ABOUT_IT},
        is_partial=parsed.sd_jwt.is_partial,
    )


def _list_schemas(said: Any) -> list[str]:
    listed = said if isinstance(said, list) else [said]
    ids = [each.get("id") for each in listed if isinstance(each, dict)]
    return [read_schema_id(each) for each in ids if isinstance(each, str)]


def _judge_binding(parsed: SdJwtVc, asked: Asked) -> tuple[list[Check], str]:
    """Who presents it, to whom, by which nonce."""
    if not parsed.sd_jwt.key_binding:
        return tell_unbound(asked), ""
    audience, nonce = _read_binding(parsed)
    faults = list_binding_faults(
        parsed,
        audience=asked.policy.audience or audience,
        nonce=asked.policy.nonce or nonce,
        now_ms=asked.now_ms,
        window_ms=asked.policy.skew_ms,
    )
    checks = []
    own = [fault for fault in faults if fault not in _BINDINGS]
    if own:
        checks.append(asked.failed("holder", own[0], "the proof of its holder does not hold"))
    elif parsed.holder_key is not None:
        checks.append(asked.passed("holder", f"presented by {did_of_key(parsed.holder_key)}"))
    wanted: tuple[tuple[str, CheckName, str, str], ...] = (
        ("wrong_audience", "audience", asked.policy.audience, audience),
        ("wrong_nonce", "nonce", asked.policy.nonce, nonce),
    )
    for code, name, value, given in wanted:
        if code in faults:
            checks.append(asked.failed(name, code, f"bound to {given!r}, not to {value!r}"))
        elif value:
            checks.append(asked.passed(name, f"bound to {value!r}"))
        else:
            checks.append(asked.not_asked(name, f"bound to {given!r}; not asked for"))
    is_held = not own and parsed.holder_key is not None
    return checks, did_of_key(parsed.holder_key) if is_held and parsed.holder_key else ""


def _read_binding(parsed: SdJwtVc) -> tuple[str, str]:
    """Audience and nonce as the key binding says them; ("", "") when it cannot be read."""
    try:
        jws = parse_jws(parsed.sd_jwt.key_binding, types=(KEY_BINDING_TYPE,))
        said = parse_document(jws.payload)
    except Malformed:
        return "", ""
    audience, nonce = said.get("aud", ""), said.get("nonce", "")
    return (
        audience if isinstance(audience, str) else "",
        nonce if isinstance(nonce, str) else "",
    )
