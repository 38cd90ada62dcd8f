"""How a simulated node without a block begins: from a snapshot of others, as the engine has it.

statesync/syncer.go step by step: offer, chunks in any order from any peer, and what the light
client knows of the height. Peers that lie are the plan's. Each step is one act.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from hansa.comet.abci import types_pb2 as abci
from hansa.testing.simulation import checkers
from hansa.testing.simulation.consensus import EngineBooks, Executed
from hansa.testing.simulation.liars import twist_chunk, twist_snapshot

if TYPE_CHECKING:
    from hansa.testing.simulation.node import SimulatedNode

T = TypeVar("T")
STEP_MS: Final = 15
# So many steps without a snapshot that it could take, and it begins from the genesis.
PATIENCE: Final = 60
_Offer = abci.ResponseOfferSnapshot
_Apply = abci.ResponseApplySnapshotChunk


class Joining:
    """One node on its way in; it ends with the node's life."""

    def __init__(self, node: "SimulatedNode") -> None:
        self._node, self._stage, self._life = node, node.stage, node.life
        self._snapshot: abci.Snapshot | None = None
        self._missing: list[int] = []
        self._refused: set[bytes] = set()
        self._banned: set[str] = set()
        self._steps, self._patience = 0, PATIENCE

    def step(self) -> None:
        """The next step, and the one after it."""
        node = self._node
        if node.life != self._life or node.engine is None or not node.is_joining:
            return
        self._steps += 1
        node.act(self._fetch if self._snapshot is not None else self._offer)
        self._stage.events.after(STEP_MS, self.step)

    def _offer(self) -> None:
        """The newest snapshot that a peer tells of, and that was not refused yet."""
        node, engine = self._node, self._node.engine
        assert engine is not None
        self._patience -= 1
        if self._patience <= 0 and not engine.application.storage.height:
            node.is_joining = False
            engine.begin_again()
            return
        told = [
            (snapshot.height, peer.name, peer, snapshot)
            for peer in self._list_peers()
            for snapshot in self._list_snapshots(peer)
        ]
        if not told:
            return
        _height, _name, peer, given = max(told, key=lambda each: each[:2])
        snapshot = abci.Snapshot.FromString(given.SerializeToString())
        honest = peer.lie is None or not twist_snapshot(peer.lie, snapshot)
        app_hash = self._stage.consensus.decided(given.height + 1).header.app_hash
        request = abci.RequestOfferSnapshot(snapshot=snapshot, app_hash=app_hash)
        handler = engine.parts.handler
        result = engine.ask(lambda: handler.offer_snapshot(request)).result
        self._tell(checkers.Offered(node.name, honest, _Offer.Result.Name(result)))
        if result == _Offer.ACCEPT:
            self._snapshot = snapshot
            self._missing = sorted(
                range(snapshot.chunks),
                key=lambda index: self._stage.chance("chunk", node.name, self._life, index),
            )
        else:
            self._refused.add(snapshot.SerializeToString())

    def _list_snapshots(self, peer: "SimulatedNode") -> list[abci.Snapshot]:
        """What the peer tells of, as far as the light client can know its height by now."""
        found = _ask(peer, lambda handler: handler.list_snapshots(abci.RequestListSnapshots()))
        return [
            each
            for each in (found.snapshots if found is not None else ())
            if each.height + 2 <= self._stage.consensus.height
            and each.SerializeToString() not in self._refused
        ]

    def _fetch(self) -> None:
        """One chunk, from a peer that is drawn; when all are there, the end."""
        node, engine, snapshot = self._node, self._node.engine, self._snapshot
        assert engine is not None and snapshot is not None
        if not self._missing:
            self._finish(snapshot)
            return
        peers = [each for each in self._list_peers() if each.name not in self._banned]
        if not peers:
            self._give_up(snapshot)
            return
        index = self._missing.pop(0)
        drawn = self._stage.chance("sender", node.name, self._life, self._steps)
        peer = peers[drawn % len(peers)]
        request = abci.RequestLoadSnapshotChunk(
            height=snapshot.height, format=snapshot.format, chunk=index
        )
        found = _ask(peer, lambda handler: handler.load_snapshot_chunk(request))
        chunk = found.chunk if found is not None else b""
        if not chunk:  # forgotten meanwhile, or never had
            self._missing.append(index)
            self._banned.add(peer.name)
            return
        data = chunk if peer.lie is None else twist_chunk(peer.lie, index, chunk)
        self._apply(peer, index, data, honest=data == chunk)

    def _apply(self, peer: "SimulatedNode", index: int, data: bytes, *, honest: bool) -> None:
        node, engine, snapshot = self._node, self._node.engine, self._snapshot
        assert engine is not None and snapshot is not None
        handler = engine.parts.handler
        chunk = abci.RequestApplySnapshotChunk(index=index, chunk=data, sender=peer.name)
        answer = engine.ask(lambda: handler.apply_snapshot_chunk(chunk))
        result = _Apply.Result.Name(answer.result)
        refused = tuple(answer.reject_senders)
        self._tell(checkers.Chunk(node.name, peer.name, index, honest, result, refused))
        self._banned.update(refused)
        if answer.result == _Apply.RETRY:
            self._missing += [each for each in answer.refetch_chunks if each not in self._missing]
        elif answer.result != _Apply.ACCEPT:
            self._give_up(snapshot)

    def _give_up(self, snapshot: abci.Snapshot) -> None:
        self._refused.add(snapshot.SerializeToString())
        self._snapshot, self._banned = None, set()

    def _finish(self, snapshot: abci.Snapshot) -> None:
        """The engine's own state is that of the light client; blocks follow from there."""
        node, engine = self._node, self._node.engine
        assert engine is not None
        height = snapshot.height
        after = self._stage.consensus.decided(height + 1).header
        node.books = engine.books = EngineBooks(height + 1, height, height)
        node.books.executed[height] = Executed(after.app_hash, after.last_results_hash)
        node.is_joining, node.committed = False, height
        self._stage.tally["joined"] += 1
        engine.begin_again()

    def _list_peers(self) -> list["SimulatedNode"]:
        node, links = self._node, self._stage.links
        return [
            peer
            for peer in node.peers
            if peer.engine is not None
            and not peer.is_joining
            and links.reaches(peer.number, node.number)
            and links.reaches(node.number, peer.number)
        ]

    def _tell(self, moment: checkers.Moment) -> None:
        fields = (str(each) for each in msgspec.structs.astuple(moment))
        self._stage.note(type(moment).__name__, "", *fields)
        self._stage.tell(moment)


def _ask(peer: "SimulatedNode", question: Callable[..., T]) -> T | None:
    """A peer's answer; None when it has none to give."""
    answers: list[T] = []
    engine = peer.engine
    if engine is not None and engine.is_alive:
        handler = engine.parts.handler
        peer.act(lambda: answers.append(engine.ask(lambda: question(handler))))
    return answers[0] if answers else None
