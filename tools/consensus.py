"""Consensus code uses only what is on the lists: modules and their members, builtins, syntax.

What every validator must compute the same may touch nothing that differs between two machines, two
runs or two Pythons. A list of what is allowed forgets nothing: what is new is asked about here.
The lists are in consensus_lists.py. Run as `tools/consensus.py`; prints each fault with what to do
instead and exits 1 if there is any.
"""

import ast
import builtins
import re
import symtable
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from consensus_lists import BUILTINS, DUNDERS, EXCEPTIONS, METHODS, MODULES, VALUES

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src"

_ORDERED: Final = frozenset({"tuple", "list", "enumerate", "iter", "map", "filter", "zip"})
_UNORDERED: Final = frozenset(
    {"sorted", "set", "frozenset", "any", "all", "sum", "len", "min", "max", "Counter"}
)
_SETS: Final = frozenset({"set", "frozenset"})
_SET_METHODS: Final = frozenset(
    {"union", "intersection", "difference", "symmetric_difference", "copy"}
)
_SET_OPERATORS: Final = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
# Their answers come from a table of Unicode, and each Python has another. ASCII never changes.
_BY_UNICODE: Final = frozenset(
    """
    isalpha isalnum isdigit isnumeric isdecimal isprintable isspace isidentifier lower upper
    casefold title capitalize swapcase
    """.split()
)
_CLASSES: Final = re.compile(r"\\[wWdDsSbB]")
_NEVER: Final[dict[type[ast.AST], str]] = {
    ast.Global: "a global that changes: what a block gives may not depend on what ran before",
    ast.AsyncFunctionDef: "no concurrency in consensus code",
    ast.Await: "no concurrency in consensus code",
    ast.AsyncFor: "no concurrency in consensus code",
    ast.AsyncWith: "no concurrency in consensus code",
}

Fault = tuple[int, str, str]  # line, what (as EXCEPTIONS names it), what to do instead


def list_modules(source: Path = SOURCE) -> list[Path]:
    """The modules of the import contract "deterministic", and of crypto, which they stand on."""
    settings = tomllib.loads((source.parent / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    named = next(each for each in contracts if each["id"] == "deterministic")["source_modules"]
    found: set[Path] = set()
    for name in (*named, "hansa.crypto"):
        for place in source.glob(name.replace(".", "/")):
            found.update(place.rglob("*.py"))
        found.update(source.glob(f"{name.replace('.', '/')}.py"))
    return sorted(found)


def find_faults(text: str, inside: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """What in the text of one module is not allowed. `inside`: hansa's modules of consensus."""
    tree = ast.parse(text)
    yield from _check_imports(tree, inside)
    yield from _check_names(tree, symtable.symtable(text, "module", "exec"))
    for node in ast.walk(tree):
        yield from _check_syntax(node)
    yield from _check_caches(tree)
    for scope in ast.walk(tree):
        if isinstance(scope, ast.Module | ast.FunctionDef | ast.Lambda):
            yield from _check_order(scope)
            yield from _check_characters(scope)


def _check_imports(tree: ast.Module, inside: frozenset[str]) -> Iterator[Fault]:
    """Every chain `module.member.…` from a name that an import binds, in full."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                modules[alias.asname or name] = name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module or '.'}.{alias.name}"
                if _judge(name, inside) == "part":
                    modules[alias.asname or alias.name] = name
                else:
                    yield from _check_member(node, name, inside)
    parents: dict[ast.AST, ast.AST] = {
        child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in modules:
            name, place = modules[node.id], parents[node]
            while isinstance(place, ast.Attribute) and _judge(name, inside) != "allowed":
                name, place = f"{name}.{place.attr}", parents[place]
            yield from _check_member(node, name, inside)


def _judge(name: str, inside: frozenset[str]) -> str:
    """allowed, part (a module of which something is allowed) or "" """
    parts = name.split(".")
    if parts[0] == "hansa":
        return "allowed" if {name, name.rpartition(".")[0]} & inside else ""
    if name in MODULES or any(f"{'.'.join(parts[:n])}.*" in MODULES for n in range(1, len(parts))):
        return "allowed"
    return "part" if any(each.startswith(f"{name}.") for each in MODULES) else ""


def _check_member(node: ast.AST, name: str, inside: frozenset[str]) -> Iterator[Fault]:
    judged = _judge(name, inside)
    if judged == "part":
        yield _at(node), name, "a module handed on: name the member that is used"
    elif not judged and name.startswith("hansa"):
        yield _at(node), name, "not consensus code: it is not in the contract `deterministic`"
    elif not judged:
        yield _at(node), name, "not in MODULES: is it the same on each machine and Python?"


def _check_names(tree: ast.Module, table: symtable.SymbolTable) -> Iterator[Fault]:
    """Names that are bound nowhere in the module are builtins, however they are reached."""
    bound = {each.get_name() for each in table.get_symbols() if each.is_assigned()}
    bound |= {each.get_name() for each in table.get_symbols() if each.is_imported()}
    bound |= {each.get_name() for each in table.get_symbols() if each.is_namespace()}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    scopes = [table]
    seen: set[tuple[int, str]] = set()
    while scopes:
        scope = scopes.pop()
        scopes.extend(scope.get_children())
        for symbol in scope.get_symbols():
            name = symbol.get_name()
            is_ours = name in bound or name in BUILTINS
            if is_ours or not (symbol.is_referenced() and symbol.is_global()):
                continue
            lines = [node.lineno for node in names if node.id == name]
            line = min((line for line in lines if line >= scope.get_lineno()), default=0)
            if (line, name) not in seen:
                seen.add((line, name))
                kind = "builtin" if hasattr(builtins, name) else "name"
                yield line, name, f"a {kind} that is not in BUILTINS"


def _check_syntax(node: ast.AST) -> Iterator[Fault]:
    if type(node) in _NEVER:
        yield _at(node), type(node).__name__, _NEVER[type(node)]
    elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        yield node.lineno, "float", "a float: integers only (D6)"
    elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        yield node.lineno, "/", "`/` gives a float: use // or a fraction of integers (D6)"
    elif isinstance(node, ast.Attribute):
        yield from _check_attribute(node)
    elif isinstance(node, ast.FormattedValue) and node.conversion in (ord("r"), ord("a")):
        yield node.lineno, "repr", "what repr shows differs between Pythons"
    elif isinstance(node, ast.FunctionDef) and _is_dunder(node.name) and node.name not in METHODS:
        yield node.lineno, node.name, "a method that Python calls when it likes"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_dunder(node.value):
        yield node.lineno, node.value, "the inside of an object by its name"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        keywords = {each.arg for each in node.keywords}
        if node.func.attr == "popitem" and "last" not in keywords:
            yield node.lineno, "popitem", "which item goes? pop by key"


def _check_attribute(node: ast.Attribute) -> Iterator[Fault]:
    is_parent = isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
    if not _is_dunder(node.attr) or node.attr in DUNDERS:
        return
    if node.attr == "__init__" and is_parent and node.value.func.id == "super":  # type: ignore[attr-defined]
        return
    yield node.lineno, node.attr, "the inside of an object: use what it offers"


def _check_caches(tree: ast.Module) -> Iterator[Fault]:
    """A memory holds answers of pure functions of plain values only, so many and no more."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    named = {id(node): name for name, node in functions.items()}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(map(_is_cache, node.decorator_list)):
            yield from _check_cache(node, id(node) in named)
        elif isinstance(node, ast.Call) and _is_cache(node.func):
            given = node.args[0] if node.args else None
            found = functions.get(given.id) if isinstance(given, ast.Name) else None
            if found is None and isinstance(node.func, ast.Call):
                yield node.lineno, "lru_cache", "around what is no function of this module"
            elif found is not None:
                yield from _check_cache(found, is_outermost=True)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lru_cache":
            sizes = [each.value for each in node.keywords if each.arg == "maxsize"]
            if not sizes or not all(isinstance(getattr(size, "value", 0), int) for size in sizes):
                yield node.lineno, "lru_cache", "without a size it grows for ever"


def _is_cache(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Name) and node.id == "lru_cache"


def _check_cache(node: ast.FunctionDef, is_outermost: bool) -> Iterator[Fault]:
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    kinds = {
        name
        for argument in arguments
        if argument.annotation is not None
        for name in _list_kinds(argument.annotation)
    }
    bare = any(argument.annotation is None for argument in arguments)
    if not is_outermost or bare or node.args.vararg or node.args.kwarg or kinds - VALUES:
        yield node.lineno, f"lru_cache:{node.name}", "remembers what is more than plain values"


def _list_kinds(annotation: ast.AST) -> Iterator[str]:
    if isinstance(annotation, ast.Name):
        yield annotation.id
    is_class = isinstance(annotation, ast.Subscript) and _name_of(annotation.value) == "type"
    for child in () if is_class else ast.iter_child_nodes(annotation):
        yield from _list_kinds(child)


def _check_order(scope: ast.Module | ast.FunctionDef | ast.Lambda) -> Iterator[Fault]:
    """What comes out of a set in its own order. Known: displays, set(), operators and methods of
    them, names of this scope that are bound to nothing else or annotated so.
    """
    nodes = list(_walk_scope(scope))
    sets = _find_set_names(scope, nodes)
    calm = {
        id(node.args[0])
        for node in nodes
        if isinstance(node, ast.Call) and _name_of(node.func) in _UNORDERED and node.args
    }
    for node in nodes:
        for taken in _list_iterated(node, calm):
            if _is_set(taken, sets):
                yield _at(taken), "set order", "the order of a set: sort it first"


def _check_characters(scope: ast.AST) -> Iterator[Fault]:
    """Questions to the table of Unicode, where the scope does not ask isascii() too."""
    nodes = list(_walk_scope(scope))
    asked = [node.func for node in nodes if isinstance(node, ast.Call)]
    asked += [node for node in nodes if isinstance(node, ast.Attribute) and _is_str(node.value)]
    methods = [node for node in asked if isinstance(node, ast.Attribute)]
    if not any(node.attr == "isascii" for node in methods):
        for method in methods:
            if method.attr in _BY_UNICODE:
                yield method.lineno, method.attr, "differs between Pythons: ask isascii() too"
    for node in nodes:
        is_pattern = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.")
        if is_pattern and "re.ASCII" not in ast.unparse(node):
            texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
            if any(isinstance(text, str) and _CLASSES.search(text) for text in texts):
                yield _at(node), "pattern", "\\w, \\d, \\s and \\b differ between Pythons: re.ASCII"


def _list_iterated(node: ast.AST, calm: set[int]) -> Iterator[ast.expr]:
    """The expressions whose order shows in what the node does."""
    if isinstance(node, ast.For):
        yield node.iter
    elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp) and id(node) not in calm:
        yield from (each.iter for each in node.generators)
    elif isinstance(node, ast.Starred):
        yield node.value
    elif isinstance(node, ast.Call):
        if _name_of(node.func) in _ORDERED:
            yield from node.args
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            yield from node.args
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "pop" and not node.args:
            yield node.func.value


def _walk_scope(scope: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _walk_scope(child)


def _find_set_names(
    scope: ast.Module | ast.FunctionDef | ast.Lambda, nodes: list[ast.AST]
) -> frozenset[str]:
    found: set[str] = set()
    other: set[str] = set()
    if not isinstance(scope, ast.Module):
        arguments = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
        found |= {each.arg for each in arguments if _is_set_type(each.annotation)}
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            is_one = _is_set_type(node.annotation)
            is_one |= node.value is not None and _is_set(node.value, frozenset(found))
            (found if is_one else other).add(node.target.id)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    is_one = _is_set(node.value, frozenset(found))
                    (found if is_one else other).add(target.id)
    return frozenset(found - other)


def _is_set_type(annotation: ast.expr | None) -> bool:
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return isinstance(annotation, ast.Name) and annotation.id in _SETS


def _is_set(node: ast.expr, sets: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in sets
    if isinstance(node, ast.BinOp):
        sides = (_is_set(node.left, sets), _is_set(node.right, sets))
        return isinstance(node.op, _SET_OPERATORS) and any(sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _SET_METHODS and _is_set(node.func.value, sets)
    is_made = isinstance(node, ast.Call) and _name_of(node.func) in _SETS
    return is_made or isinstance(node, ast.Set | ast.SetComp)


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _is_str(node: ast.expr) -> bool:
    return _name_of(node) == "str"


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name.strip("_").isidentifier()


def _at(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def list_faults(source: Path = SOURCE) -> Iterator[str]:
    """Every fault of the tree as `path:line: what: why`, and exceptions that nothing needs."""
    paths = list_modules(source)
    inside = frozenset(
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
    )
    allowed = {(module, what) for module, words, _why in EXCEPTIONS for what in words.split()}
    needed: set[tuple[str, str]] = set()
    for path in paths:
        shown = path.relative_to(source / "hansa").as_posix()
        for line, what, why in find_faults(path.read_text(encoding="utf-8"), inside):
            if (shown, what) in allowed:
                needed.add((shown, what))
            else:
                yield f"{path.relative_to(source.parent)}:{line}: {what}: {why}"
    for shown, what in sorted(allowed - needed):
        yield f"tools/consensus.py: the exception {what!r} of {shown} is used no more: take it out"


def main() -> int:
    """Print the faults; 1 if there are any."""
    faults = list(list_faults())
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
