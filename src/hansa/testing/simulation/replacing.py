"""Replaces text of modules before they are imported: small limits, and planted mutants.

Only in a process made for it (`python -m hansa.testing.simulation`), before anything of Hansa but
this is imported: a constant may be a default argument, which is read once. Standard library only.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Final, NamedTuple


class StaleReplacement(Exception):
    """The old text does not occur exactly once, or its module is imported already."""


class Replacement(NamedTuple):
    """In the source of `module`, `old` (which must occur exactly once) becomes `new`."""

    module: str
    old: str
    new: str

    def apply(self, text: str) -> str:
        """The text with it. Raises StaleReplacement."""
        if text.count(self.old) != 1:
            times = text.count(self.old)
            raise StaleReplacement(f"{self.module}: {self.old!r} occurs {times} times, not once")
        return text.replace(self.old, self.new)


class Limit(NamedTuple):
    """The constant `name` of `module` is `value`, whatever it was."""

    module: str
    name: str
    value: int

    def apply(self, text: str) -> str:
        """The text with it. Raises StaleReplacement."""
        line = rf"^({self.name}(?:: Final)?) = .*$"
        changed, times = re.subn(line, rf"\1 = {self.value}", text, flags=re.MULTILINE)
        if times != 1:
            raise StaleReplacement(f"{self.module}: {self.name} is set {times} times, not once")
        return changed


# So small that a run of some seconds prunes ids, evicts caches, fills pools and drops snapshots.
SMALL_LIMITS: Final = (
    Limit("hansa.primitives.limits", "EXPIRY_WINDOW", 40),
    Limit("hansa.primitives.limits", "PRUNE_PER_BLOCK_MAX", 4),
    Limit("hansa.node.abci_snapshots", "KEEP_MIN", 10),
    Limit("hansa.node.abci_snapshots", "PRUNE_STEP", 10),
    Limit("hansa.node.snapshot_format", "CHUNK_BYTES_USUAL", 512),
    Limit("hansa.node.snapshots", "KEPT", 1),
    Limit("hansa.node.record_cache", "GENERATION_BYTES", 24_000),
    Limit("hansa.ledger.admission", "CACHE_BYTES_MAX", 32_000),
    Limit("hansa.node.application", "ADMITTED_MAX", 30),
    Limit("hansa.node.feeder", "OUTSTANDING_MAX", 20),
    Limit("hansa.node.pool", "POOL_TRANSACTIONS_MAX", 60),
)


def install(replacements: Iterable[Replacement | Limit]) -> None:
    """From now on these modules are imported with other text. Raises StaleReplacement."""
    wanted: dict[str, list[Replacement | Limit]] = {}
    for each in replacements:
        wanted.setdefault(each.module, []).append(each)
        if each.module in sys.modules:
            raise StaleReplacement(f"{each.module} is imported already")
    if wanted:
        sys.meta_path.insert(0, _Finder(wanted))


class _Finder(MetaPathFinder):
    def __init__(self, wanted: dict[str, list[Replacement | Limit]]) -> None:
        self._wanted = wanted

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._wanted:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            raise StaleReplacement(f"there is no module {fullname}")
        spec.loader = _Loader(fullname, spec.origin, self._wanted[fullname])
        return spec


class _Loader(SourceFileLoader):
    """Compiles the other text; nothing of it is ever kept as bytecode."""

    def __init__(self, fullname: str, path: str, replacements: list[Replacement | Limit]) -> None:
        super().__init__(fullname, path)
        self._replacements = replacements

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        text = self.get_data(self.path).decode()
        for each in self._replacements:
            text = each.apply(text)
        return self.source_to_code(text, self.path)
