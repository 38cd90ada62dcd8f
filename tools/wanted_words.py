"""Every word that the console needs: what applications declare, and the sentences of pages and
scripts. Imports the catalog, reads the sources; changes nothing.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, nodes

from hansa.appkit.application import Application, collect_rejections
from hansa.catalog import SYSTEM, load_applications
from hansa.ledger.rejections import Rejection
from hansa.locales.readable import make_readable
from hansa.locales.words import choose_context

SOURCE = Path(__file__).resolve().parent.parent / "src" / "hansa"
CONSOLE = SOURCE / "console"
# Functions of Python code whose text is a sentence, and names of constants that hold sentences.
_SAYING = {"words", "_", "mark", "say"}
_HOLDING = {"SENTENCES"}
_CODE = re.compile(r"(api|node|index|console|client)\.[a-z][a-z0-9_]*")
_SCRIPT = re.compile(r'\bsay\(\s*"((?:[^"\\]|\\.)*)"')
# The league's three places; all others have their names from CLDR.
PLACES = {"CN": "Mainland", "HK": "Hong Kong", "MO": "Macao"}


@dataclass(frozen=True, slots=True, order=True)
class Wanted:
    """A word. context "" is a sentence whose name is its English; `english` is a draft otherwise.

    many: the plural of a counted sentence; place: where it comes from.
    """

    context: str
    name: str
    english: str
    many: str = ""
    place: str = ""


@cache
def list_wanted() -> tuple[Wanted, ...]:
    """All, each once, in order."""
    found: dict[tuple[str, str], Wanted] = {}
    for each in _collect():
        found.setdefault((each.context, each.name), each)
    return tuple(found[key] for key in sorted(found))


def _collect() -> Iterator[Wanted]:
    for application in load_applications():
        yield from _collect_application(application)
    for rejection in collect_rejections(Rejection):
        yield from _name_rejection(rejection)
    for code, remedy in _collect_codes().items():
        yield Wanted("rejection", code, make_readable(code) + ".", place="code")
        yield Wanted("remedy", code, remedy, place="code")
    for name, english in PLACES.items():
        yield Wanted("option", name, english, place="a jurisdiction")
    yield from collect_sentences()


def _collect_application(app: Application) -> Iterator[Wanted]:
    name = app.name
    yield Wanted("application", name, app.title, place=name)
    if name in SYSTEM:
        yield Wanted("application-short", name, make_readable(name), place="in menus")
    for setting in app.contract.settings:
        yield Wanted("setting", f"{name}.{setting.name}", setting.text, place="a parameter")
    for role in app.roles:
        yield Wanted("role", f"{name}.{role.name}", make_readable(role.name), place=role.text)
    for message in app.messages:
        about = " ".join((message.__doc__ or "").split())
        key = f"{name}.{message.__name__}"
        yield Wanted("message", key, make_readable(message.__name__), place=about)
        yield Wanted("message-help", key, about, place=name)
    yield from _collect_views(app)
    for rejection in app.rejections:
        yield from _name_rejection(rejection)
    for type_ in (*app.messages, *app.records, *app.events):
        yield from _collect_fields(type_, name)


def _collect_views(app: Application) -> Iterator[Wanted]:
    """Records, events, tables, what waits, states."""
    name = app.name
    for record in app.records:
        yield Wanted("record", f"{name}.{record.KIND}", make_readable(record.KIND), place=name)
    for event in app.events:
        key = f"{name}.{event.__name__}"
        yield Wanted("event", key, make_readable(event.__name__), place=name)
    for table in app.tables:
        yield Wanted("table", f"{name}.{table.name}", make_readable(table.name), place=name)
        for column in table.columns:
            yield _name_field(column.name, f"{name}.{table.name}")
    for waiting in app.waiting:
        key = f"{name}.{waiting.name}"
        yield Wanted("waiting", key, make_readable(waiting.name), place=name)
    for cycle in app.lifecycles:
        for state in filter(None, cycle.states):
            context = choose_context(cycle.field)
            yield Wanted(context, state, make_readable(state), place=f"{name}.{cycle.field}")


def _collect_fields(type_: type[Any], app: str) -> Iterator[Wanted]:
    """Fields of a type and of the types in it, and the values of its enumerations."""
    schema = msgspec.json.schema(type_)
    definitions: dict[str, Any] = schema.get("$defs", {})
    for title, described in definitions.items():
        for name, field in described.get("properties", {}).items():
            yield _name_field(name, f"{app}.{title}")
            yield from _collect_values(name, field, definitions, f"{app}.{title}.{name}")


def _collect_values(
    name: str, field: dict[str, Any], definitions: dict[str, Any], place: str
) -> Iterator[Wanted]:
    values = list(field.get("enum", ()))
    if "$ref" in field:
        values += definitions[field["$ref"].rpartition("/")[2]].get("enum", ())
    for value in values:
        if isinstance(value, str) and value:
            yield Wanted(choose_context(name), value, make_readable(value), place=place)
    choices = field.get("anyOf", [])
    for part in (*choices, field.get("items"), field.get("additionalProperties")):
        if isinstance(part, dict):
            yield from _collect_values(name, part, definitions, place)
    if len([each for each in choices if "$ref" in each]) > 1:
        for each in choices:
            if "$ref" in each:
                yield _name_field(each["$ref"].rpartition("/")[2], place)


def _name_field(name: str, place: str) -> Wanted:
    return Wanted("field", name, make_readable(name), place=place)


def _name_rejection(kind: type[Rejection]) -> Iterator[Wanted]:
    code = f"{kind.CODESPACE}.{kind.CODE}"
    yield Wanted("rejection", code, kind.TEXT, place=kind.RULE)
    yield Wanted("remedy", code, kind.REMEDY, place=kind.RULE)


def _collect_codes() -> dict[str, str]:
    """Codes that the gateway and the console refuse with, each with the first remedy of the code
    that stands in the source as plain text.
    """
    found: dict[str, str] = {}
    for path in (*sorted((SOURCE / "api").rglob("*.py")), CONSOLE / "problems.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call | ast.Tuple):
                for code, remedy in _read_codes(node):
                    found[code] = found.get(code) or remedy
    return found


def _read_codes(node: ast.Call | ast.Tuple) -> Iterator[tuple[str, str]]:
    """Codes among the arguments of a call (or of a tuple), with the remedy beside them."""
    parts = node.args if isinstance(node, ast.Call) else node.elts
    texts = [each.value for each in parts if isinstance(each, ast.Constant)]
    named = {each.arg: each.value for each in getattr(node, "keywords", ())}
    remedy = named.get("remedy", parts[-1] if parts else None)
    text = remedy.value if isinstance(remedy, ast.Constant) else ""
    for each in texts:
        if isinstance(each, str) and _CODE.fullmatch(each):
            yield each, text if isinstance(text, str) and " " in text else ""


def collect_sentences() -> Iterator[Wanted]:
    """Sentences of templates, of the console's Python and of its scripts."""
    environment = Environment(autoescape=True)
    for path in sorted((CONSOLE / "templates").rglob("*.html")):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            texts = [each.value if isinstance(each, nodes.Const) else None for each in call.args]
            yield from _read_call(_find_name(call.node), texts, path)
    for path in sorted(CONSOLE.rglob("*.py")):
        yield from _collect_python(path)
    for path in sorted((CONSOLE / "static" / "js").rglob("*.js")):
        for text in _SCRIPT.findall(path.read_text(encoding="utf-8")):
            yield _say(text.replace('\\"', '"'), path)


def _collect_python(path: Path) -> Iterator[Wanted]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            texts = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
            yield from _read_call(name, texts, path)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id in _HOLDING and node.value is not None:
                yield from _read_holder(node.value, path)


def _read_holder(value: ast.expr, path: Path) -> Iterator[Wanted]:
    """Texts of a constant: the values of a mapping, the members of a list."""
    parts = value.values if isinstance(value, ast.Dict) else getattr(value, "elts", [])
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield _say(part.value, path)


def _read_call(name: str, texts: list[Any], path: Path) -> Iterator[Wanted]:
    first, second = (*texts, None, None)[:2]
    if not isinstance(first, str) or not first:
        return
    if name in _SAYING:
        yield _say(first, path)
    elif name == "count" and isinstance(second, str):
        yield Wanted("", first, first, many=second, place=_locate(path))
    elif name == "of" and isinstance(second, str):
        yield Wanted(first, second, make_readable(second), place=_locate(path))


def _say(text: str, path: Path) -> Wanted:
    return Wanted("", text, text, place=_locate(path))


def _locate(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _find_name(node: nodes.Expr) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    return node.attr if isinstance(node, nodes.Getattr) else ""
