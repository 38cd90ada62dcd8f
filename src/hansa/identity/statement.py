"""What any form of credential says once its signatures are read, and how it is judged. Pure.

One set of judgements for Data Integrity and SD-JWT VC: validity, schema, status, accreditation,
policy. Identifiers of the league in credentials are written `urn:hansa:schema:HEX` and
`urn:hansa:accreditation:ID`; a status list by the address at which its issuer's gateway serves it.
"""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from hansa.crypto.hashing import sha256
from hansa.identity.accreditation import Finding, verify_accreditation
from hansa.identity.data_integrity import ProofCheck
from hansa.identity.json_schema import InvalidSchema
from hansa.identity.json_validation import CompiledSchema
from hansa.identity.links import Finder, Link, NotFoundOut
from hansa.identity.moments import format_moment
from hansa.identity.report import (
    NOT_ASKED,
    Check,
    CheckName,
    Policy,
    SchemaFound,
    Sources,
    StatusRef,
)
from hansa.identity.resolved import Unresolvable

SCHEMA_URN: Final = "urn:hansa:schema:"
ACCREDITATION_URN: Final = "urn:hansa:accreditation:"
_HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What speaks of all claims together, and places where names are claims' own.
_WHOLE: Final = frozenset(
    (
        *("required", "dependentRequired", "dependentSchemas", "minProperties", "minItems"),
        *("contains", "minContains", "not", "if", "then", "else", "oneOf"),
    )
)
_NAMED: Final = frozenset(("properties", "patternProperties", "dependentSchemas", "$defs"))
_WORST: Final = {"revoked": 2, "suspended": 1, "valid": 0}


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as its signatures say it. signers: DIDs whose proofs held. schemas: hex ids.
    accreditations: ids. claims: what is to fit the schema; is_partial: some were not disclosed.
    issued_ms: when the issuer says that it was made (None: it does not say).
    """

    form: str
    issuer: str
    signers: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    statuses: tuple[StatusRef, ...] = ()
    accreditations: tuple[str, ...] = ()
    valid_from_ms: int | None = None
    valid_until_ms: int | None = None
    issued_ms: int | None = None
    claims: dict[str, Any] = {}
    is_partial: bool = False


class Asked(msgspec.Struct, frozen=True):
    """One question: sources, policy, times, and what the checks are about."""

    sources: Sources
    policy: Policy
    at_ms: int
    now_ms: int
    about: str = ""

    @property
    def fact_ms(self) -> int:
        """The time of the facts: asked for, but never later than they are known."""
        return min(self.at_ms, self.sources.known_ms)

    def passed(self, name: CheckName, text: str) -> Check:
        return Check(name, "passed", "", text, self.about)

    def failed(self, name: CheckName, code: str, text: str) -> Check:
        return Check(name, "failed", code, text, self.about)

    def not_judged(self, name: CheckName, code: str, text: str) -> Check:
        return Check(name, "not_judged", code, text, self.about)

    def not_asked(self, name: CheckName, text: str = "not asked for") -> Check:
        return Check(name, "not_judged", NOT_ASKED, text, self.about)


def judge_statement(said: Statement, asked: Asked) -> list[Check]:
    """All that is judged alike for every form."""
    schema, found = _judge_schema(said, asked)
    return [
        _judge_validity(said, asked),
        schema,
        *_judge_statuses(said, asked),
        *_judge_accreditation(said, found, asked),
        _judge_policy(said, asked),
    ]


def judge_freshness(asked: Asked) -> Check:
    """How old the facts are at the time asked for."""
    age_ms = max(0, asked.at_ms - asked.sources.known_ms)
    text = f"the facts are as at {show_time(asked.sources.known_ms)}"
    limit = asked.policy.max_age_ms
    if limit is not None and age_ms > limit:
        return asked.not_judged("freshness", "stale", f"{text}: {age_ms // 1000} s old")
    return asked.passed("freshness", text)


def tell_unbound(asked: Asked) -> list[Check]:
    """The checks of holder, audience and nonce where nothing was presented."""
    policy = asked.policy
    wanted: tuple[tuple[CheckName, bool, str], ...] = (
        ("holder", policy.need_holder, "no_holder_binding"),
        ("audience", bool(policy.audience), "no_audience"),
        ("nonce", bool(policy.nonce), "no_nonce"),
    )
    text = "a bare credential: nobody proved to be its holder"
    return [
        asked.failed(name, code, text) if is_wanted else asked.not_asked(name, text)
        for name, is_wanted, code in wanted
    ]


def tell_proof(proof: ProofCheck, asked: Asked) -> Check:
    """A proof as a check."""
    text = f"{proof.suite} by {proof.method}" + (f": {proof.text}" if proof.text else "")
    if not proof.code:
        return asked.passed("proof", text)
    if proof.is_judged:
        return asked.failed("proof", proof.code, text)
    return asked.not_judged("proof", proof.code, text)


def judge_key_life(method: str, is_live: bool, asked: Asked) -> Check:
    """Who has a key that has ended can date its signatures back: only the issuer's word is left."""
    if is_live:
        return asked.passed("issuer_key", f"{method} is the issuer's, then and now")
    text = f"{method} has ended; that it signed before is only the signature's own word"
    if asked.policy.accept_ended_keys:
        return asked.passed("issuer_key", text)
    return asked.not_judged("issuer_key", "key_ended", text)


def _judge_validity(said: Statement, asked: Asked) -> Check:
    start, end = said.valid_from_ms, said.valid_until_ms
    if start is not None and asked.at_ms < start - asked.policy.skew_ms:
        return asked.failed("validity", "not_yet_valid", f"valid only from {show_time(start)}")
    if end is not None and asked.at_ms >= end:
        return asked.failed("validity", "expired", f"expired on {show_time(end)}")
    until = "no end" if end is None else f"until {show_time(end)}"
    return asked.passed("validity", f"valid at {show_time(asked.at_ms)}, {until}")


# --- schema ---


def _judge_schema(said: Statement, asked: Asked) -> tuple[Check, SchemaFound | None]:
    if not said.schemas:
        if asked.policy.schemas:
            return asked.failed("schema", "no_schema", "it names no schema of the league"), None
        return asked.not_asked("schema", "it names no schema of the league"), None
    id_ = said.schemas[0]
    try:
        found = asked.sources.find_schema(id_)
    except Unresolvable as why:
        return asked.not_judged("schema", "schema_unavailable", str(why)), None
    if found is None:
        return asked.failed("schema", "unknown_schema", f"nobody published schema {id_}"), None
    if sha256(found.text).hex() != id_:
        return asked.failed("schema", "schema_mismatch", "the schema is not what its id says"), None
    if said.form == "sd-jwt-vc" and found.vct and found.vct not in said.types:
        text = f"the schema is for {found.vct}"
        return asked.failed("schema", "type_mismatch", text), found
    wanted = asked.policy.schemas
    if wanted and not set(wanted) & {id_, *found.names}:
        text = f"made by the schema {found.names[-1]}, which is not what was asked for"
        return asked.failed("schema", "schema_not_accepted", text), found
    try:
        faults = _compile(id_, found.text, said.is_partial).find_faults(said.claims)
    except InvalidSchema as why:
        return asked.failed("schema", "invalid_schema", str(why)), found
    if faults:
        text = "; ".join(f"{path or '/'}: {keyword}" for path, keyword in faults[:3])
        return asked.failed("schema", "wrong_schema", text), found
    return asked.passed("schema", f"fits {found.names[-1]}"), found


@lru_cache(maxsize=256)
def _compile(_id: str, document: bytes, is_partial: bool) -> CompiledSchema:
    """The schema, ready; of a part of the claims nothing is required, and no number of them."""
    plain = msgspec.json.decode(document)
    return CompiledSchema(_loosen(plain) if is_partial else plain)


def _loosen(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_loosen(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name not in _WHOLE}
    return {
        name: {key: _loosen(each) for key, each in value.items()}
        if name in _NAMED and isinstance(value, dict)
        else value
        if name in ("const", "enum")
        else _loosen(value)
        for name, value in kept.items()
    }


# --- status ---


def _judge_statuses(said: Statement, asked: Asked) -> list[Check]:
    if not said.statuses:
        text = "it carries no status: nobody can revoke it"
        if asked.policy.need_status:
            return [asked.failed("status", "no_status", text)]
        return [asked.not_asked("status", text)]
    # One index serves both purposes of a list: what is said twice is told once.
    return list(dict.fromkeys(_judge_status(ref, asked) for ref in said.statuses))


def _judge_status(ref: StatusRef, asked: Asked) -> Check:
    try:
        found = asked.sources.find_status(ref)
    except Unresolvable as why:
        return asked.not_judged("status", "status_unavailable", str(why))
    if found is None:
        text = f"its issuer has no status list {ref.list_uri} with index {ref.index}"
        return asked.failed("status", "no_such_status", text)
    value = found.at(min(asked.at_ms, found.known_ms))
    text = f"{value} as at {show_time(min(asked.at_ms, found.known_ms))} ({found.source})"
    if _WORST.get(value, 2):
        return asked.failed("status", value, text)
    limit = asked.policy.max_age_ms
    if limit is not None and asked.at_ms - found.known_ms > limit:
        return asked.not_judged("status", "stale", text)
    return asked.passed("status", text)


# --- accreditation ---


def _judge_accreditation(said: Statement, schema: SchemaFound | None, asked: Asked) -> list[Check]:
    """Entitled when it issued, and now: nobody outlives a revocation."""
    names: tuple[CheckName, CheckName] = ("accreditation", "accreditation_now")
    if not said.accreditations:
        text = "it names no accreditation of its issuer"
        if asked.policy.need_accreditation:
            return [asked.failed(names[0], "no_accreditation", text)]
        return [asked.not_asked(names[0], text)]
    if schema is None:
        text = "an issuer is entitled to a schema, and none was found"
        return [asked.not_judged(names[0], "no_schema", text)]
    leaf = said.accreditations[0]
    issued_ms = said.issued_ms if said.issued_ms is not None else asked.fact_ms
    finding = verify_accreditation(
        asked.sources.find_link,
        asked.sources.recognitions,
        leaf=leaf,
        issuer=said.issuer,
        schema=schema.names,
        jurisdiction=asked.policy.jurisdiction or _find_place(asked.sources.find_link, leaf),
        at_ms=min(issued_ms, asked.fact_ms),
        anchors=asked.policy.anchors,
        now_ms=asked.fact_ms,
    )
    now = finding.now or finding
    return [_tell_finding(names[0], finding, asked), _tell_finding(names[1], now, asked)]


def _tell_finding(name: CheckName, finding: Finding, asked: Asked) -> Check:
    when = f"as at {show_time(finding.at_ms)}"
    if finding.entitled:
        roots = [step.link for step in finding.steps if step.what == "accreditation"]
        over = f", by recognition {finding.recognition}" if finding.recognition else ""
        return asked.passed(name, f"entitled {when}: {' < '.join(roots)}{over}")
    text = f"not entitled {when}: " + ", ".join(
        f"{step.link}: {step.code}" for step in finding.steps if step.code
    )
    if finding.outcome == "no":
        return asked.failed(name, finding.code, text)
    return asked.not_judged(name, finding.code, text)


def _find_place(find: Finder, leaf: str) -> str:
    """The first jurisdiction of the issuer's own accreditation, where the verifier names none."""
    try:
        link: Link | None = find(leaf)
    except NotFoundOut:
        return ""
    places = [place for scope in link.scope for place in scope.jurisdictions] if link else []
    return next(iter(places), "")


# --- policy ---


def _judge_policy(said: Statement, asked: Asked) -> Check:
    policy = asked.policy
    if policy.issuers and said.issuer not in policy.issuers:
        return asked.failed("policy", "issuer_not_accepted", f"issued by {said.issuer}")
    if policy.types and not set(policy.types) & set(said.types):
        return asked.failed("policy", "type_not_accepted", f"it is {', '.join(said.types)}")
    missing = [each for each in policy.cosigners if each not in said.signers]
    if missing:
        return asked.failed("policy", "cosigner_missing", f"not signed by {', '.join(missing)}")
    weak = [each for each in said.suites if policy.suites and each not in policy.suites]
    if weak:
        return asked.failed("policy", "suite_not_accepted", f"signed by {', '.join(weak)}")
    if policy.issuers or policy.types or policy.cosigners or policy.suites:
        return asked.passed("policy", "issuer, type, signers and suites are as asked")
    return asked.not_asked("policy")


# --- names ---


def read_schema_id(text: str) -> str:
    """The hex id at the end of `urn:hansa:schema:HEX` or of an address; "" when there is none."""
    last = re.split(r"[/:]", text)[-1]
    return last if _HEX.fullmatch(last) else ""


def read_accreditation_id(text: str) -> str:
    """The id of `urn:hansa:accreditation:ID`; "" for anything else."""
    return text.removeprefix(ACCREDITATION_URN) if text.startswith(ACCREDITATION_URN) else ""


def list_accreditations(document: dict[str, Any]) -> tuple[str, ...]:
    """Ids of the accreditations that termsOfUse names."""
    terms = document.get("termsOfUse", [])
    listed = terms if isinstance(terms, list) else [terms]
    ids = [each.get("id") for each in listed if isinstance(each, dict)]
    return tuple(filter(None, (read_accreditation_id(id_) for id_ in ids if isinstance(id_, str))))


@lru_cache(maxsize=4096)
def show_time(at_ms: int) -> str:
    """A time for people; numbers that are no date stay numbers."""
    try:
        return format_moment(at_ms)
    except ValueError:
        return str(at_ms)
