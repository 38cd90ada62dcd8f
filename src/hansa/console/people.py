"""Who did what and when: keys and accounts by name, the last change of a record.

Asks the visitor's API; what the visitor may not see is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import Described
from hansa.console.forms.shape import Shape
from hansa.console.templates import shorten
from hansa.console.values import list_dids
from hansa.console.visit import Visit

_HISTORY_PAGE = 200
# Pages of a history that are turned to find its end.
_PAGES_MAX = 20


@dataclass(frozen=True, slots=True)
class Act:
    """What changed a record: its block, its time (0 unknown), the message, who sent it ("" when
    that is not for this visitor; a deadline has `is_deadline`), and its page.
    """

    height: int
    time_ms: int = 0
    app: str = ""
    message: str = ""
    who: str = ""
    transaction: str = ""
    is_deadline: bool = False

    @property
    def href(self) -> str:
        """Page of the transaction."""
        return join_path("transactions", self.transaction) if self.transaction else ""


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of a record that a message names."""

    kind: str
    key: str
    href: str
    height: int
    act: Act


async def name_who(visit: Visit, kid: str) -> str:
    """Who signs with a key, or an account: the member's name, and which of its accounts it is."""
    did = kid.partition("#")[0]
    if not did.startswith("did:"):
        return did
    found = await visit.name_of(did)
    if found != shorten(did):
        return found
    try:
        account = await visit.api.get(join_path("v1", "apps", "accounts", "account", did))
    except ApiProblem:
        return found
    member = await visit.name_of(str(account["member"]))
    return f"{member} · {found}"


async def name_all(visit: Visit, *values: object) -> dict[str, str]:
    """Names of every DID within values; what has none is left out."""
    found: dict[str, str] = {}
    for did in dict.fromkeys(each for value in values for each in list_dids(value)):
        name = await visit.name_of(did)
        if name != shorten(did):
            found[did] = name
    return found


async def read_params(visit: Visit, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a refusal for people: members by name. Codes get their words, and numbers are
    written, with the sentence (`Words.param`).
    """
    found = dict(params)
    for name, value in params.items():
        if isinstance(value, str) and value.startswith("did:hansa:"):
            found[name] = await name_who(visit, value)
    return found


async def describe_act(visit: Visit, height: int, transaction: str) -> Act:
    """What a version's transaction was."""
    if not transaction or transaction == "deadline":
        return Act(height, await find_time(visit, height), is_deadline=transaction == "deadline")
    try:
        found = await visit.api.get(join_path("v1", "transactions", transaction))
    except ApiProblem:
        return Act(height, await find_time(visit, height))
    done = [each for each in found["messages"] if each["code"] == "ok"]
    types = {each["type"] for each in done}
    app, _sep, message = types.pop().partition("/") if len(types) == 1 else ("", "", "")
    senders = [each["sender"] for each in done if each["sender"]]
    return Act(
        height=height,
        time_ms=found["time_ms"],
        app=app,
        message=message.partition("/")[0],
        who=await name_who(visit, senders[0]) if senders else "",
        transaction=transaction,
    )


async def find_time(visit: Visit, height: int) -> int:
    """Time of a block, 0 when it is not known here."""
    try:
        block = await visit.api.get(join_path("v1", "blocks", str(height)))
    except ApiProblem:
        return 0
    return int(block["time_ms"])


async def read_history(visit: Visit, app: str, kind: str, key: str) -> list[dict[str, Any]]:
    """Versions of a record that the visitor may see, oldest first. Raises ApiProblem."""
    versions: list[dict[str, Any]] = []
    after = ""
    for _page in range(_PAGES_MAX):
        path = join_path("v1", "history", app, kind, key)
        page = await visit.api.get(path, after=after, limit=_HISTORY_PAGE)
        versions += page["items"]
        after = page["next"] or ""
        if not after:
            break
    return versions


async def list_changes(
    visit: Visit, about: Described, shape: Shape, body: Mapping[str, Any]
) -> list[Change]:
    """The last change of each record that a message is about: that a field of its own names."""
    found = []
    own = replace(shape, fields=tuple(each for each in shape.fields if each.is_flat))
    for app, kind, key in dict.fromkeys(list_records(about.name, own, body)):
        try:
            versions = await read_history(visit, app, kind, key)
        except ApiProblem:
            continue
        last = versions[-1]
        act = await describe_act(visit, last["height"], last["transaction"])
        found.append(Change(kind, key, visit.record_link(app, kind, key), last["height"], act))
    return found


def list_records(app: str, shape: Shape, body: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """(application, kind, key) of every record that the fields of a message name."""
    for each in shape.fields:
        value = body.get(each.name)
        if isinstance(value, Mapping):
            yield from list_records(app, each, value)
        elif each.record and isinstance(value, str) and value:
            owner, sep, kind = each.record.partition("/")
            yield (owner if sep else app, kind if sep else owner, value)
