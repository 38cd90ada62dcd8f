"""The server answers every call, in order, one application call at a time where that is owed."""

import socket
import stat
import threading
from pathlib import Path

import pytest

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.connection import PENDING_BYTES_MAX
from hansa.comet.abci.empty import EmptyApplication
from hansa.comet.abci.handler import StopNode
from hansa.comet.abci.listener import SocketRefused
from hansa.comet.abci.server import Server
from hansa.encoding.protobuf import delimit
from tests.comet.abci.speaker import (
    PATIENCE_S,
    Running,
    Speaker,
    encode_requests,
    serve,
    wait_until,
)

KINDS = [field.name for field in abci.Request.DESCRIPTOR.fields]
CONSENSUS = [
    "init_chain",
    "prepare_proposal",
    "process_proposal",
    "extend_vote",
    "verify_vote_extension",
    "finalize_block",
    "commit",
    "offer_snapshot",
    "apply_snapshot_chunk",
]
MEMPOOL = ["check_tx", "insert_tx", "reap_txs"]
BESIDE = ["info", "query", "list_snapshots", "load_snapshot_chunk", "echo", "flush"]
FLUSH = abci.Request(flush=abci.RequestFlush())


def make_request(kind: str) -> abci.Request:
    request = abci.Request()
    getattr(request, kind).SetInParent()
    return request


def make_check(number: int) -> abci.Request:
    return abci.Request(check_tx=abci.RequestCheckTx(tx=str(number).encode()))


class Recorder(EmptyApplication):
    """Notes its calls; `held` calls wait until `release`."""

    def __init__(self, *held: str) -> None:
        super().__init__()
        self.held = held
        self.entered = threading.Event()
        self.release = threading.Event()
        self.calls: list[str] = []
        for kind in KINDS:
            if kind not in ("echo", "flush"):
                setattr(self, kind, self._record(kind, getattr(self, kind)))

    def _record(self, kind, answer):
        def recorded(request):
            self.calls.append(kind)
            if kind in self.held:
                self.entered.set()
                assert self.release.wait(PATIENCE_S)
            return answer(request)

        return recorded


class Echoing(EmptyApplication):
    """Gives back what it was asked, so that answers can be told apart."""

    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        return abci.ResponseCheckTx(data=request.tx, code=7, log="why")

    def query(self, request: abci.RequestQuery) -> abci.ResponseQuery:
        return abci.ResponseQuery(value=request.data, height=request.height)


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_is_answered_by_its_own_kind(tmp_path: Path, kind: str) -> None:
    with serve(tmp_path, application := Recorder()) as running:
        speaker = running.connect()
        speaker.say(make_request(kind))
        answer = speaker.hear()
        assert answer is not None
        assert answer.WhichOneof("value") == kind
        assert application.calls == ([] if kind in ("echo", "flush") else [kind])


def test_the_application_gets_what_the_engine_sent_and_the_engine_what_it_answered(
    tmp_path: Path,
) -> None:
    with serve(tmp_path, Echoing()) as running:
        speaker = running.connect()
        assert speaker.ask(echo=abci.RequestEcho(message="hé")).echo.message == "hé"
        answer = speaker.ask(check_tx=abci.RequestCheckTx(tx=b"a" * 700)).check_tx
        assert (answer.code, answer.data, answer.log) == (7, b"a" * 700, "why")
        query = speaker.ask(query=abci.RequestQuery(data=bytes(2_000_000), height=9)).query
        assert (len(query.value), query.height) == (2_000_000, 9)


def test_calls_that_hansa_leaves_out_are_answered_as_absent(tmp_path: Path) -> None:
    with serve(tmp_path) as running:
        speaker = running.connect()
        assert speaker.ask(extend_vote=abci.RequestExtendVote()).extend_vote.vote_extension == b""
        status = abci.ResponseVerifyVoteExtension
        for extension, wanted in ((b"", status.ACCEPT), (b"x", status.REJECT)):
            request = abci.RequestVerifyVoteExtension(vote_extension=extension)
            answer = speaker.ask(verify_vote_extension=request)
            assert answer.verify_vote_extension.status == wanted
        assert speaker.ask(insert_tx=abci.RequestInsertTx(tx=b"x")).insert_tx.code != 0
        assert list(speaker.ask(reap_txs=abci.RequestReapTxs()).reap_txs.txs) == []


def test_pipelined_answers_keep_the_order_of_the_requests(tmp_path: Path) -> None:
    requests: list[abci.Request] = []
    for number in range(3_000):
        requests.append(make_check(number))
        if number % 7 == 0:
            requests.append(FLUSH)
        if number % 11 == 0:
            requests.append(abci.Request(query=abci.RequestQuery(data=b"q%d" % number)))
        if number % 13 == 0:
            requests.append(abci.Request(commit=abci.RequestCommit()))
    with serve(tmp_path, Echoing()) as running:
        speaker = running.connect()
        writer = threading.Thread(target=speaker.say, args=requests)
        writer.start()
        for request in requests:
            answer = speaker.hear()
            assert answer is not None
            kind = request.WhichOneof("value")
            assert answer.WhichOneof("value") == kind
            assert answer.check_tx.data == request.check_tx.tx
            assert answer.query.value == request.query.data
        writer.join()


def test_a_flush_is_answered_while_later_calls_still_run(tmp_path: Path) -> None:
    application = Recorder("commit")
    with serve(tmp_path, application) as running:
        speaker = running.connect()
        speaker.say(make_check(1), FLUSH, make_request("commit"))
        kinds = [
            answer.WhichOneof("value") for answer in (speaker.hear(), speaker.hear()) if answer
        ]
        assert kinds == ["check_tx", "flush"]
        application.release.set()
        assert speaker.hear() is not None


def test_answers_of_one_read_are_written_in_one_go_but_not_without_bound(tmp_path: Path) -> None:
    """Many small requests with large answers: the server holds one bound's worth, no more."""

    class Generous(EmptyApplication):
        def load_snapshot_chunk(
            self, request: abci.RequestLoadSnapshotChunk
        ) -> abci.ResponseLoadSnapshotChunk:
            asked.append(request.chunk)
            return abci.ResponseLoadSnapshotChunk(chunk=bytes(PENDING_BYTES_MAX))

    asked: list[int] = []
    count = 50
    chunks = [
        abci.Request(load_snapshot_chunk=abci.RequestLoadSnapshotChunk(chunk=number))
        for number in range(count)
    ]
    with serve(tmp_path, Generous()) as running:
        speaker = running.connect()
        speaker.say(*chunks)
        first = speaker.hear()
        assert first is not None
        assert len(asked) < count  # the rest is asked only as the reader takes it
        for _ in range(count - 1):
            assert speaker.hear() is not None
    assert asked == list(range(count))


@pytest.mark.parametrize("running_call", CONSENSUS + MEMPOOL)
def test_consensus_and_mempool_never_run_beside_each_other(
    tmp_path: Path, running_call: str
) -> None:
    others = [kind for kind in CONSENSUS + MEMPOOL if kind != running_call]
    application = Recorder(running_call)
    with serve(tmp_path, application) as running:
        running.connect().say(make_request(running_call))
        assert application.entered.wait(PATIENCE_S)
        speakers = [running.connect() for _ in others]
        for speaker, kind in zip(speakers, others, strict=True):
            speaker.say(make_request(kind))
        # The others have arrived when calls that need no turn were answered behind them.
        assert running.connect().ask(query=abci.RequestQuery()).WhichOneof("value") == "query"
        assert set(application.calls) == {running_call, "query"}
        application.release.set()
        for speaker, kind in zip(speakers, others, strict=True):
            answer = speaker.hear()
            assert answer is not None
            assert answer.WhichOneof("value") == kind


@pytest.mark.parametrize("kind", BESIDE)
def test_queries_and_snapshots_are_answered_beside_a_running_block(
    tmp_path: Path, kind: str
) -> None:
    application = Recorder("finalize_block")
    with serve(tmp_path, application) as running:
        running.connect().say(make_request("finalize_block"))
        assert application.entered.wait(PATIENCE_S)
        speaker = running.connect()
        speaker.say(make_request(kind))
        answer = speaker.hear()
        assert answer is not None
        assert answer.WhichOneof("value") == kind
        application.release.set()


def test_consensus_goes_before_the_transactions_that_wait(tmp_path: Path) -> None:
    """Of 1,000 checks in one read, none begins after the block that asked during the first."""

    class Slow(Recorder):
        def __init__(self) -> None:
            super().__init__("check_tx")

    application = Slow()
    with serve(tmp_path, application) as running:
        mempool, consensus = running.connect(), running.connect()
        mempool.say(*map(make_check, range(1_000)))
        assert application.entered.wait(PATIENCE_S)
        consensus.say(make_request("finalize_block"))
        wait_until(lambda: running.server._turns.wanted > 0)
        application.release.set()
        assert consensus.hear() is not None
        assert application.calls.index("finalize_block") == 1
        for _ in range(1_000):
            assert mempool.hear() is not None


def fatal_answer(running: Running, kind: str) -> tuple[str, BaseException]:
    """What the engine is told by a call whose handler raises, and what `on_fatal` is told."""
    other, speaker = running.connect(), running.connect()
    other.ask(echo=abci.RequestEcho())
    speaker.say(FLUSH, make_request(kind), make_request("info"))
    first, second = speaker.hear(), speaker.hear()
    assert first is not None
    assert second is not None
    assert first.WhichOneof("value") == "flush"
    assert second.WhichOneof("value") == "exception"
    assert speaker.hear() is None
    assert other.hear() is None
    return second.exception.error, running.told.wait()


@pytest.mark.parametrize("kind", ["info", "check_tx", "commit", "apply_snapshot_chunk"])
def test_stop_node_reaches_the_engine_and_ends_the_server(tmp_path: Path, kind: str) -> None:
    application = Recorder()

    def refuse(_request: object) -> object:
        raise StopNode("the application is too old: züge \ud800")

    setattr(application, kind, refuse)
    with serve(tmp_path, application) as running:
        text, told = fatal_answer(running, kind)
        assert text == "the application is too old: züge \\ud800"
        assert isinstance(told, StopNode)
        running.server.stop()
        assert not running.path.exists()
        assert application.calls == []
    assert len(running.told) == 1


@pytest.mark.parametrize(
    "error", [ValueError("odd"), KeyError("x"), MemoryError(), RecursionError("deep")]
)
def test_any_other_fault_of_the_application_ends_the_server_too(
    tmp_path: Path, error: BaseException
) -> None:
    application = EmptyApplication()

    def fail(_request: object) -> object:
        raise error

    application.finalize_block = fail
    with serve(tmp_path, application) as running:
        text, told = fatal_answer(running, "finalize_block")
        assert text == f"finalize_block: {type(error).__name__} in the node"  # none of its words
        assert told is error


@pytest.mark.parametrize("answer", [None, abci.ResponseInfo(), b""])
def test_an_answer_of_another_kind_is_a_fault_not_bytes_on_the_wire(
    tmp_path: Path, answer: object
) -> None:
    application = EmptyApplication()
    application.check_tx = lambda _request: answer
    with serve(tmp_path, application) as running:
        text, told = fatal_answer(running, "check_tx")
        assert text == "check_tx: TypeError in the node"
        assert isinstance(told, TypeError)
        assert "ResponseCheckTx" in str(told)


def test_on_fatal_is_told_although_the_engine_is_gone(tmp_path: Path) -> None:
    application = Recorder("commit")

    def fail(_request: object) -> object:
        application.entered.set()
        assert application.release.wait(PATIENCE_S)
        raise StopNode("no disk")

    application.commit = fail
    with serve(tmp_path, application) as running:
        speaker = running.connect()
        speaker.say(make_request("commit"))
        assert application.entered.wait(PATIENCE_S)
        speaker.close()
        application.release.set()
        assert str(running.told.wait()) == "no disk"


def test_on_fatal_is_told_although_nothing_can_be_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk takes the log first."""

    class Full:
        def error(self, *_words: object, **_more: object) -> None:
            raise OSError(28, "No space left on device")

        warning = error

    monkeypatch.setattr("hansa.comet.abci.connection._log", Full())
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    application = EmptyApplication()
    application.check_tx = lambda _request: None
    with serve(tmp_path, application) as running:
        text, _told = fatal_answer(running, "check_tx")
        assert text.startswith("check_tx")


def test_on_fatal_may_stop_the_server(tmp_path: Path) -> None:
    stopped = threading.Event()

    def stop(_error: BaseException) -> None:
        server.stop()
        stopped.set()

    application = EmptyApplication()
    application.check_tx = lambda _request: None
    server = Server(tmp_path / "s" / "abci.sock", application, on_fatal=stop)
    server.start()
    speaker = Speaker(server.path)
    speaker.say(make_check(1))
    assert stopped.wait(PATIENCE_S)
    speaker.close()


def test_stop_waits_for_the_call_that_runs_and_begins_no_other(tmp_path: Path) -> None:
    application = Recorder("commit")
    with serve(tmp_path, application) as running:
        speaker = running.connect()
        speaker.say(make_request("commit"), make_request("info"))
        assert application.entered.wait(PATIENCE_S)
        stopper = threading.Thread(target=running.server.stop)
        stopper.start()
        assert speaker.hear() is None
        assert stopper.is_alive()
        application.release.set()
        stopper.join(PATIENCE_S)
        assert not stopper.is_alive()
    assert application.calls == ["commit"]
    assert running.told == []


def test_stop_may_come_twice_before_the_start_and_while_nothing_is_read(tmp_path: Path) -> None:
    never = Server(tmp_path / "a" / "abci.sock", EmptyApplication(), on_fatal=print)
    never.stop()
    never.stop()
    with pytest.raises(RuntimeError):
        never.start()
    with serve(tmp_path) as running:
        silent = running.connect()
        silent.say_bytes(delimit(bytes(300))[:5])
        running.server.stop()
        running.server.stop()
        assert silent.hear() is None
        assert not running.path.exists()
        with pytest.raises(RuntimeError):
            running.server.start()


def test_an_engine_that_comes_back_is_served_again(tmp_path: Path) -> None:
    with serve(tmp_path) as running:
        for _ in range(5):
            four = [running.connect() for _ in range(4)]
            for speaker in four:
                assert speaker.ask(flush=abci.RequestFlush()).HasField("flush")
            for speaker in four:
                speaker.close()
        assert running.connect().ask(info=abci.RequestInfo()).HasField("info")
    assert running.told == []


def test_the_socket_is_this_users_alone(tmp_path: Path) -> None:
    with serve(tmp_path) as running:
        assert stat.S_IMODE(running.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(running.path.parent.stat().st_mode) == 0o700


def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(SocketRefused, match="chmod 700"):
        Server(folder / "abci.sock", EmptyApplication(), on_fatal=print).start()
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(SocketRefused, match="not a folder"):
        Server(tmp_path / "link" / "abci.sock", EmptyApplication(), on_fatal=print).start()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_the_socket_of_a_dead_node_is_taken_over_and_of_a_live_one_not(tmp_path: Path) -> None:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(folder / "abci.sock"))
    with serve(tmp_path) as running:
        assert running.connect().ask(flush=abci.RequestFlush()).HasField("flush")
        second = Server(running.path, EmptyApplication(), on_fatal=print)
        with pytest.raises(SocketRefused, match="another node"):
            second.start()
        second.stop()
        assert running.connect().ask(flush=abci.RequestFlush()).HasField("flush")


def test_a_file_that_is_no_socket_is_kept_and_refused(tmp_path: Path) -> None:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    (folder / "abci.sock").write_text("mine")
    with pytest.raises(SocketRefused, match="not a socket"):
        Server(folder / "abci.sock", EmptyApplication(), on_fatal=print).start()
    assert (folder / "abci.sock").read_text() == "mine"


def test_a_path_that_no_socket_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SocketRefused, match="too long"):
        Server(tmp_path / ("x" * 120), EmptyApplication(), on_fatal=print).start()


def test_empty_application_counts_what_it_committed(tmp_path: Path) -> None:
    with serve(tmp_path, application := EmptyApplication()) as running:
        speaker = running.connect()
        assert speaker.ask(info=abci.RequestInfo()).info.last_block_app_hash == b""
        speaker.ask(init_chain=abci.RequestInitChain())
        request = abci.RequestFinalizeBlock(height=1, txs=[b"a", b"b"])
        block = speaker.ask(finalize_block=request).finalize_block
        assert len(block.tx_results) == 2
        assert application.count == 0  # nothing is committed yet
        assert speaker.ask(finalize_block=request).finalize_block == block
        speaker.ask(commit=abci.RequestCommit())
        info = speaker.ask(info=abci.RequestInfo()).info
        assert (info.last_block_height, info.last_block_app_hash) == (1, block.app_hash)
        prepared = speaker.ask(prepare_proposal=abci.RequestPrepareProposal(txs=[b"c"]))
        assert list(prepared.prepare_proposal.txs) == [b"c"]
        assert encode_requests() == b""
