"""Mutants and limits are put in before import, and none goes stale unseen."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.testing.simulation.replacing import (
    SMALL_LIMITS,
    Limit,
    Replacement,
    StaleReplacement,
    install,
)
from tests.simulation.mutants import MUTANTS

ASK = """
from hansa.testing.simulation.replacing import Limit, Replacement, install
install([
    Limit("hansa.node.pool", "POOL_TRANSACTIONS_MAX", 7),
    Replacement("hansa.node.pool", "POOL_BYTES_MAX: Final =", "POOL_BYTES_MAX: Final = 1 +"),
])
from inspect import signature
from hansa.node.pool import POOL_BYTES_MAX, POOL_TRANSACTIONS_MAX, TransactionPool
print(POOL_TRANSACTIONS_MAX, POOL_BYTES_MAX, signature(TransactionPool))
"""


def read(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize("limit", SMALL_LIMITS, ids=lambda each: each.name)
def test_every_limit_is_there(limit: Limit) -> None:
    assert f"{limit.value}" in limit.apply(read(limit.module))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_every_mutant_fits_and_is_python(mutant: Replacement) -> None:
    old = Replacement(mutant.module, mutant.old, mutant.new)
    changed = old.apply(read(mutant.module))
    assert changed != read(mutant.module)
    compile(changed, mutant.module, "exec")


def test_a_text_that_occurs_twice_or_never_is_stale() -> None:
    for old in ("a", "x"):
        with pytest.raises(StaleReplacement):
            Replacement("some", old, "b").apply("a a")
    with pytest.raises(StaleReplacement):
        Limit("some", "LIMIT", 1).apply("OTHER = 2\n")


def test_what_is_imported_already_cannot_be_replaced() -> None:
    with pytest.raises(StaleReplacement):
        install([Limit("hansa.primitives.limits", "EXPIRY_WINDOW", 1)])


@pytest.mark.slow
def test_a_default_argument_has_the_new_limit_too() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("7 16000001 (count_max: int = 7, bytes_max: int = 16000001")
