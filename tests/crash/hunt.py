"""The hunt: kill a real node before its n-th change of the disk, look at what is left, go on."""

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hansa.comet.commit import verify_commit
from hansa.crypto.merkle import merkle_root
from hansa.ledger.receipts import INVALID, encode_exec_tx_result
from hansa.ledger.tree_proof import verify_state_proof
from hansa.node.ledger_node import LedgerNode
from tests.crash.disk import Disk, Variant, is_diary
from tests.node.league import ToyLeague, counter_key, read_counter

REPOSITORY = Path(__file__).parents[2]
COUNTERS = 5


# Far more than any run takes.
RUN_S_MAX = 90.0


class Lost(AssertionError):
    """The hunt found something: what a restart shows is not what was reported."""


def expect(condition: bool, text: str) -> None:
    if not condition:
        raise Lost(text)


def build_shim(folder: Path) -> Path:
    """Compile the shim. Fails with a sentence when there is no compiler."""
    compiler = shutil.which("cc")
    assert compiler, "the crash tests need a C compiler: install one (cc, for example gcc)"
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the shim does not compile:\n{done.stderr}"
    return library


@dataclass
class Report:
    """What a run said before its end."""

    committed: dict[str, int] = field(default_factory=dict)
    # Of runs of storage alone: the newest of each, as it was said.
    said: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    created: bool = False
    status: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def was_killed(self) -> bool:
        return os.WIFSIGNALED(self.status)


class Driver:
    """The process that forks the runs of `module`."""

    def __init__(self, shim: Path, module: str = "tests.crash.driver") -> None:
        environment = {
            **os.environ,
            "LD_PRELOAD": str(shim),
            "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "src"))),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, **order: object) -> Report:
        """One run to its end or its kill."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order, default=str) + "\n")
        self._process.stdin.flush()
        report = Report()
        # A run that neither ends nor is killed is a finding, not a test without end.
        watchdog = threading.Timer(RUN_S_MAX, self._process.kill)
        watchdog.start()
        try:
            return self._read(report)
        finally:
            watchdog.cancel()

    def _read(self, report: Report) -> Report:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            match line.split():
                case ["committed", identity, height]:
                    report.committed[identity] = int(height)
                case ["height" | "sealed" | "base" as what, number]:
                    report.said[what] = int(number)
                case ["changes", count]:
                    report.changes = int(count)
                case ["created"]:
                    report.created = True
                case ["ended", status]:
                    report.status = int(status)
                    assert report.was_killed or not report.status, report.words
                    return report
                case words:
                    report.words.append(" ".join(words))
        raise AssertionError("the driver is gone")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


class Hunt:
    """One league, one list of transactions, as many kills as wanted."""

    def __init__(self, folder: Path, driver: Driver, *, transactions: int, group: int) -> None:
        self.folder = folder
        self.driver = driver
        self.group = group
        self.home = folder / "home"
        self.start = folder / "start"
        self.league = ToyLeague(self.home)
        self.league.create()
        self.home.rename(self.start)
        self.transactions = [
            self.league.count(f"c{number % COUNTERS}", by=number + 1, actor=number % 2)
            for number in range(transactions)
        ]
        self.expected = [
            sum(number + 1 for number in range(transactions) if number % COUNTERS == counter)
            for counter in range(COUNTERS)
        ]
        (folder / "transactions").write_bytes(b"\n".join(self.transactions))

    def run(self, kill_at: int, fault: str = "") -> tuple[Report, Disk]:
        """A run from `start`, killed before its change number `kill_at` (0: to its end)."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.start, self.home)
        journal = self.folder / "journal"
        report = self.driver.run(
            home=self.home,
            root=self.home,
            journal=journal,
            kill_at=kill_at,
            transactions=self.folder / "transactions",
            group=self.group,
            fault=fault,
            create=False,
        )
        disk = Disk(self.home, self.start)
        assert disk.play(journal.read_bytes()) == report.was_killed
        self.check_journal(disk)
        return report, disk

    def check_journal(self, disk: Disk) -> None:
        """The journal tells all: played, it gives the very bytes that the process left."""
        again = self.folder / "again"
        shutil.rmtree(again, ignore_errors=True)
        disk.write_out(again, "kept")
        left, played = read_tree(self.home), read_tree(again)
        wrong = [name for name in left.keys() | played.keys() if left.get(name) != played.get(name)]
        assert not wrong, f"the shim missed changes of {wrong}"

    def go_on_from(self, disk: Disk, variant: Variant) -> None:
        """Let the next run begin with what this stop left."""
        shutil.rmtree(self.start)
        disk.write_out(self.start, variant)

    def check(self, report: Report, disk: Disk, variant: Variant) -> None:
        """Start on what the stop left: all that was reported is there, once; the rest follows."""
        shutil.rmtree(self.home)
        disk.write_out(self.home, variant)
        with self.league.open() as node:
            for identity, height in report.committed.items():
                status = node.status(identity)
                expect(status.state == "committed", f"{identity} was reported, is {status.state}")
                expect(status.height == height, f"{identity} moved from {height}")
            before = set(report.committed)
            ids = [node.submit(data) for data in self.transactions]
            expect(before <= set(ids), "the same bytes have another id")
            for identity in ids:
                expect(node.wait(identity, 60).state == "committed", f"{identity} is not taken")
            check_node(node, ids, self.expected)
            last = node.height
        with self.league.open() as node:
            expect(node.height == last, "a clean stop lost blocks")


def check_node(node: LedgerNode, ids: list[str], expected: list[int]) -> None:
    """Each id once, headers in a chain, provable receipts and state, totals of a calm run."""
    base, last = node.heights()
    found: list[str] = []
    for height in range(base, last + 1):
        block, header = node.block(height), node.header(height)
        commit = node.commit(height)
        verify_commit(node.chain, node.validators, commit.block_id, height, commit)
        expect(commit.block_id.hash == header.hash() == block.hash, f"header {height}")
        results = block.results.results
        expect(len(results) == len(block.transactions), f"results of {height}")
        found += [result.id for result in results if result.code != INVALID]
        if height < last:
            after = node.header(height + 1)
            leaves = [encode_exec_tx_result(result) for result in results]
            expect(after.last_results_hash == merkle_root(leaves), f"results hash of {height}")
            expect(after.app_hash == block.head.state_root, f"state root of {height}")
            expect(after.last_block_id == commit.block_id, f"link of {height + 1}")
    expect(sorted(found) == sorted(ids), "a transaction is in the chain twice, or not at all")
    for identity in ids:
        parts = node.receipt(identity, 0)
        expect(parts.results[parts.index] == encode_exec_tx_result(parts.result), "receipt")
    for counter, total in enumerate(expected):
        key = counter_key(f"c{counter}")
        expect(read_counter(node, f"c{counter}") == total, f"counter {counter}")
        value, proof, height = node.prove(key)
        expect(value is not None and msgspec.json.decode(value)["value"] == total, "proven value")
        verify_state_proof(node.header(height + 1).app_hash, key, value, proof)
    node.application.storage.check_records()


def read_tree(folder: Path) -> dict[str, bytes]:
    """All files below `folder` but the engine's diary."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not is_diary(path.name)
    }
