"""Records this release's golden chains: python -m tests.golden.record [--again]

Runs tests of contracts and applications, keeps few of the leagues that they made: those that show
every message type and result code seen. Writes tests/golden/RELEASE.json.xz.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from hansa import __version__
from hansa.catalog import load_applications
from hansa.testing.simulation.reference import compute_digest
from tests.determinism.record import Recorded
from tests.golden.chains import (
    FOLDER,
    KIND,
    SUFFIX,
    GoldenBlock,
    GoldenChain,
    GoldenFile,
    replay,
    store,
)

ROOT: Final = FOLDER.parents[1]
BYTES_MAX: Final = 300_000
# Leagues that fill something up show one code more, and weigh as much as all others.
BLOCKS_MAX: Final = 60
CONTRACTS: Final = (
    "accounts",
    "accreditations",
    "consents",
    "credentials",
    "evidence",
    "governance",
    "mandates",
    "schemas",
)
TESTS: Final = (
    "tests/apps/e_invoice/test_contract.py",
    "tests/apps/food_trace/test_contract.py",
    "tests/golden/test_mandate_league.py",  # those of the contract act upon a toy
    *(f"tests/contracts/test_{name}.py" for name in CONTRACTS),
)


def run_tests(folder: Path) -> list[Recorded]:
    """The leagues of the catalog's own contracts that the tests made."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.determinism.record"]
    command += ["-p", "no:cacheprovider", *TESTS, "-k", "not mutant and not documents and not tree"]
    environment = {**os.environ, "HANSA_RECORD": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"the tests fail: nothing is recorded\n{done.stdout[-2000:]}")
    names = {application.name for application in load_applications()}
    found = [
        msgspec.json.decode(path.read_bytes(), type=Recorded)
        for path in sorted(folder.glob("*.json"))
    ]
    return [each for each in found if is_own(each, names) and is_repeatable(each)]


def is_own(recorded: Recorded, names: set[str]) -> bool:
    """Whether the league had contracts of the catalog alone, and is small."""
    if len(recorded.blocks) > BLOCKS_MAX:
        return False
    return names.issuperset(each.application for each in recorded.genesis.activations)


def is_repeatable(recorded: Recorded) -> bool:
    """Whether it gives again what it gave: some tests run under lower limits than the release."""
    return compute_digest(list(replay(recorded.genesis, recorded.blocks))) == recorded.digest


def choose(recorded: list[Recorded]) -> list[Recorded]:
    """As few as show everything, roughly: next comes the one that
    shows most of what is missing for its blocks."""
    chosen: list[Recorded] = []
    missing = {word for each in recorded for word in each.covered}
    while missing:
        best = max(
            recorded, key=lambda each: len(missing.intersection(each.covered)) / len(each.blocks)
        )
        chosen.append(best)
        missing.difference_update(best.covered)
    return chosen


def seal(recorded: Recorded) -> GoldenChain:
    """With the hashes after each block."""
    results = replay(recorded.genesis, recorded.blocks)
    blocks = tuple(
        GoldenBlock(block, result.state_root.hex(), result.results_hash.hex())
        for block, result in zip(recorded.blocks, results, strict=True)
    )
    return GoldenChain(recorded.genesis, blocks, recorded.digest, tuple(recorded.covered))


def main() -> None:
    """Record, and say what was."""
    path = FOLDER / f"{__version__}{SUFFIX}"
    if path.exists() and "--again" not in sys.argv[1:]:
        sys.exit(f"{path.name} is there: a released chain never changes; --again before a release")
    with tempfile.TemporaryDirectory() as folder:
        chosen = choose(run_tests(Path(folder)))
    store(path, GoldenFile(KIND, __version__, tuple(map(seal, chosen))))
    size = path.stat().st_size
    words = {word for each in chosen for word in each.covered}
    count = sum(len(each.blocks) for each in chosen)
    told = f"{len(chosen)} chains, {count} blocks, {len(words)} types and codes, {size} bytes"
    print(f"{path.name}: {told}")
    if size > BYTES_MAX:
        sys.exit(f"more than {BYTES_MAX} bytes: name fewer tests")


if __name__ == "__main__":
    main()
