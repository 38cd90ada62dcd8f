"""What `verify` is asked with and what it answers: sources, policy, named checks, outcome. Pure.

A check is passed, failed or not judged, and says so with a stable code; nothing is left out in
silence. Times are milliseconds since 1970-01-01 UTC.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec

from hansa.identity.links import Bridge, Finder
from hansa.identity.resolved import Resolver

CheckName = Literal[
    "format",
    "proof",
    "issuer_key",
    "validity",
    "schema",
    "status",
    "accreditation",
    "accreditation_now",
    "holder",
    "audience",
    "nonce",
    "policy",
    "freshness",
]
CheckOutcome = Literal["passed", "failed", "not_judged"]
Outcome = Literal["yes", "no", "could_not_judge"]
# A check that the verifier did not ask for: it says so, and decides nothing.
NOT_ASKED: Final = "not_asked"
DAY_MS: Final = 86_400_000


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at. code: "" when passed; else why not. about: "" for the document
    itself, `credential 0` for a credential inside a presentation.
    """

    name: CheckName
    outcome: CheckOutcome
    code: str = ""
    text: str = ""
    about: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` says. outcome: `no` when a check failed; `could_not_judge` when one that was
    asked for could not be judged; else `yes`.

    as_at_ms: the time for which it holds. claims: of each credential, what was proved, only when
    the outcome is yes. holder: who presented, when that was proved. issuers: whose proofs held.
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    as_at_ms: int
    form: str = ""
    issuers: tuple[str, ...] = ()
    holder: str = ""
    claims: tuple[dict[str, Any], ...] = ()


class StatusRef(msgspec.Struct, frozen=True):
    """Where a credential says that its status stands. issuer: of the credential, by its proof.

    form: `bitstring` (W3C) or `token` (IETF); list_uri: the list; purpose: revocation or
    suspension for a bitstring, "" for a token list (which says both).
    """

    issuer: str
    form: Literal["bitstring", "token"]
    list_uri: str
    index: int
    purpose: str = ""


class StatusSpan(msgspec.Struct, frozen=True):
    """`revoked` or `suspended` from since_ms on, before until_ms (None: no end)."""

    value: str
    since_ms: int
    until_ms: int | None = None


class StatusFound(msgspec.Struct, frozen=True):
    """What a source knows of an index up to known_ms: [] means never suspended nor revoked.

    source: where from, for people: `ledger at height 7`, `list signed by …`.
    """

    spans: tuple[StatusSpan, ...]
    known_ms: int
    source: str

    def at(self, time_ms: int) -> str:
        """`valid`, `suspended` or `revoked` at a time."""
        for span in reversed(self.spans):
            if span.since_ms <= time_ms and (span.until_ms is None or time_ms < span.until_ms):
                return span.value
        return "valid"


class SchemaFound(msgspec.Struct, frozen=True):
    """A published schema: its canonical JSON, and the names by which scopes may call it (its id,
    and its line `name:major`). vct: the type of SD-JWT VCs made by it, or "".
    """

    text: bytes
    names: tuple[str, ...]
    vct: str = ""


# None: known not to exist. Raise Unresolvable: could not find out.
FindStatus = Callable[[StatusRef], StatusFound | None]
FindSchema = Callable[[str], SchemaFound | None]


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the facts come from: a gateway, a bundle, a test.

    find_schema: by the hex SHA-256 of its document, which is held to it. find_link raises
    NotFoundOut, as `identity.accreditation` has it. known_ms: up to when these facts hold (the time
    of the block at which they were read).
    """

    resolve: Resolver
    find_status: FindStatus
    find_schema: FindSchema
    find_link: Finder
    recognitions: Sequence[Bridge] = ()
    known_ms: int


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier asks for. Empty: not asked.

    audience, nonce: what a presentation must be bound to (SD-JWT: aud; Data Integrity: domain and
    challenge). need_holder: a bare credential is not enough. issuers, schemas (hex), types: one of
    them each. cosigners: each must have signed too. suites: cryptosuites and algorithms that are
    good enough. need_accreditation: who issued must be entitled, then and now; anchors: roots (ids
    or DIDs) that count, None: every root of the ledger; jurisdiction: where the claim is to count
    ("": where its issuer is accredited). need_status: refuse what cannot be revoked.
    accept_ended_keys: believe an issuer's own date that a key signed before it ended. max_age_ms:
    how old the facts may be (None: any age). skew_ms: how far clocks may differ.
    """

    audience: str = ""
    nonce: str = ""
    need_holder: bool = False
    issuers: tuple[str, ...] = ()
    cosigners: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    need_accreditation: bool = True
    anchors: frozenset[str] | None = None
    jurisdiction: str = ""
    need_status: bool = False
    accept_ended_keys: bool = False
    max_age_ms: int | None = DAY_MS
    skew_ms: int = 300_000


def conclude(checks: Sequence[Check]) -> Outcome:
    """The outcome of the checks together."""
    if any(check.outcome == "failed" for check in checks):
        return "no"
    if any(check.outcome == "not_judged" and check.code != NOT_ASKED for check in checks):
        return "could_not_judge"
    return "yes"
