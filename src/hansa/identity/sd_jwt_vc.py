"""SD-JWT VC (draft-ietf-oauth-sd-jwt-vc-18): credentials in SD-JWT form, bound to a holder. Pure.

Profile: the issuer is a DID and its key one of that DID; times are whole seconds; the holder's key
is `cnf.jwk`; status is a Token Status List. Codes of Malformed besides those of `sd_jwt`: no_type,
no_issuer, no_key_named, issuer_mismatch, wrong_claim, control_claim_disclosable, unknown_status.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.crypto.signatures import InvalidKey, PublicKey, check_public_key
from hansa.identity.data_integrity import ProofCheck
from hansa.identity.did import InvalidDid, parse_jwk
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.jws import Jws, Sign, find_signature_fault, parse_jws, sign_jws
from hansa.identity.resolved import Resolver, Unresolvable
from hansa.identity.sd_jwt import Path, SdJwt, compute_digest, issue_sd_jwt, parse_sd_jwt

SD_JWT_VC_TYPE: Final = "dc+sd-jwt"
KEY_BINDING_TYPE: Final = "kb+jwt"
# What a verifier needs for its judgement cannot be withheld (draft-18, 2.2.2.2, and our profile).
CONTROL_CLAIMS: Final = frozenset(
    "iss nbf exp cnf vct vct#integrity aka_vcts status credentialSchema termsOfUse".split()
)
_SECONDS_MAX: Final = 253_402_300_799
_WINDOW_MS: Final = 300_000
_JWK_EXTRAS: Final = frozenset(("kid", "alg", "use", "key_ops"))


class SdJwtVc(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed SD-JWT VC; its signatures are not judged yet. Times in milliseconds, None: unsaid.

    aka_vcts: further types. method: DID URL of the issuer's key. holder_key: whose holder may
    present it (None: bearer). status_uri, status_index: of a Token Status List ("" and 0: none).
    """

    sd_jwt: SdJwt
    vct: str
    vct_integrity: str
    aka_vcts: tuple[str, ...]
    issuer: str
    method: str
    subject: str
    issued_ms: int | None
    valid_from_ms: int | None
    valid_until_ms: int | None
    holder_key: PublicKey | None
    status_uri: str
    status_index: int

    @property
    def claims(self) -> dict[str, Any]:
        """All claims that are disclosed, with the control claims."""
        return self.sd_jwt.claims


def issue_sd_jwt_vc(
    claims: Mapping[str, Any],
    *,
    vct: str,
    issuer: str,
    method: str,
    alg: str,
    sign: Sign,
    disclosable: Iterable[Path] = (),
    salts: Sequence[bytes] = (),
    decoys: Mapping[Path, int] | None = None,
    holder: PublicKey | None = None,
    status: tuple[str, int] | None = None,
    issued_s: int | None = None,
    valid_from_s: int | None = None,
    valid_until_s: int | None = None,
    vct_integrity: str = "",
) -> str:
    """Sign a credential. method: DID URL of the issuer's key; times in seconds; status: (uri, idx).

    `claims`: what is said of the subject (and `sub`, where it is a DID). Salts as `issue_sd_jwt`.
    """
    control: dict[str, Any] = {
        "vct": vct,
        "vct#integrity": vct_integrity or None,
        "iss": issuer,
        "iat": issued_s,
        "nbf": valid_from_s,
        "exp": valid_until_s,
        "cnf": {"jwk": holder.jwk()} if holder else None,
        "status": {"status_list": {"uri": status[0], "idx": status[1]}} if status else None,
    }
    paths = frozenset(disclosable)
    if any(path[:1] and path[0] in CONTROL_CLAIMS for path in paths):
        raise Malformed("control_claim_disclosable", "what verifiers judge by cannot be withheld")
    if set(claims) & set(control):
        raise Malformed("wrong_claim", "control claims are given by name")
    said = {name: value for name, value in control.items() if value is not None}
    return issue_sd_jwt(
        {**said, **claims},
        disclosable=paths,
        salts=salts,
        decoys=decoys,
        header={"alg": alg, "kid": method, "typ": SD_JWT_VC_TYPE},
        sign=sign,
    )


def parse_sd_jwt_vc(text: str, *, types: tuple[str, ...] = (SD_JWT_VC_TYPE,)) -> SdJwtVc:
    """Parse a credential or presentation; judges its form, no signature. Raises Malformed."""
    parsed = parse_sd_jwt(text, types=types)
    hidden = {each.path[0] for each in parsed.disclosures if each.path} & CONTROL_CLAIMS
    if hidden:
        raise Malformed("control_claim_disclosable", "what verifiers judge by is a disclosure")
    claims = parsed.claims
    issuer = _read_text(claims, "iss", "no_issuer")
    status_uri, status_index = _read_status(claims.get("status"))
    return SdJwtVc(
        sd_jwt=parsed,
        vct=_read_text(claims, "vct", "no_type"),
        vct_integrity=_read_text(claims, "vct#integrity"),
        aka_vcts=_read_further_types(claims),
        issuer=issuer,
        method=name_method(issuer, parsed.jws.kid),
        subject=_read_text(claims, "sub"),
        issued_ms=_read_time(claims, "iat"),
        valid_from_ms=_read_time(claims, "nbf"),
        valid_until_ms=_read_time(claims, "exp"),
        holder_key=_read_holder(claims),
        status_uri=status_uri,
        status_index=status_index,
    )


def name_method(issuer: str, kid: str) -> str:
    """DID URL of the key that `kid` names among the issuer's; a did:key has but one. Malformed."""
    if kid.startswith("did:"):
        if kid.partition("#")[0] != issuer:
            raise Malformed("issuer_mismatch", "the key named is not the issuer's")
        return kid
    if kid:
        return f"{issuer}#{kid.removeprefix('#')}"
    if issuer.startswith("did:key:"):
        return f"{issuer}#{issuer.removeprefix('did:key:')}"
    raise Malformed("no_key_named", "the header names no key (kid)")


def check_issuer(
    jws: Jws, resolve: Resolver, *, issuer: str, method: str, at_ms: int, issued_ms: int | None
) -> ProofCheck:
    """Judge an issuer's signature by the key that its DID had, or has, under that name.

    Codes: unresolvable (not judged), unknown_issuer, unknown_method, method_not_authorized,
    mixed_suite, bad_signature. Whether the key still counted at `at_ms` is `is_key_live`.
    """

    def tell(code: str, text: str, *, is_judged: bool = True) -> ProofCheck:
        return ProofCheck(
            suite=jws.alg,
            method=method,
            code=code,
            text=text,
            created_ms=issued_ms,
            is_judged=is_judged,
        )

    try:
        resolved = resolve(issuer)
    except Unresolvable as error:
        return tell("unresolvable", str(error), is_judged=False)
    if resolved is None:
        return tell("unknown_issuer", f"there is no {issuer}")
    found = resolved.find_method_at(method, at_ms)
    if found is None:
        return tell("unknown_method", f"{issuer} never had the key {method}")
    if "assertionMethod" not in found.relationships:
        return tell("method_not_authorized", f"{method} is not for issuing")
    fault = find_signature_fault(jws, found.key)
    if fault:
        return tell(fault, f"the signature does not hold under {method}")
    ended = resolved.deactivated_ms
    is_live = found.is_live(at_ms) and (ended is None or at_ms < ended)
    return msgspec.structs.replace(tell("", ""), is_key_live=is_live)


def check_credential(vc: SdJwtVc, resolve: Resolver, *, at_ms: int) -> ProofCheck:
    """Judge the issuer's signature of a credential; codes of `check_issuer`."""
    return check_issuer(
        vc.sd_jwt.jws,
        resolve,
        issuer=vc.issuer,
        method=vc.method,
        at_ms=at_ms,
        issued_ms=vc.issued_ms,
    )


# --- key binding (RFC 9901, 4.3 and 7.3) ---


def bind_key(
    presented: str, *, audience: str, nonce: str, issued_s: int, alg: str, sign: Sign
) -> str:
    """SD-JWT+KB: the holder signs what `present_sd_jwt` made, for whom and by which nonce."""
    said = {"aud": audience, "iat": issued_s, "nonce": nonce, "sd_hash": compute_digest(presented)}
    return presented + sign_jws(said, header={"alg": alg, "typ": KEY_BINDING_TYPE}, sign=sign)


def list_binding_faults(
    vc: SdJwtVc, *, audience: str, nonce: str, now_ms: int, window_ms: int = _WINDOW_MS
) -> tuple[str, ...]:
    """What is wrong with the proof that the holder presents this, now, to this audience.

    (): nothing. Codes: missing_key_binding, no_holder_key, wrong_key_binding (its form),
    mixed_suite, bad_signature, wrong_presentation (sd_hash), wrong_audience, wrong_nonce,
    stale_key_binding (iat not within `window_ms` of `now_ms`, or past its exp).
    """
    if not vc.sd_jwt.key_binding:
        return ("missing_key_binding",)
    if vc.holder_key is None:
        return ("no_holder_key",)
    try:
        jws = parse_jws(vc.sd_jwt.key_binding, types=(KEY_BINDING_TYPE,))
        said = parse_document(jws.payload)
    except Malformed as error:
        return ("wrong_key_binding", error.code)
    faults = (
        find_signature_fault(jws, vc.holder_key),
        "" if said.get("sd_hash") == compute_digest(vc.sd_jwt.presented) else "wrong_presentation",
        "" if said.get("aud") == audience else "wrong_audience",
        "" if said.get("nonce") == nonce else "wrong_nonce",
        "" if _is_fresh(said, now_ms, window_ms) else "stale_key_binding",
    )
    return tuple(fault for fault in faults if fault)


def _is_fresh(said: Mapping[str, Any], now_ms: int, window_ms: int) -> bool:
    try:
        issued, start, end = (_read_time(said, name) for name in ("iat", "nbf", "exp"))
    except Malformed:
        return False
    if issued is None or abs(now_ms - issued) > window_ms:
        return False
    return (start is None or start <= now_ms + window_ms) and (end is None or now_ms < end)


# --- reading claims ---


def _read_text(claims: Mapping[str, Any], name: str, missing: str = "") -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise Malformed("wrong_claim", f"{name} is not a string")
    if missing and not value:
        raise Malformed(missing, f"{name} is missing")
    return value


def _read_further_types(claims: Mapping[str, Any]) -> tuple[str, ...]:
    listed = claims.get("aka_vcts", [])
    is_list = isinstance(listed, list) and all(isinstance(each, str) and each for each in listed)
    if not is_list or ("aka_vcts" in claims and not listed) or claims.get("vct") in listed:
        raise Malformed("wrong_claim", "aka_vcts names further types, one or more")
    return tuple(listed)


def _read_time(claims: Mapping[str, Any], name: str) -> int | None:
    """A NumericDate in milliseconds, None when it is not said."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _SECONDS_MAX:
        raise Malformed("wrong_claim", f"{name} is not a time in whole seconds")
    return value * 1000


def _read_holder(claims: Mapping[str, Any]) -> PublicKey | None:
    if "cnf" not in claims:
        return None
    confirmation = claims["cnf"]
    jwk = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if not isinstance(jwk, dict) or "d" in jwk:
        raise Malformed("wrong_claim", "cnf has no public jwk")
    try:
        key = parse_jwk({name: jwk[name] for name in jwk if name not in _JWK_EXTRAS})
        check_public_key(key)
    except (InvalidDid, InvalidKey) as error:
        raise Malformed("wrong_claim", f"cnf.jwk: {error}") from error
    return key


def _read_status(status: object) -> tuple[str, int]:
    if status is None:
        return "", 0
    listed = status.get("status_list") if isinstance(status, dict) else None
    if not isinstance(listed, dict):
        raise Malformed("unknown_status", "a status of a kind that is not known here")
    uri, index = listed.get("uri"), listed.get("idx")
    is_index = isinstance(index, int) and not isinstance(index, bool) and index >= 0
    if not isinstance(uri, str) or not uri or not is_index:
        raise Malformed("wrong_claim", "status_list has no uri and idx")
    return uri, int(str(index))
