"""A DID: its keys, services and standing now or at any version, and how it came to be so."""

import asyncio
import re
from typing import Any, Final

import msgspec

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.pages.accreditations import TONES as LINK_TONES
from hansa.console.pages.accreditations import tell_level, tell_state
from hansa.console.problems import refuse_input
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.identity.accreditation_tree import IN_FORCE, read_link
from hansa.identity.did import is_did
from hansa.identity.links import judge_time

_DID: Final = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2}){1,1024}", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_LINKS: Final = "/v1/apps/accreditations/accreditation"
_RELATIONS: Final = (
    "authentication",
    "assertionMethod",
    "capabilityInvocation",
    "capabilityDelegation",
    "keyAgreement",
)
# Why the resolver gives no document (W3C DID resolution), by the status of its answer.
_FAULTS: Final = {
    400: "invalidDid",
    404: "notFound",
    410: "deactivated",
    501: "methodNotSupported",
}
Document = dict[str, Any]


@page("GET", "/identity/dids")
async def show_dids(visit: Visit) -> Answer:
    """Find a DID."""
    asked = visit.query.get("did", "").strip().partition("#")[0]
    if asked:
        if _DID.fullmatch(asked):
            return visit.redirect(join_path("identity", "dids", asked))
        visit.note("warning", visit.words("This is no DID. It looks like did:hansa:…"))
    own = [] if visit.session is None else [str(visit.session["account"]), visit.member]
    return visit.render("identity/dids.html", asked=asked, own=list(dict.fromkeys(own)))


@page("GET", "/identity/dids/{did}")
async def show_did(visit: Visit) -> Answer:
    """The DID, as at the version asked for or now."""
    did, version = visit.parts["did"], visit.query.get("version", "")
    if version and not _NUMBER.fullmatch(version):
        raise refuse_input(
            visit.words("This is no version."), visit.words("Choose one of the list.")
        )
    result, versions, links, service = await asyncio.gather(
        _resolve(visit, did, version),
        _list_versions(visit, did),
        _list_links(visit, did),
        visit.api.get("/v1/status"),
    )
    document = result.get("didDocument") or {}
    known = [read_link(each) for each in links]
    states = {each.id: judge_time(each, service["time_ms"]) or IN_FORCE for each in known}
    return visit.render(
        "identity/did.html",
        did=did,
        name=await visit.name_of(did),
        document=document,
        metadata=result.get("didDocumentMetadata") or {},
        fault=(result.get("didResolutionMetadata") or {}).get("error", ""),
        keys=_list_keys(document),
        versions=versions[::-1],
        version=version,
        links=known,
        states=states,
        tell_state=lambda state: tell_state(visit, state),
        tell_level=lambda level: tell_level(visit, level),
        tones=LINK_TONES,
        source=msgspec.json.format(msgspec.json.encode(document), indent=2).decode(),
    )


async def _resolve(visit: Visit, did: str, version: str) -> Document:
    """The result of DID resolution; that there is no document is one too. Raises ApiProblem."""
    try:
        return dict(await visit.api.get(join_path("v1", "dids", did), version=version))
    except ApiProblem as problem:
        if problem.status not in _FAULTS:
            raise
        return {"didResolutionMetadata": {"error": _FAULTS[problem.status]}}


async def _list_versions(visit: Visit, did: str) -> list[Document]:
    try:
        found = await visit.api.get(join_path("v1", "dids", did, "versions"))
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return []
    return list(found["versions"])


async def _list_links(visit: Visit, did: str) -> list[Document]:
    """Accreditations of an account of the league; nobody else can have one."""
    if not is_did(did):
        return []
    return list((await visit.api.get(_LINKS, subject=did, limit=100))["items"])


def _list_keys(document: Document) -> list[Document]:
    """Each key with what it may do; a relation names it, or holds it."""
    listed = {each["id"]: {**each, "may": []} for each in document.get("verificationMethod", [])}
    for relation in _RELATIONS:
        for each in document.get(relation, []):
            id_ = each if isinstance(each, str) else each.get("id", "")
            listed.setdefault(id_, {"id": id_, "may": [], **(each if each is not id_ else {})})
            listed[id_]["may"].append(relation)
    return list(listed.values())
