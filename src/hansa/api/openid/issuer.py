"""Who issues at this gateway, what it can issue, and who of its member may say so.

The key is one that its operator has put here (`service/keys/openid.key.json`): of the member's own
account, never a person's, for issuing alone. It is read at each use: what is revoked is no more.
"""

from typing import Final

import msgspec

from hansa.api.gate import Gate
from hansa.api.problems import Refusal
from hansa.client.keys import Signer
from hansa.client.service import WALLETS
from hansa.contracts.accreditations.model import Accreditation, SubjectLink
from hansa.contracts.schemas.model import Schema, SchemaLine
from hansa.identity.dcql import LDP_FORMAT, SD_JWT_FORMAT
from hansa.identity.links import StandingFrom
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.metadata import Configuration, build_configuration
from hansa.index.sight import Viewer
from hansa.ledger.state import StateReader, get_record, get_system, scan_records
from hansa.ledger.system import Account, Grant, find_key

# A key with more purposes could sign transactions, and this one stands open in a folder.
_PURPOSES: Final = ("assert",)
_LINKS_MAX: Final = 50
_LINES_MAX: Final = 100


class Issuer(msgspec.Struct, frozen=True):
    """The key that signs here, and its account."""

    signer: Signer
    account: Account


def find_issuer(gate: Gate) -> Issuer | None:
    """Who issues here now; None when no key here counts."""
    signer = gate.service.issuing_signer(WALLETS)
    if signer is None:
        return None
    state = gate.ledger.state
    account = get_system(state, Account, signer.account)
    key = find_key(account, signer.kid.partition("#")[2], state.height) if account else None
    if account is None or key is None or account.kind != "member":
        return None
    return Issuer(signer, account) if tuple(key.purposes) == _PURPOSES else None


def need_issuer(gate: Gate) -> Issuer:
    """As find_issuer, for wallets. Raises OpenIdError."""
    issuer = find_issuer(gate)
    if issuer is None:
        raise OpenIdError("temporarily_unavailable", "nothing is issued at this gateway", 404)
    return issuer


def need_clerks_issuer(gate: Gate, viewer: Viewer, *, is_issuing: bool) -> Issuer:
    """As find_issuer, for a clerk who may act by its key. Raises Refusal."""
    issuer = find_issuer(gate)
    if issuer is None:
        raise Refusal(
            403,
            "openid.no_key",
            "This gateway holds no key to issue or ask with.",
            remedy="Its operator puts one here: hansa credential serve-wallets --as NAME",
        )
    account = get_system(gate.ledger.state, Account, viewer.account)
    if account is None or not may_act(gate.ledger.state, account, issuer, is_issuing=is_issuing):
        raise Refusal(
            403,
            "openid.not_yours",
            "The key of this gateway does not act for you.",
            remedy="Sign in as its member: who issues needs the role `issuer` of credentials.",
        )
    return issuer


def may_act(state: StateReader, account: Account, issuer: Issuer, *, is_issuing: bool) -> bool:
    """Clerks of the key's member may ask wallets; who issues is its account, an administrator, or
    holds the role `issuer`.
    """
    if account.member != issuer.account.member or account.kind == "citizen":
        return False
    if not is_issuing or account.did == issuer.account.did or account.kind == "member":
        return True
    if account.admin:
        return True
    grant = get_record(state, Grant.OWNER, Grant, "credentials", "issuer", account.did, "-")
    now_ms = state.time_ms
    return grant is not None and grant.since_ms <= now_ms < (grant.until_ms or now_ms + 1)


def list_configurations(state: StateReader, issuer: Issuer) -> dict[str, Configuration]:
    """What the issuer can issue: the newest schemas that its accreditations name, and those that
    its member has published; in both forms.
    """
    found: dict[str, Configuration] = {}
    for schema in _list_schemas(state, issuer):
        document = msgspec.json.decode(schema.document)
        for format_ in (SD_JWT_FORMAT, LDP_FORMAT):
            made = build_configuration(
                name=schema.name,
                version=schema.version,
                schema=schema.id,
                vct=schema.vct,
                format_=format_,
                document=document,
            )
            found[made.id] = made
    return found


def _list_schemas(state: StateReader, issuer: Issuer) -> list[Schema]:
    ids: dict[str, None] = {}
    links = scan_records(
        state, "accreditations", SubjectLink, (issuer.account.did,), limit=_LINKS_MAX
    )
    for each in links:
        link = get_record(state, "accreditations", Accreditation, each.link)
        if link is not None and is_active(link.standing):
            names = [name for scope in link.scope for name in scope.schemas]
            ids |= dict.fromkeys(_find_id(state, name) for name in names)
    lines = scan_records(state, "schemas", SchemaLine, limit=_LINES_MAX)
    own = (issuer.account.member, issuer.account.did)
    ids |= {_choose_newest(line): None for line in lines if line.owner in own}
    schemas = [get_record(state, "schemas", Schema, id_) for id_ in ids if id_]
    return [each for each in schemas if each is not None and each.deprecated_ms is None]


def is_active(standing: tuple[StandingFrom, ...]) -> bool:
    """Whether what stands of an accreditation now is that it is active."""
    return bool(standing) and standing[-1].standing == "active"


def _find_id(state: StateReader, name: str) -> str:
    """Id of the newest schema that a scope names; "" for none."""
    line_name, _colon, major = name.partition(":")
    if not major:
        return "" if name == "*" else name
    line = get_record(state, "schemas", SchemaLine, line_name)
    return "" if line is None else _choose_newest(line, major)


def _choose_newest(line: SchemaLine, major: str = "") -> str:
    fit = [each for each in line.versions if major in ("", each.version.partition(".")[0])]
    newest = max(
        fit, key=lambda each: [int(part) for part in each.version.split(".")], default=None
    )
    return "" if newest is None else newest.schema
