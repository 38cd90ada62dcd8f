"""Digital Credentials Query Language (OpenID4VP 1.0, sections 6, 7): read, matched, checked. Pure.

Formats dc+sd-jwt and ldp_vc. A wallet asks `match_query` what it can present; a verifier asks
`list_query_faults` whether what was presented (and verified) is what it had asked for. Codes of
Malformed: invalid_query, unknown_format.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.identity.faults import Malformed

SD_JWT_FORMAT: Final = "dc+sd-jwt"
LDP_FORMAT: Final = "ldp_vc"
QUERIES_MAX: Final = 64
CLAIMS_MAX: Final = 256
_PATH_MAX: Final = 32
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_BASE_TYPE: Final = "https://www.w3.org/2018/credentials#VerifiableCredential"

# Part of a claims path pointer: a name, a place, or all elements of an array.
Part = str | int | None
# A concrete path: no None in it.
Found = tuple[str | int, ...]


class ClaimQuery(msgspec.Struct, frozen=True):
    """One claim; `values`: it is one of these, or () for any."""

    path: tuple[Part, ...]
    id: str = ""
    values: tuple[Any, ...] = ()


class CredentialQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One credential. types: its `vct` is one of them, or (ldp_vc) it has all types of one set.

    authorities: (type, values) of `trusted_authorities`. claim_sets: ids, best first.
    """

    id: str
    format: str
    types: tuple[tuple[str, ...], ...] = ()
    authorities: tuple[tuple[str, tuple[str, ...]], ...] = ()
    claims: tuple[ClaimQuery, ...] = ()
    claim_sets: tuple[tuple[str, ...], ...] = ()
    is_multiple: bool = False
    needs_holder: bool = True


class CredentialSet(msgspec.Struct, frozen=True):
    """One of the `options` (ids of credential queries) is to be presented."""

    options: tuple[tuple[str, ...], ...]
    is_required: bool = True


class Query(msgspec.Struct, frozen=True):
    """A DCQL query."""

    credentials: tuple[CredentialQuery, ...]
    sets: tuple[CredentialSet, ...] = ()


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A credential held or presented. types: (vct,), or the types of a W3C credential as it writes
    them and, where a query may ask so, as the IRIs that its contexts give them.

    claims: the processed payload, or the whole W3C document. authorities: (type, value) under which
    its issuer is certified, as its holder or verifier knows. disclosable: paths whose claims may
    be withheld. has_holder: it can be, or was, presented with proof of its holder.
    """

    format: str
    types: tuple[str, ...]
    claims: Mapping[str, Any]
    authorities: frozenset[tuple[str, str]] = frozenset()
    has_holder: bool = True


class Match(msgspec.Struct, frozen=True):
    """A candidate (its place in the list) fits a query when these paths are disclosed."""

    candidate: int
    paths: tuple[Found, ...]


class Matched(msgspec.Struct, frozen=True):
    """What a wallet can do. by_query: for each query id every candidate that fits. sets: for each
    credential set the options that can be satisfied. is_satisfiable: nothing required is missing.
    """

    by_query: dict[str, tuple[Match, ...]]
    sets: tuple[tuple[tuple[str, ...], ...], ...]
    is_satisfiable: bool


# --- matching ---


def match_query(query: Query, candidates: Sequence[Candidate]) -> Matched:
    """Which candidates fit which part of the query, and whether all that is required is there."""
    by_query = {
        wanted.id: tuple(
            Match(place, paths)
            for place, candidate in enumerate(candidates)
            if (paths := match_credential(wanted, candidate)) is not None
        )
        for wanted in query.credentials
    }
    sets = tuple(
        tuple(option for option in each.options if all(by_query[id_] for id_ in option))
        for each in query.sets
    )
    if query.sets:
        satisfied = all(sets[n] for n, each in enumerate(query.sets) if each.is_required)
    else:
        satisfied = all(by_query.values())
    return Matched(by_query, sets, satisfied)


def match_credential(wanted: CredentialQuery, candidate: Candidate) -> tuple[Found, ...] | None:
    """Paths to disclose so that the candidate fits; None: it does not fit."""
    if candidate.format != wanted.format or (wanted.needs_holder and not candidate.has_holder):
        return None
    if not _fits_types(wanted, candidate.types):
        return None
    trusted = {(type_, value) for type_, values in wanted.authorities for value in values}
    if trusted and not trusted & candidate.authorities:
        return None
    if not wanted.claim_sets:
        return _match_claims(wanted.claims, candidate.claims)
    by_id = {claim.id: claim for claim in wanted.claims}
    for option in wanted.claim_sets:
        paths = _match_claims([by_id[id_] for id_ in option], candidate.claims)
        if paths is not None:
            return paths
    return None


def _fits_types(wanted: CredentialQuery, types: Sequence[str]) -> bool:
    if not wanted.types:
        return True
    have = {*types, _BASE_TYPE} if wanted.format == LDP_FORMAT else set(types)
    return any(set(each) <= have for each in wanted.types)


def _match_claims(
    claims: Sequence[ClaimQuery], document: Mapping[str, Any]
) -> tuple[Found, ...] | None:
    paths: dict[Found, None] = {}
    for claim in claims:
        found = [
            path
            for path, value in select_claims(document, claim.path)
            if not claim.values or any(_is_same(value, each) for each in claim.values)
        ]
        if not found:
            return None
        paths |= dict.fromkeys(found)
    return tuple(paths)


def _is_same(value: object, wanted: object) -> bool:
    """The same type and value: 1 is not true."""
    return type(value) is type(wanted) and value == wanted


def select_claims(document: Any, path: Sequence[Part]) -> list[tuple[Found, Any]]:
    """Claims at a claims path pointer, each with its path; [] where processing gives an error."""
    selected: list[tuple[Found, Any]] = [((), document)]
    steps: list[Any]
    for part in path:
        following: list[tuple[Found, Any]] = []
        for way, value in selected:
            if not isinstance(value, dict if isinstance(part, str) else list):
                return []
            if isinstance(part, str):
                steps = [part] if part in value else []
            elif part is None:
                steps = list(range(len(value)))
            else:
                steps = [part] if part < len(value) else []
            following += [((*way, step), value[step]) for step in steps]
        selected = following
    return selected


# --- checking ---


def list_query_faults(
    query: Query, presented: Mapping[str, Sequence[Candidate]]
) -> list[tuple[str, str]]:
    """What is wrong with a VP token, by query id: [] when it is what was asked for.

    Codes: unknown_query (an id nobody asked for), empty_answer, too_many (`multiple` was not
    asked), wrong_credential (one does not fit its query), missing_credential (by the id of a
    query, or `set N`). Values are judged too; that the presentations hold is for `verify`.
    """
    known = {wanted.id: wanted for wanted in query.credentials}
    faults: list[tuple[str, str]] = []
    for id_, candidates in presented.items():
        wanted = known.get(id_)
        if wanted is None:
            faults.append((id_, "unknown_query"))
            continue
        if not candidates:
            faults.append((id_, "empty_answer"))
        if len(candidates) > 1 and not wanted.is_multiple:
            faults.append((id_, "too_many"))
        if any(match_credential(wanted, candidate) is None for candidate in candidates):
            faults.append((id_, "wrong_credential"))
    answered = {id_ for id_, candidates in presented.items() if candidates}
    return faults + _list_missing(query, answered)


def _list_missing(query: Query, answered: set[str]) -> list[tuple[str, str]]:
    if not query.sets:
        asked = [wanted.id for wanted in query.credentials]
        return [(id_, "missing_credential") for id_ in asked if id_ not in answered]
    return [
        (f"set {number}", "missing_credential")
        for number, each in enumerate(query.sets)
        if each.is_required and not any(answered.issuperset(option) for option in each.options)
    ]


# --- reading ---


def read_query(document: object) -> Query:
    """Read a DCQL query; members that are not known are ignored. Raises Malformed."""
    members = _require_object(document)
    listed = _require_list(members.get("credentials"), QUERIES_MAX)
    credentials = tuple(_read_credential(each) for each in listed)
    ids = [each.id for each in credentials]
    _require(len(set(ids)) == len(ids), "two credential queries have one id")
    sets: tuple[CredentialSet, ...] = ()
    if "credential_sets" in members:
        listed = _require_list(members["credential_sets"], QUERIES_MAX)
        sets = tuple(_read_set(_require_object(each), ids) for each in listed)
    return Query(credentials, sets)


def _read_credential(document: object) -> CredentialQuery:
    members = _require_object(document)
    format_ = members.get("format")
    if format_ not in (SD_JWT_FORMAT, LDP_FORMAT):
        raise Malformed("unknown_format", f"the format {str(format_)[:40]} is not known here")
    claims = tuple(_read_claim(each) for each in _read_optional_list(members, "claims", CLAIMS_MAX))
    ids = [claim.id for claim in claims if claim.id]
    _require(len(set(ids)) == len(ids), "two claims have one id")
    paths = [claim.path for claim in claims]
    _require(len(set(paths)) == len(paths), "a claim is asked for twice")
    return CredentialQuery(
        id=_require_id(members.get("id")),
        format=str(format_),
        types=_read_types(str(format_), _require_object(members.get("meta"))),
        authorities=tuple(
            _read_authority(_require_object(each))
            for each in _read_optional_list(members, "trusted_authorities", QUERIES_MAX)
        ),
        claims=claims,
        claim_sets=tuple(
            _read_ids(each, ids) for each in _read_optional_list(members, "claim_sets", CLAIMS_MAX)
        ),
        is_multiple=_read_flag(members, "multiple", False),
        needs_holder=_read_flag(members, "require_cryptographic_holder_binding", True),
    )


def _read_types(format_: str, meta: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    if format_ == SD_JWT_FORMAT:
        return tuple((vct,) for vct in _read_strings(meta, "vct_values"))
    listed = _read_optional_list(meta, "type_values", QUERIES_MAX)
    return tuple(_read_strings({"types": each}, "types") for each in listed)


def _read_authority(members: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    type_ = members.get("type")
    _require(isinstance(type_, str) and bool(type_), "a trusted authority has a type")
    _require("values" in members, "a trusted authority has values")
    return str(type_), _read_strings(members, "values")


def _read_claim(document: object) -> ClaimQuery:
    members = _require_object(document)
    path = _require_list(members.get("path"), _PATH_MAX)
    _require(all(_is_part(part) for part in path), "a path has names, places from 0 and nulls")
    values = _read_optional_list(members, "values", CLAIMS_MAX)
    _require(all(isinstance(each, str | int) for each in values), "values are plain")
    id_ = _require_id(members["id"]) if "id" in members else ""
    return ClaimQuery(tuple(path), id_, tuple(values))


def _is_part(part: object) -> bool:
    if isinstance(part, bool):
        return False
    return part is None or isinstance(part, str) or (isinstance(part, int) and part >= 0)


def _read_set(members: Mapping[str, Any], known: Sequence[str]) -> CredentialSet:
    options = _require_list(members.get("options"), QUERIES_MAX)
    return CredentialSet(
        tuple(_read_ids(each, known) for each in options), _read_flag(members, "required", True)
    )


def _read_ids(value: object, known: Sequence[str]) -> tuple[str, ...]:
    ids = _require_list(value, CLAIMS_MAX)
    _require(all(each in known for each in ids), "an id that names nothing")
    return tuple(ids)


def _read_strings(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    listed = _read_optional_list(members, name, QUERIES_MAX)
    _require(all(isinstance(each, str) for each in listed), f"{name} are strings")
    return tuple(listed)


def _read_optional_list(members: Mapping[str, Any], name: str, most: int) -> list[Any]:
    return _require_list(members[name], most) if name in members else []


def _read_flag(members: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = members.get(name, usual)
    _require(isinstance(value, bool), f"{name} is true or false")
    return bool(value)


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise Malformed("invalid_query", text)


def _require_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("invalid_query", "an object is missing")
    return value


def _require_list(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise Malformed("invalid_query", f"an array of 1 to {most} elements is missing")
    return value


def _require_id(value: object) -> str:
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise Malformed("invalid_query", "an id has letters, digits, _ and -")
    return value
