"""Snapshots: the same state gives the same bytes; whoever offers other bytes is refused by name."""

import random
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.crypto.hashing import sha256
from hansa.ledger.tree_bucket import compute_change
from hansa.node import snapshot_format, snapshots, spill
from hansa.node.snapshot_format import (
    Part,
    RefusedChunk,
    RefusedSnapshot,
    Snapshot,
    check_offer,
    decode_chunk,
    decode_metadata,
    encode_chunk,
    encode_frame,
)
from hansa.node.snapshots import PROMISE_S, PROMISED_MAX, Snapshots
from hansa.node.storage import Storage
from tests.node.states import grow, make_records, make_storage


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of some kilobytes, files of some records: every path of the code on a small state."""
    monkeypatch.setattr(snapshots, "CHUNK_BYTES_USUAL", 2_000)
    monkeypatch.setattr(snapshots, "CHUNK_BYTES_MAX", 8_000)
    monkeypatch.setattr(snapshots, "READ_BYTES_MAX", 20_000)
    monkeypatch.setattr(spill, "WAITING_BYTES_MAX", 10_000)
    monkeypatch.setattr(spill, "RECORDS_PER_FILE", 64)


def take(folder: Path, storage: Storage) -> tuple[Snapshot, list[bytes]]:
    """A snapshot of what is committed, and all its chunks."""
    made = Snapshots(folder, storage, rest=0.0)
    assert made.begin(storage.height)
    made.wait()
    snapshot = made.list()[0]
    chunks = [made.load(snapshot.height, snapshot.format, i) for i in range(snapshot.chunks)]
    made.close()
    return snapshot, [chunk for chunk in chunks if chunk is not None]


def grind(bits: int, count: int) -> dict[bytes, bytes]:
    """Records whose keys were sought until their paths begin with `bits` zeros."""
    found: dict[bytes, bytes] = {}
    number = 0
    while len(found) < count:
        key = f"app/evil/{number}".encode()
        if int.from_bytes(compute_change(key, None)[0], "big") >> (256 - bits) == 0:
            found[key] = bytes(400)
        number += 1
    return found


def test_same_state_written_in_another_order_gives_the_same_bytes(
    tmp_path: Path, small_chunks: None
) -> None:
    records = make_records(2_000)
    keys = list(records)
    one = make_storage(tmp_path / "one", records)
    grow(one, {})
    random.Random(2).shuffle(keys)
    half = dict.fromkeys(keys[:900], b"old") | {b"app/kind/gone": b"x"}
    two = make_storage(tmp_path / "two", half)
    grow(two, {key: records[key] for key in keys} | {b"app/kind/gone": None})
    assert one.root == two.root
    first, second = take(tmp_path / "a", one), take(tmp_path / "b", two)
    assert first == second
    assert first[0].chunks > 100 and len(first[1]) == first[0].chunks
    one.close()
    two.close()


def test_files_of_the_first_pass_do_not_show_in_the_bytes(
    tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make_storage(tmp_path / "data", make_records(1_500) | grind(8, 120))
    grow(storage, {})
    seen = {}
    for per_file, read_max in ((10**9, 10**9), (64, 10**9), (16, 20_000), (1_000, 20_000)):
        monkeypatch.setattr(spill, "RECORDS_PER_FILE", per_file)
        monkeypatch.setattr(snapshots, "READ_BYTES_MAX", max(read_max, 4 * 8_000))
        seen[per_file, read_max] = take(tmp_path / f"s{per_file}-{read_max}", storage)
    assert len({(each[0], tuple(each[1])) for each in seen.values()}) == 1
    storage.close()


def test_crowded_subtree_is_cut_into_chunks_of_bounded_size(
    tmp_path: Path, small_chunks: None
) -> None:
    """Keys sought for their paths make one prefix large, never one chunk."""
    storage = make_storage(tmp_path / "data", make_records(300) | grind(10, 60))
    grow(storage, {})
    snapshot, chunks = take(tmp_path / "s", storage)
    assert max(len(chunk) for chunk in chunks) <= 8_000
    parts = check_offer(snapshot, storage.root)
    assert max(part.depth for part in parts) > min(part.depth for part in parts)
    storage.close()


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_tiny_state_is_one_chunk(tmp_path: Path, count: int) -> None:
    storage = make_storage(tmp_path / "data", make_records(count))
    grow(storage, {})
    snapshot, chunks = take(tmp_path / "s", storage)
    (part,) = check_offer(snapshot, storage.root)
    assert len(decode_chunk(0, chunks[0], part)) == count
    assert chunks[0], "CometBFT takes an empty chunk for a missing one"
    storage.close()


def test_snapshot_is_of_the_height_at_which_it_began(tmp_path: Path) -> None:
    """Blocks go on while it is made."""
    storage = make_storage(tmp_path / "data", make_records(500))
    grow(storage, {b"app/kind/x": b"1"})
    root = storage.root
    made = Snapshots(tmp_path / "s", storage, rest=0.0)
    held = threading.Event()
    made._pause = lambda _worked: held.wait(10)  # type: ignore[method-assign]
    assert made.begin(1) and not made.begin(1)
    grow(storage, dict.fromkeys(make_records(400), b"other"))
    assert made.list() == []
    held.set()
    made.wait()
    (snapshot,) = made.list()
    assert snapshot.height == 1
    decode_metadata(snapshot.metadata, root)
    made.close()
    storage.close()


def test_last_two_are_kept_and_found_again(tmp_path: Path) -> None:
    storage = make_storage(tmp_path / "data", make_records(50))
    made = Snapshots(tmp_path / "s", storage, rest=0.0)
    for number in range(4):
        grow(storage, {b"app/kind/x": b"%d" % number})
        assert made.begin(storage.height)
        made.wait()
    assert [each.height for each in made.list()] == [4, 3]
    assert made.load(2, 1, 0) is None and made.load(4, 2, 0) is None
    assert made.load(4, 1, 1) is None and made.load(4, 1, -1) is None
    assert not made.begin(2), "the state of height 2 is gone"
    again = Snapshots(tmp_path / "s", storage)
    assert again.list() == made.list()
    assert again.load(4, 1, 0) == made.load(4, 1, 0)
    storage.close()


def test_a_snapshot_that_a_joining_node_was_told_of_is_kept_while_it_fetches(
    tmp_path: Path,
) -> None:
    """Blocks come faster than chunks are fetched: it must be able to end, but not keep all."""
    clock = [1_000.0]
    storage = make_storage(tmp_path / "data", make_records(50))
    made = Snapshots(tmp_path / "s", storage, rest=0.0, now=lambda: clock[0])

    def grow_by_one() -> None:
        grow(storage, {b"app/kind/x": b"%d" % storage.height})
        assert made.begin(storage.height)
        made.wait()

    grow_by_one()
    assert [each.height for each in made.promise()] == [1]
    for _ in range(PROMISED_MAX + 3):
        grow_by_one()
        made.promise()
    newest = storage.height
    kept = [newest, newest - 1, *range(PROMISED_MAX, 0, -1)]
    assert [each.height for each in made.list()] == kept
    clock[0] += PROMISE_S - 1
    assert made.load(1, 1, 0) is not None
    clock[0] += 2
    grow_by_one()
    kept = [newest + 1, newest, 1]
    assert [each.height for each in made.list()] == kept, "a fetched one stays longer"
    clock[0] += PROMISE_S
    grow_by_one()
    assert [each.height for each in made.list()] == [newest + 2, newest + 1]
    storage.close()


def test_half_made_snapshot_is_removed_at_the_next_start(tmp_path: Path) -> None:
    storage = make_storage(tmp_path / "data", make_records(50))
    grow(storage, {})
    made = Snapshots(tmp_path / "s", storage, rest=0.0)
    assert made.begin(1)
    made.wait()
    for name in ("7.making", "8"):
        (tmp_path / "s" / name).mkdir()
        (tmp_path / "s" / name / "chunks").write_bytes(b"half")
    again = Snapshots(tmp_path / "s", storage)
    assert [each.height for each in again.list()] == [1]
    assert [each.name for each in (tmp_path / "s").iterdir()] == ["1"]
    storage.close()


def test_closing_node_does_not_wait_for_the_snapshot_in_hand(tmp_path: Path) -> None:
    storage = make_storage(tmp_path / "data", make_records(3_000))
    grow(storage, {})
    made = Snapshots(tmp_path / "s", storage, rest=10**9)
    assert made.begin(1)
    made.close()
    assert made.list() == [] and not made.begin(1)
    storage.close()
    Storage(tmp_path / "data", storage.identity).close()  # the pinned view is let go


def test_damaged_chunk_is_not_given_out(tmp_path: Path) -> None:
    """Else the node that sent it would be taken for a liar."""
    storage = make_storage(tmp_path / "data", make_records(50))
    grow(storage, {})
    snapshot, chunks = take(tmp_path / "s", storage)
    path = tmp_path / "s" / "1" / "chunks"
    path.write_bytes(chunks[0][:-1] + bytes([chunks[0][-1] ^ 1]))
    assert Snapshots(tmp_path / "s", storage).load(1, snapshot.format, 0) is None
    storage.close()


def test_record_that_is_not_the_trees_makes_no_snapshot(tmp_path: Path) -> None:
    storage = make_storage(tmp_path / "data", make_records(50))
    grow(storage, {})
    batch = storage._store.batch()
    batch.put("records", b"app/kind/00000001", b"forged")
    storage._store.commit(batch)
    made = Snapshots(tmp_path / "s", storage, rest=0.0)
    assert made.begin(1)
    made.wait()
    assert made.list() == [] and list((tmp_path / "s").iterdir()) == []
    storage.close()


class Offer:
    """A snapshot of a few chunks, for forging."""

    def __init__(self, folder: Path) -> None:
        storage = make_storage(folder / "data", make_records(60, size=60))
        grow(storage, {})
        self.root = storage.root
        self.snapshot, self.chunks = take(folder / "s", storage)
        self.parts = check_offer(self.snapshot, self.root)
        storage.close()


@pytest.fixture(scope="module")
def offer(tmp_path_factory: pytest.TempPathFactory) -> Offer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "CHUNK_BYTES_USUAL", 600)
        return Offer(tmp_path_factory.mktemp("offer"))


def edits(data: bytes) -> st.SearchStrategy[bytes]:
    """`data` with a byte changed, cut out, or put in; cut off; or with bytes behind it."""
    place = st.integers(0, len(data) - 1)
    return st.one_of(
        st.builds(lambda i, x: data[:i] + bytes([data[i] ^ x]) + data[i + 1 :], place,
                  st.integers(1, 255)),
        st.builds(lambda i: data[:i] + data[i + 1 :], place),
        st.builds(lambda i, x: data[:i] + bytes([x]) + data[i:], place, st.integers(0, 255)),
        st.builds(lambda i: data[:i], place),
        st.builds(lambda more: data + more, st.binary(min_size=1, max_size=40)),
    )  # fmt: skip


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_edit_of_a_chunk_is_refused(offer: Offer, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(offer.chunks) - 1))
    forged = data.draw(edits(offer.chunks[index]))
    if forged == offer.chunks[index]:
        return
    with pytest.raises(RefusedChunk) as caught:
        decode_chunk(index, forged, offer.parts[index])
    assert caught.value.index == index


def test_every_byte_of_a_chunk_counts(offer: Offer) -> None:
    for place in range(len(offer.chunks[0])):
        forged = bytearray(offer.chunks[0])
        forged[place] ^= 1 << place % 8
        with pytest.raises(RefusedChunk):
            decode_chunk(0, bytes(forged), offer.parts[0])


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_edit_of_the_metadata_is_refused_or_says_the_same(
    offer: Offer, data: st.DataObject
) -> None:
    """With its hash made right. The same: roots and places of all chunks are as they were."""
    forged = data.draw(edits(offer.snapshot.metadata))
    count = max(1, (len(forged) - 8) // 34)
    made = Snapshot(1, snapshot_format.SNAPSHOT_FORMAT, count, sha256(forged), forged)
    try:
        parts = check_offer(made, offer.root)
    except RefusedSnapshot:
        return
    assert [(each.node, each.root) for each in parts] == [
        (each.node, each.root) for each in offer.parts
    ]


def frames_of(chunk: bytes) -> list[bytes]:
    return [frame for frame, _key, _value in snapshot_format.decode_frames(chunk, 4)]


def test_hostile_chunks_are_refused_for_what_they_are(offer: Offer) -> None:
    chunk, part = offer.chunks[1], offer.parts[1]
    frames = frames_of(chunk)
    key = next(key for _frame, key, _value in snapshot_format.decode_frames(chunk, 4))
    value = next(value for _frame, _key, value in snapshot_format.decode_frames(chunk, 4))
    forged = {
        "changed, missing": encode_chunk(frames[:-1]),
        "too many": encode_chunk([encode_frame(key, value + b"x"), *frames[1:]]),
        "belongs into another": encode_chunk(
            sorted([*frames, frames_of(offer.chunks[0])[0]])
        ),
        "not in order": encode_chunk(frames[::-1]),
        "order": encode_chunk([frames[0], *frames]),
        "cut off": chunk[:-1],
        "cut off inside a record's lengths": chunk + b"\x00",
        "says": (99).to_bytes(4, "big") + chunk[4:],
        "no beginning": b"",
        "longer than": bytes(snapshot_format.CHUNK_BYTES_MAX + 1),
    }  # fmt: skip
    for reason, data in forged.items():
        with pytest.raises(RefusedChunk, match=reason):
            decode_chunk(1, data, part)


def test_record_under_another_key_is_refused(offer: Offer) -> None:
    """Two records of one chunk whose values are exchanged: all lengths and paths are right."""
    chunk, part = next(
        (chunk, part)
        for chunk, part in zip(offer.chunks, offer.parts, strict=True)
        if len(frames_of(chunk)) > 1
    )
    pairs = [(key, value) for _frame, key, value in snapshot_format.decode_frames(chunk, 4)]
    exchanged = [(pairs[0][0], pairs[1][1]), (pairs[1][0], pairs[0][1]), *pairs[2:]]
    with pytest.raises(RefusedChunk, match="under another key"):
        decode_chunk(0, encode_chunk([encode_frame(*pair) for pair in exchanged]), part)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "format 2"),
        ({"height": 0}, "no height"),
        ({"hash": bytes(32)}, "its hash"),
        ({"chunks": 1}, "says 1 chunks"),
    ],
)
def test_offer_that_contradicts_itself_is_refused(
    offer: Offer, change: dict[str, object], reason: str
) -> None:
    made = snapshots.Snapshot(**{**_fields(offer.snapshot), **change})  # type: ignore[arg-type]
    with pytest.raises(RefusedSnapshot, match=reason) as caught:
        check_offer(made, offer.root)
    assert caught.value.is_format == ("format" in change)


def _fields(snapshot: Snapshot) -> dict[str, object]:
    return {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}


def test_offer_of_another_state_is_refused(offer: Offer) -> None:
    with pytest.raises(RefusedSnapshot, match="not 0000"):
        check_offer(offer.snapshot, bytes(32))


PLAIN = bytes(range(32))


@pytest.mark.parametrize(
    "depths", [[1], [1, 1, 1], [1, 2], [2, 1, 2], [2, 1, 1], [0, 0], [2, 2, 2, 2, 1], [49], []]
)
def test_chunks_that_do_not_make_up_the_tree_are_refused(depths: list[int]) -> None:
    body = snapshot_format.encode_metadata(Part(depth, 0, 2, PLAIN) for depth in depths)
    with pytest.raises(RefusedSnapshot):
        decode_metadata(body, PLAIN)


@pytest.mark.parametrize(("content", "root"), [(0, PLAIN), (1, bytes(32)), (3, PLAIN)])
def test_impossible_chunk_is_refused(content: int, root: bytes) -> None:
    body = snapshot_format.encode_metadata([Part(0, 0, content, root)])
    with pytest.raises(RefusedSnapshot, match="impossible"):
        decode_metadata(body, root)
