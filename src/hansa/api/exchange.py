"""Handing out of private content: only under a live grant, only what the ledger already says was
read, only to its taker, sealed. Reads committed state and the controllers' vaults; writes nothing.

The access is on the ledger, durably, before this route can be asked for it (rule C5): whenever the
gateway dies, what left is recorded; what is recorded may not have left, and can be asked for again
until the taker has signed for it.
"""

from typing import Annotated, Final

from litestar import Response, get
from litestar.params import Parameter

from hansa.api.gate import Gate, TheGate, TheViewer
from hansa.api.problems import Refusal, refuse_stranger, refuse_unready, refuse_unseen
from hansa.api.threads import threaded
from hansa.contracts.consents.model import Access, DataGrant, Delivery, Emergency, Erasure
from hansa.index.sight import Viewer
from hansa.ledger.model import is_key_part
from hansa.ledger.state import StateReader, get_record
from hansa.vault.exchange import HandOver, Shelf, compute_package_digest, describe_access, pack
from hansa.vault.faults import ErasedEntryError, NoSuchEntryError, VaultError
from hansa.vault.sealing import SealError

MEDIA: Final = "application/vnd.hansa.sealed"
# Blocks come at least every minute: a node that has seen none for so long knows of no withdrawal.
STALE_MS: Final = 600_000
_APP: Final = "consents"
_NUMBER_MAX: Final = 999_999_999


@get(
    "/v1/exchange/{subject:str}/{number:int}",
    tags=["exchange"],
    summary="The content of a recorded access, sealed, for its taker",
    description=(
        "First the access is recorded on the ledger (consents: RecordAccess or BreakGlass), with a "
        "key made for it; then its taker asks here, at a gateway of the controller. The package "
        "opens with that key alone (HPKE X25519, or SM2 with SM4-GCM), for this access alone. It "
        "can be had again until the taker signs for it (ReceiveContent), the access ends, or the "
        "grant is withdrawn. `Hansa-Package` is the digest to sign for."
    ),
    media_type=MEDIA,
)
@threaded
def hand_out(
    subject: Annotated[str, Parameter(description="DID of the subject.")],
    number: Annotated[int, Parameter(description="Number of the access in the subject's log.")],
    gate: TheGate,
    viewer: TheViewer,
) -> Response[bytes]:
    """The sealed package of an access."""
    if viewer.is_stranger:
        raise refuse_stranger()
    access = find_access(gate.ledger.state, viewer, subject, number)
    check_fresh(gate)
    check_open(gate.ledger.state, access, gate.clock())
    sealed = _pack(_need_shelf(gate, access), describe_access(gate.ledger.chain, access))
    headers = {"Hansa-Package": compute_package_digest(sealed)}
    return Response(sealed, media_type=MEDIA, headers=headers)


def find_access(state: StateReader, viewer: Viewer, subject: str, number: int) -> Access:
    """The access, for its taker. Raises Refusal: to others it is not there."""
    if not is_key_part(subject) or not 1 <= number <= _NUMBER_MAX:
        raise refuse_unseen()
    access = get_record(state, _APP, Access, subject, f"{number:09d}")
    if access is None or access.taker not in viewer.dids:
        raise refuse_unseen()
    return access


def check_fresh(gate: Gate) -> None:
    """Raise Refusal when this node may not know of a withdrawal: it stopped, or is far behind."""
    if gate.ledger.failure is not None or gate.clock() - gate.ledger.state.time_ms > STALE_MS:
        raise refuse_unready("The ledger of this gateway is not at the present.", 60)


def check_open(state: StateReader, access: Access, clock_ms: int) -> None:
    """Raise Refusal unless the content may leave now: by the block's time and by the clock."""
    now_ms = max(state.time_ms, clock_ms)
    if access.grant:
        grant = get_record(state, _APP, DataGrant, access.grant)
        if grant is None or grant.state == "withdrawn":
            raise _refuse("withdrawn", "C3", "The grant was withdrawn.", _ASK_SUBJECT)
        if grant.state == "expired" or grant.until_ms <= now_ms:
            raise _refuse("expired", "C2", "The grant is over.", _ASK_SUBJECT)
    found = get_record(state, _APP, Emergency, access.emergency) if access.emergency else None
    if found is not None and found.verdict == "unjustified":
        text = "A regulator found this break-glass unjustified."
        raise _refuse("unjustified", "C8", text, _ASK_SUBJECT)
    if access.until_ms <= now_ms:
        raise _refuse("access_over", "C11", "The access is over.", _RECORD_AGAIN)
    if get_record(state, _APP, Delivery, *access.key()) is not None:
        raise _refuse("received", "C9", "The taker has signed for it.", _RECORD_AGAIN)
    for each in access.handed:
        parts = (access.subject, access.controller, each.commitment)
        if get_record(state, _APP, Erasure, *parts) is not None:
            raise _refuse_erased()


def _need_shelf(gate: Gate, access: Access) -> Shelf:
    try:
        shelf = None if gate.shelves is None else gate.shelves.of(access.controller)
    except VaultError as error:
        raise refuse_unready(f"The vault does not open ({error.CODE}).", 60) from error
    if shelf is None:
        raise Refusal(
            404,
            "exchange.not_here",
            "This gateway keeps no vault of the controller.",
            rule="C5",
            remedy="Ask a gateway of the controller's own.",
            params={"controller": access.controller},
        )
    return shelf


def _pack(shelf: Shelf, access: HandOver) -> bytes:
    try:
        return pack(shelf, access)
    except ErasedEntryError as error:
        raise _refuse_erased() from error
    except NoSuchEntryError as error:
        raise Refusal(
            404,
            "exchange.not_placed",
            "The vault has nothing under that commitment to hand out.",
            rule="C4",
            remedy="Ask the controller: hansa vault declare places a content.",
        ) from error
    except SealError as error:
        raise _refuse("wrong_key", "C5", error.text, _RECORD_AGAIN, status=422) from error
    except VaultError as error:
        raise refuse_unready(f"The vault does not give it ({error.CODE}).", 60) from error


_ASK_SUBJECT: Final = "Ask the subject for a new grant."
_RECORD_AGAIN: Final = "Record another access, if the grant allows one."


def _refuse(code: str, rule: str, text: str, remedy: str, status: int = 403) -> Refusal:
    return Refusal(status, f"exchange.{code}", text, rule=rule, remedy=remedy)


def _refuse_erased() -> Refusal:
    return _refuse("erased", "C10", "The content was erased.", "It does not return.", status=410)
