"""`--node`: a number or an address; the first node that runs; a dead one is named with a cure."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from hansa.cli.founding import Shape
from hansa.cli.league import make_league
from hansa.cli.main import root
from hansa.cli.network import NetworkError, list_nodes
from hansa.cli.place import NoSuchPlace, find_place
from hansa.cli.template import BAY
from hansa.node.lock import FolderLock
from hansa.node.running import read_running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A league of three nodes, none of which runs."""
    base = tmp_path_factory.mktemp("places")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANSA_HOME", str(base / "home"))
        make_league(base / "bay", BAY, None, Shape(3))
    return base / "bay"


@pytest.fixture
def bay(made: Path) -> Iterator[Path]:
    """The same league, with no trace of nodes that ran."""
    yield made
    for node in list_nodes(made):
        (node.folder / "running.json").unlink(missing_ok=True)


def write_running(bay: Path, number: int, text: str | None = None) -> str:
    """As a node that runs; gives its address."""
    url = f"http://127.0.0.1:{9000 + number}"
    said = {"url": url, "pid": 1, "node": "ab" * 20, "p2p": "127.0.0.1:1", "chain": "bay"}
    path = bay / "nodes" / str(number) / "running.json"
    path.write_text(json.dumps(said) if text is None else text)
    return url


def run_nodes(stack: ExitStack, bay: Path, *numbers: int) -> list[str]:
    """Have nodes held by this process, as ones that run; their addresses."""
    for number in numbers:
        stack.callback(FolderLock(bay / "nodes" / str(number)).release)
    return [write_running(bay, number) for number in numbers]


def test_a_number_names_a_node_and_no_number_the_first_that_runs(bay: Path) -> None:
    with ExitStack() as stack:
        second, third = run_nodes(stack, bay, 2, 3)
        assert find_place(bay, None).url() == second
        assert find_place(bay, "3").url() == third
        assert find_place(bay, "http://elsewhere:1").url() == "http://elsewhere:1"


def test_a_home_inside_a_league_is_that_node_of_the_league(
    bay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = bay / "nodes" / "3"
    for place in (find_place(home, None), find_place(home, "")):
        assert (place.league, place.node) == (bay, "3")
    monkeypatch.chdir(home / "keys")
    place = find_place(None, None)
    assert (place.league, place.node) == (bay, "3")
    assert find_place(None, "2").node == "2"
    assert place.default_name() == "tax-bureau"


def test_a_dead_node_is_named_with_the_next_step(bay: Path) -> None:
    write_running(bay, 2)  # left behind by kill -9
    with pytest.raises(NetworkError, match=r"node 2 of .* does not run") as caught:
        find_place(bay, "2").url()
    assert caught.value.remedy == f"hansa start {bay}/nodes/2"
    with pytest.raises(NetworkError, match="none of the 3 nodes") as caught:
        find_place(bay, None).url()
    assert caught.value.remedy == f"hansa start {bay}"
    with ExitStack() as stack:
        run_nodes(stack, bay, 3)
        with pytest.raises(NetworkError) as caught:
            find_place(bay, "2").url()
        assert caught.value.remedy.endswith(", or ask another: --node 3")


@pytest.mark.parametrize("number", ["0", "9", "4", "99999999999999999999"])
def test_there_is_no_such_node(bay: Path, number: str) -> None:
    with pytest.raises(NetworkError, match=f"no node {number}") as caught:
        find_place(bay, number).url()
    assert caught.value.remedy == "give --node 1, 2 or 3"


@pytest.mark.parametrize("node", ["two", "-1", "1.5", "²", "127.0.0.1:8480", "ftp://x", " 1"])
def test_what_is_neither_number_nor_address_is_refused(bay: Path, node: str) -> None:
    with pytest.raises(NoSuchPlace, match="neither"):
        find_place(bay, node)


def test_numbers_are_for_leagues_of_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSA_HOME", str(tmp_path / "home"))
    make_league(tmp_path / "one", BAY, None)
    with pytest.raises(NetworkError, match="one node"):
        find_place(tmp_path / "one", "1").url()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoSuchPlace, match="no league here"):
        find_place(None, "1").url()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"url": 1, "pid": 1}',
        '{"url": "http://127.0.0.1:1"}',
        '{"url": "http://127.0.0.1:1", "pid": "1"}',
        '{"url": "http://127.0.0.1:1", "pid": 1, "p2p": null}',
        '{"url": "http://127.0.0.1:1", "pid": 1, "x": "' + "x" * 20_000 + '"}',
        "[" * 9_000,
    ],
)
def test_damaged_running_file_is_named_never_believed(bay: Path, text: str) -> None:
    with ExitStack() as stack:
        run_nodes(stack, bay, 1)
        write_running(bay, 1, text)
        assert read_running(bay / "nodes" / "1" / "running.json") is None
        for node in ("1", None):
            with pytest.raises(NetworkError, match=r"running\.json does not say") as caught:
                find_place(bay, node).url()
            assert "start it anew" in caught.value.remedy
        (second,) = run_nodes(stack, bay, 2)
        assert find_place(bay, None).url() == second


def test_other_things_among_the_nodes_are_no_nodes(bay: Path) -> None:
    for name in ("05", "x", "7", "²", ".2.making"):
        (bay / "nodes" / name).mkdir()
    try:
        assert [node.number for node in list_nodes(bay)] == [1, 2, 3]
    finally:
        for name in ("05", "x", "7", "²", ".2.making"):
            (bay / "nodes" / name).rmdir()


def test_a_read_model_is_that_of_one_node(bay: Path) -> None:
    done = CliRunner().invoke(root, ["index", "rebuild", str(bay)])
    assert isinstance(done.exception, NetworkError)
    assert done.exception.remedy.endswith("/nodes/1")
    assert not (bay / "node.log").exists()
