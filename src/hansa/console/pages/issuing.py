"""The issuer's page: a schema, a form of its claims, and what signing in the browser needs.

Claims come here for one thing only: to be held to their schema. Nothing is kept.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hansa.console.answers import Answer
from hansa.console.asking import join_path
from hansa.console.forms.schema_fields import derive_fields
from hansa.console.looking import list_all
from hansa.console.problems import refuse_address, refuse_input
from hansa.console.routing import page
from hansa.console.visit import Visit
from hansa.identity.accreditation_tree import read_link
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.json_validation import CompiledSchema
from hansa.identity.links import covers, judge_time, list_scope_names

_LINKS: Final = "/v1/apps/accreditations/accreditation"
_LISTS: Final = "/v1/apps/credentials/status_list"
_FAULTS_SHOWN: Final = 20


@page("GET", "/identity/issue", access="signed_in")
async def show_issue(visit: Visit) -> Answer:
    """Choose a schema, or fill in its claims."""
    schemas = await list_all(visit, "/v1/apps/schemas/schema")
    listed = [each for each in schemas if each["deprecated_ms"] is None]
    listed.sort(key=lambda each: (each["name"], _read_version(each["version"])))
    chosen = visit.query.get("schema", "")
    if not chosen:
        owners = await visit.names_of([each["owner"] for each in listed])
        return visit.render("identity/schemas.html", schemas=listed, owners=owners)
    schema = next((each for each in schemas if each["id"] == chosen), None)
    if schema is None:
        raise refuse_address()
    session = visit.session or {}
    issuers = list(dict.fromkeys((str(session["account"]), visit.member)))
    service, *found = await asyncio.gather(
        visit.api.get("/v1/status"),
        *(list_all(visit, _LINKS, {"subject": each}) for each in issuers),
        *(list_all(visit, _LISTS, {"prefix": each}) for each in issuers),
    )
    links, lists = found[: len(issuers)], found[len(issuers) :]
    entitled = {
        issuer: _find_link(each, schema, service["time_ms"])
        for issuer, each in zip(issuers, links, strict=True)
    }
    issuer = next((each for each in issuers if entitled[each]), issuers[-1])
    return visit.render(
        "identity/issue.html",
        schema=schema,
        fields=derive_fields(msgspec.json.decode(schema["document"])),
        issuer=issuer,
        accreditation=entitled[issuer],
        lists=lists[issuers.index(issuer)],
        order={
            "issuer": issuer,
            "schema": schema["id"],
            "vct": schema["vct"],
            "types": [_name_type(schema["name"])],
            "accreditation": entitled[issuer],
        },
    )


@page("POST", "/identity/issue/claims", access="signed_in")
async def check_claims(visit: Visit) -> Answer:
    """Whether claims fit their schema: faults by claim, for our own script."""
    record = await visit.api.get(
        join_path("v1", "apps", "schemas", "schema", visit.form.get("schema", ""))
    )
    try:
        claims = parse_document(visit.form.get("claims", "").encode())
        schema = CompiledSchema(msgspec.json.decode(record["document"]))
    except Malformed as why:
        text = visit.words("The claims cannot be read: {why}", why=why.text)
        raise refuse_input(text, visit.words("Mend them and try again.")) from why
    faults = schema.find_faults(claims)[:_FAULTS_SHOWN]
    return visit.json({"faults": [{"path": path, "rule": rule} for path, rule in faults]})


def _find_link(links: list[dict[str, Any]], schema: Mapping[str, Any], now_ms: int) -> str:
    """The issuer's accreditation that covers the schema and stands now; "" when it has none."""
    names = list_scope_names(schema["id"], schema["name"], schema["version"])
    for each in links:
        link = read_link(each)
        places = {place for one in link.scope for place in one.jurisdictions}
        is_fit = any(covers(link.scope, names, place) for place in places)
        if link.level == "attest" and is_fit and not judge_time(link, now_ms):
            return link.id
    return ""


def _read_version(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split("."))


def _name_type(name: str) -> str:
    """`business_licence` is the type BusinessLicence."""
    words = name.replace("-", "_").replace(".", "_").split("_")
    return "".join(word[:1].upper() + word[1:] for word in words)
