"""The league: its members with roles and standing, who signs blocks, keys' ages, parameters."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, Value, join_path
from hansa.console.looking import find_block_times, list_all
from hansa.console.routing import page
from hansa.console.visit import Visit

# A key older than this should be rotated, and one older than that should have been (days).
KEY_OLD_DAYS: Final = 365
KEY_TOO_OLD_DAYS: Final = 730
_DAY_MS: Final = 86_400_000
_TONES: Final = {
    "good": "good",
    "active": "good",
    "suspended": "bad",
    "expelled": "bad",
    "closed": "quiet",
    "candidate": "busy",
}
Records = list[dict[str, Any]]


@page("GET", "/league")
async def show_members(visit: Visit) -> Answer:
    """Members with standing, roles, votes and nodes."""
    members, grants, weights, network = await asyncio.gather(
        list_all(visit, "/v1/apps/members/member"),
        list_all(visit, "/v1/apps/permissions/grant"),
        list_all(visit, "/v1/apps/governance/weight"),
        visit.api.get("/v1/network"),
    )
    roles = _group(_live(grants, network["time_ms"]), "holder")
    votes = {each["member"]: each["weight"] for each in weights}
    nodes = _group(network["nodes"], "member")
    validators = {each["member"]: each for each in network["validators"]}
    rows = [
        {
            **each,
            "standing": _judge_standing(each["standing"], network["height"]),
            "roles": roles[each["did"]],
            "weight": votes.get(each["did"], 0),
            "nodes": len(nodes[each["did"]]),
            "validator": validators.get(each["did"]),
        }
        for each in members
    ]
    rows.sort(key=lambda row: (row["standing"] != "good", row["name"]))
    return visit.render(
        "league/members.html", chain=network["chain"], members=rows, tones=_TONES, total=len(rows)
    )


@page("GET", "/league/members/{did}")
async def show_member(visit: Visit) -> Answer:
    """One member: what everybody may know of it, and what the visitor may."""
    did = visit.parts["did"]
    member = await visit.api.get(join_path("v1", "apps", "members", "member", did))
    grants, network, contact, accounts, weight = await asyncio.gather(
        list_all(visit, "/v1/apps/permissions/grant", {"holder": did}),
        visit.api.get("/v1/network"),
        _find(visit, "members", "contact", did),
        _list_allowed(visit, "/v1/apps/accounts/account", {"member": did}),
        _find(visit, "governance", "weight", did),
    )
    heights = [each["since"] for each in member["standing"]]
    return visit.render(
        "league/member.html",
        member=member,
        standing=_judge_standing(member["standing"], network["height"]),
        grants=_live(grants, network["time_ms"]),
        grantors=await visit.names_of([each["granted_by"] for each in grants]),
        contact=(contact or {}).get("address", ""),
        accounts=accounts,
        weight=(weight or {}).get("weight", 0),
        keys=await _list_keys(visit, accounts or [], network),
        nodes=[each for each in network["nodes"] if each["member"] == did],
        validators=[each for each in network["validators"] if each["member"] == did],
        evidence=[each for each in network["evidence"] if each["member"] == did],
        times=await find_block_times(visit, [each for each in heights if each]),
        titles=await _find_titles(visit),
        network=network,
        tones=_TONES,
    )


@page("GET", "/league/validators")
async def show_validators(visit: Visit) -> Answer:
    """Who signed lately, whether blocks can be made, what was proved, which nodes may connect."""
    network = await visit.api.get("/v1/network")
    rows = sorted(network["validators"], key=lambda each: (-each["power"], each["address"]))
    named = [*rows, *network["nodes"], *network["evidence"], *network["peers"]]
    names = await visit.names_of([each["member"] for each in named])
    names |= await visit.names_of(
        [each for each in network["quorum"]["missing"] if each.startswith("did:")]
    )
    return visit.render(
        "league/validators.html",
        network=network,
        quorum=network["quorum"],
        validators=rows,
        names=names,
        has_quorum=network["quorum"]["connected"] >= network["quorum"]["needed"],
        tones=_TONES,
    )


@page("GET", "/league/keys", access="signed_in")
async def show_keys(visit: Visit) -> Answer:
    """Live keys of the accounts that the visitor may see, oldest first."""
    accounts, network = await asyncio.gather(
        list_all(visit, "/v1/apps/accounts/account"), visit.api.get("/v1/network")
    )
    keys = await _list_keys(visit, accounts, network)
    return visit.render(
        "league/keys.html",
        keys=keys,
        names=await visit.names_of([each["member"] for each in keys]),
        old_days=KEY_OLD_DAYS,
        too_old_days=KEY_TOO_OLD_DAYS,
    )


@page("GET", "/league/parameters")
async def show_parameters(visit: Visit) -> Answer:
    """What the league decided: parameters and their bounds, rules of voting, versions, freezes."""
    described, parameters, rules, activations, freezes, network = await asyncio.gather(
        visit.frame.describe_all(visit.api),
        list_all(visit, "/v1/apps/governance/parameter"),
        _find(visit, "governance", "rules", "rules"),
        list_all(visit, "/v1/apps/governance/activation"),
        list_all(visit, "/v1/apps/governance/freeze"),
        visit.api.get("/v1/network"),
    )
    values = {(each["application"], each["name"]): each["value"] for each in parameters}
    rows = [
        {**setting, "app": app, "value": values.pop((app, setting["name"]), None)}
        for app, about in described.items()
        for setting in about.get("settings", ())
    ]
    rows += [
        {"app": app, "name": name, "value": value, "text": ""}
        for (app, name), value in values.items()
    ]
    return visit.render(
        "league/parameters.html",
        rows=rows,
        titles=await _find_titles(visit),
        rules=rules,
        activations=activations,
        freezes=freezes,
        height=network["height"],
    )


def _group(entries: Iterable[Mapping[str, Any]], by: str) -> dict[str, Records]:
    found: dict[str, Records] = defaultdict(list)
    for each in entries:
        found[each[by]].append(dict(each))
    return found


def _live(grants: Iterable[Mapping[str, Any]], time_ms: int) -> Records:
    """Grants that hold at a block time."""
    return [
        dict(each)
        for each in grants
        if each["since_ms"] <= time_ms and (each["until_ms"] is None or time_ms < each["until_ms"])
    ]


def _judge_standing(history: Sequence[Mapping[str, Any]], height: int) -> str:
    standing = ""
    for entry in history:
        if entry["since"] <= height or not standing:
            standing = str(entry["standing"])
    return standing


async def _find_titles(visit: Visit) -> dict[str, str]:
    described = await visit.frame.describe_all(visit.api)
    return {app: str(about["title"]) for app, about in described.items()}


async def _find(visit: Visit, app: str, kind: str, key: str) -> dict[str, Any] | None:
    """A record, None when there is none that the visitor may see."""
    try:
        found: dict[str, Any] = await visit.api.get(join_path("v1", "apps", app, kind, key))
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return None
    return found


async def _list_allowed(visit: Visit, path: str, params: Mapping[str, Value]) -> Records | None:
    """Records of a list, None when it is not for the visitor."""
    try:
        return await list_all(visit, path, params)
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return None


async def _list_keys(visit: Visit, accounts: Records, network: Mapping[str, Any]) -> Records:
    """Live keys of accounts with their age, oldest first."""
    height, now_ms = network["height"], network["time_ms"]
    live = [
        (account, key)
        for account in accounts
        for key in account["keys"]
        if key["until"] is None or key["until"] > height
    ]
    times = await find_block_times(visit, [max(1, key["since"]) for _account, key in live])
    rows = []
    for account, key in live:
        since_ms = times.get(max(1, key["since"]))
        age_ms = None if since_ms is None else max(0, now_ms - since_ms)
        rows.append(
            {
                "account": account["did"],
                "member": account["member"],
                "kind": account["kind"],
                "is_admin": account["admin"],
                "id": key["id"],
                "alg": key["public"]["alg"],
                "purposes": key["purposes"],
                "scope": key["scope"],
                "since": key["since"],
                "since_ms": since_ms,
                "age_ms": age_ms,
                "tone": judge_age(age_ms),
            }
        )
    return sorted(rows, key=lambda row: (-(row["age_ms"] or 0), row["account"], row["id"]))


def judge_age(age_ms: int | None) -> str:
    """The tone of a key's age: good, busy (old), bad (too old); quiet when it is not known."""
    if age_ms is None:
        return "quiet"
    if age_ms > KEY_TOO_OLD_DAYS * _DAY_MS:
        return "bad"
    return "busy" if age_ms > KEY_OLD_DAYS * _DAY_MS else "good"
