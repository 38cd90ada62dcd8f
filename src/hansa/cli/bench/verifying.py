"""`hansa bench verify`: files that the ledger gives, judged offline: in a fresh process, and warm.

Makes two leagues in the folder that it is given: one that has invoices, one that has credentials.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.api.headers import HeaderPaths
from hansa.api.proofs import build_proof_file, build_receipt_file
from hansa.catalog import build_registry
from hansa.cli.bench.figures import compute_percentiles, compute_quantile, spread_of
from hansa.cli.bench.lone_league import LoneLeague
from hansa.cli.bench.peers import READY_S, BenchFault, start_process
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import Figure, Session, Sheet
from hansa.cli.bench.subject import HANSA, make_environment
from hansa.client.receipts import encode_file
from hansa.client.trust import build_trust_root
from hansa.client.verify import verify_file
from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs
from hansa.node.running import RUNNING, read_running

CHAIN: Final = "bench-verify"
COLD_GOAL_S: Final = 0.3
WARM_GOAL_S: Final = 0.005
_FINAL_S: Final = 30.0
_SCHEMA: Final = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"name": {"type": "string"}, "degree": {"enum": ["BSc", "MSc"]}},
    "required": ["name", "degree"],
    "additionalProperties": False,
}
# What makes an accredited issuer in the built-in league, as people type it.
_STORY: Final = (
    "schema publish degree.json --name degree --version 1.0.0 --as tax-bureau",
    "accredit authorise auditor --framework education --jurisdiction CN --basis law-3"
    " --as tax-bureau",
    "governance vote --proposal 1 --choice yes --as auditor",
    "governance vote --proposal 1 --choice yes --as buyer",
    "governance vote --proposal 1 --choice yes --as employer",
    "accredit attest seller-a --under {root} --schema degree:1 --jurisdiction CN --basis law-3"
    " --as auditor",
    "permissions grant-role --application credentials --role issuer --holder seller-a"
    " --as seller-a",
    "credential open-status-list --issuer seller-a --list degrees --size 1000000 --as seller-a",
    "credential issue claims.json --schema degree --holder buyer --as seller-a -o degree.vc.json",
    "credential bundle degree.vc.json -o bundle.json",
)


class VerifyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How often each file is judged in a repetition: by fresh processes, and by this one."""

    cold: int = 10
    warm: int = 1_000
    repeat: int = 3


class Case(msgspec.Struct, frozen=True):
    """A file, and the genesis that it is judged by."""

    name: str
    file: Path
    genesis: Path


def conduct_verify(
    folder: Path, command: str, plan: VerifyPlan, tell: Callable[[str], None]
) -> Sheet:
    """Measure. Raises BenchFault."""
    session = Session("verify", "files of the ledger judged offline", command)
    tell("a league with invoices: receipt, proof of absence")
    cases = make_proofs(folder / "invoices")
    tell("a league with credentials: bundle")
    cases.append(make_bundle(folder / "credentials"))
    alone: list[list[float]] = []
    cold: dict[str, list[list[float]]] = {each.name: [] for each in cases}
    warm: dict[str, list[list[float]]] = {each.name: [] for each in cases}
    for repetition in range(plan.repeat):
        tell(f"repetition {repetition + 1} of {plan.repeat}")
        alone.append(time_processes([sys.executable, "-c", "pass"], plan.cold))
        for each in cases[:: -1 if repetition % 2 else 1]:
            line = [*HANSA, "verify", str(each.file), "--trust", str(each.genesis)]
            cold[each.name].append(time_processes(line, plan.cold))
            warm[each.name].append(time_calls(each, plan.warm))
    figures = [
        _reduce("interpreter alone", alone),
        *(_reduce(f"{name}, fresh process", runs) for name, runs in cold.items()),
        *(_reduce(f"{name}, warm", runs) for name, runs in warm.items()),
    ]
    return session.close(
        folder,
        repeat=plan.repeat,
        warm_up_s=0,
        configuration={
            "fresh process": f"hansa verify FILE, {plan.cold} times after one that is not counted",
            "warm": f"verify_file(FILE), {plan.warm} times after one that is not counted",
            "bytes": ", ".join(f"{e.name} {e.file.stat().st_size:,}" for e in cases),
        },
        figures=figures,
        ratios=[*_hold(cold, "fresh process", COLD_GOAL_S), *_hold(warm, "warm", WARM_GOAL_S)],
    )


def _hold(found: dict[str, list[list[float]]], how: str, goal_s: float) -> list[Ratio]:
    """p95 of all observations against the goal."""
    return [
        Ratio(
            row="B8",
            name=f"{name}, {how}, p95",
            ratio=compute_quantile([each for run in runs for each in run], 0.95),
            goal=goal_s,
            at_most=True,
            unit="s",
        )
        for name, runs in found.items()
    ]


def _reduce(name: str, runs: Sequence[Sequence[float]]) -> Figure:
    """The spread of the repetitions' medians (ms), the percentiles of all observations."""
    medians = [compute_quantile(run, 0.5) * 1000 for run in runs]
    times = compute_percentiles([each for run in runs for each in run])
    return Figure(name=name, unit="ms", spread=spread_of(medians), times=times)


def time_processes(line: Sequence[str], count: int) -> list[float]:
    """Seconds of each of so many processes, after one that is not counted. Raises BenchFault."""
    times = []
    for _ in range(count + 1):
        begin = time.perf_counter()
        done = subprocess.run(line, capture_output=True, check=False)  # noqa: S603  (our own)
        times.append(time.perf_counter() - begin)
        if done.returncode:
            raise BenchFault(f"{' '.join(line[1:])}: {done.stdout[-300:]!r}", "hansa doctor")
    return times[1:]


def time_calls(case: Case, count: int) -> list[float]:
    """Seconds of each of so many verdicts of this process, after one that is not counted."""
    root = build_trust_root(case.genesis.read_bytes())
    times = []
    for _ in range(count + 1):
        begin = time.perf_counter()
        verdict = verify_file(case.file, lambda _chain: (root,))
        times.append(time.perf_counter() - begin)
        if verdict.outcome != "yes":
            raise BenchFault(f"{case.file} is judged {verdict.outcome}", "tell us")
    return times[1:]


def make_proofs(folder: Path) -> list[Case]:
    """The receipt of an invoice, and the proof that another was never issued."""
    league = LoneLeague(folder, CHAIN)
    home, (invoice,) = league.copy(), league.workload.issue(1, 1)
    with (folder / "node.log").open("w") as log:
        configure_logs(log)
        try:
            with LedgerNode.open(home, build_registry()) as node:
                for each in (league.opening, invoice):
                    identity = node.submit(each)
                    found = node.wait(identity, _FINAL_S)
                if found.result is None or {m.code for m in found.result.messages} != {"ok"}:
                    raise BenchFault(f"no invoice was issued: {found}", "tell us")
                paths = HeaderPaths(node)
                receipt = build_receipt_file(
                    node, paths, node.receipt(identity, 0), with_message=True, with_events=True
                )
                seller = f"{league.workload.taxpayers[0]}:NEVER"
                absence = build_proof_file(node, paths, f"e_invoice/invoice/{seller}".encode())
        finally:
            configure_logs()  # nothing writes to what is closed
    genesis = home / "genesis.json"
    made = {"receipt": encode_file(receipt), "proof of absence": encode_file(absence)}
    cases = []
    for name, data in made.items():
        file = folder / f"{name.replace(' ', '-')}.json"
        file.write_bytes(data)
        cases.append(Case(name, file, genesis))
    return cases


def make_bundle(folder: Path) -> Case:
    """A credential with what judges it, as the commands of a running league make it."""
    league = folder / "bay"
    folder.mkdir()
    (folder / "degree.json").write_text(json.dumps(_SCHEMA))
    (folder / "claims.json").write_text(json.dumps({"name": "Ada", "degree": "MSc"}))
    _ask(league, folder, "init", str(league))
    with ExitStack() as stack:
        line = [*HANSA, "start", str(league), "--port", "0", "--json"]
        child = start_process(line, folder / "start.log", stack, make_environment(league))
        end = time.monotonic() + READY_S
        while read_running(league / RUNNING) is None:
            if child.poll() is not None or time.monotonic() > end:
                raise BenchFault("a league did not start", "hansa doctor")
            time.sleep(0.05)
        root = ""
        for each in _STORY:
            if "{root}" in each:
                tree = _ask(league, league, "accredit", "tree")
                root = tree["roots"][0]["link"]["id"]
            words = [
                str(folder / word) if word.endswith(".json") else word.format(root=root)
                for word in each.split()
            ]
            _ask(league, league, *words)
    return Case("bundle", folder / "bundle.json", league / "genesis.json")


def _ask(league: Path, place: Path, *words: str) -> Any:
    """Run a command in a folder. Raises BenchFault."""
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [*HANSA, *words, "--json"], cwd=place, env=make_environment(league),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchFault(f"hansa {' '.join(words)}: {done.stderr.strip()[-300:]}", "hansa doctor")
    return json.loads(done.stdout) if done.stdout.strip() else None
