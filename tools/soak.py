"""A served node under load for as long as it takes, under a hard memory limit.

Founds a league of sellers, serves it by `hansa start` within RLIMIT_DATA, posts signed invoices
over kept connections, waits where it is told to, samples each second, and judges: memory flat,
latency bounded, no fault, nothing lost.
Usage: soak.py --transactions 1000000 --memory 768M [--idle 10000] [-o FILE]
"""

import argparse
import asyncio
import json
import os
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from soak_wire import Wire, count_files, is_closed, open_idle, read_memory

from hansa.apps.e_invoice.model.messages import IssueInvoice
from hansa.cli.bench.circumstances import Beginning
from hansa.cli.bench.signing import read_signers
from hansa.cli.bench.workload import APPLICATION, Workload, build_plan
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer
from hansa.client.transactions import Draft, build_payload, choose_expiry, sign_payload

HANSA: Final = (sys.executable, "-m", "hansa.cli")
CHAIN: Final = "soak-1"
# A slope needs a long line: shorter runs are not judged by it.
JUDGED_FROM: Final = 500_000
# Of each 100,000 more: 100 bytes a transaction, which anything that Python forgets to drop exceeds.
# The top of the state tree is in memory and takes 17 to 33 bytes a record (ADR 2), in steps: its
# arrays double, the last time within a million records by 17 MB.
SLOPE_MB_MAX: Final = 10.0
LATENCY_MS_MAX: Final = 10_000.0
END_S: Final = 120.0
# Addresses of each thread's stack: the system's 8 MiB would count as used.
STACK_BYTES: Final = 1 << 20
KEEP_EACH_S: Final = 60.0
IDLE_EACH_S: Final = 60.0
# A failed answer is given again after so long; a fault fails the run all the same.
PAUSE_S: Final = 1.0
ACCEPTED, BUSY, FAULTS = 202, 429, 500
COLUMNS: Final = (
    *("second", "accepted", "busy", "failed", "rss_kib", "data_kib", "height"),
    *("p50_ms", "p99_ms", "max_ms", "read_ms", "files"),
)


class Invoices(Workload):
    """Signed invoices, each for the next half of the replay window."""

    height = 0

    def sign_next(self, lane: int) -> bytes:
        """One invoice in one transaction; `lane` chooses the seller."""
        seller = lane % len(self._sellers)
        message = IssueInvoice(content=self._make_invoice(seller))
        return self._sign([Draft(APPLICATION, message)], self._sellers[seller])

    def _sign(self, drafts: Sequence[Draft], signer: Signer) -> bytes:
        payload = build_payload(
            chain=self.chain,
            expiry=choose_expiry(self.height),
            drafts=drafts,
            signers=[signer.kid],
            mode="independent",
        )
        return sign_payload(payload, [(signer.kid, signer.private)])


@dataclass(slots=True)
class Tally:
    """What was answered so far. `recent`: milliseconds since the last sample; `spans`: all."""

    accepted: int = 0
    committed: int = 0
    begun: int = 0
    waited_s: float = 0.0
    reconnected: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    recent: list[float] = field(default_factory=list)
    spans: "array[float]" = field(default_factory=lambda: array("f"))
    samples: list[list[float]] = field(default_factory=list)
    idle: list[dict[str, float]] = field(default_factory=list)
    last: dict[int, str] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Answers that are neither yes nor a wait."""
        return sum(
            count for status, count in self.statuses.items() if status not in (ACCEPTED, BUSY)
        )


class Soak:
    """One run against a served node."""

    def __init__(self, options: argparse.Namespace, folder: Path, url: str, pid: int) -> None:
        self.options, self.url, self.pid = options, url, pid
        signers = read_signers(folder)
        self.bureau = signers[0]
        self.invoices = Invoices(CHAIN, signers[0], signers[1:])
        self.tally = Tally()
        self.began = time.monotonic()
        self.ending = asyncio.Event()

    async def run(self) -> None:
        """Until all are sent, or time is up, or a signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.ending.set)
        await self._open()
        beside = [asyncio.create_task(self._sample())]
        if self.options.idle:
            beside.append(asyncio.create_task(self._hold_idle()))
        senders = [
            asyncio.create_task(self._send(lane)) for lane in range(self.options.connections)
        ]
        await asyncio.wait(senders, timeout=self.options.seconds)
        self.ending.set()
        await asyncio.gather(*senders, *beside)

    async def _open(self) -> None:
        wire = Wire(self.url)
        status, _wait_s, answer = await wire.ask("POST", "/v1/transactions", self.invoices.open())
        if status != ACCEPTED:
            raise SystemExit(f"the sellers were not registered: {status} {answer.decode()}")
        await wire.ask("GET", f"/v1/transactions/{json.loads(answer)['id']}?wait=30")
        wire.close()

    async def _send(self, lane: int) -> None:
        """One connection: sign, send, and send again while it is told to wait."""
        wire, tally = Wire(self.url), self.tally
        while not self.ending.is_set() and tally.begun < self.options.transactions:
            tally.begun += 1
            data = self.invoices.sign_next(lane)
            while not await self._give(wire, lane, data):
                if self.ending.is_set():
                    return
        wire.close()

    async def _give(self, wire: Wire, lane: int, data: bytes) -> bool:
        """Whether it needs not be sent again."""
        tally, began = self.tally, time.perf_counter()
        try:
            status, wait_s, answer = await wire.ask("POST", "/v1/transactions", data)
        except (OSError, EOFError):
            wire.close()
            tally.reconnected += 1
            await asyncio.sleep(PAUSE_S)
            return False
        span = (time.perf_counter() - began) * 1000
        tally.recent.append(span)
        tally.spans.append(span)
        tally.statuses[status] += 1
        if status == ACCEPTED:
            tally.accepted += 1
            tally.last[lane] = json.loads(answer)["id"]
            return True
        if status == BUSY or status >= FAULTS:
            tally.waited_s += wait_s or PAUSE_S
            await asyncio.sleep(wait_s or PAUSE_S)
            return False
        print(f"refused: {status} {answer.decode()}", file=sys.stderr, flush=True)
        return True

    async def _sample(self) -> None:
        """Once a second, a row of COLUMNS."""
        wire, tally = Wire(self.url), self.tally
        kept = time.monotonic()
        while not self.ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), 1.0)
            began = time.perf_counter()
            try:
                status, _wait_s, answer = await wire.ask("GET", "/v1/status")
                if status != BUSY:
                    self.invoices.height = json.loads(answer)["height"]
            except (OSError, EOFError):
                wire.close()
            read_ms = (time.perf_counter() - began) * 1000
            memory = read_memory(self.pid)
            if not memory:
                print("the node has ended", file=sys.stderr, flush=True)
                self.ending.set()
                break
            spans, tally.recent = sorted(tally.recent), []
            row = [time.monotonic() - self.began, tally.accepted, tally.statuses[BUSY]]
            row += [tally.failed, memory["VmRSS"], memory["VmData"], self.invoices.height]
            row += [*summarise(spans), read_ms, count_files(self.pid)]
            tally.samples.append([round(each, 1) for each in row])
            if time.monotonic() - kept > KEEP_EACH_S:
                kept = time.monotonic()
                keep(self.options.output, self.describe({}))
        wire.close()

    async def _hold_idle(self) -> None:
        """Many connections that begin a request and say no more, again and again."""
        while not self.ending.is_set():
            began, held = time.monotonic(), []
            for _number in range(self.options.idle):
                with suppress(OSError):
                    held.append(await open_idle(self.url))
            opened_s, files = time.monotonic() - began, count_files(self.pid)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), IDLE_EACH_S)
            closed = sum(is_closed(each) for each in held)
            self.tally.idle.append(
                {"held": len(held), "opened_s": opened_s, "files": files, "closed": closed}
            )
            for each in held:
                each.close()

    def count_committed(self) -> int:
        """Invoices in state once all that was accepted is there: the sum of the sellers' quotas."""
        with Gateway(self.url, self.bureau, timeout_s=END_S) as gateway:
            for identity in self.tally.last.values():
                gateway.wait(identity, END_S)
            page = gateway.records(APPLICATION, "quota")
            return sum(each["numbers"] for each in page.items)

    def describe(self, more: dict[str, Any]) -> dict[str, Any]:
        """The document."""
        tally = self.tally
        half = tally.samples[len(tally.samples) // 2 :]
        spans = sorted(tally.spans)
        p50, p99, longest = summarise(spans)
        return {
            "kind": "hansa.soak/1",
            "command": read_command(),
            "wanted": self.options.transactions,
            "accepted": tally.accepted,
            "committed": tally.committed,
            "seconds": round(time.monotonic() - self.began, 1),
            "statuses": {str(key): count for key, count in sorted(tally.statuses.items())},
            "waited_s": round(tally.waited_s, 1),
            "reconnected": tally.reconnected,
            "latency_ms": {"p50": p50, "p99": p99, "max": longest},
            "memory": {
                "limit_mib": self.options.memory >> 20,
                "most_mib": max((row[4] for row in tally.samples), default=0) / 1024,
                "slope_mb_per_100000": compute_slope(half),
            },
            "idle": tally.idle,
            **more,
            "columns": COLUMNS,
            "samples": tally.samples,
        }

    def judge(self) -> dict[str, bool]:
        """What holds."""
        tally = self.tally
        if not read_memory(self.pid):
            return {"node_lives": False}
        tally.committed = self.count_committed()
        half = tally.samples[len(tally.samples) // 2 :]
        verdicts = {
            "no_fault": tally.failed == 0 and tally.reconnected == 0,
            "nothing_lost": tally.committed == tally.accepted,
            "latency_bounded": max(tally.spans, default=0.0) <= LATENCY_MS_MAX,
        }
        if tally.accepted >= JUDGED_FROM:
            verdicts["memory_flat"] = compute_slope(half) < SLOPE_MB_MAX
        return verdicts


def read_command() -> str:
    """The command that repeats this run."""
    return shlex.join(["tools/soak.py", *sys.argv[1:]])


def summarise(spans: Sequence[float]) -> list[float]:
    """Median, 99th percentile and longest of sorted milliseconds."""
    if not spans:
        return [0.0, 0.0, 0.0]
    last = len(spans) - 1
    return [round(spans[round(last * part)], 1) for part in (0.5, 0.99, 1.0)]


def compute_slope(samples: Sequence[Sequence[float]]) -> float:
    """Megabytes by which resident memory grows in 100,000 transactions."""
    counts = [row[1] for row in samples]
    if len(set(counts)) < 2:
        return 0.0
    line = statistics.linear_regression(counts, [row[4] * 1024 / 1e6 for row in samples])
    return round(line.slope * 100_000, 3)


def keep(output: Path | None, document: dict[str, Any]) -> None:
    """Write the document, whole or not at all."""
    if output is not None:
        draft = output.with_name(f".{output.name}.draft")
        draft.write_text(json.dumps(document).replace("], [", "],\n["), encoding="utf-8")
        draft.replace(output)


@contextmanager
def serve(folder: Path, memory: int, log: Path) -> Iterator[tuple[str, int]]:
    """A league of sellers at work within so many bytes: its address and process."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "HANSA_HOME": str(folder / "user"), "MALLOC_ARENA_MAX": "2"}
    league, members = folder / "league", folder / "members.json"
    members.write_bytes(msgspec.json.encode(build_plan()))
    founding = [*HANSA, "init", str(league), "--members", str(members), "--chain", CHAIN]
    subprocess.run(founding, env=environment, check=True, capture_output=True)

    def confine() -> None:
        # All that it alone may write to: heap, caches, stacks. Files and libraries are beside it.
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, STACK_BYTES))

    with log.open("wb") as said:
        node = subprocess.Popen(
            [*HANSA, "start", str(league), "--port", "0", "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=said,
            preexec_fn=confine,
            start_new_session=True,
        )
    try:
        line = node.stdout.readline() if node.stdout is not None else b""
        if not line:
            raise SystemExit(f"the node did not start: {log} may say why")
        yield json.loads(line)["url"], node.pid
    finally:
        node.send_signal(signal.SIGINT)
        print(f"the node ended with {node.wait(END_S)}", file=sys.stderr, flush=True)


def read_size(text: str) -> int:
    """Bytes of `768M` or `1G`."""
    return int(text[:-1]) << {"M": 20, "G": 30}[text[-1]]


def main() -> int:
    """Run, judge, write; 0 when all holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--memory", type=read_size, default="768M")
    parser.add_argument("--seconds", type=float, help="End after so long, however far it came.")
    parser.add_argument("--idle", type=int, default=0, help="Idle connections beside the load.")
    parser.add_argument("--connections", type=int, default=32, help="That post, each in turn.")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--log", type=Path, default=os.devnull, help="What the node says.")
    options = parser.parse_args()
    beginning = Beginning()
    with tempfile.TemporaryDirectory(prefix="hansa-soak-") as scratch:
        folder = Path(scratch)
        with serve(folder, options.memory, options.log) as (url, pid):
            soak = Soak(options, folder / "league", url, pid)
            asyncio.run(soak.run())
            verdicts = soak.judge()
            head = msgspec.to_builtins(beginning.end(folder, read_command(), "-"))
            document = soak.describe({**head, "verdicts": verdicts})
    keep(options.output, document)
    shown = {name: value for name, value in document.items() if name not in ("samples", "columns")}
    print(json.dumps(shown, indent=1))
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
