"""`hansa bench http`: the gateway's reads and submissions, beside empty handlers of its server.

Starts one gateway in the folder that it is given, and asks it from this process.
"""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from hansa.cli.bench.figures import compute_percentiles, divide, spread_of
from hansa.cli.bench.http_load import Asked, Connection, encode_request, run_requests
from hansa.cli.bench.http_node import EMPTY_ASGI, EMPTY_HANDLER
from hansa.cli.bench.lone_league import LoneLeague
from hansa.cli.bench.machine import measure_usage
from hansa.cli.bench.measure import compute_id
from hansa.cli.bench.peers import READY_S, BenchFault, start_process
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import Figure, Session, Sheet
from hansa.cli.bench.workload import SELLERS
from hansa.client.sessions import sign_session_statement

CHAIN: Final = "bench-http"
# Records of one seller that are asked for in turn; there are as many of every other.
RECORDS: Final = 100
JOSE: Final = "application/jose"
# More than a gateway takes in a second.
SUBMITS_MAX: Final = 2_000
_FINAL_S: Final = 20
_MICRO: Final = 1e6
BARE, EMPTY, EMPTY_POST = "empty ASGI application", "empty handler", "empty handler, POST"
RECORD, PROOF, SUBMIT = "record", "record with proof", "submit"
# What is held to what, and the goal.
GOALS: Final = ((RECORD, EMPTY, 0.5), (PROOF, EMPTY, 0.3), (SUBMIT, EMPTY_POST, 0.3))


class HttpPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. `seconds`: of each way of asking."""

    seconds: float = 1.5
    warm_up_s: float = 0.5
    connections: int = 16
    repeat: int = 3


class Ran(NamedTuple):
    """One way of asking in one repetition; `cpu_s`: of the server."""

    asked: Asked
    cpu_s: float


class HttpBench:
    """A gateway that runs, and all ways of asking it."""

    def __init__(self, league: LoneLeague, plan: HttpPlan, stack: ExitStack) -> None:
        """Start it, and issue the invoices that are read. Raises BenchFault."""
        self._plan = plan
        home = league.copy()
        self._child = start_gateway(home, stack)
        self._host = urlsplit(read_url(home, self._child)).netloc
        host, _colon, port = self._host.rpartition(":")
        self._place = (host, int(port))
        issued = league.workload.issue(SELLERS, RECORDS)
        for each in (league.opening, *issued):
            self._submit_one(each)
        self._commit(issued[-1])
        count = round(SUBMITS_MAX * (plan.seconds + plan.warm_up_s) * plan.repeat)
        prepared = league.workload.issue(count, 1)
        self._prepared, self._last = iter(prepared), prepared[0]
        self.runs: dict[str, list[Ran]] = {}
        self._ways = self._list_ways(league)

    def _list_ways(self, league: LoneLeague) -> dict[str, tuple[Iterator[bytes], int]]:
        """Requests without end, and the status that each is to have."""
        signer = league.signers[1]
        token = self._sign_in(signer.account, signer.kid, league)
        taxpayer = league.workload.taxpayers[0]
        numbers = range(1, RECORDS + 1)
        paths = [f"/v1/apps/e_invoice/invoice/{taxpayer}:BENCH-{n:09d}" for n in numbers]

        def cycle(targets: Sequence[str], token: str = "") -> Iterator[bytes]:
            return itertools.cycle(
                [encode_request("GET", each, host=self._host, token=token) for each in targets]
            )

        body = encode_request("POST", EMPTY_HANDLER, host=self._host, body=self._last, media=JOSE)
        return {
            BARE: (cycle([EMPTY_ASGI]), 200),
            EMPTY: (cycle([EMPTY_HANDLER]), 200),
            RECORD: (cycle(paths, token), 200),
            PROOF: (cycle([f"{each}?proof=true" for each in paths], token), 200),
            EMPTY_POST: (itertools.repeat(body), 202),
            SUBMIT: (self._list_submissions(), 202),
        }

    def run(self, *, reverse: bool) -> None:
        """Every way once. Raises Stalled, BenchFault."""
        for name in list(self._ways)[:: -1 if reverse else 1]:
            requests, expect = self._ways[name]
            plan = self._plan
            for seconds in (plan.warm_up_s, plan.seconds):
                before = measure_usage([self._child.pid]).cpu_s
                asked = run_requests(
                    self._place,
                    requests,
                    expect=expect,
                    connections=plan.connections,
                    seconds=seconds,
                )
                used = measure_usage([self._child.pid]).cpu_s - before
            self.runs.setdefault(name, []).append(Ran(asked, used))
            if name == SUBMIT:
                self._commit(self._last)

    def _list_submissions(self) -> Iterator[bytes]:
        for each in self._prepared:
            self._last = each
            yield self._encode_submission(each)

    def _encode_submission(self, transaction: bytes) -> bytes:
        return encode_request(
            "POST", "/v1/transactions", host=self._host, body=transaction, media=JOSE
        )

    def _submit_one(self, transaction: bytes) -> None:
        with Connection(*self._place) as door:
            answer = door.ask(self._encode_submission(transaction))
        if answer.status != 202:
            raise BenchFault(f"the gateway refused: {answer.body[:300]!r}", "tell us")

    def _commit(self, transaction: bytes) -> None:
        """Wait until it is final, and with it all before it."""
        target = f"/v1/transactions/{compute_id(transaction)}?wait={_FINAL_S}"
        end = time.monotonic() + 3 * _FINAL_S
        while time.monotonic() < end:
            with Connection(*self._place) as door:
                answer = door.ask(encode_request("GET", target, host=self._host))
            found = json.loads(answer.body)
            if found.get("state") == "committed":
                return
        raise BenchFault(f"a transaction did not become final: {found}", "tell us")

    def _sign_in(self, account: str, kid: str, league: LoneLeague) -> str:
        """A session's token."""
        asked = self._post("/v1/sessions/challenge", {"account": account})
        key = next(each.private for each in league.signers if each.kid == kid)
        statement = sign_session_statement(
            account=account, chain=league.chain, challenge=asked["challenge"], kid=kid, key=key
        )
        return str(self._post("/v1/sessions", statement)["token"])

    def _post(self, target: str, body: bytes | dict[str, str]) -> Any:
        media = JOSE if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with Connection(*self._place) as door:
            answer = door.ask(
                encode_request("POST", target, host=self._host, body=data, media=media)
            )
        if answer.status >= 300:
            raise BenchFault(f"{target}: {answer.status} {answer.body[:300]!r}", "tell us")
        return json.loads(answer.body)


def start_gateway(home: Path, stack: ExitStack) -> "subprocess.Popen[bytes]":
    """The gateway's process; ends with the stack."""
    command = [sys.executable, "-m", "hansa.cli.bench.http_node", str(home)]
    return start_process(command, home.with_name("gateway.log"), stack)


def read_url(home: Path, child: "subprocess.Popen[bytes]") -> str:
    """Its address, as soon as it says so. Raises BenchFault."""
    log, end = home.with_name("gateway.log"), time.monotonic() + READY_S
    while time.monotonic() < end and child.poll() is None:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith('{"url"'):
                return str(json.loads(line)["url"])
        time.sleep(0.05)
    raise BenchFault(f"no gateway: {log.read_text(errors='replace')[-400:]}", "hansa doctor")


def conduct_http(folder: Path, command: str, plan: HttpPlan, tell: Callable[[str], None]) -> Sheet:
    """Measure. Raises BenchFault, Stalled."""
    session = Session("http", "the gateway beside empty handlers of its server", command)
    tell("keys, genesis, a gateway, signed transactions")
    league = LoneLeague(folder / "main", CHAIN)
    with ExitStack() as stack:
        bench = HttpBench(league, plan, stack)
        for repetition in range(plan.repeat):
            tell(f"repetition {repetition + 1} of {plan.repeat}")
            bench.run(reverse=bool(repetition % 2))
    rates = {name: spread_of([_rate(r) for r in runs]).median for name, runs in bench.runs.items()}
    return session.close(
        folder,
        repeat=plan.repeat,
        warm_up_s=plan.warm_up_s,
        configuration={
            "server": "one process: gateway, node on the embedded engine, read model in SQLite",
            "connections": plan.connections,
            "seconds of each": plan.seconds,
            "reader": "a signed-in party of the invoices",
            "submissions": "executed by the same process meanwhile",
        },
        figures=[_reduce(name, runs) for name, runs in bench.runs.items()],
        ratios=[
            Ratio(
                row="B10",
                name=f"{name} over {peer}",
                ratio=divide(rates.get(name), rates.get(peer)),
                goal=goal,
            )
            for name, peer, goal in GOALS
        ],
        faults=_find_faults(bench.runs),
    )


def _rate(ran: Ran) -> float:
    return len(ran.asked.times) / ran.asked.seconds


def _reduce(name: str, runs: Sequence[Ran]) -> Figure:
    answered = sum(len(each.asked.times) for each in runs)
    return Figure(
        name=name,
        unit="a second",
        spread=spread_of([_rate(each) for each in runs]),
        times=compute_percentiles([t for each in runs for t in each.asked.times]),
        notes={
            "server us": round(sum(e.cpu_s for e in runs) / max(1, answered) * _MICRO),
            "refused for want of room": sum(
                count for each in runs for status, count in each.asked.others.items()
                if status in (429, 503)
            ),
            "ran out": any(each.asked.exhausted for each in runs),
        },
    )  # fmt: skip


def _find_faults(found: dict[str, list[Ran]]) -> list[str]:
    """Answers that nobody expected."""
    return [
        f"{name}: {count} answers {status}"
        for name, runs in found.items()
        for each in runs
        for status, count in each.asked.others.items()
        if status not in (429, 503)
    ]
