"""Rows that stand on a sheet: what they count holds, and every part of the sheet is there."""

import socket
import threading
from typing import Any

import msgspec
import pytest

from hansa.cli.bench.embedded import build_ratios, find_faults, reduce_runs
from hansa.cli.bench.embedded_node import Lag, Mark, Ran, compute_cpu, compute_rate
from hansa.cli.bench.figures import compute_percentiles, spread_of
from hansa.cli.bench.following import GROWTH_GOAL, compute_growth
from hansa.cli.bench.http_load import encode_request, run_requests
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import Figure, Sheet, format_number, format_ratio, format_sheet
from tests.cli.processes import Shell


def make_run(rate: float, **changes: Any) -> Ran:
    run = Ran(
        committed_per_s=rate,
        indexed_per_s=rate,
        arrivals=4,
        transactions_per_block=2.0,
        full=1,
        refused={},
        exhausted=False,
        times=compute_percentiles([0.1, 0.2]),
        cpu_s=1.0,
        memory_mib=100.0,
        lags=(Lag(0.0, 0, 0.0), Lag(1.0, 3, 0.5)),
        drained_s=0.1,
    )
    return msgspec.structs.replace(run, **changes)


def test_one_message_is_held_to_the_raw_rate_and_many_to_one() -> None:
    runs = {1: [make_run(500), make_run(1_500), make_run(1_000)], 100: [make_run(20)]}
    single, many = build_ratios(runs, [10_000.0])
    assert (single.row, single.ratio) == ("B1", 0.1)  # the median of three
    assert (many.row, many.ratio) == ("B2", 2.0)  # 20 of 100
    assert single.is_met is False and many.is_met is False
    alone, none = build_ratios({100: [make_run(40)]}, [10_000.0])
    assert alone.ratio is None and none.ratio is None, "B1 of another run is no peer"


def test_a_rate_is_from_one_arrival_to_another() -> None:
    marks = [Mark(10.0, 40, 1.0), Mark(11.0, 80, 2.0), Mark(14.0, 240, 5.0)]
    assert compute_rate(marks) == 50.0  # 200 in 4 s; what arrived with the first is not counted
    assert compute_cpu(marks) == pytest.approx(0.02)
    assert compute_rate(marks[:1]) == compute_rate([]) == compute_cpu([]) == 0.0


def test_what_the_pool_and_the_rules_refused_is_told_apart() -> None:
    runs = {1: [make_run(10, refused={"ledger.expired": 2}), make_run(10)]}
    figure = reduce_runs(1, 1_000, runs[1])
    assert (figure.notes["pool full"], figure.notes["refused"]) == (2, 2)
    assert find_faults(runs) == ["1 a transaction: 2 refused as ledger.expired"]
    assert find_faults({1: [make_run(10)]}) == []


def test_a_goal_is_told_with_its_row_and_unit() -> None:
    met = Ratio(row="B8", name="receipt", ratio=0.004, goal=0.005, at_most=True, unit="s")
    assert format_ratio(met) == "✓ B8 receipt: 0.004 s (goal <= 0.005 s)"
    missed = Ratio(row="B1", name="x", ratio=0.0731, goal=0.5)
    assert format_ratio(missed) == "✗ B1 x: 0.073 (goal >= 0.5)"
    absent = Ratio(row="B2", name="x", ratio=None, goal=3.0)
    assert format_ratio(absent) == "  B2 x: not measured (goal >= 3)"
    assert [format_number(each) for each in (0.0, 1234.5, 12.34, 1.234)] == [
        "0", "1,234", "12.3", "1.23",
    ]  # fmt: skip


def check_sheet(report: Any, name: str) -> Sheet:
    """Every part is there, and it is printed for people."""
    sheet = msgspec.convert(report, Sheet)
    assert sheet.kind == f"hansa.bench.{name}/1"
    assert sheet.command.startswith(f"hansa bench {name}")
    assert sheet.faults == ()
    assert sheet.machine.cores and sheet.versions["hansa"] and sheet.configuration
    for figure in sheet.figures:
        assert figure.spread.least <= figure.spread.median <= figure.spread.most
        assert len(figure.spread.runs) == sheet.repeat
    text = format_sheet(sheet)
    assert sheet.command in text
    assert all(
        name in text for name in [e.name for e in sheet.figures] + [e.name for e in sheet.ratios]
    )
    return sheet


def find_figure(sheet: Sheet, name: str) -> Figure:
    return next(each for each in sheet.figures if each.name == name)


@pytest.mark.slow
def test_a_node_in_one_process_is_measured_from_door_to_read_model(shell: Shell) -> None:
    done = shell.run(
        "bench", "embedded", "--quick", "--seconds", "0.5", "--json", "-o", "kept.json"
    )
    assert done.exit == 0, done
    sheet = check_sheet(done.json, "embedded")
    assert msgspec.json.decode((shell.folder / "kept.json").read_bytes()) == done.json
    assert [each.row for each in sheet.ratios] == ["B1", "B2"]
    assert find_figure(sheet, "1 a transaction").notes["refused"] == 0
    assert spread_of([]).runs == ()


@pytest.mark.slow
def test_files_are_judged_cold_and_warm(shell: Shell) -> None:
    done = shell.run("bench", "verify", "--quick", "--json")
    assert done.exit == 0, done
    sheet = check_sheet(done.json, "verify")
    assert len(sheet.ratios) == 6
    assert find_figure(sheet, "bundle, warm").times is not None


@pytest.mark.slow
def test_the_gateway_is_asked_beside_empty_handlers(shell: Shell) -> None:
    done = shell.run("bench", "http", "--quick", "--json")
    assert done.exit == 0, done
    sheet = check_sheet(done.json, "http")
    assert [each.row for each in sheet.ratios] == ["B10"] * 3
    for figure in sheet.figures:
        assert figure.times is not None and figure.times.count > 0, figure


@pytest.mark.slow
def test_the_read_model_is_followed_on_both_databases(shell: Shell) -> None:
    done = shell.run("bench", "index", "--quick", "--json")
    assert done.exit == 0, done
    sheet = check_sheet(done.json, "index")
    names = {each.name.partition(",")[0] for each in sheet.figures}
    assert names == {"SQLite", "PostgreSQL"}
    assert [each.row for each in sheet.ratios] == ["B11"] * 4


def test_a_lag_that_stays_is_told_from_one_that_grows() -> None:
    stays = [Lag(float(second), 10, 0.2) for second in range(10)]
    grows = [Lag(float(second), 10 * second, 0.2 * second) for second in range(10)]
    assert compute_growth(stays) == pytest.approx(1.0)
    growth = compute_growth(grows)
    assert growth is not None and growth > GROWTH_GOAL
    assert compute_growth([]) is None


def serve_answers(listening: socket.socket, answers: list[bytes]) -> None:
    door, _address = listening.accept()
    with door:
        for answer in answers:
            door.recv(65_536)
            door.sendall(answer)


def test_answers_of_a_kept_connection_are_told_apart() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    full = b"HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        arguments = (listening, [ok, full, ok])
        server = threading.Thread(target=serve_answers, args=arguments)
        server.start()
        request = encode_request("GET", "/", host="here", token="t")
        asked = run_requests(
            listening.getsockname(), iter([request] * 3), expect=200, connections=1, seconds=60
        )
        server.join()
    assert request == b"GET / HTTP/1.1\r\nhost: here\r\nauthorization: Bearer t\r\n\r\n"
    assert (len(asked.times), asked.others, asked.exhausted) == (2, {429: 1}, True)


@pytest.mark.slow
def test_a_grown_home_is_measured_beside_a_small_one(shell: Shell) -> None:
    homes = shell.folder / "homes"
    arguments = ("bench", "growth", "--quick", "--homes", homes)
    assert shell.run(*arguments, "--records", "1000", "--fill").exit == 0
    made = sorted(path.name for path in homes.glob("home-*"))
    assert made == ["home-1000"]
    done = shell.run(*arguments, "--records", "1000", "--records", "3000", "--json")
    assert done.exit == 0, done
    sheet = check_sheet(done.json, "growth")
    assert [each.row for each in sheet.ratios] == ["B6"] * 3
    assert find_figure(sheet, "3,000 records, start after a kill").spread.median > 0
    assert not (homes / "run").exists(), "copies go, homes stay"
    assert {path.name for path in homes.glob("home-*")} == {"home-1000", "home-3000"}
