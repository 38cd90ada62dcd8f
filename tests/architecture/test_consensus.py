"""What consensus code may use: each forbidden thing is planted once, and seen."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hansa.crypto.signatures import InvalidKey, PublicKey, check_public_key

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    sys.path.insert(0, str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("consensus", ROOT / "tools" / "consensus.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["consensus"] = module
    spec.loader.exec_module(module)
    return module


consensus = load()
CACHE = "from functools import lru_cache\n"

PLANTED = {
    "import time\ntime.time()": "time.time",
    "import random as dice\ndice.random()": "random.random",
    "from datetime import datetime": "datetime.datetime",
    "from secrets import *": "secrets.*",
    "import os.path\nos.path.exists": "os.path.exists",
    "import hashlib\nhashlib.new": "hashlib.new",
    "import msgspec\nmsgspec.toml.decode": "msgspec.toml.decode",
    "import re\ntool = re": "re",
    "from cryptography.hazmat.primitives.asymmetric import ec\nec.generate_private_key": (
        "cryptography.hazmat.primitives.asymmetric.ec.generate_private_key"
    ),
    "from hansa.node import home": "hansa.node.home",
    "from hansa.ledger.unheard import x": "hansa.ledger.unheard.x",
    "from . import x": "..x",
    "hash('a')": "hash",
    "def f(x):\n    return id(x)": "id",
    "see = map(hash, [])": "hash",
    "class A:\n    size = [float(x) for x in ()]": "float",
    "round(3)": "round",
    "open('x')": "open",
    "eval('1')": "eval",
    "__import__('os')": "__import__",
    "getattr(1, 'x')": "getattr",
    "vars()": "vars",
    "repr('x')": "repr",
    "f'{1!r}'": "repr",
    "__file__": "__file__",
    "unheard": "unheard",
    "x = 1.5": "float",
    "x = 2j": "float",
    "1 / 2": "/",
    "x = 1\nx /= 2": "/",
    "().__class__": "__class__",
    "type.__subclasses__(int)": "__subclasses__",
    "x = '__class__'": "__class__",
    "class A:\n    def __del__(self): pass": "__del__",
    "class A:\n    def __hash__(self): return 1": "__hash__",
    "{}.popitem()": "popitem",
    "n = 0\ndef f():\n    global n\n    n += 1": "Global",
    "async def f(): pass": "AsyncFunctionDef",
    "try:\n    pass\nexcept RecursionError:\n    pass": "RecursionError",
    "try:\n    pass\nexcept MemoryError:\n    pass": "MemoryError",
    "def f(x: str):\n    return x.isalpha()": "isalpha",
    "def f(x: list[str]):\n    return list(map(str.lower, x))": "lower",
    "import re\nre.compile(r'\\w+')": "pattern",
    CACHE + "class Ctx: pass\n@lru_cache(maxsize=9)\ndef f(ctx: Ctx): pass": "lru_cache:f",
    CACHE + "@lru_cache(maxsize=9)\ndef f(x): pass": "lru_cache:f",
    CACHE + "def g():\n    @lru_cache(maxsize=9)\n    def f(x: int): pass": "lru_cache:f",
    CACHE + "class A:\n    @lru_cache(maxsize=9)\n    def f(self): pass": "lru_cache:f",
    CACHE + "class Ctx: pass\ndef f(x: Ctx): pass\ng = lru_cache(maxsize=9)(f)": "lru_cache:f",
    CACHE + "@lru_cache(maxsize=None)\ndef f(x: int): pass": "lru_cache",
    CACHE + "@lru_cache()\ndef f(x: int): pass": "lru_cache",
    "for x in {1, 2}: pass": "set order",
    "[x for x in {1, 2}]": "set order",
    "tuple(set([1]))": "set order",
    "def f(x: set[int]):\n    return [y for y in x]": "set order",
    "def f(x: list[int]):\n    seen = set(x)\n    return list(seen)": "set order",
    "def f(x: set[int], y: list[int]):\n    return ','.join(x.union(y))": "set order",
    "def f(x: frozenset[int], y: set[int]):\n    return {z: 1 for z in x - y}": "set order",
    "def f():\n    seen: set[int] = set()\n    seen.pop()": "set order",
    "def f():\n    seen = {1}\n    return (*seen,)": "set order",
}

FINE = (
    "import msgspec\nmsgspec.json.decode(b'1')",
    "from cryptography.hazmat.primitives.asymmetric import ec\nec.ECDSA(1)",
    "from hansa.ledger import state\nstate.State",
    "from hansa.ledger.state import State",
    "class A:\n    id: str\n    hash: bytes\n    def f(self, id: int): return id",
    "class A(Exception):\n    def __init__(self):\n        super().__init__()",
    "type(1).__name__",
    "x = 7 // 2",
    "sorted({1, 2})",
    "def f(x: set[int]):\n    return any(y > 1 for y in x), sorted(y for y in x), {y for y in x}",
    "def f(x: str):\n    return x.isascii() and x.isalpha()",
    "import re\nre.compile(r'\\d', re.ASCII)",
    CACHE
    + "@lru_cache(maxsize=9)\ndef f(x: str, y: tuple[int, ...], z: type[A]): pass\nclass A: pass",
    "x = {}\nx.pop(1)\n[1].pop()",
)


@pytest.mark.parametrize("text", PLANTED)
def test_what_is_forbidden_is_seen(text: str) -> None:
    inside = frozenset({"hansa.ledger", "hansa.ledger.state"})
    assert PLANTED[text] in {what for _line, what, _why in consensus.find_faults(text, inside)}


@pytest.mark.parametrize("text", FINE)
def test_what_is_allowed_passes(text: str) -> None:
    inside = frozenset({"hansa.ledger", "hansa.ledger.state"})
    assert list(consensus.find_faults(text, inside)) == []


def test_the_kernel_and_every_contract_are_looked_at() -> None:
    shown = {
        path.relative_to(ROOT / "src" / "hansa").as_posix() for path in consensus.list_modules()
    }
    wanted = {
        "crypto/hashing.py",
        "ledger/execution.py",
        "contracts/accounts/handlers.py",
        "apps/e_invoice/contract/issue.py",
        "apps/e_invoice/rejections.py",
        "apps/food_trace/event.py",
    }
    assert wanted <= shown
    assert not any(each.startswith(("node/", "api/")) for each in shown)


def test_faults_and_exceptions_that_nothing_needs_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room, text in (("ledger", "import time\ntime.time()\n"), ("node", "import time\n")):
        (tmp_path / "src" / "hansa" / room).mkdir(parents=True)
        (tmp_path / "src" / "hansa" / room / "clock.py").write_text(text)
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    monkeypatch.setattr(consensus, "EXCEPTIONS", (("ledger/state.py", "hash", "never"),))
    unneeded, found = sorted(consensus.list_faults(tmp_path / "src"), reverse=True)
    assert found.startswith("src/hansa/ledger/clock.py:2: time.time:")
    assert "'hash' of ledger/state.py is used no more" in unneeded


def test_a_refusal_in_a_receipt_shows_characters_that_only_newer_pythons_know() -> None:
    """U+1FAE8 came with Unicode 15: repr() escapes it up to Python 3.11 and no longer from 3.12."""
    with pytest.raises(InvalidKey, match="no signature suite '\U0001fae8'"):
        check_public_key(PublicKey(alg="\U0001fae8", public=""))
