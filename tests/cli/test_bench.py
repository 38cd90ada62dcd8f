"""What a bench counts, compares and prints; figures themselves are never asserted."""

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.catalog import build_registry
from hansa.cli.bench.engine_config import OWN, adapt_config, flatten_config, list_differences
from hansa.cli.bench.figures import (
    compute_limit,
    compute_median,
    compute_percentiles,
    compute_spread,
    divide,
)
from hansa.cli.bench.light import PARTS, divide_time, find_deciding_ns
from hansa.cli.bench.load import BATCH, BATCH_BYTES, Seen, split_batches
from hansa.cli.bench.sampler import Profile, Sampler, rank_functions
from hansa.cli.bench.subject import FOLLOW, LEAVE
from hansa.cli.bench.workload import (
    BUREAU,
    Prepared,
    Workload,
    build_plan,
    compute_tax_number,
    imitate,
    name_seller,
)
from hansa.cli.template import build_parts
from hansa.client.keys import Signer
from hansa.comet.files import EngineConfig, encode_config
from hansa.comet.install import install_engine, locate_cache
from hansa.node.settings import IndexSettings, Settings, decode_settings, encode_settings
from hansa.primitives.identifiers import check_identifier
from hansa.testing.chain import Actor, Chain
from tests.cli.processes import Shell


def test_percentiles_are_observations_at_their_rank() -> None:
    found = compute_percentiles([float(value) for value in range(100, 0, -1)])
    assert found is not None
    assert (found.count, found.p50, found.p95, found.p99, found.most) == (100, 50, 95, 99, 100)
    single = compute_percentiles([7.0])
    assert single is not None
    assert single.p50 == single.p95 == single.most == 7.0
    assert compute_percentiles([]) is None


def test_spread_keeps_every_run_and_its_extremes() -> None:
    spread = compute_spread([3.0, 1.0, 2.0, 10.0])
    assert spread is not None
    assert (spread.median, spread.least, spread.most) == (2.5, 1.0, 10.0)
    assert spread.runs == (3.0, 1.0, 2.0, 10.0)
    assert compute_median([5.0, 1.0, 3.0]) == 3.0


def test_limit_is_the_peers_time_and_one_check_per_validator_over_the_cores() -> None:
    # 0.5 ms at the peer, 4 checks of 0.1 ms over 2 cores: 0.7 ms.
    assert compute_limit(2_000, 0.0001, validators=4, cores=2) == pytest.approx(1 / 0.0007)
    # One validator alone checks on one core, however many there are.
    assert compute_limit(2_000, 0.0001, validators=1, cores=2) == pytest.approx(1 / 0.0006)
    assert divide(3.0, 2.0) == 1.5
    assert divide(3.0, None) is None
    assert divide(None, 2.0) is None


def test_a_time_to_finality_is_cut_at_what_was_seen_and_signed() -> None:
    assert find_deciding_ns([40, 10, 30, 20]) == 30  # more than two thirds of four: three
    assert find_deciding_ns([30, 10, 20]) == 30
    assert find_deciding_ns([7]) == 7
    seen = Seen(at=1.0, height=5, transactions=1, size=100)
    whole = divide_time(0.0, 0.1, 0.4, 0.7, seen)
    assert list(whole.parts) == list(PARTS)
    assert list(whole.parts.values()) == pytest.approx([0.1, 0.3, 0.3, 0.3])
    # A vote that was seen late, and a clock that was set back: parts are never negative.
    odd = divide_time(0.0, 0.1, 0.9, 0.05, seen)
    assert list(odd.parts.values()) == pytest.approx([0.1, 0.0, 0.0, 0.9])
    assert sum(odd.parts.values()) == pytest.approx(odd.seconds)


def test_what_waits_in_one_request_is_bounded_in_number_and_bytes() -> None:
    small = [bytes(10)] * (2 * BATCH + 1)
    assert [len(batch) for batch in split_batches(small)] == [BATCH, BATCH, 1]
    large = [bytes(BATCH_BYTES - 1), bytes(2), bytes(3 * BATCH_BYTES), bytes(1)]
    batches = list(split_batches(large))
    assert [each for batch in batches for each in batch] == large
    assert [len(batch) for batch in batches] == [1, 1, 1, 1]


def test_peers_run_on_the_configuration_of_a_node_under_their_own_names() -> None:
    node = encode_config(
        EngineConfig(abci="unix:///node", rpc=Path("/node"), peers=("a@b:1",), commit_ms=321)
    )
    own = encode_config(EngineConfig(abci="kvstore", rpc=Path("/own"), commit_ms=1, moniker="own"))
    adapted = adapt_config(node, own)
    values, mine, theirs = map(flatten_config, (adapted, own, node))
    assert {key: values[key] for key in OWN} == {key: mine[key] for key in OWN}
    assert {key: value for key, value in values.items() if key not in OWN} == {
        key: value for key, value in theirs.items() if key not in OWN
    }
    assert list_differences({"node": node, "peer": adapted}) == []


def test_a_node_is_told_to_keep_no_read_model_in_its_settings() -> None:
    usual = encode_settings(Settings())
    assert usual.count(FOLLOW) == 1
    told = decode_settings(usual.replace(FOLLOW, LEAVE))
    assert told == msgspec.structs.replace(Settings(), index=IndexSettings(follow=False))


def test_a_setting_that_is_not_equal_is_reported() -> None:
    one = encode_config(EngineConfig(abci="a", rpc=Path("/a"), commit_ms=100))
    other = encode_config(EngineConfig(abci="b", rpc=Path("/b"), commit_ms=200))
    (difference,) = list_differences({"one": one, "other": other})
    assert difference == "consensus.timeout_commit: one '100ms', other '200ms'"
    (missing,) = list_differences({"one": one, "other": one.replace("pex = false\n", "")})
    assert missing == "p2p.pex: one False, other None"


class Market:
    """A workload on a chain of its plan, with the kernel alone."""

    def __init__(self, sellers: int = 3) -> None:
        plan = build_plan(sellers)
        self.actors = {member.name: Actor(member.name) for member in plan.members}
        keys = {name: (actor.did, actor.key.public) for name, actor in self.actors.items()}
        self.chain = Chain(build_registry(), build_parts(plan, keys), chain="bench-test")
        signers = {name: Signer(name, actor.kid, actor.key) for name, actor in self.actors.items()}
        self.workload = Workload(
            self.chain.chain,
            signers[BUREAU],
            [signers[name_seller(number)] for number in range(sellers)],
        )


def list_codes(results: Any) -> set[str]:
    return {message.code for each in results for message in each.messages}


def test_every_prepared_transaction_is_accepted_once_by_the_real_rules() -> None:
    market = Market()
    opening = market.workload.open()
    assert list_codes(market.chain.block([opening]).results) == {"ok"}
    light, heavy = market.workload.issue(4, 1), market.workload.issue(2, 20)
    results = market.chain.block([*light, *heavy]).results
    assert list_codes(results) == {"ok"}
    assert sum(len(each.messages) for each in results) == 4 + 2 * 20
    senders = {message.sender for each in results for message in each.messages}
    assert len(senders) == 3, "each seller has its lane"
    again = market.chain.block(light).results
    assert list_codes(again) == {"ledger.already_seen"}


def test_sellers_have_identifiers_that_hold() -> None:
    numbers = [compute_tax_number(number) for number in range(20)]
    assert len(set(numbers)) == 20
    for number in numbers:
        check_identifier("CN-USCC", number)


def test_peers_get_texts_of_the_same_lengths_that_kvstore_takes() -> None:
    market = Market(2)
    prepared = Prepared(
        open=(market.workload.open(),),
        light=tuple(market.workload.issue(3, 1)),
        heavy={1: tuple(market.workload.issue(5, 1)), 7: tuple(market.workload.issue(2, 7))},
    )
    texts = imitate(prepared)
    assert texts.open == ()
    assert [len(each) for each in texts.light] == [len(each) for each in prepared.light]
    for messages, sent in prepared.heavy.items():
        assert [len(each) for each in texts.heavy[messages]] == [len(each) for each in sent]
    every = [*texts.light, *texts.heavy[1], *texts.heavy[7]]
    keys = [each.partition(b"=")[0] for each in every]
    assert len(set(keys)) == len(every)
    assert all(each.count(b"=") == 1 and b":" not in each for each in every)
    assert not any(each.startswith(b"val") for each in every), "no change of validators"


def test_sampler_charges_those_who_work_and_not_those_who_wait() -> None:
    ended = threading.Event()

    def work_hard() -> None:
        while not ended.is_set():
            sum(range(1_000))

    def wait_long() -> None:
        ended.wait()

    threads = [
        threading.Thread(target=work_hard, name="worker-1"),
        threading.Thread(target=wait_long, name="waiter-1"),
    ]
    for thread in threads:
        thread.start()
    profile = Profile(0.0, 0.0, {}, {})
    while profile.threads.get("worker", 0.0) < 0.2:  # a busy machine gives a thread its time late
        sampler = Sampler(interval_s=0.002)
        sampler.start()
        time.sleep(0.5)
        profile = sampler.stop()
    ended.set()
    for thread in threads:
        thread.join()
    assert profile.threads["worker"] > 10 * profile.threads.get("waiter", 0.0)
    _own, ours = rank_functions([profile], 10)
    names = [stack for stack in profile.stacks if stack.startswith("worker;")]
    assert names
    assert all("work_hard" in name for name in names)
    product = [each for each in ours if ".sampler." not in each.function]
    assert product == [], "functions of the product only"


def test_shares_add_up_over_all_profiles() -> None:
    profiles = [
        Profile(1.0, 1.0, {"a": 1.0}, {"a;hansa.x;hansa.y": 0.75, "a;hansa.x": 0.25}),
        Profile(1.0, 1.0, {"b": 1.0}, {"b;other.z": 1.0}),
    ]
    own, ours = rank_functions(profiles, 10)
    assert [(each.function, each.own) for each in own] == [
        ("other.z", 0.5),
        ("hansa.y", 0.375),
        ("hansa.x", 0.125),
    ]
    assert [(each.function, each.total) for each in ours] == [("hansa.x", 0.5), ("hansa.y", 0.375)]


def test_bench_refuses_what_it_cannot_run(shell: Shell) -> None:
    for arguments in (("--validators", "0"), ("--only", "fabric"), ("--messages", "501")):
        done = shell.run("bench", "network", *arguments)
        assert done.exit == 2, done
    missing = shell.run("bench", "network", "--engine", "nowhere")
    assert missing.exit == 2
    assert "nowhere" in missing.err


@pytest.mark.slow
def test_a_tiny_run_gives_a_whole_report_and_leaves_nothing(shell: Shell, tmp_path: Path) -> None:
    install_engine()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = shell.begin(
        "bench", "network", "--validators", "2", "--seconds", "1", "--repeat", "1", "--light", "2",
        "--messages", "1", "--messages", "5", "--quick", "--profile", "--json", "-o", "kept.json",
        TMPDIR=str(scratch), HANSA_CACHE=str(locate_cache()),
    )  # fmt: skip
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert json.loads((shell.folder / "kept.json").read_bytes()) == report
    check_report(report)
    assert list(scratch.iterdir()) == []
    assert find_processes(scratch) == []


@pytest.mark.slow
def test_a_bench_that_is_stopped_ends_all_it_started(shell: Shell, tmp_path: Path) -> None:
    install_engine()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = shell.begin(
        "bench", "network", "--validators", "2", "--only", "empty", "--no-alone",
        TMPDIR=str(scratch), HANSA_CACHE=str(locate_cache()),
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "one at a time" in line:
            break
    for _ in range(3):  # as timeout(1) does, and impatient people
        process.send_signal(signal.SIGTERM)
    _out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert list(scratch.iterdir()) == []
    assert find_processes(scratch) == []


@pytest.mark.slow
def test_stages_are_told_for_each_kind_of_transaction(shell: Shell) -> None:
    done = shell.run("bench", "stages", "--quick", "--profile", "--json")
    assert done.exit == 0, done
    report = done.json
    assert report["kind"] == "hansa.bench.stages/1"
    for figures in report["figures"]:
        assert list(figures["stages"]) == [
            "check_tx",
            "process_proposal",
            "prepare_proposal",
            "finalize_block",
            "commit",
            "index",
        ]
        assert 0 < figures["check_us"] < figures["stages"]["check_tx"]
    assert [each["messages"] for each in report["figures"]] == [1, 20]
    assert report["profile"]["total"]


def find_processes(folder: Path) -> list[Path]:
    """Processes that were started with something in `folder`."""
    paths = Path("/proc").glob("[0-9]*/cmdline")
    return [path for path in paths if str(folder).encode() in read_quietly(path)]


def read_quietly(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def check_report(report: dict[str, Any]) -> None:
    """Every part is there and fits the others."""
    assert report["kind"] == "hansa.bench.network/1"
    assert report["command"].startswith("hansa bench network --validators 2")
    assert report["machine"]["cores"] >= 1
    assert report["faults"] == []
    assert report["differences"] == []
    assert report["configuration"]["consensus.create_empty_blocks"] is False
    names = [each["name"] for each in report["networks"]]
    assert names == ["kvstore", "empty", "hansa", "hansa-gateway"]
    lengths = set()
    for network in report["networks"]:
        assert network["agree"], network
        assert network["accepted"] == network["sampled"]
        assert network["finality"]["count"] == 2
        assert 0 < network["finality"]["p50"] <= network["finality"]["p95"]
        parts = [] if network["name"] == "hansa-gateway" else list(PARTS)
        assert list(network["parts"]) == parts
        lengths.add(tuple((load["messages"], load["length"]) for load in network["loads"]))
        for load in network["loads"]:
            check_load(load)
    assert len(lengths) == 1, "transactions of the same lengths everywhere"
    assert [each["messages"] for each in report["limits"]] == [1, 5]
    for limit in report["limits"]:
        assert 0 < limit["limit_per_s"] < limit["peer_per_s"]
        assert limit["ratio"] == pytest.approx(limit["hansa_per_s"] / limit["limit_per_s"])
    assert [each["row"] for each in report["ratios"]] == ["B3", "B3", "", "", "B5", "B5"]
    assert len(report["elsewhere"]) == 4
    assert report["profile"]["own"]
    assert sum(report["profile"]["threads"].values()) == pytest.approx(1, abs=0.1)


def check_load(load: dict[str, Any]) -> None:
    spread = load["transactions_per_s"]
    assert 0 < spread["least"] <= spread["median"] <= spread["most"]
    assert load["messages_per_s"]["median"] == pytest.approx(spread["median"] * load["messages"])
    assert load["lost"] == 0
    assert load["refused"] == {}
    assert set(load["cores"]) == {"engines", "nodes", "sender", "others"}


def test_the_report_is_printed_for_people_from_what_json_says() -> None:
    from hansa.cli.bench.report import Report
    from hansa.cli.bench.tables import format_report

    kept = Path(__file__).resolve().parents[2] / "docs" / "bench"
    for path in sorted(kept.glob("network*.json")):
        report = msgspec.json.decode(path.read_bytes(), type=Report)
        text = format_report(report)
        assert report.command in text
        assert all(network.name in text for network in report.networks)
