"""A node is backed up while it works; elsewhere the same state goes on, and no height is signed
twice.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hansa.cli.backups.faults import BackupError, WrongHeight
from hansa.cli.backups.restoring import RESTING, Vote
from hansa.comet.sign_state import read_sign_state
from hansa.node.archive import Archive
from hansa.node.audit import check_chain
from hansa.node.faults import LockedFolderError
from hansa.node.home import KEYS, VALIDATOR, open_home
from hansa.node.ledger_node import LedgerNode
from hansa.node.sealer import build_validators
from tests.backups.pieces import WORDS, back_up, bring_back
from tests.node.comet_league import CometLeague
from tests.node.league import ToyLeague, read_counter

pytestmark = pytest.mark.slow
WITHIN_S = 60


@contextmanager
def busy(node: LedgerNode, league: ToyLeague | CometLeague) -> Iterator[None]:
    """Somebody sends as fast as it goes."""
    ended = threading.Event()
    count = league.count if isinstance(league, ToyLeague) else league.count_up

    def send() -> None:
        number = 0
        while not ended.is_set():
            ids = [node.submit(count(f"busy{(number := number + 1) % 50}")) for _ in range(5)]
            node.wait(ids[-1], WITHIN_S)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()


def root_at(node: LedgerNode, height: int) -> str:
    head = node._storage.head(height)
    assert head is not None
    return head.state_root.hex()


def test_back_ups_under_load_go_on_from_the_same_state(tmp_path: Path) -> None:
    league = ToyLeague(tmp_path / "home")
    league.create()
    with league.open() as node:
        with busy(node, league):
            made = []
            for number in range(6):
                node.wait_height(node.height + 5, WITHIN_S)
                made.append(back_up(league.folder, tmp_path / f"file{number}", WORDS))
        roots = [root_at(node, each.listing.height) for each in made]
    assert len({each.listing.height for each in made}) == 6
    assert [each.listing.root for each in made] == roots
    assert not (league.folder / ".backup").exists()
    for number, each in enumerate(made):
        home = tmp_path / f"again{number}"
        assert bring_back(each.file, home, WORDS).votes == "now"
        with Archive(home) as archive:
            validators = build_validators(archive.home.genesis)
            check_chain(archive.storage, archive.chain, validators)
    again = ToyLeague(home)
    with again.open() as node:
        assert root_at(node, each.listing.height) == each.listing.root
        before = read_counter(node, "x")
        assert node.wait(node.submit(again.count()), WITHIN_S).state == "committed"
        assert read_counter(node, "x") == before + 1
        assert node.height > each.listing.height


def test_a_back_up_while_blocks_are_pruned_and_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files come and go under it: what is linked stays."""
    monkeypatch.setattr("hansa.node.key_value.WRITE_BUFFER_BYTES", 48 * 1024)
    monkeypatch.setattr("hansa.node.storage.EXPIRY_WINDOW", 2)
    league = ToyLeague(tmp_path / "home")
    league.create()
    with league.open() as node, busy(node, league):
        for number in range(6):
            node.wait_height(node.height + 20, WITHIN_S)
            node._storage.prune(node.height - 3)
            made = back_up(league.folder, tmp_path / f"file{number}")
            done = bring_back(made.file, tmp_path / f"again{number}")
            assert done.votes == "no key"
            assert done.listing.root == root_at(node, made.listing.height)


def test_keys_are_in_it_only_under_the_passphrase(tmp_path: Path) -> None:
    league = ToyLeague(tmp_path / "home")
    league.create()
    secret = (league.folder / KEYS / VALIDATOR).read_bytes()
    plain = back_up(league.folder, tmp_path / "plain")
    sealed = back_up(league.folder, tmp_path / "sealed", WORDS)
    assert plain.listing.keys == "left out"
    assert not any(entry.path.startswith("keys") for entry in plain.listing.files)
    for file in (plain.file, sealed.file):
        assert file.stat().st_mode & 0o077 == 0
        assert secret not in file.read_bytes()
        assert b"hansa.validator-key" not in file.read_bytes()
    bring_back(sealed.file, tmp_path / "again", WORDS)
    assert (tmp_path / "again" / KEYS / VALIDATOR).read_bytes() == secret
    assert (tmp_path / "again" / KEYS / VALIDATOR).stat().st_mode & 0o077 == 0
    with league.open(), pytest.raises(LockedFolderError):
        league.open()


@pytest.fixture(scope="module")
def comet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str, CometLeague]:
    """A back-up of a validator under CometBFT, made while it works; its height and app hash."""
    folder = tmp_path_factory.mktemp("comet")
    league = CometLeague(folder / "homes")
    league.create()
    with league.open() as node, busy(node, league):
        node.wait_height(5, WITHIN_S)
        made = back_up(league.home(1), folder / "file", WORDS)
        height = made.listing.height
        assert made.listing.has_engine
        assert made.listing.root == root_at(node, height)
    assert read_sign_state(league.home(1) / "engine")[0] >= height
    return made.file, height, made.listing.root, league


def test_the_last_of_a_league_goes_on_under_cometbft(
    comet: tuple[Path, int, str, CometLeague], tmp_path: Path
) -> None:
    file, height, root, league = comet
    home = tmp_path / "again"
    assert bring_back(file, home, WORDS, Vote(is_last=True)).votes == "now"
    assert read_sign_state(home / "engine")[0] == height
    with LedgerNode.open(home, league.registry) as node:
        assert root_at(node, height) == root
        assert node.wait(node.submit(league.count_up("again")), WITHIN_S).state == "committed"
        assert node.height > height


def test_a_restored_validator_rests_until_it_is_said_where_the_league_is(
    comet: tuple[Path, int, str, CometLeague], tmp_path: Path
) -> None:
    file, height, _root, _league = comet
    assert bring_back(file, tmp_path / "rests", WORDS).votes == "resting"
    keys = tmp_path / "rests" / KEYS
    assert not (keys / VALIDATOR).exists()
    assert (keys / RESTING).exists()
    assert bring_back(file, tmp_path / "later", WORDS, Vote(height + 70)).votes == "later"
    assert read_sign_state(tmp_path / "later" / "engine")[0] == height + 71
    with pytest.raises(WrongHeight):
        bring_back(file, tmp_path / "no", WORDS, Vote(height - 1))
    assert not (tmp_path / "no").exists()


def test_what_a_validator_signed_is_in_no_back_up(
    comet: tuple[Path, int, str, CometLeague],
) -> None:
    from hansa.cli.backups.reading import Backup

    with Backup(comet[0]) as opened:
        paths = [entry.path for entry in opened.listing.files]
    assert not any("priv_validator" in path or "cs.wal" in path for path in paths)
    assert any(path.startswith("engine/data/blockstore.db/") for path in paths)


def test_an_embedded_league_takes_no_word_of_others(tmp_path: Path) -> None:
    league = ToyLeague(tmp_path / "home")
    league.create()
    made = back_up(league.folder, tmp_path / "file")
    with pytest.raises(BackupError):
        bring_back(made.file, tmp_path / "again", vote=Vote(7))
    assert open_home(league.folder).genesis.chain == made.listing.chain
