"""From a DCQL query to what a wallet presents: credentials described, chosen, cut to size.

Pure; whoever holds the keys binds each presentation (`sd_jwt_vc.bind_key`, `data_integrity`).
"""

from collections.abc import Mapping
from typing import Any

from hansa.identity.dcql import (
    LDP_FORMAT,
    SD_JWT_FORMAT,
    Candidate,
    Found,
    Match,
    Matched,
    Query,
)
from hansa.identity.sd_jwt import present_sd_jwt
from hansa.identity.sd_jwt_vc import SdJwtVc

Authorities = frozenset[tuple[str, str]]


def describe_sd_jwt(vc: SdJwtVc, authorities: Authorities = frozenset()) -> Candidate:
    """An SD-JWT VC as DCQL sees it; a verifier who asked for the holder has judged the binding."""
    return Candidate(
        format=SD_JWT_FORMAT,
        types=(vc.vct, *vc.aka_vcts),
        claims=vc.claims,
        authorities=authorities,
        has_holder=vc.holder_key is not None,
    )


def describe_vc(
    document: Mapping[str, Any], *, has_holder: bool, authorities: Authorities = frozenset()
) -> Candidate:
    """A W3C credential as DCQL sees it, its types as it writes them."""
    types = document.get("type", [])
    listed = types if isinstance(types, list) else [types]
    return Candidate(
        format=LDP_FORMAT,
        types=tuple(each for each in listed if isinstance(each, str)),
        claims=document,
        authorities=authorities,
        has_holder=has_holder,
    )


def choose_answer(query: Query, matched: Matched, *, optional: bool = False) -> dict[str, Match]:
    """One credential for each query that has to be answered, the verifier's first choice; {} when
    something required is missing. `optional`: answer what is not required too.

    A wallet shows this to its holder first; nothing is presented without consent.
    """
    if not matched.is_satisfiable:
        return {}
    if not query.sets:
        return {id_: found[0] for id_, found in matched.by_query.items()}
    wanted: list[str] = []
    for each, possible in zip(query.sets, matched.sets, strict=True):
        if possible and (each.is_required or optional):
            wanted += [id_ for id_ in possible[0] if id_ not in wanted]
    return {id_: matched.by_query[id_][0] for id_ in wanted}


def cut_sd_jwt(vc: SdJwtVc, paths: tuple[Found, ...]) -> str:
    """SD-JWT with what was asked for and no more: each claim whole, and all that is above it.

    Places in an array move up when elements before them are withheld (RFC 9901, 7.1): a query does
    better to ask for all elements (null) than for one place.
    """
    inner = [
        each.path
        for each in vc.sd_jwt.disclosures
        if any(each.path[: len(path)] == path for path in paths)
    ]
    return present_sd_jwt(vc.sd_jwt, [*paths, *inner])
