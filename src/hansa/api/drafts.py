"""Transactions between their signers: what a draft says, who signed it, what it would result in.

Nothing is stored and nothing is sent (D15).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import post
from litestar.params import RawBody

from hansa.api.gate import Gate, TheGate, TheViewer
from hansa.api.problems import Refusal, refuse_parameter, refuse_stranger
from hansa.api.threads import threaded
from hansa.api.views import Verdict
from hansa.client.drafts import DraftError, PartlySigned, read_draft
from hansa.encoding.canonical import CanonicalError, decode_typed
from hansa.encoding.text import encode_base64url
from hansa.identity.did import InvalidDid, parse_did_url
from hansa.index.sight import Viewer
from hansa.ledger.receipts import MessageResult
from hansa.ledger.state import get_system
from hansa.ledger.system import Account
from hansa.ledger.transactions import Payload, SignedMessage, compute_signing_input, encode_jws
from hansa.ledger.trial import UNSIGNED

DRAFT_MEDIA = ("application/jose+json", "application/jose", "application/json", "text/plain")


class DraftSigner(msgspec.Struct, frozen=True, kw_only=True):
    """One whose signature a transaction needs; `is_own`: a key of the asker's account."""

    kid: str
    is_own: bool
    has_signed: bool


class DraftMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a draft; `sender`: the key of the signer that sends it."""

    app: str
    type: str
    sender: str
    body: dict[str, Any]


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction between its signers. Nothing of it is stored.

    `payload`: what is signed, base64url; `signatures`: protected header and signature by key.
    `verdicts`: what its messages would result in, null while others must sign it too.
    """

    id: str
    chain: str
    expiry: int
    height: int
    mode: str
    payload: str
    signers: list[DraftSigner]
    signatures: dict[str, list[str]]
    messages: list[DraftMessage]
    verdicts: list[Verdict] | None = None


@post(
    "/v1/drafts",
    status_code=200,
    tags=["transactions"],
    summary="Read a transaction that is on its way between its signers",
    description=(
        "The body is the file of `hansa tx build` or `hansa tx sign`, or a whole transaction. When "
        "nobody's signature is missing but those of the asker's own account, the answer says what "
        "it would result in now. A signature that is wrong is refused."
    ),
    opt={"media": DRAFT_MEDIA},
)
@threaded
def read_draft_file(body: RawBody, gate: TheGate, viewer: TheViewer) -> DraftView:
    """What a draft says."""
    if viewer.is_stranger:
        raise refuse_stranger()
    draft, payload, messages = _read(body)
    signed = dict(draft.signatures)
    own = [kid for kid in draft.signers if kid.partition("#")[0] == viewer.account]
    is_own = bool(own) and set(draft.missing) <= set(own)
    return DraftView(
        id=draft.id,
        chain=payload.chain,
        expiry=payload.expiry,
        height=gate.ledger.height,
        mode=payload.mode,
        payload=encode_base64url(draft.payload),
        signers=[
            DraftSigner(kid=kid, is_own=kid in own, has_signed=kid in signed)
            for kid in draft.signers
        ],
        signatures={kid: list(_write(signature)) for kid, signature in draft.signatures},
        messages=[
            DraftMessage(
                app=each.app,
                type=each.type,
                sender=draft.signers[each.sender],
                body=msgspec.json.decode(each.body),
            )
            for each in messages
        ],
        verdicts=_try_draft(gate, draft) if is_own else None,
    )


def _write(signature: tuple[str, bytes]) -> tuple[str, str]:
    return signature[0], encode_base64url(signature[1])


def _read(body: bytes) -> tuple[PartlySigned, Payload, list[SignedMessage]]:
    """The draft and what is in it. Raises Refusal."""
    try:
        draft = read_draft(body)
        payload = msgspec.json.decode(draft.payload, type=Payload)
        messages = [decode_typed(each, SignedMessage) for each in payload.messages]
    except (DraftError, CanonicalError, msgspec.DecodeError) as error:
        raise _refuse_draft("It is not a transaction, and not a part of one.") from error
    if not set(dict(draft.signatures)) <= set(draft.signers):
        raise _refuse_draft("It has a signature of somebody who is none of its signers.")
    if any(not 0 <= each.sender < len(draft.signers) for each in messages):
        raise _refuse_draft("The sender of a message is none of its signers.")
    return draft, payload, messages


def _refuse_draft(detail: str) -> Refusal:
    return Refusal(
        422,
        "api.no_draft",
        detail,
        rule="D1",
        remedy="Give the file as it was made: by hansa tx build or hansa tx sign, or here.",
    )


def _try_draft(gate: Gate, draft: PartlySigned) -> list[Verdict]:
    """What it would result in, told to who has all that it takes to send it."""
    signed = dict(draft.signatures)
    missing = draft.missing
    parts = tuple(
        (compute_protected(gate, kid, draft.payload), UNSIGNED) if kid in missing else signed[kid]
        for kid in draft.signers
    )
    data = encode_jws(draft.payload, parts)
    result = gate.ledger.try_transaction(data, frozenset(missing))
    return describe_results(gate, result.messages)


def try_payload(gate: Gate, viewer: Viewer, payload: bytes, signer: str, algorithm: str) -> Verdict:
    """What a payload of one message and one signer would result in: told to the signer alone, who
    could find out by sending it. Raises Refusal.
    """
    if viewer.is_stranger:
        raise refuse_stranger()
    if signer.partition("#")[0] != viewer.account:
        raise refuse_parameter("signer", "a trial is for a key of your own account")
    protected, _signing_input = compute_signing_input(signer, algorithm, payload)
    data = encode_jws(payload, ((protected, UNSIGNED),))
    result = gate.ledger.try_transaction(data, frozenset((signer,)))
    return describe_results(gate, result.messages)[0]


def describe_results(gate: Gate, results: Sequence[MessageResult]) -> list[Verdict]:
    """Results that were only tried, in words."""
    found = []
    for each in results:
        text, rule, remedy = gate.words.describe(each.code, each.params)
        found.append(
            Verdict(
                code=each.code,
                params=each.params,
                text=text,
                rule=rule,
                remedy=remedy,
                events=[f"{event.app}.{event.type}" for event in each.events],
            )
        )
    return found


def compute_protected(gate: Gate, kid: str, payload: bytes) -> str:
    """The protected header with which a registered key signs. Raises Refusal."""
    return compute_signing_input(kid, find_algorithm(gate, kid), payload)[0]


def find_algorithm(gate: Gate, kid: str) -> str:
    """Algorithm of a registered key. Raises Refusal."""
    try:
        url = parse_did_url(kid)
    except InvalidDid as error:
        raise refuse_parameter("signer", "not the DID URL of a key") from error
    account = get_system(gate.ledger.state, Account, url.did)
    for key in account.keys if account else ():
        if key.id == url.fragment and key.until is None:
            return key.public.alg
    raise refuse_parameter("signer", "not a current key of an account of this league")
