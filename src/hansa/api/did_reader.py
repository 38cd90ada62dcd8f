"""Answers of DID resolution: from state, from a key itself, from the web; proved when asked for.

What was answered at a height is remembered until the next. Reads the ledger; the web by `outbound`.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import msgspec

from hansa.api.door import Ledger
from hansa.api.headers import HeaderPaths
from hansa.api.outbound import Outbound
from hansa.api.problems import refuse_busy
from hansa.api.proofs import seal_header
from hansa.client.checkpoints import Headers
from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.contracts.accounts.resolution import Resolution, list_versions, resolve_account
from hansa.crypto.signatures import InvalidKey
from hansa.encoding.canonical import encode_canonical
from hansa.identity.did import InvalidDid
from hansa.identity.did_history import STATUSES, Asked, Version, build_result
from hansa.identity.did_key import resolve_did_key
from hansa.identity.did_web import DOCUMENT_BYTES_MAX, build_address, read_did_web
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.multikey import encode_multikey
from hansa.identity.resolved import Resolved
from hansa.ledger.tree_proof import StateProof

# Bytes of answers kept; with its proofs each is some kilobytes.
KEPT_BYTES_MAX: Final = 64_000_000
# Documents of the web kept, and for how long: a web page is no ledger, but may be asked for often.
WEB_KEPT_MAX: Final = 256
WEB_KEPT_MS: Final = 300_000
_ATTEMPTS: Final = 50


class DidAnswer(msgspec.Struct, frozen=True):
    """A DID resolution result as bytes, its HTTP status, and its document alone ("" for none)."""

    status: int
    body: bytes
    document: bytes = b""


class DidReader:
    """Resolves DIDs for one gateway. Used from any thread."""

    def __init__(
        self, ledger: Ledger, paths: HeaderPaths, outbound: Outbound, clock: Callable[[], int]
    ) -> None:
        """`outbound`: by which documents of did:web are fetched; `clock`: ms, for how long they are
        kept.
        """
        self._ledger, self._paths = ledger, paths
        self._outbound, self._clock = outbound, clock
        self._lock = threading.Lock()
        self._at, self._bytes = (-1, -1), 0
        self._kept: OrderedDict[tuple[str, Asked, bool, int], DidAnswer] = OrderedDict()
        self._web: OrderedDict[str, tuple[int, DidAnswer]] = OrderedDict()
        self._sealed: tuple[tuple[int, int], bytes, bytes] | None = None

    def resolve(
        self, did: str, asked: Asked, *, proof: bool = False, trusted: int = 0
    ) -> DidAnswer:
        """The answer for a DID of the ledger, proved when asked for. Raises Refusal.

        `proof`: with `hansa:proofs`, a ProofFile of each record from which the answer was made, at
        one height; of what is absent too. `trusted`: height from which their headers lead.
        """
        now = (self._ledger.height, self._ledger.sealed_height)
        wanted = (did, asked, proof, trusted)
        with self._lock:
            if self._at != now:
                self._kept.clear()
                self._bytes, self._at = 0, now
            found = self._kept.get(wanted)
        if found is not None:
            return found
        answer = self._resolve_proven(did, asked, trusted) if proof else self._resolve(did, asked)
        with self._lock:
            if self._at == now and wanted not in self._kept:
                self._kept[wanted] = answer
                self._bytes += len(answer.body)
                while self._bytes > KEPT_BYTES_MAX:
                    _oldest, dropped = self._kept.popitem(last=False)
                    self._bytes -= len(dropped.body)
        return answer

    def list_versions(self, did: str) -> tuple[Version, ...]:
        """Versions of a DID of the ledger, oldest first; () for one that is not there."""
        return list_versions(self._ledger.state, did)

    def resolve_web(self, did: str) -> DidAnswer:
        """The answer for a did:web, fetched unless it was lately."""
        now = self._clock()
        with self._lock:
            kept = self._web.get(did)
        if kept is not None and now - kept[0] < WEB_KEPT_MS:
            return kept[1]
        answer = _fetch_web(self._outbound, did)
        if answer.status == 200:
            with self._lock:
                self._web[did] = (now, answer)
                while len(self._web) > WEB_KEPT_MAX:
                    self._web.popitem(last=False)
        return answer

    def _resolve(self, did: str, asked: Asked) -> DidAnswer:
        state = self._ledger.state
        return _tell(resolve_account(state, did, asked, state.height + 1))

    def _resolve_proven(self, did: str, asked: Asked, trusted: int) -> DidAnswer:
        for _attempt in range(_ATTEMPTS):
            reader = _Proving(self._ledger)
            height = reader.height
            state = self._ledger.state
            resolution = resolve_account(reader, did, asked, height + 1, beside=state)
            if reader.heights <= {height}:
                return _tell(resolution, self._build_files(reader, height, trusted))
        raise refuse_busy("The ledger grows faster than proofs can be taken.")

    def _build_files(self, reader: "_Proving", height: int, trusted: int) -> bytes:
        """The ProofFiles as canonical JSON; what all of one height share is encoded once."""
        head, tail = self._seal(height, trusted)
        files = [
            b'%s"key":"%s","kind":"hansa.proof/1","proof":%s,"record":%s,%s'
            % (head, key, encode_canonical(proof), value or b"null", tail)
            for key, (value, proof) in reader.proven.items()
        ]
        return b"[" + b",".join(files) + b"]"

    def _seal(self, height: int, trusted: int) -> tuple[bytes, bytes]:
        kept = self._sealed
        if kept is None or kept[0] != (height, trusted):
            sealed = seal_header(self._paths, height + 1, trusted)
            shared = _Shared(
                chain=sealed.header.chain_id,
                commit=sealed.commit,
                header=sealed.header,
                headers=sealed.headers,
                height=height,
            )
            tail = encode_canonical({"validators": sealed.validators})
            kept = ((height, trusted), encode_canonical(shared)[:-1] + b",", tail[1:])
            self._sealed = kept
        return kept[1], kept[2]


class _Shared(msgspec.Struct, frozen=True, omit_defaults=True):
    """The part of a ProofFile before its `key`, in canonical order."""

    chain: str
    commit: Commit
    header: Header
    height: int
    headers: Headers = ()


class _Proving:
    """A reader that proves whatever it gives, and remembers the proofs."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.height = ledger.sealed_height - 1
        self.proven: dict[bytes, tuple[bytes | None, StateProof]] = {}
        self.heights: set[int] = set()

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, or None, with its proof."""
        found = self.proven.get(key)
        if found is None:
            value, proof, height = self._ledger.prove(key)
            self.heights.add(height)
            found = self.proven[key] = (value, proof)
        return found[0]

    def scan(self, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Each record of the range that is there now, as it is proved."""
        keys = [key for key, _value in self._ledger.state.scan(start, end, limit)]
        values = [(key, self.get(key)) for key in keys]
        return [(key, value) for key, value in values if value is not None]


def resolve_key(did: str) -> DidAnswer:
    """The answer for a did:key: it is its own document."""
    try:
        resolved = resolve_did_key(did)
    except InvalidKey as error:
        return refuse("invalidDid", str(error))
    return _encode(build_result(_describe_key(resolved)))


def refuse(error: str, detail: str) -> DidAnswer:
    """An answer that says why there is no document; `error`: one of STATUSES."""
    return _encode(build_result(None, error=error, detail=detail), status=STATUSES[error])


def _tell(resolution: Resolution | None, proofs: bytes = b"") -> DidAnswer:
    """The answer that a resolution makes. With `proofs` it says so also of what is not there."""
    if resolution is None:
        result = build_result(None, error="notFound", detail="no such account, or not yet then")
        return _encode(result, proofs, status=STATUSES["notFound"])
    error = "deactivated" if resolution.deactivated else ""
    result = build_result(
        resolution.document,
        resolution.metadata,
        error=error,
        detail="the account is closed" if error else "",
    )
    return _encode(result, proofs, status=STATUSES.get(error, 200))


def _encode(result: dict[str, Any], proofs: bytes = b"", *, status: int = 200) -> DidAnswer:
    body = encode_canonical(result)
    if proofs:
        # "hansa:proofs" follows the three members of a result in canonical order
        body = b'%s,"hansa:proofs":%s}' % (body[:-1], proofs)
    document = result["didDocument"]
    return DidAnswer(status, body, b"" if document is None else encode_canonical(document))


def _describe_key(resolved: Resolved) -> dict[str, Any]:
    (method,) = resolved.methods
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": resolved.did,
        "verificationMethod": [
            {
                "id": method.id,
                "type": "Multikey",
                "controller": resolved.did,
                "publicKeyMultibase": encode_multikey(method.key),
            }
        ],
        **{relationship: [method.id] for relationship in method.relationships},
    }


def _fetch_web(outbound: Outbound, did: str) -> DidAnswer:
    try:
        address = build_address(did)
    except InvalidDid as error:
        return refuse("invalidDid", str(error))
    fetched = outbound.fetch(address, size_max=DOCUMENT_BYTES_MAX)
    if fetched.status in (404, 410):
        return refuse("notFound", "the host has no such document")
    if fetched.status != 200:
        why = fetched.text or f"the host answered {fetched.status}"
        return refuse("internalError", f"the document could not be had: {why}")
    try:
        read_did_web(did, fetched.body)
        document = parse_document(fetched.body, size_max=DOCUMENT_BYTES_MAX)
    except (InvalidDid, Malformed) as error:
        return refuse("internalError", f"what the host gave is not its document: {error}")
    return _encode(build_result(document))
