"""Routes of records, their histories and proofs: one set for every kind of the catalog (D15)."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.params import Parameter

from hansa.api.gate import Gate, TheGate, TheViewer, check_not_stranger
from hansa.api.headers import TrustedHeight
from hansa.api.problems import (
    describe_rejection,
    refuse_not_absent,
    refuse_parameter,
    refuse_unseen,
)
from hansa.api.proofs import build_proof_file
from hansa.api.query import (
    FILTERS,
    LIMIT_DEFAULT,
    After,
    Limit,
    collect_filters,
    decode_cursor,
    describe_scalars,
    encode_cursor,
    parse_scalar,
)
from hansa.api.threads import threaded
from hansa.api.views import HistoryPage, RecordPage, VersionView
from hansa.client.receipts import encode_file
from hansa.index.pages import Row, allow_all
from hansa.index.records import get_visible, list_history, list_visible, names_party
from hansa.index.shape import RecordKind
from hansa.index.sight import Viewer, compute_marks, compute_sight, is_visible
from hansa.ledger.model import ImpossibleKey, check_key_shape, is_key_part
from hansa.ledger.state import StateReader, get_system
from hansa.ledger.system import Account, Member
from hansa.primitives.limits import KEY_BYTES_MAX

AppName = Annotated[str, Parameter(description="Application or system contract.")]
KindName = Annotated[str, Parameter(description="Kind of records.")]
KeyPath = Annotated[str, Parameter(description="The identifier's parts, parted by slashes.")]
_CHANGED = "hansa-height"


def build_key(kind: RecordKind, path: str) -> str:
    """State key of an address. Raises Refusal for what no record of the kind can stand under."""
    key = build_prefix(kind, path)
    try:
        check_key_shape(kind.newest, tuple(key.split("/")[2:]))
    except ImpossibleKey as impossible:
        raise describe_rejection(impossible) from impossible
    return key


def build_prefix(kind: RecordKind, path: str) -> str:
    """First parts of state keys. Raises Refusal (404) for what cannot be parts of one."""
    parts = path.removeprefix("/").split("/")
    key = kind.prefix + "/".join(parts)
    if not all(map(is_key_part, parts)) or len(key) > KEY_BYTES_MAX:
        raise refuse_unseen()
    return key


@get(
    "/v1/apps/{app:str}/{kind:str}",
    tags=["records"],
    summary="Records that the asker may read",
    description=(
        "In the order of their identifiers; any plain field of the record is a filter. A page may "
        "be short: only `next` says whether there is more."
    ),
    opt={FILTERS: True},
)
@threaded
def list_records(
    app: AppName,
    kind: KindName,
    request: Request[Any, Any, Any],
    gate: TheGate,
    viewer: TheViewer,
    after: After = "",
    limit: Limit = LIMIT_DEFAULT,
    prefix: Annotated[
        str, Parameter(max_length=KEY_BYTES_MAX, description="First parts of the identifier.")
    ] = "",
) -> RecordPage:
    """A page of records."""
    found = gate.kind(app, kind)
    check_not_stranger(viewer, found.sight(viewer))
    start = build_prefix(found, prefix) + "/" if prefix else found.prefix
    cursor = decode_cursor(after, str)
    page = list_visible(
        gate.index,
        found,
        viewer,
        prefix=start,
        after=None if cursor is None else found.prefix + str(cursor[0]),
        limit=limit,
        keep=_build_filter(found, collect_filters(dict(request.query_params), {"prefix"})),
    )
    cut = len(found.prefix)
    return RecordPage(
        items=[msgspec.json.decode(row["value"]) for row in page.rows],
        keys=[row["key"][cut:] for row in page.rows],
        next=encode_cursor(None if page.next is None else (str(page.next[0])[cut:],)),
    )


def _build_filter(kind: RecordKind, filters: dict[str, str]) -> Callable[[Row], bool]:
    if not filters:
        return allow_all
    fields = describe_scalars(kind.newest)
    for name in filters:
        if name not in fields:
            raise refuse_parameter(name, f"no field to filter by; there are: {', '.join(fields)}")
    wanted = {name: parse_scalar(name, text, fields[name]) for name, text in filters.items()}

    def keep(row: Row) -> bool:
        value = msgspec.json.decode(row["value"])
        return all(value.get(name) == each for name, each in wanted.items())

    return keep


@get(
    "/v1/apps/{app:str}/{kind:str}/{key:path}",
    tags=["records"],
    summary="One record",
    description=(
        "The record as it stands in state, canonical JSON; `Hansa-Height` says when it last "
        "changed. With `proof` the answer is the file of /v1/proofs."
    ),
    media_type="application/json",
    opt={"produces": "record"},
)
@threaded
def get_record(
    app: AppName,
    kind: KindName,
    key: KeyPath,
    gate: TheGate,
    viewer: TheViewer,
    proof: Annotated[bool, Parameter(description="Answer with the proof file.")] = False,
    trusted: TrustedHeight = 0,
) -> Response[bytes]:
    """One record, or the file that proves it."""
    found = gate.kind(app, kind)
    check_not_stranger(viewer, found.sight(viewer))
    if proof:
        return _answer_proof(gate, found, key, viewer, trusted)
    row = get_visible(gate.index, found, build_prefix(found, key), viewer)
    if row is None:
        build_key(found, key)  # one that no record can have is named as such
        raise refuse_unseen()
    return Response(
        row["value"].encode(),
        media_type="application/json",
        headers={_CHANGED: str(row["height"])},
    )


@get(
    "/v1/history/{app:str}/{kind:str}/{key:path}",
    tags=["records"],
    summary="Versions of a record",
    description="Oldest first. Each version is shown to those whom that very version names.",
)
@threaded
def get_history(
    app: AppName,
    kind: KindName,
    key: KeyPath,
    gate: TheGate,
    viewer: TheViewer,
    after: After = "",
    limit: Limit = LIMIT_DEFAULT,
) -> HistoryPage:
    """A page of versions."""
    found = gate.kind(app, kind)
    check_not_stranger(viewer, found.sight(viewer))
    cursor = decode_cursor(after, int)
    page = list_history(
        gate.index,
        found,
        build_key(found, key),
        viewer,
        after=None if cursor is None else int(cursor[0]),
        limit=limit,
    )
    if not page.rows and cursor is None and page.next is None:
        raise refuse_unseen()
    return HistoryPage([_describe_version(row) for row in page.rows], encode_cursor(page.next))


def _describe_version(row: Row) -> VersionView:
    value = row["value"]
    return VersionView(
        height=row["height"],
        record=None if value is None else msgspec.json.decode(value),
        transaction=row["transaction"],
    )


@get(
    "/v1/proofs/{app:str}/{kind:str}/{key:path}",
    tags=["records"],
    summary="Proof that a record is there, or that it is not",
    description=(
        "The file `hansa.proof/1`. Of records for parties only, an absence is proved to those who "
        "may read the kind as a whole, who are named in the identifier, or who are a party to "
        "another record of the application under the same first part of the identifier; of kinds "
        "whose absence concerns every member (`ABSENCE`), to all members. What is there and not "
        "theirs to read is api.not_absent to them, and no more. An identifier under which no "
        "record of the kind can stand is refused: its absence would prove nothing."
    ),
    media_type="application/json",
    opt={"produces": "proof"},
)
@threaded
def get_proof(
    app: AppName,
    kind: KindName,
    key: KeyPath,
    gate: TheGate,
    viewer: TheViewer,
    trusted: TrustedHeight = 0,
) -> Response[bytes]:
    """The proof file."""
    found = gate.kind(app, kind)
    check_not_stranger(viewer, found.sight(viewer))
    return _answer_proof(gate, found, key, viewer, trusted)


def _answer_proof(
    gate: Gate, kind: RecordKind, path: str, viewer: Viewer, trusted: int
) -> Response[bytes]:
    key = build_key(kind, path)
    file = build_proof_file(gate.ledger, gate.paths, key.encode("ascii"), trusted=trusted)
    value = bytes(file.record)
    check_provable(gate, kind, key, None if value == b"null" else value, viewer)
    return Response(
        encode_file(file),
        media_type="application/json",
        headers={"content-disposition": 'attachment; filename="proof.json"'},
    )


def check_provable(
    gate: Gate, kind: RecordKind, key: str, value: bytes | None, viewer: Viewer
) -> None:
    """Raise Refusal unless the viewer may have this record, or its absence (None), proved."""
    if value is None:
        if not _may_prove_absence(gate, kind, key, viewer):
            raise refuse_unseen()
    elif not _may_read(gate.ledger.state, kind, value, viewer):
        may_know = _may_prove_absence(gate, kind, key, viewer)
        raise refuse_not_absent() if may_know else refuse_unseen()


def _may_read(state: StateReader, kind: RecordKind, value: bytes, viewer: Viewer) -> bool:
    """Judged on the very bytes that would be shown, as the read model may be a block behind."""
    sight = kind.sight(viewer)
    if sight.is_whole:
        return True
    record = kind.decode(value)
    if record is None:
        return False
    readers = kind.newest.READERS
    places = {did: _find_place(state, did) for did in record.parties()} if readers else {}
    return is_visible(sight, compute_marks(record.parties(), readers, places))


def _find_place(state: StateReader, did: str) -> str:
    """Jurisdiction of an account's member."""
    if not is_key_part(did):
        return ""
    account = get_system(state, Account, did)
    member = get_system(state, Member, account.member if account else did)
    return member.jurisdiction if member else ""


def _may_prove_absence(gate: Gate, kind: RecordKind, key: str, viewer: Viewer) -> bool:
    if kind.sight(viewer).is_whole:
        return True
    if compute_sight(viewer, kind.newest.ABSENCE, ()).is_whole:
        return True
    parts = key.split("/")[2:]
    if not set(viewer.dids).isdisjoint(parts):
        return True
    return names_party(gate.index, kind.app, parts[0], viewer)
