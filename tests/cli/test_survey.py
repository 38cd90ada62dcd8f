"""`hansa status` of a network: who is missing, what is said of each node, the disk's forecast."""

import time
from pathlib import Path

import msgspec
import pytest

from hansa.cli.panorama import (
    format_bytes,
    format_disk,
    format_evidence,
    format_survey,
    list_hints,
)
from hansa.cli.survey import (
    Disk,
    NodeSight,
    QuorumSight,
    Survey,
    judge_quorum,
    judge_state,
    measure_disk,
    measure_folder,
)
from hansa.client.health import (
    EngineReport,
    EvidenceReport,
    Health,
    NetworkReport,
    ValidatorReport,
)

NAMES = {f"did:hansa:{name}": name for name in "abcd"}


def validator(name: str, *, connected: bool = True, state: str = "active") -> ValidatorReport:
    return ValidatorReport(
        address=name * 40, member=f"did:hansa:{name}", power=10, state=state, connected=connected
    )


def network(*validators: ValidatorReport, height: int = 5, **engine: bool) -> NetworkReport:
    flags = {"is_running": True, "is_reachable": True, "catching_up": False, **engine}
    return NetworkReport(
        chain="bay",
        height=height,
        sealed_height=height,
        time_ms=0,
        window=20,
        engine=EngineReport(version="v0.39.4", node="ab" * 20, height=height, **flags),
        validators=validators,
    )


def test_missing_is_who_no_node_reaches() -> None:
    one = network(validator("a"), validator("b"), validator("c", connected=False), validator("d"))
    two = network(validator("a"), validator("b"), validator("c"), validator("d", connected=False))
    assert judge_quorum([one], NAMES, set()) == QuorumSight(
        total=40, needed=27, connected=30, missing=("c",)
    )
    assert judge_quorum([one, two], NAMES, set()).missing == ()
    assert judge_quorum(
        [two, one], {f"did:hansa:{a}": b for a, b in zip("abcd", "zyxw", strict=True)}, {"z", "y"}
    ).missing == ("y", "z")
    assert judge_quorum([one, two], NAMES, {"a"}).missing == ("a",)


@pytest.mark.parametrize(
    ("there", "is_lost"), [("abcd", False), ("abc", False), ("ab", True), ("", True)]
)
def test_quorum_is_more_than_two_thirds(there: str, is_lost: bool) -> None:
    report = network(*(validator(name, connected=name in there) for name in "abcd"))
    assert judge_quorum([report], NAMES, set()).is_lost is is_lost


def test_two_of_three_are_no_quorum() -> None:
    report = network(validator("a"), validator("b"), validator("c", connected=False))
    quorum = judge_quorum([report], NAMES, set())
    assert (quorum.connected, quorum.needed, quorum.is_lost) == (20, 21, True)


def test_suspended_votes_do_not_count() -> None:
    report = network(
        validator("a"),
        validator("b"),
        validator("c", state="suspended", connected=False),
        validator("d"),
    )
    assert judge_quorum([report], NAMES, set()) == QuorumSight(
        total=30, needed=21, connected=30, missing=()
    )


@pytest.mark.parametrize(
    ("is_held", "health", "report", "state"),
    [
        (False, None, None, "stopped"),
        (True, None, None, "no answer"),
        (True, Health("failing", ledger="node.stopped"), network(), "failing"),
        (True, Health("ok"), None, "no answer"),
        (True, Health("ok"), network(is_running=False), "engine down"),
        (True, Health("ok"), network(is_reachable=False), "engine down"),
        (True, Health("ok"), network(catching_up=True), "catching up"),
        (True, Health("ok"), network(), "ok"),
        (True, Health("degraded", index="index.behind"), network(), "ok"),
    ],
)
def test_state_of_a_node_in_a_word(
    is_held: bool, health: Health | None, report: NetworkReport | None, state: str
) -> None:
    assert judge_state(is_held, health, report) == state


def survey(**changes: object) -> Survey:
    node = NodeSight(
        number=2, member="seller-a", kind="validator", node="ab" * 20, state="ok",
        url="http://127.0.0.1:1", height=7, peers=3, power=10, vote="active", signed=20,
        engine="v0.39.4",
    )  # fmt: skip
    whole = Survey(
        chain="bay-1",
        height=7,
        time_ms=1_700_000_000_000,
        window=20,
        nodes=(node,),
        validators=(),
        quorum=QuorumSight(total=40, needed=27, connected=40, missing=()),
        evidence=(),
        disk=Disk(
            free_bytes=2**40, used_bytes=2**20, age_days=2, bytes_per_day=2**19, days_left=2**21
        ),
    )
    return msgspec.structs.replace(whole, **changes)


def test_table_says_all_of_a_node() -> None:
    text = format_survey(survey())
    for word in (
        "bay-1", "seller-a", "7", "20/20", "http://127.0.0.1:1", "40 of 40", "v0.39.4", "2097152",
    ):  # fmt: skip
        assert word in text, word
    assert list_hints(Path("bay"), survey()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "stopped"}, "no node runs: hansa start bay"),
        ({"state": "no answer"}, "bay/nodes/2/node.log"),
        ({"state": "failing"}, "hansa doctor bay/nodes/2"),
        ({"state": "engine down", "last_exit": "the disk is full"}, "the disk is full"),
        ({"signed": 3}, "signed 3 of the last 20 blocks"),
        ({"index_behind": 500}, "500 blocks behind"),
    ],
)
def test_what_ails_a_node_is_said_with_a_next_step(changes: dict[str, object], said: str) -> None:
    whole = survey()
    node = msgspec.structs.replace(whole.nodes[0], **changes)
    assert said in " ".join(list_hints(Path("bay"), survey(nodes=(node,))))


def test_a_stopped_node_beside_others_is_named_with_its_own_start() -> None:
    whole = survey()
    dead = msgspec.structs.replace(whole.nodes[0], number=3, member="buyer", state="stopped")
    hints = list_hints(Path("my bay"), survey(nodes=(*whole.nodes, dead)))
    assert hints == ["node 3 (buyer) does not run: hansa start 'my bay'/nodes/3"]


def test_lost_quorum_names_who_is_missing() -> None:
    lost = survey(quorum=QuorumSight(total=40, needed=27, connected=20, missing=("a", "b")))
    text = format_survey(lost)
    assert "NO QUORUM" in text and "missing: a, b" in text and "27 needed" in text
    assert any("no block is made" in hint for hint in list_hints(Path("bay"), lost))


@pytest.mark.parametrize("outcome", ["suspended", "kept_for_quorum", "kept_by_parameter", "new"])
def test_misbehaviour_is_told_with_what_followed(outcome: str) -> None:
    each = EvidenceReport("ab" * 20, "seller-b", "duplicate_vote", 77, 0, outcome)
    text = format_evidence(each)
    assert "seller-b signed two blocks of one height (77)" in text
    assert format_survey(survey(evidence=(each,))).count("MISBEHAVIOUR") == 1


def test_suspended_votes_are_shown_until_governance_decides() -> None:
    text = format_survey(survey(validators=(validator("a"), validator("b", state="suspended"))))
    assert text.count("SUSPENDED") == 1 and "ReinstateValidator" in text


def test_forecast_of_the_disk_is_honest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "nodes" / "1"
    home.mkdir(parents=True)
    (home / "blocks").write_bytes(b"x" * 86_400)
    assert measure_folder(home) == 86_400
    monkeypatch.setattr("hansa.cli.survey._read_birth_s", lambda _league: time.time() - 600)
    young = measure_disk(tmp_path, [home])
    assert young.bytes_per_day is None and young.days_left is None
    assert "too young" in format_disk(young)
    monkeypatch.setattr("hansa.cli.survey._read_birth_s", lambda _league: time.time() - 2 * 86_400)
    old = measure_disk(tmp_path, [home])
    assert old.bytes_per_day == 43_200
    assert old.days_left == old.free_bytes // 43_200
    monkeypatch.setattr("hansa.cli.survey._read_birth_s", lambda _league: time.time() + 600)
    assert measure_disk(tmp_path, [home]).bytes_per_day is None  # a clock that is off
    (home / "blocks").write_bytes(b"")
    monkeypatch.setattr("hansa.cli.survey._read_birth_s", lambda _league: 0.0)
    assert measure_disk(tmp_path, [home]).days_left is None


def test_a_disk_that_is_nearly_full_is_said() -> None:
    full = Disk(
        free_bytes=2**30, used_bytes=2**30, age_days=9, bytes_per_day=2**29, days_left=2
    )  # fmt: skip
    assert any("nearly full" in hint for hint in list_hints(Path("bay"), survey(disk=full)))
    for days in (3, 0):
        soon = msgspec.structs.replace(full, free_bytes=2**35, days_left=days)
        assert any("nearly full" in hint for hint in list_hints(Path("bay"), survey(disk=soon)))


def test_bytes_are_readable() -> None:
    shown = [format_bytes(size) for size in (0, 1023, 1024, 5 * 2**20, 2**30, 2**41)]
    assert shown == ["0 B", "1023 B", "1.0 KiB", "5.0 MiB", "1.0 GiB", "2.0 TiB"]
