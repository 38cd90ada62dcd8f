"""The ledger's records as sources of `identity.verify`: from a state, a gateway or a bundle. Pure.

Whoever holds records gives `read`; what verify reads of them is what a bundle proves.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeVar
from urllib.parse import urlsplit

from hansa.contracts.accounts.document import resolved_of_records
from hansa.contracts.accreditations.model import Accreditation, Recognition
from hansa.contracts.credentials.model import Status, StatusList
from hansa.contracts.schemas.model import Schema
from hansa.crypto.signatures import InvalidKey
from hansa.encoding.canonical import CanonicalError, decode_typed
from hansa.identity.did import is_did
from hansa.identity.did_key import resolve_did_key
from hansa.identity.links import Link, NotFoundOut
from hansa.identity.report import SchemaFound, Sources, StatusFound, StatusRef, StatusSpan
from hansa.identity.resolved import Resolved, Unresolvable
from hansa.ledger.model import Record, compute_state_key, is_key_part
from hansa.ledger.system import Account

R = TypeVar("R", bound=Record)
# Bytes of the record under a state key, None when there is none. Raises Unresolvable.
ReadRecord = Callable[[str], bytes | None]
RECOGNITIONS: Final = "accreditations/recognition/"
_STATUS_PATH: Final = re.compile(
    r"/v1/credentials/(did:hansa:[a-z2-7]{32})/status/([a-z0-9][a-z0-9_-]{0,63})", re.ASCII
)


def build_sources(
    read: ReadRecord,
    *,
    height: int,
    known_ms: int,
    recognitions: Iterable[bytes] = (),
    source: str = "ledger",
) -> Sources:
    """Sources over the records of the state after block `height`, which holds up to known_ms."""
    facts = Facts(read, height, known_ms, source)
    return Sources(
        resolve=facts.resolve,
        find_status=facts.find_status,
        find_schema=facts.find_schema,
        find_link=facts.find_link,
        recognitions=tuple(decode_typed(each, Recognition) for each in recognitions),
        known_ms=known_ms,
    )


class Facts:
    """What `read` gives, as verify asks for it. Each record is decoded once."""

    def __init__(self, read: ReadRecord, height: int, known_ms: int, source: str) -> None:
        self._read, self._height, self._known_ms, self._source = read, height, known_ms, source
        self._resolved: dict[str, Resolved | None] = {}
        self._schemas: dict[str, SchemaFound | None] = {}
        self._lists: dict[tuple[str, str], StatusList | None] = {}
        self._links: dict[str, Link | None] = {}

    def resolve(self, did: str) -> Resolved | None:
        """Accounts of the ledger, and did:key, which needs none. Raises Unresolvable."""
        if did not in self._resolved:
            self._resolved[did] = self._resolve(did)
        return self._resolved[did]

    def _resolve(self, did: str) -> Resolved | None:
        if did.startswith("did:key:"):
            try:
                return resolve_did_key(did)
            except InvalidKey:
                return None
        if not is_did(did):
            raise Unresolvable(f"{did[:80]} is not of this ledger")
        account = self._get("accounts", Account, did)
        if account is None:
            return None
        return resolved_of_records(account, height=self._height, source=self._source)

    def find_status(self, ref: StatusRef) -> StatusFound | None:
        """Status as the ledger has it: the truth from which every list is derived."""
        issuer, name = parse_status_uri(ref.list_uri)
        if issuer != ref.issuer or not 0 <= ref.index:
            return None
        if (issuer, name) not in self._lists:
            self._lists[issuer, name] = self._get("credentials", StatusList, issuer, name)
        opened = self._lists[issuer, name]
        if opened is None or ref.index >= opened.size:
            return None
        if ref.purpose and ref.purpose not in opened.purposes:
            return None
        status = self._get("credentials", Status, issuer, name, f"{ref.index:07d}")
        spans = status.spans if status is not None else ()
        return StatusFound(
            tuple(StatusSpan(each.value, each.since_ms, each.until_ms) for each in spans),
            self._known_ms,
            f"{self._source} at height {self._height}",
        )

    def find_schema(self, id_: str) -> SchemaFound | None:
        """A published schema by its id."""
        if id_ not in self._schemas:
            found = self._get("schemas", Schema, id_)
            self._schemas[id_] = (
                None
                if found is None
                else SchemaFound(found.document.encode(), found.scope_names, found.vct)
            )
        return self._schemas[id_]

    def find_link(self, id_: str) -> Link | None:
        """An accreditation by its id. Raises NotFoundOut."""
        if id_ not in self._links:
            try:
                found = (
                    self._get("accreditations", Accreditation, id_) if is_key_part(id_) else None
                )
            except Unresolvable as why:
                raise NotFoundOut(str(why)) from why
            self._links[id_] = found
        return self._links[id_]

    def _get(self, app: str, kind: type[R], *parts: str) -> R | None:
        data = self._read(compute_state_key(app, kind.KIND, parts).decode("ascii"))
        if data is None:
            return None
        try:
            return decode_typed(data, kind)
        except CanonicalError as error:
            raise Unresolvable(f"this release does not read its {kind.KIND}") from error


def build_status_uri(base: str, issuer: str, name: str) -> str:
    """Address of a status list at the gateway `base`; any gateway of the league serves it."""
    return f"{base.rstrip('/')}/v1/credentials/{issuer}/status/{name}"


def parse_status_uri(uri: str) -> tuple[str, str]:
    """Issuer and name of a list of the ledger, whatever gateway serves it. Raises Unresolvable."""
    try:
        found = _STATUS_PATH.fullmatch(urlsplit(uri).path)
    except ValueError:
        found = None
    if found is None:
        raise Unresolvable(f"{uri[:80] or 'its status'} is not a status list of this ledger")
    return found[1], found[2]
