"""Routes of judging: the one `identity.verify` over this gateway's ledger, for who cannot judge.

Nothing of what is judged is kept or written down. Who would rather not believe a gateway judges at
home, against a pinned root: `hansa credential verify`.
"""

from typing import Annotated, Any, Final

import msgspec
from litestar import post
from litestar.params import JSONBody

from hansa.api.applications import JSON_MEDIA
from hansa.api.gate import Gate, TheGate
from hansa.api.problems import refuse_parameter
from hansa.api.threads import threaded
from hansa.client.bundle_verdict import judge_document
from hansa.client.bundles import BundleFile
from hansa.client.facts import build_sources
from hansa.contracts.accreditations.model import Recognition
from hansa.encoding.canonical import encode_canonical
from hansa.identity.json_document import DOCUMENT_BYTES_MAX
from hansa.identity.report import Check, Outcome, Policy, Sources
from hansa.identity.verify import verify
from hansa.ledger.state import scan_records
from hansa.primitives.values import TimeMs

# Recognitions of every place; the contract bounds those of one.
_RECOGNITIONS_MAX: Final = 1_024
_MARK: Final = '"kind":"hansa.bundle/1"'
Ids = Annotated[tuple[str, ...], msgspec.Meta(max_length=64)]
Short = Annotated[str, msgspec.Meta(max_length=512)]


class JudgeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A credential, presentation or bundle, and what its verifier asks for (see `Policy`).

    at_ms: as at which time, null for now. A bundle is judged by what it proves, else by the ledger.
    """

    document: Annotated[str, msgspec.Meta(max_length=1_000_000)]
    at_ms: TimeMs | None = None
    audience: Short = ""
    nonce: Short = ""
    jurisdiction: Short = ""
    need_holder: bool = False
    need_accreditation: bool = True
    need_status: bool = False
    issuers: Ids = ()
    schemas: Ids = ()
    types: Ids = ()
    anchors: Ids = ()


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. source: `ledger` of this gateway at `height`, or `bundle`, whose facts are
    those of the league only when its header is (which is for the asker to judge).
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    as_at_ms: int
    form: str
    source: str
    chain: str
    height: int
    issuers: tuple[str, ...]
    holder: str
    claims: tuple[dict[str, Any], ...]


@post(
    "/v1/credentials/judge",
    status_code=200,
    tags=["credentials"],
    summary="Judge a credential, presentation or bundle, check by check",
    description=(
        "By the verifier of this league over the state of this gateway. Nothing is kept. The "
        "answer is this gateway's word: `hansa credential verify` judges without trust in it."
    ),
    opt={"media": JSON_MEDIA},
)
@threaded
def judge(data: JSONBody[JudgeRequest], gate: TheGate) -> Judgement:
    """The named checks and the outcome."""
    asked = data
    now_ms = max(gate.clock(), gate.ledger.state.time_ms)
    at_ms = now_ms if asked.at_ms is None else asked.at_ms
    policy = _build_policy(asked)
    bundle = _read_bundle(asked.document)
    height, chain = gate.ledger.state.height, gate.ledger.chain
    if bundle is not None:
        found = judge_document(bundle, at_ms, policy)
        if found is None:
            raise refuse_parameter(
                "document", "the facts of the bundle do not stand in the state that it names"
            )
        height, chain = bundle.height, bundle.chain
    else:
        text = asked.document.encode("utf-8", "surrogatepass")[: DOCUMENT_BYTES_MAX + 1]
        sources = _open_sources(gate, height)
        found = verify(text, sources=sources, policy=policy, at_ms=at_ms, now_ms=now_ms)
    return Judgement(
        outcome=found.outcome,
        checks=found.checks,
        as_at_ms=found.as_at_ms,
        form=found.form,
        source="ledger" if bundle is None else "bundle",
        chain=chain,
        height=height,
        issuers=found.issuers,
        holder=found.holder,
        claims=found.claims,
    )


def _build_policy(asked: JudgeRequest) -> Policy:
    return Policy(
        audience=asked.audience,
        nonce=asked.nonce,
        jurisdiction=asked.jurisdiction,
        need_holder=asked.need_holder,
        need_accreditation=asked.need_accreditation,
        need_status=asked.need_status,
        issuers=asked.issuers,
        schemas=asked.schemas,
        types=asked.types,
        anchors=frozenset(asked.anchors) or None,
    )


def _read_bundle(document: str) -> BundleFile | None:
    if _MARK not in document:
        return None
    try:
        return msgspec.json.decode(document, type=BundleFile)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _open_sources(gate: Gate, height: int) -> Sources:
    """The ledger of this gateway: what verify reads of it is public, to whoever asks."""
    state = gate.ledger.state
    found = scan_records(state, "accreditations", Recognition, limit=_RECOGNITIONS_MAX)
    return build_sources(
        lambda key: state.get(key.encode("ascii")),
        height=height,
        known_ms=state.time_ms,
        recognitions=[encode_canonical(each) for each in found],
    )
