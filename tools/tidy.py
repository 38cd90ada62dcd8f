"""House rules that linters do not know: budgets, docstrings, banned names.

What consensus code may use: `tools/consensus.py`. Run as `tools/tidy.py`; prints each fault with
what to do instead and exits 1 if there is any.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "hansa"
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LEDGER_LINES_MAX = 4_000
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc", "base", "core"}
# Unfinished marks are not for main: open an issue, or nothing.
MARKS = ("TO" + "DO", "FIX" + "ME", "XX" + "X:")


def check_text(path: Path, text: str) -> Iterator[str]:
    """Size of the module, its docstring, unfinished marks."""
    lines = text.count("\n")
    if lines > MODULE_LINES_MAX:
        yield f"{lines} lines: split the module by what it does (at most {MODULE_LINES_MAX})"
    for number, line in enumerate(text.splitlines(), 1):
        if any(mark in line for mark in MARKS):
            yield f"{number}: an unfinished mark: open an issue instead"
    if path.stem in BANNED_NAMES:
        yield f"the name {path.stem} says nothing: name the module after what is in it"


def check_tree(tree: ast.Module) -> Iterator[str]:
    """Docstrings and function sizes."""
    if not ast.get_docstring(tree):
        yield "no module docstring: say in two lines what it is and what it may touch"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LINES_MAX:
                yield f"{node.lineno}: {node.name} has {size} lines (at most {FUNCTION_LINES_MAX})"


def list_faults() -> Iterator[str]:
    """Every fault of the source tree, as `path:…`."""
    ledger_lines = 0
    for path in sorted(SOURCE.rglob("*.py")):
        if path.stem.endswith("_pb2"):
            continue  # generated: tools/generate_abci.py --check compares it
        text = path.read_text(encoding="utf-8")
        shown = path.relative_to(ROOT)
        if "ledger" in path.relative_to(SOURCE).parts[:1]:
            ledger_lines += text.count("\n")
        for fault in (*check_text(path, text), *check_tree(ast.parse(text))):
            yield f"{shown}:{fault}"
    for folder in sorted(each for each in SOURCE.rglob("*") if each.is_dir()):
        has_code = any(folder.glob("*.py"))
        if has_code and not (folder / "__init__.py").exists():
            yield f"{folder.relative_to(ROOT)}: a package needs __init__.py with a docstring"
        if folder.name in BANNED_NAMES:
            yield f"{folder.relative_to(ROOT)}: the name says nothing"
    if ledger_lines > LEDGER_LINES_MAX:
        yield f"src/hansa/ledger has {ledger_lines} lines (at most {LEDGER_LINES_MAX})"


def main() -> int:
    """Print the faults; 1 if there are any."""
    faults = list(list_faults())
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
