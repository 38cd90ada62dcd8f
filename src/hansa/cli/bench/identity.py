"""`hansa bench identity`: raw signatures, credentials, DIDs with proof, evidence, status lists.

Makes a league in the folder that it is given and opens its node in this process.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hansa.api.did_reader import DidReader
from hansa.api.headers import HeaderPaths
from hansa.api.outbound import Outbound
from hansa.api.sessions import read_clock_ms
from hansa.catalog import build_registry, compute_code_digest
from hansa.cli.answers import format_table
from hansa.cli.bench.circumstances import Beginning, Circumstances, list_circumstances
from hansa.cli.bench.identity_work import (
    Lists,
    Rate,
    measure_evidence,
    measure_lists,
    measure_rate,
    measure_suite,
)
from hansa.cli.bench.peers import BenchFault
from hansa.identity.did_history import Asked
from hansa.ledger.state import scan_records
from hansa.ledger.system import Account
from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs

# Suite, and how often each work is done in a round.
SUITES: Final = (("EdDSA", 1_000), ("ES256", 400), ("SM2", 100))
ROUNDS: Final = 5
EVIDENCE_ITEMS: Final = 10_000
DID_READS: Final = 2_000
SEALED_S: Final = 30.0


class IdentityReport(Circumstances, frozen=True, kw_only=True):
    """The whole document. Rates are of one core, by processor time."""

    kind: str = "hansa.bench.identity/1"
    rates: tuple[Rate, ...]
    lists: tuple[Lists, ...]


def conduct_identity(
    folder: Path, command: str, *, quick: bool, tell: Callable[[str], None]
) -> IdentityReport:
    """Measure. Raises BenchFault."""
    beginning = Beginning()
    rounds, part = (2, 10) if quick else (ROUNDS, 1)
    rates: list[Rate] = []
    for alg, count in SUITES:
        tell(f"signatures and credentials with {alg}")
        rates += measure_suite(alg, max(1, count // part), rounds)
    tell("evidence")
    rates.append(measure_evidence(EVIDENCE_ITEMS // part, rounds))
    tell("DIDs of a running node")
    rates += measure_dids(folder / "league", DID_READS // part, rounds)
    tell("status lists of a million entries")
    lists = measure_lists()
    return IdentityReport(
        **beginning.end(folder, command),
        rates=tuple(rates),
        lists=tuple(lists),
    )


def measure_dids(league: Path, count: int, rounds: int) -> list[Rate]:
    """Reads of DID documents at a node, as the gateway answers them; without the way over HTTP.

    An answer is kept until the ledger grows: "first" is what the first asker of a height costs.
    """
    _make_league(league)
    with (league.parent / "node.log").open("w") as stream:
        configure_logs(stream)
        try:
            return _read_dids(league, count, rounds)
        finally:
            configure_logs()  # nothing writes to what is closed


def _read_dids(league: Path, count: int, rounds: int) -> list[Rate]:
    with LedgerNode.open(league, build_registry(), compute_digest=compute_code_digest) as node:
        node.wait_height(1, SEALED_S)
        accounts = scan_records(node.state, Account.OWNER, Account, limit=100)
        dids = [account.did for account in accounts]
        paths, outbound = HeaderPaths(node), Outbound(())

        def ask(reader: DidReader, *, proof: bool) -> None:
            for did in dids:
                answer = reader.resolve(did, Asked(), proof=proof, trusted=0)
                if answer.status != 200:
                    raise BenchFault(f"{did}: {answer.status}", "hansa did resolve")

        kept = DidReader(node, paths, outbound, read_clock_ms)
        works: tuple[tuple[str, Callable[[], None]], ...] = (
            ("DID read", lambda: ask(kept, proof=False)),
            ("DID read with proof", lambda: ask(kept, proof=True)),
            (
                "DID read with proof, first",
                lambda: ask(DidReader(node, paths, outbound, read_clock_ms), proof=True),
            ),
        )
        turns = max(1, count // len(dids))
        return [
            Rate("", name, measure_rate(work, turns, rounds) * len(dids)) for name, work in works
        ]


def _make_league(league: Path) -> None:
    environment = {**os.environ, "HANSA_HOME": str(league.parent / "user")}
    command = [sys.executable, "-m", "hansa.cli", "init", str(league), "--json"]
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchFault(f"no league could be made: {done.stderr.strip()[-300:]}", "hansa doctor")


def format_identity(report: IdentityReport) -> str:
    """A row for each work; the share is of the raw rate above it."""
    rows = [
        [
            each.suite,
            each.work,
            f"{each.per_second:,.0f}",
            "" if each.share is None else f"{each.share:.0%}",
        ]
        for each in report.rates
    ]
    lists = [[each.form, f"{each.seconds * 1000:.0f}", f"{each.bytes:,}"] for each in report.lists]
    return "\n".join(
        (
            *list_circumstances(report),
            "",
            format_table(["suite", "work", "a second", "of raw"], rows),
            "",
            format_table(["a million entries, 1,000 set", "ms", "characters"], lists),
        )
    )
