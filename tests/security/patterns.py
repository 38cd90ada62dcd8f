"""Feeds each regular expression of our code what it likes least, and names those that are slow.

Run as a program in a process of its own: `re.compile` is watched while everything is imported.
Worst inputs are built from a pattern's own parse: what each repetition repeats, 50 kB of it after
what leads there, then a character that fits nowhere.
"""

import ast
import importlib
import pkgutil
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

SIZE = 50_000
SECONDS = 1.0
METHODS = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")
# How a pattern is used of which the file says nothing: as a value of a field, or in a table.
ANYHOW = {"fullmatch", "search"}
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
# One of each kind of character, for classes that name kinds or what they are not.
KINDS = "a0 _-.\u4e2d\n"
TAIL = "\x00"

Place = tuple[str, int]


# Methods by file and name.
Used = dict[tuple[str, str], set[str]]


def find_calls(root: Path) -> tuple[dict[Place, str], Used, list[tuple[Place, str, str]]]:
    """Names given to compiled patterns, how each is used, and patterns used where they stand."""
    names: dict[Place, str] = {}
    methods: Used = defaultdict(set)
    direct: list[tuple[Place, str, str]] = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name):
                    names[str(path), node.value.lineno] = target.id
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            method, owner = node.func.attr, node.func.value
            if method not in METHODS or not isinstance(owner, ast.Name | ast.Attribute):
                continue
            called = owner.id if isinstance(owner, ast.Name) else owner.attr
            first = node.args[0] if node.args else None
            if called == "re" and isinstance(first, ast.Constant):
                direct.append(((str(path), node.lineno), str(first.value), method))
            methods[str(path), called].add(method)
    return names, methods, direct


def watch_imports(package: str) -> dict[Place, re.Pattern[Any]]:
    """Everything that is compiled while all modules of a package are imported, by place."""
    found: dict[Place, re.Pattern[Any]] = {}
    compile_ = re.compile

    def watched(pattern: Any, flags: int = 0) -> Any:
        made = compile_(pattern, flags)
        frame = sys._getframe(1)
        if isinstance(made.pattern, str):
            found[frame.f_code.co_filename, frame.f_lineno * 1_000 + len(found)] = made
        return made

    re.compile = watched
    root = importlib.import_module(package)
    for each in pkgutil.walk_packages(root.__path__, package + "."):
        if not each.name.endswith("__main__"):
            importlib.import_module(each.name)
    re.compile = compile_
    return {place: made for place, made in found.items() if f"/{package}/" in place[0]}


def pick(item: tuple[Any, Any]) -> list[str]:
    """Short texts that one item of a parsed pattern fits, different ones where it can be."""
    code, value = item
    if code is codes.LITERAL:
        return [chr(value)]
    if code is codes.IN:
        return pick_class(value)
    if code in (codes.ANY, codes.NOT_LITERAL):
        return ["a"]
    if code in REPEATS:
        least, _most, inner = value
        return [text * max(least, 0) for text in join(inner)] or [""]
    if code is codes.SUBPATTERN:
        return join(value[3])
    if code is codes.ATOMIC_GROUP:
        return join(value)
    if code is codes.BRANCH:
        return [text for branch in value[1] for text in join(branch)[:1]]
    return [""]


def pick_class(members: list[tuple[Any, Any]]) -> list[str]:
    """Characters of a class: the ends of its ranges, one of each kind."""
    found = []
    for code, value in members:
        if code is codes.LITERAL:
            found.append(chr(value))
        elif code is codes.RANGE:
            found += [chr(value[0]), chr(value[1])]
    if not found or members[0][0] is codes.NEGATE:
        outside = set(found)
        found = [each for each in KINDS if each not in outside]
    if any(code is codes.CATEGORY for code, _value in members):
        found += KINDS
    return found[:8]


def join(items: Any) -> list[str]:
    """Texts that items one after the other fit."""
    choices = [pick(item) or [""] for item in items]
    most = max((len(each) for each in choices), default=1)
    return ["".join(each[k % len(each)] for each in choices) for k in range(min(most, 4))]


def list_worst(items: Any, before: str = "") -> Iterator[str]:
    """What leads to each repetition, then much of what it repeats."""
    for item in items:
        code, value = item
        inner: list[Any] = []
        if code in REPEATS:
            inner = [value[2]]
            for text in {*join(value[2]), "".join(join(value[2]))} - {""}:
                yield before + text * (SIZE // len(text))
        elif code is codes.SUBPATTERN:
            inner = [value[3]]
        elif code is codes.BRANCH:
            inner = value[1]
        for each in inner:
            yield from list_worst(each, before)
        before += (pick(item) or [""])[0]


def measure(pattern: re.Pattern[Any], method: str, text: str) -> float:
    """Seconds of processor for one use, SECONDS when it was cut off."""
    began = time.process_time()
    with suppress(TimeoutError):
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            run = getattr(pattern, method)
            found = run("", text) if method == "sub" else run(text)
            if method == "finditer":
                for _each in found:
                    pass
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        return time.process_time() - began
    return SECONDS


def arm() -> None:
    """Have the time cut off what takes too long."""
    signal.signal(signal.SIGVTALRM, give_up)


def give_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError


def judge(pattern: re.Pattern[Any], methods: set[str]) -> tuple[float, str]:
    """The slowest use, and how its input begins."""
    worst = (0.0, "")
    parsed = parser.parse(pattern.pattern, pattern.flags)
    for text in set(list_worst(parsed)):
        for method in methods:
            for tail in (TAIL, ""):
                worst = max(
                    worst, (measure(pattern, method, text + tail), f"{method} {text[:20]!r}")
                )
                if worst[0] >= SECONDS:
                    return worst
    return worst


def main() -> None:
    """Print `SECONDS<TAB>FILE:LINE<TAB>PATTERN<TAB>INPUT` for each pattern."""
    arm()
    compiled = watch_imports("hansa")
    root = Path(importlib.import_module("hansa").__file__ or "").parent
    names, methods, direct = find_calls(root)
    asked: dict[tuple[str, str], tuple[re.Pattern[Any], set[str]]] = {}
    for (file, number), pattern in compiled.items():
        line = number // 1_000
        used = methods.get((file, names.get((file, line), "")), set()) or ANYHOW
        asked[f"{file}:{line}", pattern.pattern] = (pattern, used)
    for (file, line), text, method in direct:
        asked[f"{file}:{line}", text] = (re.compile(text), {method})
    for (place, text), (pattern, used) in asked.items():
        seconds, how = judge(pattern, used)
        print(f"{seconds:.3f}\t{place.removeprefix(str(root))}\t{text!r}\t{how}", flush=True)


if __name__ == "__main__":
    main()
