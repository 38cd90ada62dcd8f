"""Golden chains: blocks of an earlier release, and what executing them must give for ever."""

import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from hansa.catalog import build_registry
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import Genesis, compute_genesis_changes
from hansa.ledger.state import MemoryState

FOLDER: Final = Path(__file__).parent
SUFFIX: Final = ".json.xz"
KIND: Final = "hansa.golden/1"


class GoldenBlock(msgspec.Struct, frozen=True):
    """A block; state root and results hash after it, hex."""

    block: Block
    root: str
    results: str


class GoldenChain(msgspec.Struct, frozen=True):
    """One league: its genesis, its blocks, the digest of all their results.

    `digest` is `tests.determinism.record.compute_digest`: every byte that nodes must agree on.
    `covered`: `type …` and `code …` of every message result in it.
    """

    genesis: Genesis
    blocks: tuple[GoldenBlock, ...]
    digest: str
    covered: tuple[str, ...]


class GoldenFile(msgspec.Struct, frozen=True):
    """All chains of a release."""

    kind: str
    release: str
    chains: tuple[GoldenChain, ...]


def load(path: Path) -> GoldenFile:
    """Read a golden file."""
    file = msgspec.json.decode(lzma.decompress(path.read_bytes()), type=GoldenFile)
    assert file.kind == KIND
    return file


def store(path: Path, file: GoldenFile) -> None:
    """Write a golden file."""
    path.write_bytes(lzma.compress(msgspec.json.encode(file), preset=9))


def replay(genesis: Genesis, blocks: Iterable[Block]) -> Iterator[BlockResult]:
    """What executing the blocks gives now, by every version that this release has of the contracts
    that the genesis names.
    """
    named = {each.application for each in genesis.activations}
    known = build_registry().contracts.values()
    registry = Registry(each for each in known if each.name in named)
    state = MemoryState()
    state.apply_genesis(compute_genesis_changes(genesis, registry), genesis.time_ms)
    for block in blocks:
        result = execute_block(state, block, registry)
        state.apply(block, result)
        yield result
