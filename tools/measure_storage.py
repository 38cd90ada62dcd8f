"""Measures LMDB against RocksDB under the node's own workload (docs/adr/0003-storage-engine.md).

Stands alone: imports nothing of Hansa. `lmdb` is a development dependency, for this only.
Usage: measure_storage.py ENGINE RECORDS FOLDER [BLOCKS]; prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

LEAVES_PER_BUCKET = 11
RECORD_BYTES = 400
BUCKET_BYTES = 1_500
BLOCK_BYTES = 500_000
TOUCHED_PER_BLOCK = 1_000
GETS = 20_000
SCANS = 200
SMALL_BLOCKS = 200
SCAN_LENGTH = 100
SPREAD = 2**64 // 20_000_000

Pairs = Iterator[tuple[bytes, bytes]]


class Engine(Protocol):
    """What the node asks of an engine; the measurement uses nothing else."""

    def load(self, sorted_pairs: Pairs) -> None: ...
    def get(self, key: bytes) -> bytes | None: ...
    def commit(self, puts: list[tuple[bytes, bytes]]) -> None: ...
    def scan(self, start: bytes, limit: int) -> int: ...
    def close(self) -> None: ...


class Lmdb:
    """One environment, one database; a commit is one write transaction."""

    def __init__(self, folder: Path) -> None:
        import lmdb

        self.environment: Any = lmdb.open(
            str(folder), map_size=2**40, readahead=False, metasync=True, sync=True, max_readers=64
        )

    def load(self, sorted_pairs: Pairs) -> None:
        done = False
        while not done:
            done = True
            with self.environment.begin(write=True) as transaction:
                for count, (key, value) in enumerate(sorted_pairs, start=1):
                    transaction.put(key, value, append=True)
                    if count == 200_000:
                        done = False
                        break

    def get(self, key: bytes) -> bytes | None:
        with self.environment.begin() as transaction:
            found: bytes | None = transaction.get(key)
            return found

    def commit(self, puts: list[tuple[bytes, bytes]]) -> None:
        with self.environment.begin(write=True) as transaction:
            for key, value in puts:
                transaction.put(key, value)

    def scan(self, start: bytes, limit: int) -> int:
        with self.environment.begin() as transaction, transaction.cursor() as cursor:
            found, count, size = cursor.set_range(start), 0, 0
            while found and count < limit:
                size += len(cursor.value())
                count += 1
                found = cursor.next()
            return size

    def close(self) -> None:
        self.environment.close()


class Rocks:
    """Three column families (records, buckets, blocks) with bloom filters and one 256 MiB cache.

    A commit is one batch in the write-ahead log, then its sync: rocksdict holds Python's global
    lock in `write` but not in `flush_wal`.
    """

    FAMILIES = (b"r", b"b", b"k")

    def __init__(self, folder: Path) -> None:
        import rocksdict

        self.rocksdict: Any = rocksdict
        cache = rocksdict.Cache(256 * 2**20)
        self.options = rocksdict.Options(raw_mode=True)
        self.options.create_if_missing(True)
        self.options.create_missing_column_families(True)
        self.options.set_max_open_files(512)
        self.options.set_max_background_jobs(2)
        self.options.set_max_total_wal_size(256 * 2**20)
        families = {"default": self._family(cache)}
        families |= {name.decode(): self._family(cache) for name in self.FAMILIES}
        families["k"].set_enable_blob_files(True)
        # Without families a reopened database takes the options on its disk.
        self.database: Any = rocksdict.Rdict(str(folder), self.options, column_families=families)
        self.family = {n[0]: self.database.get_column_family(n.decode()) for n in self.FAMILIES}
        self.handle = {
            n[0]: self.database.get_column_family_handle(n.decode()) for n in self.FAMILIES
        }
        self.folder = folder
        self.families = families

    def _family(self, cache: Any) -> Any:
        options = self.rocksdict.Options(raw_mode=True)
        options.set_write_buffer_size(32 * 2**20)
        options.set_compression_type(self.rocksdict.DBCompressionType.lz4())
        table = self.rocksdict.BlockBasedOptions()
        table.set_block_cache(cache)
        table.set_bloom_filter(10, False)
        options.set_block_based_table_factory(table)
        return options

    def load(self, sorted_pairs: Pairs) -> None:
        count, size, family, path = 0, 0, 0, ""
        writer: Any = None

        def finish() -> None:
            writer.finish()
            self.family[family].ingest_external_file([path])
            Path(path).unlink(missing_ok=True)

        for key, value in sorted_pairs:
            if writer is not None and (size > 64_000_000 or key[0] != family):
                finish()
                writer, size = None, 0
            if writer is None:
                family, path = key[0], str(self.folder.parent / f"load-{count}.sst")
                writer = self.rocksdict.SstFileWriter(options=self.families[chr(family)])
                writer.open(path)
            writer[key] = value
            count += 1
            size += len(value)
        finish()

    def get(self, key: bytes) -> bytes | None:
        found: bytes | None = self.family[key[0]].get(key)
        return found

    def commit(self, puts: list[tuple[bytes, bytes]]) -> None:
        batch = self.rocksdict.WriteBatch(raw_mode=True)
        for key, value in puts:
            batch.put(key, value, self.handle[key[0]])
        self.database.write(batch)
        self.database.flush_wal(True)

    def scan(self, start: bytes, limit: int) -> int:
        cursor = self.family[start[0]].iter()
        cursor.seek(start)
        count = size = 0
        while count < limit and cursor.valid():
            size += len(cursor.value())
            count += 1
            cursor.next()
        return size

    def close(self) -> None:
        for family in self.family.values():
            family.close()
        self.family.clear()
        self.handle.clear()  # each handle keeps the database, and its lock, alive
        self.database.close()


def record_key(index: int) -> bytes:
    """Sorted by index and spread like a digest, so that random indexes are random places."""
    return b"r/e_invoice/invoice/%016x%016x" % (index * SPREAD, index)


def bucket_key(index: int) -> bytes:
    return b"b/" + index.to_bytes(8, "big")


def make_value(size: int, source: random.Random) -> bytes:
    """Half digests (incompressible), half JSON words: like a record."""
    noise = source.randbytes(size // 4).hex().encode()
    words = b'{"v":1,"status":"issued","currency":"CNY","seller":"did:hansa:'
    return (words * (size // len(words) + 1))[: size - len(noise)] + noise


def pairs(records: int, source: random.Random) -> Pairs:
    """Everything the measurement starts from, in key order."""
    for index in range(records // LEAVES_PER_BUCKET + 1):
        yield bucket_key(index), source.randbytes(BUCKET_BYTES)
    template = [make_value(RECORD_BYTES, source) for _ in range(997)]
    for index in range(records):
        yield record_key(2 * index), template[index % 997]


def memory() -> dict[str, int]:
    """Resident memory in MiB: own pages, and pages of mapped files (which may be dropped)."""
    status = dict(
        line.split(":", 1)
        for line in Path("/proc/self/status").read_text().splitlines()
        if ":" in line
    )
    return {
        name: int(status[field].split()[0]) // 1024
        for name, field in (("own", "RssAnon"), ("mapped", "RssFile"), ("peak", "VmHWM"))
    }


def written() -> int:
    """Bytes this process handed to write calls (the disk may see whole pages around them)."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["wchar"])


def percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000, 2)


def measure_blocks(
    engine: Engine, records: int, blocks: int, source: random.Random
) -> dict[str, Any]:
    """Blocks as the node makes them: reads, then one durable commit of everything."""
    buckets = records // LEAVES_PER_BUCKET + 1
    reads, commits, before, processor = [], [], written(), time.process_time()
    stalls: list[float] = []
    stop = threading.Event()

    def tick() -> None:  # how long another thread has to wait while a commit runs
        while not stop.is_set():
            begun = time.perf_counter()
            time.sleep(0.001)
            stalls.append(time.perf_counter() - begun)

    watcher = threading.Thread(target=tick)
    watcher.start()
    for height in range(blocks):
        touched = [source.randrange(records) for _ in range(TOUCHED_PER_BLOCK)]
        begun = time.perf_counter()
        for index in touched:
            engine.get(record_key(2 * index))
        nodes = sorted(source.randrange(buckets) for _ in range(TOUCHED_PER_BLOCK))
        for node in nodes:
            engine.get(bucket_key(node))
        reads.append(time.perf_counter() - begun)
        value = make_value(RECORD_BYTES, source)
        puts = [(bucket_key(n), source.randbytes(source.randrange(1300, 1700))) for n in nodes]
        puts += [
            (record_key(2 * i + (i & 1)), value) for i in sorted(touched)
        ]  # half new, half old
        puts.append((b"k/" + height.to_bytes(8, "big"), source.randbytes(BLOCK_BYTES)))
        begun = time.perf_counter()
        engine.commit(puts)
        commits.append(time.perf_counter() - begun)
    stop.set()
    watcher.join()
    return {
        "block_read_ms": {"p50": percentile(reads, 0.5), "p95": percentile(reads, 0.95)},
        "block_commit_ms": {
            "p50": percentile(commits, 0.5),
            "p95": percentile(commits, 0.95),
            "worst": percentile(commits, 1.0),
        },
        "blocks_per_s": round(blocks / (sum(reads) + sum(commits)), 1),
        "cpu_ms_per_block": round((time.process_time() - processor) / blocks * 1000, 1),
        "mb_written_per_block": round((written() - before) / blocks / 1e6, 2),
        "other_thread_worst_wait_ms": percentile(stalls, 1.0),
    }


def measure_small_blocks(engine: Engine, records: int, source: random.Random) -> dict[str, Any]:
    """Blocks of one transaction: what a single clerk waits for."""
    commits = []
    for height in range(SMALL_BLOCKS):
        index = source.randrange(records)
        puts = [
            (bucket_key(index // LEAVES_PER_BUCKET), source.randbytes(BUCKET_BYTES)),
            (record_key(2 * index), make_value(RECORD_BYTES, source)),
            (b"k/s" + height.to_bytes(8, "big"), source.randbytes(2_000)),
        ]
        begun = time.perf_counter()
        engine.commit(puts)
        commits.append(time.perf_counter() - begun)
    return {"p50": percentile(commits, 0.5), "p95": percentile(commits, 0.95)}


def measure(name: str, records: int, folder: Path, blocks: int) -> dict[str, Any]:
    source = random.Random(7)  # noqa: S311 - a seed makes the run repeatable
    kinds: dict[str, Callable[[Path], Engine]] = {"lmdb": Lmdb, "rocksdb": Rocks}
    kind = kinds[name]
    folder.mkdir(parents=True, exist_ok=True)
    out: dict[str, Any] = {"engine": name, "records": records, "blocks": blocks}
    engine: Engine = kind(folder)
    begun = time.perf_counter()
    engine.load(pairs(records, source))
    out["load_s"] = round(time.perf_counter() - begun, 1)
    out.update(measure_blocks(engine, records, blocks, source))
    out["small_commit_ms"] = measure_small_blocks(engine, records, source)
    begun = time.perf_counter()
    for _ in range(GETS):
        engine.get(record_key(2 * source.randrange(records)))
    out["gets_per_s"] = round(GETS / (time.perf_counter() - begun))
    begun = time.perf_counter()
    for _ in range(SCANS):
        engine.scan(record_key(2 * source.randrange(max(1, records - SCAN_LENGTH))), SCAN_LENGTH)
    out["scanned_records_per_s"] = round(SCANS * SCAN_LENGTH / (time.perf_counter() - begun))
    out["memory_mib"] = memory()
    begun = time.perf_counter()
    engine.close()
    out["close_s"] = round(time.perf_counter() - begun, 3)
    begun = time.perf_counter()
    engine = kind(folder)
    engine.get(record_key(2))
    out["reopen_s"] = round(time.perf_counter() - begun, 3)
    begun = time.perf_counter()
    out["buckets_scan_mb"] = engine.scan(b"b/", records // LEAVES_PER_BUCKET + 1) // 10**6
    out["buckets_scan_s"] = round(time.perf_counter() - begun, 2)
    engine.close()
    out["disk_mb"] = sum(f.stat().st_blocks * 512 for f in folder.iterdir()) // 10**6
    out["cpu_s"] = round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 1)
    out["load_average"] = round(os.getloadavg()[0], 1)
    return out


if __name__ == "__main__":
    arguments = sys.argv[1:]
    count = int(arguments[3]) if len(arguments) > 3 else 300
    print(json.dumps(measure(arguments[0], int(arguments[1]), Path(arguments[2]), count)))
