"""What a field may be chosen from: members by name, applications, roles, messages, codes, records
that the visitor sees. Asks the visitor's API for what a form needs, each once.
"""

from collections.abc import Sequence
from typing import Final

from babel import Locale

from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import describe_all, find_described
from hansa.console.forms.control import Control
from hansa.console.forms.shape import Shape
from hansa.console.visit import Visit
from hansa.primitives.identifiers import SCHEMES

# Value, words.
Option = tuple[str, str]
# More than this nobody finds by scrolling; what is not among them is typed.
OPTIONS_MAX: Final = 200
_JURISDICTIONS: Final = ("CN", "HK", "MO")
_CURRENCIES: Final = ("CNY", "HKD", "MOP", "EUR", "USD", "JPY", "GBP", "BRL", "SGD", "AUD", "CAD")


def name_source(control: Control) -> str:
    """What the options of a field are gathered under; "" for a field without any."""
    shape = control.shape
    if shape.kind == "party":
        return "members"
    if shape.meaning in ("role", "message"):
        return f"{shape.meaning}:{control.beside.get(shape.unit, '')}"
    if shape.meaning in ("application", "currency", "jurisdiction", "scheme"):
        return shape.meaning
    return f"record:{shape.record}" if shape.record else ""


def is_closed(shape: Shape) -> bool:
    """Whether nothing else can be given than one of the options."""
    return shape.meaning in ("application", "role", "message", "scheme")


async def load_options(visit: Visit, app: str, root: Control) -> dict[str, list[Option]]:
    """The options of every field of a form."""
    found: dict[str, list[Option]] = {}
    for control in _walk(root):
        source = name_source(control)
        if source and source not in found:
            found[source] = await _load(visit, app, source)
    return found


def _walk(root: Control) -> list[Control]:
    controls = list(root.walk())
    further = [each.template for each in controls if each.template is not None]
    return [*controls, *(inner for each in further for inner in _walk(each))]


async def _load(visit: Visit, app: str, source: str) -> list[Option]:
    sort, _sep, name = source.partition(":")
    if sort == "members":
        return await list_members(visit)
    if sort == "record":
        return await _list_records(visit, app, name)
    if sort in ("application", "message", "role"):
        return await _list_described(visit, sort, name)
    territories = Locale.parse(visit.words.language.locale).territories
    currencies = Locale.parse(visit.words.language.locale).currencies
    if sort == "jurisdiction":
        return [(code, f"{territories.get(code, code)} ({code})") for code in _JURISDICTIONS]
    if sort == "currency":
        return [(code, f"{code} {currencies.get(code, '')}".strip()) for code in _CURRENCIES]
    return [(code, f"{code}: {scheme.title}") for code, scheme in SCHEMES.items()]


async def list_members(visit: Visit) -> list[Option]:
    """Members of the league, by name: DID and name."""
    page = await visit.api.get("/v1/apps/members/member", limit=OPTIONS_MAX)
    found = [(str(each["did"]), str(each["name"])) for each in page["items"]]
    return sorted(found, key=lambda each: each[1])


async def _list_described(visit: Visit, sort: str, name: str) -> list[Option]:
    words = visit.words
    if sort == "application":
        found = await describe_all(visit)
        return [(each.name, words.application(each.name, each.title)) for each in found]
    about = await find_described(visit, name) if name else None
    if about is None:
        return []
    if sort == "role":
        names: Sequence[str] = [role["name"] for role in about.raw["roles"]]
        return [(each, words.of("role", f"{about.name}.{each}")) for each in names]
    return [(each, words.of("message", f"{about.name}.{each}")) for each in about.governed]


async def _list_records(visit: Visit, app: str, name: str) -> list[Option]:
    """Keys of records that the visitor sees; the value of the record's one key field."""
    owner, sep, kind = name.partition("/")
    place = (owner, kind) if sep else (app, owner)
    try:
        page = await visit.api.get(join_path("v1", "apps", *place), limit=OPTIONS_MAX)
    except ApiProblem:
        return []
    return [(str(key), "") for key in page["keys"] if "/" not in str(key)]
